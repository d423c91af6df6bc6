//! A network on virtual time for tests: connections that keep their order, are slow at random, and can break at any moment.

use crate::tree::message::Message;
use std::collections::BTreeMap;
use std::time::Duration;

/// SplitMix64.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        crate::tree::mix::mixed(self.0)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.draw() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn micros(&mut self, range: std::ops::Range<usize>) -> Duration {
        Duration::from_micros(u64::try_from(range.start + self.below(range.len())).unwrap())
    }
}

/// Which end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Dialler,
    Listener,
}

impl End {
    pub(crate) fn other(self) -> End {
        match self {
            End::Dialler => End::Listener,
            End::Listener => End::Dialler,
        }
    }

    fn index(self) -> usize {
        usize::from(self == End::Listener)
    }
}

/// What comes out at an end of a connection.
#[derive(Debug, Clone)]
pub(crate) enum Arrival {
    Message(Message),
    /// The connection has ended, or could not be made.
    Closed,
}

#[derive(Debug)]
struct Connection {
    /// Who is at which end.
    actors: [usize; 2],
    /// Whether the end knows of no ending.
    open: [bool; 2],
    /// Bytes under way are lost.
    broken: bool,
    /// Nothing may arrive at the end before this.
    ready: [Duration; 2],
}

/// All connections, and what is under way on them.
pub(crate) struct Network {
    pub(crate) random: Random,
    /// In percent, how many dials fail and how many messages are very slow.
    pub(crate) trouble: usize,
    connections: BTreeMap<u64, Connection>,
    under_way: BTreeMap<(Duration, u64), (u64, End, Arrival)>,
    last: u64,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random(seed), trouble: 0, connections: BTreeMap::new(), under_way: BTreeMap::new(), last: 0 }
    }

    /// A new connection; dialling nobody ends it after a while.
    pub(crate) fn dial(&mut self, from: usize, to: Option<usize>, now: Duration) -> u64 {
        self.last += 1;
        let (number, fails) = (self.last, self.random.chance(self.trouble));
        let actors = [from, to.unwrap_or(usize::MAX)];
        self.connections.insert(number, Connection { actors, open: [true; 2], broken: false, ready: [now; 2] });
        if fails || to.is_none() {
            self.break_connection(number, now);
        }
        number
    }

    pub(crate) fn send(&mut self, connection: u64, from: End, message: &Message, now: Duration) {
        self.put(connection, from.other(), Arrival::Message(message.clone()), now);
    }

    /// One end closes: what was sent before still arrives at the other.
    pub(crate) fn close(&mut self, connection: u64, from: End, now: Duration) {
        let Some(c) = self.connections.get_mut(&connection) else { return };
        if std::mem::replace(&mut c.open[from.index()], false) {
            self.put(connection, from.other(), Arrival::Closed, now);
        }
    }

    /// The wire breaks: nothing that is under way arrives, and both ends hear of it some time.
    pub(crate) fn break_connection(&mut self, connection: u64, now: Duration) {
        let Some(c) = self.connections.get_mut(&connection) else { return };
        if !std::mem::replace(&mut c.broken, true) {
            self.under_way.retain(|_, (number, _, _)| *number != connection);
            for end in [End::Dialler, End::Listener] {
                self.put(connection, end, Arrival::Closed, now);
            }
        }
    }

    fn put(&mut self, connection: u64, to: End, arrival: Arrival, now: Duration) {
        let slow = self.random.chance(self.trouble);
        let delay = self.random.micros(if slow { 50_000..3_000_000 } else { 500..30_000 });
        let Some(c) = self.connections.get_mut(&connection) else { return };
        if c.broken && matches!(arrival, Arrival::Message(_)) {
            return;
        }
        let at = c.ready[to.index()].max(now + delay);
        c.ready[to.index()] = at;
        self.last += 1;
        self.under_way.insert((at, self.last), (connection, to, arrival));
    }

    pub(crate) fn next_time(&self) -> Option<Duration> {
        self.under_way.keys().next().map(|(time, _)| *time)
    }

    /// What arrives next: where, at which end, at whom. Ends that are closed hear nothing.
    pub(crate) fn deliver(&mut self) -> Option<(u64, End, usize, Arrival)> {
        let (_, (number, end, arrival)) = self.under_way.pop_first()?;
        let c = self.connections.get_mut(&number)?;
        if !c.open[end.index()] {
            return None;
        }
        let actor = c.actors[end.index()];
        if matches!(arrival, Arrival::Closed) {
            c.open[end.index()] = false;
            if c.open == [false; 2] {
                self.connections.remove(&number);
            }
        }
        Some((number, end, actor, arrival))
    }

    pub(crate) fn is_open(&self, connection: u64, end: End) -> bool {
        self.connections.get(&connection).is_some_and(|c| c.open[end.index()])
    }

    pub(crate) fn actor(&self, connection: u64, end: End) -> Option<usize> {
        self.connections.get(&connection).map(|c| c.actors[end.index()])
    }

    /// Connections that are open at an end of this actor.
    pub(crate) fn of(&self, actor: usize) -> Vec<(u64, End)> {
        let ends = [End::Dialler, End::Listener];
        let mine = self.connections.iter().flat_map(|(number, c)| ends.map(|end| (*number, end, c)));
        mine.filter(|(_, end, c)| c.actors[end.index()] == actor && c.open[end.index()])
            .map(|(number, end, _)| (number, end))
            .collect()
    }

    pub(crate) fn any(&mut self) -> Option<u64> {
        let count = self.connections.len();
        let index = if count == 0 { 0 } else { self.random.below(count) };
        self.connections.keys().nth(index).copied()
    }
}
