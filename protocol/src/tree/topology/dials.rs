//! The connections that the root makes: why each was made, and until when the other side is to have said who it is.

use crate::tree::children::Link;
use crate::tree::slot::{NodeId, V};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Bits of a link's number that count a tree's links; those above are the tree's number.
const LINK_BITS: u32 = 40;

/// Why the root dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Whether a newcomer, who asked on that connection, can be dialled.
    First { asker: Link },
    /// Whether a parent whose child says that it is gone is there.
    Doubt,
    /// To give a node a place it did not ask for.
    Push { v: V },
    /// Whether it has room for more leaf-only children.
    Room,
}

/// A node that was dialled and has not said yet that it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialled {
    pub(super) id: NodeId,
    pub(super) purpose: Purpose,
    until: Duration,
}

/// INVARIANT: `deadlines` and `open` hold the same connections.
#[derive(Debug, Default)]
pub(super) struct Dials {
    open: BTreeMap<Link, Dialled>,
    deadlines: BTreeSet<(Duration, Link)>,
    count: u64,
}

impl Dials {
    /// For the tree of that number among those of a root.
    pub(super) fn numbered(tree: u64) -> Self {
        Self { count: tree << LINK_BITS, ..Self::default() }
    }

    /// The number for a new connection.
    pub(super) fn new_link(&mut self) -> Link {
        self.count += 1;
        Link(Link::FIRST_DIALLED.0 + self.count)
    }

    pub(super) fn begin(&mut self, link: Link, id: NodeId, purpose: Purpose, until: Duration) {
        self.open.insert(link, Dialled { id, purpose, until });
        self.deadlines.insert((until, link));
    }

    pub(super) fn end(&mut self, link: Link) -> Option<Dialled> {
        let dialled = self.open.remove(&link)?;
        self.deadlines.remove(&(dialled.until, link));
        Some(dialled)
    }

    /// The next time at which somebody is overdue, and on which connection.
    pub(super) fn deadline(&self) -> Option<(Duration, Link)> {
        self.deadlines.first().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// How many are asked for room.
    pub(super) fn asked_for_room(&self) -> usize {
        self.open.values().filter(|dialled| dialled.purpose == Purpose::Room).count()
    }
}
