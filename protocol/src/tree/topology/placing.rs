//! Giving places and taking them away.

use super::choice::{self, Choice};
use super::dials::Purpose;
use super::node::{Node, State};
use super::questions::Question;
use super::{Answer, Dial, Freed, Topology, TopologyConfig, TreeEvent};
use crate::tree::children::Link;
use crate::tree::message::{Asking, Capabilities, ConnectTo, Message, Refused, WhereToConnect, WhyLeaf};
use crate::tree::slot::{NodeId, Slot, V};
use crate::tree::ticket::{Claim, Ticket};
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

    /// The line has changed for those who wait below this slot.
    pub(super) fn wake_below(&mut self, slot: Slot) {
        self.questions.wake_below(slot);
    }

    /// Answers those who wait, as far as there are places: orphans first, then relays, then leaf-only nodes. Holes that are left
    /// after that are filled by the last relays.
    pub(super) fn serve(&mut self, now: Duration) {
        self.seat_all(now);
        if self.places.is_settled() && self.dials.len() == 0 {
            while self.questions.first_newcomer().is_some() && self.call_on_the_capped() {
                self.seat_all(now);
            }
        }
        if self.places.is_settled() && self.dials.len() == 0 {
            while let Some(link) = self.questions.first_newcomer() {
                self.turn_away(link, true, NO_ROOM);
            }
        }
    }

    fn seat_all(&mut self, now: Duration) {
        let mut any = true;
        while std::mem::take(&mut any) {
            for link in self.questions.candidates() {
                any |= self.try_to_place(link, now);
            }
            while let Some((hole, mover)) = choice::next_move(&self.places, &self.questions, self.config.id) {
                self.move_to(mover, hole, now);
                any = true;
            }
            any |= self.spare_a_try(now);
            if let Some(link) = self.questions.first_leaf() {
                any |= self.try_to_place(link, now) || self.seat_a_leaf(link, now);
            }
        }
    }

    fn try_to_place(&mut self, link: Link, now: Duration) -> bool {
        let Some(question) = self.questions.question(link) else { return false };
        let is_apart = self.is_apart(question.ask.id);
        match choice::choose(&self.places, question, &self.failures, is_apart, self.config.id) {
            Choice::Take(slot) => self.place(link, slot, now),
            Choice::Keep(slot) => self.keep(link, slot, now),
            Choice::Nothing => return false,
        }
        true
    }

    /// Fills a hole: by the answer to an open question of the mover, or by dialling it.
    fn move_to(&mut self, mover: NodeId, hole: Slot, now: Duration) {
        let former = self.places.node(mover).filter(|node| node.state == State::Attached).cloned();
        if !self.questions.can_be_answered(mover) {
            self.push(mover, now);
        }
        if let Some(link) = self.questions.link(mover) {
            self.place(link, hole, now);
        }
        self.moving.extend(former.map(|former| (mover, former)));
    }

    /// A node that was to be moved does not answer. Nobody has said that it is gone: it stays where it was, as one that cannot be dialled.
    pub(super) fn put_back(&mut self, id: NodeId, former: Node, now: Duration) {
        let (slot, v, tenure) = (former.slot, former.v, former.tenure);
        let above = slot.parent().and_then(|above| self.places.holder(above));
        let has_parent = above.map_or(slot.parent() == Some(Slot::ROOT), |(id, above)| former.parent == (id, above.tenure));
        if !has_parent || self.places.holder(slot).is_some() {
            return;
        }
        let mut node = former;
        node.profile.dialable = false;
        self.places.hold(id, node, now);
        self.places.change(id, State::Attached, None);
        for below in self.places.below(slot) {
            if self.places.node(below).is_some_and(|child| child.state == State::Doubted && child.parent == (id, tenure)) {
                self.places.change(below, State::Attached, None);
            }
        }
        self.retries.insert((now + self.config.probation, id));
        self.events.push_back(TreeEvent::Attached { id, v, slot });
    }

    /// A node is back in its slot because nobody came to take it over, and so are those who were below it. One that was only too small for
    /// them has to feed them on.
    fn keep_children(&mut self, id: NodeId) {
        let Some(node) = self.places.node(id) else { return };
        let (slot, holder, is_capped) = (node.slot, (id, node.tenure), node.profile.leaf_only == Some(WhyLeaf::Capped));
        let below = self.places.below(slot).into_iter();
        let kept: Vec<_> = below.filter(|child| self.places.node(*child).is_some_and(|child| child.parent == holder)).collect();
        for child in &kept {
            if self.places.node(*child).is_some_and(|child| child.state == State::Doubted) {
                self.places.change(*child, State::Attached, None);
            }
        }
        if is_capped && !kept.is_empty() {
            self.need(id);
        }
    }

    /// Asks itself for a place for a node that has one and did not ask; it is dialled when there is an answer.
    pub(super) fn push(&mut self, id: NodeId, now: Duration) {
        let Some(node) = self.places.node(id) else { return };
        let (profile, v) = (node.profile.clone(), node.v);
        let ask = WhereToConnect {
            session: Some(self.config.session),
            id,
            v,
            asking: Asking::New,
            capabilities: Capabilities::of(true),
            port: profile.address.port(),
            name: profile.name.clone(),
            proof: Ticket::NONE,
        };
        let link = self.dials.new_link();
        if let Some(older) = self.questions.insert(link, Question { ask, profile, is_to_dial: true }) {
            self.hang_up(older);
        }
        self.places.change(id, State::Asking, Some(now + self.config.patience));
        self.questions.search(link, true);
    }

    pub(super) fn place(&mut self, link: Link, slot: Slot, now: Duration) {
        let Some(question) = self.questions.question(link).cloned() else { return };
        let (id, local) = (question.ask.id, question.profile.local);
        let node = self.settle_on(&question, slot, now);
        let above = slot.parent().and_then(|above| self.places.holder(above));
        let (parent, parent_address) = match above {
            Some((id, parent)) => ((id, parent.tenure), parent.profile.address),
            None => ((self.config.id, V::NONE), local),
        };
        self.last = V(self.last.0 + 1);
        let v = self.last;
        let tenure = if node.tenure == V::NONE { v } else { node.tenure };
        self.places.hold(id, Node { v, tenure, parent, state: State::Placed, ..node }, now + self.config.placement);
        self.questions.answered(link);
        self.events.push_back(TreeEvent::Placed { id, name: question.ask.name, v, slot });
        let message = Message::ConnectTo(self.connect_to(id, v, slot, parent.0, parent_address));
        if question.is_to_dial {
            self.questions.dialled(link);
            self.dials.begin(link, id, Purpose::Push { v }, now + self.config.proof_of_life);
            self.dial(link, question.profile.address, message);
        } else {
            self.answer(link, message, false);
        }
    }

    /// A node is to have this slot, and is answered when the line above is whole.
    fn keep(&mut self, link: Link, slot: Slot, now: Duration) {
        let Some(question) = self.questions.question(link).cloned() else { return };
        let node = self.settle_on(&question, slot, now);
        self.places.hold(question.ask.id, Node { state: State::Asking, ..node }, now + self.config.patience);
        self.questions.wait(link, slot);
    }

    /// The node as it was if it has this slot, else as one that has just come to it: its old slot is freed, and who holds the new one
    /// has to give way.
    fn settle_on(&mut self, question: &Question, slot: Slot, now: Duration) -> Node {
        let id = question.ask.id;
        let held = self.places.node(id).cloned();
        match held {
            Some(node) if node.slot == slot => return node,
            Some(_) => self.free(id, Freed::Moved, now),
            None => {}
        }
        if let Some((holder, &Node { v, .. })) = self.places.holder(slot) {
            self.places.oust(holder);
            self.contests.settle(holder);
            self.events.push_back(TreeEvent::Freed { id: holder, v, slot, why: Freed::GaveWay });
        }
        let v = held.map_or(V::NONE, |node| node.v);
        // Who was there and is being moved has nothing to go back to when somebody else has come.
        self.moving.retain(|mover, former| *mover == id || former.slot != slot);
        let cannot_reach = choice::avoided(&question.ask.asking);
        self.retries.extend(cannot_reach.map(|_| (now + self.config.probation, id)));
        Node { v, cannot_reach, ..Node::asking(question.profile.clone(), slot, now) }
    }

    fn connect_to(&self, id: NodeId, v: V, slot: Slot, parent: NodeId, address: SocketAddr) -> ConnectTo {
        let TopologyConfig { session, log, secret, name, .. } = &self.config;
        let claim = Claim { session: *session, child: id, v, slot };
        let ticket = secret.derive(*session, parent).sign(&claim);
        let key = secret.derive(*session, id);
        ConnectTo { session: *session, v, id, slot, parent, address, ticket, key, name: name.clone(), log: *log }
    }

    /// Takes a node's slot away. Those attached below it ask by themselves, or are dialled when the slot is filled, or their parent
    /// comes back with them; else they are gone.
    pub(super) fn free(&mut self, id: NodeId, why: Freed, now: Duration) {
        let Some(node) = self.places.free(id) else { return };
        for below in self.places.below(node.slot) {
            if self.places.node(below).is_some_and(|child| child.state == State::Attached) {
                self.places.change(below, State::Doubted, Some(now + self.config.patience));
            }
        }
        node.slot.children().for_each(|below| self.places.forget_ousted(below));
        if let Some(back) = self.places.restore_ousted(node.slot) {
            self.keep_children(back);
            if node.v != V::NONE {
                self.contests.add(id, node.v, back);
            }
        }
        self.contests.settle(id);
        self.moving.remove(&id);
        self.rooms.forget(id);
        if !matches!(why, Freed::Moved | Freed::NotAttached | Freed::GaveWay) {
            self.failures.forget(id);
        }
        if why != Freed::Moved {
            self.caps.forget(id);
            self.forget_push(id);
        }
        self.questions.lost_slot(id);
        self.wake_below(node.slot);
        self.events.push_back(TreeEvent::Freed { id, v: node.v, slot: node.slot, why });
    }

    /// A place that the root meant to give a node, and that it has not acknowledged, is void.
    fn forget_push(&mut self, id: NodeId) {
        let Some(link) = self.questions.link(id) else { return };
        let is_to_dial = self.questions.question(link).is_some_and(|question| question.is_to_dial);
        if is_to_dial {
            self.questions.remove(link);
        } else if self.dials.end(link).is_some() {
            self.questions.remove(link);
            self.hang_up(link);
        }
    }

    pub(super) fn turn_away(&mut self, link: Link, again: bool, reason: &str) {
        if let Some(question) = self.questions.remove(link) {
            if self.dials.end(link).is_some() || question.is_to_dial {
                return self.hang_up(link);
            }
            self.events.push_back(TreeEvent::Refused { id: question.ask.id, reason: reason.into() });
        }
        self.answer(link, Message::Refused(Refused { again, reason: reason.into() }), true);
    }

    pub(super) fn answer(&mut self, to: Link, message: Message, close: bool) {
        self.answers.push_back(Answer { to, message: Some(message), close });
    }

    pub(super) fn hang_up(&mut self, to: Link) {
        self.dials.end(to);
        self.answers.push_back(Answer { to, message: None, close: true });
    }

    pub(super) fn dial(&mut self, link: Link, address: SocketAddr, message: Message) {
        self.dialled.push_back(Dial { link, address, message });
    }
}

/// What a newcomer is told for whom there is no place.
const NO_ROOM: &str = "open treevnc's port in your firewalls, too few computers here can pass the picture on. \
                       treevnc join --listen PORT chooses the port; use --no-relay on few of them";
