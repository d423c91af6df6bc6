//! Looks for roots on the local network: FIND_ROOT on every interface, replies collected (PROTOCOL.md, Discovery). Owns the asking side
//! of discovery; never connects to anything.

use std::cmp::Reverse;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use treevnc_protocol::tree::PROTOCOL_VERSION;
use treevnc_protocol::tree::discovery::{Datagram, FindRootReply, MAX_ADDRESSES, MAX_DATAGRAM_BYTES};
use treevnc_protocol::tree::networks::Family;
use treevnc_protocol::tree::text::SessionName;
use treevnc_protocol::update::SessionId;
use treevnc_relay::multicast::{Segment, segments};

/// How long a search usually takes: roots on the same network answer within milliseconds, one on a sleepy radio within this.
pub const USUAL_SEARCH: Duration = Duration::from_secs(1);
/// Most roots that a search remembers; whatever else answers is dropped.
pub const MAX_ROOTS: usize = 256;
/// When the question is asked, from the beginning; again because datagrams get lost.
const QUESTIONS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(200), Duration::from_millis(500)];
/// Replies that wait to be looked at.
const WAITING_REPLIES: usize = 64;

/// A root that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRoot {
    /// Its session.
    pub session: SessionId,
    /// Its session's name for people.
    pub name: SessionName,
    /// Where to dial it, the best first: a network before loopback, then IPv4, IPv6, link-local IPv6; where it answered from comes before
    /// what it says of itself.
    pub addresses: Vec<SocketAddr>,
    /// The version of the tree protocol it speaks.
    pub version: u8,
    /// Nodes attached to it.
    pub viewers: u32,
    /// Whether joining needs a code.
    pub needs_code: bool,
    /// The session whose updates it has: the same for a root and its sites.
    pub log: SessionId,
    /// Roots above it.
    pub above: u8,
}

impl FoundRoot {
    /// Whether it speaks the same tree protocol as this program.
    pub fn is_compatible(&self) -> bool {
        self.version == PROTOCOL_VERSION
    }
}

/// Why no search is possible.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The interfaces cannot be listed.
    #[error("cannot list the network interfaces: {0}")]
    Interfaces(#[source] std::io::Error),
    /// No interface takes the question.
    #[error("no network interface can be searched; give the root's address instead")]
    NoInterface,
}

/// Asks on every interface and collects for `wait`. Each time a root is found, `found` gets it and may end the search. Answers all that
/// were found, one entry per session, none for a site whose root has answered, ordered by name. When the future is dropped, the search ends.
pub async fn find_roots(
    wait: Duration,
    mut found: impl FnMut(&FoundRoot) -> ControlFlow<()>,
) -> Result<Vec<FoundRoot>, FindError> {
    let nonce = getrandom::u64().unwrap_or_default();
    let end = Instant::now() + wait;
    let mut tasks = JoinSet::new();
    let mut replies = ask_everywhere(nonce, &mut tasks)?;
    let mut roots = Vec::new();
    while let Ok(Some((segment, from, reply))) = tokio::time::timeout_at(end, replies.recv()).await {
        if let Some(root) = add(&mut roots, &segment, from, &reply)
            && found(root).is_break()
        {
            break;
        }
    }
    Ok(nearest(roots))
}

/// Of a root and its sites, which all show the same, the one with the fewest roots above, and of those the one with the most viewers;
/// by name.
fn nearest(mut roots: Vec<FoundRoot>) -> Vec<FoundRoot> {
    roots.sort_by_key(|root| (root.log, root.above, Reverse(root.viewers), root.session));
    roots.dedup_by_key(|root| root.log);
    roots.sort_by(|a, b| (&a.name, a.session).cmp(&(&b.name, b.session)));
    roots
}

type Reply = (Arc<Segment>, IpAddr, FindRootReply);

fn ask_everywhere(nonce: u64, tasks: &mut JoinSet<()>) -> Result<mpsc::Receiver<Reply>, FindError> {
    let (sender, replies) = mpsc::channel(WAITING_REPLIES);
    for segment in segments().map_err(FindError::Interfaces)? {
        match segment.speaker() {
            Ok(speaker) => {
                tasks.spawn(ask(Arc::new(segment), speaker, nonce, sender.clone()));
            }
            Err(error) => tracing::debug!(%segment, "cannot search there: {error}"),
        }
    }
    if tasks.is_empty() { Err(FindError::NoInterface) } else { Ok(replies) }
}

/// Asks on one segment and passes on what comes back, until aborted.
async fn ask(segment: Arc<Segment>, speaker: UdpSocket, nonce: u64, replies: mpsc::Sender<Reply>) {
    let question = Datagram::FindRoot { nonce }.encode();
    let asking = async {
        let start = Instant::now();
        for at in QUESTIONS {
            tokio::time::sleep_until(start + at).await;
            if let Err(error) = speaker.send_to(&question, segment.group()).await {
                tracing::debug!(%segment, "asking for roots: {error}");
            }
        }
    };
    let hearing = async {
        let mut buffer = [0; MAX_DATAGRAM_BYTES + 1];
        loop {
            let Ok((count, from)) = speaker.recv_from(&mut buffer).await else {
                tokio::time::sleep(QUESTIONS[1]).await;
                continue;
            };
            let heard = Datagram::decode(buffer.get(..count).unwrap_or_default());
            if let Ok(Datagram::FindRootReply(reply)) = heard
                && reply.nonce == nonce
                && replies.send((Arc::clone(&segment), from.ip(), reply)).await.is_err()
            {
                return;
            }
        }
    };
    tokio::join!(asking, hearing);
}

/// Adds what a reply says; answers the root if it is new or has a better address than before.
fn add<'a>(roots: &'a mut Vec<FoundRoot>, segment: &Segment, from: IpAddr, reply: &FindRootReply) -> Option<&'a FoundRoot> {
    let dialled = |ip: &IpAddr| segment.dialled(*ip, reply.port);
    let at = roots.iter().position(|root| root.session == reply.session);
    let is_full = at.is_none() && roots.len() >= MAX_ROOTS;
    if is_full || reply.port == 0 {
        return None;
    }
    let at = at.unwrap_or_else(|| {
        roots.push(FoundRoot {
            session: reply.session,
            name: reply.name.clone(),
            addresses: Vec::new(),
            version: reply.version,
            viewers: reply.viewers,
            needs_code: reply.needs_code,
            log: reply.log,
            above: reply.above,
        });
        roots.len() - 1
    });
    let root = roots.get_mut(at)?;
    let best = root.addresses.first().copied();
    for address in std::iter::once(&from).chain(&reply.addresses).map(dialled) {
        if !root.addresses.contains(&address) && root.addresses.len() < 2 * MAX_ADDRESSES {
            root.addresses.push(address);
        }
    }
    // One family before the other: else those who ask on both would stand in two trees by chance.
    root.addresses.sort_by_key(|address| (address.ip().is_loopback(), Family::of(address.ip())));
    (root.addresses.first().copied() != best).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn reply(session: u64, addresses: &[[u8; 4]]) -> FindRootReply {
        let addresses = addresses.iter().map(|&ip| Ipv4Addr::from(ip).into()).collect();
        let (session, name, viewers) = (SessionId(session), "Physik".into(), 3);
        let (log, above) = (session, 0);
        FindRootReply { nonce: 1, session, name, addresses, port: 5950, version: 1, viewers, needs_code: false, log, above }
    }

    fn loopback() -> Segment {
        segments().unwrap().into_iter().find(Segment::is_loopback).unwrap()
    }

    #[test]
    fn one_root_on_several_interfaces_is_one_entry_with_loopback_last() {
        let (segment, mut roots) = (loopback(), Vec::new());
        assert!(add(&mut roots, &segment, Ipv4Addr::LOCALHOST.into(), &reply(7, &[[127, 0, 0, 1]])).is_some());
        assert!(add(&mut roots, &segment, Ipv4Addr::LOCALHOST.into(), &reply(7, &[[127, 0, 0, 1]])).is_none(), "nothing new");
        let better = add(&mut roots, &segment, [192, 0, 2, 1].into(), &reply(7, &[[192, 0, 2, 1], [192, 0, 2, 9]]));
        assert!(better.is_some());
        assert!(add(&mut roots, &segment, [192, 0, 2, 5].into(), &reply(8, &[])).is_some());
        let shown = roots[0].addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>();
        assert_eq!(shown, ["192.0.2.1:5950", "192.0.2.9:5950", "127.0.0.1:5950"]);
        assert_eq!(roots.len(), 2);
    }

    #[test]
    fn of_a_root_and_its_sites_the_nearest_to_the_top_is_joined() {
        let (segment, mut roots) = (loopback(), Vec::new());
        for (session, log, above, viewers) in [(1, 9, 2, 50), (2, 9, 1, 3), (3, 9, 1, 5), (4, 8, 0, 0), (5, 7, 1, 0)] {
            let reply = FindRootReply { log: SessionId(log), above, viewers, ..reply(session, &[]) };
            add(&mut roots, &segment, Ipv4Addr::LOCALHOST.into(), &reply);
        }
        let found: Vec<_> = nearest(roots).iter().map(|root| root.session.0).collect();
        assert_eq!(found, [3, 4, 5]);
    }

    #[test]
    fn a_flood_of_replies_is_bounded() {
        let (segment, mut roots) = (loopback(), Vec::new());
        for n in 0..10_000u32 {
            let addresses: Vec<_> = (0..16).map(|low| (n << 4 | low).to_be_bytes()).collect();
            add(&mut roots, &segment, Ipv4Addr::from(n).into(), &reply(u64::from(n % 1000), &addresses));
        }
        assert_eq!(roots.len(), MAX_ROOTS);
        assert!(roots.iter().all(|root| root.addresses.len() <= 2 * MAX_ADDRESSES));
    }
}
