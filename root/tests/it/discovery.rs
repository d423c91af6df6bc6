//! Roots are found by those who ask, through real sockets on this machine.

use std::ops::ControlFlow;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use treevnc_protocol::tree::discovery::{Datagram, MAX_DATAGRAM_BYTES};
use treevnc_protocol::tree::networks::Networks;
use treevnc_protocol::update::SessionId;
use treevnc_relay::multicast::{Segment, segments};
use treevnc_root::discovery::{RootInfo, respond};
use treevnc_viewer::find::find_roots;

/// Other tests and programs may answer too: every test has sessions of its own.
fn responder(viewers: u32) -> (SessionId, watch::Sender<RootInfo>, JoinHandle<()>) {
    responder_at("0.0.0.0:5951", viewers)
}

fn responder_at(listening: &str, viewers: u32) -> (SessionId, watch::Sender<RootInfo>, JoinHandle<()>) {
    let session = SessionId(getrandom::u64().unwrap());
    let (sender, info) = watch::channel(RootInfo {
        session,
        name: "Physik".into(),
        listening: vec![listening.parse().unwrap()],
        viewers,
        needs_code: false,
        log: session,
        above: 0,
    });
    (session, sender, tokio::spawn(respond(info, watch::channel(Networks::default()).1)))
}

const LONG: Duration = Duration::from_secs(30);

/// Searches until all of these sessions answered; asks again where a responder was not there yet.
async fn found_all(sessions: &[SessionId]) -> Vec<treevnc_viewer::find::FoundRoot> {
    for _ in 0..30 {
        let mut missing = sessions.to_vec();
        let roots = find_roots(Duration::from_secs(1), |root| {
            missing.retain(|&session| session != root.session);
            if missing.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let mut roots = roots.await.unwrap();
        if missing.is_empty() {
            roots.retain(|root| sessions.contains(&root.session));
            return roots;
        }
    }
    panic!("not found: {sessions:?}");
}

#[tokio::test]
async fn several_roots_on_one_machine_are_all_found_with_what_they_are_now() {
    let (first, info, one) = responder(3);
    let (second, _info, two) = responder(9);
    let roots = found_all(&[first, second]).await;
    assert_eq!(roots.len(), 2);
    let viewers_of =
        |roots: &[treevnc_viewer::find::FoundRoot], session| roots.iter().find(|root| root.session == session).unwrap().viewers;
    assert_eq!((viewers_of(&roots, first), viewers_of(&roots, second)), (3, 9));
    assert!(roots.iter().all(|root| root.is_compatible() && root.addresses.iter().all(|address| address.port() == 5951)));
    info.send_modify(|info| info.viewers = 4);
    assert_eq!(viewers_of(&found_all(&[first]).await, first), 4);
    one.abort();
    two.abort();
}

#[tokio::test]
async fn garbage_is_not_answered_and_disturbs_nothing() {
    let (session, _info, task) = responder(0);
    found_all(&[session]).await;
    let segment = segments().unwrap().into_iter().find(Segment::is_loopback).unwrap();
    let speaker = segment.speaker().unwrap();
    for garbage in [&b""[..], b"TREE", b"TREE\x02x", &[0xff; MAX_DATAGRAM_BYTES + 100]] {
        speaker.send_to(garbage, segment.group()).await.unwrap();
    }
    speaker.send_to(&Datagram::FindRoot { nonce: 77 }.encode(), segment.group()).await.unwrap();
    let mut heard = [0; MAX_DATAGRAM_BYTES];
    loop {
        let (count, _) = tokio::time::timeout(LONG, speaker.recv_from(&mut heard)).await.unwrap().unwrap();
        let Ok(Datagram::FindRootReply(reply)) = Datagram::decode(&heard[..count]) else { panic!("garbage was answered") };
        assert_eq!(reply.nonce, 77);
        if reply.session == session {
            assert_eq!(reply.addresses.first(), segment.addresses().first());
            break;
        }
    }
    task.abort();
}

#[tokio::test]
async fn a_root_that_is_gone_is_not_found() {
    let (session, _info, task) = responder(0);
    found_all(&[session]).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let roots = find_roots(Duration::from_millis(600), |_| ControlFlow::Continue(())).await.unwrap();
    assert!(!roots.iter().any(|root| root.session == session));
}

#[tokio::test]
async fn a_root_answers_only_where_it_can_be_dialled() {
    // Documentation's address (RFC 5737) is no interface's here.
    let (nowhere, _, _silent) = responder_at("192.0.2.200:5951", 0);
    let (here, _, _answers) = responder_at("127.0.0.1:5951", 0);
    let roots = found_all(&[here]).await;
    assert!(roots.iter().all(|root| root.session != nowhere));
    let root = roots.iter().find(|root| root.session == here).unwrap();
    assert!(root.addresses.iter().all(|address| address.ip().is_loopback()), "{root:?}");
}
