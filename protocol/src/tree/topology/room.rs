//! Places beyond the two below a node, for leaf-only nodes that find no slot: the root has some, and relays that have room by their
//! measured upload. Relays are asked only when they are needed.

use super::Topology;
use super::dials::Purpose;
use super::node::{State, Suspicion};
use super::places::Line;
use crate::tree::children::Link;
use crate::tree::slot::{NodeId, Slot};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long an answer about room is good.
const FRESH: Duration = Duration::from_secs(10);
/// Relays asked at a time, and in [`FRESH`] altogether.
const AT_ONCE: usize = 8;
const IN_ALL: usize = 32;

/// What a node is told that reaches only the root, when the root has no room for it.
const APART: &str = "the network keeps computers apart (Wi-Fi client isolation?), and the root has no room to feed more of them itself: \
                     use a cable or another network";

/// Who has room.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// The root's own.
    pub(super) root: u8,
    nodes: BTreeSet<NodeId>,
    /// Who was asked last, when the present round began, and how many were asked in it.
    cursor: Slot,
    since: Duration,
    asked: usize,
}

impl Rooms {
    /// A node is gone from where it had room.
    pub(super) fn forget(&mut self, id: NodeId) {
        self.nodes.remove(&id);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
}

impl Topology {
    /// How many more leaf-only nodes the root itself would take, beside those it has.
    pub fn set_root_room(&mut self, room: u8, now: Duration) {
        let had_none = std::mem::replace(&mut self.rooms.root, room) == 0;
        if had_none && room > 0 {
            self.serve(now);
        }
    }

    /// There may be more room at the root than at the last event.
    pub(in crate::tree) fn serve_with_room(&mut self, now: Duration) {
        if self.rooms.root > 0 {
            self.serve(now);
        }
    }

    /// A relay has said how much room it has.
    pub(super) fn has_room(&mut self, id: NodeId, room: u8) {
        self.places.edit(id, |node| node.room = room);
        if room > 0 {
            self.rooms.nodes.insert(id);
        }
    }

    /// Gives an extra place to a leaf-only node that finds no slot; asks for room if none is known. One that is kept apart gets one of the root's,
    /// or is turned away. Answers whether it is served.
    pub(super) fn seat_a_leaf(&mut self, link: Link, now: Duration) -> bool {
        let id = self.questions.asker(link);
        if id.is_some_and(|id| self.is_apart(id)) {
            match self.extra_place_of_root() {
                Some(slot) => self.place(link, slot, now),
                None => self.turn_away(link, true, APART),
            }
            return true;
        }
        let extra = self.extra_place();
        match extra {
            Some(slot) => self.place(link, slot, now),
            None => self.ask_for_room(now),
        }
        extra.is_some()
    }

    fn extra_place_of_root(&mut self) -> Option<Slot> {
        let slot = self.places.free_extra(Slot::ROOT).filter(|_| self.rooms.root > 0)?;
        self.rooms.root -= 1;
        Some(slot)
    }

    fn extra_place(&mut self) -> Option<Slot> {
        if let Some(slot) = self.extra_place_of_root() {
            return Some(slot);
        }
        while let Some(&id) = self.rooms.nodes.first() {
            let host = self.places.node(id).filter(|node| {
                node.room > 0 && node.is_relay() && node.state == State::Attached && node.suspicion == Suspicion::None
            });
            let slot = host.map(|host| host.slot).filter(|slot| self.places.line(*slot) == Line::Whole);
            let extra = slot.and_then(|slot| self.places.free_extra(slot));
            self.places.edit(id, |node| node.room = node.room.saturating_sub(1));
            if extra.is_some() {
                return extra;
            }
            self.rooms.nodes.remove(&id);
        }
        None
    }

    fn ask_for_room(&mut self, now: Duration) {
        if now.saturating_sub(self.rooms.since) >= FRESH {
            (self.rooms.since, self.rooms.asked) = (now, 0);
        }
        if self.dials.asked_for_room() > 0 || self.rooms.asked >= IN_ALL {
            return;
        }
        let is_due = |asked: Option<Duration>| asked.is_none_or(|asked| now.saturating_sub(asked) >= FRESH);
        let relays = self.places.relays_after(self.rooms.cursor).chain(self.places.relays_after(Slot::ROOT)).take(IN_ALL);
        let relays = relays.filter(|(_, node)| node.state == State::Attached && node.profile.dialable && is_due(node.room_asked));
        let asked: Vec<_> = relays.map(|(id, node)| (id, node.slot, node.profile.address)).take(AT_ONCE).collect();
        for (id, slot, address) in asked {
            let is_new = self.places.node(id).is_some_and(|node| is_due(node.room_asked));
            if is_new {
                self.places.edit(id, |node| node.room_asked = Some(now));
                self.are_you_there(id, address, Purpose::Room, now + self.config.proof_of_life);
                (self.rooms.cursor, self.rooms.asked) = (slot, self.rooms.asked + 1);
            }
        }
    }
}
