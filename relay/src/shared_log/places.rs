//! How far each reader of a log has got, and the budget for what batches alone hold (DESIGN section 5, rule 4).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use tokio::sync::watch;
use treevnc_protocol::log::{Batch, ScreenLog};
use treevnc_protocol::update::{Seq, SessionId};

/// Most bytes that readers' batches may hold after the log has dropped them. Above it the ordinary viewer with the oldest batch is
/// closed, or the child with the oldest when no viewer holds any. A process has one log, so this is the process's bound.
pub const BATCH_BUDGET_BYTES: usize = 64 * 1024 * 1024;

/// What reads a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderKind {
    /// A node below: closed when the budget is exceeded and no viewer holds a batch.
    Child,
    /// An ordinary viewer: the first kind that is closed when the budget is exceeded.
    Viewer,
    /// This process's own window or file: never closed.
    Local,
}

/// The registered readers of a log.
#[derive(Debug)]
pub(super) struct Places {
    readers: BTreeMap<u64, Place>,
    next_reader: u64,
    next_batch: u64,
    budget_bytes: usize,
    checked: Checked,
}

#[derive(Debug)]
struct Place {
    kind: ReaderKind,
    /// Everything up to here has been sent.
    session: SessionId,
    sent: Seq,
    batch: Weak<Batch>,
    batch_session: SessionId,
    batch_number: u64,
    evicted: watch::Sender<bool>,
}

/// What the last look at the budget found, so that most updates need no look: what batches alone hold cannot have grown by more
/// than what the log held then and got since, less what it holds now.
#[derive(Debug, Default)]
struct Checked {
    batch_only: usize,
    held: usize,
    appended: usize,
}

impl Places {
    pub(super) fn new(budget_bytes: usize) -> Self {
        Self { readers: BTreeMap::new(), next_reader: 0, next_batch: 0, budget_bytes, checked: Checked::default() }
    }

    pub(super) fn count(&self) -> usize {
        self.readers.len()
    }

    pub(super) fn count_of(&self, kind: ReaderKind) -> usize {
        self.readers.values().filter(|place| place.kind == kind).count()
    }

    /// Adds a reader that has everything up to `sent`; answers its number and what tells it to close.
    pub(super) fn register(&mut self, kind: ReaderKind, session: SessionId, sent: Seq) -> (u64, watch::Receiver<bool>) {
        let id = self.next_reader;
        self.next_reader += 1;
        let (evicted, told) = watch::channel(false);
        let place = Place { kind, session, sent, batch: Weak::new(), batch_session: session, batch_number: 0, evicted };
        self.readers.insert(id, place);
        (id, told)
    }

    pub(super) fn deregister(&mut self, id: u64, log: &mut ScreenLog) {
        let was_evicted = self.readers.remove(&id).is_some_and(|place| *place.evicted.borrow());
        if was_evicted {
            self.check_budget(log);
        }
    }

    /// Notes the batch that a reader is about to send.
    pub(super) fn note_taken(&mut self, id: u64, session: SessionId, batch: &Arc<Batch>) {
        self.next_batch += 1;
        let batch_number = self.next_batch;
        if let Some(place) = self.readers.get_mut(&id) {
            (place.batch, place.batch_session, place.batch_number) = (Arc::downgrade(batch), session, batch_number);
        }
    }

    /// Notes how far a reader has sent.
    pub(super) fn note_sent(&mut self, id: u64, session: SessionId, seq: Seq) {
        if let Some(place) = self.readers.get_mut(&id) {
            (place.session, place.sent) = (session, seq);
        }
    }

    pub(super) fn has_sent(&self, session: SessionId, seq: Seq) -> bool {
        self.readers.values().any(|place| place.session == session && place.sent >= seq)
    }

    pub(super) fn note_appended(&mut self, log: &mut ScreenLog, cost_bytes: usize) {
        self.checked.appended += cost_bytes;
        let most = self.checked.batch_only + self.checked.held + self.checked.appended;
        let nothing_waits = log.head() == log.complete();
        if nothing_waits && most.saturating_sub(log.held_bytes()) > self.budget_bytes {
            self.check_budget(log);
        }
    }

    /// Tells the viewer with the oldest batch, or without one the child, to close when batches alone hold too much; the next one only
    /// when it has gone.
    pub(super) fn check_budget(&mut self, log: &mut ScreenLog) {
        let batch_only = self.batch_only_bytes(log);
        self.checked = Checked { batch_only, held: log.held_bytes(), appended: 0 };
        let holders = || self.readers.values().filter(|place| place.batch.strong_count() > 0);
        if batch_only <= self.budget_bytes || holders().any(|place| *place.evicted.borrow()) {
            return;
        }
        let oldest = |kind| holders().filter(|place| place.kind == kind).min_by_key(|place| place.batch_number);
        if let Some(place) = oldest(ReaderKind::Viewer).or_else(|| oldest(ReaderKind::Child)) {
            place.evicted.send_replace(true);
        }
    }

    /// Bytes of updates that batches hold and the log no longer does.
    pub(super) fn batch_only_bytes(&self, log: &mut ScreenLog) -> usize {
        log.batch_only_bytes() + self.bytes_of_earlier_sessions(log.session())
    }

    fn bytes_of_earlier_sessions(&self, session: SessionId) -> usize {
        let mut seen = BTreeSet::new();
        let earlier = self.readers.values().filter(|place| place.batch_session != session);
        let batches = earlier.filter_map(|place| place.batch.upgrade());
        let of_batch = |batch: Arc<Batch>| {
            let unseen = batch.entries.iter().filter(|entry| seen.insert(Arc::as_ptr(entry)));
            unseen.map(|entry| entry.update().cost_bytes()).sum::<usize>()
        };
        batches.map(of_batch).sum()
    }
}
