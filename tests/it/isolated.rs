//! Networks that keep computers apart: each node on a host of its own, some of which reach only the root.

use crate::support::painter::Painter;
use crate::support::site::Site;
use crate::support::tools::Turn;
use crate::support::tree::Tree;
use crate::support::wait::{PATIENCE, pace_until, poll_until};
use std::time::{Duration, Instant};
use x11rb::protocol::xproto::Rectangle;

const SIZE: (u16, u16) = (640, 480);
const HOSTS: usize = 9;
/// Two parents that cannot be reached take 1.25 s each; the rest is for a busy machine.
const QUICKLY: Duration = Duration::from_secs(8);
/// For how long nobody may change its place.
const QUIET: Duration = Duration::from_secs(10);

struct Hall {
    site: Site,
    painter: Painter,
    colour: u32,
}

impl Hall {
    /// Of these hosts, the root can be reached from all, another node from none.
    fn new(apart: &[usize]) -> Self {
        let site = Site::new(SIZE, HOSTS);
        let painter = Painter::new(&site.display, (0, 0), SIZE);
        site.hosts.keep_apart(apart);
        Self { site, painter, colour: 0x0020_4060 }
    }

    /// The next node joins, and has its place quickly.
    fn join(&mut self) {
        let asked = Instant::now();
        self.site.join();
        assert!(asked.elapsed() < QUICKLY, "host {} waited for {:?}", self.site.nodes.len(), asked.elapsed());
    }

    /// Paints what nobody has seen yet, and waits until everybody shows it.
    fn must_be_shown(&mut self) {
        self.colour += 0x0001_0203;
        self.painter.fill(&[Rectangle { x: 50, y: 50, width: 300, height: 300 }], self.colour);
        let truth = poll_until("the new colour at the root", PATIENCE, || {
            let picture = self.site.snapshot(0);
            (picture.pixel(200, 200) == self.colour).then_some(picture)
        });
        for host in 1..=self.site.nodes.len() {
            let is_equal = || self.site.snapshot(host).difference(&truth).is_none();
            poll_until(&format!("the new picture at host {host}"), PATIENCE, || is_equal().then_some(()));
        }
    }

    fn places_said(&self) -> Vec<usize> {
        self.site.nodes.iter().map(|node| node.places_said()).collect()
    }

    /// The picture changes for a while, and nobody changes its place.
    fn must_stay(&mut self) {
        let (said, begun) = (self.places_said(), Instant::now());
        while begun.elapsed() < QUIET {
            self.must_be_shown();
            pace_until(Instant::now() + QUIET / 20);
        }
        assert_eq!(self.places_said(), said, "{}", self.site.status());
    }

    /// The tree once everybody is attached, those apart below the root.
    fn must_be_fed_by_the_root(&self, apart: &[usize]) -> Tree {
        let all: Vec<_> = (1..=self.site.nodes.len()).collect();
        let tree = self.site.must_be_whole(&all);
        for host in apart {
            let node = tree.node(&format!("n{host}")).unwrap();
            assert_eq!(node.parent, Some(0), "{}", self.site.status());
        }
        tree
    }
}

#[test]
fn where_computers_cannot_reach_each_other_the_root_feeds_them_all_and_says_so() {
    if !Site::is_possible(&["nft"]) {
        return;
    }
    let _turn = Turn::half();
    let all: Vec<_> = (1..=HOSTS).collect();
    let mut hall = Hall::new(&all);
    (1..=HOSTS).for_each(|_| hall.join());
    hall.must_be_fed_by_the_root(&all);
    hall.must_be_shown();
    let said = hall.site.status();
    assert!(said.contains(" computers cannot reach the others (the network keeps them apart, as some Wi-Fi does)"), "{said}");
    assert!(said.contains(": the root feeds them itself, it has "), "{said}");
    hall.must_stay();
}

/// Three of nine are kept apart; `wrongly` more may be taken for it.
fn three_leave_the_others_a_tree(apart: [usize; 3], wrongly: usize) {
    if !Site::is_possible(&["nft"]) {
        return;
    }
    let _turn = Turn::half();
    let mut hall = Hall::new(&apart);
    (1..=HOSTS).for_each(|_| hall.join());
    let tree = hall.must_be_fed_by_the_root(&apart);
    let relays = (1..=HOSTS).filter(|host| !apart.contains(host) && tree.node(&format!("n{host}")).unwrap().leaf_only.is_none());
    assert!(relays.count() + wrongly >= HOSTS - apart.len(), "{}", hall.site.status());
    hall.must_stay();
}

#[test]
fn three_that_are_kept_apart_and_come_last_leave_the_others_tree_as_it_is() {
    three_leave_the_others_a_tree([7, 8, 9], 0);
}

#[test]
fn three_that_are_kept_apart_and_come_first_give_way_to_the_others_tree() {
    three_leave_the_others_a_tree([1, 2, 3], 2);
}
