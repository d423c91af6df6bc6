//! Who is back in a slot because somebody else did not come, as far as the root knows. If that one did reach the parent, the parent will
//! report its loss; then whoever is back was let go by the parent, too.

use crate::tree::slot::{NodeId, V};
use std::collections::BTreeMap;

/// INVARIANT: `came` and `back` are inverse to each other.
#[derive(Debug, Default)]
pub(super) struct Contests {
    came: BTreeMap<NodeId, (V, NodeId)>,
    back: BTreeMap<NodeId, NodeId>,
}

impl Contests {
    /// `came` was placed under `v`, and `back` is in its slot again.
    pub(super) fn add(&mut self, came: NodeId, v: V, back: NodeId) {
        self.settle(back);
        if let Some((_, earlier)) = self.came.insert(came, (v, back)) {
            self.back.remove(&earlier);
        }
        self.back.insert(back, came);
    }

    /// `back` has been heard of, or is gone.
    pub(super) fn settle(&mut self, back: NodeId) {
        if let Some(came) = self.back.remove(&back) {
            self.came.remove(&came);
        }
    }

    /// Who is back in the slot for which `came` was placed under `v`. If the parent has had `came`, that one is gone.
    pub(super) fn back(&self, came: NodeId, v: V) -> Option<NodeId> {
        self.came.get(&came).filter(|(placed, _)| *placed == v).map(|(_, back)| *back)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.came.len(), self.back.len());
        self.came.len()
    }
}
