//! What is going to happen, in order of time, and of entry where times are equal.

use crate::actor::Actor;
use crate::network::{Arrival, End, Wire};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Something that happens at its time.
#[derive(Debug)]
pub(crate) enum Event {
    /// Something comes out at an end of a connection.
    Arrive { wire: Wire, end: End, what: Arrival },
    /// A state machine's deadline.
    Deadline(Actor),
    /// An end of a link may have heard nothing for too long.
    Silence { wire: Wire, end: End },
    /// A link has taken the batch that was sent on it.
    Sent { wire: Wire, parent: Actor },
    /// A connection that was dialled long ago may still not be greeted.
    DialLimit(Wire),
    /// The root has kept a call open for as long as it does.
    CallLimit { wire: Wire, end: End },
    /// A node joins.
    Join,
    /// The root shows something new.
    Publish,
    /// The next thing of a churn.
    Churn,
    /// A host that was stopped goes on.
    GoOn(Actor),
    /// A partition ends.
    Heal(u32),
    /// A narrow link is wide again.
    Widen(Wire),
    /// A window of those who measure their children is over.
    Window(Actor),
    /// A slow host is quick again.
    Quicken(Actor),
    /// Time to look at everything.
    Inspect,
}

#[derive(Debug)]
struct Entry<E> {
    at: Duration,
    number: u64,
    event: E,
}

impl<E> Entry<E> {
    fn key(&self) -> (Duration, u64) {
        (self.at, self.number)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    /// The earliest is the greatest, as the heap wants it.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

/// All that is going to happen.
#[derive(Debug)]
pub(crate) struct Agenda<E = Event> {
    heap: BinaryHeap<Entry<E>>,
    last: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), last: 0 }
    }
}

impl<E> Agenda<E> {
    pub(crate) fn push(&mut self, at: Duration, event: E) {
        self.last += 1;
        self.heap.push(Entry { at, number: self.last, event });
    }

    pub(crate) fn next_time(&self) -> Option<Duration> {
        self.heap.peek().map(|entry| entry.at)
    }

    pub(crate) fn pop(&mut self) -> Option<(Duration, E)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }
}
