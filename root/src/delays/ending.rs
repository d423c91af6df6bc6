//! When a measurement is done that has sent its last check.

use std::time::Duration;
use tokio::time::Instant;
use treevnc_protocol::update::Seq;

/// How long answers are waited for after the last check, and after each of them.
const QUIET: Duration = Duration::from_secs(2);
/// And altogether: longer they do not wait on their way.
const MOST: Duration = Duration::from_secs(35);

/// The time after the last check: as long as answers come, which may be many seconds' worth of messages, but not without end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    last: Seq,
    due: Instant,
    at_most: Instant,
}

impl Ending {
    /// The last check has been sent.
    pub(super) fn after(last: Seq, now: Instant) -> Self {
        Self { last, due: now + QUIET, at_most: now + MOST }
    }

    /// A node has answered a check; those after the last are not of this measurement.
    pub(super) fn answered(&mut self, check: Seq, now: Instant) {
        if check <= self.last {
            self.due = self.at_most.min(now + QUIET);
        }
    }

    /// When the measurement is done.
    pub(super) fn due(self) -> Instant {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_waited_for_as_long_as_they_come_but_not_without_end() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut ending = Ending::after(Seq(9), began);
        assert_eq!(ending.due(), at(2));
        ending.answered(Seq(9), at(1));
        ending.answered(Seq(10), at(2));
        assert_eq!(ending.due(), at(3), "checks go on riding on frames");
        (2..=34).for_each(|second| ending.answered(Seq(7), at(second)));
        assert_eq!(ending.due(), at(35));
    }
}
