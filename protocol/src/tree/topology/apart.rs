//! Networks that keep computers apart, as wireless ones that forbid traffic between their clients: who is found to reach only the root, from
//! what nodes could do. That two nodes do not reach each other does not tell which of them is kept apart; one that has reached
//! others, or was reached, is not.
//!
//! A node that is kept apart hangs directly below the root: in slot 1 or 2, or in an extra place as long as the root has room.

use super::node::{Node, State, Suspicion};
use super::{Freed, Topology, TreeEvent};
use crate::tree::children::Link;
use crate::tree::message::{Asking, WhyLeaf};
use crate::tree::slot::{NodeId, Slot, V};
use std::time::Duration;

/// How many parents a node must have failed to reach.
const FAILURES: usize = 2;
/// When the root has no room for it.
const FAILURES_WITHOUT_ROOM: usize = 3;
/// One is enough where so many are kept apart and nobody has reached anybody.
const MANY: usize = 4;
/// Then each who is found to be kept apart vouches for so many who wait for a parent to try, so that a full room need not try one by one.
const UNTRIED: usize = 3;
/// How many children must have failed to reach a parent.
const WITNESSES: usize = 2;

impl Topology {
    /// Whether a node is known to reach only the root.
    pub(super) fn is_apart(&self, id: NodeId) -> bool {
        self.blames.why(id) == Some(WhyLeaf::Isolated)
    }

    /// A node has attached below another one.
    pub(super) fn reached(&mut self, id: NodeId, parent: NodeId, now: Duration) {
        if self.places.node(parent).is_none() {
            return;
        }
        self.places.edit(parent, |node| node.profile.reached = true);
        let is_news = self.places.node(id).is_some_and(|node| !node.profile.reaches);
        self.places.edit(id, |node| node.profile.reaches = true);
        if is_news {
            // What it said of others counts for more now.
            let parents: Vec<_> = self.failures.parents(id).collect();
            parents.into_iter().for_each(|parent| self.judge_parent(parent, now));
        }
    }

    /// Whoever asks here because of a failure may be kept apart.
    pub(super) fn judge_asker(&mut self, link: Link, now: Duration) {
        let Some(question) = self.questions.question(link) else { return };
        let (id, dialable, leaf_only) = (question.ask.id, question.profile.dialable, question.profile.leaf_only);
        let has_failed = matches!(question.ask.asking, Asking::NotAttached { .. });
        let has_children = self.places.node(id).is_some_and(|node| !self.places.below(node.slot).is_empty());
        if !has_failed || has_children || self.blames.why(id).is_some() {
            return;
        }
        let is_known = question.profile.reaches || question.profile.reached;
        let can_be_reached = |node: &Node| {
            let is_found = matches!(node.profile.leaf_only, Some(WhyLeaf::Isolated | WhyLeaf::Unreached));
            let is_there = node.state == State::Attached && node.suspicion == Suspicion::None && node.profile.dialable;
            is_there && !is_found && (!is_known || node.profile.reached)
        };
        let is_witness = |parent: &NodeId| self.places.node(*parent).is_some_and(can_be_reached);
        let failed_at: Vec<_> = self.failures.parents(id).filter(is_witness).collect();
        let needed = match self.rooms.root {
            0 => FAILURES_WITHOUT_ROOM,
            _ if !is_known && self.all_are_apart() => 1,
            _ => FAILURES,
        };
        let Some(&by) = failed_at.first().filter(|_| failed_at.len() >= needed) else { return };
        self.vouch();
        self.set_apart(link, (id, dialable, leaf_only), by, now);
    }

    /// One more was found.
    fn vouch(&mut self) {
        self.untried = if self.all_are_apart() { self.untried + UNTRIED } else { 0 };
    }

    /// Where all are kept apart, the next one that waits for a parent to try gets a place below the root instead, if others vouch for it. Answers
    /// whether there was one.
    pub(super) fn spare_a_try(&mut self, now: Duration) -> bool {
        if self.untried == 0 || self.rooms.root == 0 || !self.all_are_apart() {
            return false;
        }
        // Most wait in slots below others who try themselves.
        let is_new = |id: NodeId| self.places.node(id).is_none_or(|node| node.v == V::NONE);
        let next = self.questions.relays_that_wait().find(|(_, question)| is_new(question.ask.id));
        let Some((link, question)) = next else { return false };
        let asker = (question.ask.id, question.profile.dialable, question.profile.leaf_only);
        self.untried -= 1;
        self.free(asker.0, Freed::Moved, now);
        self.set_apart(link, asker, self.config.id, now);
        self.questions.search(link, false);
        true
    }

    fn set_apart(&mut self, link: Link, asker: (NodeId, bool, Option<WhyLeaf>), by: NodeId, now: Duration) {
        let (id, dialable, leaf_only) = asker;
        self.blames.add(id, WhyLeaf::Isolated, by, now, self.config.probation);
        self.questions.describe(link, dialable, leaf_only.or(Some(WhyLeaf::Isolated)));
        self.events.push_back(TreeEvent::Relays { id, leaf_only: Some(WhyLeaf::Isolated) });
    }

    fn all_are_apart(&self) -> bool {
        self.blames.count(WhyLeaf::Isolated) >= MANY && !self.places.iter().any(|(_, node)| node.profile.reached)
    }

    /// A parent that the root has reached was not reached by children: is it to blame?
    pub(super) fn judge_parent(&mut self, id: NodeId, now: Duration) {
        let Some(node) = self.places.node(id).filter(|node| node.is_relay()) else { return };
        let profile = |id: NodeId| self.places.node(id).map(|node| &node.profile);
        let has_shown = node.profile.reaches || node.profile.reached;
        let is_witness = |child: &NodeId| match has_shown {
            true => profile(*child).is_some_and(|child| child.reaches),
            // One that does not reach those either whom others do is kept apart itself.
            false => self.failures.parents(*child).all(|other| !profile(other).is_some_and(|other| other.reached)),
        };
        let witnesses: Vec<_> = self.failures.children(id).filter(is_witness).take(WITNESSES).collect();
        let &[by, _] = witnesses.as_slice() else { return };
        if has_shown {
            return self.blame(id, WhyLeaf::Unreached, by, now);
        }
        // Nobody is below it. Whoever comes to its slot tries to do better, and it has to go to another place below the root.
        if self.rooms.root > 0 && self.demote(id, WhyLeaf::Isolated, now) {
            self.blames.add(id, WhyLeaf::Isolated, by, now, self.config.probation);
            self.vouch();
        }
    }

    /// A node that is kept apart has nothing of a slot below another node.
    pub(super) fn unseat_if_apart(&mut self, id: NodeId, now: Duration) {
        let is_below_another = self.places.node(id).is_some_and(|node| node.slot.parent() != Some(Slot::ROOT));
        if is_below_another && self.is_apart(id) {
            self.free(id, Freed::Moved, now);
        }
    }
}
