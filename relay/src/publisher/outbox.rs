//! The way of one frame's updates into the log: numbers them in the order in which they are ready, holds back one so that the last is known.

use crate::clock::SessionClock;
use crate::shared_log::SharedLog;
use std::sync::{Mutex, PoisonError};
use treevnc_protocol::update::{Content, Seq, Update, UpdateError};

/// Takes updates from several encoders at once.
pub(super) struct Outbox<'a> {
    log: &'a SharedLog,
    clock: SessionClock,
    state: Mutex<State>,
}

struct State {
    held: Option<Content>,
    sent: Sent,
}

/// What went into the log.
pub(super) struct Sent {
    /// The newest number given.
    pub(super) seq: Seq,
    pub(super) updates: usize,
    pub(super) bytes: usize,
    pub(super) result: Result<(), UpdateError>,
}

impl<'a> Outbox<'a> {
    /// For a frame whose first update follows `seq`.
    pub(super) fn new(log: &'a SharedLog, clock: SessionClock, seq: Seq) -> Self {
        let sent = Sent { seq, updates: 0, bytes: 0, result: Ok(()) };
        Self { log, clock, state: Mutex::new(State { held: None, sent }) }
    }

    /// Adds the frame's next update, and publishes the one before it.
    pub(super) fn put(&self, content: Content) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = state.held.replace(content) {
            publish(self.log, self.clock, &mut state.sent, before, false);
        }
    }

    /// Publishes the last update, which completes the frame.
    pub(super) fn finish(self) -> Sent {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = state.held.take() {
            publish(self.log, self.clock, &mut state.sent, last, true);
        }
        state.sent
    }
}

/// The one place where an update gets its number, its time and its stamp. After a refusal nothing more of the frame is sent.
fn publish(log: &SharedLog, clock: SessionClock, sent: &mut Sent, content: Content, last: bool) {
    if sent.result.is_err() {
        return;
    }
    let seq = Seq(sent.seq.0 + 1);
    let update = Update { seq, sent: clock.now(), check: false, content };
    let bytes = update.cost_bytes();
    match log.append(update, if last { seq } else { Seq::NONE }) {
        Ok(_) => {
            sent.seq = seq;
            sent.updates += 1;
            sent.bytes += bytes;
        }
        Err(error) => sent.result = Err(error),
    }
}
