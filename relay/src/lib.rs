//! What a root and every node share: the log with its readers, links of the tree, ordinary VNC viewers, and the one port that
//! serves both. Moves bytes; what is sent to whom is decided in `protocol`.

pub mod children;
pub mod clock;
pub mod computing;
pub mod interfaces;
pub mod link;
pub mod metrics;
pub mod multicast;
mod ordinary;
pub mod picture;
pub mod port;
pub mod publisher;
pub mod shared_log;
pub mod snapshot;
mod socket;
pub mod upload;
pub mod viewer;
