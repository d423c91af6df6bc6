//! How each node fares by its answers: the newest, and at which rate it got the picture over the last seconds.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use treevnc_protocol::tree::delay::Delay;
use treevnc_protocol::tree::message::{BehindFare, Fare, Intake};
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::topology::MAX_NODES;
use treevnc_protocol::update::Seq;

/// Rates are over so long, if there is something to get for so long.
const WINDOW: Duration = Duration::from_secs(5);
/// Answers that are closer than this count as one, so that few have to be remembered.
const APART: Duration = Duration::from_millis(900);
/// A rate over less than this says nothing.
const LEAST: Duration = Duration::from_millis(100);
/// Checks that are farther apart than this lie on both sides of a rest: while the picture changes, one comes every second.
const REST: Duration = Duration::from_millis(1500);
/// How long a node is remembered that answers nothing.
const KEEP: Duration = Duration::from_secs(600);
/// Of those behind a site, who has not answered for so long when another one does is passed over: perhaps it has left.
const TOGETHER: Duration = Duration::from_secs(10);

/// How the nodes fare.
#[derive(Debug, Default)]
pub(super) struct Fares {
    nodes: BTreeMap<NodeId, Known>,
    /// Updates that nodes said they had skipped.
    skipped: u64,
}

#[derive(Debug)]
struct Known {
    newest: Delay,
    /// The site that it is behind.
    site: Option<NodeId>,
    /// For so long there has been something to get.
    busy: Duration,
    /// Oldest first; never empty.
    samples: VecDeque<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    busy: Duration,
    check: Seq,
    total: Intake,
}

impl Fares {
    /// An answer has come, of a node behind that site if there is one.
    pub(super) fn note(&mut self, delay: &Delay, site: Option<NodeId>) {
        let is_full = self.nodes.len() >= MAX_NODES;
        match self.nodes.get_mut(&delay.node) {
            // An answer may come after that to a later check; and totals that go back are another session's.
            Some(known) if delay.check.seq <= known.newest.check.seq => {}
            Some(known) if known.newest.total.bytes <= delay.total.bytes && known.newest.total.skipped <= delay.total.skipped => {
                self.skipped = self.skipped.saturating_add(delay.total.skipped - known.newest.total.skipped);
                known.note(delay);
                known.site = site;
            }
            None if is_full => {}
            _ => drop(self.nodes.insert(delay.node, Known::new(delay, site))),
        }
    }

    /// How a node fares.
    pub(super) fn of(&self, node: NodeId, now: Duration) -> Option<Fare> {
        self.nodes.get(&node).map(|known| known.fare(now))
    }

    /// How those behind each site fare.
    pub(super) fn behind(&self, now: Duration) -> BTreeMap<NodeId, BehindFare> {
        let behind = || self.nodes.values().filter_map(|known| Some((known.site?, &known.newest)));
        let mut last: BTreeMap<NodeId, Duration> = BTreeMap::new();
        for (site, newest) in behind() {
            let at = last.entry(site).or_default();
            *at = newest.at.max(*at);
        }
        let mut fares = BTreeMap::new();
        for (site, newest) in behind() {
            let at = last.get(&site).copied().unwrap_or_default();
            if newest.at + TOGETHER < at {
                continue;
            }
            let none = BehindFare { answering: 0, worst: 0, age: millis(now.saturating_sub(at)) };
            let fare = fares.entry(site).or_insert(none);
            fare.answering += 1;
            fare.worst = fare.worst.max(micros(newest.one_way));
        }
        fares
    }

    /// Updates that nodes said they had skipped, of all that were ever there.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// A node is gone.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.nodes.remove(&node);
    }

    /// Forgets those who have not answered for long.
    pub(super) fn clear(&mut self, now: Duration) {
        self.nodes.retain(|_, known| now.saturating_sub(known.newest.at) <= KEEP);
    }
}

impl Known {
    fn new(delay: &Delay, site: Option<NodeId>) -> Self {
        let (busy, total) = (Duration::ZERO, delay.total);
        let samples = VecDeque::from([Sample { busy, check: delay.check.seq, total }]);
        Self { newest: *delay, site, busy, samples }
    }

    fn note(&mut self, delay: &Delay) {
        // Who has answered the check before this one had nothing to get while the screen rested.
        let has_all = delay.after == Some(self.newest.check.seq);
        let rested = if has_all { delay.check.began.saturating_sub(REST) } else { Duration::ZERO };
        self.busy += delay.at.saturating_sub(self.newest.at.max(rested));
        self.newest = *delay;
        let sample = Sample { busy: self.busy, check: delay.check.seq, total: delay.total };
        let is_close = self.samples.iter().rev().nth(1).is_some_and(|before| self.busy.saturating_sub(before.busy) < APART);
        if is_close {
            self.samples.pop_back();
        }
        self.samples.push_back(sample);
        while self.samples.get(1).is_some_and(|second| self.busy.saturating_sub(second.busy) >= WINDOW) {
            self.samples.pop_front();
        }
    }

    fn fare(&self, now: Duration) -> Fare {
        let Delay { at, one_way, round_trip, total, check, .. } = self.newest;
        let first = self.samples.front().copied().unwrap_or(Sample { busy: self.busy, check: check.seq, total });
        let span = self.busy.saturating_sub(first.busy);
        let bits = u128::from(total.bytes - first.total.bytes) * 8;
        let rate = (span >= LEAST).then(|| u64::try_from(bits * 1_000_000 / span.as_micros()).unwrap_or(u64::MAX));
        let updates = check.seq.0.saturating_sub(first.check.0).max(1);
        let skipped = total.skipped - first.total.skipped;
        let skips = u128::from(skipped) * 100 / u128::from(updates);
        Fare {
            age: millis(now.saturating_sub(at)),
            one_way: micros(one_way),
            round_trip: micros(round_trip),
            rate,
            skipped: total.skipped,
            skips: u8::try_from(skips.min(100)).unwrap_or(100),
        }
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "fares_tests.rs"]
mod tests;
