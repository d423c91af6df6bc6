//! The life of one link, seen from one side: when to send HEARTBEAT, and when the peer counts as lost (PROTOCOL.md, Signs of life).
//! Owns the times and the measured round trip; never reads a clock, never looks at a socket.

use super::message::{Fault, Heartbeat};
use std::time::Duration;

/// Whom a [`Pulse`] listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The parent: its heartbeats are answered at once.
    Parent,
    /// A child: it must take what is written to it.
    Child,
}

/// The times of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PulseConfig {
    /// Between two heartbeats of one side.
    pub interval: Duration,
    /// The time-out before a round trip was measured.
    pub first_rto: Duration,
    /// The shortest time-out.
    pub min_rto: Duration,
    /// The longest time-out, and the longest round trip that is believed.
    pub max_rto: Duration,
    /// How long a child may take nothing of what waits for it, at least.
    pub no_progress: Duration,
}

impl Default for PulseConfig {
    fn default() -> Self {
        let (interval, first_rto) = (Duration::from_millis(200), Duration::from_secs(1));
        Self { interval, first_rto, min_rto: interval, max_rto: Duration::from_secs(5), no_progress: Duration::from_secs(2) }
    }
}

/// The life of one link.
///
/// In: [`handle_counts`](Self::handle_counts) before anything else that happens at a time, [`handle_heartbeat`](Self::handle_heartbeat).
/// Out: [`poll_heartbeat`](Self::poll_heartbeat), [`poll_fault`](Self::poll_fault), and when to come again for each.
///
/// Every byte that comes is a sign of life, whole frame or not, so a narrow link on which one update takes seconds is alive. Round
/// trips are measured by bytes: the peer has read what was written in front of a heartbeat. That includes all queues on the way, and does
/// not depend on beats that move. Time in which nobody came to this machine is not held against the peer: it was this
/// program that did not run.
#[derive(Debug, Clone)]
pub struct Pulse {
    peer: Peer,
    times: PulseConfig,
    looked: Duration,
    heard: Duration,
    read: u64,
    written: u64,
    delivered: u64,
    /// When the peer last took something, or there was nothing to take.
    progressed: Duration,
    /// When the next heartbeat is due.
    next: Duration,
    /// The round trip that is being measured: over when the peer has read more than so many bytes; begun then.
    timing: Option<(u64, Duration)>,
    round_trip: Option<RoundTrip>,
    /// The least round trips of the present [`LEAST`] and of the one before; when the present one ends.
    least: [Option<Duration>; 2],
    least_until: Duration,
}

/// For how long the least round trip counts, up to twice as long: a link's way may change.
const LEAST: Duration = Duration::from_secs(10);

/// Smoothed round trip and its mean deviation (Jacobson and Karels, RFC 6298 section 2).
#[derive(Debug, Clone, Copy)]
struct RoundTrip {
    smoothed: Duration,
    deviation: Duration,
}

impl RoundTrip {
    fn take(earlier: Option<Self>, sample: Duration) -> Self {
        let Some(Self { smoothed, deviation }) = earlier else { return Self { smoothed: sample, deviation: sample / 2 } };
        Self { smoothed: (smoothed * 7 + sample) / 8, deviation: (deviation * 3 + smoothed.abs_diff(sample)) / 4 }
    }
}

impl Pulse {
    /// Of a link that begins now. The first heartbeat is due after an interval.
    pub fn new(peer: Peer, times: PulseConfig, now: Duration) -> Self {
        Self {
            peer,
            times,
            looked: now,
            heard: now,
            read: 0,
            written: 0,
            delivered: 0,
            progressed: now,
            next: now + times.interval,
            timing: None,
            round_trip: None,
            least: [None; 2],
            least_until: now + LEAST,
        }
    }

    /// So many bytes were read from the peer and written to it in all, since the greeting and frame headers included.
    pub fn handle_counts(&mut self, read: u64, written: u64, now: Duration) {
        let slept = now.saturating_sub(self.looked).saturating_sub(self.times.interval);
        if slept > self.times.interval {
            self.heard += slept;
            self.progressed += slept;
            self.timing = None;
        }
        self.looked = self.looked.max(now);
        if read > self.read {
            (self.read, self.heard) = (read, now);
        }
        self.written = self.written.max(written);
    }

    /// The peer's heartbeat.
    pub fn handle_heartbeat(&mut self, heartbeat: &Heartbeat, now: Duration) {
        // A peer cannot have read what was not written.
        let received = heartbeat.received.min(self.written);
        if received > self.delivered || received == self.written {
            self.progressed = now;
        }
        self.delivered = self.delivered.max(received);
        if let Some((_, begun)) = self.timing.take_if(|(mark, _)| received > *mark) {
            // A parent does not answer at once but with its next heartbeat.
            let held = if self.peer == Peer::Parent { self.times.interval } else { Duration::ZERO };
            let sample = now.saturating_sub(begun).saturating_sub(held).min(self.times.max_rto);
            self.round_trip = Some(RoundTrip::take(self.round_trip, sample));
            self.note_least(sample, now);
        }
        if self.peer == Peer::Parent {
            self.next = now;
        }
    }

    /// The heartbeat to write now, if one is due. `beat` is the root's newest that came here.
    pub fn poll_heartbeat(&mut self, beat: u64, now: Duration) -> Option<Heartbeat> {
        if now < self.next {
            return None;
        }
        self.next = now + self.times.interval;
        self.timing.get_or_insert((self.written, now));
        Some(Heartbeat { beat, received: self.read })
    }

    /// When the next heartbeat is due.
    pub fn heartbeat_deadline(&self) -> Duration {
        self.next
    }

    /// What is wrong with the peer, if anything.
    pub fn poll_fault(&self, now: Duration) -> Option<Fault> {
        if now >= self.heard + self.silence_limit() {
            return Some(Fault::Silence);
        }
        let is_stuck = self.outstanding() > 0 && now >= self.progressed + self.progress_limit();
        (self.peer == Peer::Child && is_stuck).then_some(Fault::NoProgress)
    }

    /// When to look again, with new counts.
    pub fn fault_deadline(&self) -> Duration {
        let silence = self.heard + self.silence_limit();
        let progress = (self.peer == Peer::Child && self.outstanding() > 0).then(|| self.progressed + self.progress_limit());
        // At least once in an interval, so that bytes are noticed about when they come.
        progress.unwrap_or(silence).min(silence).min(self.looked + self.times.interval)
    }

    /// How long the peer may be silent.
    pub fn silence_limit(&self) -> Duration {
        self.times.interval * 2 + self.rto()
    }

    /// How long a child may take nothing.
    pub fn progress_limit(&self) -> Duration {
        self.times.no_progress.max(self.rto() * 4)
    }

    fn rto(&self) -> Duration {
        let PulseConfig { first_rto, min_rto, max_rto, .. } = self.times;
        let measured = self.round_trip.map(|trip| trip.smoothed + trip.deviation * 4);
        measured.unwrap_or(first_rto).min(max_rto).max(min_rto)
    }

    /// The smoothed round trip, queues and the peer's program included.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip.map(|trip| trip.smoothed)
    }

    /// The least round trip of the last 10 to 20 s: the way alone, when queues were empty at some time.
    pub fn least_round_trip(&self) -> Option<Duration> {
        self.least.into_iter().flatten().min()
    }

    fn note_least(&mut self, sample: Duration, now: Duration) {
        if now >= self.least_until {
            self.least = [None, self.least[0]];
            self.least_until = now + LEAST;
        }
        self.least[0] = Some(self.least[0].map_or(sample, |least| least.min(sample)));
    }

    /// Bytes that the peer's program has read, as far as it has said.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Bytes that were written and not yet read, as far as the peer has said.
    pub fn outstanding(&self) -> u64 {
        self.written - self.delivered
    }
}

#[cfg(test)]
#[path = "pulse_tests.rs"]
mod tests;
