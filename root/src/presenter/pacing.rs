//! When the presenter is asked for the next change, and for what. Pure: holds times, never waits.

use std::time::Duration;

/// How often the picture is refreshed while no reader keeps up, or none is there.
pub(super) const UNWATCHED: Duration = Duration::from_secs(1);
/// Answers without a pixel that are followed by another request at once; servers send some when a session begins.
const FREE_EMPTY_ANSWERS: u32 = 4;
/// Wait per further such answer.
const EMPTY_STEP: Duration = Duration::from_millis(20);

/// What to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Everything, painted or not: the picture here says nothing about the presenter's.
    Whole,
    /// What has changed.
    Changes,
}

/// When the next request may go out, and when it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// What it asks for.
    pub(super) ask: Ask,
    /// Not before this time, whoever waits.
    pub(super) earliest: Duration,
    /// Not later than this time, even if no reader has caught up.
    pub(super) latest: Duration,
}

/// The request that is under way, or the next one. Times are on any clock that does not go back.
#[derive(Debug)]
pub(super) struct Pacer {
    /// When the last request went out; before the first, when the session began.
    asked: Duration,
    under_way: bool,
    next: Ask,
    /// The picture is not whole yet: readers have nothing to catch up with.
    urgent: bool,
    empty_answers: u32,
}

impl Pacer {
    /// Before the first request, which asks for the whole picture at once.
    pub(super) fn new(now: Duration) -> Self {
        Self { asked: now, under_way: false, next: Ask::Whole, urgent: true, empty_answers: 0 }
    }

    /// The next request, or `None` while one is under way.
    pub(super) fn turn(&self) -> Option<Turn> {
        if self.under_way {
            return None;
        }
        let empty = EMPTY_STEP.saturating_mul(self.empty_answers.saturating_sub(FREE_EMPTY_ANSWERS)).min(UNWATCHED);
        let earliest = self.asked + empty;
        let latest = if self.urgent { earliest } else { earliest.max(self.asked + UNWATCHED) };
        Some(Turn { ask: self.next, earliest, latest })
    }

    /// The request has gone out.
    pub(super) fn asked(&mut self, now: Duration) {
        self.asked = now;
        self.under_way = true;
        self.next = Ask::Changes;
    }

    /// An answer that left the picture whole.
    pub(super) fn whole(&mut self) {
        self.under_way = false;
        self.urgent = false;
        self.empty_answers = 0;
    }

    /// An answer that painted something, but not yet all of a new picture.
    pub(super) fn partial(&mut self) {
        self.under_way = false;
        self.urgent = true;
    }

    /// An answer without a pixel. Some servers count it as the answer, some still owe one; asking again serves both.
    pub(super) fn empty(&mut self) {
        self.under_way = false;
        self.empty_answers = self.empty_answers.saturating_add(1);
    }

    /// The screen is another one: everything is asked for again, whatever is under way.
    pub(super) fn new_screen(&mut self) {
        self.under_way = false;
        self.urgent = true;
        self.next = Ask::Whole;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_first_request_is_for_the_whole_picture_at_once_and_one_is_under_way_at_a_time() {
        let mut pacer = Pacer::new(T(5));
        assert_eq!(pacer.turn(), Some(Turn { ask: Ask::Whole, earliest: T(5), latest: T(5) }));
        pacer.asked(T(5));
        assert_eq!(pacer.turn(), None);
    }

    #[test]
    fn a_whole_picture_waits_for_a_reader_but_at_most_a_second_from_the_request() {
        let mut pacer = Pacer::new(T(0));
        pacer.asked(T(5));
        pacer.whole();
        assert_eq!(pacer.turn(), Some(Turn { ask: Ask::Changes, earliest: T(5), latest: T(5) + UNWATCHED }));
    }

    #[test]
    fn updates_that_nobody_asked_for_do_not_put_off_the_first_request() {
        let mut pacer = Pacer::new(T(0));
        pacer.whole();
        assert_eq!(pacer.turn().map(|turn| turn.latest), Some(UNWATCHED));
    }

    #[test]
    fn a_picture_in_parts_is_fetched_without_waiting_for_readers() {
        let mut pacer = Pacer::new(T(0));
        pacer.asked(T(5));
        pacer.partial();
        assert_eq!(pacer.turn(), Some(Turn { ask: Ask::Changes, earliest: T(5), latest: T(5) }));
    }

    #[test]
    fn a_new_screen_is_asked_for_at_once_even_with_a_request_under_way() {
        let mut pacer = Pacer::new(T(0));
        pacer.asked(T(5));
        pacer.whole();
        pacer.asked(T(50));
        pacer.new_screen();
        assert_eq!(pacer.turn(), Some(Turn { ask: Ask::Whole, earliest: T(50), latest: T(50) }));
    }

    #[test]
    fn a_server_that_answers_with_nothing_is_not_asked_in_a_busy_loop() {
        let mut pacer = Pacer::new(T(0));
        pacer.asked(T(0));
        pacer.whole();
        let mut now = T(0);
        let mut requests = 0;
        while now < T(10_000) {
            now = pacer.turn().unwrap().earliest.max(now);
            pacer.asked(now);
            pacer.empty();
            requests += 1;
        }
        assert!(requests < 70, "{requests} requests in 10 s");
        pacer.whole();
        assert_eq!(pacer.turn().unwrap().earliest, now);
    }
}
