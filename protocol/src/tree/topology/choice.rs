//! Which slot a node gets. Reads the places, changes nothing.

use super::places::{Line, Places};
use crate::tree::message::{Asking, Fault, WhereToConnect};
use crate::tree::slot::{NodeId, Slot};

/// What becomes of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// It is answered by this slot.
    Take(Slot),
    /// It gets this slot, and is answered when the line above is whole.
    Keep(Slot),
    /// There is nothing for it now.
    Nothing,
}

/// Chooses by the rules at [`super::Topology`].
pub(super) fn choose(places: &Places, ask: &WhereToConnect, root: NodeId) -> Choice {
    let held = places.node(ask.id).map(|node| node.slot);
    let avoided = avoided(&ask.asking);
    let is_avoided = |slot: &Slot| {
        let above = slot.parent().map(|above| places.holder(above).map_or(root, |(id, _)| id));
        avoided.is_some() && above == avoided
    };
    let usable = held.filter(|slot| places.line(*slot) != Line::Broken);
    let lowest = || available(places, ask).filter(|slot| held.is_none_or(|held| !slot.is_below(held)));
    let slot = usable.filter(|slot| !is_avoided(slot)).or_else(|| lowest().find(|slot| !is_avoided(slot)));
    match slot.or(usable).or_else(|| lowest().next()) {
        Some(slot) if places.line(slot) == Line::Whole => Choice::Take(slot),
        Some(slot) => Choice::Keep(slot),
        None => Choice::Nothing,
    }
}

/// The slots for such a node. For one that cannot open new ones there is none as long as only one is left.
fn available<'a>(places: &'a Places, ask: &WhereToConnect) -> impl Iterator<Item = Slot> + 'a {
    let is_enough = ask.capabilities.relay || places.available().nth(1).is_some();
    places.available().filter(move |_| is_enough)
}

/// The parent that this node cannot reach, or that does not take it.
fn avoided(asking: &Asking) -> Option<NodeId> {
    match *asking {
        // A parent that is an orphan itself will be back; one whose link closed may have been repaired already.
        Asking::NotAttached { fault: Fault::NotHere, .. } | Asking::LostParent { fault: Fault::Closed, .. } => None,
        Asking::NotAttached { parent, .. } | Asking::LostParent { parent, .. } => Some(parent),
        Asking::New | Asking::Confirm { .. } => None,
    }
}
