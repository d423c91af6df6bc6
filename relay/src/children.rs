//! The links to a node's children, the same for the root and for every node: lets in who may attach, serves it from the log, tells it
//! how it stands with the presenter, finds out who is lost or slow, and closes it when told. What follows is decided by a [`Gate`].

mod census;

use crate::link::{Gauge, LinkEnd, TreeLink, serve_child};
use crate::shared_log::{LogReader, ReaderKind, SharedLog};
use crate::upload::Upload;
use census::Census;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep_until, timeout};
use tracing::debug;
use treevnc_protocol::log::Cursor;
use treevnc_protocol::tree::children::{Acceptance, Link};
use treevnc_protocol::tree::message::{Attach, AttachReply, CheckDelayReply, Fault, Message, Position, Presenter};
use treevnc_protocol::tree::pace::Slow;
use treevnc_protocol::tree::pulse::PulseConfig;

/// How long a child that was told the last may take to close its link.
const FAREWELL: Duration = Duration::from_secs(1);
/// Control messages that may wait for a child; more means that it takes nothing, and the link ends.
const CONTROL_LANE: usize = 16;

/// Who decides about children: a node's or the root's state machine.
pub trait Gate: Send + Sync {
    /// Decides on an ATTACH that came by `link`.
    fn attach(&self, attach: &Attach, link: Link) -> Acceptance;
    /// The link of an accepted child has ended.
    fn ended(&self, link: Link, why: Fault);
    /// A child, or this node itself, cannot keep up. Its link stays.
    fn slow(&self, slow: Slow);
    /// A child brings answers to checks by its link, which has these round trips: as it is now, and at least.
    fn answered(&self, _link: Link, _batch: CheckDelayReply, _round_trip: Option<Duration>, _least: Option<Duration>) {}
    /// A child has said something else than that and heartbeats.
    fn said(&self, _link: Link, _message: Message) {}
}

/// The open links to children. Cheap to clone: all clones are the same links.
#[derive(Debug, Clone)]
pub struct ChildLinks {
    log: SharedLog,
    presenter: watch::Receiver<Presenter>,
    beat: watch::Receiver<u64>,
    census: Arc<Mutex<Census>>,
    upload: Upload,
    /// This process is about to end.
    leaving: Arc<watch::Sender<bool>>,
    /// A link has ended.
    ended: Arc<Notify>,
}

impl ChildLinks {
    /// No links yet; children will be served from `log` and told what `presenter` says, and the root's newest `beat`.
    pub fn new(log: SharedLog, presenter: watch::Receiver<Presenter>, beat: watch::Receiver<u64>) -> Self {
        let (leaving, ended) = (Arc::new(watch::Sender::new(false)), Arc::default());
        Self { log, presenter, beat, census: Arc::default(), upload: Upload::unlimited(), leaving, ended }
    }

    /// The same, by a process whose upload is limited: no child is slow that gets its share of that.
    pub fn limited(self, upload: Upload) -> Self {
        Self { upload, ..self }
    }

    /// Closes a link; its child will see the connection end.
    pub fn close(&self, link: Link) {
        self.lock().close(link);
    }

    /// How many more children than there are now could be fed, as far as was measured and as a limit allows.
    pub fn room(&self) -> u8 {
        self.lock().room().min(self.upload.room(self.log.demand()))
    }

    /// Before this process ends: every child is told what is known of the presenter and then that nothing more comes, and lets nobody in any
    /// more. Resolves when all links have ended, or after a second.
    pub async fn farewell(&self) {
        self.leaving.send_replace(true);
        let all_gone = async {
            loop {
                let ended = self.ended.notified();
                if self.lock().is_empty() {
                    return;
                }
                ended.await;
            }
        };
        let _ = timeout(FAREWELL, all_gone).await;
    }

    /// Serves a link whose first message was ATTACH, until it ends. Dropping the future closes the link.
    pub async fn serve(&self, gate: &impl Gate, mut tree_link: TreeLink, attach: Attach, peer: SocketAddr) {
        if *self.leaving.borrow() {
            return;
        }
        let registered = Registered::new(self);
        // Before the gate decides: a log that begins another session after that ends the link.
        let Position { session, seq } = attach.position;
        let reader = self.log.reader(ReaderKind::Child, Cursor::new(session, seq));
        let acceptance = gate.attach(&attach, registered.link);
        if let Acceptance::Welcome { replaces } = acceptance {
            replaces.into_iter().for_each(|old| self.close(old));
        }
        let head = self.log.with(|log| log.head());
        let reply = acceptance.reply(head);
        let answered = tree_link.write_message(&Message::AttachReply(reply)).await;
        if !matches!(reply, AttachReply::Ok { .. }) {
            debug!("child {} from {peer} was not let in: {reply:?}", attach.child);
            return;
        }
        let end = match answered {
            Ok(()) => self.feed(gate, tree_link, reader, &registered).await,
            Err(error) => error.into(),
        };
        debug!("link to child {} in slot {} ended: {end}", attach.child, attach.slot);
        gate.ended(registered.link, end.fault());
    }

    async fn feed(&self, gate: &impl Gate, link: TreeLink, reader: LogReader, registered: &Registered<'_>) -> LinkEnd {
        let gauge = Arc::new(Gauge::new(&link, PulseConfig::default(), self.beat.clone()));
        self.lock().measure(registered.link, Arc::clone(&gauge), self.log.appended_bytes());
        let (control, lane) = mpsc::channel(CONTROL_LANE);
        let (incoming, mut heard) = mpsc::channel(CONTROL_LANE);
        let (mut presenter, mut leaving) = (self.presenter.clone(), self.leaving.subscribe());
        // The lane is dropped when there is no more to say, and the link ends after that.
        let tell = async move {
            loop {
                let is_last = *leaving.borrow_and_update();
                let now = presenter.borrow_and_update().clone();
                if control.send(Message::Presenter(now)).await.is_err() || is_last {
                    return;
                }
                tokio::select! {
                    Ok(()) = presenter.changed() => {}
                    Ok(()) = leaving.changed() => {}
                    else => return std::future::pending::<()>().await,
                }
            }
        };
        let listen = async {
            while let Some(message) = heard.recv().await {
                let vitals = gauge.vitals();
                match message {
                    Message::CheckDelayReply(batch) => {
                        gate.answered(registered.link, batch, vitals.round_trip(), vitals.least_round_trip());
                    }
                    message => gate.said(registered.link, message),
                }
            }
        };
        tokio::select! {
            end = serve_child(link, reader, &gauge, lane, incoming) => end,
            () = registered.close.notified() => LinkEnd::Local,
            () = async { tokio::join!(tell, listen, self.judge(gate)); } => LinkEnd::Local,
        }
    }

    /// Takes the census when its time has come, whichever child's task is the first to see it. Never ends.
    async fn judge(&self, gate: &impl Gate) {
        loop {
            let due = self.lock().due();
            sleep_until(due.into()).await;
            let slow = self.lock().take(self.log.appended_bytes(), &self.upload);
            slow.into_iter().for_each(|slow| gate.slow(slow));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Census> {
        self.census.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A link's entry, gone when the link's task is.
struct Registered<'a> {
    links: &'a ChildLinks,
    link: Link,
    close: Arc<Notify>,
}

impl<'a> Registered<'a> {
    fn new(links: &'a ChildLinks) -> Self {
        let close = Arc::new(Notify::new());
        let link = links.lock().register(Arc::clone(&close));
        Self { links, link, close }
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.links.lock().forget(self.link);
        self.links.ended.notify_waiters();
    }
}
