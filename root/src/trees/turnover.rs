//! Who has come and gone, in numbers that only grow.

use std::collections::BTreeSet;
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::topology::{Freed, TreeEvent};

/// Who came and went since the root began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turnover {
    /// Nodes that joined: had a parent for the first time, or again after they were gone.
    pub joined: u64,
    /// Of these, those that were lost: they crashed, or stood still, or their network did.
    pub lost: u64,
    /// Those that left.
    pub left: u64,
    /// Times that a node attached to a parent, its first and all others.
    pub attached: u64,
    /// Times that a node was turned away.
    pub refused: u64,
}

/// Counts them. A node that only changes its place neither joins nor goes.
#[derive(Debug, Default)]
pub(super) struct Counter {
    present: BTreeSet<NodeId>,
    turnover: Turnover,
}

impl Counter {
    pub(super) fn note(&mut self, event: &TreeEvent) {
        let Self { present, turnover } = self;
        match event {
            TreeEvent::Attached { id, .. } => {
                turnover.attached += 1;
                turnover.joined += u64::from(present.insert(*id));
            }
            TreeEvent::Freed { id, why: Freed::Left | Freed::Elsewhere, .. } => turnover.left += u64::from(present.remove(id)),
            TreeEvent::Freed { id, why: Freed::Lost(_) | Freed::NotAttached | Freed::NotHeardOf, .. } => {
                turnover.lost += u64::from(present.remove(id));
            }
            TreeEvent::Refused { .. } => turnover.refused += 1,
            TreeEvent::Freed { why: Freed::Moved | Freed::GaveWay | Freed::Roamed, .. }
            | TreeEvent::Placed { .. }
            | TreeEvent::Relays { .. } => {}
        }
    }

    pub(super) fn turnover(&self) -> Turnover {
        self.turnover
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::tree::message::Fault;
    use treevnc_protocol::tree::slot::{Slot, V};

    #[test]
    fn a_node_joins_once_however_often_it_moves() {
        let mut counter = Counter::default();
        let attached = |id| TreeEvent::Attached { id: NodeId(id), v: V(1), slot: Slot(1) };
        let freed = |id, why| TreeEvent::Freed { id: NodeId(id), v: V(1), slot: Slot(1), why };
        let refused = TreeEvent::Refused { id: NodeId(9), reason: "full".into() };
        for event in [
            attached(1),
            attached(2),
            attached(3),
            freed(1, Freed::Moved),
            attached(1),
            freed(2, Freed::Lost(Fault::Silence)),
            freed(2, Freed::NotHeardOf),
            freed(3, Freed::Left),
            attached(2),
            freed(1, Freed::NotHeardOf),
            freed(7, Freed::NotAttached),
            refused,
        ] {
            counter.note(&event);
        }
        assert_eq!(counter.turnover(), Turnover { joined: 4, lost: 2, left: 1, attached: 5, refused: 1 });
    }
}
