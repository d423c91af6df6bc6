//! A reader's place in a log, and the batch it is sent next (DESIGN section 5, rules 1 and 2).

use super::{Entry, ScreenLog};
use crate::update::{Seq, SessionId};
use std::sync::Arc;

/// A reader's place: everything up to `seq` of that session has been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    session: SessionId,
    seq: Seq,
}

impl Cursor {
    /// A reader that has everything up to `seq` of a session; [`Seq::NONE`] for a newcomer.
    pub fn new(session: SessionId, seq: Seq) -> Self {
        Self { session, seq }
    }

    /// The newest update taken.
    pub fn seq(self) -> Seq {
        self.seq
    }
}

/// What a reader sends next, whole and in order, whatever is painted over meanwhile.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The updates, oldest first; never empty.
    pub entries: Vec<Arc<Entry>>,
    /// The session their numbers belong to.
    pub session: SessionId,
    /// The number at which these updates are a whole picture; [`Seq::NONE`] when that is not yet known.
    until: Seq,
}

impl Batch {
    /// The stamp of one of the batch's updates: the `until` that travels with it.
    pub fn until(&self, entry: &Entry) -> Seq {
        if self.until >= entry.update().seq { self.until } else { Seq::NONE }
    }

    /// Bytes of its updates.
    pub fn cost_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.update().cost_bytes()).sum()
    }
}

impl ScreenLog {
    /// The next batch of a reader, and moves its cursor behind it. `None` when there is nothing new.
    ///
    /// A reader behind the complete point gets what is live as of that point. One that has it gets the tail as it arrives. A cursor of
    /// another session, or one ahead of this log's numbers, counts as a newcomer's in the first case and waits in the second.
    pub fn take_batch(&mut self, cursor: &mut Cursor) -> Option<Batch> {
        let seq = if cursor.session == self.session { cursor.seq } else { Seq::NONE };
        *cursor = Cursor { session: self.session, seq };
        if seq < self.complete {
            let after = (std::ops::Bound::Excluded(seq), std::ops::Bound::Unbounded);
            let entries: Vec<_> = self.held.range(after).map(|(_, held)| Arc::clone(&held.entry)).collect();
            cursor.seq = self.complete;
            return (!entries.is_empty()).then_some(Batch { entries, session: self.session, until: self.complete });
        }
        let start = self.tail.partition_point(|entry| entry.update().seq <= seq);
        let entries = self.tail.get(start..).unwrap_or(&[]).to_vec();
        cursor.seq = entries.last()?.update().seq;
        Some(Batch { entries, session: self.session, until: self.target })
    }

    /// Whether a reader has everything there is.
    pub fn is_caught_up(&self, cursor: Cursor) -> bool {
        cursor.session == self.session && cursor.seq >= self.head
    }
}
