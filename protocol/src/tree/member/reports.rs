//! Reports of lost children and slow nodes on their way to the root: one call at a time, each sent again until its echo came.

use super::Link;
use crate::tree::message::Message;
use crate::tree::slot::MAX_EXTRA;
use std::collections::VecDeque;
use std::time::Duration;

/// Most reports kept: all children, the extra ones included, and some more. They come together only when the root is away for long, and
/// then the oldest matter least.
const MAX_REPORTS: usize = 2 * MAX_EXTRA as usize;
/// Time between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// What the root has not heard yet.
#[derive(Debug, Default)]
pub(super) struct Reports {
    queue: VecDeque<Message>,
    /// The call on which the first of the queue is, and until when its echo must come.
    open: Option<(Link, Duration)>,
    pause: Option<Duration>,
}

impl Reports {
    pub(super) fn push(&mut self, report: Message) {
        if self.queue.len() >= MAX_REPORTS {
            // The first one may be on its way.
            self.queue.remove(1);
        }
        self.queue.push_back(report);
    }

    pub(super) fn is_call(&self, call: Link) -> bool {
        self.open.is_some_and(|(open, _)| open == call)
    }

    /// Whether a report can be sent now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        !self.queue.is_empty() && self.open.is_none() && self.pause.is_none_or(|until| until <= now)
    }

    /// The report to send on this call.
    pub(super) fn begin(&mut self, call: Link, until: Duration) -> Option<Message> {
        (self.open, self.pause) = (Some((call, until)), None);
        self.queue.front().cloned()
    }

    /// An answer on the open call: the echo, or that this root knows nothing of reports; neither makes sense to repeat.
    pub(super) fn heard(&mut self) {
        self.open = None;
        self.queue.pop_front();
    }

    /// The open call has ended without an answer.
    pub(super) fn failed(&mut self, now: Duration) {
        self.open = None;
        self.pause = Some(now + PAUSE);
    }

    /// Gives up waiting for an echo that is late: the call to close.
    pub(super) fn expire(&mut self, now: Duration) -> Option<Link> {
        let (call, _) = self.open.filter(|(_, until)| *until <= now)?;
        self.failed(now);
        Some(call)
    }

    /// Forgets everything: the call to close.
    pub(super) fn abandon(&mut self) -> Option<Link> {
        self.queue.clear();
        self.pause = None;
        self.open.take().map(|(call, _)| call)
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.open {
            Some((_, until)) => Some(until),
            None => self.pause.filter(|_| !self.queue.is_empty()),
        }
    }
}
