//! What is counted and measured while a world runs.

use std::time::Duration;

/// How a set of values is distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles<T> {
    /// How many values.
    pub count: usize,
    /// The smallest.
    pub min: T,
    /// Half of them are not larger.
    pub median: T,
    /// Nine of ten are not larger.
    pub p90: T,
    /// 19 of 20 are not larger.
    pub p95: T,
    /// 99 of a hundred are not larger.
    pub p99: T,
    /// The largest.
    pub max: T,
}

impl<T: Ord + Copy> Percentiles<T> {
    /// Of these values; none of none.
    pub fn of(mut values: Vec<T>) -> Option<Self> {
        values.sort_unstable();
        let count = values.len();
        // The smallest value that so many percent do not exceed (nearest rank).
        let at = |percent: usize| values.get((count * percent).div_ceil(100).max(1) - 1).copied();
        let (min, median) = (*values.first()?, at(50)?);
        Some(Self { count, min, median, p90: at(90)?, p95: at(95)?, p99: at(99)?, max: at(100)? })
    }
}

/// Counters of a world.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) steps: u64,
    pub(crate) inspections: u64,
    pub(crate) joins: usize,
    /// How long each node took from its start until it was attached.
    pub(crate) joining: Vec<Duration>,
    pub(crate) events: usize,
    pub(crate) losses: usize,
    /// Nodes placed for the first time, in another slot than before, in the same one anew.
    pub(crate) places: usize,
    pub(crate) moves: usize,
    pub(crate) placed_again: usize,
    pub(crate) refusals: usize,
    /// Nodes that were made leaf-only for a while.
    pub(crate) blamed: usize,
    pub(crate) gave_up: usize,
    pub(crate) silences: usize,
    /// Measurements that a child, or a node itself, cannot keep up.
    pub(crate) slow: usize,
    pub(crate) frames: usize,
    pub(crate) messages: u64,
    pub(crate) root_messages: u64,
    pub(crate) control_bytes: u64,
    pub(crate) update_bytes: u64,
    /// Nodes that attached with a picture, what they were sent at once, and what was live and new to them.
    pub(crate) rehomed: usize,
    pub(crate) rehomed_sent: u64,
    pub(crate) rehomed_unseen: u64,
}

impl Tally {
    pub(crate) fn rehomed(&mut self, sent: usize, unseen: usize) {
        self.rehomed += 1;
        self.rehomed_sent += sent as u64;
        self.rehomed_unseen += unseen as u64;
    }
}

/// What a world has come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Time on the world's clock.
    pub seconds: f64,
    /// Nodes that started, in all.
    pub joins: usize,
    /// When everybody who started first was attached.
    pub stood_up: Duration,
    /// From a node's start until it was attached.
    pub joining: Option<Percentiles<Duration>>,
    /// Things that happened in the churn.
    pub events: usize,
    /// Nodes that left, crashed, vanished or stalled.
    pub losses: usize,
    /// Nodes at the end, those of them that relay, and the depth of the deepest node.
    pub nodes: usize,
    /// Nodes that may have children, at the end.
    pub relays: usize,
    /// Links between the deepest node and the root, at the end.
    pub depth: u32,
    /// Nodes that were given another slot.
    pub moves: usize,
    /// Nodes that were placed in their slot anew.
    pub placed_again: usize,
    /// Questions that were refused.
    pub refusals: usize,
    /// Nodes that were made leaf-only for a while, being slow or isolated.
    pub blamed: usize,
    /// Nodes that gave up.
    pub gave_up: usize,
    /// Links found silent.
    pub silences: usize,
    /// Measurements that a child, or a node itself, cannot keep up.
    pub slow: usize,
    /// Frames shown.
    pub frames: usize,
    /// Control messages, and those of them to and from the root.
    pub messages: u64,
    /// Control messages to and from the root.
    pub root_messages: u64,
    /// Bytes of control messages.
    pub control_bytes: u64,
    /// Bytes of updates.
    pub update_bytes: u64,
    /// Nodes that attached anew and had a picture.
    pub rehomed: usize,
    /// Bytes that they were sent at once.
    pub rehomed_sent: u64,
    /// Bytes that were live and new to them.
    pub rehomed_unseen: u64,
    /// Events on virtual time.
    pub steps: u64,
    /// How often everything was looked at.
    pub inspections: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_so_many_do_not_exceed() {
        let p = Percentiles::of((1..=200).rev().collect()).unwrap();
        assert_eq!((p.count, p.min, p.median, p.p90, p.p95, p.p99, p.max), (200, 1, 100, 180, 190, 198, 200));
        let p = Percentiles::of(vec![7]).unwrap();
        assert_eq!((p.median, p.p99, p.max), (7, 7, 7));
        assert_eq!(Percentiles::<u8>::of(Vec::new()), None);
    }
}
