//! TreeVNC root: pulls the presenter's picture, encodes it once, and publishes it into the log that everybody reads.

pub mod beats;
pub mod delays;
pub mod discovery;
pub mod floor;
pub mod metrics;
pub mod opening;
pub mod presenter;
pub mod session;
pub mod stage;
mod summit;
pub mod trees;
