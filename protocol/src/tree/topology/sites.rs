//! Sites: nodes that are roots of networks of their own. Who may be one here, so that the roots never stand in a circle, and what is
//! behind them.

use super::Topology;
use crate::tree::message::{Behind, MAX_LINE, ServerChangeRequest, WhereToConnect};
use crate::tree::slot::NodeId;

impl Topology {
    /// The roots above this one have changed, the topmost comes first.
    pub fn set_above(&mut self, above: Vec<NodeId>) {
        self.config.above = above;
    }

    /// Why a site cannot be below this root; none for one that can, and for every other node.
    pub(super) fn objection(&self, ask: &WhereToConnect) -> Option<&'static str> {
        if !ask.capabilities.site {
            return None;
        }
        if ask.id == self.config.id || self.config.above.contains(&ask.id) {
            return Some("this would be a circle: this session comes here through that site itself");
        }
        (self.config.above.len() + 1 >= MAX_LINE).then_some("too many sites one below the other")
    }

    /// A site has said what is behind it. What others say is ignored.
    pub fn set_behind(&mut self, id: NodeId, behind: Behind) {
        self.places.edit(id, |node| {
            if node.is_site() {
                node.behind = Some(behind);
            }
        });
    }

    /// Whether the node that asks may do so for the presenter that it names: a site for those behind it, others for themselves.
    pub fn may_ask_for(&self, request: &ServerChangeRequest) -> bool {
        request.presenter == request.id || self.places.node(request.id).is_some_and(|node| node.is_site())
    }
}
