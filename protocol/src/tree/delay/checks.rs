//! The root's side: which checks are out, and what an answer says.

use super::gatherer::came_over;
use crate::tree::message::{CheckCounts, DelayReply, Intake};
use crate::tree::slot::NodeId;
use crate::update::Seq;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// For how long a check is remembered, at least until the next one after that; answers to older ones are not counted.
const MEMORY: Duration = Duration::from_secs(60);
/// Checks that are remembered, however young.
const MAX_OPEN: usize = 4096;
/// Answers that are remembered, to all of these together: some 20 MB. A minute of all that two children send are a third of it.
const MAX_ANSWERS: usize = 1 << 20;
/// More answers to a check than so many times the nodes that were there are not believed, nor kept.
const MOST_PER_NODE: usize = 2;
/// Answers that are believed even if fewer nodes were known: those of sites, which the root counts late.
const FEW: usize = 64;

/// A check that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// The number of its update, the last of a frame.
    pub seq: Seq,
    /// When the first update of that frame was published, on the session clock.
    pub began: Duration,
    /// Bytes of the frame's updates, headers included.
    pub bytes: u64,
    /// Nodes that were there.
    pub expected: usize,
}

/// What one answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// The check.
    pub check: Check,
    /// The check before it; none for the first.
    pub after: Option<Seq>,
    /// When the node got the check, on the session clock.
    pub at: Duration,
    /// Who answered.
    pub node: NodeId,
    /// Links between it and the root.
    pub depth: u8,
    /// Bytes that it got for this frame.
    pub bytes: u32,
    /// What it has got since it joined, until `at`.
    pub total: Intake,
    /// The root's clock when the answer came, minus when the frame began, minus how long the answer waited on its way: the picture's way
    /// down and the answer's way up, as TreeVNC measured it.
    pub delay: Duration,
    /// The picture's way down alone: `delay` without the way up.
    pub one_way: Duration,
    /// The round trip of the node's own link, with its queues.
    pub round_trip: Duration,
    /// From the check's receipt to the picture on the node's window, if it has one.
    pub shown: Option<Duration>,
}

#[derive(Debug, Clone)]
struct Open {
    check: Check,
    after: Option<Seq>,
    answered: BTreeSet<NodeId>,
}

/// The checks of a root.
///
/// In: [`sent`](Self::sent), [`answered`](Self::answered). Out: what each answer says. Nothing waits for an answer: who has not answered
/// when the check is forgotten is missing.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    open: BTreeMap<Seq, Open>,
    newest: Option<Seq>,
    /// What is missing is that of checks that are forgotten.
    counts: CheckCounts,
    /// Answers to these.
    answers: usize,
}

impl Checks {
    /// A check has been published.
    pub fn sent(&mut self, check: Check) {
        let after = self.newest.replace(check.seq);
        self.counts.sent += 1;
        let is_old = |open: &Open| open.check.began + MEMORY < check.began;
        while self.open.len() >= MAX_OPEN || self.open.first_key_value().is_some_and(|(_, open)| is_old(open)) {
            self.forget();
        }
        let before = self.open.insert(check.seq, Open { check, after, answered: BTreeSet::new() });
        self.answers -= before.map_or(0, |open| open.answered.len());
    }

    /// Forgets the oldest check.
    fn forget(&mut self) {
        let Some((_, Open { check, answered, .. })) = self.open.pop_first() else { return };
        self.counts.missing += check.expected.saturating_sub(answered.len()) as u64;
        self.answers -= answered.len();
    }

    /// An answer has come from a child of the root, over a link with these round trips: as it is now, and at least. None when there was no
    /// such check, or when the node has answered it before.
    pub fn answered(
        &mut self,
        reply: &DelayReply,
        round_trip: Option<Duration>,
        least: Option<Duration>,
        now: Duration,
    ) -> Option<Delay> {
        let open = self.open.get_mut(&reply.check)?;
        let most = (open.check.expected * MOST_PER_NODE).max(FEW);
        if open.answered.len() >= most || reply.depth == 0 || !open.answered.insert(reply.node) {
            return None;
        }
        let (check, after) = (open.check, open.after);
        self.answers += 1;
        if self.answers > MAX_ANSWERS {
            self.forget();
        }
        let reply = came_over(reply, round_trip, least);
        let micros = |time: u32| Duration::from_micros(time.into());
        let held = micros(reply.held);
        let delay = now.saturating_sub(check.began).saturating_sub(held);
        self.counts.answers += 1;
        Some(Delay {
            check,
            after,
            at: now.saturating_sub(held).saturating_sub(micros(reply.way_back)),
            node: reply.node,
            depth: reply.depth,
            bytes: reply.bytes,
            total: reply.total,
            delay,
            one_way: delay.saturating_sub(micros(reply.way_back)),
            round_trip: micros(reply.round_trip),
            shown: reply.shown.map(micros),
        })
    }

    /// Answers to a check so far.
    pub fn count(&self, seq: Seq) -> usize {
        self.open.get(&seq).map_or(0, |open| open.answered.len())
    }

    /// What has become of all checks. Answers count as missing when their check is forgotten.
    pub fn counts(&self) -> CheckCounts {
        self.counts
    }
}
