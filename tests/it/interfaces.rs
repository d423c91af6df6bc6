//! A root in several networks, and networks that come, go and change their names under it.

use crate::support::desktop::start_xvnc_inside;
use crate::support::halls::Halls;
use crate::support::painter::Painter;
use crate::support::picture::Picture;
use crate::support::process::Process;
use crate::support::session::Member;
use crate::support::site::Site;
use crate::support::tools::{Scratch, Turn, unique};
use crate::support::tree::{Tree, must_be_whole};
use crate::support::wait::{PATIENCE, poll_until};
use treevnc_protocol::tree::slot::Slot;
use x11rb::protocol::xproto::Rectangle;

const SIZE: (u16, u16) = (640, 480);

/// A root with a screen, in none of the networks yet.
struct Lecture {
    // Dropped in this order.
    nodes: Vec<(usize, usize, Member)>,
    root: Process,
    painter: Painter,
    colour: u32,
    _xvnc: Process,
    halls: Halls,
    scratch: Scratch,
}

impl Lecture {
    fn new(halls: Halls) -> Self {
        let (display, port, xvnc) = start_xvnc_inside(&halls.at_root(), SIZE);
        let vnc = format!("127.0.0.1::{port}");
        let root = halls.start_at_root(&["root", "--vnc", &vnc, "--listen", "5950", "--name", "physics"]);
        root.line("where it listens", PATIENCE, |line| line.starts_with("listening on "));
        let painter = Painter::new(&display, (0, 0), SIZE);
        Self { nodes: Vec::new(), root, painter, colour: 0x0020_4060, _xvnc: xvnc, halls, scratch: Scratch::new() }
    }

    /// The node of a host joins, by the root's address in its network, or by search.
    fn join(&mut self, network: usize, host: usize, searches: bool) {
        let (root, name) = (Halls::address(network, 0), name(network, host));
        let mut words = vec!["join", "--headless", "--listen", "0", "--name", &name];
        if !searches {
            words.insert(1, &root);
        }
        let node = Member::started(self.halls.start(network, host, &words).killed_at_once(), &name);
        node.place();
        self.nodes.push((network, host, node));
    }

    fn tree(&self) -> Option<Tree> {
        Tree::answered(self.halls.start_at_root(&["status", "127.0.0.1", "--json"]))
    }

    /// Waits until the tree of a network is whole and has these hosts' nodes.
    fn must_be_whole(&self, network: usize, hosts: &[usize]) -> Tree {
        let names: Vec<_> = hosts.iter().map(|host| name(network, *host)).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        must_be_whole(&names, PATIENCE, || self.tree().and_then(|tree| tree.around(names[0])))
    }

    fn snapshot(&self, mut start: impl FnMut(&[&str]) -> Process, address: &str) -> Picture {
        let file = self.scratch.file(&format!("{}.png", unique()));
        let mut process = start(&["snapshot", address, file.to_str().unwrap()]);
        assert!(process.end(PATIENCE).success(), "{}", process.said());
        Picture::from_png(&file)
    }

    /// Paints what nobody has seen yet, and waits until the nodes of these networks show the very same picture as the root.
    fn must_be_shown(&mut self, networks: &[usize]) {
        self.colour += 0x0001_0203;
        let colour = self.colour;
        self.painter.fill(&[Rectangle { x: 50, y: 50, width: 300, height: 300 }], colour);
        let truth = poll_until("the new colour at the root", PATIENCE, || {
            let picture = self.snapshot(|words| self.halls.start_at_root(words), "127.0.0.1");
            (picture.pixel(200, 200) == colour).then_some(picture)
        });
        for (network, host, node) in self.nodes.iter().filter(|(network, ..)| networks.contains(network)) {
            let address = format!("127.0.0.1:{}", node.address.port());
            let shown = || self.snapshot(|words| self.halls.start(*network, *host, words), &address);
            let is_equal = || shown().difference(&truth).is_none().then_some(());
            poll_until(&format!("the new picture at {}", node.name), PATIENCE, is_equal);
        }
    }

    /// How often the nodes of a network have said where they stand.
    fn places_said(&self, network: usize) -> usize {
        self.nodes.iter().filter(|(of, ..)| *of == network).map(|(.., node)| node.places_said()).sum()
    }
}

fn name(network: usize, host: usize) -> String {
    format!("n{network}-{host}")
}

#[test]
fn a_root_in_two_networks_has_a_whole_tree_in_each_and_no_link_crosses() {
    if !Site::is_possible(&["ss"]) {
        return;
    }
    let _turn = Turn::half();
    let halls = Halls::new(2, 6);
    halls.plug(0, "eth0");
    halls.plug(1, "wlan0");
    let mut lecture = Lecture::new(halls);
    for host in 1..=6 {
        // By address, and by search, which must lead to the root's address in that network.
        lecture.join(0, host, host % 2 == 0);
        lecture.join(1, host, host % 2 == 1);
    }
    lecture.must_be_shown(&[0, 1]);
    for network in [0, 1] {
        let tree = lecture.must_be_whole(network, &[1, 2, 3, 4, 5, 6]);
        assert_eq!(tree.nodes.iter().skip(1).map(|node| node.slot).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6], "{tree:?}");
        let prefix = Halls::address(network, 0).rsplit_once('.').unwrap().0.to_owned();
        for host in 1..=6 {
            let connections = lecture.halls.connections(network, host);
            assert!(!connections.is_empty(), "host {host} has a parent");
            let crosses = connections.iter().find(|(here, there)| !here.starts_with(&prefix) || !there.starts_with(&prefix));
            assert_eq!(crosses, None, "host {host} of network {network}");
        }
    }
    let mut asking = lecture.halls.start_at_root(&["status", "127.0.0.1"]);
    assert!(asking.end(PATIENCE).success());
    for line in ["eth0 10.81.0.1: 6 nodes", "wlan0 10.82.0.1: 6 nodes"] {
        assert_eq!(asking.out().count(|said| said == line), 1, "{}", asking.said());
    }
}

#[test]
fn a_network_with_nothing_but_link_local_addresses_has_a_whole_tree() {
    if !Site::is_possible(&["ss"]) {
        return;
    }
    let _turn = Turn::half();
    let halls = Halls::new(1, 4);
    halls.plug(0, "eth0");
    halls.forget_ipv4(0, "eth0");
    let mut lecture = Lecture::new(halls);
    for host in 1..=4 {
        lecture.join(0, host, true);
    }
    lecture.must_be_shown(&[0]);
    let tree = lecture.must_be_whole(0, &[1, 2, 3, 4]);
    assert!(tree.nodes.iter().all(|node| node.leaf_only.is_none()), "the root can dial them: {tree:?}");
}

#[test]
fn networks_that_come_go_and_change_their_names_are_followed_and_the_others_notice_nothing() {
    if !Site::is_possible(&["ss"]) {
        return;
    }
    let _turn = Turn::half();
    // Started before any network is there.
    let mut lecture = Lecture::new(Halls::new(2, 3));
    lecture.halls.plug(0, "eth0");
    lecture.root.line("how it can be joined", PATIENCE, |line| line == "on eth0: treevnc join 10.81.0.1");
    (1..=3).for_each(|host| lecture.join(0, host, host == 2));
    lecture.must_be_whole(0, &[1, 2, 3]);
    let undisturbed = lecture.places_said(0);

    // A second one comes, gets another name, is taken away, and comes back as another interface.
    lecture.halls.plug(1, "usb0");
    lecture.root.line("how it can be joined", PATIENCE, |line| line == "on usb0: treevnc join 10.82.0.1");
    (1..=3).for_each(|host| lecture.join(1, host, host == 3));
    lecture.must_be_whole(1, &[1, 2, 3]);
    lecture.must_be_shown(&[0, 1]);
    lecture.halls.rename("usb0", "lan7");
    lecture.must_be_shown(&[0, 1]);
    let tree = lecture.must_be_whole(1, &[1, 2, 3]);
    assert!(tree.nodes.iter().all(|node| node.slot < u64::from(Slot::FIRST_EXTRA.0)), "{tree:?}");
    lecture.halls.unplug("lan7");
    let is_alone = |tree: &Tree| tree.nodes.len() == 4;
    poll_until("the nodes of the first network alone", PATIENCE, || lecture.tree().filter(is_alone));
    lecture.must_be_shown(&[0]);
    lecture.halls.plug(1, "usb1");
    lecture.must_be_whole(1, &[1, 2, 3]);
    lecture.must_be_shown(&[0, 1]);
    assert_eq!(lecture.places_said(0), undisturbed, "nobody in the first network was moved");
    lecture.must_be_whole(0, &[1, 2, 3]);
}
