use super::*;
use crate::tree::message::{Attached, Capabilities, Failed, KeptChild, LostChild, Position, Refused, WhereToConnect};
use crate::tree::slot::{NodeId, Side};
use crate::tree::ticket::{Claim, KEY_BYTES, Key};
use crate::update::Seq;

const SESSION: SessionId = SessionId(7);
const ME: NodeId = NodeId(1);
const PARENT: NodeId = NodeId(2);
const HELD: AttachReply = AttachReply::Ok { head: Seq(9) };

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn root() -> SocketAddr {
    "192.0.2.1:5950".parse().unwrap()
}

fn key() -> Key {
    Key::new([5; KEY_BYTES])
}

fn place(v: u64, slot: u32) -> ConnectTo {
    let claim = Claim { session: SESSION, child: ME, v: V(v), slot: Slot(slot) };
    ConnectTo {
        session: SESSION,
        v: V(v),
        id: ME,
        slot: Slot(slot),
        parent: PARENT,
        address: "192.0.2.2:5950".parse().unwrap(),
        ticket: key().sign(&claim),
        key: key(),
        name: "Physik".into(),
        log: SESSION,
    }
}

fn child(id: u64, v: u64, slot: u32) -> Attach {
    let claim = Claim { session: SESSION, child: NodeId(id), v: V(v), slot: Slot(slot) };
    let (ticket, position) = (key().sign(&claim), Position::NONE);
    Attach { ticket, session: SESSION, position, child: NodeId(id), v: V(v), slot: Slot(slot) }
}

fn new_member() -> Member {
    Member::new(MemberConfig::new(ME, "Ada".into(), Capabilities::of(true), 4000, root(), 3))
}

fn actions(member: &mut Member) -> Vec<Action> {
    std::iter::from_fn(|| member.poll_action()).collect()
}

/// The call and the question with which the node turns to the root, which is all it does.
fn asks(member: &mut Member) -> (Link, WhereToConnect) {
    match actions(member).as_slice() {
        [.., Action::DialRoot { call, message: Message::WhereToConnect(ask), .. }] => (*call, ask.clone()),
        other => panic!("no question: {other:?}"),
    }
}

/// The link with which it dials its parent, as the last thing it does.
fn dials(member: &mut Member) -> Link {
    match actions(member).as_slice() {
        [.., Action::DialParent { link, .. }] => *link,
        other => panic!("no parent dialled: {other:?}"),
    }
}

/// Goes on to the next deadline, which is to lead to a question.
fn asks_later(member: &mut Member) -> (Link, WhereToConnect, Duration) {
    let until = member.poll_deadline().unwrap();
    member.handle_timeout(until);
    let (call, ask) = asks(member);
    (call, ask, until)
}

/// Attached under a placement and confirmed: the link to the parent.
fn settle(member: &mut Member, call: Link, place: &ConnectTo, now: Duration) -> Link {
    member.handle_root_message(call, &Message::ConnectTo(place.clone()), now);
    let link = dials(member);
    member.handle_attach_reply(link, HELD, now);
    let echo = match actions(member).as_slice() {
        [Action::SendRoot { call: on, message }] if *on == call => message.clone(),
        other => panic!("ATTACHED not sent: {other:?}"),
    };
    assert_eq!(echo, Message::Attached(Attached { v: place.v, children: member.children.kept() }));
    member.handle_root_message(call, &echo, now);
    assert_eq!(actions(member), [Action::CloseRoot { call }]);
    assert!(member.is_confirmed());
    link
}

/// In slot 3 under placement 10, with children on both sides by links 101 and 102.
fn with_children() -> (Member, Link) {
    let mut member = new_member();
    member.start(secs(0));
    let (call, _) = asks(&mut member);
    let link = settle(&mut member, call, &place(10, 3), secs(0));
    assert_eq!(member.accept(&child(20, 11, 7), Link(101)), Acceptance::Welcome { replaces: None });
    assert_eq!(member.accept(&child(21, 12, 8), Link(102)), Acceptance::Welcome { replaces: None });
    (member, link)
}

#[test]
fn a_newcomer_asks_attaches_and_tells_the_root_and_then_rests() {
    let mut member = new_member();
    member.start(secs(5));
    let (call, ask) = asks(&mut member);
    assert_eq!((ask.session, ask.v, ask.asking, ask.port), (None, V(0), Asking::New, 4000));
    assert_eq!(member.standing(), Standing::Asking);
    settle(&mut member, call, &place(10, 3), secs(6));
    assert_eq!((member.standing(), member.slot(), member.poll_deadline()), (Standing::Attached, Some(Slot(3)), None));
    assert_eq!(member.session_name().map(SessionName::as_str), Some("Physik"));
    assert_eq!(attach(&place(10, 3), Position::NONE).claim(), Claim { session: SESSION, child: ME, v: V(10), slot: Slot(3) });
}

#[test]
fn below_the_root_it_dials_where_it_asked_and_elsewhere_where_the_placement_says() {
    let elsewhere = place(1, 3).address;
    let [extra, extra_elsewhere] = [Slot::ROOT, Slot(3)].map(|above| Slot::extra(above, 1).unwrap().0);
    for (slot, expected) in
        [(1, root()), (2, root()), (extra, root()), (3, elsewhere), (6, elsewhere), (extra_elsewhere, elsewhere)]
    {
        let mut member = new_member();
        member.start(secs(0));
        let (call, _) = asks(&mut member);
        member.handle_root_message(call, &Message::ConnectTo(place(1, slot)), secs(0));
        let dialled = actions(&mut member).into_iter().find_map(|action| match action {
            Action::DialParent { place, .. } => Some(place.address),
            _ => None,
        });
        assert_eq!(dialled, Some(expected), "slot {slot}");
        assert_eq!(member.place().map(|place| place.address), Some(expected), "what it says of its parent");
    }
}

#[test]
fn a_link_local_parent_is_dialled_through_the_interface_that_leads_to_the_root() {
    let link_local = |ip: &str, scope| SocketAddr::from(std::net::SocketAddrV6::new(ip.parse().unwrap(), 4000, 0, scope));
    let mut member = Member::new(MemberConfig { root: link_local("fe80::1", 3), ..new_member().config });
    member.start(secs(0));
    let (call, _) = asks(&mut member);
    let told = ConnectTo { address: link_local("fe80::2", 0), ..place(1, 3) };
    member.handle_root_message(call, &Message::ConnectTo(told), secs(0));
    let dialled = actions(&mut member).into_iter().find_map(|action| match action {
        Action::DialParent { place, .. } => Some(place.address),
        _ => None,
    });
    assert_eq!(dialled, Some(link_local("fe80::2", 3)));
}

#[test]
fn only_a_newer_placement_for_this_node_is_obeyed() {
    let (mut member, link) = with_children();
    member.handle_parent_closed(link, Fault::Closed, secs(5));
    let (mut call, ask) = asks(&mut member);
    assert_eq!((ask.session, ask.v), (Some(SESSION), V(10)));
    for bad in [place(9, 4), place(10, 4), ConnectTo { id: NodeId(5), ..place(20, 4) }] {
        member.handle_root_message(call, &Message::ConnectTo(bad), secs(5));
        assert_eq!(actions(&mut member), [Action::CloseRoot { call }]);
        assert_eq!((member.standing(), member.children().count()), (Standing::Asking, 2));
        call = asks_later(&mut member).0;
    }
    settle(&mut member, call, &place(11, 3), secs(7));
}

#[test]
fn with_another_slot_the_children_go_before_the_parent_is_dialled_and_nobody_comes_until_attached() {
    let (mut member, link) = with_children();
    member.handle_parent_closed(link, Fault::Closed, secs(5));
    let (call, _) = asks(&mut member);
    assert_eq!(member.accept(&child(30, 13, 7), Link(103)), Acceptance::NotHere, "an orphan takes nobody new");
    member.handle_root_message(call, &Message::ConnectTo(place(20, 1)), secs(5));
    let done = actions(&mut member);
    assert_eq!(done[..2], [101, 102].map(|link| Action::CloseChild { link: Link(link) }));
    let [Action::DialParent { link, .. }] = done[2..] else { panic!("{done:?}") };
    assert_eq!(member.accept(&child(30, 21, 3), Link(104)), Acceptance::NotHere);
    member.handle_attach_reply(link, HELD, secs(5));
    assert_eq!(member.accept(&child(30, 21, 3), Link(105)), Acceptance::Welcome { replaces: None });
    assert_eq!(member.accept(&child(31, 13, 7), Link(106)), Acceptance::Stale, "a child of the former slot");
}

#[test]
fn in_the_same_slot_the_children_stay_and_are_named_to_the_root() {
    let (mut member, link) = with_children();
    member.handle_parent_closed(link, Fault::Silence, secs(5));
    let (call, ask) = asks(&mut member);
    assert_eq!(ask.asking, Asking::LostParent { parent: PARENT, fault: Fault::Silence });
    member.handle_root_message(call, &Message::ConnectTo(place(20, 3)), secs(5));
    let link = dials(&mut member);
    member.handle_attach_reply(link, HELD, secs(5));
    let both = [Some(KeptChild { id: NodeId(20), v: V(11) }), Some(KeptChild { id: NodeId(21), v: V(12) })];
    let message = Message::Attached(Attached { v: V(20), children: both });
    assert_eq!(actions(&mut member), [Action::SendRoot { call, message }]);
    let echo = Message::Attached(Attached { v: V(20), children: [both[0], None] });
    member.handle_root_message(call, &echo, secs(5));
    assert_eq!(actions(&mut member), [Action::CloseRoot { call }, Action::CloseChild { link: Link(102) }]);
    assert_eq!(member.children.at(Side::Left).map(|child| child.link), Some(Link(101)));
}

#[test]
fn whatever_keeps_it_from_attaching_the_root_hears_and_is_asked_after_a_while() {
    let replies =
        [(Some(AttachReply::Stale), Fault::Stale), (Some(AttachReply::NotHere), Fault::NotHere), (None, Fault::Unreachable)];
    for (reply, fault) in replies {
        let mut member = new_member();
        member.start(secs(0));
        let (call, _) = asks(&mut member);
        member.handle_root_message(call, &Message::ConnectTo(place(10, 3)), secs(0));
        let link = dials(&mut member);
        match reply {
            Some(reply) => member.handle_attach_reply(link, reply, secs(1)),
            None => member.handle_parent_closed(link, fault, secs(1)),
        }
        let failed = Message::Failed(Failed { v: V(10), why: fault });
        let told = [Action::CloseParent { link }, Action::SendRoot { call, message: failed }, Action::CloseRoot { call }];
        assert_eq!(actions(&mut member), told);
        let (_, ask, at) = asks_later(&mut member);
        assert!(at > secs(1), "not at once");
        assert_eq!((ask.asking, ask.v), (Asking::NotAttached { parent: PARENT, fault }, V(10)));
    }
}

#[test]
fn a_parent_that_does_not_answer_is_given_up() {
    let mut member = new_member();
    member.start(secs(0));
    let (call, _) = asks(&mut member);
    member.handle_root_message(call, &Message::ConnectTo(place(10, 3)), secs(0));
    let link = dials(&mut member);
    assert_eq!(member.poll_deadline(), Some(secs(3)));
    member.handle_timeout(secs(3));
    assert!(actions(&mut member).contains(&Action::CloseParent { link }));
    member.handle_attach_reply(link, HELD, secs(3));
    assert_eq!((member.standing(), actions(&mut member)), (Standing::Asking, vec![]), "too late");
}

#[test]
fn until_the_root_has_heard_it_is_told_again_and_the_parent_stays() {
    let mut member = new_member();
    member.start(secs(0));
    let (call, _) = asks(&mut member);
    member.handle_root_message(call, &Message::ConnectTo(place(10, 3)), secs(0));
    let link = dials(&mut member);
    member.handle_attach_reply(link, HELD, secs(0));
    actions(&mut member);
    member.handle_root_closed(call, secs(0));
    assert_eq!(member.accept(&child(20, 11, 7), Link(101)), Acceptance::Welcome { replaces: None });
    let (call, ask, at) = asks_later(&mut member);
    let children = [Some(KeptChild { id: NodeId(20), v: V(11) }), None];
    assert_eq!((ask.asking, ask.v), (Asking::Confirm { children }, V(10)));
    assert!(!member.is_confirmed() && member.standing() == Standing::Attached);
    member.handle_root_message(call, &Message::Attached(Attached { v: V(10), children }), at);
    assert_eq!((member.is_confirmed(), member.poll_deadline()), (true, None));
}

#[test]
fn a_placement_that_is_void_is_left_for_the_one_the_root_gives_instead() {
    let (mut member, link) = with_children();
    member.handle_parent_closed(link, Fault::Closed, secs(5));
    let (call, _) = asks(&mut member);
    member.handle_root_message(call, &Message::ConnectTo(place(20, 3)), secs(5));
    let old = dials(&mut member);
    member.handle_attach_reply(old, HELD, secs(5));
    actions(&mut member);
    settle_elsewhere(&mut member, call, old);
}

fn settle_elsewhere(member: &mut Member, call: Link, old: Link) {
    member.handle_root_message(call, &Message::ConnectTo(place(30, 5)), secs(6));
    let done = actions(member);
    assert_eq!(
        done[..3],
        [Action::CloseChild { link: Link(101) }, Action::CloseChild { link: Link(102) }, Action::CloseParent { link: old }]
    );
    let [Action::DialParent { link, .. }] = done[3..] else { panic!("{done:?}") };
    member.handle_attach_reply(link, HELD, secs(6));
    let message = Message::Attached(Attached { v: V(30), children: [None, None] });
    assert_eq!(actions(member), [Action::SendRoot { call, message }], "on the call that is still open");
}

#[test]
fn a_lost_child_is_reported_until_the_root_has_heard() {
    let (mut member, _) = with_children();
    member.handle_child_closed(Link(101), Fault::Silence, secs(5));
    member.handle_child_closed(Link(102), Fault::Closed, secs(5));
    member.handle_child_closed(Link(102), Fault::Closed, secs(5));
    let report = |child, v, why| {
        let mut report = LostChild { session: SESSION, parent: ME, child: NodeId(child), v: V(v), why, proof: Ticket::NONE };
        report.proof = key().prove(&report.statement());
        Message::LostChild(report)
    };
    let dialled = |member: &mut Member| match actions(member).as_slice() {
        [.., Action::DialRoot { call, message, .. }] => (*call, message.clone()),
        other => panic!("no report: {other:?}"),
    };
    let (call, message) = dialled(&mut member);
    assert_eq!(message, report(20, 11, Fault::Silence));
    member.handle_root_closed(call, secs(5));
    assert_eq!(actions(&mut member), []);
    let again = member.poll_deadline().unwrap();
    member.handle_timeout(again);
    let (call, message) = dialled(&mut member);
    assert_eq!(message, report(20, 11, Fault::Silence));
    let late = member.poll_deadline().unwrap();
    member.handle_timeout(late);
    assert_eq!(actions(&mut member), [Action::CloseRoot { call }], "no echo in time");
    let again = member.poll_deadline().unwrap();
    member.handle_timeout(again);
    let (call, message) = dialled(&mut member);
    member.handle_root_message(call, &message, again);
    let (call, message) = dialled(&mut member);
    assert_eq!(message, report(21, 12, Fault::Closed));
    member.handle_root_message(call, &message, again);
    assert_eq!((actions(&mut member), member.poll_deadline()), (vec![Action::CloseRoot { call }], None));
}

#[test]
fn it_gives_up_after_a_time_without_a_parent_and_says_why() {
    let mut member = new_member();
    member.start(secs(0));
    let (call, _) = asks(&mut member);
    member.handle_root_message(call, &Message::Refused(Refused { again: true, reason: "no room".into() }), secs(0));
    let mut questions = 0;
    let end = loop {
        let now = member.poll_deadline().unwrap();
        member.handle_timeout(now);
        for action in actions(&mut member) {
            match action {
                Action::DialRoot { call, .. } => {
                    questions += 1;
                    member.handle_root_closed(call, now);
                }
                Action::End(end) => assert_eq!((now, &end), (secs(60), &End::GaveUp("no room".into()))),
                _ => {}
            }
        }
        if member.standing() == Standing::Ended {
            break now;
        }
    };
    assert_eq!(end, secs(60));
    assert!((10..40).contains(&questions), "{questions} questions in a minute");
    assert_eq!((member.poll_deadline(), member.accept(&child(20, 11, 7), Link(101))), (None, Acceptance::NotHere));
}

#[test]
fn a_refusal_for_good_ends_it_at_once() {
    let mut member = new_member();
    member.start(secs(0));
    let (call, _) = asks(&mut member);
    member.handle_root_message(call, &Message::Refused(Refused { again: false, reason: "other version".into() }), secs(1));
    assert_eq!(actions(&mut member).last(), Some(&Action::End(End::GaveUp("other version".into()))));
}

#[test]
fn it_follows_redirects_but_not_in_circles() {
    let mut member = new_member();
    member.start(secs(0));
    let elsewhere = |n: u8| SocketAddr::from(([192, 0, 2, n], 5950));
    for n in 1..=5 {
        let (call, _) = asks(&mut member);
        member.handle_root_message(call, &Message::Redirect(Redirect { root: elsewhere(n) }), secs(0));
    }
    assert!(matches!(actions(&mut member).as_slice(), [Action::CloseRoot { .. }]), "waits");
    let until = member.poll_deadline().unwrap();
    member.handle_timeout(until);
    let Some(Action::DialRoot { address, .. }) = actions(&mut member).pop() else { panic!("does not ask") };
    assert_eq!(address, root(), "back to where it began");
}

#[test]
fn leaving_closes_everything_and_ends_whether_or_not_the_root_hears() {
    for answered in [true, false] {
        let (mut member, link) = with_children();
        member.leave(secs(5));
        let mut done = actions(&mut member);
        let Some(Action::DialRoot { call, message, .. }) = done.pop() else { panic!("{done:?}") };
        let mut leave = Leave { session: SESSION, id: ME, v: V(10), proof: Ticket::NONE };
        leave.proof = key().prove(&leave.statement());
        assert_eq!(message, Message::Leave(leave));
        let closed =
            [Action::CloseChild { link: Link(101) }, Action::CloseChild { link: Link(102) }, Action::CloseParent { link }];
        assert_eq!(done, closed);
        if answered {
            member.handle_root_message(call, &message, secs(5));
        } else {
            assert_eq!(member.poll_deadline(), Some(secs(8)));
            member.handle_timeout(secs(8));
        }
        assert_eq!(actions(&mut member), [Action::CloseRoot { call }, Action::End(End::Left)]);
        assert_eq!((member.standing(), member.poll_deadline()), (Standing::Ended, None));
    }
}

#[test]
fn a_root_that_was_started_again_counts_from_one_and_keeps_no_children() {
    let (mut member, link) = with_children();
    member.handle_parent_closed(link, Fault::Closed, secs(5));
    let (call, _) = asks(&mut member);
    let fresh = ConnectTo { session: SessionId(8), ..place(1, 3) };
    member.handle_root_message(call, &Message::ConnectTo(fresh), secs(5));
    let done = actions(&mut member);
    assert_eq!(done[..2], [Action::CloseChild { link: Link(101) }, Action::CloseChild { link: Link(102) }]);
    assert!(matches!(done[2..], [Action::DialParent { .. }]));
}

#[test]
fn a_parent_that_is_lost_again_at_once_is_not_asked_about_at_once() {
    let mut member = new_member();
    member.start(secs(0));
    let (call, _) = asks(&mut member);
    let link = settle(&mut member, call, &place(10, 3), secs(0));
    member.handle_parent_closed(link, Fault::Closed, Duration::from_millis(10));
    assert_eq!(actions(&mut member), []);
    let (_, _, at) = asks_later(&mut member);
    assert!(at >= Duration::from_millis(100));
}

#[test]
fn news_of_links_that_are_closed_change_nothing() {
    let (mut member, link) = with_children();
    member.handle_parent_closed(Link(999), Fault::Closed, secs(5));
    member.handle_root_closed(Link(1), secs(5));
    member.handle_root_message(Link(1), &Message::ConnectTo(place(50, 9)), secs(5));
    member.handle_attach_reply(link, AttachReply::Stale, secs(5));
    member.handle_child_closed(Link(999), Fault::Closed, secs(5));
    member.handle_timeout(secs(5));
    assert_eq!((actions(&mut member), member.slot(), member.poll_deadline()), (vec![], Some(Slot(3)), None));
}

#[test]
fn a_leaf_only_node_has_no_children() {
    let config = MemberConfig::new(ME, "Ada".into(), Capabilities::of(false), 0, root(), 3);
    let mut member = Member::new(config);
    member.start(secs(0));
    let (call, ask) = asks(&mut member);
    assert!(!ask.capabilities.relay);
    settle(&mut member, call, &place(10, 3), secs(0));
    assert_eq!(member.accept(&child(20, 11, 7), Link(101)), Acceptance::Stale);
}

#[test]
fn a_place_that_was_not_asked_for_is_obeyed_if_it_is_newer_and_the_roots() {
    let (mut member, parent) = with_children();
    let other_key = ConnectTo { key: Key::new([6; KEY_BYTES]), ..place(11, 3) };
    let for_another = ConnectTo { id: NodeId(9), ..place(11, 3) };
    let other_session = ConnectTo { session: SessionId(8), ..place(11, 3) };
    for wrong in [other_key, for_another, other_session, place(10, 3), place(9, 3)] {
        assert_eq!(member.handle_push(&wrong, secs(1)), None, "{wrong:?}");
    }
    assert_eq!((actions(&mut member), member.standing()), (vec![], Standing::Attached));
    let call = member.handle_push(&place(11, 3), secs(1)).unwrap();
    let told = actions(&mut member);
    let [Action::CloseParent { link }, Action::DialParent { link: new, .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*link, member.children().count()), (parent, 2), "its slot stays, and so its children");
    member.handle_attach_reply(*new, HELD, secs(1));
    let told = actions(&mut member);
    assert!(matches!(told.as_slice(), [Action::SendRoot { call: on, message: Message::Attached(_) }] if *on == call), "{told:?}");
}

#[test]
fn a_node_that_is_moved_closes_its_children_before_it_dials() {
    let (mut member, parent) = with_children();
    member.handle_push(&place(11, 1), secs(1)).unwrap();
    let told = actions(&mut member);
    let [first, second, Action::CloseParent { link }, Action::DialParent { .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!([first, second], [&Action::CloseChild { link: Link(101) }, &Action::CloseChild { link: Link(102) }]);
    assert_eq!(*link, parent);
}

#[test]
fn a_place_that_comes_while_the_node_asks_answers_its_question() {
    let (mut member, parent) = with_children();
    member.handle_parent_closed(parent, Fault::Closed, secs(2));
    let (question, _) = asks(&mut member);
    let call = member.handle_push(&place(11, 3), secs(2)).unwrap();
    let told = actions(&mut member);
    assert_eq!(told.first(), Some(&Action::CloseRoot { call: question }));
    member.handle_root_message(question, &Message::ConnectTo(place(12, 3)), secs(2));
    assert_eq!(actions(&mut member), []);
    let link = told.iter().find_map(|action| if let Action::DialParent { link, .. } = action { Some(*link) } else { None });
    member.handle_parent_closed(link.unwrap(), Fault::Unreachable, secs(2));
    let told = actions(&mut member);
    let failed = Message::Failed(Failed { v: V(11), why: Fault::Unreachable });
    assert!(told.contains(&Action::SendRoot { call, message: failed }), "{told:?}");
}

#[test]
fn beats_that_stand_still_make_a_node_ask_whether_its_place_is_right() {
    let (mut member, _) = with_children();
    assert_eq!(member.poll_deadline(), None, "no beat has come on this link");
    member.handle_beat(secs(10));
    let at = member.poll_deadline().unwrap();
    assert!(secs(15) <= at && at <= secs(20), "{at:?}");
    member.handle_beat(secs(11));
    assert_eq!(member.poll_deadline(), Some(at + secs(1)));
    let (call, ask, _) = asks_later(&mut member);
    let children = member.children.kept();
    assert_eq!((ask.asking, member.standing()), (Asking::Confirm { children }, Standing::Attached));
    member.handle_root_message(call, &Message::Attached(Attached { v: V(10), children }), secs(20));
    assert_eq!(actions(&mut member), [Action::CloseRoot { call }]);
    assert!(member.poll_deadline().is_some_and(|next| next > secs(20)), "it will ask again if no beat comes");
}

#[test]
fn a_node_below_one_that_hears_the_root_no_more_gives_up_as_well() {
    let (mut member, _) = with_children();
    member.handle_beat(secs(10));
    let mut ended = None;
    while ended.is_none() {
        let until = member.poll_deadline().unwrap();
        member.handle_timeout(until);
        for action in actions(&mut member) {
            match action {
                Action::DialRoot { call, .. } => member.handle_root_closed(call, until),
                Action::End(end) => ended = Some((until, end)),
                _ => {}
            }
        }
    }
    assert!(matches!(ended, Some((at, End::GaveUp(_))) if at == secs(70)), "{ended:?}");
}

#[test]
fn a_slow_child_is_reported_and_a_slow_node_gives_up_extra_children_first() {
    let (mut member, _) = with_children();
    let reported = |member: &mut Member| {
        actions(member).into_iter().find_map(|action| match action {
            Action::DialRoot { call, message: Message::SlowNode(report), .. } => Some((call, report)),
            _ => None,
        })
    };
    member.handle_slow(Slow { child: Some(Link(102)), alone: false }, secs(3));
    let (call, report) = reported(&mut member).unwrap();
    assert_eq!((report.reporter, report.node, report.v, report.alone), (ME, NodeId(21), V(12), false));
    assert!(key().is_proven(&report.statement(), &report.proof));
    member.handle_root_message(call, &Message::SlowNode(report), secs(3));
    actions(&mut member);
    let extra = Slot::extra(Slot(3), 0).unwrap();
    assert_eq!(member.accept(&child(30, 13, extra.0), Link(103)), Acceptance::Welcome { replaces: None });
    member.handle_slow(Slow { child: None, alone: false }, secs(4));
    let told = actions(&mut member);
    assert_eq!(told.first(), Some(&Action::CloseChild { link: Link(103) }));
    let [_, Action::DialRoot { call, message: message @ Message::LostChild(_), .. }] = told.as_slice() else {
        panic!("{told:?}")
    };
    member.handle_root_message(*call, message, secs(5));
    actions(&mut member);
    member.handle_slow(Slow { child: None, alone: false }, secs(8));
    let (_, report) = reported(&mut member).unwrap();
    assert_eq!((report.node, report.v), (ME, V(10)));
}

#[test]
fn a_node_that_is_placed_anew_gives_up_extra_children_and_says_so() {
    let (mut member, _) = with_children();
    let extra = Slot::extra(Slot(3), 0).unwrap();
    assert_eq!(member.accept(&child(30, 13, extra.0), Link(103)), Acceptance::Welcome { replaces: None });
    member.handle_push(&place(14, 3), secs(1)).unwrap();
    let told = actions(&mut member);
    assert!(told.contains(&Action::CloseChild { link: Link(103) }), "{told:?}");
    let reported = told.iter().find_map(|action| match action {
        Action::DialRoot { message: Message::LostChild(report), .. } => Some((report.child, report.v)),
        _ => None,
    });
    assert_eq!((reported, member.children().count()), (Some((NodeId(30), V(13))), 2));
}
