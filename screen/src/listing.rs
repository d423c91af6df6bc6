//! The displays of a VNC server, from its ExtendedDesktopSize. Asked for over the connection that goes on afterwards: some servers end with
//! their first client, so looking and leaving would be one visit too many.

use crate::display::Display;
use crate::vnc::{ConnectError, Connected, HANDSHAKE, VncServer, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{ClientMessage, ServerDecoder, ServerEvent, encoding};

/// A server that has said what displays it has.
#[derive(Debug)]
pub struct Listed {
    /// In its own order; a server that lists none has one, its whole screen.
    pub displays: Vec<Display>,
    /// The connection, at the beginning of a message that [`early`](Connected::early) begins; the one pixel that was asked for may be
    /// on its way still. Pixels are [`PixelFormat::NATIVE`] until whoever goes on sets a format and encodings again.
    pub connected: Connected,
}

/// Connects to a server and asks for its displays. Dropping the future closes the connection.
pub async fn list(server: &VncServer) -> Result<Listed, ConnectError> {
    timeout(HANDSHAKE, ask(connect(server).await?)).await.map_err(|_| ConnectError::HandshakeTime)?
}

async fn ask(connected: Connected) -> Result<Listed, ConnectError> {
    let Connected { mut stream, mut init, early, distance } = connected;
    let pixel = Rect::new(0, 0, 1, 1);
    let mut question = ClientMessage::SetPixelFormat(PixelFormat::NATIVE).encode();
    let numbers = vec![encoding::RAW, encoding::DESKTOP_SIZE, encoding::EXTENDED_DESKTOP_SIZE];
    question.extend(ClientMessage::SetEncodings(numbers).encode());
    question.extend(ClientMessage::FramebufferUpdateRequest { incremental: false, rect: pixel }.encode());
    stream.write_all(&question).await?;
    stream.flush().await?;
    let (mut decoder, mut fb) = (ServerDecoder::new(init.size, PixelFormat::NATIVE), Framebuffer::new(init.size));
    let (mut bytes, mut buffer) = (early, vec![0; 64 * 1024]);
    loop {
        let mut rest = bytes.as_slice();
        loop {
            let (taken, event) = decoder.feed(rest, &mut fb).map_err(|error| ConnectError::Io(std::io::Error::other(error)))?;
            rest = rest.get(taken..).unwrap_or_default();
            let is_listed = !decoder.screens().is_empty();
            match event {
                Some(ServerEvent::UpdateEnd { damage }) if is_listed || !damage.is_empty() => {
                    init.size = decoder.size();
                    let connected = Connected { stream, init, early: rest.to_vec(), distance };
                    return Ok(Listed { displays: displays(&decoder), connected });
                }
                None if rest.is_empty() => break,
                _ => {}
            }
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        bytes = buffer.get(..count).unwrap_or_default().to_vec();
    }
}

fn displays(decoder: &ServerDecoder) -> Vec<Display> {
    let whole = [(0, decoder.size().rect())];
    let listed: Vec<_> = decoder.screens().iter().map(|area| (area.id, area.rect)).collect();
    let found = if listed.is_empty() { &whole[..] } else { &listed };
    let display = |(at, &(id, rect)): (usize, &(u32, Rect))| Display { id, name: String::new(), rect, primary: at == 0 };
    found.iter().enumerate().map(display).collect()
}

/// A list of displays in one line, for people: `1 (1280x1024 at 0,0), 2 (640x480 at 1280,0)`.
pub fn listed(displays: &[Display]) -> String {
    let one = |(number, display): (usize, &Display)| {
        let Rect { x, y, width, height } = display.rect;
        let name = if display.name.is_empty() { String::new() } else { format!("{}, ", display.name) };
        format!("{number} ({name}{width}x{height} at {x},{y})")
    };
    (1..).zip(displays).map(one).collect::<Vec<_>>().join(", ")
}
