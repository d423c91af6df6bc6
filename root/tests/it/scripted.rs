//! What the root asks for and when, and what becomes of the answers.

use crate::server::{Server, duplex, picture, size};
use crate::watching::{from_the_start, painted, part, server_at, session_over, state_is, until};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{self, ClientMessage, encoding};
use treevnc_protocol::update::Seq;
use treevnc_relay::shared_log::{LogReader, ReaderKind, SharedLog};
use treevnc_root::presenter::{PresenterState, SessionError, SessionOptions, run};
use treevnc_screen::vnc::Distance;

const FIRST: Rect = Rect::new(0, 0, 200, 130);

/// A session with a server whose screen is 200x130.
struct Session {
    server: Server<DuplexStream>,
    log: SharedLog,
    state: watch::Receiver<PresenterState>,
    ended: JoinHandle<SessionError>,
}

async fn session(distance: Distance) -> Session {
    let (mut server, stream) = duplex();
    let part = part();
    let log = part.log().clone();
    let (sender, state) = watch::channel(PresenterState::Connecting);
    let ended = tokio::spawn(async move { session_over(stream, None, distance, &part, &sender).await });
    server.welcome(size(200, 130), "lab7").await;
    Session { server, log, state, ended }
}

fn reader(log: &SharedLog) -> LogReader {
    log.reader(ReaderKind::Local, from_the_start(log))
}

/// The reader sends all there is.
fn send_all(reader: &mut LogReader) {
    while let Some(batch) = reader.try_next() {
        reader.sent(&batch);
    }
}

#[tokio::test(start_paused = true)]
async fn the_whole_picture_is_asked_for_at_once_in_the_native_format_and_without_a_cursor() {
    let mut session = session(Distance::SameMachine).await;
    assert_eq!(session.server.message().await, ClientMessage::SetPixelFormat(PixelFormat::NATIVE));
    let ClientMessage::SetEncodings(encodings) = session.server.message().await else { panic!("no encodings") };
    assert_eq!(encodings.first(), Some(&encoding::RAW));
    assert!(!encodings.contains(&-239));
    assert_eq!(session.server.message().await, ClientMessage::FramebufferUpdateRequest { incremental: false, rect: FIRST });
    let fb = picture(size(200, 130), 1);
    session.server.paint(&fb, &[FIRST]).await;
    until(&session.log, "the picture", |painted| *painted == fb).await;
    assert_eq!(session.log.with(|log| log.screen().unwrap().name.clone()), "lab7");
    let connected = PresenterState::Connected { name: "lab7".to_owned(), size: size(200, 130) };
    state_is(&mut session.state, "connected", |state| *state == connected).await;
}

#[tokio::test(start_paused = true)]
async fn a_network_away_compressed_encodings_are_asked_for_first() {
    let mut session = session(Distance::Network).await;
    session.server.message().await;
    let ClientMessage::SetEncodings(encodings) = session.server.message().await else { panic!("no encodings") };
    assert_eq!(encodings.first(), Some(&encoding::ZRLE));
}

#[tokio::test(start_paused = true)]
async fn a_first_picture_in_pieces_is_fetched_at_once_and_shown_when_it_is_whole() {
    let mut session = session(Distance::SameMachine).await;
    let start = Instant::now();
    let fb = picture(size(200, 130), 1);
    assert_eq!(session.server.request().await, (false, FIRST));
    for y in 0..13 {
        assert_eq!(session.log.with(|log| log.head()), Seq::NONE, "{y} of 13 parts must not be shown");
        session.server.paint(&fb, &[Rect::new(0, y * 10, 200, 10)]).await;
        if y < 12 {
            assert_eq!(session.server.request().await, (true, FIRST));
        }
    }
    until(&session.log, "the picture", |painted| *painted == fb).await;
    assert!(start.elapsed() < Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_pixels_is_not_taken_for_the_picture() {
    let mut session = session(Distance::SameMachine).await;
    assert_eq!(session.server.request().await, (false, FIRST));
    session.server.rect(&rfb::extended_desktop_size_rect(0, 0, size(200, 130), &[])).await;
    assert_eq!(session.server.request().await, (true, FIRST));
    session.server.send(&rfb::framebuffer_update_header(0)).await;
    assert_eq!(session.server.request().await, (true, FIRST));
    assert_eq!(session.log.with(|log| log.head()), Seq::NONE);
    let fb = picture(size(200, 130), 1);
    session.server.paint(&fb, &[FIRST]).await;
    until(&session.log, "the picture", |painted| *painted == fb).await;
}

#[tokio::test(start_paused = true)]
async fn unwatched_the_picture_is_refreshed_once_a_second() {
    let mut session = session(Distance::SameMachine).await;
    let mut requests = Vec::new();
    for seed in 0..5 {
        session.server.request().await;
        requests.push(Instant::now());
        session.server.paint(&picture(size(200, 130), seed), &[FIRST]).await;
    }
    for pair in requests.windows(2) {
        let pause = pair[1] - pair[0];
        assert!((990..=1020).contains(&pause.as_millis()), "{pause:?} between two requests");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_change_is_asked_for_when_one_of_the_readers_has_sent_the_last() {
    let mut session = session(Distance::SameMachine).await;
    let mut swift = reader(&session.log);
    let _stuck = reader(&session.log);
    let start = Instant::now();
    for seed in 0..20 {
        session.server.request().await;
        let fb = picture(size(200, 130), seed);
        session.server.paint(&fb, &[FIRST]).await;
        until(&session.log, "the picture", |painted| *painted == fb).await;
        let early = tokio::time::timeout(Duration::from_millis(30), session.server.request()).await;
        assert!(early.is_err(), "asked before a reader had sent frame {seed}");
        send_all(&mut swift);
    }
    session.server.request().await;
    let took = start.elapsed();
    assert!(took < Duration::from_millis(20 * 30 + 200), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn readers_that_never_keep_up_do_not_stop_the_picture() {
    let mut session = session(Distance::SameMachine).await;
    let _stuck = reader(&session.log);
    for seed in 0..3 {
        session.server.request().await;
        session.server.paint(&picture(size(200, 130), seed), &[FIRST]).await;
    }
    until(&session.log, "the third picture", |painted| *painted == picture(size(200, 130), 2)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_reader_to_come_sees_the_present_at_once() {
    let mut session = session(Distance::SameMachine).await;
    session.server.request().await;
    session.server.paint(&picture(size(200, 130), 1), &[FIRST]).await;
    until(&session.log, "the picture", |_| true).await;
    let early = tokio::time::timeout(Duration::from_millis(300), session.server.request()).await;
    assert!(early.is_err(), "nobody watches");
    let _newcomer = reader(&session.log);
    let came = Instant::now();
    session.server.request().await;
    assert!(came.elapsed() < Duration::from_millis(5), "{:?}", came.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_resize_is_a_new_screen_that_appears_with_its_picture() {
    let mut session = session(Distance::SameMachine).await;
    session.server.request().await;
    let before = picture(size(200, 130), 1);
    session.server.paint(&before, &[FIRST]).await;
    until(&session.log, "the picture", |painted| *painted == before).await;
    for (width, height, seed) in [(320, 200, 2), (64, 64, 3), (200, 130, 1)] {
        let now = size(width, height);
        session.server.rect(&rfb::desktop_size_rect(now)).await;
        let asked = loop {
            let (incremental, rect) = session.server.request().await;
            if !incremental {
                break rect;
            }
        };
        assert_eq!(asked, now.rect());
        state_is(
            &mut session.state,
            "the new size",
            |state| matches!(state, PresenterState::Connected { size, .. } if *size == now),
        )
        .await;
        assert!(painted(&session.log).unwrap().size() != now, "a screen without its picture");
        let fb = picture(now, seed);
        session.server.paint(&fb, &[now.rect()]).await;
        until(&session.log, "the picture in its new size", |painted| *painted == fb).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_reaches_the_log() {
    let mut session = session(Distance::SameMachine).await;
    session.server.request().await;
    let mut fb = picture(size(200, 130), 1);
    session.server.paint(&fb, &[FIRST]).await;
    until(&session.log, "the picture", |painted| *painted == fb).await;
    let to = Rect::new(0, 30, 200, 100);
    let mut rect = rfb::rect_header(to, encoding::COPY_RECT).to_vec();
    rect.extend([0; 4]);
    session.server.rect(&rect).await;
    fb.copy(Rect::new(0, 0, 200, 100), 0, 30);
    until(&session.log, "the scrolled picture", |painted| *painted == fb).await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_connection_ends_the_session_and_keeps_the_picture() {
    let mut session = session(Distance::SameMachine).await;
    session.server.request().await;
    let fb = picture(size(200, 130), 1);
    session.server.paint(&fb, &[FIRST]).await;
    until(&session.log, "the picture", |painted| *painted == fb).await;
    drop(session.server);
    assert!(matches!(session.ended.await.unwrap(), SessionError::Ended));
    assert!(painted(&session.log).unwrap() == fb);
}

#[tokio::test]
async fn a_presenter_that_comes_back_is_followed_and_costs_only_what_changed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let part = part();
    let log = part.log().clone();
    let (sender, mut state) = watch::channel(PresenterState::Connecting);
    let server = server_at(listener.local_addr().unwrap().port(), None);
    let running = tokio::spawn(async move { run(&server, &SessionOptions::default(), &part, &sender).await });
    let mut fb = picture(size(200, 130), 1);
    let mut head = Seq::NONE;
    for life in 0..3 {
        let mut server = Server::new(listener.accept().await.unwrap().0);
        server.welcome(size(200, 130), "lab7").await;
        server.request().await;
        fb.fill(Rect::new(70, 70, 5, 5), life);
        server.paint(&fb, &[FIRST]).await;
        until(&log, "the picture", |painted| *painted == fb).await;
        let now = log.with(|log| log.head());
        assert!(life == 0 || now == Seq(head.0 + 1), "one tile changed, and {} updates were made", now.0 - head.0);
        head = now;
        drop(server);
        state_is(&mut state, "lost", |state| matches!(state, PresenterState::Lost { .. })).await;
        assert!(painted(&log).unwrap() == fb, "the last picture stays");
    }
    let mut impostor = Server::new(listener.accept().await.unwrap().0);
    impostor.send(b"220 mail.example.org ESMTP\r\n").await;
    impostor.closed().await;
    let mut server = Server::new(listener.accept().await.unwrap().0);
    server.welcome(size(64, 64), "lab7").await;
    let other = picture(size(64, 64), 9);
    server.paint(&other, &[Rect::new(0, 0, 64, 64)]).await;
    until(&log, "the other picture", |painted| *painted == other).await;
    running.abort();
    server.closed().await;
}
