//! Measuring: CHECK_DELAY_REPLY, which climbs from nodes to the root, and what the root tells those who asked it to measure.

use crate::tree::slot::NodeId;
use crate::tree::text::NodeName;
use crate::update::{Seq, SessionId};
use serde::{Deserialize, Serialize};

/// Most replies in one message.
pub const MAX_DELAY_REPLIES: usize = 256;

/// What a node has got of a session's updates since it joined. Totals, so that an answer that is lost loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Intake {
    /// Bytes of updates that it was sent, headers included.
    pub bytes: u64,
    /// Updates that it was never sent, because they were painted over before its turn came. What a newcomer misses before its first whole
    /// picture is not among them.
    pub skipped: u64,
}

/// One node's answer to one CHECK_DELAY. Times are in microseconds, at most about 71 minutes, and each is measured on one clock alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayReply {
    /// The number of the update that was the check.
    pub check: Seq,
    /// Who answers.
    pub node: NodeId,
    /// Links that the answer has gone over, this one included.
    pub depth: u8,
    /// Bytes of updates that the node got from the complete point before the check up to the check, headers included.
    pub bytes: u32,
    /// What it has got until the check's receipt.
    pub total: Intake,
    /// From the check's receipt to the picture on the node's window; none where no window shows it.
    pub shown: Option<u32>,
    /// The round trip of the node's own link, measured by its parent; 0 until it has come there.
    pub round_trip: u32,
    /// The way back from the node: half of the least round trip of each link that its answer has gone over before this one.
    pub way_back: u32,
    /// For how long the answer has waited on the nodes so far, itself and those above, until there was a message to carry it.
    pub held: u32,
}

/// CHECK_DELAY_REPLY: answers of a node and of those below it, from child to parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckDelayReply {
    /// The session of the checks.
    pub session: SessionId,
    /// At most [`MAX_DELAY_REPLIES`].
    pub replies: Vec<DelayReply>,
}

/// DELAY_REQUEST: somebody at the root's machine wants delays to be measured. The connection stays open; closing it ends the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayRequest {
    /// How many checks.
    pub count: u32,
    /// About how many bytes of the present picture are to be sent again with each; 0 to let them ride on what the presenter changes.
    pub bytes: u32,
    /// From one check to the next, in milliseconds; a check that rides may come later.
    pub interval: u32,
}

/// DELAY: the root's answers, in the order in which things happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DelayReport {
    /// A check has been sent.
    Sent {
        /// The number of its update.
        check: Seq,
        /// When its frame began, in microseconds of the session clock.
        began: u64,
        /// Bytes of the frame.
        bytes: u64,
        /// Nodes that were there.
        expected: u32,
    },
    /// Answers, at most [`MAX_DELAY_REPLIES`].
    Replies(Vec<MeasuredDelay>),
    /// The last message: all checks were sent, and who has not answered by now is missing.
    Done,
}

/// One node's answer as the root understands it; times in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredDelay {
    /// The check.
    pub check: Seq,
    /// Who.
    pub node: NodeId,
    /// Its name for people. The root knows no names of those behind a site: of one it says *behind*, and the site's name.
    pub name: NodeName,
    /// Links between it and the root.
    pub depth: u8,
    /// Bytes that it got.
    pub bytes: u32,
    /// [`crate::tree::delay::Delay::delay`].
    pub delay: u32,
    /// [`crate::tree::delay::Delay::one_way`].
    pub one_way: u32,
    /// [`crate::tree::delay::Delay::round_trip`].
    pub round_trip: u32,
    /// [`crate::tree::delay::Delay::shown`].
    pub shown: Option<u32>,
}
