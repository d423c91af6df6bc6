//! Who is where: STATUS_REQUEST and STATUS.

use super::Behind;
use crate::geometry::Size;
use crate::tree::slot::{NodeId, Slot};
use crate::tree::text::{NodeName, Reason, SessionName};
use crate::update::SessionId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Most nodes in one page.
pub const MAX_STATUS_NODES: usize = 256;
/// Most trees that are told; nodes of others have a number that none has.
pub const MAX_STATUS_TREES: usize = 64;

/// Most depths that delays are told of.
pub const MAX_STATUS_DEPTHS: usize = 64;

/// STATUS: the state of a session, in pages that each fit a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The session.
    pub session: SessionId,
    /// Its name for people.
    pub name: SessionName,
    /// How it stands with the presenter, for people.
    pub presenter: Reason,
    /// The size of the screen shown, if any yet.
    pub screen: Option<Size>,
    /// The time on the root's session clock, in microseconds on the wire.
    #[serde(with = "micros")]
    pub now: Duration,
    /// The trees; at most [`MAX_STATUS_TREES`].
    pub trees: Vec<TreeStatus>,
    /// How many more nodes the root could feed itself, beyond the two of each tree.
    pub room: u8,
    /// The root first, then nodes tree by tree in slot order; at most [`MAX_STATUS_NODES`] in a page.
    pub nodes: Vec<NodeStatus>,
    /// Whether another page follows.
    pub more: bool,
    /// Of what it is a site; none for the session's own root.
    pub site_of: Option<SiteOf>,
    /// How long pictures took in the last minutes, by depth; at most [`MAX_STATUS_DEPTHS`].
    pub delays: Vec<DepthDelay>,
    /// What has become of the checks; none where nothing is measured.
    pub checks: Option<CheckCounts>,
}

/// What has become of the checks that a root has sent since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckCounts {
    /// Checks.
    pub sent: u64,
    /// Answers that were believed.
    pub answers: u64,
    /// Answers that never came, of checks that are no longer waited for.
    pub missing: u64,
}

/// How a node fares, by its newest answer to a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fare {
    /// How long ago it got that check, in milliseconds. Checks come with changes of the picture, so on a screen that rests this grows.
    pub age: u32,
    /// The picture's way to it, in microseconds.
    pub one_way: u32,
    /// The round trip of its own link, with its queues, in microseconds.
    pub round_trip: u32,
    /// Bits per second at which it got the picture, over the last seconds in which there was something to get; none after one answer.
    pub rate: Option<u64>,
    /// Updates that it never got because they were painted over before its turn, since it joined.
    pub skipped: u64,
    /// How many of a hundred updates of these last seconds it skipped.
    pub skips: u8,
}

impl Fare {
    /// A figure that is older counts as old: somebody who keeps up answers every second while the picture changes.
    pub const FRESH: Duration = Duration::from_secs(5);

    /// How long ago it was measured.
    pub fn age(&self) -> Duration {
        Duration::from_millis(self.age.into())
    }

    /// Whether it says how things are now.
    pub fn is_fresh(&self) -> bool {
        self.age() < Self::FRESH
    }
}

/// How those behind a site fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BehindFare {
    /// How many have answered about as lately as the one who answered last.
    pub answering: u32,
    /// The longest of their newest one-way delays, in microseconds.
    pub worst: u32,
    /// How long ago the last of them got a check, in milliseconds.
    pub age: u32,
}

/// One-way delays of the nodes of one depth, from a frame's first byte at the root to the complete frame. Times in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepthDelay {
    /// Links between these nodes and the root.
    pub depth: u8,
    /// How many were measured.
    pub count: u64,
    /// Half of them took at most so long.
    pub median: u32,
    /// 95 of 100.
    pub p95: u32,
    /// 99 of 100.
    pub p99: u32,
    /// All.
    pub max: u32,
}

/// Where a site stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteOf {
    /// What people there call the root above.
    pub host: Reason,
    /// Roots above it.
    pub depth: u8,
}

/// What a tree's network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NetworkKind {
    /// A network of machines: cable or wireless.
    Lan,
    /// A line to one peer, and whatever is behind that: a VPN for example.
    PointToPoint,
    /// Of containers or virtual machines on the root's own machine; newcomers are not told of it.
    Container,
    /// The root's own machine.
    Loopback,
    /// None of the root's: nodes from behind routers.
    Elsewhere,
    /// None: sites, which are roots of networks of their own.
    Direct,
    /// The root's machine is no longer in it.
    Gone,
}

/// One of the trees of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeStatus {
    /// The interface's name, if it is that of one.
    pub name: NodeName,
    /// What its network is.
    pub kind: NetworkKind,
    /// The root's addresses there, at most [`TreeStatus::MAX_ADDRESSES`].
    pub addresses: Vec<IpAddr>,
}

impl TreeStatus {
    /// Most addresses of one tree.
    pub const MAX_ADDRESSES: usize = 8;
}

/// Why a node has no children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WhyLeaf {
    /// It said so, or it listens nowhere.
    Asked,
    /// The root could not dial it.
    Unreachable,
    /// The root could dial it, and it could reach the root, but no other nodes: its network keeps computers apart.
    Isolated,
    /// It, or its line, could not keep up.
    Slow,
    /// It is the root of a network of its own.
    Site,
    /// What it may send is too little for children.
    Capped,
    /// The root could dial it, other nodes could not.
    Unreached,
}

impl WhyLeaf {
    /// Whether it has been found out by what happened, and is tried again after a while.
    pub fn is_for_a_while(self) -> bool {
        matches!(self, Self::Isolated | Self::Slow | Self::Unreached)
    }
}

impl std::fmt::Display for WhyLeaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Asked => "only watches",
            Self::Unreachable => "cannot be reached: its firewall?",
            Self::Isolated => "its network keeps it apart from the others",
            Self::Slow => "slow",
            Self::Site => "a site of its own",
            Self::Unreached => "cannot be reached by other nodes",
            Self::Capped => "its upload limit is too small to pass the picture on",
        })
    }
}

/// One node in a [`Status`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Who.
    pub id: NodeId,
    /// Its name for people.
    pub name: NodeName,
    /// Where it listens, as the root sees it.
    pub address: SocketAddr,
    /// Its slot.
    pub slot: Slot,
    /// Why it may have no children; none for a relay.
    pub leaf_only: Option<WhyLeaf>,
    /// Whether it has attached; one that has not was placed and is on its way.
    pub attached: bool,
    /// Since when it has this place, on the root's session clock; in microseconds on the wire.
    #[serde(with = "micros")]
    pub since: Duration,
    /// How it fares, once it has answered a check.
    pub fare: Option<Fare>,
    /// Its tree: a place in [`Status::trees`]. The root is in all of them.
    pub tree: u16,
    /// What is behind it, if it is a site and has said so.
    pub behind: Option<Behind>,
    /// How those behind it fare, once one of them has answered a check.
    pub behind_fare: Option<BehindFare>,
}

impl NodeStatus {
    /// Whether it may have children.
    pub fn relay(&self) -> bool {
        self.leaf_only.is_none()
    }

    /// Links between it and the root.
    pub fn depth(&self) -> u32 {
        self.slot.depth()
    }
}

impl Status {
    /// Cuts a list of any length into pages, at least one.
    pub fn into_pages(mut self) -> Vec<Status> {
        let mut nodes = std::mem::take(&mut self.nodes);
        let mut pages = Vec::with_capacity(nodes.len() / MAX_STATUS_NODES + 1);
        loop {
            let rest = nodes.split_off(nodes.len().min(MAX_STATUS_NODES));
            let more = !rest.is_empty();
            pages.push(Status { nodes, more, ..self.clone() });
            if !more {
                return pages;
            }
            nodes = rest;
        }
    }
}

/// A time as microseconds in a u64.
mod micros {
    use super::*;

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}
