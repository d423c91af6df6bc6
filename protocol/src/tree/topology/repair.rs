//! Who is lost: what parents and orphans say is believed when both say it, or when the node does not answer the root.

use super::dials::{Dialled, Purpose};
use super::node::{Node, State, Suspicion};
use super::{Freed, Topology, TreeEvent};
use crate::tree::children::Link;
use crate::tree::message::{AreYouThere, Fault, IAmHere, LostChild, Message, SlowNode, WhyLeaf};
use crate::tree::slot::{NodeId, Slot};
use std::time::Duration;

/// As long as fewer than one in so many relays is on probation, another one may be.
const RELAYS_PER_BLAME: usize = 4;

impl Topology {
    /// A parent, maybe the root itself, has lost a child. A child that can be dialled is placed anew: if it does not even say that it
    /// is there, it is lost.
    pub fn handle_lost_child(&mut self, report: &LostChild, now: Duration) {
        let is_ours = report.session == self.config.session;
        let is_parents = |node: &Node| is_ours && node.parent.0 == report.parent;
        let is_meant = |node: &&Node| is_parents(node) && node.v == report.v;
        if let Some(slot) = self.places.ousted(report.child).filter(is_meant).map(|node| node.slot) {
            return self.places.forget_ousted(slot);
        }
        if self.moving.get(&report.child).filter(is_meant).is_some() {
            // If it does not acknowledge the move either, it is lost.
            self.moving.remove(&report.child);
            return;
        }
        let back = self.contests.back(report.child, report.v);
        if let Some(back) = back.filter(|back| self.places.node(*back).is_some_and(is_parents)) {
            self.free(back, Freed::GaveWay, now);
            return self.serve(now);
        }
        let Some(node) = self.places.node(report.child) else { return };
        // A node that asks is alive, and its slot is kept for it.
        if !is_meant(&node) || node.state == State::Asking {
            return;
        }
        let (slot, is_asked) = (node.slot, node.profile.dialable && node.suspicion == Suspicion::None);
        self.places.forget_ousted(slot);
        if is_asked {
            self.push(report.child, now);
            self.places.suspect(report.child, Suspicion::ByParent);
        } else {
            self.free(report.child, Freed::Lost(report.why), now);
        }
        self.serve(now);
    }

    /// A child says that its parent is gone.
    pub(super) fn doubted_by_child(&mut self, parent: NodeId, why: Fault, now: Duration) {
        let Some(node) = self.places.node(parent) else { return };
        match node.suspicion {
            Suspicion::ByParent => self.free(parent, Freed::Lost(why), now),
            Suspicion::None if node.state == State::Attached && node.profile.dialable => {
                let address = node.profile.address;
                self.places.suspect(parent, Suspicion::ByChild);
                self.are_you_there(parent, address, Purpose::Doubt, now + self.config.proof_of_life);
            }
            _ => {}
        }
    }

    /// A child could not attach to its parent.
    pub(super) fn unreached(&mut self, parent: NodeId, child: NodeId, why: Fault, now: Duration) {
        if !matches!(why, Fault::Unreachable | Fault::NoAnswer) {
            return;
        }
        if self.places.node(parent).is_some() {
            self.failures.add(child, parent, now + self.config.probation);
        }
        self.doubted_by_child(parent, why, now);
    }

    /// Asks a node whether it is there, on a connection of its own.
    pub(super) fn are_you_there(&mut self, id: NodeId, address: std::net::SocketAddr, purpose: Purpose, until: Duration) {
        let link = self.dials.new_link();
        self.dials.begin(link, id, purpose, until);
        self.dial(link, address, Message::AreYouThere(AreYouThere { session: self.config.session, id }));
    }

    /// A node that was dialled has said who it is.
    pub(super) fn is_here(&mut self, link: Link, here: &IAmHere, now: Duration) {
        let Some(dialled) = self.dials.end(link) else { return };
        let is_it = here.id == dialled.id;
        let is_ours = is_it && here.session == Some(self.config.session);
        match dialled.purpose {
            Purpose::First { asker } => {
                self.hang_up(link);
                self.proven(asker, is_it, now);
            }
            Purpose::Push { v } if is_ours && here.v == v => {
                self.moving.remove(&dialled.id);
                self.places.suspect(dialled.id, Suspicion::None);
            }
            Purpose::Push { .. } => {
                self.hang_up(link);
                self.questions.remove(link);
                self.free(dialled.id, if is_it { Freed::Elsewhere } else { Freed::Lost(Fault::NoAnswer) }, now);
            }
            Purpose::Doubt if is_ours => {
                self.hang_up(link);
                self.trust(dialled.id);
                self.judge_parent(dialled.id, now);
            }
            Purpose::Room if is_ours => {
                self.hang_up(link);
                self.has_room(dialled.id, here.room);
            }
            Purpose::Doubt | Purpose::Room => {
                self.hang_up(link);
                self.silent(link, dialled, now);
            }
        }
        self.serve(now);
    }

    /// A node that was dialled is not there, or did not say so in time.
    pub(super) fn silent(&mut self, link: Link, dialled: Dialled, now: Duration) {
        match dialled.purpose {
            Purpose::First { asker } => self.proven(asker, false, now),
            Purpose::Push { v } if self.places.node(dialled.id).is_none_or(|node| node.v != v) => {
                drop(self.questions.remove(link))
            }
            Purpose::Push { .. } => {
                self.questions.remove(link);
                match self.moving.remove(&dialled.id) {
                    Some(former) => {
                        self.free(dialled.id, Freed::NotAttached, now);
                        self.put_back(dialled.id, former, now);
                    }
                    None => self.free(dialled.id, Freed::Lost(Fault::NoAnswer), now),
                }
            }
            Purpose::Doubt if !self.has_successor(dialled.id) || self.is_own_child(dialled.id) => {
                // Nobody would take its place, and so its parent would not let it go; or its parent is the root, which would know.
                self.places.edit(dialled.id, |node| node.profile.dialable = false);
                self.retries.insert((now + self.config.probation, dialled.id));
                self.failures.forget_parent(dialled.id);
                self.trust(dialled.id);
            }
            Purpose::Doubt if self.places.node(dialled.id).is_some_and(|node| node.suspicion == Suspicion::ByChild) => {
                let slot = self.places.node(dialled.id).map(|node| node.slot);
                self.rechecks.extend(slot.map(|slot| (now + self.config.placement, slot)));
                self.free(dialled.id, Freed::Lost(Fault::NoAnswer), now);
            }
            Purpose::Doubt | Purpose::Room => {}
        }
    }

    /// A node that was doubted is there.
    fn trust(&mut self, id: NodeId) {
        let Some(node) = self.places.node(id).filter(|node| node.suspicion == Suspicion::ByChild) else { return };
        let slot = node.slot;
        self.places.suspect(id, Suspicion::None);
        self.wake_below(slot);
    }

    /// It is known whether a newcomer can be dialled.
    fn proven(&mut self, asker: Link, dialable: bool, now: Duration) {
        let Some(id) = self.questions.asker(asker) else { return };
        let upload = self.questions.question(asker).map_or(0, |question| question.profile.upload);
        let leaf_only = match dialable {
            true => self.blames.why(id).or(self.caps.why(id, upload)),
            false => Some(WhyLeaf::Unreachable),
        };
        self.questions.describe(asker, dialable, leaf_only);
        self.queue(asker, now);
    }

    /// A node has measured that it, or a child, cannot keep up. Of an only child it is not known which end of the link is slow:
    /// then it is the parent's turn first, since the child, if it is the slow one, shows it again below the next parent.
    pub fn handle_slow_node(&mut self, report: &SlowNode, now: Duration) {
        let Some(node) = self.places.node(report.node) else { return };
        let is_reporter = report.node == report.reporter || node.parent.0 == report.reporter;
        if report.session != self.config.session || node.v != report.v || !is_reporter || !node.is_relay() {
            return;
        }
        let is_parents_turn = report.alone && report.reporter != self.config.id && self.blames.why(report.reporter).is_none();
        let blamed = if is_parents_turn { report.reporter } else { report.node };
        if blamed == report.reporter {
            // What it took for slow children was its own fault.
            for id in self.blames.withdraw(blamed) {
                self.relays_again(id);
            }
        }
        self.blame(blamed, WhyLeaf::Slow, report.reporter, now);
        self.serve(now);
    }

    /// Makes a node leaf-only for a while. When many are blamed, it is not them, and nothing is done.
    pub(super) fn blame(&mut self, id: NodeId, why: WhyLeaf, by: NodeId, now: Duration) {
        let may_blame = self.blames.len() * RELAYS_PER_BLAME < self.places.relay_count();
        if may_blame && self.demote(id, why, now) {
            self.blames.add(id, why, by, now, self.config.probation);
        }
    }

    /// Makes a relay leaf-only. What it had below it goes to the relay that takes its slot; where there is none further down, it is dialled,
    /// so that it gives its children up. Answers whether it is so: not when there is no place for the children.
    pub(super) fn demote(&mut self, id: NodeId, why: WhyLeaf, now: Duration) -> bool {
        let Some(node) = self.places.node(id).filter(|node| node.is_relay()) else { return false };
        let (slot, dialable) = (node.slot, node.profile.dialable);
        let children = self.places.below(slot).len();
        let has_successor = self.has_successor(id);
        let has_room = || self.places.vacant().filter(|vacant| !vacant.is_below(slot)).take(children).count() == children;
        // One whose way out is clogged may not have said in time that it is there: it is to go all the same, if nobody has to dial it for that.
        if !(children == 0 || has_successor || (dialable && has_room())) {
            return false;
        }
        self.places.set_leaf_only(id, Some(why));
        self.events.push_back(TreeEvent::Relays { id, leaf_only: Some(why) });
        if children > 0 && !has_successor && self.questions.link(id).is_none() {
            self.push(id, now);
        }
        self.wake_below(slot);
        true
    }

    fn is_own_child(&self, id: NodeId) -> bool {
        self.places.node(id).is_some_and(|node| node.slot.parent() == Some(Slot::ROOT))
    }

    /// A slot was taken from a node on the word of a child, and nobody has come since whom the parent would have let in its stead: the
    /// parent is placed anew, and hears with that which children are its own.
    pub(super) fn recheck(&mut self, now: Duration) {
        while let Some((_, slot)) = self.rechecks.first().copied().filter(|(at, _)| *at <= now) {
            self.rechecks.pop_first();
            if self.places.holder(slot).is_some_and(|(_, node)| node.state != State::Attached) {
                self.rechecks.insert((now + self.config.placement, slot));
                continue;
            }
            let parent = slot.parent().filter(|_| self.places.holder(slot).is_none());
            let Some((id, node)) = parent.and_then(|parent| self.places.holder(parent)) else { continue };
            if node.state == State::Attached && node.profile.dialable {
                self.push(id, now);
            }
        }
    }

    /// Whether there is a relay in a lower row, to be moved to this node's slot.
    fn has_successor(&self, id: NodeId) -> bool {
        let depth = self.places.node(id).map(|node| node.slot.depth());
        self.places.deepest_relay().zip(depth).is_some_and(|(last, depth)| last.depth() > depth)
    }

    /// Probations that are over, and failures that are long ago.
    pub(super) fn pardon(&mut self, now: Duration) {
        while let Some((_, id)) = self.retries.first().copied().filter(|(at, _)| *at <= now) {
            self.retries.pop_first();
            self.places.edit(id, |node| {
                node.cannot_reach = None;
                node.profile.dialable |= node.is_relay();
            });
        }
        while let Some(id) = self.blames.pardon(now) {
            self.relays_again(id);
        }
        self.failures.expire(now);
    }

    /// A node is blamed no more. In an extra place it stays a leaf until it asks again.
    fn relays_again(&mut self, id: NodeId) {
        let is_meant = |node: &Node| !node.slot.is_extra() && node.profile.leaf_only.is_some_and(WhyLeaf::is_for_a_while);
        if self.places.node(id).is_some_and(is_meant) {
            let upload = self.places.node(id).map_or(0, |node| node.profile.upload);
            let leaf_only = self.caps.why(id, upload);
            self.places.set_leaf_only(id, leaf_only);
            self.events.push_back(TreeEvent::Relays { id, leaf_only });
        }
    }
}
