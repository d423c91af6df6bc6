//! Chance, from a seed: SplitMix64.

use std::time::Duration;

/// Draws numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1))
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 when there is none.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.draw() % limit).unwrap_or(0)
    }

    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.draw() % 100 < u64::from(percent)
    }

    /// Between the two times.
    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        least + most.saturating_sub(least).mul_f64(self.unit())
    }

    /// The time to the next of many independent events that come `per_second` times on average.
    pub(crate) fn interval(&mut self, per_second: f64) -> Duration {
        let waits = -(1.0 - self.unit()).ln() / per_second.max(1e-9);
        Duration::try_from_secs_f64(waits).unwrap_or(Duration::from_secs(1 << 32))
    }

    /// In [0, 1).
    fn unit(&mut self) -> f64 {
        // 53 bits fit an f64 exactly.
        let bits = self.draw() >> 11;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let bits = bits as f64;
        bits / 9_007_199_254_740_992.0
    }
}
