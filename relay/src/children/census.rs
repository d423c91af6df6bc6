//! The open links of a node and what is measured of them, once in a window; the judgement is [`Pace`]'s.

use crate::link::Gauge;
use crate::upload::Upload;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;
use treevnc_protocol::tree::balance::Balance;
use treevnc_protocol::tree::children::Link;
use treevnc_protocol::tree::pace::{Pace, Slow, WINDOW};

/// The links, and the measurements of the window that is not over.
#[derive(Debug)]
pub(super) struct Census {
    last: u64,
    links: BTreeMap<Link, Entry>,
    pace: Pace,
    balance: Balance,
    begun: Instant,
    /// Bytes that were in the log when the window began.
    appended: u64,
}

#[derive(Debug)]
struct Entry {
    close: Arc<Notify>,
    /// Of those who were let in.
    gauge: Option<Arc<Gauge>>,
}

impl Default for Census {
    fn default() -> Self {
        Self { last: 0, links: BTreeMap::new(), pace: Pace::new(), balance: Balance::new(), begun: Instant::now(), appended: 0 }
    }
}

impl Census {
    /// A new link, not let in yet.
    pub(super) fn register(&mut self, close: Arc<Notify>) -> Link {
        self.last += 1;
        let link = Link(self.last);
        self.links.insert(link, Entry { close, gauge: None });
        link
    }

    /// The link is that of a child from now on. The first one begins a window; `appended` is what the log got until now.
    pub(super) fn measure(&mut self, link: Link, gauge: Arc<Gauge>, appended: u64) {
        if self.links.values().all(|entry| entry.gauge.is_none()) {
            (self.begun, self.appended) = (Instant::now(), appended);
        }
        if let Some(entry) = self.links.get_mut(&link) {
            entry.gauge = Some(gauge);
        }
    }

    pub(super) fn forget(&mut self, link: Link) {
        self.links.remove(&link);
    }

    pub(super) fn close(&self, link: Link) {
        if let Some(entry) = self.links.get(&link) {
            entry.close.notify_one();
        }
    }

    /// Whether no child is left.
    pub(super) fn is_empty(&self) -> bool {
        self.links.values().all(|entry| entry.gauge.is_none())
    }

    pub(super) fn room(&self) -> u8 {
        self.pace.room()
    }

    /// When the window ends.
    pub(super) fn due(&self) -> Instant {
        self.begun + WINDOW
    }

    /// Ends the window if its time has come; who is slow. Where this process limits what it sends, there was no more to get than a share.
    pub(super) fn take(&mut self, appended: u64, upload: &Upload) -> Vec<Slow> {
        let now = Instant::now();
        if now < self.due() {
            return Vec::new();
        }
        let children: Vec<_> =
            self.links.iter().filter_map(|(link, entry)| entry.gauge.as_ref().map(|gauge| gauge.take_window(*link))).collect();
        let length = now.duration_since(self.begun);
        let to_get = (appended - self.appended).min(upload.share(length));
        let slow = self.pace.handle_window(length, to_get, &children);
        let parts = self.balance.handle_window(length, &children);
        for (link, entry) in &self.links {
            entry.gauge.iter().for_each(|gauge| gauge.hold_to(parts.get(link).copied()));
        }
        (self.begun, self.appended) = (now, appended);
        slow
    }
}
