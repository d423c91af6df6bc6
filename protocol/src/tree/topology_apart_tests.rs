//! Networks that keep computers apart: who reaches only the root hangs directly below it, and the others have their tree.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
struct Guest {
    v: u64,
    place: Option<ConnectTo>,
    /// What it is to ask next.
    next: Option<Asking>,
    /// How often it could not reach a parent, and how often it was attached.
    failures: usize,
    places: usize,
}

/// A root and nodes, some of which reach only the root.
struct Hall {
    root: Root,
    apart: BTreeSet<u64>,
    guests: BTreeMap<u64, Guest>,
    refused: Vec<Refused>,
}

impl Hall {
    fn new(apart: impl IntoIterator<Item = u64>, room: u8) -> Self {
        let mut root = Root::new();
        root.topology.set_root_room(room, root.now);
        Self { root, apart: apart.into_iter().collect(), guests: BTreeMap::new(), refused: Vec::new() }
    }

    /// A node comes, and everybody does what is to be done until all is quiet.
    fn join(&mut self, id: u64) {
        self.guests.insert(id, Guest { next: Some(Asking::New), ..Guest::default() });
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            for (link, place) in std::mem::take(&mut self.root.pushed) {
                self.told(link, &place);
            }
            let answers = self.root.answers();
            let is_quiet = answers.is_empty() && self.root.pushed.is_empty();
            for (link, message) in answers {
                match message {
                    Message::ConnectTo(place) => self.told(Link(link), &place),
                    Message::Refused(refused) => self.refused.push(refused),
                    _ => {}
                }
            }
            if is_quiet && !self.ask_next() {
                return;
            }
        }
    }

    /// Somebody has to ask: after a failure, or because its place was given away and the parent has closed its link.
    fn ask_next(&mut self) -> bool {
        let held: BTreeSet<_> = self.root.slots().into_iter().collect();
        for (&id, guest) in &mut self.guests {
            let place = guest.place.take_if(|place| !held.contains(&(id, place.slot.0)));
            let lost = place.map(|place| Asking::LostParent { parent: place.parent, fault: Fault::Closed });
            if let Some(asking) = guest.next.take().or(lost) {
                self.root.ask(id, guest.v, asking, true);
                return true;
            }
        }
        false
    }

    fn told(&mut self, link: Link, place: &ConnectTo) {
        let reaches = place.parent == ROOT || ![place.id, place.parent].iter().any(|id| self.apart.contains(&id.0));
        let guest = self.guests.get_mut(&place.id.0).unwrap();
        guest.v = place.v.0;
        let message = if reaches {
            guest.place = Some(place.clone());
            guest.places += 1;
            Message::Attached(Attached { v: place.v, children: [None; 2] })
        } else {
            guest.place = None;
            guest.failures += 1;
            guest.next = Some(Asking::NotAttached { parent: place.parent, fault: Fault::Unreachable });
            Message::Failed(Failed { v: place.v, why: Fault::Unreachable })
        };
        if link > Link::FIRST_DIALLED {
            self.root.topology.handle_dial_message(link, &message, self.root.now);
            self.root.answer_dials();
        } else {
            self.root.send(link.0, &message);
        }
    }

    fn leaf_only(&self, why: WhyLeaf) -> Vec<u64> {
        let status = self.root.topology.status();
        status.iter().filter(|node| node.leaf_only == Some(why)).map(|node| node.id.0).collect()
    }

    fn parent(&self, id: u64) -> NodeId {
        self.guests[&id].place.as_ref().unwrap().parent
    }

    /// How often all of them were attached together.
    fn moves(&self) -> usize {
        self.guests.values().map(|guest| guest.places).sum()
    }

    fn all_have_a_place(&self) -> bool {
        self.guests.values().all(|guest| guest.place.is_some()) && self.refused.is_empty()
    }
}

#[test]
fn where_nobody_reaches_another_the_root_feeds_everybody_and_soon_one_failure_each_is_enough() {
    let mut hall = Hall::new(1..=60, 60);
    for id in 1..=60 {
        hall.join(id);
        assert!(hall.all_have_a_place(), "{id}");
        let limit = if id < 12 { 2 } else { 1 };
        assert!(hall.guests[&id].failures <= limit, "{id} waited for parents it cannot reach: {:?}", hall.guests[&id]);
        assert!(hall.guests.values().all(|guest| guest.places <= 2), "nobody is moved twice");
    }
    assert!((1..=60).all(|id| hall.parent(id) == ROOT));
    assert!(hall.leaf_only(WhyLeaf::Isolated).len() >= 57, "all but the newest, of whom it is not known yet");
}

#[test]
fn three_that_reach_only_the_root_leave_the_tree_of_six_others_whole_in_whatever_order_they_come() {
    for apart in 0_u32..1 << 9 {
        if apart.count_ones() != 3 {
            continue;
        }
        let mut hall = Hall::new((1..=9).filter(|id| apart & 1 << (id - 1) != 0), 20);
        for id in 1..=9 {
            hall.join(id);
            assert!(hall.all_have_a_place(), "{:?} {id}", hall.apart);
            assert!(
                hall.guests.values().all(|guest| guest.failures <= 3 && guest.places <= 4),
                "{:?}: {:#?}",
                hall.apart,
                hall.guests
            );
        }
        let is_apart = |id: &u64| hall.apart.contains(id);
        assert!(hall.apart.iter().all(|id| hall.parent(*id) == ROOT), "{:?}", hall.apart);
        // Until somebody has reached somebody, nothing tells one side of a failure from the other.
        let mistaken = hall.leaf_only(WhyLeaf::Isolated).iter().filter(|id| !is_apart(id)).count();
        assert!(mistaken <= 2 && hall.leaf_only(WhyLeaf::Unreached).is_empty(), "{:?}: {mistaken}", hall.apart);
        let in_the_tree = (1..=9).filter(|id| !is_apart(id) && hall.root.topology.places.node(NodeId(*id)).unwrap().is_relay());
        assert!(in_the_tree.count() >= 4, "{:?}", hall.apart);
    }
}

#[test]
fn those_who_come_to_a_tree_that_stands_are_found_after_two_failures_and_nobody_is_moved_for_them() {
    let mut hall = Hall::new([7, 8, 9], 20);
    (1..=6).for_each(|id| hall.join(id));
    let moves = hall.moves();
    for id in [7, 8, 9] {
        hall.join(id);
        assert_eq!((hall.guests[&id].failures, hall.parent(id)), (2, ROOT));
    }
    assert_eq!(hall.moves(), moves + 3);
    assert_eq!(hall.leaf_only(WhyLeaf::Isolated), [7, 8, 9]);
    // Nor later, when what was found out is tried again.
    for at in (10..1200).step_by(10) {
        hall.root.at(at);
        hall.settle();
    }
    assert_eq!(hall.moves(), moves + 3);
    hall.join(10);
    assert_ne!(hall.parent(10), ROOT, "others have their places in the tree as before");
}

#[test]
fn without_room_at_the_root_they_are_told_why_and_the_others_keep_their_places() {
    let mut hall = Hall::new([7, 8], 1);
    (1..=6).for_each(|id| hall.join(id));
    hall.join(7);
    assert_eq!(hall.parent(7), ROOT);
    let moves = hall.moves();
    hall.join(8);
    let refused = hall.refused.pop().unwrap();
    assert!(refused.again && refused.reason.as_str().contains("keeps computers apart"), "{refused:?}");
    assert_eq!((hall.guests[&8].failures, hall.moves()), (3, moves));
    hall.root.topology.set_root_room(1, hall.root.now);
    let v = hall.guests[&8].v;
    hall.root.ask(8, v, Asking::NotAttached { parent: NodeId(3), fault: Fault::Unreachable }, true);
    hall.settle();
    assert_eq!((hall.guests[&8].failures, hall.parent(8)), (3, ROOT), "as soon as there is room");
}

#[test]
fn one_who_cannot_reach_a_single_parent_is_a_relay_elsewhere() {
    let mut root = six();
    root.topology.set_root_room(20, root.now);
    let link = root.ask(7, 0, Asking::New, true);
    let place = root.placement(link);
    root.send(link, &Message::Failed(Failed { v: place.v, why: Fault::Unreachable }));
    let link = root.ask(7, place.v.0, Asking::NotAttached { parent: place.parent, fault: Fault::Unreachable }, true);
    let other = root.placement(link);
    assert!(other.parent != place.parent && other.parent != ROOT);
    root.attached(link, other.v.0, [None; 2]);
    assert!(root.topology.status().iter().all(NodeStatus::relay));
}

#[test]
fn a_relay_that_two_others_cannot_reach_becomes_a_leaf_when_these_have_reached_somebody_else() {
    let mut root = six();
    for (id, leaf_only) in [(7, None), (8, Some(WhyLeaf::Unreached))] {
        let link = root.ask(id, 0, Asking::New, true);
        let place = root.placement(link);
        assert_eq!(place.parent, NodeId(3));
        root.send(link, &Message::Failed(Failed { v: place.v, why: Fault::Unreachable }));
        let link = root.ask(id, place.v.0, Asking::NotAttached { parent: NodeId(3), fault: Fault::Unreachable }, true);
        let place = root.placement(link);
        root.attached(link, place.v.0, [None; 2]);
        assert_eq!(root.topology.blames.why(NodeId(3)), leaf_only);
    }
    assert_eq!(root.push(8).1.slot, Slot(3), "the last relay takes its slot");
}

#[test]
fn a_parent_that_is_gone_says_nothing_about_those_who_could_not_reach_it() {
    let mut root = six();
    root.topology.set_root_room(20, root.now);
    let mut asking = Asking::New;
    let mut v = 0;
    for _ in 0..4 {
        let link = root.ask(7, v, asking, true);
        let place = root.placement(link);
        root.dead.push(place.parent.0);
        root.send(link, &Message::Failed(Failed { v: place.v, why: Fault::Unreachable }));
        root.answers();
        (v, asking) = (place.v.0, Asking::NotAttached { parent: place.parent, fault: Fault::Unreachable });
    }
    assert!(root.topology.status().iter().all(|node| node.leaf_only != Some(WhyLeaf::Isolated)));
}

#[test]
fn a_full_room_that_comes_at_once_need_not_try_one_by_one() {
    let mut hall = Hall::new(1..=60, 60);
    for id in 1..=60 {
        hall.guests.insert(id, Guest { next: Some(Asking::New), ..Guest::default() });
    }
    hall.settle();
    assert!(hall.all_have_a_place() && (1..=60).all(|id| hall.parent(id) == ROOT));
}
