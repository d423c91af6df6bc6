use super::*;
use crate::tree::message::Position;
use crate::tree::ticket::{Claim, KEY_BYTES};

const SESSION: SessionId = SessionId(7);
const ME: NodeId = NodeId(100);

fn key() -> Key {
    Key::new([3; KEY_BYTES])
}

fn attach(slot: u32, child: u64, v: u64) -> Attach {
    let claim = Claim { session: SESSION, child: NodeId(child), v: V(v), slot: Slot(slot) };
    let (ticket, position) = (key().sign(&claim), Position::NONE);
    Attach { ticket, session: SESSION, position, child: claim.child, v: claim.v, slot: claim.slot }
}

/// In slot 1 since placement 10, with children 3 and 4.
fn attached() -> Children {
    let mut children = Children::new(ME);
    children.open(SESSION, Slot(1), V(10), key());
    children
}

const WELCOME: Acceptance = Acceptance::Welcome { replaces: None };

#[test]
fn nobody_is_let_in_before_and_while_the_node_is_not_attached() {
    let mut children = Children::new(ME);
    assert_eq!(children.accept(&attach(3, 1, 11), Link(1)), Acceptance::NotHere);
    children.open(SESSION, Slot(1), V(10), key());
    assert_eq!(children.accept(&attach(3, 1, 11), Link(2)), WELCOME);
    children.suspend();
    assert_eq!(children.accept(&attach(4, 2, 12), Link(3)), Acceptance::NotHere);
    assert_eq!(children.iter().count(), 1);
    children.open(SESSION, Slot(1), V(20), key());
    assert_eq!(children.accept(&attach(4, 2, 12), Link(4)), WELCOME, "a ticket given before the orphan came back is good");
}

#[test]
fn a_newer_placement_replaces_and_an_older_does_not() {
    let mut children = attached();
    assert_eq!(children.accept(&attach(3, 1, 12), Link(1)), WELCOME);
    assert_eq!(children.accept(&attach(3, 2, 11), Link(2)), Acceptance::Stale);
    assert_eq!(children.accept(&attach(3, 2, 12), Link(3)), Acceptance::Stale, "the same number for somebody else");
    assert_eq!(
        children.accept(&attach(3, 1, 12), Link(4)),
        Acceptance::Welcome { replaces: Some(Link(1)) },
        "the same child again"
    );
    assert_eq!(children.accept(&attach(3, 2, 13), Link(5)), Acceptance::Welcome { replaces: Some(Link(4)) });
    assert_eq!(children.accept(&attach(4, 3, 14), Link(6)), WELCOME);
    assert_eq!(children.iter().map(|child| child.link).collect::<Vec<_>>(), [Link(5), Link(6)]);
}

#[test]
fn an_old_ticket_stays_old_after_its_child_is_gone() {
    let mut children = attached();
    assert_eq!(children.accept(&attach(3, 1, 12), Link(1)), WELCOME);
    assert_eq!(children.accept(&attach(3, 2, 15), Link(2)), Acceptance::Welcome { replaces: Some(Link(1)) });
    assert_eq!(children.lost(Link(1), Fault::Closed), None, "a replaced link is no loss");
    let report = LostChild { session: SESSION, parent: ME, child: NodeId(2), v: V(15), why: Fault::Silence, proof: Ticket::NONE };
    let report = LostChild { proof: key().prove(&report.statement()), ..report };
    assert_eq!(children.lost(Link(2), Fault::Silence), Some(report));
    assert_eq!(children.lost(Link(2), Fault::Silence), None);
    assert_eq!(children.accept(&attach(3, 1, 12), Link(3)), Acceptance::Stale);
    assert_eq!(children.accept(&attach(3, 2, 15), Link(4)), WELCOME);
}

#[test]
fn tickets_for_elsewhere_are_stale() {
    let mut children = attached();
    let forged = Attach { slot: Slot(4), ..attach(3, 1, 11) };
    let other_session = Attach { session: SessionId(8), ..attach(3, 1, 11) };
    for bad in
        [attach(5, 1, 11), attach(1, 1, 11), attach(0, 1, 11), forged, other_session, attach(3, ME.0, 11), attach(3, 1, 10)]
    {
        assert_eq!(children.accept(&bad, Link(1)), Acceptance::Stale, "{bad:?}");
    }
    assert_eq!(children.iter().count(), 0);
}

#[test]
fn another_slot_takes_only_children_placed_after_it() {
    let mut children = attached();
    children.accept(&attach(3, 1, 11), Link(1));
    children.accept(&attach(4, 2, 12), Link(2));
    assert_eq!(children.close_all(), [Link(1), Link(2)]);
    assert_eq!(children.lost(Link(1), Fault::Closed), None, "what the node closes itself is no loss");
    assert_eq!(children.accept(&attach(3, 1, 30), Link(3)), Acceptance::NotHere);
    children.open(SESSION, Slot(0), V(20), key());
    assert_eq!(children.accept(&attach(1, 1, 19), Link(4)), Acceptance::Stale);
    assert_eq!(children.accept(&attach(1, 1, 21), Link(5)), WELCOME);
}

#[test]
fn the_root_has_children_from_the_start() {
    let mut children = Children::of_root(ME, SESSION, key());
    assert_eq!(children.accept(&attach(1, 1, 1), Link(1)), WELCOME);
    assert_eq!(children.accept(&attach(2, 2, 2), Link(2)), WELCOME);
    assert_eq!(children.accept(&attach(3, 3, 3), Link(3)), Acceptance::Stale);
}

#[test]
fn only_children_that_were_named_and_not_agreed_are_closed() {
    let mut children = attached();
    children.accept(&attach(3, 1, 11), Link(1));
    let named = children.kept();
    children.accept(&attach(4, 2, 12), Link(2));
    assert_eq!(children.reconcile(&named, &named), []);
    assert_eq!(children.reconcile(&named, &[None, None]), [Link(1)], "the right one came after the question");
    let named = children.kept();
    children.accept(&attach(4, 3, 13), Link(3));
    assert_eq!(children.reconcile(&named, &[None, None]), [], "the one that was named has been replaced");
    assert_eq!(children.at(Side::Right).map(|child| child.id), Some(NodeId(3)));
}
