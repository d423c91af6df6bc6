//! Figures for monitoring systems: Prometheus' text format, and a small HTTP door that gives it out. Knows nothing of trees and pictures.

mod door;
mod text;

pub use door::Door;
pub use text::{Family, Kind, Text};
