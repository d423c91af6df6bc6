//! Who a node is, and its times.

use crate::tree::message::Capabilities;
use crate::tree::slot::NodeId;
use crate::tree::text::NodeName;
use std::net::SocketAddr;
use std::time::Duration;

/// Who a node is and how patient it is.
#[derive(Debug, Clone)]
pub struct MemberConfig {
    /// The node's number, random.
    pub id: NodeId,
    /// Its name for people.
    pub name: NodeName,
    /// What it can do.
    pub capabilities: Capabilities,
    /// The port it listens on; 0 for none.
    pub port: u16,
    /// The root, or any node of the tree.
    pub root: SocketAddr,
    /// Random; waiting times are drawn from it.
    pub seed: u64,
    /// How long a question to the root may stay unanswered.
    pub answer: Duration,
    /// How long dialling a parent and its answer to ATTACH may take together.
    pub attach: Duration,
    /// The first waiting time after a failure; doubled with each further one.
    pub wait: Duration,
    /// The longest waiting time.
    pub max_wait: Duration,
    /// How long to go on without a parent before giving up.
    pub give_up: Duration,
}

impl MemberConfig {
    /// The usual times: 8 s for an answer, 3 s to attach, waits from 0.2 to 5 s, giving up after 60 s.
    pub fn new(id: NodeId, name: NodeName, capabilities: Capabilities, port: u16, root: SocketAddr, seed: u64) -> Self {
        let seconds = Duration::from_secs;
        let (answer, attach, max_wait, give_up) = (seconds(8), seconds(3), seconds(5), seconds(60));
        Self { id, name, capabilities, port, root, seed, answer, attach, wait: Duration::from_millis(200), max_wait, give_up }
    }
}
