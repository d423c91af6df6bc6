//! How long and how much a presenter may take before its session is given up. Pure: holds times, never waits.

use super::SessionError;
use std::time::Duration;
use treevnc_protocol::geometry::Size;

/// Longest silence inside a message.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
/// Longest wait for an update of a picture that was asked for in whole.
pub(super) const FIRST_UPDATE: Duration = Duration::from_secs(30);
/// Age from which a message must have come at [`MIN_BYTES_PER_SECOND`] on average.
pub(super) const GRACE: Duration = Duration::from_secs(30);
/// Slowest message, so that a trickle does not hold a session for ever.
pub(super) const MIN_BYTES_PER_SECOND: u64 = 4 * 1024;
/// Most bytes between two updates' ends, beside [`SCREENS_PER_UPDATE`] whole screens of Raw pixels.
pub(super) const MAX_BYTES_BESIDES: u64 = 16 << 20;
/// Whole screens of Raw pixels that one update may bring.
pub(super) const SCREENS_PER_UPDATE: u64 = 4;

/// Silence after which a presenter is asked for a single pixel: an idle screen says nothing, and so does a stopped server.
pub(super) const QUIET: Duration = Duration::from_secs(5);
/// Longest wait for that pixel, or for anything else.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// Longest decoding of one update: its bytes may be few and its pixels without end.
pub(super) const DECODING: Duration = Duration::from_secs(10);

/// Watches the bytes of one session. Times are on any clock that does not go back.
#[derive(Debug)]
pub(super) struct Patience {
    last_byte: Duration,
    /// Since when, and with how many bytes, the present message has been coming.
    message: Option<(Duration, u64)>,
    /// Bytes since the last update's end.
    since_update: u64,
    limit: u64,
    /// Time spent on decoding since the last update's end.
    decoding: Duration,
    /// Since when an update of a whole picture has been waited for.
    waiting: Option<Duration>,
    /// Since when a sign of life has been waited for.
    probing: Option<Duration>,
}

impl Patience {
    pub(super) fn new(size: Size, now: Duration) -> Self {
        Self {
            last_byte: now,
            message: None,
            since_update: 0,
            limit: limit(size),
            decoding: Duration::ZERO,
            waiting: Some(now),
            probing: None,
        }
    }

    /// Bytes came; `inside` says whether they end inside a message.
    pub(super) fn bytes(&mut self, count: usize, inside: bool, now: Duration) -> Result<(), SessionError> {
        self.last_byte = now;
        self.probing = None;
        self.since_update += count as u64;
        if self.since_update > self.limit {
            return Err(SessionError::TooMuch(self.limit));
        }
        let (since, bytes) = self.message.unwrap_or((now, 0));
        self.message = inside.then_some((since, bytes + count as u64));
        let age = now.saturating_sub(since);
        if inside && age >= GRACE && bytes < age.as_secs() * MIN_BYTES_PER_SECOND {
            return Err(SessionError::TooSlow(age));
        }
        Ok(())
    }

    /// Bytes were decoded.
    pub(super) fn decoded(&mut self, took: Duration) -> Result<(), SessionError> {
        self.decoding += took;
        if self.decoding > DECODING { Err(SessionError::TooDear) } else { Ok(()) }
    }

    /// An update ended.
    pub(super) fn update(&mut self, whole_picture: bool, now: Duration) {
        self.since_update = 0;
        self.decoding = Duration::ZERO;
        self.message = None;
        self.waiting = (!whole_picture).then_some(now);
    }

    /// Another screen began, whose picture is now waited for.
    pub(super) fn new_screen(&mut self, size: Size, now: Duration) {
        self.limit = limit(size);
        self.waiting = Some(now);
    }

    /// Nothing is asked for any more: no picture is waited for.
    pub(super) fn paused(&mut self) {
        self.waiting = None;
    }

    /// When a sign of life is to be asked for if no byte comes before.
    pub(super) fn probe_due(&self) -> Option<Duration> {
        let is_quiet = self.message.is_none() && self.waiting.is_none() && self.probing.is_none();
        is_quiet.then(|| self.last_byte + QUIET)
    }

    /// A sign of life was asked for.
    pub(super) fn probed(&mut self, now: Duration) {
        self.probing = Some(now);
    }

    /// When it ends if no byte comes before, and why then.
    pub(super) fn deadline(&self) -> Option<(Duration, SessionError)> {
        let inside = self.message.map(|_| (self.last_byte + SILENCE, SessionError::Silent));
        let waiting = self.waiting.map(|since| (since + FIRST_UPDATE, SessionError::NoPicture));
        let probing = self.probing.map(|since| (since + SIGN_OF_LIFE, SessionError::NoAnswer));
        [inside, waiting, probing].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

fn limit(size: Size) -> u64 {
    MAX_BYTES_BESIDES + SCREENS_PER_UPDATE * size.area() as u64 * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: fn(u64) -> Duration = Duration::from_secs;

    fn patience() -> Patience {
        let mut patience = Patience::new(Size::new(640, 480).unwrap(), T(0));
        patience.update(true, T(0));
        patience
    }

    #[test]
    fn silence_ends_a_session_only_inside_a_message_or_before_a_picture() {
        let mut patience = patience();
        assert!(patience.deadline().is_none(), "an idle screen may be silent for ever");
        patience.bytes(10, true, T(5)).unwrap();
        assert!(matches!(patience.deadline(), Some((at, SessionError::Silent)) if at == T(15)));
        patience.bytes(10, false, T(6)).unwrap();
        assert!(patience.deadline().is_none());
        patience.new_screen(Size::new(10, 10).unwrap(), T(7));
        assert!(matches!(patience.deadline(), Some((at, SessionError::NoPicture)) if at == T(7) + FIRST_UPDATE));
    }

    #[test]
    fn a_quiet_presenter_is_probed_and_any_byte_is_an_answer() {
        let mut patience = patience();
        patience.bytes(10, false, T(1)).unwrap();
        assert_eq!(patience.probe_due(), Some(T(1) + QUIET));
        patience.probed(T(6));
        assert_eq!(patience.probe_due(), None);
        assert!(matches!(patience.deadline(), Some((at, SessionError::NoAnswer)) if at == T(6) + SIGN_OF_LIFE));
        patience.bytes(1, false, T(7)).unwrap();
        assert!(patience.deadline().is_none() && patience.probe_due() == Some(T(7) + QUIET));
        patience.new_screen(Size::new(10, 10).unwrap(), T(8));
        assert_eq!(patience.probe_due(), None, "a picture is waited for already");
        patience.paused();
        assert!(patience.probe_due().is_some() && patience.deadline().is_none());
    }

    #[test]
    fn a_trickle_inside_a_message_ends_and_a_slow_link_does_not() {
        let (mut trickle, mut slow) = (patience(), patience());
        let ends = (0..600).find(|&second| trickle.bytes(100, true, T(second)).is_err());
        assert_eq!(ends, Some(30));
        assert!((0..600).all(|second| slow.bytes(5000, true, T(second)).is_ok()));
    }

    #[test]
    fn an_update_without_an_end_ends_the_session_and_updates_that_end_do_not() {
        let mut patience = patience();
        let mib = 1 << 20;
        let sent = (1..100).find(|_| patience.bytes(mib, true, T(1)).is_err());
        assert_eq!(sent, Some(21), "16 MiB and four times 1.2 MB");
        patience.update(true, T(1));
        assert!((0..100).all(|_| {
            patience.update(true, T(1));
            patience.bytes(mib, false, T(1)).is_ok()
        }));
    }

    #[test]
    fn an_update_that_takes_too_long_to_decode_ends_the_session_and_many_short_ones_do_not() {
        let mut patience = patience();
        let slices = (0..1000).find(|_| patience.decoded(Duration::from_millis(100)).is_err());
        assert_eq!(slices, Some(100));
        assert!((0..1000).all(|_| {
            patience.update(true, T(1));
            patience.decoded(Duration::from_millis(100)).is_ok()
        }));
    }
}
