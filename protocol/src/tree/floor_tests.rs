use super::*;
use crate::tree::ticket::KEY_BYTES;
use std::collections::{BTreeMap, BTreeSet};

const T: fn(u64) -> Duration = Duration::from_secs;

fn floor(policy: Policy) -> Floor {
    Floor::new(SessionId(1), Key::new([7; KEY_BYTES]), policy)
}

fn request(node: u64) -> ServerChangeRequest {
    let (id, name) = (NodeId(node), format!("n{node}").as_str().into());
    ServerChangeRequest { session: SessionId(1), id, v: V(1), name, view: View::Whole, proof: Ticket::NONE, presenter: id }
}

fn actions(floor: &mut Floor) -> Vec<FloorAction> {
    std::iter::from_fn(|| floor.poll_action()).collect()
}

fn replies(floor: &mut Floor) -> Vec<(u64, ServerChangeReply)> {
    let reply = |action| match action {
        FloorAction::Reply { link, reply } => Some((link.0, reply)),
        _ => None,
    };
    actions(floor).into_iter().filter_map(reply).collect()
}

/// Asks on the link with the node's number, and takes the ticket.
fn granted(floor: &mut Floor, node: u64, now: Duration) -> Ticket {
    floor.handle_request(Link(node), &request(node), now);
    match &actions(floor)[..] {
        [.., FloorAction::Reply { reply: ServerChangeReply::Accepted { ticket }, .. }] => *ticket,
        other => panic!("no ticket: {other:?}"),
    }
}

/// As [`request`], for a node behind a site.
fn request_behind(site: u64, node: u64) -> ServerChangeRequest {
    ServerChangeRequest { id: NodeId(site), ..request(node) }
}

/// Brings a node's screen until it is shown.
fn shown(floor: &mut Floor, node: u64, now: Duration) -> ShareId {
    let ticket = granted(floor, node, now);
    let share = floor.handle_present(NodeId(node), &ticket, now).unwrap().share;
    floor.handle_shown(Source::Share(share));
    share
}

#[test]
fn nodes_behind_one_site_have_shares_of_their_own_which_end_with_the_site() {
    let mut floor = floor(Policy::Free);
    let shares = [5, 6].map(|node| {
        floor.handle_request(Link(node), &request_behind(9, node), T(0));
        let [FloorAction::Reply { reply: ServerChangeReply::Accepted { ticket }, .. }] = actions(&mut floor)[..] else {
            panic!("no ticket")
        };
        assert_eq!(floor.handle_present(NodeId(node), &ticket, T(1)), None, "the site brings it, nobody else");
        let share = floor.handle_present(NodeId(9), &ticket, T(1)).unwrap().share;
        floor.handle_shown(Source::Share(share));
        assert_eq!(floor.presenting().unwrap().node, NodeId(node));
        actions(&mut floor);
        share
    });
    assert_ne!(shares[0], shares[1]);
    floor.handle_request(Link(7), &request(7), T(2));
    actions(&mut floor);
    floor.handle_gone(NodeId(9));
    let ended: Vec<_> = actions(&mut floor).into_iter().filter(|action| matches!(action, FloorAction::End(_))).collect();
    assert_eq!(ended, shares.map(FloorAction::End));
    assert_eq!((floor.presenting(), floor.switching().map(|share| share.node)), (None, Some(NodeId(7))));
}

#[test]
fn a_share_is_accepted_shown_and_ended_with_its_connection() {
    let mut floor = floor(Policy::Free);
    let ticket = granted(&mut floor, 5, T(0));
    assert_eq!(floor.presenting(), None);
    let share = floor.handle_present(NodeId(5), &ticket, T(1)).unwrap().share;
    assert_eq!(actions(&mut floor), [FloorAction::Show(Source::Share(share))]);
    assert_eq!(floor.presenting(), None, "not before its first picture");
    floor.handle_shown(Source::Share(share));
    assert_eq!(replies(&mut floor), [(5, ServerChangeReply::Live)]);
    assert_eq!(floor.presenting().unwrap().node, NodeId(5));
    floor.handle_closed(Link(5));
    assert_eq!(actions(&mut floor), [FloorAction::End(share), FloorAction::Show(Source::Lecturer)]);
    assert_eq!((floor.presenting(), floor.poll_deadline()), (None, None));
}

#[test]
fn a_ticket_is_good_once_for_its_node_and_for_ten_seconds() {
    let mut floor = floor(Policy::Free);
    let ticket = granted(&mut floor, 5, T(0));
    assert_eq!(floor.handle_present(NodeId(6), &ticket, T(1)), None);
    assert_eq!(floor.handle_present(NodeId(5), &Ticket::NONE, T(1)), None);
    assert!(floor.handle_present(NodeId(5), &ticket, T(1)).is_some());
    assert_eq!(floor.handle_present(NodeId(5), &ticket, T(1)), None);
    floor.handle_closed(Link(5));
    let late = granted(&mut floor, 5, T(20));
    assert_ne!(late, ticket);
    assert_eq!(floor.poll_deadline(), Some(T(30)));
    floor.handle_timeout(T(30));
    assert_eq!(replies(&mut floor), [(5, ServerChangeReply::Expired)]);
    assert_eq!(floor.handle_present(NodeId(5), &late, T(30)), None);
}

#[test]
fn while_one_begins_others_are_busy_and_a_persons_choice_replaces_it() {
    let mut floor = floor(Policy::Free);
    let ticket = granted(&mut floor, 5, T(0));
    floor.handle_request(Link(6), &request(6), T(0));
    assert_eq!(replies(&mut floor), [(6, ServerChangeReply::Busy)]);
    let first = floor.handle_present(NodeId(5), &ticket, T(0)).unwrap().share;
    floor.set_policy(Policy::Ask, T(0));
    floor.handle_request(Link(7), &request(7), T(0));
    floor.handle_request(Link(8), &request(8), T(0));
    actions(&mut floor);
    assert_eq!(floor.report(true).requests.iter().map(|request| request.name.to_string()).collect::<Vec<_>>(), ["n7", "n8"]);
    let second = floor.report(true).requests[1].number;
    assert!(floor.handle_approve(Some(second), T(0)) && !floor.handle_approve(Some(second), T(0)));
    let told = actions(&mut floor);
    assert!(told.contains(&FloorAction::End(first)) && told.contains(&FloorAction::Show(Source::Lecturer)), "{told:?}");
    assert!(told.contains(&FloorAction::Reply { link: Link(5), reply: ended("another one was chosen") }), "{told:?}");
    floor.handle_shown(Source::Share(first));
    assert_eq!(floor.presenting(), None, "a picture of one who had to give way changes nothing");
}

#[test]
fn a_person_says_no_or_nothing() {
    let mut floor = floor(Policy::Ask);
    floor.handle_request(Link(5), &request(5), T(0));
    floor.handle_request(Link(6), &request(6), T(1));
    assert_eq!(replies(&mut floor), [(5, ServerChangeReply::Asked), (6, ServerChangeReply::Asked)]);
    assert!(floor.handle_refuse(None) && !floor.handle_refuse(Some(1)));
    assert!(matches!(&replies(&mut floor)[..], [(5, ServerChangeReply::Refused { .. })]));
    floor.handle_timeout(T(1) + ASKING);
    assert_eq!(replies(&mut floor), [(6, ServerChangeReply::Expired)]);
    assert!(!floor.handle_approve(None, T(99)));
}

#[test]
fn the_one_before_returns_and_an_older_one_is_ended() {
    let mut floor = floor(Policy::Free);
    let shares: Vec<_> = [5, 6, 7].map(|node| shown(&mut floor, node, T(0))).into();
    let told = actions(&mut floor);
    assert!(told.contains(&FloorAction::End(shares[0])), "{told:?}");
    assert_eq!(floor.presenting().unwrap().node, NodeId(7));
    floor.handle_lost(shares[2], "its server is gone");
    let live = FloorAction::Reply { link: Link(6), reply: ServerChangeReply::Live };
    let gone = FloorAction::Reply { link: Link(7), reply: ended("its server is gone") };
    let show = FloorAction::Show(Source::Share(shares[1]));
    assert_eq!(actions(&mut floor), [gone, FloorAction::End(shares[2]), live, show]);
    floor.handle_gone(NodeId(6));
    assert_eq!(actions(&mut floor).last(), Some(&FloorAction::Show(Source::Lecturer)));
}

#[test]
fn a_rehearsal_that_fails_leaves_what_is_shown_alone() {
    let mut floor = floor(Policy::Free);
    let first = shown(&mut floor, 5, T(0));
    let ticket = granted(&mut floor, 6, T(0));
    let second = floor.handle_present(NodeId(6), &ticket, T(0)).unwrap().share;
    actions(&mut floor);
    floor.handle_timeout(T(0) + REHEARSAL);
    let told = actions(&mut floor);
    assert_eq!(told[1..], [FloorAction::End(second), FloorAction::Show(Source::Share(first))]);
    assert!(!told.contains(&FloorAction::Reply { link: Link(5), reply: ServerChangeReply::Paused { by: "n6".into() } }));
    assert_eq!(floor.presenting().unwrap().node, NodeId(5));
}

#[test]
fn the_same_node_has_one_share() {
    let mut floor = floor(Policy::Free);
    let old = shown(&mut floor, 5, T(0));
    actions(&mut floor);
    floor.handle_request(Link(50), &request(5), T(1));
    floor.handle_request(Link(51), &request(5), T(1));
    let told = actions(&mut floor);
    let ticket = told.iter().rev().find_map(|action| match action {
        FloorAction::Reply { link: Link(51), reply: ServerChangeReply::Accepted { ticket } } => Some(*ticket),
        _ => None,
    });
    let new = floor.handle_present(NodeId(5), &ticket.expect("the older request gave way"), T(1)).unwrap().share;
    floor.handle_shown(Source::Share(new));
    let told = actions(&mut floor);
    assert!(told.contains(&FloorAction::End(old)), "{told:?}");
    assert!(!told.iter().any(|action| matches!(action, FloorAction::Reply { reply: ServerChangeReply::Paused { .. }, .. })));
    assert_eq!(actions(&mut floor), []);
}

#[test]
fn back_ends_all_but_those_who_wait_and_locked_refuses_them() {
    let mut floor = floor(Policy::Free);
    let shares = [5, 6].map(|node| shown(&mut floor, node, T(0)));
    floor.set_policy(Policy::Ask, T(0));
    floor.handle_request(Link(7), &request(7), T(0));
    actions(&mut floor);
    floor.handle_back();
    let told = actions(&mut floor);
    assert!(shares.iter().all(|share| told.contains(&FloorAction::End(*share))), "{told:?}");
    assert_eq!(told.last(), Some(&FloorAction::Show(Source::Lecturer)));
    assert_eq!(floor.report(true).requests.len(), 1);
    floor.set_policy(Policy::Locked, T(0));
    assert!(matches!(&replies(&mut floor)[..], [(7, ServerChangeReply::Refused { .. })]));
    floor.handle_request(Link(8), &request(8), T(0));
    assert!(matches!(&replies(&mut floor)[..], [(8, ServerChangeReply::Refused { .. })]));
}

/// What a program that carries out the actions would hold, checked after every step.
#[derive(Default)]
struct Program {
    now: Duration,
    open: BTreeMap<u64, NodeId>,
    tickets: BTreeMap<NodeId, Ticket>,
    bridges: BTreeSet<ShareId>,
    live: Option<ShareId>,
    wanted: Option<ShareId>,
}

impl Program {
    fn carry_out(&mut self, floor: &mut Floor) {
        for action in actions(floor) {
            match action {
                FloorAction::Reply { link, reply } => {
                    let node = *self.open.get(&link.0).expect("nothing is said after the last reply");
                    if let ServerChangeReply::Accepted { ticket } = reply {
                        self.tickets.insert(node, ticket);
                    }
                    if reply.is_last() {
                        self.open.remove(&link.0);
                    }
                }
                FloorAction::End(share) => assert!(self.bridges.remove(&share), "{share} is ended once, and only if it is there"),
                FloorAction::Show(source) => {
                    self.wanted = match source {
                        Source::Lecturer => None,
                        Source::Share(share) => Some(share),
                    };
                }
            }
        }
        assert!(self.wanted.is_none_or(|share| self.bridges.contains(&share)), "what is to be shown is there");
        assert!(floor.staged.len() <= MAX_STAGED);
        assert_eq!(floor.shares.iter().map(|share| share.link.0).collect::<BTreeSet<_>>(), self.open.keys().copied().collect());
        let bridged = floor.shares.iter().filter(|share| matches!(share.phase, Phase::Rehearsing { .. } | Phase::Staged));
        assert_eq!(bridged.map(|share| share.id).collect::<BTreeSet<_>>(), self.bridges);
        let between = |share: &&Share| matches!(share.phase, Phase::Granted { .. } | Phase::Rehearsing { .. });
        assert!(floor.shares.iter().filter(between).count() <= 1, "one at a time is about to be shown");
        let nodes: Vec<NodeId> = floor.shares.iter().filter(|share| !share.is_staged()).map(|share| share.node).collect();
        assert_eq!(nodes.iter().collect::<BTreeSet<_>>().len(), nodes.len(), "one request per node");
        assert!(floor.report(true).requests.len() <= MAX_REQUESTS);
    }
}

fn any<T: Copy>(items: impl Iterator<Item = T>, random: u64) -> Option<T> {
    let items: Vec<T> = items.collect();
    items.get(usize::try_from(random).unwrap() % items.len().max(1)).copied()
}

/// One run of chance: nodes ask, leave, bring screens and lose them, people decide, time goes on.
fn run(seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut floor = floor([Policy::Free, Policy::Ask][usize::try_from(random(2)).unwrap()]);
    let mut program = Program::default();
    for link in 1..300 {
        let node = NodeId(random(12));
        match random(12) {
            0..3 => {
                program.open.insert(link, node);
                floor.handle_request(Link(link), &request(node.0), program.now);
            }
            3..5 => {
                if let Some((node, ticket)) = any(program.tickets.iter(), random(99)).map(|(node, ticket)| (*node, *ticket))
                    && let Some(granted) = floor.handle_present(node, &ticket, program.now)
                {
                    assert!(program.bridges.insert(granted.share), "a ticket is good once");
                }
            }
            5..8 => {
                if program.live != program.wanted {
                    program.live = program.wanted;
                    floor.handle_shown(program.live.map_or(Source::Lecturer, Source::Share));
                }
            }
            8 => {
                if let Some(share) = any(program.bridges.iter().copied(), random(99)) {
                    floor.handle_lost(share, "gone");
                }
            }
            9 => {
                if let Some(link) = any(program.open.keys().copied(), random(99)) {
                    program.open.remove(&link);
                    floor.handle_closed(Link(link));
                }
            }
            10 => match random(12) {
                0 => floor.handle_back(),
                1 => floor.handle_gone(node),
                2 => floor
                    .set_policy([Policy::Free, Policy::Ask, Policy::Locked][usize::try_from(random(3)).unwrap()], program.now),
                3 | 4 => drop(floor.handle_refuse(None)),
                _ => drop(floor.handle_approve(None, program.now)),
            },
            _ => {
                program.now += Duration::from_secs(random(8));
                floor.handle_timeout(program.now);
                assert!(floor.poll_deadline().is_none_or(|deadline| deadline > program.now));
            }
        }
        program.carry_out(&mut floor);
    }
    program.open.clear();
    let links: Vec<Link> = floor.shares.iter().map(|share| share.link).collect();
    links.into_iter().for_each(|link| floor.handle_closed(link));
    program.carry_out(&mut floor);
    assert!(program.bridges.is_empty() && program.wanted.is_none() && floor.poll_deadline().is_none(), "nothing is left");
}

#[test]
fn whatever_happens_one_screen_is_to_be_shown_and_nothing_is_left_behind() {
    (0..2000).for_each(run);
}
