//! The one port of a node (DESIGN section 6): greets whoever connects, and serves it as what its answer says it is. Owns the listening
//! sockets, every connection's task, and the limits on strangers; what a tree link says is the business of a [`TreeService`].

mod admission;

use crate::link::TreeLink;
use crate::shared_log::SharedLog;
use crate::socket;
use crate::upload::Upload;
use crate::viewer::{ViewerEnd, Viewers};
use admission::{Admission, Admitted, Seldom};
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, warn};
use treevnc_protocol::rfb::Version;
use treevnc_protocol::tree::frame::Accept;
use treevnc_protocol::tree::{GREETING_PORT, GREETING_TREE};

/// How long accepting rests after the system refused to accept, for want of file descriptors for example.
const REST_AFTER_ERROR: Duration = Duration::from_millis(100);

/// What serves the links of the tree.
pub trait TreeService: Send + Sync + 'static {
    /// Serves one link until it ends; the link has exchanged greetings and nothing else. Bound the wait for its first message. The
    /// future is dropped when the port ends.
    fn serve(&self, link: TreeLink, peer: SocketAddr) -> impl Future<Output = ()> + Send;
}

/// Limits of a port.
#[derive(Debug, Clone)]
pub struct PortOptions {
    /// How long a stranger has until its handshake is over.
    pub handshake_timeout: Duration,
    /// Most connections whose handshake is not over.
    pub max_pending: usize,
    /// Most connections of one address whose handshake is not over.
    pub max_pending_per_address: usize,
    /// Most connections of all kinds.
    pub max_connections: usize,
    /// How long an ordinary viewer may take nothing of what is being written to it.
    pub stall_timeout: Duration,
    /// The limit that everything this port sends shares with the rest of the process.
    pub upload: Upload,
}

impl Default for PortOptions {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(10),
            max_pending: 256,
            max_pending_per_address: 64,
            max_connections: 1000,
            stall_timeout: Duration::from_secs(60),
            upload: Upload::unlimited(),
        }
    }
}

/// The listening sockets of a node.
#[derive(Debug)]
pub struct Port {
    listeners: Vec<TcpListener>,
    addrs: Vec<SocketAddr>,
}

/// What a connection turned out to be.
enum Peer {
    Node,
    Viewer([u8; 12]),
}

impl Port {
    /// Listens on all of these addresses. Where a port is 0, the system chooses one for the first, and the others take the same.
    /// An IPv6 address takes IPv6 connections only. Needs a running tokio runtime.
    pub fn bind(addrs: &[SocketAddr]) -> io::Result<Self> {
        let mut port = Self { listeners: Vec::new(), addrs: Vec::new() };
        for &(mut addr) in addrs {
            if let (0, Some(first)) = (addr.port(), port.addrs.first()) {
                addr.set_port(first.port());
            }
            let listener = socket::listen(addr)
                .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {addr}: {error}")))?;
            port.addrs.push(listener.local_addr()?);
            port.listeners.push(listener);
        }
        if port.listeners.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on"));
        }
        Ok(port)
    }

    /// The addresses it listens on, in the order they were given.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// The first of [`local_addrs`](Self::local_addrs).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.addrs.first().copied().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Serves until it is dropped; that ends every connection and every task of this port.
    pub async fn run<S: TreeService>(self, log: SharedLog, service: Arc<S>, options: PortOptions) {
        let admission = Admission::new(&options);
        let viewers = Viewers::new(log, options);
        let house = House { service, viewers, refusals: Seldom::new(), ends: Seldom::new() };
        let mut tasks = JoinSet::new();
        let mut turn = 0;
        loop {
            tokio::select! {
                accepted = self.accept(turn) => match accepted {
                    Ok((stream, peer)) => match admission.admit(peer.ip()) {
                        Ok(admitted) => drop(tasks.spawn(house.clone().receive(stream, peer, admitted))),
                        Err(reason) => house.refusals.say(|more| warn!("{peer} was refused: {reason}{more}")),
                    },
                    Err(error) => {
                        house.refusals.say(|more| warn!("cannot accept connections: {error}{more}"));
                        sleep(REST_AFTER_ERROR).await;
                    }
                },
                Some(ended) = tasks.join_next() => report(ended),
            }
            turn = turn.wrapping_add(1);
        }
    }

    /// The next connection of any listener; `turn` says which is asked first. Cancel safe.
    async fn accept(&self, turn: usize) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|context| {
            let start = turn % self.listeners.len();
            let (later, first) = self.listeners.split_at(start);
            for listener in first.iter().chain(later) {
                if let Poll::Ready(accepted) = listener.poll_accept(context) {
                    return Poll::Ready(accepted);
                }
            }
            Poll::Pending
        })
        .await
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!("a connection's task failed: {error}");
    }
}

/// What every connection of a port needs.
struct House<S> {
    service: Arc<S>,
    viewers: Viewers,
    /// What is said of strangers, and of viewers that were served: a flood of the first does not silence the second.
    refusals: Seldom,
    ends: Seldom,
}

impl<S> Clone for House<S> {
    fn clone(&self) -> Self {
        Self {
            service: Arc::clone(&self.service),
            viewers: self.viewers.clone(),
            refusals: self.refusals.clone(),
            ends: self.ends.clone(),
        }
    }
}

impl<S: TreeService> House<S> {
    async fn receive(self, mut stream: TcpStream, peer: SocketAddr, mut admitted: Admitted) {
        let limit = self.viewers.options.handshake_timeout;
        match timeout(limit, greet(&mut stream)).await {
            Ok(Ok(Peer::Node)) => {
                admitted.is_known();
                match TreeLink::new(stream, Accept::Control, &self.viewers.options.upload) {
                    Ok(link) => self.service.serve(link, peer).await,
                    Err(error) => debug!("{peer} is gone: {error}"),
                }
            }
            Ok(Ok(Peer::Viewer(version))) => {
                let end = self.show(stream, peer, &version, admitted).await;
                if end.is_remarkable() {
                    self.ends.say(|more| warn!("viewer {peer} was closed: {end}{more}"));
                } else {
                    debug!("viewer {peer} is gone: {end}");
                }
            }
            Ok(Err(error)) => debug!("{peer} left while greeting: {error}"),
            Err(_) => self.refusals.say(|more| warn!("{peer} did not greet within {} s{more}", limit.as_secs())),
        }
    }
}

impl<S> House<S> {
    /// Serves an ordinary viewer. One that must wait for the first screen does not count as a pending handshake meanwhile.
    async fn show(&self, mut stream: TcpStream, peer: SocketAddr, version: &[u8; 12], mut admitted: Admitted) -> ViewerEnd {
        let shaken = async {
            let version = Version::parse(version).ok_or_else(|| ViewerEnd::Version(version.escape_ascii().to_string()))?;
            let screen = match self.viewers.log.with(|log| log.screen().cloned()) {
                Some(screen) => screen,
                None => {
                    admitted.is_known();
                    self.viewers.first_screen(&stream).await?
                }
            };
            socket::prepare(&stream)?;
            let (mut read, mut write) = stream.split();
            let early = self.viewers.shake_hands(&mut read, &mut write, version, &screen).await?;
            Ok((screen, early))
        };
        match shaken.await {
            Ok((screen, early)) => {
                admitted.is_known();
                debug!("viewer {peer} is here");
                self.viewers.serve(stream.into_split(), &screen, &early, None).await
            }
            Err(end) => end,
        }
    }
}

/// Says what this port is, and reads what the other side is.
async fn greet(stream: &mut TcpStream) -> io::Result<Peer> {
    stream.set_nodelay(true)?;
    stream.write_all(GREETING_PORT).await?;
    let mut answer = [0; GREETING_TREE.len()];
    stream.read_exact(&mut answer).await?;
    Ok(if &answer == GREETING_TREE { Peer::Node } else { Peer::Viewer(answer) })
}
