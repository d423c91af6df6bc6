//! Who cannot keep up: SLOW_NODE.

use crate::tree::frame::kind;
use crate::tree::slot::{NodeId, V};
use crate::tree::ticket::{Statement, Ticket};
use crate::update::SessionId;
use serde::{Deserialize, Serialize};

/// SLOW_NODE: a node has measured that one of its children, or itself, cannot keep up with the picture. The root ignores it unless
/// `v` is the present placement of the node that is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowNode {
    /// The session of the tree.
    pub session: SessionId,
    /// Who reports.
    pub reporter: NodeId,
    /// Who is slow: a child of the reporter, or the reporter itself when none of its children keeps up.
    pub node: NodeId,
    /// The placement of the slow node.
    pub v: V,
    /// Whether the child has no sibling to compare it with: then either end of the link may be the slow one.
    pub alone: bool,
    /// That the reporter says so, by its key.
    pub proof: Ticket,
}

impl SlowNode {
    /// What its proof must be of.
    pub fn statement(&self) -> Statement {
        Statement { kind: kind::SLOW_NODE, session: self.session, node: self.node, v: self.v }
    }
}
