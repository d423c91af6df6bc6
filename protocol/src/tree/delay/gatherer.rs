//! The way up: a node's own answers and those from below, in few messages.

use super::micros;
use crate::tree::message::{DelayReply, Intake, MAX_DELAY_REPLIES};
use crate::tree::mix::mixed;
use crate::tree::slot::NodeId;
use crate::tree::topology::MAX_NODES;
use crate::update::Seq;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// A parent is sent at most one message in this time.
pub const PERIOD: Duration = Duration::from_millis(100);
/// Answers that may wait, about 2 MB: as many as wait below the root of the largest tree when all of it answers one check. What is too much
/// is lost, and missing at the root.
const MAX_WAITING: usize = MAX_NODES / 4;
/// An answer that has waited longer, on all nodes together, is lost: newer ones are of more use.
const MOST_HELD: Duration = Duration::from_secs(30);
/// Checks that a node remembers to have got, more than come within [`MOST_HELD`].
const MAX_KNOWN: usize = 4096;
/// The rank of answers to checks that have not come here.
const UNKNOWN: u64 = 0;

/// A check, as a node got it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The number of its update.
    pub check: Seq,
    /// Bytes of updates since the complete point before, headers included.
    pub bytes: u64,
    /// What the node has got until now, since it joined.
    pub total: Intake,
    /// When the check was complete, on the node's clock.
    pub at: Duration,
}

impl Intake {
    /// An update of so many bytes has come.
    pub fn count_bytes(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// The next update after `before` that is sent to a node which has a whole picture is `seq`: the root numbers them without gaps, so those
    /// in between were painted over.
    pub fn count_skipped(&mut self, before: Seq, seq: Seq) {
        self.skipped = self.skipped.saturating_add(seq.0.saturating_sub(before.0).saturating_sub(1));
    }
}

/// Answers that wait to be sent to the parent.
///
/// In: [`check_came`](Self::check_came) when a check has come, [`answer`](Self::answer) for the node's own answer, [`pass_on`](Self::pass_on) for
/// those from a child. Out: [`poll`](Self::poll) when the time of [`deadline`](Self::deadline) has come, or after each of these. The first
/// answer goes at once; what comes within [`PERIOD`] after a message goes with the next, so however large the tree, a parent gets ten messages
/// a second and counts how long each answer has waited.
///
/// When more wait than a message holds, checks go in the order of their [`rank`]: it is the same on all nodes, so what is too much is too much
/// everywhere, and the checks that get through have the answers of all nodes, the deep ones as well.
#[derive(Debug, Clone, Default)]
pub struct Gatherer {
    /// Answers, and since when each is here, by the rank of their check. INVARIANT: none of these queues is empty.
    waiting: BTreeMap<u64, VecDeque<(Duration, DelayReply)>>,
    /// Answers in all these queues.
    count: usize,
    /// When the next message may go.
    next: Duration,
    /// The newest checks that have come here.
    known: BTreeSet<Seq>,
}

impl Gatherer {
    /// A check has come here, and will go on from here. Answers to others go last.
    pub fn check_came(&mut self, check: Seq) {
        self.known.insert(check);
        if self.known.len() > MAX_KNOWN {
            self.known.pop_first();
        }
    }

    /// This node's own answer to a check.
    pub fn answer(&mut self, node: NodeId, receipt: &Receipt, shown: Option<Duration>) {
        let Receipt { check, bytes, total, at } = *receipt;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let shown = shown.map(micros);
        let reply = DelayReply { check, node, depth: 1, bytes, total, shown, round_trip: 0, way_back: 0, held: 0 };
        self.wait(at, reply);
    }

    /// A child's message: its answers have one link more behind them, whose round trips these are: as it is now, and at least.
    pub fn pass_on(&mut self, replies: &[DelayReply], round_trip: Option<Duration>, least: Option<Duration>, now: Duration) {
        for reply in replies.iter().take(MAX_DELAY_REPLIES) {
            let reply = came_over(reply, round_trip, least);
            self.wait(now, DelayReply { depth: reply.depth.saturating_add(1), ..reply });
        }
    }

    /// The next message's answers, if it may go now.
    pub fn poll(&mut self, now: Duration) -> Option<Vec<DelayReply>> {
        if now < self.next {
            return None;
        }
        let mut replies = Vec::new();
        while replies.len() < MAX_DELAY_REPLIES
            && let Some((since, reply)) = self.take_first()
        {
            let held = reply.held.saturating_add(micros(now.saturating_sub(since)));
            if held <= micros(MOST_HELD) {
                replies.push(DelayReply { held, ..reply });
            }
        }
        if replies.is_empty() {
            return None;
        }
        self.next = now + PERIOD;
        Some(replies)
    }

    /// When the next message may go, if there is one to send.
    pub fn deadline(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.next)
    }

    /// Checks and answers belong to a session: those of the one before are void.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.count = 0;
        self.known.clear();
    }

    fn wait(&mut self, since: Duration, reply: DelayReply) {
        let rank = if self.known.contains(&reply.check) { rank(reply.check) } else { UNKNOWN };
        self.waiting.entry(rank).or_default().push_back((since, reply));
        self.count += 1;
        if self.count > MAX_WAITING {
            self.drop_last();
        }
    }

    /// The oldest of the first check.
    fn take_first(&mut self) -> Option<(Duration, DelayReply)> {
        let mut first = self.waiting.last_entry()?;
        let answer = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        self.count -= usize::from(answer.is_some());
        answer
    }

    /// The newest of the last check is lost.
    fn drop_last(&mut self) {
        let Some(mut last) = self.waiting.first_entry() else { return };
        self.count -= usize::from(last.get_mut().pop_back().is_some());
        if last.get().is_empty() {
            last.remove();
        }
    }
}

/// The order of checks, the highest first: their numbers, mixed, so that it has nothing to do with how old a check is. Were the
/// newest first, those of the nodes near the root would always be newer than those from deep below.
fn rank(check: Seq) -> u64 {
    mixed(check.0).max(UNKNOWN + 1)
}

/// An answer as it is known at the upper end of the link that it came over.
pub(super) fn came_over(reply: &DelayReply, round_trip: Option<Duration>, least: Option<Duration>) -> DelayReply {
    let is_its_own = reply.depth == 1;
    DelayReply {
        round_trip: if is_its_own { round_trip.map_or(0, micros) } else { reply.round_trip },
        way_back: reply.way_back.saturating_add(least.map_or(0, |least| micros(least / 2))),
        ..*reply
    }
}
