//! Nodes with an upload limit: who may have no children because two copies of the picture do not fit into it.

use super::Topology;
use super::event::TreeEvent;
use super::node::Node;
use crate::tree::demand::LEAST_BYTES_PER_SECOND as LEAST;
use crate::tree::message::WhyLeaf;
use crate::tree::slot::NodeId;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

/// Copies that a relay sends.
const COPIES: u64 = 2;
/// Less than such a part of what was needed is a fall; smaller ones change nothing, so that nodes do not come and go.
const FALL: u64 = 2;

/// What the picture needs, and who carries it all the same.
#[derive(Debug)]
pub(super) struct Caps {
    /// Bytes per second of one copy.
    demand: u64,
    /// Whether everybody is what the demand makes of it, as far as there is room.
    is_settled: bool,
    /// Those who are relays although their limit is too small, because nobody else was left.
    needed: BTreeSet<NodeId>,
}

impl Default for Caps {
    fn default() -> Self {
        Self { demand: LEAST, is_settled: true, needed: BTreeSet::new() }
    }
}

impl Caps {
    /// Whether two copies fit into a limit of so many KiB per second, or there is none.
    fn fits(&self, upload: u32) -> bool {
        upload == 0 || u64::from(upload) * 1024 >= self.demand.saturating_mul(COPIES)
    }

    /// Why a node with this limit has no children.
    pub(super) fn why(&self, id: NodeId, upload: u32) -> Option<WhyLeaf> {
        (!self.fits(upload) && !self.needed.contains(&id)).then_some(WhyLeaf::Capped)
    }

    /// A node is gone.
    pub(super) fn forget(&mut self, id: NodeId) {
        self.needed.remove(&id);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.needed.len()
    }
}

impl Topology {
    /// What one copy of the picture needs, in bytes per second, smoothed: call it every few seconds. Relays into whose limits two copies no
    /// longer fit become leaves, those with the smallest limits first, and of those with children one at each call, as long as there is
    /// room for the children; they are relays again when the picture needs much less.
    pub fn set_demand(&mut self, bytes_per_second: u64, now: Duration) {
        let demand = bytes_per_second.max(LEAST);
        let has_fallen = demand < self.caps.demand / FALL || (demand == LEAST && self.caps.demand > LEAST);
        if demand > self.caps.demand || has_fallen {
            (self.caps.demand, self.caps.is_settled) = (demand, false);
        }
        // One that asked before the picture needed less, or comes back from where it was moved, may be known as it was then.
        let is_outdated = |node: &Node| {
            node.profile.leaf_only == Some(WhyLeaf::Capped) && !node.slot.is_extra() && self.caps.fits(node.profile.upload)
        };
        if self.caps.is_settled && !self.places.iter().any(|(_, node)| is_outdated(node)) {
            return;
        }
        let limited = self.places.iter().filter(|(_, node)| node.profile.upload > 0 && !node.slot.is_extra());
        let mut limited: Vec<_> = limited.map(|(id, node)| (node.profile.upload, Reverse(node.slot), id)).collect();
        limited.sort_unstable();
        self.caps.is_settled = true;
        for (upload, Reverse(slot), id) in limited {
            if self.caps.fits(upload) {
                self.caps.forget(id);
                if self.places.node(id).is_some_and(|node| node.profile.leaf_only == Some(WhyLeaf::Capped)) {
                    self.promote(id);
                }
            } else if self.caps.why(id, upload).is_some() && (self.caps.is_settled || self.places.below(slot).is_empty()) {
                let has_children = !self.places.below(slot).is_empty();
                self.caps.is_settled &= !(self.demote(id, WhyLeaf::Capped, now) && has_children);
            }
        }
        self.serve(now);
    }

    /// Somebody waits, and nobody is left who could have children: the one with the largest limit among those whose limits are too small
    /// has to, be it one who waits. Answers whether there was one.
    pub(super) fn call_on_the_capped(&mut self) -> bool {
        let is_capped = |leaf_only: Option<WhyLeaf>| leaf_only == Some(WhyLeaf::Capped);
        let in_tree = self.places.iter().filter(|(_, node)| is_capped(node.profile.leaf_only) && !node.slot.is_extra());
        let best = in_tree.max_by_key(|(_, node)| (node.profile.upload, Reverse(node.slot))).map(|(id, _)| id);
        if let Some(id) = best {
            self.need(id);
            return true;
        }
        let Some((link, id, dialable)) = self.questions.best_capped() else { return false };
        self.caps.needed.insert(id);
        self.questions.describe(link, dialable, None);
        self.questions.search(link, false);
        true
    }

    /// A node has to have children although its limit is too small for two copies.
    pub(super) fn need(&mut self, id: NodeId) {
        self.caps.needed.insert(id);
        self.promote(id);
    }

    fn promote(&mut self, id: NodeId) {
        self.places.set_leaf_only(id, None);
        self.events.push_back(TreeEvent::Relays { id, leaf_only: None });
    }
}
