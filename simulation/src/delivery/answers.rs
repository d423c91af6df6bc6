//! The answers as they come to the root: counted, and compared with what is true.

use crate::delivery::report::AnswerFigures;
use crate::figures::Percentiles;
use std::collections::BTreeMap;
use std::time::Duration;
use treevnc_protocol::tree::delay::{Check, Checks, Delay};
use treevnc_protocol::tree::message::DelayReply;
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::update::Seq;

/// The root's side of the measuring.
#[derive(Debug)]
pub(super) struct Answers {
    checks: Checks,
    expected: u64,
    given: u64,
    arrived: u64,
    /// When each message came, by the root's child that sent it.
    messages: [Vec<Duration>; 2],
    errors: Vec<Duration>,
    too_short: u64,
    climbs: Vec<Duration>,
    /// Checks, and how many answers of each are still to be counted.
    open: BTreeMap<Seq, usize>,
    /// How many were counted of each node.
    of_nodes: BTreeMap<NodeId, u64>,
}

impl Answers {
    pub(super) fn new() -> Self {
        Self {
            checks: Checks::default(),
            expected: 0,
            given: 0,
            arrived: 0,
            messages: [Vec::new(), Vec::new()],
            errors: Vec::new(),
            too_short: 0,
            climbs: Vec::new(),
            open: BTreeMap::new(),
            of_nodes: BTreeMap::new(),
        }
    }

    /// A check is out.
    pub(super) fn sent(&mut self, check: Check) {
        self.expected += check.expected as u64;
        self.open.insert(check.seq, check.expected);
        self.checks.sent(check);
    }

    /// A node has answered.
    pub(super) fn given(&mut self) {
        self.given += 1;
    }

    /// A message has come from that child of the root. `truth` says how long a reply's frame took to its node.
    pub(super) fn arrived(
        &mut self,
        child: usize,
        replies: &[DelayReply],
        round_trip: Duration,
        now: Duration,
        truth: impl Fn(&DelayReply) -> Option<Duration>,
    ) {
        if let Some(messages) = self.messages.get_mut(child) {
            messages.push(now);
        }
        for reply in replies {
            self.arrived += 1;
            let Some(delay) = self.checks.answered(reply, Some(round_trip), Some(round_trip), now) else { continue };
            if let Some(truth) = truth(reply) {
                self.count(&delay, truth, now);
            }
        }
    }

    fn count(&mut self, delay: &Delay, truth: Duration, now: Duration) {
        self.too_short += u64::from(delay.one_way < truth);
        self.errors.push(delay.one_way.abs_diff(truth));
        self.climbs.push(now.saturating_sub(delay.check.began + truth));
        *self.of_nodes.entry(delay.node).or_default() += 1;
        if let Some(open) = self.open.get_mut(&delay.check.seq) {
            *open = open.saturating_sub(1);
        }
    }

    /// What all of it came to, of so many nodes.
    pub(super) fn figures(self, nodes: usize) -> AnswerFigures {
        let never = (self.of_nodes.len() < nodes).then_some(0);
        let counted = self.errors.len() as u64;
        AnswerFigures {
            expected: self.expected,
            given: self.given,
            lost: self.given - self.arrived,
            late: self.arrived - counted,
            counted,
            checks: self.open.len(),
            complete: self.open.values().filter(|open| **open == 0).count(),
            fewest_of_a_node: never.or(self.of_nodes.values().min().copied()).unwrap_or(0),
            most_of_a_node: self.of_nodes.values().max().copied().unwrap_or(0),
            messages: self.messages.iter().map(|of_child| of_child.len() as u64).sum(),
            most_per_second: self.messages.iter().map(|of_child| most_in_a_second(of_child)).max().unwrap_or(0),
            too_short: self.too_short,
            error: Percentiles::of(self.errors),
            climb: Percentiles::of(self.climbs),
        }
    }
}

/// Most of these times, which go up, that are less than a second apart.
fn most_in_a_second(times: &[Duration]) -> usize {
    let second = Duration::from_secs(1);
    let after = |from: Duration| times.partition_point(|time| *time < from + second);
    times.iter().enumerate().map(|(first, from)| after(*from) - first).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_second_may_begin_at_any_time() {
        let at = |millis: &[u64]| most_in_a_second(&millis.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>());
        assert_eq!((at(&[]), at(&[5]), at(&[0, 999, 1000]), at(&[0, 900, 1000, 1800, 1899])), (0, 1, 2, 4));
    }
}
