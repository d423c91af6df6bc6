//! Signs of life: ARE_YOU_THERE and I_AM_HERE between root and node, HEARTBEAT on a link.

use crate::tree::slot::{NodeId, V};
use crate::update::SessionId;
use serde::{Deserialize, Serialize};

/// ARE_YOU_THERE: is this node's program alive? A node with another `id` answers too, with its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreYouThere {
    /// The session of the tree.
    pub session: SessionId,
    /// Who is meant.
    pub id: NodeId,
}

/// I_AM_HERE: the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IAmHere {
    /// The session it is in, if any.
    pub session: Option<SessionId>,
    /// Who answers.
    pub id: NodeId,
    /// The newest placement it has obeyed.
    pub v: V,
    /// How many leaf-only children it would take beside those it has, by its measured upload.
    pub room: u8,
}

/// HEARTBEAT: the link lives ([`crate::tree::pulse`]). Downwards `beat` is the root's newest; upwards it is the newest that has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The root's beat, counted from 1; 0 before the first.
    pub beat: u64,
    /// Bytes that the sender's program has read on this link since the greeting, frame headers included.
    pub received: u64,
}
