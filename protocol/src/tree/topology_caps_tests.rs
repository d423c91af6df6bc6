//! Nodes with upload limits: who is a relay under which demand.

use super::*;

const KIB: u64 = 1024;

impl Root {
    fn demand(&mut self, kib_per_second: u64) {
        self.topology.set_demand(kib_per_second * KIB, self.now);
        self.topology.check();
        self.answer_dials();
    }

    fn join_limited(&mut self, id: u64, upload: u32) -> ConnectTo {
        self.upload = upload;
        let place = self.join(id, true);
        self.upload = 0;
        place
    }

    fn leaves(&self) -> Vec<(u64, WhyLeaf)> {
        self.topology.status().iter().filter_map(|node| Some((node.id.0, node.leaf_only?))).collect()
    }
}

#[test]
fn two_copies_have_to_fit_into_the_limit() {
    let mut root = Root::new();
    root.demand(500);
    for (id, upload) in [(1, 999), (2, 1000)] {
        root.join_limited(id, upload);
    }
    assert_eq!(root.leaves(), [(1, WhyLeaf::Capped)]);
    assert_eq!(root.join_limited(3, 0).slot, Slot(1), "and it gives way to who has none");
}

#[test]
fn before_anything_moves_a_limit_must_hold_two_pages() {
    let mut root = Root::new();
    root.join_limited(1, 127);
    root.join_limited(2, 128);
    assert_eq!(root.leaves(), [(1, WhyLeaf::Capped)]);
}

#[test]
fn an_inner_node_whose_limit_is_too_small_now_gives_its_place_to_the_last_relay() {
    let mut root = Root::new();
    root.join_limited(1, 600);
    (2..=6).for_each(|id| drop(root.join(id, true)));
    root.demand(300);
    assert_eq!(root.leaves(), []);
    root.demand(301);
    let (mover, place) = root.push(6);
    assert_eq!((place.slot, place.parent), (Slot(1), ROOT));
    root.came(mover, place.v.0, [None; 2]);
    root.upload = 600;
    let link = root.ask(1, 1, lost(ROOT.0, Fault::Closed), true);
    assert_eq!(root.placement(link).slot, Slot(6), "it is one of those below now");
    assert_eq!(root.leaves(), [(1, WhyLeaf::Capped)]);
}

#[test]
fn small_falls_change_nothing_and_large_ones_bring_relays_back() {
    let mut root = Root::new();
    root.join(1, true);
    root.join_limited(2, 600);
    root.demand(1000);
    assert_eq!(root.leaves(), [(2, WhyLeaf::Capped)]);
    root.demand(500);
    assert_eq!(root.leaves(), [(2, WhyLeaf::Capped)], "as long as it may be the same picture");
    root.demand(299);
    assert_eq!(root.leaves(), []);
    root.demand(1000);
    root.demand(0);
    assert_eq!(root.leaves(), []);
}

#[test]
fn where_nobody_else_is_left_the_largest_of_the_too_small_carry_on() {
    let mut root = Root::new();
    root.demand(5000);
    for (id, upload) in [(1, 200), (2, 1000)] {
        root.join_limited(id, upload);
    }
    assert_eq!(root.leaves(), [(1, WhyLeaf::Capped), (2, WhyLeaf::Capped)]);
    let place = root.join_limited(3, 100);
    assert_eq!((place.parent, root.leaves()), (NodeId(2), vec![(1, WhyLeaf::Capped), (3, WhyLeaf::Capped)]));
    root.demand(6000);
    root.demand(1000);
    assert_eq!(root.leaves(), [(1, WhyLeaf::Capped), (3, WhyLeaf::Capped)], "and is not changed back and forth");
    root.dies(ROOT.0, 2, 2);
    root.join_limited(4, 1000);
    assert_eq!(root.leaves().len(), 3, "who comes later is judged anew: {:?}", root.leaves());
}

#[test]
fn a_newcomer_has_to_carry_on_itself_when_the_others_only_watch() {
    let mut root = Root::new();
    root.demand(5000);
    (1..=2).for_each(|id| drop(root.join(id, false)));
    let place = root.join_limited(3, 100);
    assert_eq!((place.slot, root.leaves()), (Slot(1), vec![(2, WhyLeaf::Asked)]), "it takes the place of one of them");
}

#[test]
fn a_limit_that_fits_does_not_forgive_a_slow_line() {
    let mut root = six();
    root.demand(100);
    root.join_limited(7, 1000);
    let mut report =
        SlowNode { session: SESSION, reporter: NodeId(3), node: NodeId(7), v: V(7), alone: false, proof: Ticket::NONE };
    report.proof = proof_of(NodeId(3), &report.statement());
    root.tell(&Message::SlowNode(report));
    assert_eq!(root.leaves(), [(7, WhyLeaf::Slow)]);
    root.demand(2000);
    root.demand(100);
    assert_eq!(root.leaves(), [(7, WhyLeaf::Slow)]);
    root.demand(2000);
    root.at(60);
    assert_eq!(root.leaves(), [(7, WhyLeaf::Capped)], "after its probation");
}

#[test]
fn who_was_to_be_relieved_by_somebody_that_does_not_come_keeps_its_children() {
    let mut root = Root::new();
    root.join_limited(1, 600);
    (2..=6).for_each(|id| drop(root.join(id, true)));
    root.dead.push(6);
    root.demand(301);
    assert_eq!(root.leaves(), []);
    root.at(20);
    let slots = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)];
    assert_eq!(root.slots(), slots, "nobody is in doubt");
    root.demand(302);
    assert_eq!(root.slots(), slots, "and it is not tried again and again");
}
