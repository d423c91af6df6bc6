//! Who waits for an answer, and until when.

use super::*;

#[test]
fn who_comes_while_its_parent_is_on_its_way_is_answered_when_it_has_come() {
    let mut root = Root::new();
    let links: Vec<_> = (1..=4).map(|id| root.ask(id, 0, Asking::New, true)).collect();
    let placed: Vec<_> = root.answers().into_iter().map(|(to, _)| to).collect();
    assert_eq!(placed, links[..2]);
    let answers = root.attached(links[0], 1, [None; 2]);
    let slots: Vec<_> = answers
        .iter()
        .filter_map(|(_, message)| if let Message::ConnectTo(place) = message { Some(place.slot.0) } else { None })
        .collect();
    assert_eq!(slots, [3, 4]);
}

#[test]
fn who_waits_below_one_that_fails_gets_another_slot() {
    let mut root = Root::new();
    let links: Vec<_> = (1..=3).map(|id| root.ask(id, 0, Asking::New, true)).collect();
    root.attached(links[1], 2, [None; 2]);
    root.send(links[0], &Message::Failed(Failed { v: V(1), why: Fault::Unreachable }));
    assert_eq!(root.placement(links[2]).slot, Slot(1));
}

#[test]
fn the_last_relay_fills_the_hole_and_the_orphans_wait_for_it() {
    let mut root = six();
    root.dies(ROOT.0, 1, 1);
    let (mover, place) = root.push(6);
    assert_eq!((place.slot, place.v, place.parent), (Slot(1), V(8), ROOT));
    let orphan = root.ask(3, 3, lost(1, Fault::Closed), true);
    assert_eq!(root.answers(), [], "its slot stays, if the mover comes");
    let answers = root.came(mover, 8, [None; 2]);
    let Some((_, Message::ConnectTo(place))) = answers.iter().find(|(to, _)| *to == orphan) else { panic!("{answers:?}") };
    assert_eq!((place.slot, place.parent), (Slot(3), NodeId(6)));
    let (_, place) = root.push(4);
    assert_eq!((place.slot, place.parent), (Slot(4), NodeId(6)), "who has not asked is dialled");
}

#[test]
fn when_a_mover_does_not_answer_another_is_moved_and_it_is_lost_when_its_parent_says_so_too() {
    let mut root = six();
    root.dead.push(6);
    root.dies(ROOT.0, 1, 1);
    assert_eq!(root.pushed.iter().map(|(_, place)| (place.id.0, place.slot.0)).collect::<Vec<_>>(), [(5, 1)]);
    assert!(root.slots().contains(&(6, 6)), "it stays where it was");
    root.lost(2, 6, 6);
    assert_eq!(root.topology.node_count(), 4);
}

#[test]
fn a_mover_that_its_parent_has_lost_meanwhile_is_lost() {
    let mut root = six();
    root.hold_dials = true;
    root.lost(ROOT.0, 1, 1);
    let dialled = root.topology.poll_dial().unwrap().link;
    root.topology.handle_closed(dialled, root.now);
    root.lost(2, 6, 6);
    let dialled = root.topology.poll_dial().unwrap().link;
    root.topology.handle_closed(dialled, root.now);
    assert!(root.topology.status().iter().all(|node| node.id.0 != 6));
    root.hold_dials = false;
    root.answer_dials();
    assert_eq!(root.push(5).1.slot, Slot(1));
}

#[test]
fn a_doubted_parent_whose_place_nobody_would_take_stays_until_its_own_parent_says_so() {
    let mut root = six();
    root.dead.push(3);
    assert_eq!(root.join(7, false).slot, Slot(7));
    let link = root.ask(7, 7, lost(3, Fault::Silence), false);
    assert_eq!(root.placement(link).parent, NodeId(3));
    root.lost(1, 3, 3);
    assert!(root.slots().iter().all(|(id, _)| *id != 3));
}

#[test]
fn a_parent_and_a_child_together_are_believed_at_once() {
    let mut root = six();
    let asked = root.ask(3, 3, lost(1, Fault::Silence), true);
    let place = root.placement(asked);
    assert_eq!((place.slot, place.parent), (Slot(3), NodeId(1)), "the parent says that it is there");
    root.attached(asked, place.v.0, [None; 2]);
    root.hold_dials = true;
    let again = root.ask(3, place.v.0, lost(1, Fault::Silence), true);
    assert_eq!(root.answers(), [], "as long as the parent does not answer");
    root.lost(ROOT.0, 1, 1);
    assert!(root.slots().iter().all(|(id, _)| *id != 1), "both have said so");
    root.hold_dials = false;
    root.answer_dials();
    let (mover, place) = root.push(6);
    assert_eq!(place.slot, Slot(1));
    let answers = root.came(mover, place.v.0, [None; 2]);
    assert!(answers.iter().any(|(to, answer)| *to == again && matches!(answer, Message::ConnectTo(_))), "{answers:?}");
}

#[test]
fn who_does_not_answer_in_a_quarter_of_a_second_is_lost() {
    let mut root = six();
    root.hold_dials = true;
    root.lost(ROOT.0, 2, 2);
    assert_eq!(root.topology.poll_deadline(), Some(Duration::from_millis(250)));
    assert_eq!(root.topology.node_count(), 6);
    root.now = Duration::from_millis(250);
    root.topology.handle_timeout(root.now);
    assert_eq!(root.topology.node_count(), 5);
}

#[test]
fn who_waits_and_hangs_up_is_forgotten() {
    let mut root = Root::new();
    let first = root.ask(1, 0, Asking::New, true);
    let second = root.ask(2, 0, Asking::New, true);
    let third = root.ask(3, 0, Asking::New, true);
    root.answers();
    assert_eq!(root.topology.node_count(), 3);
    root.topology.handle_closed(Link(third), root.now);
    assert_eq!(root.topology.node_count(), 2);
    for link in [first, second] {
        root.topology.handle_closed(Link(link), root.now);
    }
    root.at(5);
    assert!(root.topology.is_pristine());
}

#[test]
fn who_waits_below_one_that_never_comes_gets_another_slot() {
    let mut root = Root::new();
    let never = root.ask(1, 0, Asking::New, true);
    root.placement(never);
    root.join(2, true);
    let waits = root.ask(3, 0, Asking::New, true);
    assert_eq!(root.answers(), []);
    root.at(5);
    assert_eq!(root.placement(waits).slot, Slot(1));
}

#[test]
fn who_waits_below_one_that_hangs_up_gets_another_slot() {
    let mut root = six();
    root.dies(ROOT.0, 1, 1);
    assert_eq!(root.push(6).1.slot, Slot(1));
    let sibling = root.ask(4, 4, lost(1, Fault::Closed), true);
    let newcomers: Vec<_> = (8..12).map(|id| root.ask(id, 0, Asking::New, true)).collect();
    let answered: Vec<_> = root.answers().into_iter().map(|(to, _)| to).collect();
    assert_eq!(answered, [newcomers[0], newcomers[3]], "the others have slots 9 and 10, below node 4");
    root.topology.handle_closed(Link(sibling), root.now);
    root.answers();
    assert!(root.topology.status().iter().all(|node| node.slot != Slot(9) && node.slot != Slot(10)), "nobody waits below it");
}

#[test]
fn a_slot_is_kept_for_who_hung_up_after_it_was_placed_once() {
    let mut root = six();
    root.dies(ROOT.0, 1, 1);
    let (mover, place) = root.push(6);
    let waits = root.ask(4, 4, lost(1, Fault::Closed), true);
    assert_eq!(root.answers(), []);
    root.topology.handle_closed(Link(waits), root.now);
    root.came(mover, place.v.0, [None; 2]);
    assert_eq!(root.join(8, true).slot, Slot(6), "slot 4 is taken, slots 9 and 10 are below who is not there");
    let again = root.ask(4, 4, lost(1, Fault::Closed), true);
    assert_eq!(root.placement(again).slot, Slot(4));
}

#[test]
fn who_asks_is_alive_whatever_its_parent_says() {
    let mut root = six();
    let first = root.ask(1, 1, lost(ROOT.0, Fault::Closed), true);
    root.placement(first);
    let link = root.ask(3, 3, lost(1, Fault::Closed), true);
    root.lost(1, 3, 3);
    let children = [None, Some(KeptChild { id: NodeId(4), v: V(4) })];
    let answers = root.attached(first, 7, children);
    let place = answers.iter().find_map(|(to, message)| match message {
        Message::ConnectTo(place) if *to == link => Some(place),
        _ => None,
    });
    assert_eq!(place.map(|place| place.slot), Some(Slot(3)));
    let events: Vec<_> = std::iter::from_fn(|| root.topology.poll_event()).collect();
    assert!(!events.iter().any(|event| matches!(event, TreeEvent::Freed { .. })), "{events:?}");
}

#[test]
fn nobody_attaches_without_a_placement() {
    let mut root = Root::new();
    for id in [1, 2] {
        let link = root.ask(id, 0, Asking::New, true);
        root.placement(link);
    }
    // The last stands below node 0, which waits itself.
    let waiting = [0, 3, 4, 5, 6].map(|id| root.ask(id, 0, Asking::New, true));
    for waits in waiting {
        assert_eq!(root.attached(waits, 0, [None; 2]), []);
    }
    assert_eq!(root.slots(), []);
}

#[test]
fn who_waits_far_below_is_answered_when_the_whole_line_is_attached() {
    let mut root = six();
    assert_eq!(root.join(7, true).slot, Slot(7));
    let top = root.ask(1, 1, lost(ROOT.0, Fault::Closed), true);
    root.placement(top);
    let waits = root.ask(7, 7, lost(3, Fault::Closed), true);
    assert_eq!(root.answers(), [], "node 3 above it is attached, node 1 is not");
    let children = [Some(KeptChild { id: NodeId(3), v: V(3) }), None];
    let answers = root.attached(top, 8, children);
    let is_answered =
        |(to, message): &(u64, Message)| *to == waits && matches!(message, Message::ConnectTo(place) if place.slot == Slot(7));
    assert!(answers.iter().any(is_answered), "{answers:?}");
}
