//! The way into a VNC server: dialling it, and the handshake with its password. What is spoken afterwards is the caller's business.

use crate::address::PresenterAddress;
use socket2::{SockRef, TcpKeepalive};
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use treevnc_protocol::rfb::{ClientHandshake, HandshakeError, ServerInit};

/// Longest time to reach a server.
pub const DIALLING: Duration = Duration::from_secs(10);
/// Longest handshake.
pub const HANDSHAKE: Duration = Duration::from_secs(15);
/// A machine that says nothing at all for about three times this long is gone.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// A VNC server, and what it wants to know.
#[derive(Clone, PartialEq, Eq)]
pub struct VncServer {
    /// Where it listens.
    pub address: PresenterAddress,
    /// Who is to be let in.
    pub credentials: Credentials,
}

/// What a person is let in by; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// The account, where the server wants one.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.password.is_some() { "Credentials(secret)" } else { "Credentials(none)" })
    }
}

impl std::fmt::Debug for VncServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VncServer({}, {:?})", self.address, self.credentials)
    }
}

/// What carries RFB: a socket, or something around one.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A server that has let us in.
pub struct Connected {
    /// What it goes on by. The handshake is over, nothing has been asked.
    pub stream: Box<dyn Stream>,
    /// What the server says of its screen.
    pub init: ServerInit,
    /// Bytes that came after the handshake already.
    pub early: Vec<u8>,
    /// How far it is.
    pub distance: Distance,
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connected({:?}, {:?})", self.init, self.distance)
    }
}

/// How far a server is, which decides between bytes and computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// This machine: pixels cost nothing to carry.
    SameMachine,
    /// A network away: compressed without loss.
    Network,
}

impl Distance {
    /// From a connection's two addresses.
    pub fn of(local: IpAddr, peer: IpAddr) -> Self {
        if peer.to_canonical().is_loopback() || peer == local { Self::SameMachine } else { Self::Network }
    }
}

/// Why a server could not be reached, or does not let us in.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing answers at the address.
    #[error("no answer within {} s", DIALLING.as_secs())]
    Unreachable,
    /// The address cannot be dialled.
    #[error("cannot connect: {0}")]
    Dial(#[source] std::io::Error),
    /// The handshake takes too long.
    #[error("the handshake is not over after {} s", HANDSHAKE.as_secs())]
    HandshakeTime,
    /// The handshake failed.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
}

impl ConnectError {
    /// Whether dialling again is of no use until somebody does something.
    pub fn is_final(&self) -> bool {
        use HandshakeError::{NoCommonSecurity, PasswordNeeded, WrongPassword};
        matches!(self, Self::Handshake(PasswordNeeded | WrongPassword(_) | NoCommonSecurity(_)))
    }
}

/// Dials a server and goes through its handshake. Dropping the future closes the connection.
pub async fn connect(server: &VncServer) -> Result<Connected, ConnectError> {
    let PresenterAddress { host, port } = &server.address;
    let dialling = TcpStream::connect((host.as_str(), *port));
    let dialled = tokio::time::timeout(DIALLING, dialling).await.map_err(|_| ConnectError::Unreachable)?;
    let stream = dialled.map_err(ConnectError::Dial)?;
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE).with_retries(2);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    SockRef::from(&stream).set_tcp_user_timeout(Some(3 * KEEPALIVE))?;
    let distance = Distance::of(stream.local_addr()?.ip(), stream.peer_addr()?.ip());
    begin(stream, &server.credentials, distance).await
}

/// Goes through the handshake on a connection that is open. Dropping the future closes it.
pub async fn begin(
    mut stream: impl Stream + 'static,
    credentials: &Credentials,
    distance: Distance,
) -> Result<Connected, ConnectError> {
    let shaking = shake_hands(&mut stream, credentials);
    let (init, early) = tokio::time::timeout(HANDSHAKE, shaking).await.map_err(|_| ConnectError::HandshakeTime)??;
    Ok(Connected { stream: Box::new(stream), init, early, distance })
}

/// Brings the handshake to its end; answers with the screen and the bytes that came after it.
async fn shake_hands(stream: &mut impl Stream, credentials: &Credentials) -> Result<(ServerInit, Vec<u8>), ConnectError> {
    let mut handshake = ClientHandshake::new(credentials.password.as_deref(), true);
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(handshake.ended().into());
        }
        let input = buffer.get(..count).unwrap_or_default();
        let taken = handshake.feed(input)?;
        if let Some(output) = handshake.take_output() {
            stream.write_all(&output).await?;
        }
        if let Some(init) = handshake.finished() {
            return Ok((init.clone(), input.get(taken..).unwrap_or_default().to_vec()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_ones_own_address_are_the_same_machine() {
        let of = |local: &str, peer: &str| Distance::of(local.parse().unwrap(), peer.parse().unwrap());
        assert_eq!(of("127.0.0.1", "127.0.0.9"), Distance::SameMachine);
        assert_eq!(of("::1", "::1"), Distance::SameMachine);
        assert_eq!(of("::ffff:127.0.0.1", "::ffff:127.0.0.1"), Distance::SameMachine);
        assert_eq!(of("192.0.2.7", "192.0.2.7"), Distance::SameMachine);
        assert_eq!(of("192.0.2.7", "192.0.2.8"), Distance::Network);
    }
}
