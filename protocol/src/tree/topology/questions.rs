//! The open questions: who asked on which connection, and who still waits for an answer, in what order. A place that the root gives
//! unasked is a question that the root puts itself, to be answered by dialling.

use super::Caller;
use super::node::Profile;
use crate::tree::children::Link;
use crate::tree::message::{Capabilities, WhereToConnect, WhyLeaf};
use crate::tree::slot::{NodeId, Slot};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// An open question.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// What was asked.
    pub(super) ask: WhereToConnect,
    /// Who asks, as far as the root knows.
    pub(super) profile: Profile,
    /// Whether it is the root's own and the answer, the first, goes out by dialling.
    pub(super) is_to_dial: bool,
}

/// INVARIANT: each node has at most one open question, each connection too; those who wait are in exactly one of the four sets.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: BTreeMap<Link, Question>,
    by_asker: BTreeMap<NodeId, Link>,
    /// Those who hold a slot and wait for the line above it; the second is the inverse.
    waiting: BTreeMap<Slot, Link>,
    waits_at: BTreeMap<Link, Slot>,
    /// Those who hold a slot and are to be tried.
    orphans: BTreeSet<Link>,
    /// Those who hold no slot, relays and others.
    relays: BTreeSet<Link>,
    leaves: BTreeSet<Link>,
}

impl Question {
    /// What a node asks of itself, as far as it can be believed unseen.
    pub(super) fn asked(caller: &Caller, ask: &WhereToConnect) -> Self {
        let address = SocketAddr::new(caller.peer.to_canonical(), ask.port);
        let leaf_only = match ask.capabilities {
            Capabilities { site: true, .. } => Some(WhyLeaf::Site),
            Capabilities { relay, .. } => (!relay || ask.port == 0).then_some(WhyLeaf::Asked),
        };
        let profile = Profile {
            name: ask.name.clone(),
            address,
            local: caller.local,
            leaf_only,
            dialable: false,
            upload: ask.capabilities.upload,
            reaches: false,
            reached: false,
        };
        Self { ask: ask.clone(), profile, is_to_dial: false }
    }
}

impl Questions {
    /// Takes a question in: the connections of earlier questions of the same node, which are void.
    pub(super) fn insert(&mut self, link: Link, question: Question) -> Option<Link> {
        self.remove(link);
        let id = question.ask.id;
        let older = self.by_asker.get(&id).copied();
        older.and_then(|older| self.remove(older));
        self.by_asker.insert(id, link);
        self.open.insert(link, question);
        older
    }

    pub(super) fn remove(&mut self, link: Link) -> Option<Question> {
        self.answered(link);
        let question = self.open.remove(&link)?;
        self.by_asker.remove(&question.ask.id);
        Some(question)
    }

    pub(super) fn question(&self, link: Link) -> Option<&Question> {
        self.open.get(&link)
    }

    /// Notes what is known of an asker.
    pub(super) fn describe(&mut self, link: Link, dialable: bool, leaf_only: Option<WhyLeaf>) {
        if let Some(question) = self.open.get_mut(&link) {
            (question.profile.dialable, question.profile.leaf_only) = (dialable, leaf_only);
        }
    }

    /// Of those who wait and hold no slot, and are leaf-only for their limits alone, the one with the largest: who, and whether it can be dialled.
    pub(super) fn best_capped(&self) -> Option<(Link, NodeId, bool)> {
        let waiting = self.leaves.iter().filter_map(|link| Some((*link, self.open.get(link)?)));
        let capped = waiting.filter(|(_, question)| question.profile.leaf_only == Some(WhyLeaf::Capped));
        let best = capped.max_by_key(|(_, question)| question.profile.upload);
        best.map(|(link, question)| (link, question.ask.id, question.profile.dialable))
    }

    /// The root's own question has been answered by dialling; what follows goes over that connection.
    pub(super) fn dialled(&mut self, link: Link) {
        if let Some(question) = self.open.get_mut(&link) {
            question.is_to_dial = false;
        }
    }

    pub(super) fn asker(&self, link: Link) -> Option<NodeId> {
        self.open.get(&link).map(|question| question.ask.id)
    }

    /// The connection of a node's open question.
    pub(super) fn link(&self, id: NodeId) -> Option<Link> {
        self.by_asker.get(&id).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// This one is to be tried from now on.
    pub(super) fn search(&mut self, link: Link, has_slot: bool) {
        self.answered(link);
        let Some(question) = self.open.get(&link) else { return };
        let queue = match (has_slot, question.profile.leaf_only.is_none()) {
            (true, _) => &mut self.orphans,
            (false, true) => &mut self.relays,
            (false, false) => &mut self.leaves,
        };
        queue.insert(link);
    }

    /// This one holds a slot and waits for the line above it.
    pub(super) fn wait(&mut self, link: Link, slot: Slot) {
        self.answered(link);
        self.waiting.insert(slot, link);
        self.waits_at.insert(link, slot);
    }

    /// Those who wait in slots below this one are to be tried again. Looks at each row once.
    pub(super) fn wake_below(&mut self, slot: Slot) {
        let deepest = self.waiting.range(..Slot::FIRST_EXTRA).next_back().map_or(0, |(slot, _)| slot.depth());
        let rows = (slot.depth() + 1..=deepest).filter_map(|depth| slot.row_below(depth));
        let in_tree = rows.flat_map(|(first, last)| self.waiting.range(first..=last));
        let extra = self.waiting.range(Slot::FIRST_EXTRA..).filter(|(extra, _)| extra.is_below(slot));
        let woken: Vec<Link> = in_tree.chain(extra).map(|(_, link)| *link).collect();
        for link in woken {
            self.answered(link);
            self.orphans.insert(link);
        }
    }

    /// Whether a node holds a slot and waits for an answer, which may be another slot.
    pub(super) fn can_be_answered(&self, id: NodeId) -> bool {
        self.link(id).is_some_and(|link| self.waits_at.contains_key(&link) || self.orphans.contains(&link))
    }

    /// This one waits no longer; the question stays open.
    pub(super) fn answered(&mut self, link: Link) {
        if let Some(slot) = self.waits_at.remove(&link) {
            self.waiting.remove(&slot);
        }
        for queue in [&mut self.orphans, &mut self.relays, &mut self.leaves] {
            queue.remove(&link);
        }
    }

    /// A node's slot is no longer kept: if it waits, it does so as a newcomer.
    pub(super) fn lost_slot(&mut self, id: NodeId) {
        if self.can_be_answered(id)
            && let Some(link) = self.link(id)
        {
            self.search(link, false);
        }
    }

    /// Those to try next: all orphans, since each may want another slot, and the first relay that is new, since what does not suit the
    /// first does not suit the others.
    pub(super) fn candidates(&self) -> Vec<Link> {
        self.orphans.iter().chain(self.relays.first()).copied().collect()
    }

    /// The first leaf-only node that holds no slot and waits for one.
    pub(super) fn first_leaf(&self) -> Option<Link> {
        self.leaves.first().copied()
    }

    /// Relays that wait: for a slot, or for the line above it.
    pub(super) fn relays_that_wait(&self) -> impl Iterator<Item = (Link, &Question)> {
        let waiting = self.relays.iter().chain(self.waiting.values());
        let questions = waiting.filter_map(|link| Some((*link, self.open.get(link)?)));
        questions.filter(|(_, question)| question.profile.leaf_only.is_none() && !question.is_to_dial)
    }

    /// Somebody who waits and holds no slot.
    pub(super) fn first_newcomer(&self) -> Option<Link> {
        self.relays.first().or(self.leaves.first()).copied()
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        assert_eq!(self.open.len(), self.by_asker.len());
        assert!(self.by_asker.iter().all(|(id, link)| self.open[link].ask.id == *id));
        assert_eq!(self.waiting.len(), self.waits_at.len());
        assert!(self.waiting.iter().all(|(slot, link)| self.waits_at[link] == *slot));
        let waiting: BTreeSet<Link> = self.waits_at.keys().copied().collect();
        let queues = [&waiting, &self.orphans, &self.relays, &self.leaves];
        assert!(queues.into_iter().flatten().all(|link| self.open.contains_key(link)));
        let all: BTreeSet<_> = queues.into_iter().flatten().collect();
        assert_eq!(all.len(), queues.into_iter().map(BTreeSet::len).sum::<usize>());
    }
}
