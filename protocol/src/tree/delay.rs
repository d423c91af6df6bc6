//! Measuring delays: a node's answers and those it passes on ([`Gatherer`]), and what the root makes of them ([`Checks`]); PROTOCOL.md,
//! CHECK_DELAY. Clocks of different machines are never compared: a time that travels is a length of time on one of them.

mod checks;
mod gatherer;

pub use checks::{Check, Checks, Delay};
pub use gatherer::{Gatherer, PERIOD, Receipt};

use std::time::Duration;

/// A length of time as it travels: microseconds, the longest that fit where it is longer.
fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "delay_tests.rs"]
mod tests;
