//! Who was found slow or isolated, and for how long it therefore stays leaf-only.

use crate::tree::message::WhyLeaf;
use crate::tree::slot::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long it is remembered, after a probation, how often a node was on probation.
const MEMORY: Duration = Duration::from_secs(600);
/// The longest probation is the first, doubled so many times.
const MAX_DOUBLINGS: u32 = 4;

#[derive(Debug, Clone, Copy)]
struct Blame {
    why: WhyLeaf,
    /// On whose word.
    by: NodeId,
    times: u32,
    is_on_probation: bool,
    next: Duration,
}

/// INVARIANT: `deadlines` has exactly the next times of those in `of`.
#[derive(Debug, Default)]
pub(super) struct Blames {
    of: BTreeMap<NodeId, Blame>,
    deadlines: BTreeSet<(Duration, NodeId)>,
}

impl Blames {
    /// Puts a node on probation on somebody's word, for longer each time.
    pub(super) fn add(&mut self, id: NodeId, why: WhyLeaf, by: NodeId, now: Duration, probation: Duration) {
        let times = self.forget(id).map_or(0, |blame| blame.times);
        let next = now + probation * (1 << times.min(MAX_DOUBLINGS));
        self.put(id, Blame { why, by, times: times + 1, is_on_probation: true, next });
    }

    /// Why a node is on probation, if it is.
    pub(super) fn why(&self, id: NodeId) -> Option<WhyLeaf> {
        self.of.get(&id).filter(|blame| blame.is_on_probation).map(|blame| blame.why)
    }

    /// How many are on probation or were not long ago; those that are kept apart are nobody's fault.
    pub(super) fn len(&self) -> usize {
        self.of.values().filter(|blame| blame.why != WhyLeaf::Isolated).count()
    }

    /// How many are on probation for that.
    pub(super) fn count(&self, why: WhyLeaf) -> usize {
        self.of.values().filter(|blame| blame.is_on_probation && blame.why == why).count()
    }

    /// What this node said of others counts no more: those who were blamed for it.
    pub(super) fn withdraw(&mut self, by: NodeId) -> Vec<NodeId> {
        let blamed: Vec<_> = self.of.iter().filter(|(_, blame)| blame.by == by).map(|(id, _)| *id).collect();
        for id in &blamed {
            self.forget(*id);
        }
        blamed
    }

    /// Nothing is known of a node any more.
    pub(super) fn remove(&mut self, id: NodeId) {
        self.forget(id);
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(next, _)| *next)
    }

    /// The next node whose probation is over.
    pub(super) fn pardon(&mut self, now: Duration) -> Option<NodeId> {
        while let Some(&(next, id)) = self.deadlines.first().filter(|(next, _)| *next <= now) {
            let blame = self.forget(id)?;
            if blame.is_on_probation {
                self.put(id, Blame { is_on_probation: false, next: next + MEMORY, ..blame });
                return Some(id);
            }
        }
        None
    }

    fn put(&mut self, id: NodeId, blame: Blame) {
        self.deadlines.insert((blame.next, id));
        self.of.insert(id, blame);
    }

    fn forget(&mut self, id: NodeId) -> Option<Blame> {
        let blame = self.of.remove(&id)?;
        self.deadlines.remove(&(blame.next, id));
        Some(blame)
    }
}
