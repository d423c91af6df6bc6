//! The way of a screen to the root: RFB between the root and a VNC server that has let us in, or our own.

use super::source::Opened;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional_with_sizes};
use tokio::time::timeout;
use treevnc_protocol::rfb::{ServerHandshake, ServerInit, ServerSecurity, VERSION_BYTES, Version};
use treevnc_screen::server::{ServerEnd, serve};
use treevnc_screen::vnc::{Connected, Stream};

/// Bytes copied at a time towards the root, and from it.
const BUFFER_BYTES: (usize, usize) = (64 * 1024, 2 * 1024);
/// How long the root may take for its part of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How bringing a screen came to its end.
pub(super) enum Carried {
    /// The screen is gone; why.
    Gone(String),
    /// A connection ended; the root may know more.
    Closed(String),
}

/// Brings a screen to the root until either ends.
pub(super) async fn carry(opened: Opened, root: impl Stream, name: &str) -> Carried {
    match opened {
        Opened::Own(capture, _) => match serve(capture, name, root).await {
            ServerEnd::Client(left) => Carried::Closed(left.to_string()),
            gone => Carried::Gone(gone.to_string()),
        },
        Opened::Vnc(server, _) => match bridge(server, root).await {
            Ok(()) => Carried::Closed("the connection ended".to_owned()),
            Err(error) => Carried::Closed(error.to_string()),
        },
    }
}

/// Lets the root in without a password, tells it the server's screen, and carries bytes both ways.
async fn bridge(mut server: Connected, mut root: impl Stream) -> io::Result<()> {
    let early = timeout(HANDSHAKE, welcome(&mut root, &server.init)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    server.stream.write_all(&early).await?;
    server.stream.flush().await?;
    root.write_all(&server.early).await?;
    let (to_root, from_root) = BUFFER_BYTES;
    // An end that closes is passed on; who does not follow is dropped when the root says that the share has ended.
    copy_bidirectional_with_sizes(&mut server.stream, &mut root, to_root, from_root).await.map(drop)
}

/// The server's part of a handshake; what the root has sent beyond it.
async fn welcome(root: &mut (impl AsyncRead + AsyncWrite + Unpin), init: &ServerInit) -> io::Result<Vec<u8>> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    root.write_all(Version::V3_8.encode()).await?;
    let mut version = [0; VERSION_BYTES];
    root.read_exact(&mut version).await?;
    let version = Version::parse(&version).ok_or_else(|| bad("the root does not speak RFB"))?;
    let mut handshake = ServerHandshake::new(version, ServerSecurity::None, init.clone());
    let (mut buffer, mut early) = ([0; 256], Vec::new());
    loop {
        if let Some(output) = handshake.take_output() {
            root.write_all(&output).await?;
        }
        if handshake.finished().is_some() {
            return Ok(early);
        }
        let count = root.read(&mut buffer).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        let used = handshake.feed(bytes).map_err(|error| bad(&error.to_string()))?;
        early.extend_from_slice(bytes.get(used..).unwrap_or_default());
    }
}
