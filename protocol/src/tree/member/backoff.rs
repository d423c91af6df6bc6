//! Waiting times after failures: doubled each time, with chance in them, so that many nodes do not ask at once.

use crate::tree::mix::mixed;
use std::time::Duration;

/// Draws waiting times.
#[derive(Debug)]
pub(super) struct Backoff {
    random: u64,
    failures: u32,
    wait: Duration,
    max_wait: Duration,
}

impl Backoff {
    pub(super) fn new(seed: u64, wait: Duration, max_wait: Duration) -> Self {
        Self { random: seed, failures: 0, wait, max_wait }
    }

    /// The next waiting time: between half and all of the present step.
    pub(super) fn next(&mut self) -> Duration {
        let step = self.wait.saturating_mul(1 << self.failures.min(16)).min(self.max_wait);
        self.failures = self.failures.saturating_add(1);
        let thousandths = u32::try_from(self.draw() % 501).unwrap_or(0);
        step / 2 + step / 1000 * thousandths
    }

    /// A time between `least` and twice that.
    pub(super) fn between(&mut self, least: Duration) -> Duration {
        least + least / 1000 * u32::try_from(self.draw() % 1001).unwrap_or(0)
    }

    /// All is well again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// SplitMix64.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit_and_differ_between_nodes() {
        let (wait, max) = (Duration::from_millis(200), Duration::from_secs(5));
        let mut backoff = Backoff::new(1, wait, max);
        for step in [200, 400, 800, 1600, 3200, 5000, 5000, 5000].map(Duration::from_millis) {
            let drawn = backoff.next();
            assert!(step / 2 <= drawn && drawn <= step, "{drawn:?} of {step:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= wait);
        let firsts: std::collections::BTreeSet<_> = (0..100).map(|seed| Backoff::new(seed, wait, max).next()).collect();
        assert!(firsts.len() > 80);
    }
}
