//! A VNC server that does what the test says, over any stream.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{self, ClientDecoder, ClientMessage, ServerHandshake, ServerInit, ServerSecurity, Version};

pub(crate) fn size(width: u16, height: u16) -> Size {
    Size::new(width, height).unwrap()
}

/// A picture with something different in every tile.
pub(crate) fn picture(size: Size, seed: u32) -> Framebuffer {
    let mut fb = Framebuffer::new(size);
    for (at, pixel) in (0..).zip(fb.pixels_mut()) {
        *pixel = u32::wrapping_mul(at / 7 + seed, 2_654_435_761) >> 8 & 0x00ff_00ff;
    }
    fb
}

pub(crate) struct Server<S> {
    pub(crate) stream: S,
    decoder: ClientDecoder,
    input: Vec<u8>,
}

/// A server at one end and the stream for its client.
pub(crate) fn duplex() -> (Server<DuplexStream>, DuplexStream) {
    let (near, far) = tokio::io::duplex(1 << 20);
    (Server::new(near), far)
}

impl<S: AsyncRead + AsyncWrite + Unpin> Server<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, decoder: ClientDecoder::new(), input: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Brings a handshake to its end.
    pub(crate) async fn welcome(&mut self, size: Size, name: &str) {
        let init = ServerInit { size, format: PixelFormat::NATIVE, name: name.to_owned() };
        assert!(self.shake(ServerSecurity::None, init).await, "the client ended the handshake");
    }

    /// Whether the client went through with the handshake.
    pub(crate) async fn shake(&mut self, security: ServerSecurity, init: ServerInit) -> bool {
        self.send(Version::V3_8.encode()).await;
        let mut version = [0; 12];
        self.stream.read_exact(&mut version).await.unwrap();
        let mut handshake = ServerHandshake::new(Version::parse(&version).unwrap(), security, init);
        let mut failed = false;
        loop {
            if let Some(output) = handshake.take_output() {
                self.send(&output).await;
            }
            if handshake.finished().is_some() || failed {
                return !failed;
            }
            let mut byte = [0];
            if self.stream.read(&mut byte).await.unwrap_or(0) == 0 {
                return false;
            }
            failed = handshake.feed(&byte).is_err();
        }
    }

    /// The client's next message.
    pub(crate) async fn message(&mut self) -> ClientMessage {
        loop {
            let (taken, message) = self.decoder.feed(&self.input).unwrap();
            self.input.drain(..taken);
            if let Some(message) = message {
                return message;
            }
            let mut buffer = [0; 1000];
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the client closed the connection");
            self.input.extend(&buffer[..count]);
        }
    }

    /// The client's next request, after whatever else it says.
    pub(crate) async fn request(&mut self) -> (bool, Rect) {
        loop {
            if let ClientMessage::FramebufferUpdateRequest { incremental, rect } = self.message().await {
                return (incremental, rect);
            }
        }
    }

    /// An update of Raw rectangles.
    pub(crate) async fn paint(&mut self, fb: &Framebuffer, rects: &[Rect]) {
        let mut out = rfb::framebuffer_update_header(u16::try_from(rects.len()).unwrap()).to_vec();
        rects.iter().for_each(|&rect| rfb::raw_rect(fb, rect, &PixelFormat::NATIVE, &mut out));
        self.send(&out).await;
    }

    /// An update of that one rectangle.
    pub(crate) async fn rect(&mut self, rect: &[u8]) {
        let mut out = rfb::framebuffer_update_header(1).to_vec();
        out.extend(rect);
        self.send(&out).await;
    }

    /// Waits until the client has closed the connection.
    pub(crate) async fn closed(&mut self) {
        let mut buffer = [0; 1000];
        while self.stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    }
}
