//! The child side of a node: who may attach, by ticket and placement number (PROTOCOL.md, ATTACH). The same for the root, which
//! is the node of slot 0, and for every other node.

use super::message::{Attach, AttachReply, Fault, KeptChild, KeptChildren, LostChild};
use super::slot::{NodeId, Side, Slot, V};
use super::ticket::{Key, Ticket};
use crate::update::{Seq, SessionId};
use std::collections::BTreeMap;

/// A program's number for one of its connections; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link(pub u64);

impl Link {
    /// Numbers of connections that the root makes begin here.
    pub(super) const FIRST_DIALLED: Link = Link(1 << 63);

    /// Whether the root has made this connection.
    pub(super) fn is_dialled(self) -> bool {
        self >= Self::FIRST_DIALLED
    }
}

/// The decision on an ATTACH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// The child is in. If it takes the place of an earlier link, that one is to be closed now.
    Welcome {
        /// The earlier link on this side.
        replaces: Option<Link>,
    },
    /// Answer STALE and close.
    Stale,
    /// Answer NOT_HERE and close.
    NotHere,
}

impl Acceptance {
    /// The answer to send; `head` is the newest update of the own log.
    pub fn reply(self, head: Seq) -> AttachReply {
        match self {
            Self::Welcome { .. } => AttachReply::Ok { head },
            Self::Stale => AttachReply::Stale,
            Self::NotHere => AttachReply::NotHere,
        }
    }
}

/// A child that is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child {
    /// Who.
    pub id: NodeId,
    /// Under which placement.
    pub v: V,
    /// Its connection.
    pub link: Link,
}

/// Where a node stands while it may have children.
#[derive(Debug, Clone)]
struct Place {
    session: SessionId,
    slot: Slot,
    key: Key,
    /// Children of this place were all placed after its holder; set when the holder comes to it.
    floor: V,
}

/// A node's children: at most two, one per side, and leaf-only ones in the extra places that the root gives away.
///
/// In: [`Children::open`] when the node attaches, [`Children::suspend`] when it loses its parent or is placed anew,
/// [`Children::close_all`] when its slot changes; [`Children::accept`] for each ATTACH, [`Children::lost`] for each closed link.
/// Out: the decision and the links to close, which the caller does at once. Before the first `open`, and from `suspend` to the
/// next `open`, everybody is answered NOT_HERE; those who are attached stay.
///
/// INVARIANT: the `v` accepted on a side of a place only grows, so an old ticket never displaces a newer child.
#[derive(Debug, Clone)]
pub struct Children {
    id: NodeId,
    place: Option<Place>,
    is_open: bool,
    /// By [`Slot::seat`].
    present: BTreeMap<usize, Child>,
    last: BTreeMap<usize, KeptChild>,
}

impl Children {
    /// Of a node that is not attached.
    pub fn new(id: NodeId) -> Self {
        Self { id, place: None, is_open: false, present: BTreeMap::new(), last: BTreeMap::new() }
    }

    /// Of the root, who may have children from the start.
    pub fn of_root(id: NodeId, session: SessionId, key: Key) -> Self {
        let mut children = Self::new(id);
        children.open(session, Slot::ROOT, V::NONE, key);
        children
    }

    /// The node is attached in `slot` under `v`. If it had another slot before, [`Children::close_all`] has been called since.
    pub fn open(&mut self, session: SessionId, slot: Slot, v: V, key: Key) {
        if !self.is_at(session, slot) {
            self.last.clear();
            self.place = Some(Place { session, slot, key, floor: v });
        }
        self.is_open = true;
    }

    /// Whether the node's children belong to this slot.
    pub fn is_at(&self, session: SessionId, slot: Slot) -> bool {
        self.place.as_ref().is_some_and(|place| place.session == session && place.slot == slot)
    }

    #[cfg(test)]
    pub(super) fn slot(&self) -> Option<Slot> {
        self.place.as_ref().map(|place| place.slot)
    }

    /// The node has no parent: nobody new is let in, those who are in stay.
    pub fn suspend(&mut self) {
        self.is_open = false;
    }

    /// Everybody has to go, and the slot is given up: the links to close.
    #[must_use = "the links are to be closed"]
    pub fn close_all(&mut self) -> Vec<Link> {
        self.suspend();
        self.place = None;
        std::mem::take(&mut self.present).into_values().map(|child| child.link).collect()
    }

    /// Decides on an ATTACH that came by `link`.
    pub fn accept(&mut self, attach: &Attach, link: Link) -> Acceptance {
        let Some(place) = self.place.as_ref().filter(|_| self.is_open) else { return Acceptance::NotHere };
        let is_below = attach.session == place.session && attach.slot.parent() == Some(place.slot);
        let Some(seat) = attach.slot.seat().filter(|_| is_below) else { return Acceptance::Stale };
        let is_newer = match self.last.get(&seat) {
            Some(last) => attach.v > last.v || (attach.v == last.v && attach.child == last.id),
            None => attach.v > place.floor,
        };
        if !is_newer || attach.child == self.id || !place.key.verify(&attach.claim(), &attach.ticket) {
            return Acceptance::Stale;
        }
        self.last.insert(seat, KeptChild { id: attach.child, v: attach.v });
        let child = Child { id: attach.child, v: attach.v, link };
        let replaces = self.present.insert(seat, child).map(|old| old.link);
        Acceptance::Welcome { replaces }
    }

    /// A link has ended: the report to the root, if it was the link of a child. Links that were replaced are none.
    pub fn lost(&mut self, link: Link, why: Fault) -> Option<LostChild> {
        let Place { session, ref key, .. } = *self.place.as_ref()?;
        let (&seat, _) = self.present.iter().find(|(_, child)| child.link == link)?;
        let child = self.present.remove(&seat)?;
        let report = LostChild { session, parent: self.id, child: child.id, v: child.v, why, proof: Ticket::NONE };
        Some(LostChild { proof: key.prove(&report.statement()), ..report })
    }

    /// A child is somewhere else from now on, and no loss: the link to close.
    pub(super) fn let_go(&mut self, id: NodeId) -> Option<Link> {
        let (&seat, _) = self.present.iter().find(|(_, child)| child.id == id)?;
        self.present.remove(&seat).map(|child| child.link)
    }

    /// Who is attached on a side.
    pub fn at(&self, side: Side) -> Option<Child> {
        self.present.get(&side.index()).copied()
    }

    /// Whose link this is.
    pub fn by_link(&self, link: Link) -> Option<Child> {
        self.iter().find(|child| child.link == link)
    }

    /// Gives up the children in extra places: the links to close, and the reports to the root.
    #[must_use = "the links are to be closed"]
    pub fn shed(&mut self) -> Vec<(Link, LostChild)> {
        let extra: Vec<Link> = self.present.range(Side::BOTH.len()..).map(|(_, child)| child.link).collect();
        extra.into_iter().filter_map(|link| Some((link, self.lost(link, Fault::Closed)?))).collect()
    }

    /// Who is attached, left before right, then those in extra places.
    pub fn iter(&self) -> impl Iterator<Item = Child> {
        self.present.values().copied()
    }

    /// Who is attached on either side, as it is told to the root.
    pub fn kept(&self) -> KeptChildren {
        Side::BOTH.map(|side| self.at(side).map(|Child { id, v, .. }| KeptChild { id, v }))
    }

    /// The root has answered: of the children that were `named` to it, only those `agreed` are this node's. The links to close.
    #[must_use = "the links are to be closed"]
    pub fn reconcile(&mut self, named: &KeptChildren, agreed: &KeptChildren) -> Vec<Link> {
        let kept = self.kept();
        let mut closed = Vec::new();
        for side in Side::BOTH.map(Side::index) {
            if named[side].is_some() && kept[side] == named[side] && agreed[side] != named[side] {
                closed.extend(self.present.remove(&side).map(|child| child.link));
            }
        }
        closed
    }
}

#[cfg(test)]
#[path = "children_tests.rs"]
mod tests;
