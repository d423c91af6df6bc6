//! Cables that are pulled, firewalls and narrow lines: each node on a host of its own.

use crate::support::desktop::start_xvnc_inside;
use crate::support::namespaces::{Behind, Hosts};
use crate::support::painter::{Painter, Video, dithered};
use crate::support::process::treevnc;
use crate::support::site::Site;
use crate::support::tools::Turn;
use crate::support::tree::Tree;
use crate::support::wait::{PATIENCE, poll_until};
use std::time::{Duration, Instant};
use x11rb::protocol::xproto::Rectangle;

const SIZE: (u16, u16) = (640, 480);

/// Paints what nobody has seen yet.
struct Painted {
    painter: Painter,
    colour: u32,
}

impl Painted {
    fn on(site: &Site) -> Self {
        Self { painter: Painter::new(&site.display, (0, 0), SIZE), colour: 0x0020_4060 }
    }

    /// Paints, and waits until all these hosts' nodes show it, and the very same picture as the root.
    fn must_be_shown(&mut self, site: &Site, hosts: &[usize]) {
        self.colour += 0x0001_0203;
        self.painter.fill(&[Rectangle { x: 50, y: 50, width: 300, height: 300 }], self.colour);
        let truth = poll_until("the new colour at the root", PATIENCE, || {
            let picture = site.snapshot(0);
            (picture.pixel(200, 200) == self.colour).then_some(picture)
        });
        for &host in hosts {
            let is_equal = || site.snapshot(host).difference(&truth).is_none();
            poll_until(&format!("the new picture at host {host}"), PATIENCE, || is_equal().then_some(()));
        }
    }
}

#[test]
fn when_the_cable_of_an_inner_host_is_pulled_its_subtree_heals_and_it_comes_back_with_the_cable() {
    if !Site::is_possible(&[]) {
        return;
    }
    let _turn = Turn::half();
    let mut site = Site::new(SIZE, 6);
    (1..=6).for_each(|_| site.join());
    let mut painted = Painted::on(&site);
    painted.must_be_shown(&site, &[1, 2, 3, 4, 5, 6]);
    for host in [1, 2] {
        let said = site.node(host).places_said();
        let others: Vec<_> = (1..=6).filter(|other| *other != host).collect();
        site.hosts.cut(host);
        painted.must_be_shown(&site, &others);
        site.must_be_whole(&others);
        site.hosts.restore(host);
        site.node(host).must_be_placed(said + 1, PATIENCE);
        site.must_be_whole(&[1, 2, 3, 4, 5, 6]);
        painted.must_be_shown(&site, &[1, 2, 3, 4, 5, 6]);
    }
}

#[test]
fn a_host_that_lets_no_connection_in_becomes_a_leaf_and_sees_the_picture() {
    if !Site::is_possible(&["nft"]) {
        return;
    }
    let _turn = Turn::half();
    let mut site = Site::new(SIZE, 5);
    site.hosts.shut(1);
    (1..=5).for_each(|_| site.join());
    let tree = site.must_be_whole(&[1, 2, 3, 4, 5]);
    let shut = tree.node("n1").unwrap();
    assert!(shut.leaf_only.is_some(), "{tree:#?}");
    assert!(tree.below(shut.slot).is_empty(), "{tree:#?}");
    Painted::on(&site).must_be_shown(&site, &[1, 2, 3, 4, 5]);
}

/// Somebody below the narrow line is never less than this behind: a frame of the video takes it 600 ms.
const BEHIND: Duration = Duration::from_millis(500);

fn a_node_whose_line_becomes_narrow_becomes_a_leaf(narrow: fn(&Hosts, usize, &str)) {
    if !Site::is_possible(&["tc"]) {
        return;
    }
    let _turn = Turn::whole();
    let mut site = Site::new(SIZE, 7);
    (1..=7).for_each(|_| site.join());
    // Two bits per pixel, 33 times a second: 20 Mbit/s.
    let video = Video::play(Painter::new(&site.display, (0, 0), SIZE), &dithered(SIZE.0, SIZE.1, 6), 33);
    let is_up_to_date = |host: usize| {
        let asked = Instant::now();
        let shown = site.snapshot(host).pixel(0, 0);
        video.painted(shown).is_some_and(|painted| painted + BEHIND > asked)
    };
    let must_be_up_to_date = || {
        for host in 2..=7 {
            poll_until(&format!("a new frame at host {host}"), PATIENCE, || is_up_to_date(host).then_some(()));
        }
    };
    must_be_up_to_date();
    narrow(&site.hosts, 1, "1mbit");
    // Found slow, it is told to have no children; found silent, because its answers are stuck, it comes back as a newcomer at the bottom.
    let is_leaf = |tree: &Tree| tree.node("n1").is_some_and(|node| node.attached && tree.below(node.slot).is_empty());
    poll_until("a leaf behind the narrow line", PATIENCE, || site.tree().filter(is_leaf));
    must_be_up_to_date();
    let tree = site.must_be_whole(&[1, 2, 3, 4, 5, 6, 7]);
    assert!(is_leaf(&tree), "{tree:#?}");
    let _last_frame = video.stop();
    for host in 1..=7 {
        let is_equal = || site.snapshot(host).difference(&site.snapshot(0)).is_none();
        poll_until(&format!("the last frame at host {host}"), PATIENCE, || is_equal().then_some(()));
    }
}

#[test]
fn a_node_that_gets_too_little_becomes_a_leaf_and_the_others_are_up_to_date_again() {
    a_node_whose_line_becomes_narrow_becomes_a_leaf(Hosts::narrow);
}

#[test]
fn a_node_that_passes_on_too_little_becomes_a_leaf_and_the_others_are_up_to_date_again() {
    a_node_whose_line_becomes_narrow_becomes_a_leaf(Hosts::narrow_out);
}

#[test]
fn a_student_behind_nat_whose_server_listens_on_localhost_only_presents_to_everybody() {
    if !Site::is_possible(&["nft", "xterm"]) {
        return;
    }
    let _turn = Turn::half();
    let mut site = Site::new(SIZE, 4);
    (1..=3).for_each(|_| site.join());
    let mut painted = Painted::on(&site);
    painted.must_be_shown(&site, &[1, 2, 3]);
    let behind = Behind::new(&site.hosts, 4);
    let (display, port, _xvnc) = start_xvnc_inside(&behind.inside(), (800, 600));
    let homework = Painter::new(&display, (0, 0), (800, 600));
    homework.fill(&[Rectangle { x: 10, y: 10, width: 500, height: 300 }], 0x0012_3456);
    let (root, vnc) = (format!("{}:5950", Hosts::address(0)), format!("127.0.0.1::{port}"));
    let share = behind.start(&treevnc(["share", &root, "--vnc", &vnc, "--name", "Ada"]));
    share.line("that it is shown", PATIENCE, |line| line.starts_with("live"));
    for host in 0..=3 {
        poll_until(&format!("Ada's screen at host {host}"), PATIENCE, || {
            let picture = site.snapshot(host);
            (picture.width == 800 && picture.pixel(100, 100) == 0x0012_3456).then_some(())
        });
    }
    let ada = site.tree().and_then(|tree| tree.node("Ada").cloned()).expect("Ada in the tree");
    assert!(ada.leaf_only.is_some(), "nobody can reach her: {ada:?}");
    // Somebody who is not at the root's machine takes nothing back.
    let mut meddling = site.hosts.start(1, &treevnc(["floor", "back", "--root", &root]));
    assert!(!meddling.end(PATIENCE).success());
    assert_eq!(meddling.err().count(|line| line.contains("only from the root's own machine")), 1, "{}", meddling.said());
    share.signal("TERM");
    painted.must_be_shown(&site, &[1, 2, 3]);
}
