//! How long to wait before a lost presenter is dialled again. Pure: randomness and time come as arguments.

use std::time::Duration;

/// Wait after the first failure, before jitter.
pub(super) const FIRST: Duration = Duration::from_millis(500);
/// Longest wait, before jitter. A session that lasted this long counts as good and starts the count anew.
pub(super) const LONGEST: Duration = Duration::from_secs(15);

/// Doubling waits with jitter.
#[derive(Debug, Clone, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more session that ended, having lasted `lasted`: between half and all of 0.5 s, 1 s, 2 s .. 15 s. `random` is
    /// any number, so that many roots do not dial in step.
    pub(super) fn after(&mut self, lasted: Duration, random: u32) -> Duration {
        if lasted >= LONGEST {
            self.failures = 0;
        }
        let whole = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures += 1;
        whole / 2 + (whole / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_never_fall_below_half() {
        let mut backoff = Backoff::default();
        for whole_ms in [500, 1000, 2000, 4000, 8000, 15000, 15000] {
            let (mut low, mut high) = (backoff.clone(), backoff.clone());
            let whole = Duration::from_millis(whole_ms);
            assert_eq!(low.after(Duration::ZERO, 0), whole / 2);
            assert_eq!(high.after(Duration::ZERO, u32::MAX), whole);
            let between = backoff.after(Duration::ZERO, u32::MAX / 3);
            assert!(whole / 2 < between && between < whole);
        }
    }

    #[test]
    fn only_a_session_that_lasted_starts_the_count_anew() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            backoff.after(Duration::from_secs(1), 0);
        }
        assert_eq!(backoff.clone().after(Duration::from_secs(14), 0), LONGEST / 2);
        assert_eq!(backoff.after(LONGEST, 0), FIRST / 2);
    }
}
