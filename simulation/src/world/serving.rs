//! What root and nodes share: a log, and the links to children that are served from it, as the relay does it: a batch is sent whole, the
//! next one is taken when it is out.

use super::World;
use super::pacing::Windows;
use crate::actor::{Actor, ROOT};
use crate::agenda::Event;
use crate::network::{Arrival, End, Network, Wire};
use std::sync::Arc;
use std::time::Duration;
use treevnc_protocol::log::{Cursor, ScreenLog};
use treevnc_protocol::tree::frame::HEADER_BYTES;
use treevnc_protocol::tree::slot::Slot;
use treevnc_protocol::update::{Seq, SessionId, Update};

/// How many times larger than they are updates count on the network: a frame is then some 150 KB.
const LARGER: usize = 1024;

/// A log and those who are served from it.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) log: ScreenLog,
    pub(crate) links: Vec<ChildLink>,
    /// Bytes of updates, as they count on the network, that have come into the log.
    pub(super) appended: u64,
    /// While one of the links is narrow.
    pub(super) windows: Option<Box<Windows>>,
}

/// A link to a child that was let in.
#[derive(Debug)]
pub(crate) struct ChildLink {
    pub(crate) wire: Wire,
    /// The slot that the child came for.
    pub(crate) slot: Slot,
    cursor: Cursor,
    /// When the last byte of the batch has left.
    busy: Duration,
    /// Since when it has had something to send without a pause.
    busy_since: Duration,
    /// It will be fed again then.
    is_waiting: bool,
}

impl Served {
    pub(super) fn new(session: SessionId) -> Self {
        Self { log: ScreenLog::new(session), links: Vec::new(), appended: 0, windows: None }
    }

    /// Lets a child in, which has what its cursor says.
    pub(super) fn let_in(&mut self, wire: Wire, slot: Slot, cursor: Cursor) {
        self.links.push(ChildLink { wire, slot, cursor, busy: Duration::ZERO, busy_since: Duration::ZERO, is_waiting: false });
    }

    /// The link is no more; says whether there was one.
    pub(super) fn drop_link(&mut self, wire: Wire) -> bool {
        let before = self.links.len();
        self.links.retain(|link| link.wire != wire);
        self.links.len() < before
    }

    /// Sends every child what it can take: the bytes.
    pub(super) fn feed_all(&mut self, network: &mut Network, parent: Actor) -> usize {
        let Self { log, links, .. } = self;
        links.iter_mut().map(|link| link.feed(log, network, parent)).sum()
    }

    /// Sends one child what it can take: the bytes.
    pub(super) fn feed(&mut self, wire: Wire, network: &mut Network, parent: Actor) -> usize {
        let Self { log, links, .. } = self;
        let link = links.iter_mut().find(|link| link.wire == wire);
        link.map_or(0, |link| {
            link.is_waiting = false;
            link.feed(log, network, parent)
        })
    }
}

/// Bytes that an update counts for on the network: the pictures here are tiny and stand for larger ones.
pub(super) fn wire_bytes(update: &Update) -> usize {
    (HEADER_BYTES + update.cost_bytes()) * LARGER
}

impl ChildLink {
    /// Whether it has had something to send all the time from then to now.
    pub(super) fn is_behind(&self, since: Duration, now: Duration) -> bool {
        self.busy > now && self.busy_since <= since
    }

    fn feed(&mut self, log: &mut ScreenLog, network: &mut Network, parent: Actor) -> usize {
        let now = network.now();
        let mut sent = 0;
        while self.busy <= now {
            let Some(batch) = log.take_batch(&mut self.cursor) else { return sent };
            if self.busy < now {
                self.busy_since = now;
            }
            for entry in &batch.entries {
                let what = Arrival::Update(Arc::clone(entry), batch.until(entry));
                self.busy = network.send(self.wire, End::Listener, what, wire_bytes(entry.update()));
                sent += HEADER_BYTES + entry.update().cost_bytes();
            }
        }
        if !std::mem::replace(&mut self.is_waiting, true) {
            network.agenda.push(self.busy, Event::Sent { wire: self.wire, parent });
        }
        sent
    }
}

impl World {
    /// The root takes updates into its log, and sends them on.
    pub(super) fn show(&mut self, frame: Vec<(Update, Seq)>) {
        for (update, until) in frame {
            self.root.served.appended += wire_bytes(&update) as u64;
            if let Err(error) = self.root.served.log.append(update, until) {
                self.break_rule(format!("the root's own log refuses an update: {error}"));
            }
        }
        self.tally.frames += 1;
        self.feed_all(ROOT);
    }

    /// An actor sends all of its children what they can take.
    pub(super) fn feed_all(&mut self, actor: Actor) {
        let network = &mut self.network;
        let served = match self.nodes.get_mut(actor.index()) {
            Some(Some(node)) => &mut node.served,
            _ if actor == ROOT => &mut self.root.served,
            _ => return,
        };
        self.tally.update_bytes += served.feed_all(network, actor) as u64;
    }

    /// A batch is out: the next one.
    pub(super) fn feed_again(&mut self, wire: Wire, actor: Actor) -> usize {
        let network = &mut self.network;
        let served = match self.nodes.get_mut(actor.index()) {
            Some(Some(node)) => &mut node.served,
            _ if actor == ROOT => &mut self.root.served,
            _ => return 0,
        };
        let bytes = served.feed(wire, network, actor);
        self.tally.update_bytes += bytes as u64;
        bytes
    }
}
