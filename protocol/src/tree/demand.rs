//! What one copy of the picture needs: a smoothed peak of what is published. Pure; bytes and times come in.

use std::time::Duration;

/// Seconds that are averaged: a page that is turned is no demand, a video is.
const AVERAGED: usize = 10;
/// The peak falls by one part in so many each second: to the half in 44.
const FALL: u64 = 64;
/// Seconds after which nothing is left of a peak.
const FORGOTTEN: u64 = 3600;

/// What is needed even where nothing moves, in bytes per second: pages are to come within seconds.
pub const LEAST_BYTES_PER_SECOND: u64 = 64 * 1024;

/// The demand of a picture.
#[derive(Debug, Clone, Default)]
pub struct Demand {
    /// The second that is not over.
    second: u64,
    /// What came in it and in those before it.
    sums: [u64; AVERAGED],
    peak: u64,
}

impl Demand {
    /// Nothing was published yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many bytes were published at this time.
    pub fn handle_bytes(&mut self, bytes: u64, now: Duration) {
        self.roll(now);
        let sum = self.sum_of(self.second);
        *sum = sum.saturating_add(bytes);
    }

    /// Bytes per second: the largest average of ten seconds, or what is left of it when it is long ago; at least
    /// [`LEAST_BYTES_PER_SECOND`].
    pub fn bytes_per_second(&mut self, now: Duration) -> u64 {
        self.roll(now);
        self.peak.max(LEAST_BYTES_PER_SECOND)
    }

    fn roll(&mut self, now: Duration) {
        let second = now.as_secs();
        if second > self.second.saturating_add(FORGOTTEN) {
            *self = Self { second, ..Self::default() };
        }
        while self.second < second {
            let average = self.sums.iter().fold(0u64, |sum, bytes| sum.saturating_add(*bytes)) / AVERAGED as u64;
            self.peak = average.max(self.peak.saturating_sub(self.peak / FALL + 1));
            self.second += 1;
            *self.sum_of(self.second) = 0;
        }
    }

    fn sum_of(&mut self, second: u64) -> &mut u64 {
        let at = usize::try_from(second % AVERAGED as u64).unwrap_or_default();
        &mut self.sums[at % AVERAGED]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_video_is_what_it_needs_and_a_page_is_a_tenth() {
        let mut demand = Demand::new();
        demand.handle_bytes(5_000_000, secs(3));
        assert_eq!(demand.bytes_per_second(secs(4)), 500_000);
        let mut demand = Demand::new();
        (0..20).for_each(|second| demand.handle_bytes(2_000_000, secs(second)));
        assert_eq!(demand.bytes_per_second(secs(20)), 2_000_000);
    }

    #[test]
    fn a_peak_is_kept_for_a_while_and_falls_to_the_half_in_44_seconds() {
        let mut demand = Demand::new();
        (0..10).for_each(|second| demand.handle_bytes(1_000_000, secs(second)));
        assert!(demand.bytes_per_second(secs(15)) > 900_000);
        let half = demand.bytes_per_second(secs(60));
        assert!((440_000..520_000).contains(&half), "{half}");
        assert_eq!(demand.bytes_per_second(secs(600)), LEAST_BYTES_PER_SECOND);
    }

    #[test]
    fn long_silences_and_clocks_that_stand_still_do_no_harm() {
        let mut demand = Demand::new();
        demand.handle_bytes(u64::MAX, secs(5));
        demand.handle_bytes(u64::MAX, secs(5));
        demand.handle_bytes(1, secs(4));
        assert!(demand.bytes_per_second(secs(6)) > 1 << 60);
        assert_eq!(demand.bytes_per_second(Duration::MAX), LEAST_BYTES_PER_SECOND);
    }
}
