//! A port whose upload is limited: everybody has the same part, control does not wait, and a link has its turns only as long as it lives.

use crate::source::{SESSION, Serving, append_bulk};
use crate::viewer::PATIENCE;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::rfb::{ClientMessage, encoding};
use treevnc_protocol::tree::message::{Message, Presenter};
use treevnc_relay::link::{Incoming, dial};
use treevnc_relay::port::PortOptions;
use treevnc_relay::shared_log::SharedLog;
use treevnc_relay::upload::Upload;

/// Bytes per second of 8 Mbit/s without the headers.
const PER_SECOND: f64 = 1_000_000.0 / 1.05;

fn limited(log: &SharedLog, upload: &Upload) -> Serving {
    Serving::with_options(log, PortOptions { upload: upload.clone(), ..PortOptions::default() })
}

/// A log of 12 MB, and a limit of a megabyte per second.
fn bulk() -> (SharedLog, Upload) {
    let log = SharedLog::new(SESSION);
    append_bulk(&log, 200);
    (log, Upload::limited("8M".parse().unwrap()))
}

/// Bytes of updates that a child gets until a time.
async fn child(addr: std::net::SocketAddr, until: Instant) -> usize {
    let (mut link, mut bytes) = (dial(addr, PATIENCE).await.unwrap(), 0);
    while let Ok(Ok(Incoming::Update(update, _))) = timeout(until.duration_since(Instant::now()), link.read()).await {
        bytes += update.cost_bytes();
    }
    bytes
}

/// Bytes that an ordinary viewer gets until a time.
async fn viewer(addr: std::net::SocketAddr, until: Instant) -> usize {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.read_exact(&mut [0; 12]).await.unwrap();
    stream.write_all(b"RFB 003.008\n\x01\x01").await.unwrap();
    stream.write_all(&ClientMessage::SetEncodings(vec![encoding::ZRLE, encoding::DESKTOP_SIZE]).encode()).await.unwrap();
    let rect = Rect::new(0, 0, u16::MAX, u16::MAX);
    let request = ClientMessage::FramebufferUpdateRequest { incremental: true, rect }.encode();
    // More than it can be sent, so that it never has to wait for itself.
    for _ in 0..200 {
        stream.write_all(&request).await.unwrap();
    }
    let (mut buffer, mut bytes) = (vec![0; 65_536], 0);
    while let Ok(Ok(count)) = timeout(until.duration_since(Instant::now()), stream.read(&mut buffer)).await {
        assert!(count > 0, "it was closed");
        bytes += count;
        stream.write_all(&request).await.unwrap();
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_and_viewers_have_equal_parts_of_the_limit_and_not_more_together() {
    let (log, upload) = bulk();
    let serving = limited(&log, &upload);
    let begun = Instant::now();
    let until = begun + Duration::from_secs(2);
    let (addr, all) = (serving.addr, &[(); 3]);
    let children = all.map(|()| tokio::spawn(child(addr, until)));
    let viewer = tokio::spawn(viewer(addr, until));
    let mut got = vec![viewer.await.unwrap()];
    for child in children {
        got.push(child.await.unwrap());
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (least, most, sum) = (got.iter().min().unwrap(), got.iter().max().unwrap(), got.iter().sum::<usize>());
    assert!(sum as f64 <= (seconds + 0.08) * PER_SECOND, "{got:?} in {seconds} s");
    // What is half sent counts for nothing here: less than an update each.
    assert!(sum as f64 + 4.0 * 60_000.0 >= seconds * PER_SECOND * 0.8, "{got:?} in {seconds} s");
    assert!(most - least <= 150_000, "{got:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_goes_between_updates_and_waits_for_no_turn() {
    let (log, upload) = bulk();
    let mut serving = limited(&log, &upload);
    let mut link = dial(serving.addr, PATIENCE).await.unwrap();
    let child = serving.children.recv().await.unwrap();
    assert!(matches!(link.read().await, Ok(Incoming::Update(..))));
    child.to_child.send(Message::Presenter(Presenter::default())).await.unwrap();
    let mut updates = 0;
    while let Incoming::Update(..) = timeout(PATIENCE, link.read()).await.unwrap().unwrap() {
        updates += 1;
    }
    // What is in the kernel's buffers and the one that is being written, of two hundred.
    assert!(updates < 60, "{updates} updates came first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_ends_while_it_waits_leaves_the_whole_limit_to_the_others() {
    let (log, upload) = bulk();
    let serving = limited(&log, &upload);
    let gone: Vec<_> = (0..3).map(|_| tokio::spawn(child(serving.addr, Instant::now() + PATIENCE))).collect();
    while upload.senders() < 3 {
        tokio::task::yield_now().await;
    }
    gone.into_iter().for_each(|child| child.abort());
    while upload.senders() > 0 {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    let bytes = child(serving.addr, begun + Duration::from_secs(1)).await;
    let seconds = begun.elapsed().as_secs_f64();
    assert!(bytes as f64 + 60_000.0 >= seconds * PER_SECOND * 0.8, "{bytes} in {seconds} s");
}
