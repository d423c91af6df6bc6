use super::*;
use treevnc_protocol::tree::delay::Check;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A check that began at `began`, every tenth update one; the node has it 10 ms later.
fn answer(node: u64, check: u64, began: u64, bytes: u64, skipped: u64) -> Delay {
    let sent = Check { seq: Seq(check * 10), began: ms(began), bytes: 1000, expected: 1 };
    Delay {
        check: sent,
        after: (check > 1).then_some(Seq((check - 1) * 10)),
        at: ms(began + 10),
        node: NodeId(node),
        depth: 1,
        bytes: 1000,
        total: Intake { bytes, skipped },
        delay: ms(11),
        one_way: ms(10),
        round_trip: ms(2),
        shown: None,
    }
}

#[test]
fn a_rate_is_over_the_last_five_seconds() {
    let mut fares = Fares::default();
    fares.note(&answer(1, 1, 1000, 50_000, 0), None);
    assert_eq!(fares.of(NodeId(1), ms(1010)).unwrap().rate, None, "one answer tells no rate");
    // 100,000 bytes every second, then 10,000.
    for check in 2..=20 {
        let fast = check.min(10) - 1;
        let bytes = 50_000 + fast * 100_000 + (check - 1 - fast) * 10_000;
        fares.note(&answer(1, check, check * 1000, bytes, 0), None);
        let rate = fares.of(NodeId(1), ms(30_000)).unwrap().rate;
        match check {
            2..=10 => assert_eq!(rate, Some(800_000)),
            15.. => assert_eq!(rate, Some(80_000), "at check {check}"),
            _ => assert!(rate.is_some_and(|rate| (80_000..800_000).contains(&rate))),
        }
    }
    let fare = fares.of(NodeId(1), ms(30_000)).unwrap();
    assert_eq!((fare.age, fare.one_way, fare.round_trip), (9990, 10_000, 2000));
    assert!(!fare.is_fresh());
    assert!(fares.nodes[&NodeId(1)].samples.len() <= 7);
}

#[test]
fn answers_that_were_lost_and_many_checks_a_second_change_no_rate() {
    let mut fares = Fares::default();
    for check in [1, 2, 5, 6, 9] {
        fares.note(&answer(1, check, check * 1000, check * 100_000, 0), None);
    }
    assert_eq!(fares.of(NodeId(1), ms(9000)).unwrap().rate, Some(800_000));
    for check in 1..1000 {
        fares.note(&answer(2, check, check * 20, check * 1000, 0), None);
    }
    assert_eq!(fares.of(NodeId(2), ms(20_000)).unwrap().rate, Some(400_000));
    assert!(fares.nodes[&NodeId(2)].samples.len() <= 8);
}

#[test]
fn while_the_screen_rests_a_rate_goes_on_where_it_was() {
    let mut fares = Fares::default();
    for check in 1..=6 {
        fares.note(&answer(1, check, check * 1000, check * 100_000, 0), None);
    }
    // A minute of nothing, and one change: over the last seconds in which there was something to get.
    fares.note(&answer(1, 7, 66_000, 700_000, 0), None);
    let rate = fares.of(NodeId(1), ms(66_010)).unwrap().rate.unwrap();
    assert!((700_000..=800_000).contains(&rate), "{rate}");
}

#[test]
fn what_is_skipped_is_told_as_a_sum_and_as_a_part_of_the_last_seconds() {
    let mut fares = Fares::default();
    fares.note(&answer(1, 1, 1000, 0, 5), None);
    for check in 2..=10 {
        fares.note(&answer(1, check, check * 1000, check, 5 + (check - 1) * 4), None);
    }
    let fare = fares.of(NodeId(1), ms(10_010)).unwrap();
    assert_eq!((fare.skipped, fare.skips), (41, 40));
    assert_eq!(fares.skipped(), 36, "what it had skipped before the first answer is not known to be of this root's time");
    for check in 11..=20 {
        fares.note(&answer(1, check, check * 1000, check, 41), None);
    }
    assert_eq!(fares.of(NodeId(1), ms(20_000)).unwrap().skips, 0, "it keeps up again");
}

#[test]
fn totals_that_go_back_begin_anew_and_old_answers_change_nothing() {
    let mut fares = Fares::default();
    (1..=3).for_each(|check| fares.note(&answer(1, check, check * 1000, check * 100_000, 9), None));
    fares.note(&answer(1, 2, 2000, 0, 0), None);
    assert_eq!(fares.of(NodeId(1), ms(3000)).unwrap().rate, Some(800_000));
    fares.note(&answer(1, 4, 4000, 1000, 0), None);
    let fare = fares.of(NodeId(1), ms(4010)).unwrap();
    assert_eq!((fare.rate, fare.skipped), (None, 0));
    fares.note(&answer(1, 5, 5000, u64::MAX, u64::MAX), None);
    let fare = fares.of(NodeId(1), ms(5010)).unwrap();
    assert_eq!((fare.rate, fare.skips), (Some(u64::MAX), 100), "made-up totals overflow nothing");
}

#[test]
fn those_behind_a_site_are_told_by_the_slowest_of_those_who_still_answer() {
    let mut fares = Fares::default();
    let (site, other) = (NodeId(100), NodeId(200));
    let late = |node, check, began, one_way| Delay { one_way: ms(one_way), ..answer(node, check, began, 0, 0) };
    fares.note(&late(1, 1, 1000, 900), Some(site));
    fares.note(&late(2, 20, 20_000, 30), Some(site));
    fares.note(&late(3, 19, 19_000, 70), Some(site));
    fares.note(&late(4, 2, 2000, 5), Some(other));
    fares.note(&late(100, 20, 20_000, 3), None);
    let behind = fares.behind(ms(22_010));
    assert_eq!(behind[&site], BehindFare { answering: 2, worst: 70_000, age: 2000 }, "the first of them has left, it seems");
    assert_eq!(behind[&other], BehindFare { answering: 1, worst: 5000, age: 20_000 });
    assert_eq!(behind.len(), 2);
    fares.forget(NodeId(100));
    assert_eq!(fares.of(NodeId(100), ms(22_000)), None);
    fares.clear(ms(615_000));
    assert!(fares.of(NodeId(1), ms(615_000)).is_none() && fares.of(NodeId(2), ms(615_000)).is_some());
}
