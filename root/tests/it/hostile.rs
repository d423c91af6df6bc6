//! Presenters that send what they should not, or nothing: each ends its own session with one reason, and the picture stays.

use crate::server::{Server, duplex, picture, size};
use crate::watching::{painted, part, session_over, until};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{self, HandshakeError, ServerInit, ServerSecurity, encoding};
use treevnc_relay::shared_log::SharedLog;
use treevnc_root::presenter::{PresenterState, SessionError};
use treevnc_screen::vnc::{ConnectError, Distance};

fn client(stream: DuplexStream, password: Option<&str>) -> (SharedLog, JoinHandle<SessionError>) {
    let part = part();
    let log = part.log().clone();
    let (sender, _) = watch::channel(PresenterState::Connecting);
    let password = password.map(str::to_owned);
    let ended = tokio::spawn(async move { session_over(stream, password.as_deref(), Distance::Network, &part, &sender).await });
    (log, ended)
}

/// A session that shows a picture of 200x130 when `misbehave` begins, and the reason for which it then ends.
async fn after(misbehave: impl AsyncFnOnce(&mut Server<DuplexStream>)) -> SessionError {
    let (mut server, stream) = duplex();
    let (log, ended) = client(stream, None);
    server.welcome(size(200, 130), "lab7").await;
    let fb = picture(size(200, 130), 1);
    server.paint(&fb, &[fb.size().rect()]).await;
    until(&log, "the picture", |painted| *painted == fb).await;
    misbehave(&mut server).await;
    let error = ended.await.unwrap();
    assert!(painted(&log).unwrap() == fb, "the last picture stays");
    assert!(!error.to_string().contains('\n'));
    error
}

fn rect_of(rect: Rect, encoding: i32, data: &[u8]) -> Vec<u8> {
    [&rfb::rect_header(rect, encoding)[..], data].concat()
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_ends_the_session_with_the_reason() {
    let inside = Rect::new(0, 0, 64, 64);
    let cases = [
        (vec![0xee; 100], "message type"),
        (rect_of(Rect::new(150, 0, 64, 64), encoding::RAW, &[]), "leaves the screen"),
        (rect_of(Rect::new(65_535, 65_535, 65_535, 65_535), encoding::RAW, &[]), "leaves the screen"),
        (rect_of(inside, encoding::COPY_RECT, &[0xff; 4]), "leaves the screen"),
        (rect_of(inside, -239, &[]), "encoding -239"),
        (rect_of(inside, encoding::ZRLE, &u32::MAX.to_be_bytes()), "the limit is"),
        (rect_of(inside, encoding::ZRLE, &[0, 0, 0, 4, 1, 2, 3, 4]), "not DEFLATE"),
        (rect_of(inside, encoding::TIGHT, &[0x90]), "JPEG"),
        (rect_of(Rect::new(0, 0, 16_384, 16_384), encoding::DESKTOP_SIZE, &[]), "16384x16384"),
        (rect_of(Rect::new(0, 0, 0, 0), encoding::DESKTOP_SIZE, &[]), "0x0"),
    ];
    for (bytes, reason) in cases {
        let is_message = bytes.first() == Some(&0xee);
        let error = after(async |server| if is_message { server.send(&bytes).await } else { server.rect(&bytes).await }).await;
        assert!(matches!(error, SessionError::Decode(_)) && error.to_string().contains(reason), "{reason}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_inside_a_rectangle_ends_the_session() {
    let start = Instant::now();
    let error = after(async |server| server.rect(&rect_of(Rect::new(0, 0, 64, 64), encoding::RAW, &[0; 100])).await).await;
    assert!(matches!(error, SessionError::Silent), "{error}");
    assert!((10..12).contains(&start.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn a_rectangle_that_trickles_in_ends_the_session() {
    let error = after(async |server| {
        server.rect(&rect_of(Rect::new(0, 0, 200, 130), encoding::RAW, &[])).await;
        while server.stream.write_all(&[7]).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    })
    .await;
    assert!(matches!(error, SessionError::TooSlow(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn text_without_end_ends_the_session_within_bounded_memory() {
    let error = after(async |server| {
        server.send(&[3, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]).await;
        let text = vec![b'x'; 1 << 16];
        while server.stream.write_all(&text).await.is_ok() {}
    })
    .await;
    assert!(matches!(error, SessionError::TooMuch(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_update_of_65535_whole_screens_ends_the_session() {
    let error = after(async |server| {
        let rect = rect_of(Rect::new(0, 0, 200, 130), encoding::RAW, &vec![0; 200 * 130 * 4]);
        server.send(&rfb::framebuffer_update_header(65_535)).await;
        while server.stream.write_all(&rect).await.is_ok() {}
    })
    .await;
    assert!(matches!(error, SessionError::TooMuch(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_connection_ending_inside_a_rectangle_ends_the_session() {
    let error = after(async |server| {
        server.rect(&rect_of(Rect::new(0, 0, 64, 64), encoding::RAW, &[0; 100])).await;
        server.stream.shutdown().await.unwrap();
    })
    .await;
    assert!(matches!(error, SessionError::Ended), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_presenter_that_takes_no_requests_is_given_up() {
    let (near, far) = tokio::io::duplex(256);
    let mut server = Server::new(near);
    let (_, ended) = client(far, None);
    server.welcome(size(1, 1), "").await;
    let fb = Framebuffer::new(size(1, 1));
    let mut unread = 0;
    while !ended.is_finished() {
        let mut update = rfb::framebuffer_update_header(1).to_vec();
        rfb::raw_rect(&fb, fb.size().rect(), &PixelFormat::NATIVE, &mut update);
        if server.stream.write_all(&update).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        unread += 1;
        assert!(unread < 1000, "it waits for ever");
    }
    let error = ended.await.unwrap();
    assert!(matches!(error, SessionError::NotReading), "{error}");
}

#[tokio::test(start_paused = true)]
async fn odd_but_legal_messages_disturb_nothing() {
    let (mut server, stream) = duplex();
    let (log, ended) = client(stream, None);
    server.welcome(size(200, 130), "lab7").await;
    assert_eq!(server.request().await, (false, Rect::new(0, 0, 200, 130)));
    let mut fb = picture(size(200, 130), 1);
    server.paint(&fb, &[fb.size().rect()]).await;
    until(&log, "the picture", |painted| *painted == fb).await;
    server.send(&rfb::bell()).await;
    server.send(&[1, 0, 0, 0, 0, 2, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]).await;
    server.send(&[&[3, 0, 0, 0, 0, 0, 0, 5][..], b"hello"].concat()).await;
    let zero = rect_of(Rect::new(200, 130, 0, 0), encoding::RAW, &[]);
    server.send(&[&rfb::framebuffer_update_header(65_535)[..], &zero.repeat(65_535)].concat()).await;
    fb.fill(Rect::new(199, 129, 1, 1), 0x12_34_56);
    let mut update = rfb::framebuffer_update_header(65_535).to_vec();
    rfb::raw_rect(&fb, Rect::new(199, 129, 1, 1), &PixelFormat::NATIVE, &mut update);
    update.extend(rfb::last_rect());
    server.send(&update).await;
    until(&log, "the change after them", |painted| *painted == fb).await;
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(3600) {
        let (incremental, rect) = server.request().await;
        if !incremental {
            assert_eq!(rect, Rect::new(0, 0, 1, 1), "a sign of life is asked for, no picture");
            server.paint(&fb, &[rect]).await;
        }
    }
    assert!(!ended.is_finished(), "an idle screen is no fault");
}

#[tokio::test(start_paused = true)]
async fn a_presenter_that_shows_no_sign_of_life_is_given_up() {
    let begun = tokio::time::Instant::now();
    let error = after(async |server| {
        let mut buffer = [0; 1000];
        while server.stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    })
    .await;
    assert!(matches!(error, SessionError::NoAnswer), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(16), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn handshakes_that_lead_nowhere_end_in_time_with_the_reason() {
    let (mut server, stream) = duplex();
    let (_, ended) = client(stream, None);
    server.send(b"RFB 003.0").await;
    assert!(matches!(ended.await.unwrap(), SessionError::Connect(ConnectError::HandshakeTime)));

    let (mut server, stream) = duplex();
    let (_, ended) = client(stream, None);
    for byte in b"RFB 003.008\n\x01\x01" {
        if server.stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert!(matches!(ended.await.unwrap(), SessionError::Connect(ConnectError::HandshakeTime)));

    for (greeting, reason) in [
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], "SSH-2.0"),
        (b"RFB 003.008\n\x00\x00\x00\x00\x0btoo many of", "too many of"),
        (b"RFB 003.008\n\x01\x13", "security types"),
    ] {
        let (mut server, stream) = duplex();
        let (log, ended) = client(stream, None);
        server.send(greeting).await;
        let error = ended.await.unwrap();
        assert!(
            matches!(error, SessionError::Connect(ConnectError::Handshake(_))) && error.to_string().contains(reason),
            "{error}"
        );
        assert!(painted(&log).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_screen_of_16k_by_16k_is_refused_and_the_limit_named() {
    let (mut server, stream) = duplex();
    let (_, ended) = client(stream, None);
    let init = ServerInit { size: size(16, 16), format: PixelFormat::NATIVE, name: String::new() };
    let mut bytes = [&b"RFB 003.008\n\x01\x01\x00\x00\x00\x00"[..], &init.encode()].concat();
    let at = bytes.len() - init.encode().len();
    bytes[at..at + 4].copy_from_slice(&[0x40, 0, 0x40, 0]);
    server.send(&bytes).await;
    let error = ended.await.unwrap();
    assert!(error.to_string().contains("16384x16384"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_presenter_that_never_sends_a_picture_is_given_up() {
    let (mut server, stream) = duplex();
    let (_, ended) = client(stream, None);
    server.welcome(size(200, 130), "lab7").await;
    let reading = tokio::spawn(async move {
        let mut buffer = [0; 1000];
        while server.stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    });
    assert!(matches!(ended.await.unwrap(), SessionError::NoPicture));
    reading.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_needed_or_wrong_is_final_and_the_right_one_opens() {
    for (password, is_right) in [(None, false), (Some("wrong"), false), (Some("secret"), true)] {
        let (mut server, stream) = duplex();
        let (_, ended) = client(stream, password);
        let init = ServerInit { size: size(64, 64), format: PixelFormat::NATIVE, name: String::new() };
        let security = ServerSecurity::VncAuth { password: "secret".to_owned(), challenge: [7; 16] };
        assert_eq!(server.shake(security, init).await, is_right);
        if !is_right {
            drop(server);
            let error = ended.await.unwrap();
            let is_named = match &error {
                SessionError::Connect(ConnectError::Handshake(HandshakeError::PasswordNeeded)) => password.is_none(),
                SessionError::Connect(ConnectError::Handshake(HandshakeError::WrongPassword(_))) => password.is_some(),
                _ => false,
            };
            assert!(is_named && error.is_final(), "{error}");
        }
    }
}
