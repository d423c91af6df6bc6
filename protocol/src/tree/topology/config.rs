//! Who a root is, and its times.

use crate::tree::slot::NodeId;
use crate::tree::text::SessionName;
use crate::tree::ticket::Key;
use crate::update::SessionId;
use std::net::SocketAddr;
use std::time::Duration;

/// What a root is and how patient it is.
#[derive(Debug, Clone)]
pub struct TopologyConfig {
    /// The session; new with each life of a root.
    pub session: SessionId,
    /// The session whose updates the tree carries; another one than `session` in a site.
    pub log: SessionId,
    /// The roots above, the topmost first; none at the topmost.
    pub above: Vec<NodeId>,
    /// The session's name for people.
    pub name: SessionName,
    /// The root's own number.
    pub id: NodeId,
    /// The root's own address, for [`super::Topology::status`].
    pub address: SocketAddr,
    /// Random; all tickets and node keys come from it.
    pub secret: Key,
    /// How long a placed node may take to attach; longer than a node tries ([`crate::tree::member::MemberConfig::attach`]).
    pub placement: Duration,
    /// How long a slot is kept for a node that asked, or whose parent's slot was emptied; longer than a node waits between questions.
    pub patience: Duration,
    /// How long a node that is doubted, or moved, may take to say that it is there.
    pub proof_of_life: Duration,
    /// How long a newcomer may take to say so when it is dialled for the first time.
    pub first_dial: Duration,
    /// How long a node that was found slow or isolated stays leaf-only; doubled each time it is found so again.
    pub probation: Duration,
}

impl TopologyConfig {
    /// The usual times: 5 s to attach, 15 s of patience, 250 ms to prove alive, 1 s for the first dial, a minute of probation.
    pub fn new(session: SessionId, name: SessionName, id: NodeId, address: SocketAddr, secret: Key) -> Self {
        let (placement, patience, probation) = (Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(60));
        let (proof_of_life, first_dial) = (Duration::from_millis(250), Duration::from_secs(1));
        let (log, above) = (session, Vec::new());
        Self { session, log, above, name, id, address, secret, placement, patience, proof_of_life, first_dial, probation }
    }
}
