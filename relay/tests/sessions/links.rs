//! Links of the tree: pictures come out as they went in, control is not held up, faults close one link.

use crate::source::{ChildControl, Serving, Source, append_bulk, size};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::tree::message::{Heartbeat, Message, Presenter};
use treevnc_protocol::tree::{GREETING_PORT, GREETING_TREE, frame};
use treevnc_protocol::update::{Seq, SessionId};
use treevnc_relay::link::{Incoming, LinkEnd, LinkError, TreeLink, dial};
use treevnc_relay::picture::paint;
use treevnc_relay::shared_log::SharedLog;

const PATIENCE: Duration = Duration::from_secs(20);

/// Takes in updates until the log's complete point is `seq`.
async fn receive_until(link: &mut TreeLink, log: &SharedLog, seq: Seq) {
    while log.with(|log| log.complete()) < seq {
        match link.read().await.unwrap() {
            Incoming::Update(update, until) => assert!(log.append(update, until).unwrap()),
            Incoming::Message(message) => panic!("{message:?}"),
        }
    }
}

fn assert_shows(log: &SharedLog, source: &Source) {
    let shown = paint(&log.all_entries()).unwrap().unwrap();
    assert!(shown == source.fb, "the pictures differ");
}

#[tokio::test]
async fn a_child_and_a_grandchild_show_the_sources_picture_while_it_changes() {
    let mut source = Source::new(size(500, 300));
    let serving = Serving::new(&source.log);
    let mut link = dial(serving.addr, PATIENCE).await.unwrap();
    let child_log = SharedLog::new(crate::source::SESSION);
    let child_serving = Serving::new(&child_log);
    let mut below = dial(child_serving.addr, PATIENCE).await.unwrap();
    let grandchild_log = SharedLog::new(crate::source::SESSION);
    for step in 0..5u16 {
        if step == 3 {
            source.begin_screen(size(200, 400), "another");
        }
        let seq = source.change(Rect::new(step * 30, step * 20, 150, 90));
        let parent_and_child = async {
            receive_until(&mut link, &child_log, seq).await;
            receive_until(&mut below, &grandchild_log, seq).await;
        };
        tokio::time::timeout(PATIENCE, parent_and_child).await.unwrap();
        assert_shows(&child_log, &source);
        assert_shows(&grandchild_log, &source);
    }
}

#[tokio::test]
async fn a_childs_link_ends_when_the_log_begins_another_session() {
    let mut source = Source::new(size(300, 200));
    let serving = Serving::new(&source.log);
    let mut link = dial(serving.addr, PATIENCE).await.unwrap();
    let child_log = SharedLog::new(crate::source::SESSION);
    let seq = source.change(Rect::new(0, 0, 100, 100));
    receive_until(&mut link, &child_log, seq).await;
    source.log.replace(SessionId(99));
    append_bulk(&source.log, 1);
    let ended = tokio::time::timeout(PATIENCE, link.read()).await.unwrap();
    assert!(matches!(ended, Err(LinkError::Closed)), "{ended:?}");
    let ends = std::mem::take(&mut *serving.parent.ends.lock().unwrap());
    assert!(matches!(ends[..], [LinkEnd::Local]), "{ends:?}");
}

#[tokio::test]
async fn messages_go_both_ways_while_updates_flow() {
    let mut source = Source::new(size(300, 200));
    let mut serving = Serving::new(&source.log);
    let mut link = dial(serving.addr, PATIENCE).await.unwrap();
    let ChildControl { to_child, mut from_child } = serving.children.recv().await.unwrap();
    source.change(Rect::new(0, 0, 100, 100));
    let said = |gone: &str| Message::Presenter(Presenter { gone: gone.into(), ..Presenter::default() });
    link.write_message(&Message::Heartbeat(Heartbeat { beat: 4, received: 0 })).await.unwrap();
    link.write_message(&said("5")).await.unwrap();
    assert_eq!(from_child.recv().await, Some(said("5")), "heartbeats are the link's own business");
    to_child.send(said("6")).await.unwrap();
    while !matches!(link.read().await.unwrap(), Incoming::Message(message) if message == said("6")) {}
    drop(from_child);
    link.write_message(&said("7")).await.unwrap();
    while link.read().await.is_ok() {}
    assert!(matches!(serving.parent.ends.lock().unwrap()[..], [LinkEnd::Local]));
    drop(to_child);
}

#[tokio::test]
async fn the_last_words_arrive_although_the_child_goes_on_talking() {
    let mut source = Source::new(size(300, 200));
    let mut serving = Serving::new(&source.log);
    let mut link = dial(serving.addr, PATIENCE).await.unwrap();
    let ChildControl { to_child, from_child } = serving.children.recv().await.unwrap();
    source.change(Rect::new(0, 0, 100, 100));
    let last = Message::Presenter(Presenter { ended: true, ..Presenter::default() });
    to_child.send(last.clone()).await.unwrap();
    drop(to_child);
    for beat in 0..100 {
        link.write_message(&Message::Heartbeat(Heartbeat { beat, received: 0 })).await.unwrap();
    }
    while !matches!(link.read().await.unwrap(), Incoming::Message(message) if message == last) {}
    while link.read().await.is_ok() {}
    drop((link, from_child));
    while serving.parent.ends.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(serving.parent.ends.lock().unwrap()[..], [LinkEnd::Told]));
}

#[tokio::test]
async fn control_overtakes_the_rest_of_a_batch_on_a_congested_link() {
    let log = SharedLog::new(crate::source::SESSION);
    append_bulk(&log, 200);
    let mut serving = Serving::new(&log);
    let mut link = dial(serving.addr, PATIENCE).await.unwrap();
    let control = serving.children.recv().await.unwrap();
    assert!(matches!(link.read().await, Ok(Incoming::Update(..))), "the batch has begun");
    let heartbeat = Message::Heartbeat(Heartbeat { beat: 1, received: 0 });
    control.to_child.send(heartbeat.clone()).await.unwrap();
    let mut updates_before = 0;
    loop {
        match link.read().await.unwrap() {
            Incoming::Update(..) => updates_before += 1,
            Incoming::Message(message) => break assert_eq!(message, heartbeat),
        }
    }
    assert!(updates_before < 120, "{updates_before} of 200 updates of one batch came before the message");
}

#[tokio::test]
async fn a_child_that_holds_an_old_picture_is_let_go_when_memory_runs_short_and_no_viewer_holds_one() {
    let log = SharedLog::with_budget(crate::source::SESSION, 1_000_000);
    append_bulk(&log, 200);
    let serving = Serving::new(&log);
    let mut link = dial(serving.addr, PATIENCE).await.unwrap();
    assert!(matches!(link.read().await, Ok(Incoming::Update(..))), "the batch has begun");
    append_bulk(&log, 200);
    let mut updates = 0;
    while let Ok(Incoming::Update(..)) = link.read().await {
        updates += 1;
    }
    assert!(updates < 200, "the link ended before the picture did");
    assert!(matches!(serving.parent.ends.lock().unwrap()[..], [LinkEnd::Evicted]));
    assert_eq!(log.bytes().batches, 0);
}

#[tokio::test]
async fn a_child_that_breaks_the_rules_loses_its_link_and_no_other() {
    let mut source = Source::new(size(300, 200));
    let serving = Serving::new(&source.log);
    let mut good = dial(serving.addr, PATIENCE).await.unwrap();
    let update = frame::header(frame::kind::FRAMEBUFFER_UPDATE, 30).to_vec();
    let too_long = frame::header(frame::kind::HEARTBEAT, 1 << 30).to_vec();
    let malformed = [&frame::header(frame::kind::HEARTBEAT, 3)[..], &[0xff; 3]].concat();
    let half = frame::header(frame::kind::HEARTBEAT, 3)[..4].to_vec();
    for hostile in [update, too_long, malformed, half] {
        let mut stream = TcpStream::connect(serving.addr).await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        stream.write_all(GREETING_TREE).await.unwrap();
        stream.write_all(&hostile).await.unwrap();
        stream.shutdown().await.unwrap();
        while matches!(stream.read(&mut [0; 65_536]).await, Ok(1..)) {}
    }
    let log = SharedLog::new(crate::source::SESSION);
    let seq = source.change(Rect::new(10, 10, 50, 50));
    receive_until(&mut good, &log, seq).await;
    assert_shows(&log, &source);
    let ends = serving.parent.ends.lock().unwrap();
    let faults = ends.iter().filter(|end| matches!(end, LinkEnd::Link(error) if error.is_fault())).count();
    assert_eq!((ends.len(), faults), (4, 3), "{ends:?}");
    assert!(matches!(ends[3], LinkEnd::Link(LinkError::Broken)));
}

#[tokio::test]
async fn a_parent_that_breaks_the_rules_is_named() {
    for (bytes, said) in [
        (&b"SSH-2.0-OpenSSH_9"[..], "not a TreeVNC port: it begins with \"SSH-2.0-Open\""),
        (
            &[&GREETING_PORT[..], &frame::header(frame::kind::FRAMEBUFFER_UPDATE, 70_000)].concat(),
            "70000 bytes is over the limit",
        ),
        (&[&GREETING_PORT[..], &frame::header(frame::kind::FRAMEBUFFER_UPDATE, 3), &[0; 3]].concat(), "ends early"),
        (&GREETING_PORT[..], "closed the link"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let parent = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.shutdown().await.unwrap();
            while matches!(stream.read(&mut [0; 100]).await, Ok(1..)) {}
        };
        let child = async {
            match dial(addr, PATIENCE).await {
                Ok(mut link) => link.read().await.unwrap_err(),
                Err(error) => error,
            }
        };
        let ((), error) = tokio::join!(parent, child);
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn dialling_a_port_that_never_greets_ends_in_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limit = Duration::from_millis(50);
    let error = dial(listener.local_addr().unwrap(), limit).await.unwrap_err();
    assert!(matches!(error, LinkError::TimedOut(said) if said == limit), "{error}");
}
