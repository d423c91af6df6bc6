//! Who is found slow or isolated and becomes a leaf, and extra places for leaf-only nodes.

use super::*;

fn slow(reporter: u64, node: u64, v: u64, alone: bool) -> Message {
    let (reporter, node, proof) = (NodeId(reporter), NodeId(node), Ticket::NONE);
    let mut report = SlowNode { session: SESSION, reporter, node, v: V(v), alone, proof };
    report.proof = proof_of(reporter, &report.statement());
    Message::SlowNode(report)
}

fn why(root: &Root, id: u64) -> Option<WhyLeaf> {
    root.topology.status().iter().find(|node| node.id.0 == id).and_then(|node| node.leaf_only)
}

#[test]
fn a_slow_inner_node_gives_its_place_to_the_last_relay_and_becomes_a_leaf() {
    let mut root = six();
    let report = slow(ROOT.0, 1, 1, false);
    let link = root.tell(&report);
    assert_eq!(root.answers(), [(link, report)], "the echo");
    let (mover, place) = root.push(6);
    assert_eq!((place.slot, place.parent), (Slot(1), ROOT));
    root.came(mover, place.v.0, [None; 2]);
    let children: Vec<_> = root.pushed.drain(..).map(|(_, place)| (place.id.0, place.slot.0, place.parent.0)).collect();
    assert_eq!(children, [(3, 3, 6), (4, 4, 6)], "they are fetched, and need not wait for the slow one");
    let link = root.ask(1, 1, lost(ROOT.0, Fault::Closed), true);
    let place = root.placement(link);
    assert_eq!((place.slot, why(&root, 1)), (Slot(6), Some(WhyLeaf::Slow)));
}

#[test]
fn one_that_was_too_slow_to_say_that_it_is_there_becomes_a_leaf_too() {
    let mut root = six();
    root.dead.push(1);
    root.ask(3, 3, lost(1, Fault::Silence), true);
    root.at(1);
    assert_eq!(why(&root, 1), None, "its parent is the root, which would know if it were gone");
    root.tell(&slow(1, 1, 1, false));
    let (_, place) = root.push(6);
    assert_eq!((place.slot, place.parent), (Slot(1), ROOT), "the last relay takes its place");
}

#[test]
fn after_its_probation_a_node_is_a_relay_again_and_the_next_one_is_longer() {
    let mut root = six();
    root.tell(&slow(1, 3, 3, false));
    assert_eq!((root.answers().len(), why(&root, 3), root.pushed.len()), (1, Some(WhyLeaf::Slow), 0), "a leaf stays where it is");
    root.at(59);
    assert_eq!(why(&root, 3), Some(WhyLeaf::Slow));
    root.at(60);
    assert_eq!(why(&root, 3), None);
    root.tell(&slow(1, 3, 3, false));
    root.at(60 + 119);
    assert_eq!(why(&root, 3), Some(WhyLeaf::Slow));
    root.at(60 + 120);
    assert_eq!(why(&root, 3), None);
}

#[test]
fn of_an_only_child_the_parent_is_blamed_first() {
    let mut root = six();
    root.join(7, true);
    root.tell(&slow(3, 7, 7, true));
    let (mover, place) = root.push(7);
    assert_eq!((place.slot, place.parent), (Slot(3), NodeId(1)), "the last relay is the child itself");
    root.came(mover, place.v.0, [None; 2]);
    let link = root.ask(3, 3, lost(1, Fault::Closed), true);
    root.placement(link);
    assert_eq!((why(&root, 3), why(&root, 7)), (Some(WhyLeaf::Slow), None));
    root.tell(&slow(1, 7, place.v.0, false));
    assert_eq!(why(&root, 7), Some(WhyLeaf::Slow), "it is slow below another parent, too");
}

#[test]
fn an_only_child_of_the_root_is_blamed_itself() {
    let mut root = Root::new();
    root.join(1, true);
    root.tell(&slow(ROOT.0, 1, 1, true));
    assert_eq!(why(&root, 1), Some(WhyLeaf::Slow));
}

#[test]
fn when_a_node_is_slow_itself_those_it_blamed_are_not() {
    let mut root = six();
    root.tell(&slow(1, 3, 3, false));
    assert_eq!(why(&root, 3), Some(WhyLeaf::Slow));
    root.tell(&slow(1, 1, 1, false));
    assert_eq!(why(&root, 3), None);
    assert_eq!(root.push(6).1.slot, Slot(1), "it gives its place up");
}

#[test]
fn a_report_that_is_old_or_not_the_reporters_business_is_ignored() {
    let mut root = six();
    for report in [slow(ROOT.0, 1, 9, false), slow(2, 3, 3, false), slow(7, 3, 3, false)] {
        root.tell(&report);
    }
    assert!(root.topology.status().iter().all(NodeStatus::relay));
}

#[test]
fn when_many_are_slow_it_is_not_they() {
    let mut root = six();
    for (parent, node) in [(1, 3), (1, 4), (2, 5), (2, 6)] {
        root.tell(&slow(parent, node, node, false));
    }
    assert_eq!(root.topology.status().iter().filter(|node| !node.relay()).count(), 2);
}

#[test]
fn a_slow_node_in_the_last_row_gives_up_its_leaf_only_children_where_they_find_room() {
    let mut root = six();
    assert_eq!(root.join(7, false).slot, Slot(7));
    root.tell(&slow(1, 3, 3, false));
    root.answers();
    let (link, place) = root.push(3);
    assert_eq!((place.slot, place.v), (Slot(3), V(8)));
    let child = KeptChild { id: NodeId(7), v: V(7) };
    let echo = root.came(link, 8, [Some(child), None]);
    assert_eq!(echo, [(link.0, Message::Attached(Attached { v: V(8), children: [None; 2] }))], "it closes the child");
    let link = root.ask(7, 7, lost(3, Fault::Closed), false);
    assert_eq!(root.placement(link).slot, Slot(9));
}

#[test]
fn leaf_only_nodes_get_extra_places_where_there_is_room() {
    let mut root = Root::new();
    root.room = 1;
    root.join(1, true);
    for id in 2..=4 {
        root.join(id, false);
    }
    assert_eq!(root.slots(), [(1, 1), (2, 2), (3, 3), (4, 4)]);
    root.topology.set_root_room(1, root.now);
    let place = root.join(5, false);
    assert_eq!((place.slot, place.parent), (Slot::extra(Slot::ROOT, 0).unwrap(), ROOT));
    let place = root.join(6, false);
    assert_eq!((place.slot, place.parent), (Slot::extra(Slot(1), 0).unwrap(), NodeId(1)), "it was asked, and has room for one");
    let refused = root.ask(7, 0, Asking::New, false);
    let answers = root.answers();
    assert!(matches!(answers.as_slice(), [(to, Message::Refused(Refused { again: true, .. }))] if *to == refused), "{answers:?}");
    root.at(10);
    let place = root.join(8, false);
    assert_eq!(place.slot, Slot::extra(Slot(1), 1).unwrap(), "it has room again");
    let link = root.ask(6, 6, lost(1, Fault::Closed), false);
    let answers = root.answers();
    assert!(matches!(answers.as_slice(), [(to, Message::Refused(_))] if *to == link), "an extra place is not kept: {answers:?}");
}
