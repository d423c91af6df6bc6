//! The log of a process, shared by everything that reads it (DESIGN idea B). Owns the lock, who is woken, how far each reader has
//! got, and the budget for what slow readers hold on to; which update goes to whom is decided by `protocol::log` alone.

mod places;
mod reader;

pub use places::{BATCH_BUDGET_BYTES, ReaderKind};
pub use reader::{Eviction, LogReader};

use places::Places;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::watch;
use treevnc_protocol::log::{Cursor, Entry, ScreenLog};
use treevnc_protocol::tree::demand::Demand;
use treevnc_protocol::update::{Seq, SessionId, Update, UpdateError};

/// A [`ScreenLog`] that many tasks read and one writes. Cheap to clone: all clones are the same log.
///
/// The lock is held for moments only and never across an await. There are no queues: a reader that is slow keeps the one batch it
/// is sending and finds the newest picture afterwards.
#[derive(Debug, Clone)]
pub struct SharedLog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    started: Instant,
    /// Counts what was appended and replaced; wakes readers.
    changed: watch::Sender<u64>,
    /// Counts what readers have sent; wakes [`SharedLog::caught_up`].
    progress: watch::Sender<u64>,
    /// Bytes that children and ordinary viewers were sent.
    sent: [AtomicU64; 2],
}

#[derive(Debug)]
struct State {
    log: ScreenLog,
    places: Places,
    appended: u64,
    pictures: u64,
    demand: Demand,
}

/// What has gone through a log, and who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// The newest update's number.
    pub head: Seq,
    /// Whole pictures that there were: complete points.
    pub pictures: u64,
    /// Bytes of all updates that were ever appended.
    pub appended_bytes: u64,
    /// Children that read it.
    pub children: usize,
    /// Bytes of updates that children were sent.
    pub children_bytes: u64,
    /// Ordinary viewers that read it.
    pub viewers: usize,
    /// Bytes that ordinary viewers were sent.
    pub viewers_bytes: u64,
}

/// What a log costs at a moment, in bytes of its updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBytes {
    /// Updates that the log holds as of its last complete point.
    pub held: usize,
    /// Updates that only readers' batches still hold.
    pub batches: usize,
}

impl SharedLog {
    /// The empty log of a session.
    pub fn new(session: SessionId) -> Self {
        Self::with_budget(session, BATCH_BUDGET_BYTES)
    }

    /// The empty log of a session, with another budget than [`BATCH_BUDGET_BYTES`] for what batches alone may hold.
    pub fn with_budget(session: SessionId, budget_bytes: usize) -> Self {
        let state = State {
            log: ScreenLog::new(session),
            places: Places::new(budget_bytes),
            appended: 0,
            pictures: 0,
            demand: Demand::new(),
        };
        let (changed, progress) = (watch::Sender::new(0), watch::Sender::new(0));
        let inner = Inner { state: Mutex::new(state), started: Instant::now(), changed, progress, sent: Default::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Adds the next update with its sender's stamp and wakes the readers. Answers as [`ScreenLog::append`] does.
    pub fn append(&self, update: Update, until: Seq) -> Result<bool, UpdateError> {
        let cost = update.cost_bytes();
        let is_new = {
            let mut state = self.lock();
            let state = &mut *state;
            let before = state.log.complete();
            let is_new = state.log.append(update, until)?;
            state.pictures += u64::from(state.log.complete() != before);
            if is_new {
                state.appended += cost as u64;
                state.demand.handle_bytes(cost as u64, self.inner.started.elapsed());
                state.places.note_appended(&mut state.log, cost);
            }
            is_new
        };
        if is_new {
            self.wake_readers();
        }
        Ok(is_new)
    }

    /// Begins another session with an empty log. Readers stay; their cursors then count as newcomers'.
    pub fn replace(&self, session: SessionId) {
        {
            let mut state = self.lock();
            let state = &mut *state;
            state.log = ScreenLog::new(session);
            state.places.check_budget(&mut state.log);
        }
        self.wake_readers();
    }

    /// Runs `look` on the log while it is locked. Keep it short, and do not append here: nobody would be woken.
    pub fn with<T>(&self, look: impl FnOnce(&mut ScreenLog) -> T) -> T {
        look(&mut self.lock().log)
    }

    /// A number that changes whenever the log does.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// Registers a reader that has what `cursor` says. It counts until it is dropped.
    pub fn reader(&self, kind: ReaderKind, cursor: Cursor) -> LogReader {
        LogReader::register(self.clone(), kind, cursor)
    }

    /// Number of readers of all kinds.
    pub fn reader_count(&self) -> usize {
        self.lock().places.count()
    }

    /// Resolves when at least one reader has sent everything up to `seq` of the present session; never while there is no reader.
    /// Nothing is lost when the future is dropped.
    pub async fn caught_up(&self, seq: Seq) {
        let mut progress = self.inner.progress.subscribe();
        loop {
            progress.borrow_and_update();
            {
                let state = self.lock();
                if state.places.has_sent(state.log.session(), seq) {
                    return;
                }
            }
            if progress.changed().await.is_err() {
                pending::<()>().await;
            }
        }
    }

    /// Bytes of all updates that were ever appended.
    pub fn appended_bytes(&self) -> u64 {
        self.lock().appended
    }

    /// What has gone through it since it is there, and who reads it now.
    pub fn traffic(&self) -> Traffic {
        let [children_bytes, viewers_bytes] = self.inner.sent.each_ref().map(|bytes| bytes.load(Ordering::Relaxed));
        let state = self.lock();
        Traffic {
            head: state.log.head(),
            pictures: state.pictures,
            appended_bytes: state.appended,
            children: state.places.count_of(ReaderKind::Child),
            children_bytes,
            viewers: state.places.count_of(ReaderKind::Viewer),
            viewers_bytes,
        }
    }

    /// A reader of that kind was sent so many bytes.
    pub(crate) fn count_sent(&self, kind: ReaderKind, bytes: u64) {
        let [children, viewers] = &self.inner.sent;
        match kind {
            ReaderKind::Child => children.fetch_add(bytes, Ordering::Relaxed),
            ReaderKind::Viewer => viewers.fetch_add(bytes, Ordering::Relaxed),
            ReaderKind::Local => 0,
        };
    }

    /// What one copy of the picture needs, in bytes per second, smoothed.
    pub fn demand(&self) -> u64 {
        self.lock().demand.bytes_per_second(self.inner.started.elapsed())
    }

    /// All updates that paint the newest picture known here, in order: those live at the complete point, then what came after it.
    pub fn all_entries(&self) -> Vec<Arc<Entry>> {
        self.with(|log| {
            let mut cursor = Cursor::new(log.session(), Seq::NONE);
            std::iter::from_fn(|| log.take_batch(&mut cursor)).flat_map(|batch| batch.entries).collect()
        })
    }

    /// What the log costs now.
    pub fn bytes(&self) -> LogBytes {
        let mut state = self.lock();
        let state = &mut *state;
        LogBytes { held: state.log.held_bytes(), batches: state.places.batch_only_bytes(&mut state.log) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_readers(&self) {
        self.inner.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn wake_pacing(&self) {
        self.inner.progress.send_modify(|count| *count = count.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests;
