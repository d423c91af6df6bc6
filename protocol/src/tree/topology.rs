//! The root's side of the tree: gives places, and knows who holds which (PROTOCOL.md, Placement). Decides only; the root's program
//! carries the messages.

mod apart;
mod asking;
mod blames;
mod caps;
mod choice;
mod config;
mod contests;
mod dials;
mod event;
mod failures;
mod node;
mod places;
mod placing;
mod questions;
mod repair;
mod room;
mod sites;

pub use config::TopologyConfig;
pub use event::{Answer, Caller, Dial, Freed, TreeEvent};

use super::children::{Children, Link};
use super::message::{Message, NodeStatus};
use super::slot::{NodeId, Slot, V};
use super::text::NodeName;
use blames::Blames;
use caps::Caps;
use contests::Contests;
use dials::Dials;
use failures::Failures;
use node::{Node, State};
use places::Places;
use questions::Questions;
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
/// [`Topology::handle_timeout`] when the time of [`Topology::poll_deadline`] has come;
/// [`Topology::set_demand`] and [`Topology::set_root_room`] from time to time.
/// Out, after each of them: [`Topology::poll_dial`] until none, [`Topology::poll_answer`] until none, in the order to send;
/// [`Topology::poll_event`] until none.
///
/// A newcomer that says it can have children is dialled first; if it cannot be, it is leaf-only. It gets the lowest slot that is free
/// and has only relays above it, all attached or on their way, and is answered once they are attached; a relay also takes the slot of
/// a leaf-only node that stands higher than the free ones. An orphan keeps its slot as long as that holds for it, and so its
/// children. A hole with relays in rows below it is filled by the last relay, and those below the hole are told when it has come.
/// Slots below parents that a node says it cannot reach are its last choice, and one that is found to be kept apart by its network gets
/// a place below the root or none. A leaf-only node that finds no slot gets an extra place below the root or a relay that has room. A
/// relay into whose upload limit two copies of the picture do not fit is leaf-only, unless it is needed. Who finds no place waits while
/// anything is under way, and is refused otherwise.
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
    failures: Failures,
    /// How many may be taken for isolated without having tried a parent.
    untried: usize,
    rooms: Rooms,
    caps: Caps,
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
        Self::planted(config, 0)
    }

    /// The tree of that number among several of one root: the numbers of its dialled links are its own.
    pub(super) fn planted(config: TopologyConfig, number: u64) -> Self {
        Self {
            config,
            last: V::NONE,
            places: Places::new(),
            questions: Questions::default(),
            dials: Dials::numbered(number),
            blames: Blames::default(),
            failures: Failures::default(),
            untried: 0,
            rooms: Rooms::default(),
            caps: Caps::default(),
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
            Message::WhereToConnect(ask) => match self.objection(ask) {
                Some(reason) => {
                    self.events.push_back(TreeEvent::Refused { id: ask.id, reason: reason.into() });
                    self.turn_away(caller.link, true, reason);
                }
                None => self.asked(caller, ask, now),
            },
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
        [places, dials, retries, rechecks, self.blames.deadline(), self.failures.deadline()].into_iter().flatten().min()
    }

    /// What the trees of a root have in common, for one event: the newest placement, and the root's room.
    pub(super) fn lend(&mut self, last: V, room: u8) {
        (self.last, self.rooms.root) = (self.last.max(last), room);
    }

    /// What was lent, and has perhaps been used.
    pub(super) fn returned(&self) -> (V, u8) {
        (self.last, self.rooms.root)
    }

    /// Whether nobody is in it, or expected.
    pub(super) fn is_idle(&self) -> bool {
        self.places.len() == 0 && self.questions.len() == 0 && self.poll_deadline().is_none()
    }

    /// Whether a node has a place, or had to give one up and is still there, or asks for one.
    pub(super) fn knows(&self, id: NodeId) -> bool {
        self.places.node(id).or(self.places.ousted(id)).is_some() || self.questions.link(id).is_some()
    }

    /// Everybody in the tree in slot order, the root first.
    pub fn status(&self) -> Vec<NodeStatus> {
        let (id, address, since) = (self.config.id, self.config.address, Duration::ZERO);
        let name = NodeName::new("root");
        let (slot, leaf_only, attached, fare) = (Slot::ROOT, None, true, None);
        let (tree, behind, behind_fare) = (0, None, None);
        let root = NodeStatus { id, name, address, slot, leaf_only, attached, since, fare, tree, behind, behind_fare };
        let node = |(id, node): (NodeId, &Node)| NodeStatus {
            id,
            name: node.profile.name.clone(),
            address: node.profile.address,
            slot: node.slot,
            leaf_only: node.profile.leaf_only,
            attached: node.state == State::Attached,
            since: node.since,
            fare: None,
            tree: 0,
            behind: node.behind,
            behind_fare: None,
        };
        [root].into_iter().chain(self.places.iter().map(node)).collect()
    }

    /// The name of a node that holds a slot.
    pub fn name_of(&self, id: NodeId) -> Option<NodeName> {
        self.places.node(id).map(|node| node.profile.name.clone())
    }

    /// Whether a node that holds a slot is the root of a network of its own.
    pub(super) fn is_site(&self, id: NodeId) -> bool {
        self.places.node(id).is_some_and(Node::is_site)
    }

    /// Nodes behind the sites here, as they say.
    pub(super) fn behind_count(&self) -> u32 {
        self.places.iter().filter_map(|(_, node)| node.behind).fold(0, |all, behind| all.saturating_add(behind.nodes))
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
            && self.rooms.len() == 0
            && self.caps.len() == 0
            && self.places.vacant().count() == 2
    }
}

#[cfg(test)]
#[path = "topology_tests.rs"]
mod tests;
