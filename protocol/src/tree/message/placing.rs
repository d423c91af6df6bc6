//! How a node gets its place: WHERE_TO_CONNECT, CONNECT_TO_AS_LEADER / CONNECT_TO, ATTACHED or FAILED; REFUSED and REDIRECT.

use crate::tree::frame::kind;
use crate::tree::slot::{NodeId, Slot, V};
use crate::tree::text::{NodeName, Reason, SessionName};
use crate::tree::ticket::{Key, Statement, Ticket};
use crate::update::SessionId;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What went wrong with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fault {
    /// The connection ended.
    Closed,
    /// Nothing was heard for too long.
    Silence,
    /// The peer takes no bytes although there are some for it.
    NoProgress,
    /// Nobody could be dialled there.
    Unreachable,
    /// ATTACH was not answered in time.
    NoAnswer,
    /// ATTACH was answered by STALE.
    Stale,
    /// ATTACH was answered by NOT_HERE.
    NotHere,
    /// The peer sent what the protocol does not allow.
    BadData,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Closed => "connection closed",
            Self::Silence => "silent for too long",
            Self::NoProgress => "takes no more data",
            Self::Unreachable => "cannot be reached",
            Self::NoAnswer => "does not answer",
            Self::Stale => "the place is taken by a newer placement",
            Self::NotHere => "not attached itself",
            Self::BadData => "breaks the protocol",
        })
    }
}

/// What a node can do: on the wire a u32 of bits, of which those that are not known are ignored, then the limit as a u32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
pub struct Capabilities {
    /// Bit 0: it may have children. A node without it is leaf-only.
    pub relay: bool,
    /// Bit 1: it is the root of a network of its own, a *site*, and has no children in the tree that it asks to be in.
    pub site: bool,
    /// Most KiB per second that it may send; 0 for no limit.
    pub upload: u32,
}

impl Capabilities {
    /// Of a node that has children or not, without a limit.
    pub fn of(relay: bool) -> Self {
        Self { relay, ..Self::default() }
    }
}

impl From<(u32, u32)> for Capabilities {
    fn from((bits, upload): (u32, u32)) -> Self {
        Self { relay: bits & 1 != 0, site: bits & 2 != 0, upload }
    }
}

impl From<Capabilities> for (u32, u32) {
    fn from(Capabilities { relay, site, upload }: Capabilities) -> Self {
        (u32::from(relay) | u32::from(site) << 1, upload)
    }
}

/// A child that a node has kept, and under which placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptChild {
    /// Who.
    pub id: NodeId,
    /// Its placement number.
    pub v: V,
}

/// The children on the left and on the right.
pub type KeptChildren = [Option<KeptChild>; 2];

/// Why a node asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asking {
    /// It has no place yet.
    New,
    /// It was attached and is no more.
    LostParent {
        /// Its former parent.
        parent: NodeId,
        /// How it was lost.
        fault: Fault,
    },
    /// It could not attach where it was told to.
    NotAttached {
        /// The parent it was told to connect to.
        parent: NodeId,
        /// Why not.
        fault: Fault,
    },
    /// It is attached under the `v` it names, and has not heard that the root knows.
    Confirm {
        /// The children it has kept.
        children: KeptChildren,
    },
}

/// WHERE_TO_CONNECT: a node asks the root for a place. The connection stays open until ATTACHED is answered, or FAILED is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhereToConnect {
    /// The session it was in, if any.
    pub session: Option<SessionId>,
    /// Who asks.
    pub id: NodeId,
    /// The newest placement of that session it has obeyed.
    pub v: V,
    /// Why it asks.
    pub asking: Asking,
    /// What it can do.
    pub capabilities: Capabilities,
    /// The port it listens on; 0 for none.
    pub port: u16,
    /// Its name for people.
    pub name: NodeName,
    /// That it is the node with this `id`, by the key it got with `v`; nothing before the first placement.
    pub proof: Ticket,
}

impl WhereToConnect {
    /// What its proof must be of; none for one who had no place in a session yet.
    pub fn statement(&self) -> Option<Statement> {
        let session = self.session.filter(|_| self.v != V::NONE)?;
        Some(Statement { kind: kind::WHERE_TO_CONNECT, session, node: self.id, v: self.v })
    }
}

/// CONNECT_TO_AS_LEADER (left child of a pair) or CONNECT_TO (right child): the root gives a node a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectTo {
    /// The session of the tree.
    pub session: SessionId,
    /// The number of this placement; obeyed only when newer than any before.
    pub v: V,
    /// Who is placed.
    pub id: NodeId,
    /// Its slot.
    pub slot: Slot,
    /// Who is to be its parent.
    pub parent: NodeId,
    /// Where the parent listens. A link-local IPv6 address is meant on the interface that leads to the root.
    pub address: SocketAddr,
    /// What to show the parent.
    pub ticket: Ticket,
    /// The key under which this node checks its own children's tickets.
    pub key: Key,
    /// The session's name for people.
    pub name: SessionName,
    /// The session whose updates this tree carries: the same one in all trees of all sites, and in the topmost root's the tree's own.
    pub log: SessionId,
}

/// ATTACHED: a node has attached under `v`. The root answers with the same message, naming those of the children that are
/// its; the node closes the others that it named. A placement that is no longer valid is answered by a fresh CONNECT_TO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The number of the placement.
    pub v: V,
    /// The children it has kept from before.
    pub children: KeptChildren,
}

/// FAILED: a node could not attach under `v`. Not answered; the connection is closed and the node asks anew after a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The number of the placement.
    pub v: V,
    /// Why not.
    pub why: Fault,
}

/// REFUSED: a question is answered by no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Whether it makes sense to ask again later.
    pub again: bool,
    /// Why, for people.
    pub reason: Reason,
}

/// REDIRECT: a node is asked what only its root can answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// Where the root listens.
    pub root: SocketAddr,
}
