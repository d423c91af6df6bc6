//! Which slot a node gets, and who fills a hole. Reads the places, changes nothing.

use super::failures::Failures;
use super::node::{Node, State, Suspicion};
use super::places::{Line, Places};
use super::questions::{Question, Questions};
use crate::tree::message::{Asking, Fault};
use crate::tree::slot::{NodeId, Slot};
use std::collections::BTreeSet;

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

/// Chooses by the rules at [`super::Topology`]. A node that is kept apart, which is no relay, can only be below the root.
pub(super) fn choose(places: &Places, question: &Question, failures: &Failures, is_apart: bool, root: NodeId) -> Choice {
    let asking = &question.ask.asking;
    let held = places.node(question.ask.id).map(|node| node.slot);
    let is_relay = question.profile.leaf_only.is_none();
    let above = |slot: Slot| slot.parent().and_then(|above| places.holder(above));
    let is_suitable = |slot: Slot| !is_apart || slot.parent() == Some(Slot::ROOT);
    let is_allowed = |slot: Slot| is_suitable(slot) && held.is_none_or(|held| !slot.is_below(held));
    let usable = held.filter(|slot| places.line(*slot) != Line::Broken && is_suitable(*slot));
    let avoided = avoided(asking);
    let failed_at: BTreeSet<NodeId> = match avoided {
        Some(_) => failures.parents(question.ask.id).chain(avoided).collect(),
        None => BTreeSet::new(),
    };
    let is_avoided = |slot: Slot| failed_at.contains(&above(slot).map_or(root, |(id, _)| id));
    // After a failure one that others have reached is the better choice.
    let is_better = |slot: Slot| above(slot).is_none_or(|(_, node)| node.profile.reached) && !is_avoided(slot);
    let slot = usable.filter(|slot| !is_avoided(*slot));
    let slot = slot.or_else(|| avoided.and_then(|_| lowest(places, is_relay, |slot| is_allowed(slot) && is_better(slot))));
    let slot = slot.or_else(|| lowest(places, is_relay, |slot| is_allowed(slot) && !is_avoided(slot)));
    match slot.or(usable).or_else(|| lowest(places, is_relay, is_allowed)) {
        Some(slot) if places.line(slot) == Line::Whole => Choice::Take(slot),
        Some(slot) => Choice::Keep(slot),
        None => Choice::Nothing,
    }
}

/// The lowest slot for a node. A relay takes one from a leaf-only node, if the vacant ones are all in rows further down.
fn lowest(places: &Places, is_relay: bool, is_suitable: impl Fn(Slot) -> bool) -> Option<Slot> {
    let vacant = places.vacant().find(|slot| is_suitable(*slot));
    let yielding = if is_relay { places.yielding().find(|slot| is_suitable(*slot)) } else { None };
    match (vacant, yielding) {
        (Some(vacant), Some(yielding)) if yielding.depth() < vacant.depth() => Some(yielding),
        (vacant, yielding) => vacant.or(yielding),
    }
}

/// Relays of the last row that are looked at for one that has nobody below it.
const LOOKED_AT: usize = 8;

/// The next hole to fill, and the relay that is to fill it: the last one that is there, or one near it in its row that has nobody below.
pub(super) fn next_move(places: &Places, questions: &Questions, root: NodeId) -> Option<(Slot, NodeId)> {
    let deepest = places.deepest_relay()?;
    places.holes_above(deepest.depth()).next()?;
    let mut movers = places.relays_from_last().filter(|(id, node)| can_move(*id, node, questions)).peekable();
    let last = movers.peek()?.1.slot;
    let hole = places.holes_above(last.depth()).min()?;
    let above = hole.parent().map(|above| places.holder(above).map_or(root, |(id, _)| id));
    let row = movers.take_while(|(_, node)| node.slot.depth() == last.depth()).take(LOOKED_AT);
    // One that has no parent anyway may try again.
    let can_try = |node: &Node| node.state == State::Asking || node.cannot_reach.is_none() || node.cannot_reach != above;
    let row = row.filter(|(_, node)| can_try(node));
    let (mover, _) = row.min_by_key(|(_, node)| places.below(node.slot).len())?;
    Some((hole, mover))
}

fn can_move(id: NodeId, node: &Node, questions: &Questions) -> bool {
    match node.state {
        State::Asking => questions.can_be_answered(id),
        State::Attached | State::Doubted => node.profile.dialable && node.suspicion == Suspicion::None,
        State::Placed | State::Expected => false,
    }
}

/// The parent that this node cannot reach, or that does not take it.
pub(super) fn avoided(asking: &Asking) -> Option<NodeId> {
    match *asking {
        // A parent that is an orphan itself will be back; whether one whose link ended is there the root finds out itself.
        Asking::NotAttached { fault: Fault::NotHere, .. } | Asking::LostParent { .. } => None,
        Asking::NotAttached { parent, .. } => Some(parent),
        Asking::New | Asking::Confirm { .. } => None,
    }
}
