//! The way up: a node's own answers and those from below, in few messages.

use super::micros;
use crate::tree::message::{DelayReply, Intake, MAX_DELAY_REPLIES};
use crate::tree::slot::NodeId;
use crate::update::Seq;
use std::collections::VecDeque;
use std::time::Duration;

/// A parent is sent at most one message in this time.
pub const PERIOD: Duration = Duration::from_millis(100);
/// Answers that may wait; further ones are lost, and counted as missing by the root.
const MAX_WAITING: usize = 16 * MAX_DELAY_REPLIES;

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
/// In: [`answer`](Self::answer) for the node's own, [`pass_on`](Self::pass_on) for those from a child. Out: [`poll`](Self::poll) when the time
/// of [`deadline`](Self::deadline) has come, or after each of these. The first answer goes at once; what comes within [`PERIOD`] after a
/// message goes with the next, so however large the tree, a parent gets ten messages a second and counts how long each answer has waited.
#[derive(Debug, Clone, Default)]
pub struct Gatherer {
    /// Answers, and since when each is here.
    waiting: VecDeque<(Duration, DelayReply)>,
    /// When the next message may go.
    next: Duration,
}

impl Gatherer {
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
        if self.waiting.is_empty() || now < self.next {
            return None;
        }
        self.next = now + PERIOD;
        let count = self.waiting.len().min(MAX_DELAY_REPLIES);
        let held = |(since, reply): (Duration, DelayReply)| {
            let here = micros(now.saturating_sub(since));
            DelayReply { held: reply.held.saturating_add(here), ..reply }
        };
        Some(self.waiting.drain(..count).map(held).collect())
    }

    /// When the next message may go, if there is one to send.
    pub fn deadline(&self) -> Option<Duration> {
        (!self.waiting.is_empty()).then_some(self.next)
    }

    /// Answers belong to a session and a parent: those that wait are void.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    fn wait(&mut self, since: Duration, reply: DelayReply) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((since, reply));
        }
    }
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
