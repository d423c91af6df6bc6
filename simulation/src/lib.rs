//! The tree on virtual time: the real [`Topology`](treevnc_protocol::tree::topology::Topology),
//! [`Member`](treevnc_protocol::tree::member::Member) and [`ScreenLog`](treevnc_protocol::log::ScreenLog) of thousands of nodes over
//! a simulated network, with churn, and a reference model that checks them after every step. One thread per world, no clock, no I/O:
//! a seed gives the same run every time.
//!
//! Beside it, [`deliver`]: how long a picture takes to every node of a tree that stands, by the rate of the hosts' lines.
//!
//! What is not simulated in a world, and what stands in its place: heartbeats one by one (their effect is: an end that hears nothing finds out at
//! the limit that the real rule has for short round trips, and a node learns of the last beat that would have reached it); pictures
//! of real size (the updates are tiny, and on narrow links and in the measure of pace they count 1024 times); the kernel's socket
//! buffers (an end that does not read takes any number of bytes until it is given up); bytes lost and sent again by TCP (a link is
//! up, narrow, or silent); the time that programs compute.

mod actor;
mod agenda;
mod churn;
mod delivery;
mod figures;
mod losses;
mod model;
mod network;
mod painter;
mod random;
mod run;
mod settings;
mod world;

pub use delivery::{
    AnswerFigures, DeliveryError, DeliveryReport, DeliverySettings, DepthDelays, SEGMENT_BYTES, SEGMENT_HEADER_BYTES, Sharing,
    deliver,
};
pub use figures::{Figures, Percentiles};
pub use losses::Kind;
pub use model::Broken;
pub use run::{Report, run};
pub use settings::{Rates, Settings};
