//! A session of separate processes: a root that pulls from a VNC server, and nodes that join it.

use crate::support::desktop::snapshot;
use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::tools::Scratch;
use crate::support::wait::{PATIENCE, poll_for};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use treevnc_protocol::tree::slot::Slot;

/// How long a picture may take to reach everybody once the screen is quiet.
const ARRIVAL: Duration = Duration::from_secs(15);

/// A process of this project that listens: a root or a node.
pub(crate) struct Member {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) name: String,
}

impl Member {
    /// A root that pulls from this VNC server.
    pub(crate) fn root(vnc: &str, name: &str) -> Self {
        Self::root_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), vnc, name)
    }

    /// A root that pulls from this VNC server, with further options.
    pub(crate) fn root_with(vnc: &str, name: &str, options: &[&str]) -> Self {
        let args = [&["root", "--vnc", vnc, "--listen", "127.0.0.1:0", "--name", name], options].concat();
        Self::listening(name, &args)
    }

    /// A root that shares the screen of this X display.
    pub(crate) fn own(display: &str, name: &str, options: &[&str]) -> Self {
        let args = [&["root", "--listen", "127.0.0.1:0", "--name", name], options].concat();
        Self::started(Process::start(treevnc(args).env("DISPLAY", display)), name)
    }

    /// A root that listens there.
    pub(crate) fn root_at(address: SocketAddr, vnc: &str, name: &str) -> Self {
        Self::listening(name, &["root", "--vnc", vnc, "--listen", &address.to_string(), "--name", name])
    }

    /// A node that has joined by way of `root` and has its place in the tree.
    pub(crate) fn join(root: SocketAddr, name: &str) -> Self {
        let node = Self::joining(root, name, &[]);
        node.place();
        node
    }

    /// A node that has begun to join by way of `root`. It is killed by its owner's end: it may be stopped then, and would not hear TERM.
    pub(crate) fn joining(root: SocketAddr, name: &str, options: &[&str]) -> Self {
        let root = root.to_string();
        let args = [&["join", &root, "--headless", "--listen", "127.0.0.1:0", "--name", name], options].concat();
        let mut node = Self::listening(name, &args);
        node.process = node.process.killed_at_once();
        node
    }

    fn listening(name: &str, args: &[&str]) -> Self {
        let process = Process::start(&mut treevnc(args));
        Self::started(process, name)
    }

    /// A process that was started elsewhere, once it says where it listens.
    pub(crate) fn started(process: Process, name: &str) -> Self {
        let line = process.line("where it listens", PATIENCE, |line| line.starts_with("listening on "));
        let address = line.trim_start_matches("listening on ").parse().unwrap();
        Self { process, address, name: name.to_owned() }
    }

    /// The slot and depth that a node said last; waits for the first.
    pub(crate) fn place(&self) -> (u32, u32) {
        self.process.line("its place", PATIENCE, says_a_place);
        let lines = self.process.out().all();
        let words: Vec<_> = lines.iter().rfind(|line| says_a_place(line)).unwrap().split(' ').collect();
        assert_eq!((words[2], words[4]), ("slot", "depth"), "{words:?}");
        (slot(words[3]), words[5].parse().unwrap())
    }

    /// How many times it has said where it stands.
    pub(crate) fn places_said(&self) -> usize {
        self.process.out().count(says_a_place)
    }

    /// Waits until it has said so `count` times; when that was.
    pub(crate) fn must_be_placed(&self, count: usize, patience: Duration) -> Instant {
        let said = self.process.out().wait_moment(count, patience, says_a_place);
        said.unwrap_or_else(|| panic!("{} has no place after {patience:?}\n{}", self.name, self.process.said())).0
    }

    /// What it would show now.
    pub(crate) fn snapshot(&self, scratch: &Scratch) -> Picture {
        snapshot(self.address, scratch)
    }

    /// Waits until its picture is `truth`; panics with what differs when it does not come to that.
    pub(crate) fn must_show(&self, truth: &Picture, scratch: &Scratch) {
        let mut last = None;
        let equal = poll_for(ARRIVAL, || {
            last = self.snapshot(scratch).difference(truth);
            last.is_none().then_some(())
        });
        assert!(equal.is_some(), "{}: {}", self.name, last.unwrap());
    }

    /// How many lines it has written to stderr that are warnings or errors and contain `text`.
    pub(crate) fn complaints(&self, text: &str) -> usize {
        self.process.err().count(|line| (line.contains("WARN") || line.contains("ERROR")) && line.contains(text))
    }
}

fn says_a_place(line: &str) -> bool {
    line.starts_with("attached at ")
}

/// A root and `count` nodes, which fill the tree in the order of their slots.
pub(crate) struct Session {
    pub(crate) root: Member,
    pub(crate) nodes: Vec<Member>,
}

impl Session {
    /// Starts it; every node is attached when this returns.
    pub(crate) fn new(vnc: &str, count: usize) -> Self {
        Self::below(Member::root(vnc, "lecture"), count)
    }

    /// The same below a root that is there already.
    pub(crate) fn below(root: Member, count: usize) -> Self {
        let nodes = (1..=count).map(|number| Member::join(root.address, &format!("n{number}"))).collect();
        Self { root, nodes }
    }

    /// A node at this depth.
    pub(crate) fn at_depth(&self, depth: u32) -> &Member {
        self.nodes.iter().find(|node| node.place().1 == depth).unwrap_or_else(|| panic!("no node at depth {depth}"))
    }

    /// Waits until root and all nodes have this picture, byte for byte.
    pub(crate) fn must_show(&self, truth: &Picture, scratch: &Scratch) {
        std::iter::once(&self.root).chain(&self.nodes).for_each(|member| member.must_show(truth, scratch));
    }
}

/// A slot as it is printed: its number, or an extra place's as parent and number.
fn slot(text: &str) -> u32 {
    match text.split_once('+') {
        Some((parent, n)) => Slot::extra(Slot(parent.parse().unwrap()), n.parse::<u8>().unwrap() - 1).unwrap().0,
        None => text.parse().unwrap(),
    }
}
