//! The limit on what a process sends (`--max-upload`): one for all of its links and viewers. Owns the lock and the waiting; whose turn it
//! is, is decided by `protocol::tree::upload`.

mod stream;

pub use stream::Capped;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::time::{Sleep, sleep};
use treevnc_protocol::tree::upload::{Rate, Sender, Turn, Turns};

/// A process's limit, or none. Cheap to clone: all clones are the same limit.
#[derive(Debug, Clone, Default)]
pub struct Upload(Option<Arc<Limit>>);

#[derive(Debug)]
struct Limit {
    rate: Rate,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    turns: Turns,
    /// Of those who wait.
    wakers: BTreeMap<Sender, Waker>,
}

impl Upload {
    /// No limit.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// At most this rate.
    pub fn limited(rate: Rate) -> Self {
        let state = State { turns: Turns::new(rate), wakers: BTreeMap::new() };
        Self(Some(Arc::new(Limit { rate, started: Instant::now(), state: Mutex::new(state) })))
    }

    /// As [`limited`](Self::limited) if there is a rate.
    pub fn new(rate: Option<Rate>) -> Self {
        rate.map_or_else(Self::unlimited, Self::limited)
    }

    /// The limit.
    pub fn rate(&self) -> Option<Rate> {
        self.0.as_ref().map(|limit| limit.rate)
    }

    /// How many have sent something in turns and may again.
    pub fn senders(&self) -> usize {
        self.0.as_ref().map_or(0, |limit| limit.lock().turns.senders())
    }

    /// What each of those who send gets at least in such a time, in bytes, if it has enough to send and takes it.
    pub fn share(&self, time: Duration) -> u64 {
        self.0.as_ref().map_or(u64::MAX, |limit| limit.lock().turns.share(time))
    }

    /// For how many more senders there is room if each is to have so many bytes per second.
    pub fn room(&self, bytes_per_second: u64) -> u8 {
        let Some(limit) = &self.0 else { return u8::MAX };
        let senders = u64::try_from(limit.lock().turns.senders()).unwrap_or(u64::MAX);
        u8::try_from(limit.rate.copies(bytes_per_second).saturating_sub(senders)).unwrap_or(u8::MAX)
    }

    /// For one connection, for as long as it lasts. It counts as a sender from its first turn on.
    pub fn turnstile(&self) -> Turnstile {
        Turnstile { upload: self.clone(), entered: None }
    }
}

impl Limit {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

impl State {
    /// Somebody's turn is over or given up: the next one looks again.
    fn wake_first(&mut self) {
        let waker = self.turns.first().and_then(|first| self.wakers.remove(&first));
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Where one who sends pictures waits for its turns.
#[derive(Debug)]
pub struct Turnstile {
    upload: Upload,
    entered: Option<Entered>,
}

#[derive(Debug)]
struct Entered {
    limit: Arc<Limit>,
    sender: Sender,
    sleep: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
}

impl Turnstile {
    /// Waits until some of so many bytes may be sent, and says how many; they count as sent. All of them where there is no limit, and none of
    /// none. Dropping the future gives the turn up.
    pub async fn turn(&mut self, bytes: usize) -> usize {
        let waiting = Waiting(self);
        poll_fn(|context| waiting.0.poll_turn(context, bytes)).await
    }

    /// As [`turn`](Self::turn); a turn that is waited for is to be taken, or given up, soon.
    fn poll_turn(&mut self, context: &mut Context<'_>, bytes: usize) -> Poll<usize> {
        let Some(limit) = self.upload.0.as_ref().filter(|_| bytes > 0) else { return Poll::Ready(bytes) };
        self.entered.get_or_insert_with(|| Entered::new(limit)).poll(context, bytes)
    }

    fn give_up(&mut self) {
        if let Some(entered) = self.entered.as_mut().filter(|entered| entered.is_waiting) {
            entered.is_waiting = false;
            let mut state = entered.limit.lock();
            state.turns.give_up(entered.sender);
            state.wakers.remove(&entered.sender);
            state.wake_first();
        }
    }

    /// So many bytes are sent without waiting: control.
    pub fn urgent(&self, bytes: usize) {
        if let Some(limit) = &self.upload.0 {
            limit.lock().turns.urgent(bytes, limit.now());
        }
    }
}

impl Entered {
    fn new(limit: &Arc<Limit>) -> Self {
        Self { limit: Arc::clone(limit), sender: limit.lock().turns.open(), sleep: None, is_waiting: false }
    }

    fn poll(&mut self, context: &mut Context<'_>, bytes: usize) -> Poll<usize> {
        loop {
            let now = self.limit.now();
            let mut state = self.limit.lock();
            let turn = state.turns.ask(self.sender, bytes, now);
            self.is_waiting = !matches!(turn, Turn::Now(_));
            match turn {
                Turn::Now(bytes) => {
                    state.wakers.remove(&self.sender);
                    state.wake_first();
                    return Poll::Ready(bytes);
                }
                Turn::Later | Turn::At(_) => state.wakers.insert(self.sender, context.waker().clone()),
            };
            drop(state);
            let Turn::At(at) = turn else { return Poll::Pending };
            let due = tokio::time::Instant::from_std(self.limit.started + at);
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(Duration::ZERO)));
            sleep.as_mut().reset(due);
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Turnstile {
    fn drop(&mut self) {
        self.give_up();
        if let Some(entered) = &self.entered {
            entered.limit.lock().turns.close(entered.sender);
        }
    }
}

/// Gives the turn up when it is no longer waited for.
struct Waiting<'a>(&'a mut Turnstile);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

#[cfg(test)]
#[path = "upload_tests.rs"]
mod tests;
