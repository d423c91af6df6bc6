//! Waiting for a condition, always with a deadline. The only place where a test thread rests.

use std::time::{Duration, Instant};

/// How long a test waits for something that normally takes far less; long, for machines that are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Asks `condition` again and again until it has an answer; panics with `what` when there is none after `patience`.
pub(crate) fn poll_until<T>(what: &str, patience: Duration, condition: impl FnMut() -> Option<T>) -> T {
    poll_for(patience, condition).unwrap_or_else(|| panic!("waited {patience:?} in vain for {what}"))
}

/// Asks `condition` again and again until it has an answer, at most for `patience`.
pub(crate) fn poll_for<T>(patience: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        let answer = condition();
        if answer.is_some() || Instant::now() >= deadline {
            return answer;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Rests until `moment`: for things that have a pace of their own (a video, a slow line), never to wait for an event.
pub(crate) fn pace_until(moment: Instant) {
    std::thread::sleep(moment.saturating_duration_since(Instant::now()));
}
