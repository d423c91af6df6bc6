//! The root's side of the tree: gives places, and knows who holds which (PROTOCOL.md, Placement). Decides only; the root's program
//! carries the messages.

mod choice;
mod config;
mod event;
mod places;
mod placing;
mod questions;

pub use config::TopologyConfig;
pub use event::{Answer, Caller, Freed, TreeEvent};

use super::children::{Children, Link};
use super::message::{Asking, Attached, Failed, KeptChildren, Leave, LostChild, Message, NodeStatus, WhereToConnect};
use super::slot::{NodeId, Slot, V};
use super::text::NodeName;
use places::{Node, Places, State};
use questions::{Question, Questions};
use std::collections::VecDeque;
use std::time::Duration;

/// Most nodes of a tree.
pub const MAX_NODES: usize = 1 << 17;

/// The root's view of one tree.
///
/// In: [`Topology::handle_message`] for WHERE_TO_CONNECT, ATTACHED, FAILED, LOST_CHILD and LEAVE as they come,
/// [`Topology::handle_closed`] when such a connection ends, [`Topology::handle_lost_child`] for the root's own children,
/// [`Topology::handle_timeout`] when the time of [`Topology::poll_deadline`] has come.
/// Out, after each of them: [`Topology::poll_answer`] until none, in the order to send; [`Topology::poll_event`] until none.
///
/// A newcomer gets the lowest slot that is free and has only relays above it, all attached or on their way; it is answered once
/// they are attached. An orphan keeps its slot as long as that holds for it, and so its children; otherwise it gets the lowest
/// slot that is not below its own (its lost parent's, if nothing lower is free). Slots below a parent that a node says it cannot
/// reach are its last choice. A leaf-only node is not given the last slot there is, so a relay always finds one and brings two.
/// Who finds none waits for the answer while anything is under way, and is refused otherwise.
///
/// INVARIANT: a slot has one holder; each placement has a larger `v` than all before; a node is sent only to an attached relay
/// or the root; a node that is gone, or is not heard of until its deadline, leaves nothing behind.
#[derive(Debug)]
pub struct Topology {
    config: TopologyConfig,
    last: V,
    places: Places,
    questions: Questions,
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
            Message::WhereToConnect(ask) => self.asked(caller, ask, now),
            Message::Attached(attached) => self.attached(caller.link, attached, now),
            Message::Failed(failed) => self.failed(caller.link, failed, now),
            Message::LostChild(report) => {
                self.handle_lost_child(report, now);
                self.answer(caller.link, message.clone(), true);
            }
            Message::Leave(leave) => {
                self.left(leave, now);
                self.answer(caller.link, message.clone(), true);
            }
            _ => self.turn_away(caller.link, false, "this message is not for a root"),
        }
    }

    /// A parent, maybe the root itself, has lost a child.
    pub fn handle_lost_child(&mut self, report: &LostChild, now: Duration) {
        let is_current = report.session == self.config.session
            && self.places.node(report.child).is_some_and(|node| {
                // A node that asks is alive, and its slot is kept for it.
                node.v == report.v && node.parent.0 == report.parent && node.state != State::Asking
            });
        if is_current {
            self.free(report.child, Freed::Lost(report.why), now);
            self.serve(now);
        }
    }

    /// A connection has ended; an open question on it is forgotten. A slot is kept for a while for those who were placed before.
    pub fn handle_closed(&mut self, link: Link, now: Duration) {
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
        while let Some((_, id)) = self.places.deadline().filter(|(until, _)| *until <= now) {
            let was_placed = self.places.node(id).is_some_and(|node| node.state == State::Placed);
            self.free(id, if was_placed { Freed::NotAttached } else { Freed::NotHeardOf }, now);
        }
        self.serve(now);
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
        self.places.deadline().map(|(until, _)| until)
    }

    /// Everybody in the tree in slot order, the root first.
    pub fn status(&self) -> Vec<NodeStatus> {
        let (id, address, since) = (self.config.id, self.config.address, Duration::ZERO);
        let name = NodeName::new("root");
        let root = NodeStatus { id, name, address, slot: Slot::ROOT, relay: true, attached: true, since };
        let node = |(id, node): (NodeId, &Node)| NodeStatus {
            id,
            name: node.name.clone(),
            address: node.address,
            slot: node.slot,
            relay: node.relay,
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
            && self.places.available().count() == 2
    }

    fn asked(&mut self, caller: &Caller, ask: &WhereToConnect, now: Duration) {
        let is_ours = ask.session == Some(self.config.session);
        let held = self.places.node(ask.id);
        let is_taken = held.is_some_and(|node| node.state == State::Attached && !(is_ours && ask.v == node.v));
        if is_taken || ask.id == self.config.id {
            return self.turn_away(caller.link, true, "an old question, or two nodes have the same number");
        }
        if held.is_none() && self.places.len() + self.questions.len() >= MAX_NODES {
            return self.turn_away(caller.link, true, "the tree is full");
        }
        if let Some(older) = self.questions.insert(caller, ask) {
            self.turn_away(older, true, "asked again on another connection");
        }
        match &ask.asking {
            Asking::Confirm { children } if is_ours && self.is_current(ask.id, ask.v) => {
                self.confirm(caller.link, ask.id, children, now);
            }
            _ => self.queue(caller.link, now),
        }
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
        if self.places.node(id).is_some_and(|node| node.v == failed.v && node.state == State::Placed) {
            self.expect(id, now);
        }
        self.questions.remove(link);
        self.serve(now);
    }

    fn left(&mut self, leave: &Leave, now: Duration) {
        let is_current = self.places.node(leave.id).is_some_and(|node| node.v == leave.v);
        if is_current && leave.session == self.config.session {
            self.free(leave.id, Freed::Left, now);
            self.serve(now);
        }
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

    /// The node is attached, and answered so.
    fn confirm(&mut self, link: Link, id: NodeId, children: &KeptChildren, now: Duration) {
        let Some(&Node { slot, tenure, v, state, relay, .. }) = self.places.node(id) else { return };
        self.places.change(id, State::Attached, None);
        let mut agreed = *children;
        for (kept, below) in agreed.iter_mut().zip(slot.children()) {
            *kept = kept.filter(|kept| {
                let child = self.places.node(kept.id);
                relay && child.is_some_and(|child| child.v == kept.v && child.slot == below && child.parent.0 == id)
            });
            let Some(kept) = kept else { continue };
            self.places.adopt(kept.id, (id, tenure));
            if self.places.node(kept.id).is_some_and(|node| node.state == State::Doubted) {
                self.places.change(kept.id, State::Attached, None);
            }
        }
        if state != State::Attached {
            self.events.push_back(TreeEvent::Attached { id, v, slot });
        }
        self.questions.remove(link);
        self.wake_next(slot);
        self.answer(link, Message::Attached(Attached { v, children: agreed }), true);
        self.serve(now);
    }

    /// Whoever asked on this connection is to get a place as soon as there is one.
    fn queue(&mut self, link: Link, now: Duration) {
        let Some(Question { ask, address, .. }) = self.questions.question(link) else { return };
        let (id, relay) = (ask.id, ask.capabilities.relay);
        self.places.describe(id, ask.name.clone(), *address, relay);
        self.places.change(id, State::Asking, Some(now + self.config.patience));
        self.questions.search(link, self.places.node(id).is_some());
        self.serve(now);
    }
}

#[cfg(test)]
#[path = "topology_tests.rs"]
mod tests;
