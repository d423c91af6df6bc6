//! One reader of a shared log: its cursor, and what it tells the log about how far it has sent.

use super::{ReaderKind, SharedLog};
use std::future::pending;
use std::sync::Arc;
use tokio::sync::watch;
use treevnc_protocol::log::{Batch, Cursor};
use treevnc_protocol::update::{Seq, SessionId};

/// A reader of a [`SharedLog`]: take a batch, send all of it, say so with [`sent`](Self::sent), let go of it, take the next.
/// Holding two batches at a time would hold twice the memory.
#[derive(Debug)]
pub struct LogReader {
    log: SharedLog,
    id: u64,
    kind: ReaderKind,
    cursor: Cursor,
    session: SessionId,
    /// The log has begun another session, which is not for this reader.
    is_over: bool,
    changed: watch::Receiver<u64>,
    evicted: watch::Receiver<bool>,
}

impl LogReader {
    pub(super) fn register(log: SharedLog, kind: ReaderKind, cursor: Cursor) -> Self {
        let changed = log.changed();
        let (session, cursor, (id, evicted)) = {
            let mut state = log.lock();
            let session = state.log.session();
            let is_of_session = cursor == Cursor::new(session, cursor.seq());
            let seq = if is_of_session { cursor.seq() } else { Seq::NONE };
            (session, Cursor::new(session, seq), state.places.register(kind, session, seq))
        };
        log.wake_pacing();
        Self { log, id, kind, cursor, session, is_over: false, changed, evicted }
    }

    /// The log this reader belongs to.
    pub fn log(&self) -> &SharedLog {
        &self.log
    }

    /// The next batch, as soon as there is one; never once this reader [`is_over`](Self::is_over). Cancel safe: a batch that is not returned is not consumed.
    pub async fn next(&mut self) -> Arc<Batch> {
        loop {
            if let Some(batch) = self.try_next() {
                return batch;
            }
            self.log_changed().await;
        }
    }

    /// The next batch, if there is one now. For a [`ReaderKind::Child`] there is none once the log has begun another session, which
    /// [`is_over`](Self::is_over) tells from then on: updates of one session make no sense to a log of another.
    pub fn try_next(&mut self) -> Option<Arc<Batch>> {
        self.changed.borrow_and_update();
        let mut state = self.log.lock();
        let state = &mut *state;
        self.is_over |= self.kind == ReaderKind::Child && state.log.session() != self.session;
        if self.is_over {
            return None;
        }
        let batch = state.log.take_batch(&mut self.cursor);
        self.session = state.log.session();
        let batch = Arc::new(batch?);
        state.places.note_taken(self.id, self.session, &batch);
        Some(batch)
    }

    /// Whether this reader will never get anything more.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Resolves when the log has changed since the last [`try_next`](Self::try_next). Cancel safe.
    pub async fn log_changed(&mut self) {
        if self.changed.changed().await.is_err() {
            pending::<()>().await;
        }
    }

    /// Goes back: everything after `seq` will be taken again. Does nothing when the reader is not that far.
    pub fn rewind(&mut self, seq: Seq) {
        if seq < self.cursor.seq() {
            self.cursor = Cursor::new(self.session, seq);
        }
    }

    /// Says that a batch has been sent whole.
    pub fn sent(&self, batch: &Batch) {
        let Some(last) = batch.entries.last() else { return };
        self.log.lock().places.note_sent(self.id, self.session, last.update().seq);
        self.log.wake_pacing();
    }

    /// Its reader was sent so many bytes.
    pub(crate) fn count_sent(&self, bytes: u64) {
        self.log.count_sent(self.kind, bytes);
    }

    /// What tells this reader to close because batches hold too much; readers of kind [`ReaderKind::Local`] never are.
    pub fn eviction(&self) -> Eviction {
        Eviction(self.evicted.clone())
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        let mut state = self.log.lock();
        let state = &mut *state;
        state.places.deregister(self.id, &mut state.log);
    }
}

/// Waits for a reader to be told to close.
#[derive(Debug, Clone)]
pub struct Eviction(watch::Receiver<bool>);

impl Eviction {
    /// Resolves when the reader is to close; never after it is gone. Cancel safe.
    pub async fn told(&mut self) {
        if self.0.wait_for(|&told| told).await.is_err() {
            pending::<()>().await;
        }
    }
}
