//! The root's side of the tree: gives places, and knows who holds which (PROTOCOL.md, Placement). Decides only; the root's program
//! carries the messages.

mod blames;
mod choice;
mod config;
mod contests;
mod dials;
mod event;
mod node;
mod places;
mod placing;
mod questions;
mod repair;
mod room;

pub use config::TopologyConfig;
pub use event::{Answer, Caller, Dial, Freed, TreeEvent};

use super::children::{Children, Link};
use super::message::{Asking, Attached, Failed, KeptChild, KeptChildren, Leave, Message, NodeStatus, WhereToConnect, WhyLeaf};
use super::slot::{NodeId, Slot, V};
use super::text::NodeName;
use super::ticket::{Statement, Ticket};
use blames::Blames;
use contests::Contests;
use dials::{Dials, Purpose};
use node::{Node, State, Suspicion};
use places::Places;
use questions::{Question, Questions};
use room::Rooms;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Most nodes of a tree.
pub const MAX_NODES: usize = 1 << 17;
/// What somebody is told who speaks in a node's name without its key.
const UNPROVEN: &str = "this question is not proven to be this node's";

/// The root's view of one tree.
///
/// In: [`Topology::handle_message`] for WHERE_TO_CONNECT, ATTACHED, FAILED, LOST_CHILD, SLOW_NODE and LEAVE as they come,
/// [`Topology::handle_dial_message`] for what comes on connections that the root has made, [`Topology::handle_closed`] when a
/// connection of either kind ends, [`Topology::handle_lost_child`] and [`Topology::handle_slow_node`] for the root's own children,
/// [`Topology::handle_timeout`] when the time of [`Topology::poll_deadline`] has come.
/// Out, after each of them: [`Topology::poll_dial`] until none, [`Topology::poll_answer`] until none, in the order to send;
/// [`Topology::poll_event`] until none.
///
/// A newcomer that says it can have children is dialled first; if it cannot be, it is leaf-only. It gets the lowest slot that is free
/// and has only relays above it, all attached or on their way, and is answered once they are attached; a relay also takes the slot of
/// a leaf-only node that stands higher than the free ones. An orphan keeps its slot as long as that holds for it, and so its
/// children. A hole with relays in rows below it is filled by the last relay, and those below the hole are told when it has come.
/// Slots below a parent that a node says it cannot reach are its last choice. A leaf-only node that finds no slot gets an extra place
/// below the root or a relay that has room. Who finds none waits while anything is under way, and is refused otherwise.
///
/// INVARIANT: a slot has one holder; each placement has a larger `v` than all before; a node is sent only to an attached relay
/// or the root; a node that is gone, or is not heard of until its deadline, leaves nothing behind.
#[derive(Debug)]
pub struct Topology {
    config: TopologyConfig,
    last: V,
    places: Places,
    questions: Questions,
    dials: Dials,
    blames: Blames,
    rooms: Rooms,
    contests: Contests,
    /// Attached nodes that are being moved and have not acknowledged it: as they were.
    moving: BTreeMap<NodeId, Node>,
    /// When nodes may be tried again: below a parent that they could not reach, or by dialling them.
    retries: BTreeSet<(Duration, NodeId)>,
    /// When to look whether slots are still empty that were taken from nodes whose parents had not lost them.
    rechecks: BTreeSet<(Duration, Slot)>,
    dialled: VecDeque<Dial>,
    answers: VecDeque<Answer>,
    events: VecDeque<TreeEvent>,
}

impl Topology {
    /// A tree of the root alone.
    pub fn new(config: TopologyConfig) -> Self {
        Self {
            config,
            last: V::NONE,
            places: Places::new(),
            questions: Questions::default(),
            dials: Dials::default(),
            blames: Blames::default(),
            rooms: Rooms::default(),
            contests: Contests::default(),
            moving: BTreeMap::new(),
            retries: BTreeSet::new(),
            rechecks: BTreeSet::new(),
            dialled: VecDeque::new(),
            answers: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// The child side for the root itself.
    pub fn root_children(&self) -> Children {
        let TopologyConfig { id, session, secret, .. } = &self.config;
        Children::of_root(*id, *session, secret.derive(*session, *id))
    }

    /// Takes a message to the root. One that is none of those named at [`Topology`] is refused.
    pub fn handle_message(&mut self, caller: &Caller, message: &Message, now: Duration) {
        match message {
            Message::WhereToConnect(ask) if !self.is_proven_question(ask) => self.turn_away(caller.link, true, UNPROVEN),
            Message::WhereToConnect(ask) => self.asked(caller, ask, now),
            Message::Attached(attached) => self.attached(caller.link, attached, now),
            Message::Failed(failed) => self.failed(caller.link, failed, now),
            Message::LostChild(report) => {
                if self.is_proven(report.parent, &report.statement(), &report.proof) {
                    self.handle_lost_child(report, now);
                }
                self.answer(caller.link, message.clone(), true);
            }
            Message::SlowNode(report) => {
                if self.is_proven(report.reporter, &report.statement(), &report.proof) {
                    self.handle_slow_node(report, now);
                }
                self.answer(caller.link, message.clone(), true);
            }
            Message::Leave(leave) => {
                if self.is_proven(leave.id, &leave.statement(), &leave.proof) {
                    self.left(leave, now);
                }
                self.answer(caller.link, message.clone(), true);
            }
            _ => self.turn_away(caller.link, false, "this message is not for a root"),
        }
    }

    /// Takes what a node says on a connection that the root has made.
    pub fn handle_dial_message(&mut self, link: Link, message: &Message, now: Duration) {
        match message {
            Message::IAmHere(here) => self.is_here(link, here, now),
            Message::Attached(attached) if self.questions.asker(link).is_some() => self.attached(link, attached, now),
            Message::Failed(failed) => self.failed(link, failed, now),
            _ => {
                self.handle_closed(link, now);
                self.hang_up(link);
            }
        }
    }

    /// A connection has ended or could not be made; an open question on it is forgotten. A slot is kept for a while for those who were
    /// placed before.
    pub fn handle_closed(&mut self, link: Link, now: Duration) {
        if let Some(dialled) = self.dials.end(link) {
            self.silent(link, dialled, now);
            return self.serve(now);
        }
        let Some(question) = self.questions.remove(link) else { return };
        match self.places.node(question.ask.id) {
            Some(Node { v: V::NONE, .. }) => self.free(question.ask.id, Freed::NotHeardOf, now),
            Some(Node { state: State::Asking, .. }) => self.expect(question.ask.id, now),
            _ => return,
        }
        self.serve(now);
    }

    /// The time of [`Topology::poll_deadline`] has come; too early does no harm.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some((_, link)) = self.dials.deadline().filter(|(until, _)| *until <= now) {
            let Some(dialled) = self.dials.end(link) else { break };
            self.silent(link, dialled, now);
            self.hang_up(link);
        }
        while let Some((_, id)) = self.places.deadline().filter(|(until, _)| *until <= now) {
            let was_placed = self.places.node(id).is_some_and(|node| node.state == State::Placed);
            self.free(id, if was_placed { Freed::NotAttached } else { Freed::NotHeardOf }, now);
        }
        self.pardon(now);
        self.recheck(now);
        self.serve(now);
    }

    /// The next connection to make.
    pub fn poll_dial(&mut self) -> Option<Dial> {
        self.dialled.pop_front()
    }

    /// The next message to send.
    pub fn poll_answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }

    /// The next event for the log.
    pub fn poll_event(&mut self) -> Option<TreeEvent> {
        self.events.pop_front()
    }

    /// When [`Topology::handle_timeout`] is to be called; changes with every message.
    pub fn poll_deadline(&self) -> Option<Duration> {
        let places = self.places.deadline().map(|(until, _)| until);
        let dials = self.dials.deadline().map(|(until, _)| until);
        let retries = self.retries.first().map(|(at, _)| *at);
        let rechecks = self.rechecks.first().map(|(at, _)| *at);
        [places, dials, retries, rechecks, self.blames.deadline()].into_iter().flatten().min()
    }

    /// Everybody in the tree in slot order, the root first.
    pub fn status(&self) -> Vec<NodeStatus> {
        let (id, address, since) = (self.config.id, self.config.address, Duration::ZERO);
        let name = NodeName::new("root");
        let root = NodeStatus { id, name, address, slot: Slot::ROOT, leaf_only: None, attached: true, since };
        let node = |(id, node): (NodeId, &Node)| NodeStatus {
            id,
            name: node.profile.name.clone(),
            address: node.profile.address,
            slot: node.slot,
            leaf_only: node.profile.leaf_only,
            attached: node.state == State::Attached,
            since: node.since,
        };
        [root].into_iter().chain(self.places.iter().map(node)).collect()
    }

    /// Nodes that hold a slot, the root not counted.
    pub fn node_count(&self) -> usize {
        self.places.len()
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        self.places.check();
        self.questions.check();
    }

    #[cfg(test)]
    pub(super) fn placements(&self) -> Vec<(NodeId, Slot, V)> {
        self.places.iter().map(|(id, node)| (id, node.slot, node.v)).collect()
    }

    /// Whether it is as if nobody had ever been there.
    #[cfg(test)]
    pub(super) fn is_pristine(&self) -> bool {
        self.places.len() == 0
            && self.questions.len() == 0
            && self.poll_deadline().is_none()
            && self.contests.len() == 0
            && self.moving.is_empty()
            && self.places.vacant().count() == 2
    }

    /// Whether a statement was made by this node: only it and the root have its key.
    fn is_proven(&self, by: NodeId, statement: &Statement, proof: &Ticket) -> bool {
        let TopologyConfig { session, secret, .. } = &self.config;
        statement.session == *session && secret.derive(*session, by).is_proven(statement, proof)
    }

    /// Nobody asks in the name of a node that has been placed in this session.
    fn is_proven_question(&self, ask: &WhereToConnect) -> bool {
        let statement = ask.statement().filter(|statement| statement.session == self.config.session);
        statement.is_none_or(|statement| self.is_proven(ask.id, &statement, &ask.proof))
    }

    fn asked(&mut self, caller: &Caller, ask: &WhereToConnect, now: Duration) {
        let is_ours = ask.session == Some(self.config.session);
        let held = self.places.node(ask.id).or(self.places.ousted(ask.id));
        let is_taken = held.is_some_and(|node| node.state == State::Attached && !(is_ours && ask.v >= node.v));
        if is_taken || ask.id == self.config.id {
            return self.turn_away(caller.link, true, "an old question, or two nodes have the same number");
        }
        if held.is_none() && self.places.len() + self.questions.len() >= MAX_NODES {
            return self.turn_away(caller.link, true, "the tree is full");
        }
        let is_on_its_way = held.is_some_and(|node| node.state == State::Placed && is_ours && ask.v < node.v);
        let has_push = self.questions.link(ask.id).is_some_and(|link| link.is_dialled());
        if is_on_its_way && has_push {
            return self.hang_up(caller.link);
        }
        let (question, is_known) = self.introduce(caller, ask);
        if let Some(slot) = self.places.ousted(ask.id).map(|node| node.slot) {
            self.places.forget_ousted(slot);
        }
        self.contests.settle(ask.id);
        if is_ours && self.is_current(ask.id, ask.v) && matches!(ask.asking, Asking::LostParent { .. } | Asking::Confirm { .. }) {
            // It has come to its slot.
            let slot = self.places.node(ask.id).map(|node| node.slot);
            slot.into_iter().for_each(|slot| self.places.forget_ousted(slot));
        }
        if let Some(older) = self.questions.insert(caller.link, question) {
            match older.is_dialled() {
                true => self.hang_up(older),
                false => self.turn_away(older, true, "asked again on another connection"),
            }
        }
        match &ask.asking {
            Asking::Confirm { children } if is_ours && self.is_current(ask.id, ask.v) => {
                return self.confirm(caller.link, ask.id, children, now);
            }
            Asking::LostParent { parent, fault } if is_ours && self.is_current(ask.id, ask.v) => {
                self.doubted_by_child(*parent, *fault, now);
            }
            _ => {}
        }
        if is_known {
            return self.queue(caller.link, now);
        }
        let address = std::net::SocketAddr::new(caller.peer.to_canonical(), ask.port);
        self.are_you_there(ask.id, address, Purpose::First { asker: caller.link }, now + self.config.first_dial);
    }

    /// A question, and whether the root knows already whether its asker can be dialled.
    fn introduce(&mut self, caller: &Caller, ask: &WhereToConnect) -> (Question, bool) {
        let mut question = Question::asked(caller, ask);
        if question.profile.leaf_only.is_some() {
            return (question, true);
        }
        let address = question.profile.address;
        let held = self.places.node(ask.id).or(self.places.ousted(ask.id)).map(|node| &node.profile);
        let known = held.filter(|known| known.address == address && known.leaf_only != Some(WhyLeaf::Asked));
        let Some(known) = known else { return (question, false) };
        let is_on_probation = matches!(known.leaf_only, Some(WhyLeaf::Slow | WhyLeaf::Isolated));
        let leaf_only = if is_on_probation { self.blames.why(ask.id) } else { known.leaf_only };
        (question.profile.dialable, question.profile.leaf_only) = (known.dialable, leaf_only);
        (question, true)
    }

    fn attached(&mut self, link: Link, attached: &Attached, now: Duration) {
        match self.questions.asker(link) {
            Some(id) if self.is_current(id, attached.v) => self.confirm(link, id, &attached.children, now),
            Some(_) => self.queue(link, now),
            None => self.turn_away(link, true, "nothing was asked on this connection"),
        }
    }

    fn failed(&mut self, link: Link, failed: &Failed, now: Duration) {
        let Some(id) = self.questions.asker(link) else { return };
        self.questions.remove(link);
        let Some(node) = self.places.node(id).filter(|node| node.v == failed.v && node.state == State::Placed) else { return };
        let ((parent, _), has_just_come) = (node.parent, node.tenure == node.v);
        self.unreached(parent, id, failed.why, now);
        if has_just_come {
            self.free(id, Freed::NotAttached, now);
        } else {
            self.expect(id, now);
        }
        self.serve(now);
    }

    fn left(&mut self, leave: &Leave, now: Duration) {
        // It may have been placed anew without having heard of it: whoever leaves does not come back under its number.
        if let Some(slot) = self.places.ousted(leave.id).map(|node| node.slot) {
            self.places.forget_ousted(slot);
        }
        self.blames.remove(leave.id);
        self.free(leave.id, Freed::Left, now);
        self.serve(now);
    }

    /// Whether `v` is the node's present placement, under a parent that has held its slot since.
    fn is_current(&self, id: NodeId, v: V) -> bool {
        let Some(node) = self.places.node(id).filter(|node| node.v == v && v != V::NONE) else { return false };
        match node.slot.parent() {
            Some(Slot::ROOT) => true,
            Some(above) => self.places.holder(above).is_some_and(|(id, parent)| (id, parent.tenure) == node.parent),
            None => false,
        }
    }

    /// The node is attached, and answered so. Those below its slot who are not its children yet are to be.
    fn confirm(&mut self, link: Link, id: NodeId, children: &KeptChildren, now: Duration) {
        let Some(node) = self.places.node(id) else { return };
        let (slot, tenure, v, state, relay) = (node.slot, node.tenure, node.v, node.state, node.is_relay());
        self.places.change(id, State::Attached, None);
        self.places.suspect(id, Suspicion::None);
        self.places.forget_ousted(slot);
        let mut agreed = *children;
        for (kept, below) in agreed.iter_mut().zip(slot.children()) {
            *kept = kept.filter(|kept| {
                let is_former = |former: &&Node| former.v == kept.v;
                let former = self.moving.get(&kept.id).filter(is_former);
                let child = former.or(self.places.node(kept.id)).or(self.places.ousted(kept.id));
                relay && child.is_some_and(|child| child.v == kept.v && child.slot == below && child.parent.0 == id)
            });
            // One that is being moved, or is to give way, stays, and the root knows it elsewhere.
            let is_held = |kept: &&mut KeptChild| self.places.node(kept.id).is_some_and(|child| child.v == kept.v);
            let Some(kept) = kept.as_mut().filter(is_held) else { continue };
            self.places.adopt(kept.id, (id, tenure));
            if self.places.node(kept.id).is_some_and(|node| node.state == State::Doubted) {
                self.places.change(kept.id, State::Attached, None);
            }
        }
        if state != State::Attached {
            self.events.push_back(TreeEvent::Attached { id, v, slot });
        }
        self.dials.end(link);
        self.questions.remove(link);
        self.fetch_below(slot, (id, tenure), relay, now);
        self.wake_below(slot);
        self.answer(link, Message::Attached(Attached { v, children: agreed }), true);
        self.serve(now);
    }

    /// Those below a slot who are attached elsewhere, or doubted, come to its new holder: dialled if they can be, else they will ask.
    fn fetch_below(&mut self, slot: Slot, holder: (NodeId, V), relay: bool, now: Duration) {
        for id in self.places.below(slot) {
            let Some(child) = self.places.node(id) else { continue };
            let is_at_home = child.state == State::Attached && child.parent == holder && relay;
            if is_at_home || !matches!(child.state, State::Attached | State::Doubted) || self.questions.link(id).is_some() {
                continue;
            }
            if child.profile.dialable {
                self.push(id, now);
            } else if child.state == State::Attached {
                self.places.change(id, State::Doubted, Some(now + self.config.patience));
            }
        }
    }

    /// Whoever asked on this connection is to get a place as soon as there is one.
    fn queue(&mut self, link: Link, now: Duration) {
        let Some(question) = self.questions.question(link) else { return };
        let id = question.ask.id;
        let is_unseated = matches!(question.ask.asking, Asking::LostParent { .. });
        if is_unseated && self.places.node(id).is_some_and(|node| node.slot.is_extra()) {
            self.free(id, Freed::Moved, now);
        }
        let Some(question) = self.questions.question(link) else { return };
        self.places.describe(id, question.profile.clone());
        self.places.suspect(id, Suspicion::None);
        self.places.change(id, State::Asking, Some(now + self.config.patience));
        self.questions.search(link, self.places.node(id).is_some());
        self.serve(now);
    }
}

#[cfg(test)]
#[path = "topology_tests.rs"]
mod tests;
