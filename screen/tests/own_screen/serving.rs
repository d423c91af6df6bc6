//! Our own VNC server over a stream, as its client sees it.

use crate::pictures::{PATIENCE, PROGRAMS};
use crate::x::{Screen, have};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{ClientMessage, ServerDecoder, ServerEvent, encoding};
use treevnc_screen::capture::Capture;
use treevnc_screen::display::Choice;
use treevnc_screen::server::{ServerEnd, serve};
use treevnc_screen::vnc::{Connected, Credentials, Distance, begin};

struct Client {
    connected: Connected,
    decoder: ServerDecoder,
    fb: Framebuffer,
    unread: Vec<u8>,
}

impl Client {
    async fn new(screen: &Screen, choice: Choice, encodings: &[i32]) -> (Self, JoinHandle<ServerEnd>) {
        let capture = Capture::start_on(Some(&screen.name), choice).unwrap();
        // A stream that no socket is.
        let (ours, theirs) = tokio::io::duplex(10_000);
        let serving = tokio::spawn(async move { serve(capture, "mine", theirs).await });
        let mut connected = begin(ours, &Credentials::default(), Distance::SameMachine).await.unwrap();
        assert_eq!(connected.init.name, "mine");
        let mut hello = ClientMessage::SetPixelFormat(PixelFormat::NATIVE).encode();
        hello.extend(ClientMessage::SetEncodings(encodings.to_vec()).encode());
        connected.stream.write_all(&hello).await.unwrap();
        let (fb, size, unread) = (Framebuffer::new(connected.init.size), connected.init.size, connected.early.clone());
        (Self { connected, decoder: ServerDecoder::new(size, PixelFormat::NATIVE), fb, unread }, serving)
    }

    async fn ask(&mut self) {
        let ask = ClientMessage::FramebufferUpdateRequest { incremental: true, rect: self.fb.size().rect() };
        self.connected.stream.write_all(&ask.encode()).await.unwrap();
    }

    /// Takes one update, if it is there in time; a new size counts as one.
    async fn update(&mut self, limit: Duration) -> bool {
        let reading = async {
            loop {
                let (taken, event) = self.decoder.feed(&self.unread, &mut self.fb).unwrap();
                self.unread.drain(..taken);
                match event {
                    Some(ServerEvent::UpdateEnd { .. }) => return,
                    Some(_) => {}
                    None => {
                        let mut buffer = vec![0; 100_000];
                        let count = self.connected.stream.read(&mut buffer).await.unwrap();
                        assert!(count > 0, "closed");
                        self.unread.extend(&buffer[..count]);
                    }
                }
            }
        };
        timeout(limit, reading).await.is_ok()
    }

    async fn shows(&mut self, what: &str, wanted: impl Fn() -> Framebuffer) {
        while self.fb != wanted() {
            self.ask().await;
            assert!(self.update(PATIENCE).await, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_the_screen_byte_for_byte_in_every_encoding() {
    if !have(PROGRAMS) {
        return;
    }
    let size = Size::new(300, 200).unwrap();
    let screen = Screen::new(300, 200, 24);
    screen.noise(size);
    for encodings in [vec![encoding::ZRLE, encoding::DESKTOP_SIZE], vec![encoding::RAW, encoding::DESKTOP_SIZE]] {
        let (mut client, serving) = Client::new(&screen, Choice::Whole, &encodings).await;
        client.shows("at first", || screen.imported_with_pointer(size.rect())).await;
        for colour in [0x00ff_0000, 0x0000_ff00] {
            screen.fill(Rect::new(20, 20, 200, 100), colour);
            client.shows("a change", || screen.imported_with_pointer(size.rect())).await;
        }
        drop(client);
        assert!(matches!(timeout(PATIENCE, serving).await.unwrap().unwrap(), ServerEnd::Client(_)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_screen_sends_nothing_and_a_display_s_end_is_told() {
    if !have(PROGRAMS) {
        return;
    }
    let size = Size::new(300, 200).unwrap();
    let screen = Screen::new(300, 200, 24);
    screen.split(size, 200);
    let (mut client, serving) = Client::new(&screen, Choice::Number(2), &[encoding::ZRLE, encoding::DESKTOP_SIZE]).await;
    let rect = Rect::new(200, 0, 100, 200);
    client.ask().await;
    assert!(client.update(PATIENCE).await);
    assert_eq!(client.fb, screen.imported(rect));
    client.ask().await;
    screen.fill(Rect::new(0, 0, 200, 200), 0x0012_3456);
    assert!(!client.update(Duration::from_millis(400)).await, "bytes for a change on another display");
    screen.split(size, 150);
    client.shows("the display has another size", || screen.imported_with_pointer(Rect::new(150, 0, 150, 200))).await;
    screen.run("xrandr", &["--delmonitor", "R"]);
    let end = timeout(PATIENCE, serving).await.unwrap().unwrap();
    assert_eq!(end.to_string(), "the display is gone");
}
