//! The conversation with a node: its question, its ATTACHED or FAILED, and its LEAVE.

use super::dials::Purpose;
use super::node::{Node, State, Suspicion};
use super::questions::Question;
use super::{Caller, Freed, MAX_NODES, Topology, TopologyConfig, TreeEvent};
use crate::tree::children::Link;
use crate::tree::message::{Asking, Attached, Failed, KeptChild, KeptChildren, Leave, Message, WhereToConnect, WhyLeaf};
use crate::tree::slot::{NodeId, Slot, V};
use crate::tree::ticket::{Statement, Ticket};
use std::net::SocketAddr;
use std::time::Duration;

impl Topology {
    /// Whether this node has a place in the tree, and made the statement.
    pub fn vouches_for(&self, id: NodeId, statement: &Statement, proof: &Ticket) -> bool {
        self.is_proven(id, statement, proof) && self.places.node(id).is_some()
    }

    /// Whether a statement was made by this node: only it and the root have its key.
    pub(super) fn is_proven(&self, by: NodeId, statement: &Statement, proof: &Ticket) -> bool {
        let TopologyConfig { session, secret, .. } = &self.config;
        statement.session == *session && secret.derive(*session, by).is_proven(statement, proof)
    }

    /// Nobody asks in the name of a node that has been placed in this session.
    pub(super) fn is_proven_question(&self, ask: &WhereToConnect) -> bool {
        let statement = ask.statement().filter(|statement| statement.session == self.config.session);
        statement.is_none_or(|statement| self.is_proven(ask.id, &statement, &ask.proof))
    }

    pub(super) fn asked(&mut self, caller: &Caller, ask: &WhereToConnect, now: Duration) {
        let is_ours = ask.session == Some(self.config.session);
        let held = self.places.node(ask.id).or(self.places.ousted(ask.id));
        if self.is_taken(ask) || ask.id == self.config.id {
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
        let address = SocketAddr::new(caller.peer.to_canonical(), ask.port);
        self.are_you_there(ask.id, address, Purpose::First { asker: caller.link }, now + self.config.first_dial);
    }

    /// A question, and whether the root knows already whether its asker can be dialled.
    fn introduce(&mut self, caller: &Caller, ask: &WhereToConnect) -> (Question, bool) {
        let mut question = Question::asked(caller, ask);
        let address = question.profile.address;
        let held = self.places.node(ask.id).or(self.places.ousted(ask.id)).map(|node| &node.profile);
        let held = held.filter(|held| held.address == address);
        if let Some(held) = held {
            (question.profile.reaches, question.profile.reached) = (held.reaches, held.reached);
        }
        if question.profile.leaf_only.is_some() {
            return (question, true);
        }
        let Some(known) = held.filter(|known| known.leaf_only != Some(WhyLeaf::Asked)) else { return (question, false) };
        let is_judged_anew = known.leaf_only.is_some_and(|why| why.is_for_a_while() || why == WhyLeaf::Capped);
        let capped = self.caps.why(ask.id, question.profile.upload);
        let leaf_only = if is_judged_anew { self.blames.why(ask.id).or(capped) } else { known.leaf_only };
        (question.profile.dialable, question.profile.leaf_only) = (known.dialable, leaf_only);
        (question, true)
    }

    /// Whether it can only be this tree's node that asks, from another network than before.
    pub(in crate::tree) fn may_part_with(&self, ask: &WhereToConnect) -> bool {
        self.is_proven_question(ask) && !self.is_taken(ask)
    }

    /// Whether a node of this number is attached that cannot have asked this: an old question, or another node's.
    fn is_taken(&self, ask: &WhereToConnect) -> bool {
        let is_ours = ask.session == Some(self.config.session);
        let held = self.places.node(ask.id).or(self.places.ousted(ask.id));
        held.is_some_and(|node| node.state == State::Attached && !(is_ours && ask.v >= node.v))
    }

    /// A node has come to another network: what it held here is free.
    pub(in crate::tree) fn part_with(&mut self, id: NodeId, now: Duration) {
        if let Some(slot) = self.places.ousted(id).map(|node| node.slot) {
            self.places.forget_ousted(slot);
        }
        if let Some(link) = self.questions.link(id) {
            self.turn_away(link, true, "asked again from another network");
        }
        self.blames.remove(id);
        self.free(id, Freed::Roamed, now);
        self.serve(now);
    }

    pub(super) fn attached(&mut self, link: Link, attached: &Attached, now: Duration) {
        match self.questions.asker(link) {
            Some(id) if self.is_current(id, attached.v) => self.confirm(link, id, &attached.children, now),
            Some(_) => self.queue(link, now),
            None => self.turn_away(link, true, "nothing was asked on this connection"),
        }
    }

    pub(super) fn failed(&mut self, link: Link, failed: &Failed, now: Duration) {
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

    pub(super) fn left(&mut self, leave: &Leave, now: Duration) {
        // It may have been placed anew without having heard of it: whoever leaves does not come back under its number.
        if let Some(slot) = self.places.ousted(leave.id).map(|node| node.slot) {
            self.places.forget_ousted(slot);
        }
        self.blames.remove(leave.id);
        self.free(leave.id, Freed::Left, now);
        self.serve(now);
    }

    /// Whether `v` is the node's present placement, under a parent that has held its slot since.
    pub(super) fn is_current(&self, id: NodeId, v: V) -> bool {
        let Some(node) = self.places.node(id).filter(|node| node.v == v && v != V::NONE) else { return false };
        match node.slot.parent() {
            Some(Slot::ROOT) => true,
            Some(above) => self.places.holder(above).is_some_and(|(id, parent)| (id, parent.tenure) == node.parent),
            None => false,
        }
    }

    /// The node is attached, and answered so. Those below its slot who are not its children yet are to be.
    pub(super) fn confirm(&mut self, link: Link, id: NodeId, children: &KeptChildren, now: Duration) {
        let Some(node) = self.places.node(id) else { return };
        let (slot, tenure, v, state, relay, parent) =
            (node.slot, node.tenure, node.v, node.state, node.is_relay(), node.parent.0);
        self.places.change(id, State::Attached, None);
        self.places.suspect(id, Suspicion::None);
        self.places.forget_ousted(slot);
        self.reached(id, parent, now);
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
    pub(super) fn queue(&mut self, link: Link, now: Duration) {
        self.judge_asker(link, now);
        let Some(question) = self.questions.question(link) else { return };
        let id = question.ask.id;
        let is_unseated = matches!(question.ask.asking, Asking::LostParent { .. });
        if is_unseated && self.places.node(id).is_some_and(|node| node.slot.is_extra()) {
            self.free(id, Freed::Moved, now);
        }
        self.unseat_if_apart(id, now);
        let Some(question) = self.questions.question(link) else { return };
        self.places.describe(id, question.profile.clone());
        self.places.suspect(id, Suspicion::None);
        self.places.change(id, State::Asking, Some(now + self.config.patience));
        self.questions.search(link, self.places.node(id).is_some());
        self.serve(now);
    }
}
