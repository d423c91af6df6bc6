//! How a link ends: LOST_CHILD and LEAVE. Each goes to the root on a connection of its own and is answered by its echo, so
//! that the sender knows it was heard; without an echo it is sent again.

use super::Fault;
use crate::tree::frame::kind;
use crate::tree::slot::{NodeId, V};
use crate::tree::ticket::{Statement, Ticket};
use crate::update::SessionId;
use serde::{Deserialize, Serialize};

/// LOST_CHILD: a parent lost a child. The root ignores it unless `v` is the child's present placement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostChild {
    /// The session of the tree.
    pub session: SessionId,
    /// Who reports.
    pub parent: NodeId,
    /// Who is lost.
    pub child: NodeId,
    /// Under which placement the child had attached.
    pub v: V,
    /// How it was lost.
    pub why: Fault,
    /// That the parent says so, by its key.
    pub proof: Ticket,
}

impl LostChild {
    /// What its proof must be of.
    pub fn statement(&self) -> Statement {
        Statement { kind: kind::LOST_CHILD, session: self.session, node: self.child, v: self.v }
    }
}

/// LEAVE: a node leaves for good, even if it was placed anew since `v` and has not heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    /// The session of the tree.
    pub session: SessionId,
    /// Who leaves.
    pub id: NodeId,
    /// The newest placement it has obeyed.
    pub v: V,
    /// That the node says so, by its key.
    pub proof: Ticket,
}

impl Leave {
    /// What its proof must be of.
    pub fn statement(&self) -> Statement {
        Statement { kind: kind::LEAVE, session: self.session, node: self.id, v: self.v }
    }
}
