//! The way of one frame's updates into the log: numbers them in the order in which they are ready, holds back one so that the last is known.

use super::CheckLog;
use crate::clock::SessionClock;
use crate::shared_log::SharedLog;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use treevnc_protocol::update::{Content, Seq, Update, UpdateError};

/// Takes updates from several encoders at once.
pub(super) struct Outbox<'a> {
    log: &'a SharedLog,
    clock: SessionClock,
    state: Mutex<State>,
}

struct State {
    held: Option<Content>,
    /// When the frame's first update was published.
    began: Option<Duration>,
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
        Self { log, clock, state: Mutex::new(State { held: None, began: None, sent }) }
    }

    /// Adds the frame's next update, and publishes the one before it.
    pub(super) fn put(&self, content: Content) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = state.held.replace(content) {
            self.publish(&mut state, before, Place::Within);
        }
    }

    /// Publishes the last update, which completes the frame, and is a check if somebody is to be told of one.
    pub(super) fn finish(self, checks: Option<&dyn CheckLog>) -> Sent {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = state.held.take() {
            self.publish(&mut state, last, Place::Last(checks));
        }
        drop(state);
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).sent
    }

    /// The one place where an update gets its number, its time and its stamp. After a refusal nothing more of the frame is sent.
    fn publish(&self, state: &mut State, content: Content, place: Place<'_>) {
        let State { began, sent, .. } = state;
        if sent.result.is_err() {
            return;
        }
        let (seq, now) = (Seq(sent.seq.0 + 1), self.clock.now());
        let began = *began.get_or_insert(now);
        let checks = if let Place::Last(checks) = place { checks } else { None };
        let update = Update { seq, sent: now, check: checks.is_some(), content };
        let bytes = update.cost_bytes();
        if let Some(checks) = checks {
            // Before anybody can have answered it.
            checks.sent(seq, began, (sent.bytes + bytes) as u64);
        }
        match self.log.append(update, if matches!(place, Place::Last(_)) { seq } else { Seq::NONE }) {
            Ok(_) => {
                sent.seq = seq;
                sent.updates += 1;
                sent.bytes += bytes;
            }
            Err(error) => sent.result = Err(error),
        }
    }
}

/// Where an update stands in its frame.
enum Place<'a> {
    Within,
    Last(Option<&'a dyn CheckLog>),
}
