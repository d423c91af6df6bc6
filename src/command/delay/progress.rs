//! How far a measurement is, in one line of a terminal that is gone afterwards.

use std::io::{IsTerminal, Write as _};
use std::time::{Duration, Instant};

/// The line, on stderr; nothing where nobody sits at a terminal.
pub(super) struct Progress {
    shown: bool,
    total: u32,
    interval: Duration,
    sent: u32,
    /// When the first check was sent, and the last one so far.
    times: Option<(Instant, Instant)>,
}

impl Progress {
    /// So many checks, from one to the next at least so long.
    pub(super) fn new(total: u32, interval: Duration) -> Self {
        let progress = Self { shown: std::io::stderr().is_terminal(), total, interval, sent: 0, times: None };
        progress.show(0);
        progress
    }

    /// So many were sent and answered by now.
    pub(super) fn at(&mut self, sent: usize, answers: usize) {
        let sent = u32::try_from(sent).unwrap_or(u32::MAX);
        if sent > self.sent {
            let now = Instant::now();
            self.times = Some(self.times.map_or((now, now), |(first, _)| (first, now)));
            self.sent = sent;
        }
        self.show(answers);
    }

    fn show(&self, answers: usize) {
        if self.shown {
            let between = self.times.map(|(first, last)| last - first).unwrap_or_default();
            let since = self.times.map(|(_, last)| last.elapsed()).unwrap_or_default();
            let left = time_left(self.sent, self.total, between, self.interval).saturating_sub(since);
            eprint!("\r{}\x1b[K", line(self.sent, self.total, answers, left));
            let _ = std::io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

/// At the pace of the checks so far: so long was between the first and the last of them.
fn time_left(sent: u32, total: u32, between: Duration, interval: Duration) -> Duration {
    let each = between.checked_div(sent.saturating_sub(1)).unwrap_or(interval).max(interval);
    each.saturating_mul(total.saturating_sub(sent))
}

fn line(sent: u32, total: u32, answers: usize, left: Duration) -> String {
    let seconds = left.as_secs_f64().ceil();
    let left = match left.as_secs() {
        0 if left.is_zero() => String::new(),
        0..100 => format!(", about {seconds} s left"),
        100..6000 => format!(", about {} min left", (seconds / 60.0).ceil()),
        _ => format!(", about {} h left", (seconds / 3600.0).ceil()),
    };
    format!("{sent} of {total} checks sent, {answers} answers{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Duration = Duration::from_millis(500);

    #[test]
    fn the_time_left_follows_the_pace_and_is_never_less_than_the_intervals() {
        let left = |sent, between| time_left(sent, 60, Duration::from_secs(between), HALF);
        assert_eq!((left(0, 0), left(1, 3)), (HALF * 60, HALF * 59));
        assert_eq!(left(21, 40), Duration::from_secs(78), "two seconds each");
        assert_eq!((left(21, 1), left(60, 30), left(61, 30)), (HALF * 39, Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn the_line_says_how_far_it_is() {
        assert_eq!(line(3, 60, 42, HALF * 57), "3 of 60 checks sent, 42 answers, about 29 s left");
        assert_eq!(line(3, 600, 42, HALF * 597), "3 of 600 checks sent, 42 answers, about 5 min left");
        assert_eq!(line(0, 90_000, 0, HALF * 90_000), "0 of 90000 checks sent, 0 answers, about 13 h left");
        assert_eq!(line(60, 60, 840, Duration::ZERO), "60 of 60 checks sent, 840 answers");
    }
}
