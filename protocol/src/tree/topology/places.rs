//! Who holds which slot, and which slots can be given away. Data and its invariants; no messages, no decisions.

use crate::tree::slot::{NodeId, Slot, V};
use crate::tree::text::NodeName;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// How it stands with a node that holds a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It was told its place and has not attached yet.
    Placed,
    /// It has attached.
    Attached,
    /// Its question is open: it is answered as soon as the line above its slot is whole.
    Asking,
    /// It failed, or its question broke off: it will ask again.
    Expected,
    /// The slot above was emptied: either its parent comes back and says that it has kept it, or it asks by itself.
    Doubted,
}

/// What is above a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// Attached relays up to the root.
    Whole,
    /// Some of them are on their way: placed, or about to be.
    Hopeful,
    /// One is missing, doubtful or leaf-only.
    Broken,
}

/// A node that holds a slot.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) name: NodeName,
    pub(super) address: SocketAddr,
    pub(super) relay: bool,
    pub(super) slot: Slot,
    pub(super) v: V,
    /// The placement with which it came to this slot; a placement anew in the same slot does not change it. None before that.
    pub(super) tenure: V,
    /// The node above when `v` was given, and its tenure.
    pub(super) parent: (NodeId, V),
    pub(super) state: State,
    /// Since when it has held the slot.
    pub(super) since: Duration,
    /// When it must have been heard of; none once attached.
    pub(super) until: Option<Duration>,
}

impl Node {
    /// A node that asks for this slot and was not placed yet.
    pub(super) fn asking(name: NodeName, address: SocketAddr, relay: bool, slot: Slot, now: Duration) -> Self {
        let (v, tenure, parent) = (V::NONE, V::NONE, (NodeId(0), V::NONE));
        Self { name, address, relay, slot, v, tenure, parent, state: State::Asking, since: now, until: None }
    }

    fn may_have_children(&self) -> bool {
        self.relay && matches!(self.state, State::Placed | State::Attached | State::Asking)
    }
}

/// All nodes but the root, by number and by slot.
///
/// INVARIANT: `slots` and `nodes` are inverse to each other; `open` are the slots that nobody holds and whose parent slot is
/// the root's or held by a relay that is attached or on its way; `deadlines` has exactly the nodes that are not attached.
#[derive(Debug)]
pub(super) struct Places {
    nodes: BTreeMap<NodeId, Node>,
    slots: BTreeMap<Slot, NodeId>,
    open: BTreeSet<Slot>,
    deadlines: BTreeSet<(Duration, NodeId)>,
}

impl Places {
    pub(super) fn new() -> Self {
        let open = Slot::ROOT.children().collect();
        Self { nodes: BTreeMap::new(), slots: BTreeMap::new(), open, deadlines: BTreeSet::new() }
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

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
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

    /// Notes what a node says of itself.
    pub(super) fn describe(&mut self, id: NodeId, name: NodeName, address: SocketAddr, relay: bool) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        (node.name, node.address, node.relay) = (name, address, relay);
        let slot = node.slot;
        self.refresh(slot);
    }

    /// Notes under whom a node is attached.
    pub(super) fn adopt(&mut self, id: NodeId, parent: (NodeId, V)) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.parent = parent;
        }
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

    /// What is above a slot.
    pub(super) fn line(&self, slot: Slot) -> Line {
        let mut line = Line::Whole;
        for above in slot.ancestors().filter(|above| *above != Slot::ROOT) {
            match self.holder(above) {
                Some((_, Node { relay: true, state: State::Attached, .. })) => {}
                Some((_, Node { relay: true, state: State::Placed | State::Asking, .. })) => line = Line::Hopeful,
                _ => return Line::Broken,
            }
        }
        line
    }

    /// The slots that can be given away, lowest first: nobody's, and the line above is not broken.
    pub(super) fn available(&self) -> impl Iterator<Item = Slot> {
        self.open.iter().copied().filter(|&slot| self.line(slot) != Line::Broken)
    }

    /// Brings `open` up to date for a slot and the two below it.
    fn refresh(&mut self, slot: Slot) {
        for slot in slot.children().chain([slot]) {
            let may_have_children = match slot.parent() {
                None => false,
                Some(Slot::ROOT) => true,
                Some(parent) => self.holder(parent).is_some_and(|(_, node)| node.may_have_children()),
            };
            if may_have_children && !self.slots.contains_key(&slot) {
                self.open.insert(slot);
            } else {
                self.open.remove(&slot);
            }
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
        let relays = self.nodes.values().filter(|node| node.may_have_children()).map(|node| node.slot);
        let below = relays.chain([Slot::ROOT]).flat_map(Slot::children);
        assert_eq!(self.open, below.filter(|slot| !self.slots.contains_key(slot)).collect());
    }
}
