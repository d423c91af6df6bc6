//! 62 nodes as processes below one root, each watched.

use crate::sight::{Changes, Sight};
use crate::support::desktop::{Desktop, Server};
use crate::support::painter::Painter;
use crate::support::session::Member;
use crate::support::tree::{Tree, must_be_whole};
use crate::support::wait::PATIENCE;
use std::collections::BTreeMap;
use std::time::Instant;

/// Fills depth 5.
pub(crate) const NODES: usize = 62;
const SIZE: (u16, u16) = (640, 512);

/// A node and its viewer.
pub(crate) struct Seat {
    // Dropped in this order.
    pub(crate) sight: Sight,
    pub(crate) node: Member,
}

/// All of them.
pub(crate) struct Class {
    pub(crate) seats: BTreeMap<String, Seat>,
    pub(crate) root: Member,
    pub(crate) changes: Changes,
    pub(crate) desktop: Desktop,
    joined: usize,
    random: u64,
}

impl Class {
    pub(crate) fn new(nodes: usize) -> Self {
        let desktop = Desktop::with_options(Server::Xvnc, SIZE, &[]);
        let changes = Changes::begin(Painter::new(&desktop.display, (0, 0), SIZE));
        let root = Member::root(&desktop.address(), "measured");
        let mut class = Self { seats: BTreeMap::new(), root, changes, desktop, joined: 0, random: 1 };
        (0..nodes).for_each(|_| class.admit());
        class.must_be_whole();
        class
    }

    /// A fresh node joins.
    pub(crate) fn admit(&mut self) {
        self.joined += 1;
        let name = format!("n{}", self.joined);
        let node = Member::join(self.root.address, &name);
        let sight = Sight::of(node.address);
        self.seats.insert(name, Seat { sight, node });
    }

    /// Waits until the tree is whole.
    pub(crate) fn must_be_whole(&self) -> Tree {
        let names: Vec<_> = self.seats.keys().map(String::as_str).collect();
        must_be_whole(&names, PATIENCE, || Tree::ask(self.root.address))
    }

    /// The name and slot of a node with children, at random.
    pub(crate) fn any_inner(&mut self, tree: &Tree) -> (String, u64) {
        let has_children = |slot| tree.nodes.iter().any(|node| node.parent == Some(slot));
        let inner: Vec<_> = tree.nodes.iter().filter(|node| node.slot != 0 && has_children(node.slot)).collect();
        self.random = self.random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let chosen = inner[(self.random >> 33) as usize % inner.len()];
        (chosen.name.clone(), chosen.slot)
    }

    /// Paints no more, and waits until everybody shows the last change; its number.
    pub(crate) fn quiet(&self) -> u32 {
        let last = self.changes.pause();
        for (name, seat) in &self.seats {
            seat.sight.showed(last, name);
        }
        last
    }

    /// When the last of these nodes showed a change that was painted after a moment.
    pub(crate) fn moved<'a>(&self, names: impl IntoIterator<Item = &'a String>, since: Instant) -> Option<Instant> {
        let number = self.changes.first_after(since);
        names.into_iter().map(|name| self.seats[name].sight.showed(number, name)).max()
    }
}
