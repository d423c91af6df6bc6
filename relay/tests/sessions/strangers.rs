//! Whoever connects: nonsense, dawdling and floods cost the one who does it its connection, and nobody else anything.

use crate::source::{Serving, Source, size};
use crate::viewer::{PATIENCE, TestViewer, ZRLE};
use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::tree::GREETING_PORT;
use treevnc_protocol::update::SessionId;
use treevnc_relay::link::{TreeLink, dial};
use treevnc_relay::port::{Port, PortOptions, TreeService};
use treevnc_relay::shared_log::SharedLog;

async fn patiently<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap()
}

/// A connection that has read the greeting; `None` when it was closed instead.
async fn greeted(addr: SocketAddr) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let mut greeting = [0; 12];
    patiently(stream.read_exact(&mut greeting)).await.ok()?;
    assert_eq!(&greeting, GREETING_PORT);
    Some(stream)
}

/// Connects until a greeting comes.
async fn greeted_at_last(addr: SocketAddr) -> TcpStream {
    patiently(async {
        loop {
            if let Some(stream) = greeted(addr).await {
                return stream;
            }
        }
    })
    .await
}

/// Everything until the connection is closed.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _reset_counts_as_end = patiently(stream.read_to_end(&mut bytes)).await;
    bytes
}

#[tokio::test]
async fn nonsense_in_place_of_a_greeting_closes_that_connection_only() {
    let mut source = Source::new(size(100, 100));
    let serving = Serving::new(&source.log);
    let mut good = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"TREEVNC 002\n", b"RFB 002.000\n", &[0; 12], &[0xff; 5000]] {
        let mut stream = greeted(serving.addr).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        assert_eq!(rest(&mut stream).await, b"", "{}", nonsense[..12].escape_ascii());
    }
    source.change(Rect::new(0, 0, 50, 50));
    good.show(&source.fb).await;
}

#[tokio::test]
async fn a_security_type_that_was_not_offered_is_declined_with_a_reason() {
    let source = Source::new(size(100, 100));
    let serving = Serving::new(&source.log);
    let mut stream = greeted(serving.addr).await.unwrap();
    stream.write_all(b"RFB 003.008\n\x02").await.unwrap();
    let said = rest(&mut stream).await;
    assert_eq!(said[..6], [1, 1, 0, 0, 0, 1], "one type, None; then a failure");
    assert!(String::from_utf8_lossy(&said[10..]).contains("not offered"));
}

#[tokio::test]
async fn old_versions_are_shown_the_picture_too() {
    let source = Source::new(size(100, 100));
    let serving = Serving::new(&source.log);
    for (version, expected) in [(b"RFB 003.003\n", &[0, 0, 0, 1][..]), (b"RFB 003.007\n", &[1, 1])] {
        let mut stream = greeted(serving.addr).await.unwrap();
        stream.write_all(version).await.unwrap();
        let mut security = vec![0; expected.len()];
        patiently(stream.read_exact(&mut security)).await.unwrap();
        assert_eq!(security, expected);
        stream.write_all(if version == b"RFB 003.003\n" { &[1][..] } else { &[1, 1] }).await.unwrap();
        let mut init = [0; 4];
        patiently(stream.read_exact(&mut init)).await.unwrap();
        assert_eq!(init, [0, 100, 0, 100]);
    }
}

#[tokio::test]
async fn whoever_dawdles_in_the_handshake_is_closed_in_time() {
    let source = Source::new(size(100, 100));
    let options = PortOptions { handshake_timeout: Duration::from_millis(100), ..PortOptions::default() };
    let serving = Serving::with_options(&source.log, options);
    for beginning in [&b""[..], b"R", b"RFB 003.008\n", b"RFB 003.008\n\x01"] {
        let mut stream = greeted(serving.addr).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let _ = rest(&mut stream).await;
    }
    let mut viewer = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    viewer.show(&source.fb).await;
}

#[tokio::test]
async fn a_flood_of_silent_connections_is_cut_off_and_leaves_no_trace() {
    let source = Source::new(size(100, 100));
    let options = PortOptions { max_pending_per_address: 3, ..PortOptions::default() };
    let serving = Serving::with_options(&source.log, options);
    let mut served = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(greeted_at_last(serving.addr).await);
    }
    for _ in 0..50 {
        assert!(greeted(serving.addr).await.is_none(), "the fourth handshake of one address");
    }
    served.show(&source.fb).await;
    drop(silent);
    let mut stream = greeted_at_last(serving.addr).await;
    stream.write_all(b"RFB 003.008\n\x01\x01").await.unwrap();
    assert_eq!(patiently(stream.read_u16()).await.unwrap(), 0x0101, "places come back");
}

#[tokio::test]
async fn connections_of_all_kinds_are_limited() {
    let source = Source::new(size(100, 100));
    let options = PortOptions { max_connections: 2, ..PortOptions::default() };
    let serving = Serving::with_options(&source.log, options);
    let viewer = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    let link = dial(serving.addr, PATIENCE).await.unwrap();
    assert!(greeted(serving.addr).await.is_none());
    drop(viewer);
    drop(greeted_at_last(serving.addr).await);
    drop(link);
}

#[tokio::test]
async fn viewers_that_wait_for_the_first_picture_do_not_keep_others_out() {
    let log = SharedLog::new(SessionId(1));
    let options = PortOptions { max_pending: 1, ..PortOptions::default() };
    let serving = Serving::with_options(&log, options);
    let mut waiting = Vec::new();
    for _ in 0..5 {
        let mut stream = greeted_at_last(serving.addr).await;
        stream.write_all(b"RFB 003.008\n").await.unwrap();
        waiting.push(stream);
    }
    let gone = waiting.pop();
    drop(gone);
    let _source = Source::of(log, size(100, 100));
    for mut stream in waiting {
        let mut offered = [0; 2];
        patiently(stream.read_exact(&mut offered)).await.unwrap();
        assert_eq!(offered, [1, 1]);
    }
}

struct NoTree;

impl TreeService for NoTree {
    async fn serve(&self, mut link: TreeLink, _peer: SocketAddr) {
        let _ = link.read().await;
    }
}

#[tokio::test]
async fn when_a_port_ends_every_connection_and_every_reader_ends() {
    let source = Source::new(size(100, 100));
    let port = Port::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
    let addr = port.local_addr().unwrap();
    let running = tokio::spawn(port.run(source.log.clone(), Arc::new(NoTree), PortOptions::default()));
    let mut viewer = TestViewer::connect(addr, PixelFormat::NATIVE, &ZRLE).await;
    viewer.show(&source.fb).await;
    let mut link = dial(addr, PATIENCE).await.unwrap();
    let mut stranger = greeted(addr).await.unwrap();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(viewer.hear().await, None);
    assert!(patiently(link.read()).await.is_err());
    assert_eq!(rest(&mut stranger).await, b"");
    assert_eq!(source.log.reader_count(), 0);
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn one_port_number_serves_both_address_families() {
    if std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("this machine has no IPv6");
        return;
    }
    let source = Source::new(size(100, 100));
    let port = Port::bind(&[(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]).unwrap();
    let addrs = port.local_addrs().to_vec();
    assert_eq!(addrs[0].port(), addrs[1].port());
    let running = tokio::spawn(port.run(source.log.clone(), Arc::new(NoTree), PortOptions::default()));
    for addr in addrs {
        TestViewer::connect(addr, PixelFormat::NATIVE, &ZRLE).await.show(&source.fb).await;
        let mut link = dial(addr, PATIENCE).await.unwrap();
        assert_eq!(link.peer_addr(), addr);
        link.write_message(&treevnc_protocol::tree::message::Message::StatusRequest).await.unwrap();
        assert!(patiently(link.read()).await.is_err());
    }
    running.abort();
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let port = Port::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
    let addr = port.local_addr().unwrap();
    assert!(Port::bind(&[addr]).unwrap_err().to_string().contains(&addr.to_string()));
    assert!(Port::bind(&[]).is_err());
}
