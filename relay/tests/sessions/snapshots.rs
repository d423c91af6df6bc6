//! Snapshots: the whole picture, once.

use crate::source::{Source, append_bulk, size};
use crate::viewer::PATIENCE;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use treevnc_protocol::tree::message::Message;
use treevnc_protocol::update::SessionId;
use treevnc_relay::link::{Incoming, TreeLink, dial};
use treevnc_relay::port::{Port, PortOptions, TreeService};
use treevnc_relay::shared_log::SharedLog;
use treevnc_relay::snapshot::{SnapshotError, serve_snapshot, take_snapshot};

/// Answers every link with a snapshot.
struct Snapshots(SharedLog);

impl TreeService for Snapshots {
    async fn serve(&self, mut link: TreeLink, _peer: SocketAddr) {
        if let Ok(Incoming::Message(Message::SnapshotRequest)) = link.read().await {
            let _ends_with_the_link = serve_snapshot(&self.0, link.split().1).await;
        }
    }
}

fn serving(log: &SharedLog) -> (SocketAddr, JoinHandle<()>) {
    let port = Port::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
    let addr = port.local_addr().unwrap();
    (addr, tokio::spawn(port.run(log.clone(), Arc::new(Snapshots(log.clone())), PortOptions::default())))
}

#[tokio::test]
async fn a_snapshot_is_the_picture_and_leaves_no_reader_behind() {
    let source = Source::new(size(300, 200));
    let (addr, port) = serving(&source.log);
    assert!(take_snapshot(addr, PATIENCE).await.unwrap() == source.fb);
    port.abort();
    let _cancelled = port.await;
    assert_eq!(source.log.reader_count(), 0);
}

#[tokio::test]
async fn a_snapshot_waits_for_the_first_whole_picture() {
    let log = SharedLog::new(SessionId(1));
    let (addr, port) = serving(&log);
    let (snapshot, source) = tokio::join!(take_snapshot(addr, PATIENCE), async {
        while log.reader_count() == 0 {
            tokio::task::yield_now().await;
        }
        Source::of(log.clone(), size(100, 100))
    });
    assert!(snapshot.unwrap() == source.fb);
    let nothing = SharedLog::new(SessionId(1));
    let (silent, silent_port) = serving(&nothing);
    let error = take_snapshot(silent, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, SnapshotError::TimedOut(_)), "{error}");
    port.abort();
    silent_port.abort();
}

#[tokio::test]
async fn who_asks_and_takes_nothing_is_let_go_when_memory_runs_short() {
    let log = SharedLog::with_budget(SessionId(1), 1_000_000);
    append_bulk(&log, 200);
    let (addr, port) = serving(&log);
    let mut link = dial(addr, PATIENCE).await.unwrap();
    link.write_message(&Message::SnapshotRequest).await.unwrap();
    assert!(matches!(link.read().await, Ok(Incoming::Update(..))), "it has begun");
    append_bulk(&log, 200);
    let mut updates = 0;
    while let Ok(Incoming::Update(..)) = link.read().await {
        updates += 1;
    }
    assert!(updates < 200, "the link ended before the picture did");
    assert_eq!(log.bytes().batches, 0);
    port.abort();
}
