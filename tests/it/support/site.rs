//! Hosts with cables, firewalls and narrow lines: network namespaces on one bridge, the root on the first, a node on each of the others.

use crate::support::desktop::start_xvnc_inside;
use crate::support::namespaces::Hosts;
use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::session::Member;
use crate::support::tools::{Scratch, have, is_root, skip};
use crate::support::tree::{Tree, must_be_whole};
use crate::support::wait::PATIENCE;

/// The root's port on host 0.
const ROOT_PORT: u16 = 5950;

/// A root and nodes, each on a host of its own: node `n1` is on host 1 and so on, the root on host 0.
pub(crate) struct Site {
    // Dropped in this order.
    pub(crate) nodes: Vec<Member>,
    pub(crate) root: Process,
    /// The X display whose picture is shown.
    pub(crate) display: String,
    _xvnc: Process,
    pub(crate) hosts: Hosts,
    scratch: Scratch,
}

impl Site {
    /// Whether this machine can have one; `programs` are needed besides.
    pub(crate) fn is_possible(programs: &[&str]) -> bool {
        if !have(&["Xvnc", "ip", "setpriv"]) || !have(programs) {
            return false;
        }
        if !is_root() {
            skip("network namespaces need the superuser");
        }
        is_root()
    }

    /// A screen of this size, and hosts for so many nodes, none of which has joined.
    pub(crate) fn new(size: (u16, u16), count: usize) -> Self {
        Self::with(size, count, &[])
    }

    /// The same with further options for the root.
    pub(crate) fn with(size: (u16, u16), count: usize, options: &[&str]) -> Self {
        let (hosts, scratch) = (Hosts::new(count + 1), Scratch::new());
        let (display, port, xvnc) = start_xvnc_inside(&hosts.inside(0), size);
        let vnc = format!("127.0.0.1::{port}");
        let listen = ROOT_PORT.to_string();
        let words = [&["root", "--vnc", &vnc, "--listen", &listen, "--name", "physics"], options].concat();
        let root = hosts.start(0, &treevnc(words));
        root.line("where it listens", PATIENCE, |line| line.starts_with("listening on "));
        Self { nodes: Vec::new(), root, display, _xvnc: xvnc, hosts, scratch }
    }

    /// The next host's node joins.
    pub(crate) fn join(&mut self) {
        self.join_with(&[]);
    }

    /// The same with further options.
    pub(crate) fn join_with(&mut self, options: &[&str]) {
        let host = self.nodes.len() + 1;
        let (root, name) = (format!("{}:{ROOT_PORT}", Hosts::address(0)), format!("n{host}"));
        let command = treevnc([&["join", &root, "--headless", "--listen", "0", "--name", &name], options].concat());
        let node = Member::started(self.hosts.start(host, &command).killed_at_once(), &name);
        node.place();
        self.nodes.push(node);
    }

    /// The node on a host.
    pub(crate) fn node(&self, host: usize) -> &Member {
        &self.nodes[host - 1]
    }

    /// The picture of the root (host 0) or of a host's node.
    pub(crate) fn snapshot(&self, host: usize) -> Picture {
        let port = if host == 0 { ROOT_PORT } else { self.node(host).address.port() };
        self.hosts.snapshot(host, port, &self.scratch)
    }

    /// The root's tree.
    pub(crate) fn tree(&self) -> Option<Tree> {
        let address = format!("127.0.0.1:{ROOT_PORT}");
        Tree::answered(self.hosts.start(0, &treevnc(["status", &address, "--json"])))
    }

    /// What `treevnc status` says at the root.
    pub(crate) fn status(&self) -> String {
        let address = format!("127.0.0.1:{ROOT_PORT}");
        let mut asking = self.hosts.start(0, &treevnc(["status", &address]));
        assert!(asking.end(PATIENCE).success(), "{}", asking.said());
        asking.out().all().join("\n")
    }

    /// Waits until the tree is whole and consists of these hosts' nodes.
    pub(crate) fn must_be_whole(&self, hosts: &[usize]) -> Tree {
        let names: Vec<_> = hosts.iter().map(|host| self.node(*host).name.as_str()).collect();
        must_be_whole(&names, PATIENCE, || self.tree())
    }
}
