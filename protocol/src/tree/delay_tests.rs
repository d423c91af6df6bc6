use super::*;
use crate::tree::message::{CheckCounts, DelayReply, Intake, MAX_DELAY_REPLIES};
use crate::tree::slot::NodeId;
use crate::tree::topology::MAX_NODES;
use crate::update::Seq;
use proptest::prelude::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn check(seq: u64, began: Duration, expected: usize) -> Check {
    Check { seq: Seq(seq), began, bytes: 1000, expected }
}

fn receipt(check: u64, bytes: u64, at: Duration) -> Receipt {
    Receipt { check: Seq(check), bytes, total: Intake { bytes: 7 * bytes, skipped: 3 }, at }
}

fn reply(check: u64, node: u64) -> DelayReply {
    let (check, node, total) = (Seq(check), NodeId(node), Intake::default());
    DelayReply { check, node, depth: 1, bytes: 5, total, shown: None, round_trip: 0, way_back: 0, held: 0 }
}

fn answer(gatherer: &mut Gatherer, check: Seq, node: u64, at: Duration) {
    gatherer.answer(NodeId(node), &receipt(check.0, 10, at), None);
}

#[test]
fn what_was_painted_over_is_the_gap_in_the_numbers() {
    let mut intake = Intake::default();
    for (before, seq) in [(10, 11), (11, 12), (12, 16), (16, 17)] {
        intake.count_bytes(100);
        intake.count_skipped(Seq(before), Seq(seq));
    }
    assert_eq!(intake, Intake { bytes: 400, skipped: 3 });
    intake.count_skipped(Seq(17), Seq(u64::MAX));
    intake.count_skipped(Seq(17), Seq(u64::MAX));
    intake.count_skipped(Seq(9), Seq(3));
    assert_eq!(intake.skipped, u64::MAX, "made-up numbers overflow nothing");
}

#[test]
fn an_answer_counts_the_links_it_goes_over_and_the_time_it_waits() {
    // Published at 100 ms; 30 ms down to depth 2; the node answers at once, its parent holds it for 80 ms; each link is 5 ms long.
    let (mut node, mut parent, mut root) = (Gatherer::default(), Gatherer::default(), Checks::default());
    root.sent(check(7, ms(100), 2));
    node.answer(NodeId(2), &receipt(7, 1000, ms(130)), Some(ms(12)));
    let replies = node.poll(ms(130)).unwrap();
    parent.answer(NodeId(1), &receipt(7, 1000, ms(115)), None);
    let own = parent.poll(ms(115)).unwrap();
    parent.pass_on(&replies, Some(ms(14)), Some(ms(10)), ms(135));
    assert_eq!((parent.poll(ms(214)), parent.deadline()), (None, Some(ms(215))), "one message in a period");
    let passed = parent.poll(ms(215)).unwrap();
    let first = root.answered(&own[0], Some(ms(11)), Some(ms(10)), ms(120)).unwrap();
    assert_eq!((first.depth, first.delay, first.one_way), (1, ms(20), ms(15)));
    assert_eq!((first.round_trip, first.shown), (ms(11), None));
    let second = root.answered(&passed[0], Some(ms(11)), Some(ms(10)), ms(220)).unwrap();
    assert_eq!((second.depth, second.delay, second.one_way), (2, ms(40), ms(30)));
    assert_eq!((second.round_trip, second.shown, second.bytes), (ms(14), Some(ms(12)), 1000));
    assert_eq!((second.at, second.total), (ms(130), Intake { bytes: 7000, skipped: 3 }), "as it was when the check came");
    assert_eq!(root.count(Seq(7)), 2);
}

#[test]
fn messages_to_a_parent_are_few_and_no_answer_is_lost_within_reason() {
    let mut gatherer = Gatherer::default();
    let (mut sent, mut messages) = (0, 0);
    for at in 0..3000 {
        gatherer.answer(NodeId(at), &receipt(1, 10, ms(at)), None);
        if let Some(replies) = gatherer.poll(ms(at)) {
            assert!(replies.len() <= MAX_DELAY_REPLIES);
            (sent, messages) = (sent + replies.len(), messages + 1);
        }
    }
    assert_eq!(messages, 30);
    assert_eq!(sent, 2901, "the last wait for the next message");
    let rest = flood(&mut gatherer, 100_000, |_| Seq(2));
    assert_eq!((rest.len(), gatherer.deadline()), (MAX_NODES / 4, None), "what is too much is dropped");
}

/// What goes up in half a minute after the answers of so many nodes have come at once.
fn flood(gatherer: &mut Gatherer, nodes: u64, check: impl Fn(u64) -> Seq) -> Vec<DelayReply> {
    (0..nodes).for_each(|node| answer(gatherer, check(node), node, ms(4000)));
    (0..300).filter_map(|n| gatherer.poll(ms(4000 + n * 100))).flatten().collect()
}

#[test]
fn when_answers_are_too_many_all_nodes_send_those_to_the_same_checks() {
    let first_of = |checks: &mut dyn Iterator<Item = u64>| {
        let mut gatherer = Gatherer::default();
        (1..=400).for_each(|check| gatherer.check_came(Seq(check)));
        for check in checks {
            (0..256).for_each(|node| answer(&mut gatherer, Seq(check), node, ms(0)));
        }
        let messages = (0..400).map_while(|n| gatherer.poll(ms(n * 100)));
        let of_one_check = |replies: Vec<DelayReply>| {
            assert!(replies.len() == 256 && replies.iter().all(|reply| reply.check == replies[0].check), "a whole check each");
            replies[0].check
        };
        messages.map(of_one_check).collect::<Vec<_>>()
    };
    let order = first_of(&mut (1..=400));
    assert_eq!(order.len(), 128, "of those that wait the last are dropped");
    assert_eq!(order, first_of(&mut (1..=400).rev()), "whichever comes first");
    let all = order.iter().map(|check| check.0).sum::<u64>();
    assert!((128 * 150..128 * 250).contains(&all), "neither the newest nor the oldest: {}", all / 128);
}

#[test]
fn answers_to_checks_that_never_were_displace_no_others() {
    let mut gatherer = Gatherer::default();
    gatherer.check_came(Seq(5));
    answer(&mut gatherer, Seq(6), 1, ms(0));
    assert_eq!(gatherer.poll(ms(0)).unwrap().len(), 1, "a parent that is not told of a check yet passes answers to it on");
    let sent = flood(&mut gatherer, 60_000, |at| Seq(if at % 100 == 0 { 5 } else { 1000 + at }));
    assert_eq!(sent.len(), MAX_NODES / 4);
    assert!(sent.iter().take(600).all(|reply| reply.check == Seq(5)) && sent[600].check != Seq(5));
}

#[test]
fn an_answer_that_has_waited_for_half_a_minute_is_lost() {
    let (mut node, mut parent) = (Gatherer::default(), Gatherer::default());
    answer(&mut node, Seq(1), 1, ms(0));
    answer(&mut node, Seq(1), 2, ms(1));
    let replies = node.poll(ms(20_000)).unwrap();
    parent.pass_on(&replies, None, None, ms(20_001));
    assert_eq!(parent.clone().poll(ms(30_001)).map(|sent| sent.len()), Some(2));
    assert_eq!(parent.clone().poll(ms(30_002)).map(|sent| sent.len()), Some(1));
    assert_eq!((parent.poll(ms(30_003)), parent.deadline()), (None, None));
    answer(&mut parent, Seq(2), 3, ms(30_004));
    assert!(parent.poll(ms(30_004)).is_some(), "nothing has gone, so this need not wait");
}

#[test]
fn the_root_believes_one_answer_of_a_node_to_a_check_that_it_has_sent() {
    let mut root = Checks::default();
    root.sent(check(1, ms(0), 3));
    let reply = |check, node| DelayReply { way_back: u32::MAX, held: u32::MAX, ..reply(check, node) };
    let delay = root.answered(&reply(1, 1), None, None, ms(10)).unwrap();
    assert_eq!((delay.delay, delay.one_way), (Duration::ZERO, Duration::ZERO), "never below nothing");
    assert_eq!(root.answered(&reply(1, 1), None, None, ms(11)), None);
    assert_eq!(root.answered(&reply(2, 1), None, None, ms(11)), None);
    assert_eq!(root.answered(&DelayReply { depth: 0, ..reply(1, 2) }, None, None, ms(11)), None);
    let believed = (2..10_000).filter(|node| root.answered(&reply(1, *node), None, None, ms(12)).is_some()).count();
    assert_eq!(believed, 63, "a child that makes nodes up fills no memory");
}

#[test]
fn the_root_remembers_checks_for_a_minute_and_not_too_many() {
    let counts = |root: &mut Checks, check, node| root.answered(&reply(check, node), None, None, ms(70_000)).is_some();
    let mut root = Checks::default();
    root.sent(check(1, ms(0), 3));
    root.sent(check(2, ms(1), 3));
    root.sent(check(3, ms(60_000), 3));
    assert!(counts(&mut root, 1, 1), "20 checks a second are more than a thousand within that time");
    root.sent(check(4, ms(60_001), 3));
    assert!(!counts(&mut root, 1, 2) && counts(&mut root, 2, 1));
    assert_eq!(root.counts(), CheckCounts { sent: 4, answers: 2, missing: 2 });
    for seq in 5..10_000 {
        root.sent(check(seq, ms(60_001), 3));
    }
    let first = 10_000 - 4096;
    assert!(!counts(&mut root, first - 1, 1) && counts(&mut root, first, 1), "however quickly they come");
    let mut root = Checks::default();
    for seq in 1..=9 {
        root.sent(check(seq, ms(0), MAX_NODES));
        assert!((0..MAX_NODES as u64).all(|node| counts(&mut root, seq, node)));
    }
    assert!(root.count(Seq(1)) == 0 && root.count(Seq(2)) == MAX_NODES, "a million answers");
}

proptest! {
    /// Whatever a chain of nodes does, times never overflow, and an answer's delay is at most the time since the frame began.
    #[test]
    fn delays_stay_within_the_time_that_has_passed(
        waits in prop::collection::vec((0u64..300, 0u64..2000), 1..12),
        began in 0u64..1000,
    ) {
        let mut root = Checks::default();
        root.sent(check(1, ms(began), 20));
        let mut now = began + 5;
        let mut carried: Option<Vec<DelayReply>> = None;
        for (wait, trip) in &waits {
            let mut node = Gatherer::default();
            match &carried {
                None => node.answer(NodeId(9), &receipt(1, 1, ms(now)), None),
                Some(replies) => node.pass_on(replies, Some(ms(*trip)), Some(ms(*trip)), ms(now)),
            }
            now += wait;
            carried = node.poll(ms(now));
            now += 1;
        }
        let reply = carried.unwrap()[0];
        prop_assert_eq!(usize::from(reply.depth), waits.len());
        let delay = root.answered(&reply, None, None, ms(now)).unwrap();
        let held: u64 = waits.iter().map(|(wait, _)| wait).sum();
        prop_assert_eq!(delay.delay, ms(now - began - held));
        prop_assert!(delay.one_way <= delay.delay);
    }
}
