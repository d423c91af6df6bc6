//! The root's program: carries the messages of its [`Topology`] and serves its own children.

use super::{Served, World};
use crate::actor::{Actor, ROOT};
use crate::agenda::Event;
use crate::network::{Arrival, End, Received, Wire};
use crate::settings::ROOM;
use std::collections::BTreeMap;
use std::time::Duration;
use treevnc_protocol::tree::children::{Children, Link};
use treevnc_protocol::tree::message::{Fault, Message};
use treevnc_protocol::tree::slot::V;
use treevnc_protocol::tree::ticket::{KEY_BYTES, Key};
use treevnc_protocol::tree::topology::{Answer, Caller, Dial, Topology, TopologyConfig, TreeEvent};
use treevnc_protocol::update::SessionId;

/// The root.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) topology: Topology,
    pub(super) children: Children,
    pub(crate) served: Served,
    /// The connections that the topology asked for, by its number and by ours.
    dialled: BTreeMap<Link, Wire>,
    dialled_as: BTreeMap<Wire, Link>,
    deadline: Option<Duration>,
    newest: V,
}

impl Root {
    pub(super) fn new(seed: u64) -> Self {
        let session = SessionId(seed.wrapping_add(1));
        let config = TopologyConfig::new(session, "simulated".into(), ROOT.id(), ROOT.address(), Key::new([9; KEY_BYTES]));
        let topology = Topology::new(config);
        let children = topology.root_children();
        let (dialled, dialled_as) = (BTreeMap::new(), BTreeMap::new());
        Self { topology, children, served: Served::new(session), dialled, dialled_as, deadline: None, newest: V::NONE }
    }
}

impl World {
    /// Something came to the root.
    pub(super) fn root_heard(&mut self, received: Received) {
        let Received { wire, end, what, .. } = received;
        if end == End::Dialler {
            return self.root_heard_from_dialled(wire, &what);
        }
        let (link, now) = (Link(wire.0), self.now());
        if self.settings.isolated > 0 {
            self.root.topology.set_root_room(ROOM, now);
        }
        match what {
            Arrival::Message(message) => match *message {
                Message::Attach(attach) => self.attach(ROOT, wire, &attach),
                message => {
                    let Some(peer) = self.network.actor(wire, End::Dialler) else { return };
                    let caller = Caller { link, peer: peer.address().ip(), local: ROOT.address() };
                    self.root.topology.handle_message(&caller, &message, now);
                }
            },
            Arrival::Closed => {
                self.root.topology.handle_closed(link, now);
                return self.root_lost(wire, Fault::Closed);
            }
            Arrival::Update(..) => self.break_rule("the root is sent an update".to_owned()),
        }
        self.root_acts();
    }

    /// A link that may have been a child's is no more.
    pub(super) fn root_lost(&mut self, wire: Wire, why: Fault) {
        let now = self.now();
        self.root.served.drop_link(wire);
        if let Some(report) = self.root.children.lost(Link(wire.0), why) {
            self.root.topology.handle_lost_child(&report, now);
        }
        self.root_acts();
    }

    pub(super) fn root_deadline(&mut self) {
        let now = self.now();
        if self.root.deadline.is_some_and(|deadline| deadline <= now) {
            self.root.deadline = None;
            self.root.topology.handle_timeout(now);
            self.root_acts();
        }
    }

    /// Sends what the topology wants, and notes what it tells.
    pub(super) fn root_acts(&mut self) {
        while let Some(event) = self.root.topology.poll_event() {
            self.note(&event);
        }
        while let Some(Dial { link, address, message }) = self.root.topology.poll_dial() {
            let wire = self.network.dial(ROOT, Actor::at_address(address));
            self.root.dialled.insert(link, wire);
            self.root.dialled_as.insert(wire, link);
            self.send(wire, End::Dialler, message);
        }
        while let Some(Answer { to, message, close }) = self.root.topology.poll_answer() {
            self.root_answers(to, message, close);
        }
        let deadline = self.root.topology.poll_deadline();
        if deadline != self.root.deadline {
            self.root.deadline = deadline;
            if let Some(deadline) = deadline {
                self.network.agenda.push(deadline, Event::Deadline(ROOT));
            }
        }
        self.check_around(ROOT);
    }

    /// Something came on a connection that the root dialled.
    fn root_heard_from_dialled(&mut self, wire: Wire, what: &Arrival) {
        let now = self.now();
        let Some(&link) = self.root.dialled_as.get(&wire) else { return };
        match what {
            Arrival::Message(message) => self.root.topology.handle_dial_message(link, message, now),
            Arrival::Closed => {
                self.root.dialled_as.remove(&wire);
                self.root.dialled.remove(&link);
                self.root.topology.handle_closed(link, now);
            }
            Arrival::Update(..) => self.break_rule("the root is sent an update".to_owned()),
        }
        self.root_acts();
    }

    fn root_answers(&mut self, to: Link, message: Option<Message>, close: bool) {
        let dialled = self.root.dialled.get(&to).map(|wire| (*wire, End::Dialler));
        let (wire, end) = dialled.unwrap_or((Wire(to.0), End::Listener));
        if let Some(message) = message {
            self.send(wire, end, message);
        }
        if close {
            if dialled.is_some() {
                self.root.dialled.remove(&to);
                self.root.dialled_as.remove(&wire);
            }
            self.network.close(wire, end);
        }
    }

    fn note(&mut self, event: &TreeEvent) {
        match *event {
            TreeEvent::Placed { id, slot, v, .. } => {
                if v <= std::mem::replace(&mut self.root.newest, v) {
                    self.break_rule(format!("placement {v} comes late"));
                }
                let Some(node) = Actor::of(id).and_then(|actor| self.node_mut(actor)) else { return };
                match node.placed.replace(slot) {
                    None => self.tally.places += 1,
                    Some(before) if before == slot => self.tally.placed_again += 1,
                    Some(_) => self.tally.moves += 1,
                }
            }
            TreeEvent::Refused { .. } => self.tally.refusals += 1,
            TreeEvent::Relays { leaf_only: Some(_), .. } => self.tally.blamed += 1,
            _ => {}
        }
    }
}
