//! Who could not reach whom although the root reaches both, for a while.

use crate::tree::slot::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Failures that are remembered; more than these say nothing new.
const MOST: usize = 4096;
const ANYBODY: std::ops::RangeInclusive<NodeId> = NodeId(0)..=NodeId(u64::MAX);

/// Child and parent of failed attempts.
///
/// INVARIANT: the three hold the same failures.
#[derive(Debug, Default)]
pub(super) struct Failures {
    until: BTreeMap<(NodeId, NodeId), Duration>,
    by_parent: BTreeSet<(NodeId, NodeId)>,
    deadlines: BTreeSet<(Duration, NodeId, NodeId)>,
}

impl Failures {
    /// A child could not reach a parent, which counts until then.
    pub(super) fn add(&mut self, child: NodeId, parent: NodeId, until: Duration) {
        self.remove(child, parent);
        if self.until.len() < MOST {
            self.until.insert((child, parent), until);
            self.by_parent.insert((parent, child));
            self.deadlines.insert((until, child, parent));
        }
    }

    /// Whom a node could not reach.
    pub(super) fn parents(&self, child: NodeId) -> impl Iterator<Item = NodeId> {
        self.until.range((child, *ANYBODY.start())..=(child, *ANYBODY.end())).map(|((_, parent), _)| *parent)
    }

    /// Who could not reach a node.
    pub(super) fn children(&self, parent: NodeId) -> impl Iterator<Item = NodeId> {
        self.by_parent.range((parent, *ANYBODY.start())..=(parent, *ANYBODY.end())).map(|(_, child)| *child)
    }

    /// That a node was not reached was its own fault.
    pub(super) fn forget_parent(&mut self, parent: NodeId) {
        let children: Vec<_> = self.children(parent).collect();
        children.into_iter().for_each(|child| self.remove(child, parent));
    }

    /// Nothing is known of a node any more.
    pub(super) fn forget(&mut self, id: NodeId) {
        self.forget_parent(id);
        let parents: Vec<_> = self.parents(id).collect();
        parents.into_iter().for_each(|parent| self.remove(id, parent));
    }

    /// When the next one is too long ago to count.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(until, ..)| *until)
    }

    /// Forgets those that are too long ago.
    pub(super) fn expire(&mut self, now: Duration) {
        while let Some(&(_, child, parent)) = self.deadlines.first().filter(|(until, ..)| *until <= now) {
            self.remove(child, parent);
        }
    }

    fn remove(&mut self, child: NodeId, parent: NodeId) {
        if let Some(until) = self.until.remove(&(child, parent)) {
            self.by_parent.remove(&(parent, child));
            self.deadlines.remove(&(until, child, parent));
        }
    }
}
