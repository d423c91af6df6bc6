//! Giving places and taking them away.

use super::choice::{self, Choice};
use super::places::{Node, State};
use super::questions::Question;
use super::{Answer, Freed, Topology, TopologyConfig, TreeEvent};
use crate::tree::children::Link;
use crate::tree::message::{ConnectTo, Message, Refused, WhereToConnect};
use crate::tree::slot::{NodeId, Slot, V};
use crate::tree::ticket::Claim;
use std::net::SocketAddr;
use std::time::Duration;

impl Topology {
    /// A node will ask again; meanwhile those above whom it stands are not to wait for it.
    pub(super) fn expect(&mut self, id: NodeId, now: Duration) {
        self.places.change(id, State::Expected, Some(now + self.config.patience));
        if let Some(slot) = self.places.node(id).map(|node| node.slot) {
            self.wake_below(slot);
        }
    }

    /// The line is broken for those who wait below this slot.
    pub(super) fn wake_below(&mut self, slot: Slot) {
        let below = |id: &NodeId| self.places.node(*id).is_some_and(|node| node.slot.is_below(slot));
        let woken: Vec<_> = self.questions.waiting().filter(below).collect();
        for id in woken {
            self.questions.wake(id);
        }
    }

    /// The line is whole for those who wait below this slot with nothing but attached nodes in between.
    pub(super) fn wake_next(&mut self, slot: Slot) {
        if self.questions.waiting().next().is_none() {
            return;
        }
        for below in slot.children() {
            match self.places.holder(below) {
                Some((_, Node { state: State::Attached, .. })) => self.wake_next(below),
                Some((id, _)) => self.questions.wake(id),
                None => {}
            }
        }
    }

    /// Answers those who wait, as far as there are places: orphans first, then relays, then leaf-only nodes.
    pub(super) fn serve(&mut self, now: Duration) {
        let mut any = true;
        while std::mem::take(&mut any) {
            for link in self.questions.candidates() {
                let Some(question) = self.questions.question(link) else { continue };
                match choice::choose(&self.places, &question.ask, self.config.id) {
                    Choice::Take(slot) => self.place(link, slot, now),
                    Choice::Keep(slot) => self.keep(link, slot, now),
                    Choice::Nothing => continue,
                }
                any = true;
            }
        }
        if self.places.is_settled() {
            while let Some(link) = self.questions.first_newcomer() {
                self.turn_away(
                    link,
                    true,
                    "no room below nodes that can pass the picture on: open the port of one in its firewall",
                );
            }
        }
    }

    pub(super) fn place(&mut self, link: Link, slot: Slot, now: Duration) {
        let Some(Question { ask, address, local }) = self.questions.question(link).cloned() else { return };
        let above = slot.parent().and_then(|above| self.places.holder(above));
        let (parent, parent_address) = match above {
            Some((id, parent)) => ((id, parent.tenure), parent.address),
            None => ((self.config.id, V::NONE), local),
        };
        self.last = V(self.last.0 + 1);
        let v = self.last;
        let node = self.settle_on(&ask, address, slot, now);
        let tenure = if node.tenure == V::NONE { v } else { node.tenure };
        self.places.hold(ask.id, Node { v, tenure, parent, state: State::Placed, ..node }, now + self.config.placement);
        self.questions.answered(link);
        self.events.push_back(TreeEvent::Placed { id: ask.id, name: ask.name, v, slot });
        let answer = self.connect_to(ask.id, v, slot, parent.0, parent_address);
        self.answer(link, Message::ConnectTo(answer), false);
    }

    /// A node is to have this slot, and is answered when the line above is whole.
    pub(super) fn keep(&mut self, link: Link, slot: Slot, now: Duration) {
        let Some(Question { ask, address, .. }) = self.questions.question(link).cloned() else { return };
        let node = self.settle_on(&ask, address, slot, now);
        self.places.hold(ask.id, node, now + self.config.patience);
        self.questions.wait(link);
    }

    /// The node as it was if it has this slot, else as one that has just come to it, its old slot freed.
    pub(super) fn settle_on(&mut self, ask: &WhereToConnect, address: SocketAddr, slot: Slot, now: Duration) -> Node {
        let held = self.places.node(ask.id).cloned();
        match held {
            Some(node) if node.slot == slot => return node,
            Some(_) => self.free(ask.id, Freed::Moved, now),
            None => {}
        }
        let v = held.map_or(V::NONE, |node| node.v);
        Node { v, ..Node::asking(ask.name.clone(), address, ask.capabilities.relay, slot, now) }
    }

    pub(super) fn connect_to(&self, id: NodeId, v: V, slot: Slot, parent: NodeId, address: SocketAddr) -> ConnectTo {
        let TopologyConfig { session, secret, name, .. } = &self.config;
        let claim = Claim { session: *session, child: id, v, slot };
        let ticket = secret.derive(*session, parent).sign(&claim);
        let key = secret.derive(*session, id);
        ConnectTo { session: *session, v, id, slot, parent, address, ticket, key, name: name.clone() }
    }

    /// Takes a node's slot away. Those attached below it ask by themselves, or their parent comes back with them; else they are gone.
    pub(super) fn free(&mut self, id: NodeId, why: Freed, now: Duration) {
        let Some(node) = self.places.free(id) else { return };
        for below in node.slot.children() {
            if let Some((child, Node { state: State::Attached, .. })) = self.places.holder(below) {
                self.places.change(child, State::Doubted, Some(now + self.config.patience));
            }
        }
        self.questions.lost_slot(id);
        self.wake_below(node.slot);
        self.events.push_back(TreeEvent::Freed { id, v: node.v, slot: node.slot, why });
    }

    pub(super) fn turn_away(&mut self, link: Link, again: bool, reason: &str) {
        if let Some(question) = self.questions.remove(link) {
            self.events.push_back(TreeEvent::Refused { id: question.ask.id, reason: reason.into() });
        }
        self.answer(link, Message::Refused(Refused { again, reason: reason.into() }), true);
    }

    pub(super) fn answer(&mut self, to: Link, message: Message, close: bool) {
        self.answers.push_back(Answer { to, message, close });
    }
}
