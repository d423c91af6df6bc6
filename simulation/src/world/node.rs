//! A node's program: carries out what its [`Member`] wants, and tells it what happens.

use super::serving::wire_bytes;
use super::{Sabotage, Served, World};
use crate::actor::Actor;
use crate::agenda::Event;
use crate::network::{Arrival, End, Received, Wire};
use std::time::Duration;
use treevnc_protocol::log::ScreenLog;
use treevnc_protocol::tree::DEFAULT_PORT;
use treevnc_protocol::tree::children::Link;
use treevnc_protocol::tree::member::{self, Action, Member, MemberConfig};
use treevnc_protocol::tree::message::{AttachReply, Capabilities, ConnectTo, Fault, Message, Position, Refused};
use treevnc_protocol::tree::slot::Slot;
use treevnc_protocol::update::{Seq, SessionId, Update};

/// How many more leaf-only children a relay would take.
const ROOM: u8 = 2;

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) member: Member,
    pub(crate) served: Served,
    pub(crate) is_relay: bool,
    /// The member's calls and links to parents, and the end that is this node's.
    dialled: Vec<(Link, Wire, End)>,
    /// The link to the parent, once it was let in.
    pub(crate) parent: Option<Wire>,
    /// For when a deadline is in the agenda.
    pub(super) deadline: Option<Duration>,
    pub(super) place_in_alive: usize,
    /// Where the root placed it last.
    pub(crate) placed: Option<Slot>,
    joined: Duration,
    pub(crate) was_attached: bool,
    /// When its link to a parent ended last.
    pub(super) orphaned: Duration,
    /// The newest beat that the member was told of.
    pub(super) beat: Duration,
}

impl Node {
    pub(super) fn new(actor: Actor, known: Actor, is_relay: bool, seed: u64, place_in_alive: usize, now: Duration) -> Self {
        let capabilities = Capabilities::of(is_relay);
        let config = MemberConfig::new(actor.id(), "node".into(), capabilities, DEFAULT_PORT, known.address(), seed);
        Self {
            member: Member::new(config),
            served: Served::new(SessionId(0)),
            is_relay,
            dialled: Vec::new(),
            parent: None,
            deadline: None,
            place_in_alive,
            placed: None,
            joined: now,
            was_attached: false,
            orphaned: now,
            beat: now,
        }
    }

    fn wire(&self, link: Link) -> Option<(Wire, End)> {
        self.dialled.iter().find(|(number, _, _)| *number == link).map(|(_, wire, end)| (*wire, *end))
    }

    fn link(&self, wire: Wire) -> Option<Link> {
        self.dialled.iter().find(|(_, number, _)| *number == wire).map(|(link, _, _)| *link)
    }

    fn drop_dialled(&mut self, wire: Wire, now: Duration) {
        self.dialled.retain(|(_, number, _)| *number != wire);
        if self.parent == Some(wire) {
            (self.parent, self.orphaned) = (None, now);
        }
    }
}

impl World {
    /// Carries out what a member wants, and checks what came of it.
    pub(super) fn act(&mut self, actor: Actor) {
        while let Some(action) = self.node_mut(actor).and_then(|node| node.member.poll_action()) {
            self.carry_out(actor, action);
        }
        let Some(node) = self.node_mut(actor) else { return };
        let deadline = node.member.poll_deadline();
        if deadline != node.deadline {
            node.deadline = deadline;
            if let Some(deadline) = deadline {
                self.network.agenda.push(deadline, Event::Deadline(actor));
            }
        }
        self.check_around(actor);
    }

    fn carry_out(&mut self, actor: Actor, action: Action) {
        match action {
            Action::DialRoot { message: Message::LostChild(_), .. } if self.sabotage == Some(Sabotage::HidesLosses) => {}
            Action::DialRoot { call, address, message } => self.dial(actor, call, Actor::at_address(address), message),
            Action::SendRoot { call, message } => {
                if let Some((wire, end)) = self.node(actor).and_then(|node| node.wire(call)) {
                    self.send(wire, end, message);
                }
            }
            Action::DialParent { link, place } => self.dial_parent(actor, link, &place),
            Action::CloseRoot { call: link } | Action::CloseParent { link } => {
                let now = self.now();
                let Some(node) = self.node_mut(actor) else { return };
                if let Some((wire, end)) = node.wire(link) {
                    node.drop_dialled(wire, now);
                    self.network.close(wire, end);
                }
            }
            Action::CloseChild { .. } if self.sabotage == Some(Sabotage::KeepsChildren) => {}
            Action::CloseChild { link } => self.close_child(actor, Wire(link.0)),
            Action::End(end) => {
                if matches!(end, member::End::GaveUp(_)) {
                    self.tally.gave_up += 1;
                }
                if self.served(actor).is_some_and(|served| !served.links.is_empty()) {
                    self.break_rule(format!("{actor} has ended, and children are left"));
                }
                self.network.end_program(actor);
                self.forget(actor);
            }
        }
    }

    fn dial_parent(&mut self, actor: Actor, link: Link, place: &ConnectTo) {
        let Some(node) = self.node(actor) else { return };
        let position = Position { session: node.served.log.session(), seq: node.served.log.head() };
        let message = Message::Attach(member::attach(place, position));
        self.dial(actor, link, Actor::at_address(place.address), message);
    }

    fn dial(&mut self, actor: Actor, link: Link, to: Option<Actor>, message: Message) {
        let wire = self.network.dial(actor, to);
        if let Some(node) = self.node_mut(actor) {
            node.dialled.push((link, wire, End::Dialler));
        }
        self.send(wire, End::Dialler, message);
    }

    /// Something came on a connection that the node dialled.
    pub(super) fn heard_from_dialled(&mut self, received: Received) {
        let Received { actor, wire, what, greeted, .. } = received;
        let now = self.now();
        let Some(node) = self.node_mut(actor) else { return };
        let Some(link) = node.link(wire) else { return };
        match what {
            Arrival::Update(entry, until) => return self.take_in(actor, wire, entry.update().clone(), until),
            Arrival::Message(message) => match *message {
                Message::AttachReply(reply) => return self.attach_reply(actor, wire, link, reply),
                message => node.member.handle_root_message(link, &message, now),
            },
            Arrival::Closed => {
                node.drop_dialled(wire, now);
                let fault = if greeted { Fault::Closed } else { Fault::Unreachable };
                // The member knows its links from its calls by their numbers.
                node.member.handle_parent_closed(link, fault, now);
                node.member.handle_root_closed(link, now);
            }
        }
        self.act(actor);
    }

    fn attach_reply(&mut self, actor: Actor, wire: Wire, link: Link, reply: AttachReply) {
        let now = self.now();
        let Some(node) = self.node_mut(actor) else { return };
        let session = node.member.place().map(|place| place.session);
        let is_in = matches!(reply, AttachReply::Ok { .. });
        if let Some(session) = session.filter(|session| is_in && *session != node.served.log.session()) {
            node.served.log = ScreenLog::new(session);
        }
        node.member.handle_attach_reply(link, reply, now);
        if is_in {
            node.parent = Some(wire);
            let is_first = !std::mem::replace(&mut node.was_attached, true);
            let took = now.saturating_sub(node.joined);
            if is_first {
                self.tally.joining.push(took);
            }
            self.losses.attached(actor, now);
            self.network.watch(wire, End::Dialler);
            self.hear_beat(actor);
        }
        self.act(actor);
    }

    /// An update has come from the parent.
    fn take_in(&mut self, actor: Actor, wire: Wire, update: Update, until: Seq) {
        if self.sabotage == Some(Sabotage::DropsUpdates) && update.seq.0.is_multiple_of(3) {
            return;
        }
        let Some(node) = self.node_mut(actor).filter(|node| node.parent == Some(wire)) else { return };
        let bytes = wire_bytes(&update) as u64;
        node.served.appended += bytes;
        match node.served.log.append(update, until) {
            Ok(true) => {
                self.network.take(wire, bytes);
                self.feed_all(actor);
            }
            Ok(false) => self.network.take(wire, bytes),
            Err(error) => self.break_rule(format!("{actor} is sent what its log refuses: {error}")),
        }
    }

    /// Something came on a connection that another has dialled.
    pub(super) fn heard_from_caller(&mut self, received: Received) {
        let Received { actor, wire, what, .. } = received;
        let now = self.now();
        let Some(node) = self.node_mut(actor) else { return };
        match what {
            Arrival::Message(message) => {
                let answer = match *message {
                    Message::Attach(attach) => {
                        self.attach(actor, wire, &attach);
                        return self.act(actor);
                    }
                    Message::ConnectTo(place) => return self.pushed(actor, wire, &place),
                    message if node.link(wire).is_some() => return self.heard_from_root(actor, wire, &message),
                    Message::AreYouThere(_) => node.member.i_am_here(ROOM),
                    Message::WhereToConnect(_) | Message::StatusRequest => node.member.redirect(),
                    _ => Message::Refused(Refused { again: false, reason: "this message is not for a node".into() }),
                };
                self.send(wire, End::Listener, answer);
                self.network.close(wire, End::Listener);
            }
            Arrival::Closed => {
                if node.served.drop_link(wire) {
                    node.member.handle_child_closed(Link(wire.0), Fault::Closed, now);
                } else if let Some(call) = node.link(wire) {
                    node.drop_dialled(wire, now);
                    node.member.handle_root_closed(call, now);
                }
                self.act(actor);
            }
            Arrival::Update(..) => self.break_rule(format!("{actor} is sent an update by a child")),
        }
    }

    /// The root has dialled to give a place. If it is obeyed, the connection is a call of the member's from now on.
    fn pushed(&mut self, actor: Actor, wire: Wire, place: &ConnectTo) {
        let now = self.now();
        let Some(node) = self.node_mut(actor) else { return };
        if node.link(wire).is_some() {
            return self.heard_from_root(actor, wire, &Message::ConnectTo(place.clone()));
        }
        let call = node.member.handle_push(place, now);
        let here = node.member.i_am_here(ROOM);
        node.dialled.extend(call.map(|call| (call, wire, End::Listener)));
        self.send(wire, End::Listener, here);
        if call.is_none() {
            self.network.close(wire, End::Listener);
        }
        self.act(actor);
    }

    fn heard_from_root(&mut self, actor: Actor, wire: Wire, message: &Message) {
        let now = self.now();
        let Some(node) = self.node_mut(actor) else { return };
        if let Some(call) = node.link(wire) {
            node.member.handle_root_message(call, message, now);
            self.act(actor);
        }
    }

    /// A link has been silent for too long: its program closes it.
    pub(super) fn found_silent(&mut self, actor: Actor, wire: Wire, end: End) {
        let now = self.now();
        self.tally.silences += 1;
        self.network.close(wire, end);
        if actor == crate::actor::ROOT {
            return self.root_lost(wire, Fault::Silence);
        }
        let Some(node) = self.node_mut(actor) else { return };
        if end == End::Listener {
            if node.served.drop_link(wire) {
                node.member.handle_child_closed(Link(wire.0), Fault::Silence, now);
            }
        } else if let Some(link) = node.link(wire) {
            node.drop_dialled(wire, now);
            node.member.handle_parent_closed(link, Fault::Silence, now);
        }
        self.act(actor);
    }
}
