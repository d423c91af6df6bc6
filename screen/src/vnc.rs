//! The way into a VNC server: dialling it, encryption, and the handshake with its password. What is spoken afterwards is the caller's
//! business.

mod certificate;
mod error;
mod known;
mod tls;

pub use error::ConnectError;
pub use known::{FILE_VARIABLE, KnownServers};

use crate::address::PresenterAddress;
use socket2::{SockRef, TcpKeepalive};
use std::net::IpAddr;
use std::time::Duration;
use tls::Acquaintance;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use treevnc_protocol::rfb::HandshakeError::{EncryptionNeeded, NoCommonVencrypt};
use treevnc_protocol::rfb::{ClientHandshake, Login, ServerInit, Tls};

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
    /// What it goes on by: the socket, or TLS around it, which wants a flush behind what is written. The handshake is over, nothing
    /// has been asked.
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

/// Dials a server and goes through its handshake, encrypted where the way is long and the server can. Its certificate is compared with
/// those in [`KnownServers::of_user`]. Dropping the future closes the connection.
pub async fn connect(server: &VncServer) -> Result<Connected, ConnectError> {
    connect_knowing(server, &KnownServers::of_user()).await
}

/// As [`connect`], with other known servers. Reads their file in place: it is short and local.
pub async fn connect_knowing(server: &VncServer, known: &KnownServers) -> Result<Connected, ConnectError> {
    let acquaintance = Acquaintance::look_up(&server.address, known)?;
    let (stream, distance) = dial(&server.address).await?;
    // On one machine nobody listens, and pixels in the clear cost less.
    let tls = match (distance, acquaintance.place()) {
        (Distance::SameMachine, _) => Tls::IfNeeded,
        (Distance::Network, None) => Tls::Preferred,
        (Distance::Network, Some(_)) => Tls::Required,
    };
    let (first, has_other_way) = enter(Box::new(stream), &server.credentials, tls, distance, Some(&acquaintance)).await;
    let entered = if has_other_way {
        let (stream, distance) = dial(&server.address).await?;
        enter(Box::new(stream), &server.credentials, Tls::Never, distance, None).await.0
    } else {
        first
    };
    match (entered, acquaintance.place()) {
        (Err(ConnectError::Handshake(EncryptionNeeded(_) | NoCommonVencrypt(_))), Some((file, line))) => {
            Err(ConnectError::NoLongerEncrypted { file, line })
        }
        (entered, _) => entered,
    }
}

/// Goes through the handshake on a connection that is open, without TLS. Dropping the future closes it.
pub async fn begin(
    stream: impl Stream + 'static,
    credentials: &Credentials,
    distance: Distance,
) -> Result<Connected, ConnectError> {
    enter(Box::new(stream), credentials, Tls::Never, distance, None).await.0
}

async fn dial(address: &PresenterAddress) -> Result<(TcpStream, Distance), ConnectError> {
    let dialling = TcpStream::connect((address.host.as_str(), address.port));
    let dialled = tokio::time::timeout(DIALLING, dialling).await.map_err(|_| ConnectError::Unreachable)?;
    let stream = dialled.map_err(ConnectError::Dial)?;
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE).with_retries(2);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    SockRef::from(&stream).set_tcp_user_timeout(Some(3 * KEEPALIVE))?;
    let distance = Distance::of(stream.local_addr()?.ip(), stream.peer_addr()?.ip());
    Ok((stream, distance))
}

/// Brings the handshake to its end; after a failure also says whether the server has another way in, without TLS.
async fn enter(
    stream: Box<dyn Stream>,
    credentials: &Credentials,
    tls: Tls,
    distance: Distance,
    acquaintance: Option<&Acquaintance<'_>>,
) -> (Result<Connected, ConnectError>, bool) {
    let mut random = [0; 32];
    if let Err(error) = getrandom::fill(&mut random) {
        return (Err(std::io::Error::other(error.to_string()).into()), false);
    }
    let Credentials { user, password } = credentials.clone();
    let mut handshake = ClientHandshake::with_login(Login { user, password, tls, random }, true);
    let shaking = shake_hands(stream, &mut handshake, acquaintance);
    let shaken = tokio::time::timeout(HANDSHAKE, shaking).await.unwrap_or(Err(ConnectError::HandshakeTime));
    let connected = shaken.map(|(stream, init, early)| Connected { stream, init, early, distance });
    (connected, handshake.has_other_way())
}

/// Answers with the stream to go on by, the screen, and the bytes that came after the handshake.
async fn shake_hands(
    mut stream: Box<dyn Stream>,
    handshake: &mut ClientHandshake,
    acquaintance: Option<&Acquaintance<'_>>,
) -> Result<(Box<dyn Stream>, ServerInit, Vec<u8>), ConnectError> {
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(handshake.ended().into());
        }
        let input = buffer.get(..count).unwrap_or_default();
        let taken = handshake.feed(input)?;
        send(&mut stream, handshake).await?;
        if let Some(acquaintance) = acquaintance.filter(|_| handshake.is_waiting_for_tls()) {
            stream = acquaintance.begin_tls(stream).await?;
            handshake.tls_is_up();
            send(&mut stream, handshake).await?;
        }
        if let Some(init) = handshake.finished() {
            return Ok((stream, init.clone(), input.get(taken..).unwrap_or_default().to_vec()));
        }
    }
}

async fn send(stream: &mut Box<dyn Stream>, handshake: &mut ClientHandshake) -> std::io::Result<()> {
    if let Some(output) = handshake.take_output() {
        stream.write_all(&output).await?;
        stream.flush().await?;
    }
    Ok(())
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
