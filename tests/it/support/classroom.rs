//! A small painted screen with a root and nodes below it, some of which will go away without a word.

use crate::support::desktop::{Desktop, Server};
use crate::support::painter::Painter;
use crate::support::session::Member;
use crate::support::tree::{Tree, must_be_whole};
use crate::support::wait::{PATIENCE, poll_until};
use std::time::{Duration, Instant};
use x11rb::protocol::xproto::Rectangle;

/// Small, so that many processes in a debug build keep up.
const SIZE: (u16, u16) = (640, 480);
const PAINTED: (u16, u16) = (200, 150);
const PLACE: (i16, i16) = (100, 100);

/// A session of processes that can be hurt.
pub(crate) struct Classroom {
    // Dropped in this order: those who look before what they look at.
    pub(crate) nodes: Vec<Member>,
    pub(crate) root: Member,
    painter: Painter,
    colour: u32,
    pub(crate) desktop: Desktop,
}

impl Classroom {
    /// A root and `count` nodes called n1, n2 and so on, all attached.
    pub(crate) fn new(count: usize) -> Self {
        let desktop = Desktop::with_options(Server::Xvnc, SIZE, &[]);
        let painter = Painter::new(&desktop.display, PLACE, PAINTED);
        let root = Member::root(&desktop.address(), "lecture");
        let mut classroom = Self { nodes: Vec::new(), root, painter, colour: 0x0020_4060, desktop };
        classroom.admit((1..=count).map(|number| format!("n{number}")), &[]);
        classroom
    }

    /// Lets nodes of these names join, all at the same time, and waits until each has its place.
    pub(crate) fn admit(&mut self, names: impl Iterator<Item = String>, options: &[&str]) {
        let newcomers: Vec<_> = names.map(|name| Member::joining(self.root.address, &name, options)).collect();
        for node in &newcomers {
            node.place();
        }
        self.nodes.extend(newcomers);
    }

    /// Paints a colour that was not there before, and returns it.
    pub(crate) fn paint(&mut self) -> u32 {
        self.colour += 0x0001_0203;
        self.painter.fill(&[Rectangle { x: 0, y: 0, width: PAINTED.0, height: PAINTED.1 }], self.colour);
        self.colour
    }

    /// Whether a node shows this colour.
    pub(crate) fn shows(&self, node: &Member, colour: u32) -> bool {
        node.snapshot(&self.desktop.scratch).pixel(150, 150) == colour
    }

    /// Paints, and waits until each of these nodes shows it.
    pub(crate) fn must_move(&mut self, nodes: &[String], patience: Duration) {
        let (colour, deadline) = (self.paint(), Instant::now() + patience);
        for name in nodes {
            let rest = deadline.saturating_duration_since(Instant::now());
            poll_until(&format!("the new colour at {name}"), rest, || self.shows(self.node(name), colour).then_some(()));
        }
    }

    /// The node of this name.
    pub(crate) fn node(&self, name: &str) -> &Member {
        self.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("no node {name}"))
    }

    /// Takes out the node at this slot.
    pub(crate) fn take(&mut self, slot: u32) -> Member {
        let at = self.nodes.iter().position(|node| node.place().0 == slot).unwrap_or_else(|| panic!("nobody at slot {slot}"));
        self.nodes.remove(at)
    }

    /// The names of all nodes.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.nodes.iter().map(|node| node.name.as_str()).collect()
    }

    /// Waits until the root's tree is the whole tree of exactly these nodes.
    pub(crate) fn must_be_whole(&self) -> Tree {
        must_be_whole(&self.names(), PATIENCE, || Tree::ask(self.root.address))
    }

    /// Waits for the same, and until root and all nodes show what the screen shows, byte for byte.
    pub(crate) fn must_be_well(&mut self) {
        self.must_be_whole();
        self.paint();
        let truth = self.desktop.quiet_picture();
        std::iter::once(&self.root).chain(&self.nodes).for_each(|member| member.must_show(&truth, &self.desktop.scratch));
    }
}
