//! What a delivery came to.

use super::settings::{DeliveryError, DeliverySettings};
use crate::figures::Percentiles;
use std::time::Duration;

/// How long frames took, and how the answers fared.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryReport {
    /// What was asked for.
    pub settings: DeliverySettings,
    /// Why nothing was delivered; everything else is empty then.
    pub refused: Option<DeliveryError>,
    /// The rows of the tree, from the root's children on.
    pub depths: Vec<DepthDelays>,
    /// Frames that nodes never had, summed over the nodes: newer ones had painted them over.
    pub skipped: u64,
    /// The answers to the checks.
    pub answers: AnswerFigures,
    /// When everything had come to rest.
    pub ended: Duration,
    /// Events on virtual time.
    pub steps: u64,
}

/// A row of the tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DepthDelays {
    /// Links between it and the root.
    pub depth: u32,
    /// Nodes in it.
    pub nodes: usize,
    /// From a frame's first byte at the root until a node has the complete frame, over all frames and nodes; none if nobody ever had one.
    pub one_way: Option<Percentiles<Duration>>,
    /// [`DeliverySettings::floor`].
    pub floor: Duration,
}

/// Answers to checks: every frame ends with one, and every node that gets it answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnswerFigures {
    /// Nodes times checks.
    pub expected: u64,
    /// Answers that nodes gave.
    pub given: u64,
    /// Those that found too many others waiting on their way up.
    pub lost: u64,
    /// Those that the root had no use for: their check was forgotten.
    pub late: u64,
    /// Those that the root counted.
    pub counted: u64,
    /// Checks.
    pub checks: usize,
    /// Those of which the root counted the answers of all nodes.
    pub complete: usize,
    /// How many answers were counted of the node that fared worst.
    pub fewest_of_a_node: u64,
    /// And of the one that fared best.
    pub most_of_a_node: u64,
    /// CHECK_DELAY_REPLY messages that came to the root.
    pub messages: u64,
    /// Most of them that came from one child of the root in any one second.
    pub most_per_second: usize,
    /// How far the root's one-way figures are from what is true.
    pub error: Option<Percentiles<Duration>>,
    /// How many of these figures are shorter than what is true; the others are longer, by the time of the answers' messages on the lines.
    pub too_short: u64,
    /// From a node's complete frame until its answer is at the root.
    pub climb: Option<Percentiles<Duration>>,
}

impl DeliveryReport {
    /// Nothing was delivered.
    pub(super) fn refused(settings: &DeliverySettings, error: DeliveryError) -> Self {
        let (depths, answers) = (Vec::new(), AnswerFigures::default());
        Self { settings: *settings, refused: Some(error), depths, skipped: 0, answers, ended: Duration::ZERO, steps: 0 }
    }

    /// The last row.
    pub fn deepest(&self) -> Option<&DepthDelays> {
        self.depths.last()
    }
}

impl DepthDelays {
    /// The median as a multiple of the floor.
    pub fn ratio(&self) -> Option<f64> {
        self.one_way.map(|one_way| one_way.median.as_secs_f64() / self.floor.as_secs_f64())
    }
}
