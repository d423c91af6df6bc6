//! The links to a node's children, the same for the root and for every node: lets in who may attach, serves it from the log, tells it
//! how it stands with the presenter, and closes it when told. Who may attach is decided by a [`Gate`].

use crate::link::{LinkEnd, TreeLink, serve_child};
use crate::shared_log::{ReaderKind, SharedLog};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, watch};
use tracing::debug;
use treevnc_protocol::log::Cursor;
use treevnc_protocol::tree::children::{Acceptance, Link};
use treevnc_protocol::tree::message::{Attach, AttachReply, Fault, Message, Presenter};

/// Control messages that may wait for a child; more means that it takes nothing, and the link ends.
const CONTROL_LANE: usize = 16;

/// Who decides about children: a node's or the root's state machine.
pub trait Gate: Send + Sync {
    /// Decides on an ATTACH that came by `link`.
    fn attach(&self, attach: &Attach, link: Link) -> Acceptance;
    /// The link of an accepted child has ended.
    fn ended(&self, link: Link, why: Fault);
}

/// The open links to children. Cheap to clone: all clones are the same links.
#[derive(Debug, Clone)]
pub struct ChildLinks {
    log: SharedLog,
    presenter: watch::Receiver<Presenter>,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    links: BTreeMap<Link, Arc<Notify>>,
}

impl ChildLinks {
    /// No links yet; children will be served from `log` and told what `presenter` says.
    pub fn new(log: SharedLog, presenter: watch::Receiver<Presenter>) -> Self {
        Self { log, presenter, open: Arc::default() }
    }

    /// Closes a link; its child will see the connection end.
    pub fn close(&self, link: Link) {
        if let Some(close) = self.lock().links.get(&link) {
            close.notify_one();
        }
    }

    /// Serves a link whose first message was ATTACH, until it ends. Dropping the future closes the link.
    pub async fn serve(&self, gate: &impl Gate, mut tree_link: TreeLink, attach: Attach, peer: SocketAddr) {
        let registered = Registered::new(self);
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
            Ok(()) => self.feed(tree_link, &attach, &registered.close).await,
            Err(error) => error.into(),
        };
        debug!("link to child {} in slot {} ended: {end}", attach.child, attach.slot);
        let why = if matches!(&end, LinkEnd::Link(error) if error.is_fault()) { Fault::BadData } else { Fault::Closed };
        gate.ended(registered.link, why);
    }

    async fn feed(&self, link: TreeLink, attach: &Attach, close: &Notify) -> LinkEnd {
        let position = attach.position;
        let reader = self.log.reader(ReaderKind::Child, Cursor::new(position.session, position.seq));
        let (control, lane) = mpsc::channel(CONTROL_LANE);
        let (incoming, mut heard) = mpsc::channel(CONTROL_LANE);
        let mut presenter = self.presenter.clone();
        let tell = async {
            loop {
                let now = presenter.borrow_and_update().clone();
                if control.send(Message::Presenter(now)).await.is_err() || presenter.changed().await.is_err() {
                    return std::future::pending::<()>().await;
                }
            }
        };
        // A child has nothing to say that is acted on here; what it says is read so that its connection's end is seen.
        let listen = async { while heard.recv().await.is_some() {} };
        tokio::select! {
            end = serve_child(link, reader, lane, incoming) => end,
            () = close.notified() => LinkEnd::Local,
            () = async { tokio::join!(tell, listen); } => LinkEnd::Local,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut open = links.lock();
        open.next += 1;
        let (link, close) = (Link(open.next), Arc::new(Notify::new()));
        open.links.insert(link, Arc::clone(&close));
        drop(open);
        Self { links, link, close }
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.links.lock().links.remove(&self.link);
    }
}
