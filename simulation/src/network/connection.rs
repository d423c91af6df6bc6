//! Connections: two ends, and what is under way keeps its order.

use crate::actor::Actor;
use std::sync::Arc;
use std::time::Duration;
use treevnc_protocol::log::Entry;
use treevnc_protocol::tree::message::Message;
use treevnc_protocol::update::Seq;

/// Bits of a [`Wire`] that are a place in memory.
const PLACE_BITS: u32 = 24;

/// The number of a connection; later ones have larger numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wire(pub(crate) u64);

impl Wire {
    fn place(self) -> usize {
        usize::try_from(self.0 & ((1 << PLACE_BITS) - 1)).unwrap_or(usize::MAX)
    }
}

/// Which end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Dialler,
    Listener,
}

impl End {
    pub(crate) const BOTH: [End; 2] = [End::Dialler, End::Listener];

    pub(crate) fn other(self) -> End {
        match self {
            End::Dialler => End::Listener,
            End::Listener => End::Dialler,
        }
    }
}

/// What comes out at an end.
#[derive(Debug)]
pub(crate) enum Arrival {
    Message(Box<Message>),
    /// An update with its sender's stamp.
    Update(Arc<Entry>, Seq),
    /// The connection has ended, or could not be made.
    Closed,
}

#[derive(Debug)]
pub(super) struct EndState {
    pub(super) actor: Actor,
    /// The program there holds it.
    pub(super) is_open: bool,
    /// Nothing has been sent to it yet: its first message waits until `ready`, then travels.
    pub(super) is_fresh: bool,
    /// Nothing arrives here before this.
    pub(super) ready: Duration,
    /// When the last byte sent from here has left.
    departs: Duration,
    /// What arrives when those who are apart are together again.
    pub(super) held: Vec<Arrival>,
    /// The program there finds silence.
    pub(super) is_watched: bool,
    /// Since when nothing can be heard here.
    pub(super) silent_since: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Connection {
    wire: Wire,
    ends: [EndState; 2],
    pub(super) opened: Duration,
    /// The listening program has heard something.
    pub(super) is_greeted: bool,
    /// Dead: nothing goes through.
    pub(super) is_cut: bool,
    /// Both ends are told so.
    pub(super) is_reset: bool,
    /// Bytes per second from parent to child; as wide as need be without.
    pub(super) rate: Option<u32>,
    /// Bytes of updates that the dialling program has got.
    pub(super) taken: u64,
}

impl Connection {
    /// A connection between two actors; where there `is_peer` not, only the dialling end is open.
    pub(super) fn new(actors: [Actor; 2], now: Duration, ready: Duration, is_peer: bool) -> Self {
        let end = |actor, is_open, ready, is_fresh| EndState {
            actor,
            is_open,
            is_fresh,
            ready,
            departs: now,
            held: Vec::new(),
            is_watched: false,
            silent_since: None,
        };
        let [dialler, listener] = actors;
        let ends = [end(dialler, true, now, false), end(listener, is_peer, ready, true)];
        Self { wire: Wire(0), ends, opened: now, is_greeted: false, is_cut: false, is_reset: false, rate: None, taken: 0 }
    }

    pub(super) fn end(&self, end: End) -> &EndState {
        let [dialler, listener] = &self.ends;
        if end == End::Dialler { dialler } else { listener }
    }

    pub(super) fn end_mut(&mut self, end: End) -> &mut EndState {
        let [dialler, listener] = &mut self.ends;
        if end == End::Dialler { dialler } else { listener }
    }

    pub(super) fn is_open(&self) -> bool {
        self.ends.iter().any(|end| end.is_open)
    }

    /// Whether there is anybody at the listening end.
    pub(super) fn has_peer(&self) -> bool {
        let [dialler, listener] = &self.ends;
        dialler.actor != listener.actor
    }

    /// When the last of `bytes` more leaves an end.
    pub(super) fn departs(&mut self, from: End, bytes: usize, rate: Option<u32>, now: Duration) -> Duration {
        let end = self.end_mut(from);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let takes = rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1).mul_f64(f64::from(bytes) / f64::from(rate.max(1))));
        end.departs = end.departs.max(now) + takes;
        end.departs
    }

    pub(super) fn ready_to_send(&self, from: End, now: Duration) -> Duration {
        self.end(from).departs.max(now)
    }
}

/// All connections that at least one end holds.
#[derive(Debug, Default)]
pub(super) struct Connections {
    places: Vec<Option<Connection>>,
    free: Vec<usize>,
    last: u64,
}

impl Connections {
    pub(super) fn insert(&mut self, connection: Connection) -> Wire {
        let place = self.free.pop().unwrap_or(self.places.len());
        self.last += 1;
        let wire = Wire(self.last << PLACE_BITS | u64::try_from(place).unwrap_or(0));
        let connection = Some(Connection { wire, ..connection });
        match self.places.get_mut(place) {
            Some(free) => *free = connection,
            None => self.places.push(connection),
        }
        wire
    }

    pub(super) fn get(&self, wire: Wire) -> Option<&Connection> {
        self.places.get(wire.place())?.as_ref().filter(|c| c.wire == wire)
    }

    pub(super) fn get_mut(&mut self, wire: Wire) -> Option<&mut Connection> {
        self.places.get_mut(wire.place())?.as_mut().filter(|c| c.wire == wire)
    }

    pub(super) fn remove(&mut self, wire: Wire) {
        if self.get(wire).is_some() {
            self.places[wire.place()] = None;
            self.free.push(wire.place());
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.places.iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}
