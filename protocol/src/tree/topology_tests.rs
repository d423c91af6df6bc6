use super::*;
use crate::tree::message::{
    Asking, Attached, Capabilities, ConnectTo, Failed, Fault, IAmHere, KeptChild, KeptChildren, Leave, LostChild, Refused,
    SlowNode, WhereToConnect, WhyLeaf,
};
use crate::tree::ticket::{Claim, KEY_BYTES, Key, Statement, Ticket};
use crate::update::SessionId;
use std::net::SocketAddr;

const SESSION: SessionId = SessionId(7);
const ROOT: NodeId = NodeId(1000);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn root_address() -> SocketAddr {
    "192.0.2.1:5950".parse().unwrap()
}

fn secret() -> Key {
    Key::new([4; KEY_BYTES])
}

/// A topology and the connections of those who talk to it.
struct Root {
    topology: Topology,
    links: u64,
    now: Duration,
    /// Nodes that do not answer when they are dialled.
    dead: Vec<u64>,
    /// How many more leaf-only children each of them would take.
    room: u8,
    /// The limit of those who ask.
    upload: u32,
    /// Whether nobody answers yet.
    hold_dials: bool,
    /// Places that were given by dialling.
    pushed: Vec<(Link, ConnectTo)>,
}

impl Root {
    fn new() -> Self {
        let config = TopologyConfig::new(SESSION, "Physik".into(), ROOT, root_address(), secret());
        Self {
            topology: Topology::new(config),
            links: 0,
            now: Duration::ZERO,
            dead: Vec::new(),
            room: 0,
            upload: 0,
            hold_dials: false,
            pushed: Vec::new(),
        }
    }

    fn send(&mut self, link: u64, message: &Message) {
        let caller = Caller { link: Link(link), peer: "192.0.2.77".parse().unwrap(), local: root_address() };
        self.topology.handle_message(&caller, message, self.now);
        self.topology.check();
        self.answer_dials();
    }

    /// Those who are dialled say that they are there, unless they are dead.
    fn answer_dials(&mut self) {
        while !self.hold_dials
            && let Some(Dial { link, message, .. }) = self.topology.poll_dial()
        {
            let (id, v, place) = match message {
                Message::AreYouThere(ask) => (ask.id, V::NONE, None),
                Message::ConnectTo(place) => (place.id, place.v, Some(place)),
                other => panic!("nobody is dialled to be told {other:?}"),
            };
            if self.dead.contains(&id.0) {
                self.topology.handle_closed(link, self.now);
            } else {
                self.pushed.extend(place.map(|place| (link, place)));
                let here = IAmHere { session: Some(SESSION), id, v, room: self.room };
                self.topology.handle_dial_message(link, &Message::IAmHere(here), self.now);
            }
            self.topology.check();
        }
    }

    /// The only place that was given by dialling, to this node.
    fn push(&mut self, id: u64) -> (Link, ConnectTo) {
        assert_eq!(self.pushed.iter().map(|(_, place)| place.id.0).collect::<Vec<_>>(), [id]);
        self.pushed.pop().unwrap()
    }

    /// A node says on the connection over which it was pushed that it has attached.
    fn came(&mut self, link: Link, v: u64, children: KeptChildren) -> Vec<(u64, Message)> {
        self.topology.handle_dial_message(link, &Message::Attached(Attached { v: V(v), children }), self.now);
        self.answer_dials();
        self.answers()
    }

    /// A message on a connection of its own.
    fn tell(&mut self, message: &Message) -> u64 {
        self.links += 1;
        self.send(self.links, message);
        self.links
    }

    fn ask(&mut self, id: u64, v: u64, asking: Asking, relay: bool) -> u64 {
        let session = (v > 0).then_some(SESSION);
        let port = 4000 + u16::try_from(id).unwrap();
        let capabilities = Capabilities { upload: self.upload, ..Capabilities::of(relay) };
        let (id, v, name, proof) = (NodeId(id), V(v), "n".into(), Ticket::NONE);
        let mut ask = WhereToConnect { session, id, v, asking, capabilities, port, name, proof };
        ask.proof = ask.statement().map_or(proof, |statement| proof_of(id, &statement));
        self.tell(&Message::WhereToConnect(ask))
    }

    fn answers(&mut self) -> Vec<(u64, Message)> {
        self.topology.check();
        std::iter::from_fn(|| self.topology.poll_answer()).filter_map(|answer| Some((answer.to.0, answer.message?))).collect()
    }

    /// The only answer there is, a placement on this connection.
    fn placement(&mut self, link: u64) -> ConnectTo {
        match self.answers().as_slice() {
            [(to, Message::ConnectTo(place))] if *to == link => place.clone(),
            other => panic!("no placement: {other:?}"),
        }
    }

    fn attached(&mut self, link: u64, v: u64, children: KeptChildren) -> Vec<(u64, Message)> {
        self.send(link, &Message::Attached(Attached { v: V(v), children }));
        self.answers()
    }

    /// Placed and attached: its placement.
    fn join(&mut self, id: u64, relay: bool) -> ConnectTo {
        let link = self.ask(id, 0, Asking::New, relay);
        let place = self.placement(link);
        let echo = self.attached(link, place.v.0, [None; 2]);
        assert_eq!(echo, [(link, Message::Attached(Attached { v: place.v, children: [None; 2] }))]);
        place
    }

    /// The node's process ends, and its parent says so.
    fn dies(&mut self, parent: u64, child: u64, v: u64) {
        self.dead.push(child);
        self.lost(parent, child, v);
    }

    fn lost(&mut self, parent: u64, child: u64, v: u64) {
        let (parent, child) = (NodeId(parent), NodeId(child));
        let mut report = LostChild { session: SESSION, parent, child, v: V(v), why: Fault::Closed, proof: Ticket::NONE };
        report.proof = proof_of(parent, &report.statement());
        let report = Message::LostChild(report);
        let link = self.tell(&report);
        assert_eq!(self.topology.poll_answer(), Some(Answer { to: Link(link), message: Some(report), close: true }), "the echo");
    }

    fn at(&mut self, now: u64) {
        self.now = secs(now);
        self.topology.handle_timeout(self.now);
        self.topology.check();
        self.answer_dials();
    }

    /// Who holds which slot, and is attached.
    fn slots(&self) -> Vec<(u64, u32)> {
        self.topology.status().iter().skip(1).filter(|node| node.attached).map(|node| (node.id.0, node.slot.0)).collect()
    }
}

/// The proof that a node makes with the key it got.
fn proof_of(id: NodeId, statement: &Statement) -> Ticket {
    secret().derive(SESSION, id).prove(statement)
}

fn leave(id: NodeId, v: V) -> Message {
    let mut leave = Leave { session: SESSION, id, v, proof: Ticket::NONE };
    leave.proof = proof_of(id, &leave.statement());
    Message::Leave(leave)
}

fn lost(parent: u64, fault: Fault) -> Asking {
    Asking::LostParent { parent: NodeId(parent), fault }
}

/// Nodes 1 to 6 in slots 1 to 6 under placements 1 to 6.
fn six() -> Root {
    let mut root = Root::new();
    for id in 1..=6 {
        assert_eq!(root.join(id, true).slot.0, u32::try_from(id).unwrap());
    }
    root
}

#[test]
fn newcomers_fill_the_rows_and_are_told_all_they_need() {
    let mut root = Root::new();
    let first = root.join(1, true);
    assert_eq!(
        (first.session, first.v, first.id, first.slot, first.name.as_str()),
        (SESSION, V(1), NodeId(1), Slot(1), "Physik")
    );
    assert_eq!((first.parent, first.address), (ROOT, root_address()));
    root.join(2, true);
    let third = root.join(3, true);
    assert_eq!((third.slot, third.parent, third.address), (Slot(3), NodeId(1), "192.0.2.77:4001".parse().unwrap()));
    let claim = Claim { session: SESSION, child: NodeId(3), v: third.v, slot: Slot(3) };
    assert!(first.key.verify(&claim, &third.ticket), "under the key its parent was given");
    let mut children = root.topology.root_children();
    let attach = crate::tree::member::attach(&first, crate::tree::message::Position::NONE);
    assert!(matches!(children.accept(&attach, Link(1)), crate::tree::children::Acceptance::Welcome { .. }));
}

#[test]
fn a_placement_that_is_not_used_in_time_is_void() {
    let mut root = Root::new();
    let link = root.ask(1, 0, Asking::New, true);
    root.placement(link);
    assert_eq!(root.topology.poll_deadline(), Some(secs(5)));
    root.at(5);
    assert_eq!((root.topology.node_count(), root.topology.poll_deadline()), (0, None));
    assert_eq!(root.join(2, true).slot, Slot(1));
    let answers = root.attached(link, 1, [None; 2]);
    assert!(
        matches!(answers.as_slice(), [(to, Message::ConnectTo(place))] if *to == link && place.slot == Slot(2)),
        "{answers:?}"
    );
}

#[test]
fn a_loss_counts_only_with_the_present_number_and_from_the_parent() {
    let mut root = six();
    root.lost(1, 3, 99);
    root.lost(1, 3, 2);
    root.lost(2, 3, 3);
    let (parent, child, proof) = (NodeId(1), NodeId(3), Ticket::NONE);
    let other = LostChild { session: SessionId(8), parent, child, v: V(3), why: Fault::Closed, proof };
    root.topology.handle_lost_child(&other, root.now);
    assert_eq!((root.slots().len(), root.pushed.len()), (6, 0));
    root.dies(1, 3, 3);
    assert_eq!(root.slots(), [(1, 1), (2, 2), (4, 4), (5, 5), (6, 6)], "nobody is moved within the last row");
    assert_eq!(root.join(9, true).slot, Slot(3), "the hole is filled");
}

#[test]
fn what_is_said_in_the_name_of_others_changes_nothing() {
    let mut root = six();
    let (parent, child, proof, why) = (NodeId(1), NodeId(3), Ticket([1; 16]), Fault::Closed);
    let report = LostChild { session: SESSION, parent, child, v: V(3), why, proof };
    root.tell(&Message::LostChild(report));
    root.tell(&Message::SlowNode(SlowNode { session: SESSION, reporter: parent, node: child, v: V(3), alone: false, proof }));
    let mut leave = Leave { session: SESSION, id: child, v: V(3), proof };
    root.tell(&Message::Leave(leave.clone()));
    // The proof of another node is none.
    leave.proof = proof_of(parent, &leave.statement());
    root.tell(&Message::Leave(leave));
    assert_eq!((root.slots().len(), root.pushed.len()), (6, 0));
    let (capabilities, asking) = (Capabilities::of(true), lost(1, Fault::Closed));
    let name = "n".into();
    let question = WhereToConnect { session: Some(SESSION), id: child, v: V(3), asking, capabilities, port: 9, name, proof };
    root.answers();
    root.tell(&Message::WhereToConnect(question));
    assert!(matches!(root.answers().as_slice(), [(_, Message::Refused(_))]));
    assert_eq!(root.slots().len(), 6);
}

#[test]
fn a_link_that_broke_costs_nobody_the_slot() {
    let mut root = six();
    let link = root.ask(1, 1, lost(ROOT.0, Fault::Closed), true);
    let place = root.placement(link);
    assert_eq!((place.slot, place.v), (Slot(1), V(7)));
    let children = [Some(KeptChild { id: NodeId(3), v: V(3) }), Some(KeptChild { id: NodeId(4), v: V(4) })];
    assert_eq!(root.attached(link, 7, children), [(link, Message::Attached(Attached { v: V(7), children }))]);
    root.at(100);
    assert_eq!(root.slots().len(), 6);
}

#[test]
fn who_cannot_reach_a_parent_is_sent_to_another_if_there_is_one() {
    let mut root = six();
    let link = root.ask(3, 3, Asking::NotAttached { parent: NodeId(1), fault: Fault::NoAnswer }, true);
    let place = root.placement(link);
    assert_eq!((place.slot, place.parent), (Slot(9), NodeId(4)), "not below node 1, not below itself");
    let mut root = Root::new();
    root.join(1, true);
    let link = root.ask(2, 0, Asking::New, true);
    assert_eq!(root.placement(link).parent, ROOT);
    root.send(link, &Message::Failed(Failed { v: V(2), why: Fault::Unreachable }));
    let again = root.ask(2, 2, Asking::NotAttached { parent: ROOT, fault: Fault::Unreachable }, true);
    let place = root.placement(again);
    assert_eq!(place.parent, NodeId(1));
    root.attached(again, place.v.0, [None; 2]);
    assert_eq!(root.pushed, [], "it is not moved up below whom it cannot reach");
    root.tell(&leave(NodeId(1), V(1)));
    let link = root.ask(2, place.v.0, lost(1, Fault::Closed), true);
    let answers = root.answers();
    assert!(
        answers.iter().any(|(to, answer)| *to == link && matches!(answer, Message::ConnectTo(place) if place.parent == ROOT))
    );
}

#[test]
fn nobody_gets_a_slot_below_itself() {
    let mut root = Root::new();
    for id in 1..=2 {
        root.join(id, true);
    }
    for id in 3..=6 {
        root.join(id, true);
    }
    for id in 5..=6 {
        root.tell(&leave(NodeId(id), V(id)));
    }
    root.tell(&leave(NodeId(2), V(2)));
    root.answers();
    let link = root.ask(1, 1, lost(ROOT.0, Fault::Silence), true);
    assert_eq!(root.placement(link).slot, Slot(1), "slot 2 is also the root's, 7 to 10 are its own");
}

#[test]
fn children_named_by_a_parent_that_came_back_are_compared_with_what_the_root_knows() {
    let mut root = six();
    root.lost(ROOT.0, 1, 1);
    let (link, place) = root.push(1);
    assert_eq!((place.slot, place.v, place.parent), (Slot(1), V(7), ROOT), "it is there: a number anew");
    let named = [Some(KeptChild { id: NodeId(3), v: V(3) }), Some(KeptChild { id: NodeId(4), v: V(2) })];
    let agreed = [named[0], None];
    let echo = Message::Attached(Attached { v: V(7), children: agreed });
    assert_eq!(root.came(link, 7, named), [(link.0, echo)]);
    assert_eq!(root.slots().len(), 6, "node 4 will see its link end, and ask");
    let link = root.ask(4, 4, lost(1, Fault::Closed), true);
    assert_eq!(root.placement(link).slot, Slot(4));
}

#[test]
fn a_child_that_attached_to_a_parent_no_longer_there_is_placed_again() {
    let mut root = six();
    let link = root.ask(7, 0, Asking::New, true);
    let place = root.placement(link);
    assert_eq!((place.slot, place.parent), (Slot(7), NodeId(3)));
    root.dies(1, 3, 3);
    assert_eq!(root.join(8, true).slot, Slot(3));
    let answers = root.attached(link, 7, [None; 2]);
    let [(_, Message::ConnectTo(place))] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!((place.slot, place.parent, place.v), (Slot(7), NodeId(8), V(10)));
}

#[test]
fn a_child_of_a_parent_that_went_away_and_came_back_is_placed_again() {
    let mut root = six();
    let child = root.ask(7, 0, Asking::New, true);
    assert_eq!(root.placement(child).parent, NodeId(3));
    let link = root.ask(3, 3, Asking::NotAttached { parent: NodeId(1), fault: Fault::NoAnswer }, true);
    assert_eq!(root.placement(link).slot, Slot(9));
    root.send(link, &Message::Failed(Failed { v: V(8), why: Fault::Unreachable }));
    let link = root.ask(3, 8, Asking::NotAttached { parent: NodeId(4), fault: Fault::Unreachable }, true);
    assert_eq!(root.placement(link).slot, Slot(3), "where it was before, without the children");
    root.attached(link, 9, [None; 2]);
    let answers = root.attached(child, 7, [None; 2]);
    assert!(matches!(answers.as_slice(), [(_, Message::ConnectTo(place))] if place.v == V(10)), "{answers:?}");
}

#[test]
fn leaf_only_nodes_never_have_children_and_give_way_to_a_relay() {
    let mut root = Root::new();
    assert_eq!([root.join(1, false).slot, root.join(2, false).slot], [Slot(1), Slot(2)]);
    let refused = root.ask(3, 0, Asking::New, false);
    let answers = root.answers();
    assert!(matches!(answers.as_slice(), [(to, Message::Refused(Refused { again: true, .. }))] if *to == refused), "{answers:?}");
    assert_eq!(root.join(4, true).slot, Slot(1));
    assert_eq!(root.slots(), [(4, 1), (2, 2)], "node 1 will see its link end");
    let link = root.ask(1, 1, lost(ROOT.0, Fault::Closed), false);
    assert_eq!(root.placement(link).slot, Slot(3));
    root.attached(link, 4, [None; 2]);
    assert_eq!(root.join(5, true).slot, Slot(2), "higher up than slot 4, which is free");
    assert_eq!(root.join(2, false).slot, Slot(4));
}

#[test]
fn who_gave_way_is_back_when_nobody_comes() {
    let mut root = Root::new();
    root.join(1, false);
    root.join(2, false);
    let link = root.ask(3, 0, Asking::New, true);
    assert_eq!(root.placement(link).slot, Slot(1));
    assert_eq!(root.slots(), [(2, 2)]);
    root.send(link, &Message::Failed(Failed { v: V(3), why: Fault::Unreachable }));
    assert_eq!(root.slots(), [(1, 1), (2, 2)]);
    let children = [None; 2];
    let link = root.ask(1, 1, Asking::Confirm { children }, false);
    assert_eq!(root.answers(), [(link, Message::Attached(Attached { v: V(1), children }))]);
}

#[test]
fn only_its_parent_reports_who_gives_way() {
    let mut root = Root::new();
    root.join(1, false);
    root.join(2, false);
    let link = root.ask(3, 0, Asking::New, true);
    root.placement(link);
    root.lost(2, 1, 1);
    root.send(link, &Message::Failed(Failed { v: V(3), why: Fault::Unreachable }));
    root.lost(2, 3, 3);
    assert_eq!(root.slots(), [(1, 1), (2, 2)]);
    root.lost(ROOT.0, 3, 3);
    assert_eq!(root.slots(), [(2, 2)], "the parent had the one who came, and so let this one go");
}

#[test]
fn who_cannot_be_dialled_is_leaf_only() {
    let mut root = Root::new();
    root.dead = vec![1];
    let place = root.join(1, true);
    let status = &root.topology.status()[1];
    assert_eq!((status.leaf_only, status.slot), (Some(WhyLeaf::Unreachable), place.slot));
    assert_eq!(root.join(2, true).slot, Slot(2));
    assert_eq!(root.join(3, true).slot, Slot(1), "it gives way");
}

#[test]
fn a_relay_that_cannot_be_dialled_is_a_leaf() {
    let mut root = Root::new();
    let ask = WhereToConnect {
        session: None,
        id: NodeId(1),
        v: V::NONE,
        asking: Asking::New,
        capabilities: Capabilities::of(true),
        port: 0,
        name: "n".into(),
        proof: Ticket::NONE,
    };
    let link = root.tell(&Message::WhereToConnect(ask));
    root.placement(link);
    root.attached(link, 1, [None; 2]);
    root.join(2, true);
    assert_eq!(root.join(3, true).slot, Slot(1), "it gives way");
}

#[test]
fn an_old_question_or_a_borrowed_number_moves_nobody() {
    let mut root = six();
    let again = root.ask(3, 3, lost(1, Fault::Closed), true);
    let place = root.placement(again);
    root.attached(again, place.v.0, [None; 2]);
    for (id, v, asking) in [(3, 3, lost(1, Fault::Closed)), (3, 0, Asking::New), (ROOT.0, 0, Asking::New)] {
        let link = root.ask(id, v, asking, true);
        let answers = root.answers();
        assert!(matches!(answers.as_slice(), [(to, Message::Refused(_))] if *to == link), "{answers:?}");
    }
    assert_eq!(root.slots().len(), 6);
}

#[test]
fn a_newer_question_replaces_an_older_one_of_the_same_node() {
    let mut root = Root::new();
    let old = root.ask(1, 0, Asking::New, true);
    root.placement(old);
    let new = root.ask(1, 0, Asking::New, true);
    let answers = root.answers();
    assert!(matches!(&answers[0], (to, Message::Refused(_)) if *to == old));
    assert!(matches!(&answers[1], (to, Message::ConnectTo(place)) if *to == new && place.v == V(2) && place.slot == Slot(1)));
    let late = root.attached(old, 1, [None; 2]);
    assert!(matches!(late.as_slice(), [(_, Message::Refused(_))]), "{late:?}");
}

#[test]
fn confirming_needs_no_new_place_as_long_as_the_old_one_is_right() {
    let mut root = six();
    let children = [Some(KeptChild { id: NodeId(3), v: V(3) }), None];
    let link = root.ask(1, 1, Asking::Confirm { children }, true);
    assert_eq!(root.answers(), [(link, Message::Attached(Attached { v: V(1), children }))]);
    root.dies(ROOT.0, 1, 1);
    let (_, place) = root.push(6);
    assert_eq!((place.slot, place.v), (Slot(1), V(8)), "the last relay takes the place that 1 does not confirm in time");
    root.dead.clear();
    let link = root.ask(1, 1, Asking::Confirm { children }, true);
    assert_eq!((root.placement(link).v, root.slots().len()), (V(9), 2), "two are on their way, two are in doubt");
}

#[test]
fn a_child_that_its_parent_brought_back_is_at_home() {
    let mut root = six();
    root.lost(ROOT.0, 1, 1);
    let (link, _) = root.push(1);
    let children = [Some(KeptChild { id: NodeId(3), v: V(3) }), None];
    root.came(link, 7, children);
    let link = root.ask(3, 3, Asking::Confirm { children: [None; 2] }, true);
    assert_eq!(root.answers(), [(link, Message::Attached(Attached { v: V(3), children: [None; 2] }))]);
}

#[test]
fn a_message_for_somebody_else_is_refused() {
    let mut root = Root::new();
    let link = root.tell(&Message::StatusRequest);
    assert!(matches!(root.answers().as_slice(), [(to, Message::Refused(Refused { again: false, .. }))] if *to == link));
}

#[test]
fn the_status_shows_everybody_in_slot_order_and_the_log_what_happened() {
    let mut root = six();
    root.now = secs(3);
    root.dies(ROOT.0, 2, 2);
    let (link, place) = root.push(6);
    root.came(link, place.v.0, [None; 2]);
    let status = root.topology.status();
    let nodes: Vec<_> = status.iter().map(|node| (node.id.0, node.slot.0, node.depth(), node.since)).collect();
    let zero = Duration::ZERO;
    assert_eq!(
        nodes,
        [(1000, 0, 0, zero), (1, 1, 1, zero), (6, 2, 1, secs(3)), (3, 3, 2, zero), (4, 4, 2, zero), (5, 5, 2, zero),]
    );
    assert_eq!(status.iter().filter(|node| node.attached).count(), 5, "5 was dialled, and is on its way to its new parent");
    let events: Vec<_> = std::iter::from_fn(|| root.topology.poll_event()).skip(12).collect();
    let (id, v, slot) = (NodeId(6), V(8), Slot(2));
    assert_eq!(
        events,
        [
            TreeEvent::Placed { id: NodeId(2), name: "n".into(), v: V(7), slot },
            TreeEvent::Freed { id: NodeId(2), v: V(7), slot, why: Freed::Lost(Fault::NoAnswer) },
            TreeEvent::Freed { id, v: V(6), slot: Slot(6), why: Freed::Moved },
            TreeEvent::Placed { id, name: "n".into(), v, slot },
            TreeEvent::Attached { id, v, slot },
            TreeEvent::Placed { id: NodeId(5), name: "n".into(), v: V(9), slot: Slot(5) },
        ]
    );
}

#[path = "topology_apart_tests.rs"]
mod apart;
#[path = "topology_blame_tests.rs"]
mod blame;
#[path = "topology_caps_tests.rs"]
mod caps;
#[path = "model_tests.rs"]
mod model;
#[path = "topology_site_tests.rs"]
mod sites;
#[path = "topology_waiting_tests.rs"]
mod waiting;
