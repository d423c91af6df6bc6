//! How a link begins: ATTACH and ATTACH_REPLY.

use crate::tree::slot::{NodeId, Slot, V};
use crate::tree::ticket::{Claim, Ticket};
use crate::update::{Seq, SessionId};
use serde::{Deserialize, Serialize};

/// How far a log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The session of the log.
    pub session: SessionId,
    /// The newest update it has.
    pub seq: Seq,
}

impl Position {
    /// Nothing yet: the parent sends everything live.
    pub const NONE: Position = Position { session: SessionId(0), seq: Seq::NONE };
}

/// ATTACH: a child asks its parent for the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// The root's leave.
    pub ticket: Ticket,
    /// The session of the tree.
    pub session: SessionId,
    /// What the child has already; a position of another session means nothing.
    pub position: Position,
    /// Who asks.
    pub child: NodeId,
    /// The number of its placement.
    pub v: V,
    /// Its slot.
    pub slot: Slot,
}

impl Attach {
    /// What its ticket must be for.
    pub fn claim(&self) -> Claim {
        Claim { session: self.session, child: self.child, v: self.v, slot: self.slot }
    }
}

/// ATTACH_REPLY: the parent's answer. After anything but `Ok` the parent closes the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttachReply {
    /// Come in.
    Ok {
        /// The newest update the parent has.
        head: Seq,
    },
    /// The ticket is not for this place, or a newer placement has it.
    Stale,
    /// The parent is not attached itself.
    NotHere,
}
