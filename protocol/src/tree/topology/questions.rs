//! The open questions: who asked on which connection, and who still waits for an answer, in what order.

use super::Caller;
use crate::tree::children::Link;
use crate::tree::message::WhereToConnect;
use crate::tree::slot::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// An open question.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// What was asked; `capabilities.relay` is off where there is no port to dial.
    pub(super) ask: WhereToConnect,
    /// Where the asker listens, as the root sees it.
    pub(super) address: SocketAddr,
    /// The root's address as the asker sees it.
    pub(super) local: SocketAddr,
}

/// INVARIANT: each node has at most one open question, each connection too; those who wait are in exactly one of the four sets.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: BTreeMap<Link, Question>,
    by_asker: BTreeMap<NodeId, Link>,
    /// Those who hold a slot and wait for the line above it.
    waiting: BTreeSet<Link>,
    /// Those who hold a slot and are to be tried.
    orphans: BTreeSet<Link>,
    /// Those who hold no slot, relays and others.
    relays: BTreeSet<Link>,
    leaves: BTreeSet<Link>,
}

impl Questions {
    /// Takes a question in: the connections of earlier questions of the same node, which are void.
    pub(super) fn insert(&mut self, caller: &Caller, ask: &WhereToConnect) -> Option<Link> {
        self.remove(caller.link);
        let older = self.by_asker.get(&ask.id).copied();
        older.and_then(|older| self.remove(older));
        let mut ask = ask.clone();
        ask.capabilities.relay &= ask.port != 0;
        let address = SocketAddr::new(caller.peer.to_canonical(), ask.port);
        self.by_asker.insert(ask.id, caller.link);
        self.open.insert(caller.link, Question { ask, address, local: caller.local });
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

    pub(super) fn asker(&self, link: Link) -> Option<NodeId> {
        self.open.get(&link).map(|question| question.ask.id)
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// This one is to be tried from now on.
    pub(super) fn search(&mut self, link: Link, has_slot: bool) {
        self.answered(link);
        let Some(question) = self.open.get(&link) else { return };
        let queue = match (has_slot, question.ask.capabilities.relay) {
            (true, _) => &mut self.orphans,
            (false, true) => &mut self.relays,
            (false, false) => &mut self.leaves,
        };
        queue.insert(link);
    }

    /// This one holds a slot and waits for the line above it.
    pub(super) fn wait(&mut self, link: Link) {
        self.answered(link);
        self.waiting.insert(link);
    }

    /// Those who wait for the line above their slot.
    pub(super) fn waiting(&self) -> impl Iterator<Item = NodeId> {
        self.waiting.iter().filter_map(|&link| self.asker(link))
    }

    /// The line above this node's slot has changed: if it waits, it is to be tried again.
    pub(super) fn wake(&mut self, id: NodeId) {
        if let Some(&link) = self.by_asker.get(&id)
            && self.waiting.remove(&link)
        {
            self.orphans.insert(link);
        }
    }

    /// This one waits no longer; the question stays open.
    pub(super) fn answered(&mut self, link: Link) {
        for queue in [&mut self.waiting, &mut self.orphans, &mut self.relays, &mut self.leaves] {
            queue.remove(&link);
        }
    }

    /// A node's slot is no longer kept: if it waits, it does so as a newcomer.
    pub(super) fn lost_slot(&mut self, id: NodeId) {
        if let Some(&link) = self.by_asker.get(&id)
            && (self.orphans.contains(&link) || self.waiting.contains(&link))
        {
            self.search(link, false);
        }
    }

    /// Those to try next: all orphans, since each may want another slot, and the first of each kind of newcomer, since what
    /// does not suit the first does not suit the others.
    pub(super) fn candidates(&self) -> Vec<Link> {
        self.orphans.iter().chain(self.relays.first()).chain(self.leaves.first()).copied().collect()
    }

    /// Somebody who waits and holds no slot.
    pub(super) fn first_newcomer(&self) -> Option<Link> {
        self.relays.first().or(self.leaves.first()).copied()
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        assert_eq!(self.open.len(), self.by_asker.len());
        assert!(self.by_asker.iter().all(|(id, link)| self.open[link].ask.id == *id));
        let queues = [&self.waiting, &self.orphans, &self.relays, &self.leaves];
        assert!(queues.into_iter().flatten().all(|link| self.open.contains_key(link)));
        let all: BTreeSet<_> = queues.into_iter().flatten().collect();
        assert_eq!(all.len(), queues.into_iter().map(BTreeSet::len).sum::<usize>());
    }
}
