//! How long pictures take to every node, predicted: the real [`ScreenLog`](treevnc_protocol::log::ScreenLog) of every node over lines of a
//! given rate, and the real answers to CHECK_DELAY on their way up. Nobody joins or leaves; that is what [`crate::run`] is for.
//!
//! A node has one line for all that it sends: updates to both children, each whole and in order, and its answers. It passes an update on
//! when it has all of it. What is not simulated: congestion control and acknowledgements of TCP (a line is used in full, and what comes to a
//! node costs its line nothing), heartbeats, the time of encoding (a frame is there as a whole), and that a root asks its presenter
//! for the next frame only when a child has the last one (frames come as they are told to).

mod answers;
mod frames;
mod host;
mod line;
mod report;
mod settings;
mod times;
mod world;

pub use line::Sharing;
pub use report::{AnswerFigures, DeliveryReport, DepthDelays};
pub use settings::{DeliveryError, DeliverySettings, SEGMENT_BYTES, SEGMENT_HEADER_BYTES};

use world::World;

/// Sends frames down a tree that stands, and says when the nodes had them. The same settings give the same report every time.
pub fn deliver(settings: &DeliverySettings) -> DeliveryReport {
    let report = settings.check().and_then(|()| World::new(settings)).and_then(World::run);
    report.unwrap_or_else(|error| DeliveryReport::refused(settings, error))
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
