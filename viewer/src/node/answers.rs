//! A node's answers to checks, its own and those from below, on their way to the parent; when they go is decided by [`Gatherer`].

use super::Shared;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use treevnc_protocol::tree::delay::{Gatherer, Receipt};
use treevnc_protocol::tree::message::{CheckDelayReply, DelayReply, Intake, Message};
use treevnc_protocol::update::Seq;

/// How long an answer waits for the window to show what came; it then says that nothing showed it.
const SHOWN: Duration = Duration::from_secs(1);

/// The answers that wait.
#[derive(Debug)]
pub(super) struct Answers {
    started: Instant,
    gatherer: Mutex<Gatherer>,
    /// What has come since this node joined the session, by all its parents.
    intake: Mutex<Intake>,
    wake: Notify,
    /// What a window shows, if there is one.
    painted: OnceLock<watch::Receiver<Seq>>,
}

impl Default for Answers {
    fn default() -> Self {
        let (gatherer, intake) = Default::default();
        Self { started: Instant::now(), gatherer, intake, wake: Notify::new(), painted: OnceLock::new() }
    }
}

impl Answers {
    pub(super) fn is_shown_by(&self, painted: watch::Receiver<Seq>) {
        // A node has one window.
        let _ = self.painted.set(painted);
    }

    /// A check has come, whether or not it is to be answered.
    pub(super) fn check_came(&self, check: Seq) {
        self.lock().check_came(check);
    }

    pub(super) fn pass_on(&self, replies: &[DelayReply], round_trip: Option<Duration>, least: Option<Duration>) {
        self.lock().pass_on(replies, round_trip, least, self.started.elapsed());
        self.wake.notify_one();
    }

    /// Another session begins: those that wait are of the one before, and so is what has come.
    pub(super) fn clear(&self) {
        self.lock().clear();
        *self.intake() = Intake::default();
    }

    /// What has come in this session.
    pub(super) fn intake(&self) -> MutexGuard<'_, Intake> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next answers, when they may go. Cancel safe.
    pub(super) async fn next(&self) -> Vec<DelayReply> {
        loop {
            let (replies, deadline) = {
                let (mut gatherer, now) = (self.lock(), self.started.elapsed());
                (gatherer.poll(now), gatherer.deadline().map(|deadline| deadline.saturating_sub(now)))
            };
            if let Some(replies) = replies {
                return replies;
            }
            let due = async {
                match deadline {
                    Some(wait) => sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.wake.notified() => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Gatherer> {
        self.gatherer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// The next message with answers for the parent. Cancel safe.
    pub(super) async fn next_answers(&self) -> Message {
        let replies = self.answers.next().await;
        let session = self.log.with(|log| log.session());
        Message::CheckDelayReply(CheckDelayReply { session, replies })
    }

    /// This node has everything up to a check: it answers, at once or when its window shows it.
    pub(super) fn answer(self: &Arc<Self>, check: Seq, bytes: u64) {
        let answers = &self.answers;
        let id = self.member().id();
        let receipt = Receipt { check, bytes, total: *answers.intake(), at: answers.started.elapsed() };
        let Some(mut painted) = answers.painted.get().cloned() else {
            answers.lock().answer(id, &receipt, None);
            return answers.wake.notify_one();
        };
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let seen = timeout(SHOWN, painted.wait_for(|seq| *seq >= check)).await;
            let answers = &shared.answers;
            let shown = matches!(seen, Ok(Ok(_))).then(|| answers.started.elapsed().saturating_sub(receipt.at));
            answers.lock().answer(id, &receipt, shown);
            answers.wake.notify_one();
        });
    }
}
