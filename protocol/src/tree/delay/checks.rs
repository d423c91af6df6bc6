//! The root's side: which checks are out, and what an answer says.

use super::gatherer::came_over;
use crate::tree::message::DelayReply;
use crate::tree::slot::NodeId;
use crate::update::Seq;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Checks that are remembered; answers to older ones are not counted.
const MAX_OPEN: usize = 32;
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
    /// Who answered.
    pub node: NodeId,
    /// Links between it and the root.
    pub depth: u8,
    /// Bytes that it got for this frame.
    pub bytes: u32,
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
    answered: BTreeSet<NodeId>,
}

/// The checks of a root.
///
/// In: [`sent`](Self::sent), [`answered`](Self::answered). Out: what each answer says. Nothing waits for an answer: who has not answered
/// when the check is forgotten is missing.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    open: BTreeMap<Seq, Open>,
    /// Of checks that are forgotten.
    missing: u64,
}

impl Checks {
    /// A check has been published.
    pub fn sent(&mut self, check: Check) {
        self.open.insert(check.seq, Open { check, answered: BTreeSet::new() });
        while self.open.len() > MAX_OPEN {
            let Some((_, Open { check, answered })) = self.open.pop_first() else { break };
            self.missing += check.expected.saturating_sub(answered.len()) as u64;
        }
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
        let reply = came_over(reply, round_trip, least);
        let micros = |time: u32| Duration::from_micros(time.into());
        let delay = now.saturating_sub(open.check.began).saturating_sub(micros(reply.held));
        Some(Delay {
            check: open.check,
            node: reply.node,
            depth: reply.depth,
            bytes: reply.bytes,
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

    /// Answers that never came, of all checks that are forgotten.
    pub fn missing(&self) -> u64 {
        self.missing
    }
}
