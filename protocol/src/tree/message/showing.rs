//! What is told beside the picture: PRESENTER downwards, SITE upwards.

use super::Policy;
use crate::tree::slot::NodeId;
use crate::tree::text::{NodeName, Reason};
use serde::{Deserialize, Serialize};

/// Most roots in a row, the topmost included: a root below so many lets no further site in.
pub const MAX_LINE: usize = 16;

/// PRESENTER: how it stands with the presenter, passed on from the root down to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Presenter {
    /// Why there is no presenter now; empty while there is one. The last picture stays.
    pub gone: Reason,
    /// The node that presents; none when it is the root's own screen or server.
    pub node: Option<NodeId>,
    /// Its name for people; empty for the root's own.
    pub name: NodeName,
    /// Who may present.
    pub policy: Policy,
    /// The roots through which the picture comes here, the topmost first and the one of this tree last; at most [`MAX_LINE`]. A site that
    /// finds itself among them is in a circle.
    pub line: Vec<NodeId>,
    /// The session was ended by the topmost root. Until another one begins, what else is said here is the last that was so.
    pub ended: bool,
}

/// SITE: what is behind a child that is the root of a network of its own; sent to its parent after ATTACH_REPLY and when it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Behind {
    /// Nodes in its own trees, and behind the sites there.
    pub nodes: u32,
    /// Links between it and the farthest of them.
    pub depth: u32,
}
