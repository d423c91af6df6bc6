//! An ordinary VNC viewer, built from the protocol's client role.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{ClientHandshake, ClientMessage, ServerDecoder, ServerEvent, ServerInit, encoding};

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const ZRLE: [i32; 2] = [encoding::ZRLE, encoding::DESKTOP_SIZE];
pub const RAW: [i32; 1] = [encoding::DESKTOP_SIZE];

/// A viewer that asks when told to, and decodes whatever comes.
pub struct TestViewer {
    pub init: ServerInit,
    pub fb: Framebuffer,
    pub format: PixelFormat,
    stream: TcpStream,
    decoder: ServerDecoder,
    unread: Vec<u8>,
}

impl TestViewer {
    /// Connects, and says which format and encodings it wants.
    pub async fn connect(addr: SocketAddr, format: PixelFormat, encodings: &[i32]) -> Self {
        timeout(PATIENCE, Self::connect_patiently(addr, format, encodings)).await.unwrap()
    }

    async fn connect_patiently(addr: SocketAddr, format: PixelFormat, encodings: &[i32]) -> Self {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let mut handshake = ClientHandshake::new(None, true);
        let mut buffer = [0; 500];
        let mut unread = Vec::new();
        while handshake.finished().is_none() {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "{}", handshake.ended());
            let used = handshake.feed(&buffer[..count]).unwrap();
            unread = buffer[used..count].to_vec();
            if let Some(output) = handshake.take_output() {
                stream.write_all(&output).await.unwrap();
            }
        }
        let init = handshake.finished().unwrap().clone();
        assert_eq!(init.format, PixelFormat::NATIVE);
        let (fb, decoder) = (Framebuffer::new(init.size), ServerDecoder::new(init.size, format));
        let mut viewer = Self { init, fb, format, stream, decoder, unread };
        if format != PixelFormat::NATIVE {
            viewer.say(ClientMessage::SetPixelFormat(format)).await;
        }
        viewer.say(ClientMessage::SetEncodings(encodings.to_vec())).await;
        viewer
    }

    pub async fn say(&mut self, message: ClientMessage) {
        self.stream.write_all(&message.encode()).await.unwrap();
    }

    pub async fn ask(&mut self, incremental: bool) {
        let rect = self.fb.size().rect();
        self.say(ClientMessage::FramebufferUpdateRequest { incremental, rect }).await;
    }

    /// Asks, and says whether the connection is still there to take it.
    pub async fn try_ask(&mut self, incremental: bool) -> std::io::Result<()> {
        let rect = self.fb.size().rect();
        let message = ClientMessage::FramebufferUpdateRequest { incremental, rect };
        self.stream.write_all(&message.encode()).await
    }

    /// Bytes as they come, undecoded; 0 when the connection is closed.
    pub async fn read_raw(&mut self, bytes: &mut [u8]) -> usize {
        timeout(PATIENCE, self.stream.read(bytes)).await.unwrap().unwrap_or(0)
    }

    /// What the server says next; `None` when it closed the connection.
    pub async fn hear(&mut self) -> Option<ServerEvent> {
        timeout(PATIENCE, self.hear_patiently()).await.unwrap()
    }

    async fn hear_patiently(&mut self) -> Option<ServerEvent> {
        loop {
            let (used, event) = self.decoder.feed(&self.unread, &mut self.fb).unwrap();
            self.unread.drain(..used);
            if event.is_some() {
                return event;
            }
            let mut buffer = vec![0; 100_000];
            match self.stream.read(&mut buffer).await {
                Ok(1..) if !self.unread.is_empty() => unreachable!("the decoder leaves nothing"),
                Ok(count @ 1..) => self.unread.extend(&buffer[..count]),
                Ok(0) | Err(_) => return None,
            }
        }
    }

    /// Takes updates until one is over; the rectangles it painted.
    pub async fn update(&mut self) -> Vec<Rect> {
        loop {
            match self.hear().await {
                Some(ServerEvent::UpdateEnd { damage }) => return damage,
                Some(_) => {}
                None => panic!("the connection was closed"),
            }
        }
    }

    /// Asks for what is new until it shows that picture.
    pub async fn show(&mut self, fb: &Framebuffer) {
        let shown = timeout(PATIENCE, async {
            while !self.shows(fb) {
                self.ask(true).await;
                self.update().await;
            }
        });
        if shown.await.is_err() {
            panic!("{} pixels differ in {:?}", self.differing(fb), self.format);
        }
    }

    fn shows(&self, fb: &Framebuffer) -> bool {
        self.fb.size() == fb.size() && self.differing(fb) == 0
    }

    /// How many pixels differ, in the format's precision.
    pub fn differing(&self, fb: &Framebuffer) -> usize {
        let pairs = self.fb.pixels().iter().zip(fb.pixels());
        pairs.filter(|&(&shown, &is)| shown != self.format.to_rgb(self.format.from_rgb(is))).count()
    }
}
