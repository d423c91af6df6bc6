//! A host: its log, the children that are served from it as the relay does it, and its line. The root is one, too.

use super::frames::SCREEN;
use super::line::{FLOWS, Line};
use super::settings::{DeliverySettings, wire_bytes};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use treevnc_protocol::log::{Batch, Cursor, Entry, ScreenLog};
use treevnc_protocol::tree::delay::Gatherer;
use treevnc_protocol::tree::frame;
use treevnc_protocol::tree::message::{Intake, Message};
use treevnc_protocol::tree::slot::Slot;
use treevnc_protocol::update::{Seq, SessionId, UpdateError};

pub(super) const SESSION: SessionId = SessionId(1);
/// The flow to the parent; those to the children have the numbers of their sides.
const UP: usize = FLOWS - 1;

/// A host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) log: ScreenLog,
    pub(super) gatherer: Gatherer,
    /// What has come altogether, up to the newest check.
    pub(super) total: Intake,
    /// For when it is planned that the gatherer is asked again.
    pub(super) asked_at: Option<Duration>,
    line: Line,
    /// When something is out next, as it was told last.
    planned: Option<Duration>,
    links: Vec<Link>,
    /// Messages for the parent, the first of which is on the line.
    up: VecDeque<Message>,
    /// When its program has done what has come so far.
    free: Duration,
    reception: Reception,
}

/// A link to a child.
#[derive(Debug)]
struct Link {
    cursor: Cursor,
    /// What is sent as a whole, and how much of it is out.
    batch: Option<(Batch, usize)>,
}

/// What has come from the parent: as in the node's program, a check is answered when everything up to it is complete.
#[derive(Debug, Default)]
struct Reception {
    bytes: u64,
    check: Option<Seq>,
}

/// What has left a host.
#[derive(Debug)]
pub(super) enum Sent {
    /// To the child with this number.
    Update(usize, Arc<Entry>, Seq),
    /// To the parent.
    Message(Message),
}

impl Host {
    pub(super) fn new(settings: &DeliverySettings, slot: Slot) -> Self {
        let there = |child: &Slot| child.0 as usize <= settings.nodes;
        let link = |_| Link { cursor: Cursor::new(SESSION, SCREEN), batch: None };
        Self {
            log: ScreenLog::new(SESSION),
            gatherer: Gatherer::default(),
            total: Intake::default(),
            asked_at: None,
            line: Line::new(settings.uplink_bits_per_second, settings.sharing),
            planned: None,
            links: slot.children().filter(there).map(link).collect(),
            up: VecDeque::new(),
            free: Duration::ZERO,
            reception: Reception::default(),
        }
    }

    /// What has come in at `at` is done with then, all before it being done.
    pub(super) fn done_with(&mut self, at: Duration, takes: Duration) -> Duration {
        self.free = self.free.max(at) + takes;
        self.free
    }

    /// An update from the parent. A check that is to be answered now, and the bytes that have come for it.
    pub(super) fn take_in(&mut self, entry: &Arc<Entry>, until: Seq) -> Result<Option<(Seq, u64)>, UpdateError> {
        let (seq, is_check) = (entry.update().seq, entry.update().check);
        if self.log.append_shared(entry, until)? && is_check {
            self.reception.check = Some(seq);
        }
        self.reception.bytes += entry.update().cost_bytes() as u64;
        if until != seq {
            return Ok(None);
        }
        let bytes = std::mem::take(&mut self.reception.bytes);
        Ok(self.reception.check.take().map(|check| (check, bytes)))
    }

    /// A message for the parent.
    pub(super) fn say(&mut self, message: Message, now: Duration) {
        self.up.push_back(message);
        self.speak(now);
    }

    fn speak(&mut self, now: Duration) {
        if let Some(message) = self.up.front().filter(|_| !self.line.is_in_use(UP)) {
            self.line.begin(UP, wire_bytes(message.encode().len()), now);
        }
    }

    /// Every child whose last update is out gets the next one.
    pub(super) fn feed(&mut self, now: Duration) {
        let Self { log, links, line, .. } = self;
        for (flow, link) in links.iter_mut().enumerate() {
            if !line.is_in_use(flow)
                && let Some(entry) = link.present(log)
            {
                line.begin(flow, wire_bytes(frame::HEADER_BYTES + entry.update().cost_bytes()), now);
            }
        }
    }

    /// What has left now, if that was the last [plan](Self::plan); the children are to be [fed](Self::feed) then.
    pub(super) fn take_sent(&mut self, now: Duration) -> Option<Vec<Sent>> {
        self.planned.take_if(|planned| *planned == now)?;
        let mut all = Vec::with_capacity(FLOWS);
        for (flow, _) in self.line.take(now).into_iter().enumerate().filter(|(_, is_out)| *is_out) {
            match self.links.get_mut(flow) {
                Some(link) => all.extend(link.take_sent().map(|(entry, until)| Sent::Update(flow, entry, until))),
                None => all.extend(self.up.pop_front().map(Sent::Message)),
            }
        }
        self.speak(now);
        Some(all)
    }

    /// When the next of what is on the line is out, if that is news.
    pub(super) fn plan(&mut self) -> Option<Duration> {
        let next = self.line.next();
        let is_news = self.planned != next;
        self.planned = next;
        next.filter(|_| is_news)
    }
}

impl Link {
    /// The update that is to be sent now: the batch's next, or the next batch's first.
    fn present(&mut self, log: &mut ScreenLog) -> Option<&Arc<Entry>> {
        if self.batch.is_none() {
            self.batch = log.take_batch(&mut self.cursor).map(|batch| (batch, 0));
        }
        self.batch.as_ref().and_then(|(batch, out)| batch.entries.get(*out))
    }

    /// It is out: with the stamp it has got.
    fn take_sent(&mut self) -> Option<(Arc<Entry>, Seq)> {
        let (batch, out) = self.batch.as_mut()?;
        let entry = Arc::clone(batch.entries.get(*out)?);
        let until = batch.until(&entry);
        *out += 1;
        if *out == batch.entries.len() {
            self.batch = None;
        }
        Some((entry, until))
    }
}
