//! Who holds which slot, and which slots can be given away. Data and its invariants; no messages, no decisions.

use super::node::{Node, Profile, State, Suspicion};
use crate::tree::message::WhyLeaf;
use crate::tree::slot::{MAX_EXTRA, NodeId, Slot, V};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is above a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// Attached relays up to the root, and no doubt about any.
    Whole,
    /// Some of them are on their way, or in doubt, or will be replaced by a relay from further down.
    Hopeful,
    /// One is missing and will not be replaced.
    Broken,
}

/// All nodes but the root, by number and by slot.
///
/// Somebody who has to give way is *ousted*: attached still, but its slot is held by the one who comes. It is forgotten when that one
/// has attached, and is back in its slot if that one does not.
///
/// INVARIANT: `slots` and `nodes` are inverse to each other; `vacant` are the slots of the binary tree that nobody holds and whose
/// parent slot is the root's or held by a relay that is attached or on its way, `yielding` those of them that an attached leaf-only
/// node holds; `relays` are the slots of relays that are there or soon will be; `deadlines` has exactly the nodes that are not attached.
#[derive(Debug)]
pub(super) struct Places {
    nodes: BTreeMap<NodeId, Node>,
    slots: BTreeMap<Slot, NodeId>,
    vacant: BTreeSet<Slot>,
    yielding: BTreeSet<Slot>,
    relays: BTreeSet<Slot>,
    deadlines: BTreeSet<(Duration, NodeId)>,
    ousted: BTreeMap<Slot, (NodeId, Node)>,
    ousted_from: BTreeMap<NodeId, Slot>,
}

impl Places {
    pub(super) fn new() -> Self {
        Self {
            nodes: BTreeMap::new(),
            slots: BTreeMap::new(),
            vacant: Slot::ROOT.children().collect(),
            yielding: BTreeSet::new(),
            relays: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            ousted: BTreeMap::new(),
            ousted_from: BTreeMap::new(),
        }
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub(super) fn holder(&self, slot: Slot) -> Option<(NodeId, &Node)> {
        let id = *self.slots.get(&slot)?;
        Some((id, self.nodes.get(&id)?))
    }

    /// All nodes in slot order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.slots.values().filter_map(|&id| Some((id, self.nodes.get(&id)?)))
    }

    /// The nodes below a slot: left, right, extra.
    pub(super) fn below(&self, slot: Slot) -> Vec<NodeId> {
        let pair = slot.children().filter_map(|below| self.slots.get(&below).copied());
        pair.chain(self.extras(slot).map(|(_, id)| id)).collect()
    }

    fn extras(&self, slot: Slot) -> impl Iterator<Item = (Slot, NodeId)> {
        let ends = Slot::extra(slot, 0).zip(Slot::extra(slot, MAX_EXTRA - 1));
        ends.into_iter().flat_map(|(first, last)| self.slots.range(first..=last)).map(|(slot, id)| (*slot, *id))
    }

    /// The first extra place below a slot that nobody holds.
    pub(super) fn free_extra(&self, slot: Slot) -> Option<Slot> {
        let held: BTreeSet<Slot> = self.extras(slot).map(|(slot, _)| slot).collect();
        (0..MAX_EXTRA).filter_map(|n| Slot::extra(slot, n)).find(|extra| !held.contains(extra))
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How many relays are there or soon will be.
    pub(super) fn relay_count(&self) -> usize {
        self.relays.len()
    }

    /// Whether every node has attached.
    pub(super) fn is_settled(&self) -> bool {
        self.deadlines.is_empty()
    }

    /// The next deadline of a node.
    pub(super) fn deadline(&self) -> Option<(Duration, NodeId)> {
        self.deadlines.first().copied()
    }

    /// Gives a slot that is free, or held by the same node, to a node, which must be heard of `until` then.
    pub(super) fn hold(&mut self, id: NodeId, node: Node, until: Duration) {
        self.free(id);
        let slot = node.slot;
        self.slots.insert(slot, id);
        self.deadlines.insert((until, id));
        self.nodes.insert(id, Node { until: Some(until), ..node });
        self.refresh(slot);
    }

    /// Changes a node's state; in every state but attached it is to be heard of `until` then.
    pub(super) fn change(&mut self, id: NodeId, state: State, until: Option<Duration>) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        if let Some(old) = node.until {
            self.deadlines.remove(&(old, id));
        }
        node.state = state;
        node.until = until;
        self.deadlines.extend(until.map(|until| (until, id)));
        let slot = node.slot;
        self.refresh(slot);
    }

    /// Notes what is known of a node.
    pub(super) fn describe(&mut self, id: NodeId, profile: Profile) {
        self.edit(id, |node| node.profile = profile);
    }

    /// Notes that a node may have no children, or may have some again.
    pub(super) fn set_leaf_only(&mut self, id: NodeId, leaf_only: Option<WhyLeaf>) {
        self.edit(id, |node| node.profile.leaf_only = leaf_only);
    }

    pub(super) fn suspect(&mut self, id: NodeId, suspicion: Suspicion) {
        self.edit(id, |node| node.suspicion = suspicion);
    }

    /// Notes under whom a node is attached.
    pub(super) fn adopt(&mut self, id: NodeId, parent: (NodeId, V)) {
        self.edit(id, |node| node.parent = parent);
    }

    /// Changes what is no slot, state or deadline.
    pub(super) fn edit(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        change(node);
        let slot = node.slot;
        self.refresh(slot);
    }

    /// Forgets a node: what it held.
    pub(super) fn free(&mut self, id: NodeId) -> Option<Node> {
        let node = self.nodes.remove(&id)?;
        self.slots.remove(&node.slot);
        if let Some(until) = node.until {
            self.deadlines.remove(&(until, id));
        }
        self.refresh(node.slot);
        Some(node)
    }

    /// The holder of a slot has to give way.
    pub(super) fn oust(&mut self, id: NodeId) {
        let Some(node) = self.free(id) else { return };
        self.ousted_from.insert(id, node.slot);
        self.ousted.insert(node.slot, (id, node));
    }

    /// Whoever was ousted from a slot is no longer there.
    pub(super) fn forget_ousted(&mut self, slot: Slot) {
        if let Some((id, _)) = self.ousted.remove(&slot) {
            self.ousted_from.remove(&id);
        }
    }

    /// A node that was ousted: where it was, and what was known of it.
    pub(super) fn ousted(&self, id: NodeId) -> Option<&Node> {
        let slot = self.ousted_from.get(&id)?;
        self.ousted.get(slot).map(|(_, node)| node)
    }

    /// Whoever was ousted from a slot that is free again is back in it.
    pub(super) fn restore_ousted(&mut self, slot: Slot) -> Option<NodeId> {
        let (id, node) = self.ousted.remove(&slot)?;
        self.ousted_from.remove(&id);
        self.slots.insert(slot, id);
        self.nodes.insert(id, node);
        self.refresh(slot);
        Some(id)
    }

    /// What is above a slot.
    pub(super) fn line(&self, slot: Slot) -> Line {
        let mut line = Line::Whole;
        for above in slot.ancestors().filter(|above| *above != Slot::ROOT) {
            match self.holder(above) {
                Some((_, node)) if node.is_relay() => match node.state {
                    State::Attached if node.suspicion == Suspicion::None => {}
                    State::Expected => return Line::Broken,
                    _ => line = Line::Hopeful,
                },
                _ if self.deepest_relay().is_some_and(|relay| relay.depth() > above.depth()) => line = Line::Hopeful,
                _ => return Line::Broken,
            }
        }
        line
    }

    /// The last slot that a relay holds.
    pub(super) fn deepest_relay(&self) -> Option<Slot> {
        self.relays.last().copied()
    }

    /// Relays from the last slot up.
    pub(super) fn relays_from_last(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.relays.iter().rev().filter_map(|slot| self.holder(*slot))
    }

    /// Relays below and to the right of a slot, in slot order.
    pub(super) fn relays_after(&self, slot: Slot) -> impl Iterator<Item = (NodeId, &Node)> {
        self.relays.range(slot..).skip_while(move |at| **at == slot).filter_map(|slot| self.holder(*slot))
    }

    /// Slots that nobody holds, lowest first: the line above is not broken.
    pub(super) fn vacant(&self) -> impl Iterator<Item = Slot> {
        self.vacant.iter().copied().filter(|&slot| self.line(slot) != Line::Broken)
    }

    /// Slots whose leaf-only holder would give way to a relay, lowest first.
    pub(super) fn yielding(&self) -> impl Iterator<Item = Slot> {
        self.yielding.iter().copied().filter(|&slot| self.line(slot) != Line::Broken)
    }

    /// Slots above this row that no relay holds, and whose line is whole.
    pub(super) fn holes_above(&self, depth: u32) -> impl Iterator<Item = Slot> {
        let limit = Slot::first_of_row(depth).unwrap_or(Slot::ROOT);
        let holes = self.vacant.range(..limit).chain(self.yielding.range(..limit));
        holes.copied().filter(|&slot| self.line(slot) == Line::Whole)
    }

    /// Brings the sets of slots up to date for a slot and the two below it.
    fn refresh(&mut self, slot: Slot) {
        if slot.is_extra() {
            return;
        }
        let counts = self.holder(slot).is_some_and(|(_, node)| node.counts());
        set(&mut self.relays, slot, counts);
        for slot in slot.children().chain([slot]) {
            let may_be_given = match slot.parent() {
                None => false,
                Some(Slot::ROOT) => true,
                Some(parent) => self.holder(parent).is_some_and(|(_, node)| node.may_have_children()),
            };
            let holder = self.holder(slot).map(|(_, node)| !node.is_relay() && node.state == State::Attached);
            set(&mut self.vacant, slot, may_be_given && holder.is_none());
            set(&mut self.yielding, slot, may_be_given && holder == Some(true));
        }
    }

    /// Fails where an invariant does not hold.
    #[cfg(test)]
    pub(super) fn check(&self) {
        assert_eq!(self.nodes.len(), self.slots.len());
        for (slot, id) in &self.slots {
            assert_eq!(self.nodes[id].slot, *slot);
        }
        let waiting: BTreeSet<_> = self.nodes.iter().filter_map(|(id, node)| Some((node.until?, *id))).collect();
        assert_eq!(waiting, self.deadlines);
        assert!(self.nodes.values().all(|node| (node.state == State::Attached) == node.until.is_none()));
        let in_tree = || self.nodes.values().filter(|node| !node.slot.is_extra());
        let relays = in_tree().filter(|node| node.may_have_children()).map(|node| node.slot);
        let below: BTreeSet<Slot> = relays.chain([Slot::ROOT]).flat_map(Slot::children).collect();
        let vacant = below.iter().copied().filter(|slot| !self.slots.contains_key(slot));
        assert_eq!(self.vacant, vacant.collect());
        let is_yielding = |node: &Node| !node.is_relay() && node.state == State::Attached;
        let yielding = below.iter().copied().filter(|slot| self.holder(*slot).is_some_and(|(_, node)| is_yielding(node)));
        assert_eq!(self.yielding, yielding.collect());
        assert_eq!(self.relays, in_tree().filter(|node| node.counts()).map(|node| node.slot).collect());
        assert!(self.ousted.iter().all(|(slot, (id, node))| {
            self.ousted_from[id] == *slot && node.slot == *slot && self.slots.contains_key(slot) && !self.nodes.contains_key(id)
        }));
        assert_eq!(self.ousted.len(), self.ousted_from.len());
    }
}

fn set(slots: &mut BTreeSet<Slot>, slot: Slot, is_in: bool) {
    if is_in {
        slots.insert(slot);
    } else {
        slots.remove(&slot);
    }
}
