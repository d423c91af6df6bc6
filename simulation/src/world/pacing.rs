//! Who cannot keep up: the real [`Pace`] of each node that has a narrow link below it, a window a second for as long as it has one.

use super::{Served, World};
use crate::actor::{Actor, ROOT};
use crate::agenda::Event;
use crate::network::{End, Wire};
use std::time::Duration;
use treevnc_protocol::tree::children::{Child, Link};
use treevnc_protocol::tree::message::SlowNode;
use treevnc_protocol::tree::pace::{ChildWindow, Pace, Slow, WINDOW};
use treevnc_protocol::tree::ticket::Ticket;

/// The windows of one node.
#[derive(Debug)]
pub(super) struct Windows {
    pace: Pace,
    since: Duration,
    /// Bytes that had come into the log when the window began, and that each child had taken.
    appended: u64,
    taken: Vec<(Wire, u64)>,
}

impl World {
    /// A link has got narrow: its parent will find out.
    pub(super) fn watch_pace(&mut self, wire: Wire) {
        let Some(parent) = self.network.actor(wire, End::Listener) else { return };
        let now = self.now();
        let is_link = self.served(parent).is_some_and(|served| served.links.iter().any(|link| link.wire == wire));
        let Some(served) = self.served_mut(parent).filter(|served| is_link && served.windows.is_none()) else { return };
        served.windows = Some(Box::new(Windows { pace: Pace::new(), since: now, appended: served.appended, taken: Vec::new() }));
        self.network.after(WINDOW, Event::Window(parent));
    }

    /// A window is over.
    pub(super) fn window(&mut self, actor: Actor) {
        let now = self.now();
        let Some(served) = self.served(actor) else { return };
        let taken: Vec<_> = served.links.iter().map(|link| (link.wire, self.network.taken(link.wire))).collect();
        let is_narrow = served.links.iter().any(|link| self.network.is_narrow(link.wire));
        let Some(served) = self.served_mut(actor) else { return };
        let Some(mut windows) = served.windows.take() else { return };
        let (length, appended) = (now.saturating_sub(windows.since), served.appended - windows.appended);
        let children: Vec<_> = taken.iter().map(|(wire, taken)| windows.child(served, *wire, *taken, now)).collect();
        let slow = windows.pace.handle_window(length, appended, &children);
        (windows.since, windows.appended, windows.taken) = (now, served.appended, taken);
        if is_narrow {
            served.windows = Some(windows);
            self.network.after(WINDOW, Event::Window(actor));
        }
        slow.into_iter().for_each(|slow| self.found_slow(actor, slow));
    }

    fn found_slow(&mut self, actor: Actor, slow: Slow) {
        self.tally.slow += 1;
        let now = self.now();
        if let Some(node) = self.node_mut(actor) {
            node.member.handle_slow(slow, now);
            return self.act(actor);
        }
        let Slow { child, alone } = slow;
        let Some(link) = child else {
            for (Link(wire), report) in self.root.children.shed() {
                self.close_child(ROOT, Wire(wire));
                self.root.topology.handle_lost_child(&report, now);
            }
            return self.root_acts();
        };
        let Some(Child { id: node, v, .. }) = self.root.children.by_link(link) else { return };
        let session = self.root.served.log.session();
        let report = SlowNode { session, reporter: ROOT.id(), node, v, alone, proof: Ticket::NONE };
        self.root.topology.handle_slow_node(&report, now);
        self.root_acts();
    }

    pub(super) fn served_mut(&mut self, actor: Actor) -> Option<&mut Served> {
        if actor == ROOT { Some(&mut self.root.served) } else { self.node_mut(actor).map(|node| &mut node.served) }
    }
}

impl Windows {
    fn child(&self, served: &Served, wire: Wire, taken: u64, now: Duration) -> ChildWindow {
        let before = self.taken.iter().find(|(of, _)| *of == wire).map_or(0, |(_, taken)| *taken);
        let behind = served.links.iter().any(|link| link.wire == wire && link.is_behind(self.since, now));
        let waited = if behind { now.saturating_sub(self.since) } else { Duration::ZERO };
        ChildWindow { link: Link(wire.0), received: taken - before, behind, waited }
    }
}
