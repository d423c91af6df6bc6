//! A limit on what a program sends: how fast, and whose turn it is among those who send pictures. Pure; the program waits and sends.

mod rate;

pub use rate::{Rate, RateError};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the headers of TCP, IP and Ethernet add: one byte in so many.
const HEADERS: u64 = 20;
/// One turn takes at most this long, and at most so many bytes.
const TURN: (Duration, usize) = (Duration::from_millis(40), 16 * 1024);
/// A turn may begin so much earlier than what was sent before it is over. With a turn's own length that is all that goes at once.
const AHEAD: Duration = Duration::from_millis(40);

/// One of those who send: a child's link, an ordinary viewer's connection, a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sender(u64);

/// Whether it is a sender's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Yes: it may send so many bytes now, at least one if it asked for any.
    Now(usize),
    /// It is the next one, at that time.
    At(Duration),
    /// Others come first: ask again when it is [`Turns::first`].
    Later,
}

/// The turns of those who send pictures under one limit.
///
/// In: [`open`](Self::open) and [`close`](Self::close) for each sender, [`ask`](Self::ask) by one that has something to send,
/// [`give_up`](Self::give_up) if it no longer has, [`urgent`](Self::urgent) for what waits for no turn. Out: the answers; after each of these
/// calls [`first`](Self::first) may be another sender, which is then to ask again.
///
/// Among those who wait, the one comes first who was given least, in bytes (start-time fair queueing, Goyal et al. 1996): so all who
/// have enough to send get the same, however large their updates are, nobody waits for more than one turn of each other, and one that was
/// quiet for long comes next, without a claim to what it did not use.
///
/// INVARIANT: in any time T at most T and 80 ms of the rate is sent in turns, headers on the way included.
#[derive(Debug, Clone)]
pub struct Turns {
    rate: Rate,
    next: u64,
    senders: BTreeMap<Sender, Given>,
    /// Who waits, by where its next turn begins: exactly those whose record says so.
    waiting: BTreeSet<(u64, Sender)>,
    /// Where the last turn began.
    last: u64,
    /// When everything that was given or urgent is sent, at the rate.
    over: Duration,
}

/// What one sender was given.
#[derive(Debug, Clone, Copy, Default)]
struct Given {
    /// Up to where, in bytes.
    until: u64,
    /// Where its next turn begins, while it waits for one.
    waits: Option<u64>,
}

impl Turns {
    /// Nobody sends yet.
    pub fn new(rate: Rate) -> Self {
        Self { rate, next: 0, senders: BTreeMap::new(), waiting: BTreeSet::new(), last: 0, over: Duration::ZERO }
    }

    /// The limit.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Somebody more sends.
    pub fn open(&mut self) -> Sender {
        let sender = Sender(self.next);
        self.next += 1;
        self.senders.insert(sender, Given::default());
        sender
    }

    /// Somebody sends no more.
    pub fn close(&mut self, sender: Sender) {
        self.give_up(sender);
        self.senders.remove(&sender);
    }

    /// How many there are, whether they have something to send or not.
    pub fn senders(&self) -> usize {
        self.senders.len()
    }

    /// A sender has so many bytes to send, more than none. What it is given counts as sent; if that is less, it asks again.
    pub fn ask(&mut self, sender: Sender, bytes: usize, now: Duration) -> Turn {
        let Some(record) = self.senders.get_mut(&sender) else { return Turn::Later };
        let place = *record.waits.get_or_insert(record.until.max(self.last));
        self.waiting.insert((place, sender));
        if self.first() != Some(sender) {
            return Turn::Later;
        }
        let begin = self.over.saturating_sub(AHEAD);
        if begin > now {
            return Turn::At(begin);
        }
        self.waiting.remove(&(place, sender));
        let bytes = bytes.min(self.most());
        self.senders.insert(sender, Given { until: place + bytes as u64, waits: None });
        (self.last, self.over) = (place, self.over.max(now) + self.time(bytes as u64));
        Turn::Now(bytes)
    }

    /// A sender that has asked sends nothing after all.
    pub fn give_up(&mut self, sender: Sender) {
        if let Some(place) = self.senders.get_mut(&sender).and_then(|record| record.waits.take()) {
            self.waiting.remove(&(place, sender));
        }
    }

    /// Who comes next.
    pub fn first(&self) -> Option<Sender> {
        self.waiting.first().map(|(_, sender)| *sender)
    }

    /// So many bytes are sent at once, which others then have to wait for.
    pub fn urgent(&mut self, bytes: usize, now: Duration) {
        self.over = self.over.max(now) + self.time(bytes as u64);
    }

    /// What each of those who send gets at least in such a time if it has enough to send, in bytes.
    pub fn share(&self, time: Duration) -> u64 {
        let all = u128::from(self.rate.bytes_per_second()) * time.as_micros() / 1_000_000;
        let all = u64::try_from(all).unwrap_or(u64::MAX);
        (all - all / HEADERS) / u64::try_from(self.senders()).unwrap_or(u64::MAX).max(1)
    }

    /// The largest turn.
    fn most(&self) -> usize {
        let bytes = u128::from(self.rate.bytes_per_second()) * TURN.0.as_micros() / 1_000_000;
        let bytes = bytes - bytes / u128::from(HEADERS);
        usize::try_from(bytes).unwrap_or(usize::MAX).clamp(1, TURN.1)
    }

    /// How long so many bytes take, with their headers.
    fn time(&self, bytes: u64) -> Duration {
        let wire = u128::from(bytes + bytes.div_ceil(HEADERS));
        let nanos = wire * 1_000_000_000 / u128::from(self.rate.bytes_per_second());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
#[path = "upload_tests.rs"]
mod tests;
