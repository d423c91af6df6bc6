use super::*;
use std::time::Duration;

const US: fn(u64) -> Duration = Duration::from_micros;
/// A message with one answer on a line of 8 Mbit/s, in microseconds: 16 bytes and a segment's headers.
const ANSWER: u64 = 85;

/// Of these rows the nodes and median of each.
fn medians(report: &DeliveryReport) -> Vec<(usize, Duration)> {
    assert_eq!((&report.refused, report.skipped), (&None, 0));
    report.depths.iter().map(|row| (row.nodes, row.one_way.unwrap().median)).collect()
}

fn all_alike(report: &DeliveryReport) -> bool {
    report.depths.iter().filter_map(|row| row.one_way).all(|one_way| one_way.min == one_way.max)
}

/// 8 Mbit/s, a byte in a microsecond; updates that are one full segment of 1514 bytes, headers included.
fn small() -> DeliverySettings {
    DeliverySettings {
        nodes: 6,
        uplink_bits_per_second: 8_000_000,
        frame_bytes: 3 * 1416,
        update_bytes: 1416,
        latency: US(100),
        per_update: US(10),
        ..DeliverySettings::default()
    }
}

#[test]
fn a_small_tree_is_as_calculated_by_hand() {
    // To both children at once, an update takes 2 x 1514 us; three of them, the link, the program. Then the last update once more, beside
    // which a node's own answer goes up its line.
    let report = deliver(&small());
    assert_eq!(medians(&report), [(2, US(3 * 3028 + 110)), (4, US(3 * 3028 + 110 + 3028 + ANSWER + 110))]);
    assert!(all_alike(&report));
    assert_eq!(report.depths[0].floor, US(6 * 1514 + 100));
    assert_eq!(report.depths[1].floor, US(6 * 1514 + 100 + 1514 + 100));
    // A node that is alone has the whole line of its parent.
    let report = deliver(&DeliverySettings { nodes: 5, ..small() });
    assert_eq!(report.depths[1].one_way.unwrap().min, US(3 * 3028 + 110 + 1514 + ANSWER + 110));
    let report = deliver(&DeliverySettings { nodes: 1, ..small() });
    assert_eq!((medians(&report), report.depths[0].floor), (vec![(1, US(3 * 1514 + 110))], US(3 * 1514 + 100)));
}

#[test]
fn a_program_that_is_slower_than_its_line_is_what_is_waited_for() {
    let report = deliver(&DeliverySettings { per_update: US(5000), ..small() });
    let first = US(3028 + 100 + 3 * 5000);
    assert_eq!(medians(&report), [(2, first), (4, first + US(3028 + ANSWER + 100 + 5000))]);
}

#[test]
fn in_turns_the_left_child_is_one_update_ahead() {
    let report = deliver(&DeliverySettings { sharing: Sharing::InTurns, ..small() });
    let row = |depth: usize| report.depths[depth].one_way.map(|one_way| (one_way.min, one_way.median, one_way.max));
    let [left, right] = [5 * 1514 + 110, 6 * 1514 + 110];
    assert_eq!(row(0), Some((US(left), US(left), US(right))));
    // Left of left, right of left and left of right, right of right; each parent's answer is first in its line.
    let [own, both] = [ANSWER + 1514 + 110, ANSWER + 3028 + 110];
    assert_eq!(row(1), Some((US(left + own), US(left + both), US(right + both))));
}

#[test]
fn delays_grow_with_depth_and_are_never_below_the_floor() {
    let mut random = crate::random::Random::new(11);
    for _ in 0..40 {
        let frame_bytes = 20_000 + random.below(500_000);
        let settings = DeliverySettings {
            nodes: 1 + random.below(300),
            uplink_bits_per_second: 1_000_000 + random.draw() % 1_000_000_000,
            frame_bytes,
            update_bytes: 1000 + random.below(frame_bytes),
            latency: US(random.below(20_000) as u64),
            per_update: US(random.below(500) as u64),
            frames: 1 + random.below(3),
            whole_frames: random.chance(20),
            ..DeliverySettings::default()
        };
        let settings = DeliverySettings { interval: settings.floor(40) * 3 + Duration::from_secs(2), ..settings };
        let report = deliver(&settings);
        assert_eq!((&report.refused, report.skipped), (&None, 0), "{settings:?}");
        assert_eq!(report.depths.iter().map(|row| row.nodes).sum::<usize>(), settings.nodes);
        let mut above = Duration::ZERO;
        for row in &report.depths {
            let one_way = row.one_way.unwrap();
            assert_eq!(one_way.count, row.nodes * settings.frames);
            assert!(one_way.min >= row.floor, "{row:?} {settings:?}");
            assert!(one_way.min > above, "{row:?} {settings:?}");
            above = one_way.min;
        }
        assert_eq!(report, deliver(&settings), "the same again");
    }
}

#[test]
fn whole_frames_take_two_frames_a_level() {
    let settings = DeliverySettings { nodes: 254, whole_frames: true, ..DeliverySettings::default() };
    let report = deliver(&settings);
    let frame = Duration::from_secs(8) / 100;
    for (row, (_, median)) in report.depths.iter().zip(medians(&report)) {
        let ratio = median.as_secs_f64() / (frame * 2 * row.depth).as_secs_f64();
        assert!((1.0..1.06).contains(&ratio), "{ratio}: headers are 5 percent");
    }
    let cut = deliver(&DeliverySettings { whole_frames: false, ..settings });
    let deepest = |report: &DeliveryReport| report.deepest().unwrap().one_way.unwrap().median;
    assert!(deepest(&cut) * 5 < deepest(&report));
}

#[test]
fn frames_that_come_faster_than_the_lines_take_them_are_skipped_not_queued() {
    // A frame takes two thirds of a second to both children; three come in a second.
    let rate =
        DeliverySettings { uplink_bits_per_second: 25_000_000, frames: 30, interval: US(333_333), ..DeliverySettings::default() };
    let report = deliver(&DeliverySettings { nodes: 62, ..rate });
    let slowest = report.depths.iter().filter_map(|row| row.one_way).map(|one_way| one_way.max).max().unwrap();
    assert!(report.skipped > 62 * 10, "{}", report.skipped);
    assert!(slowest < Duration::from_millis(1700), "{slowest:?}: at most what is being sent, and then the newest");
    let report = deliver(&DeliverySettings { nodes: 62, interval: US(750_000), ..rate });
    assert_eq!(report.skipped, 0);
}

#[test]
fn what_is_beyond_a_limit_is_refused() {
    let usual = DeliverySettings::default();
    for wrong in [
        DeliverySettings { nodes: 0, ..usual },
        DeliverySettings { nodes: 200_000, ..usual },
        DeliverySettings { uplink_bits_per_second: 0, ..usual },
        DeliverySettings { update_bytes: 0, ..usual },
        DeliverySettings { update_bytes: 100, ..usual },
        DeliverySettings { frame_bytes: 16, ..usual },
        DeliverySettings { frame_bytes: 1 << 30, whole_frames: true, ..usual },
        DeliverySettings { frames: 1_000_000, ..usual },
    ] {
        let report = deliver(&wrong);
        assert!(report.refused.is_some() && report.depths.is_empty(), "{wrong:?}");
    }
}

/// The answers of so many nodes, each to so many checks a second for ten seconds, with frames of 64 KB; and when the last one was there.
fn answers(nodes: usize, per_second: u32) -> (AnswerFigures, Duration) {
    let (frames, interval) = (10 * per_second as usize, Duration::from_secs(1) / per_second);
    let report = deliver(&DeliverySettings { nodes, frame_bytes: 64_000, frames, interval, ..DeliverySettings::default() });
    let answers = report.answers.clone();
    assert_eq!(
        (medians(&report).is_empty(), answers.given, answers.expected),
        (false, answers.expected, (nodes * frames) as u64)
    );
    assert_eq!((answers.counted + answers.late + answers.lost, answers.too_short), (answers.given, 0));
    // A child's messages leave it at least 100 ms apart. They are not all of one size, so one more may arrive within a second.
    assert!(answers.most_per_second <= 11, "{answers:?}");
    let tenths = report.ended.as_millis().div_ceil(100);
    assert!(u128::from(answers.messages) <= 2 * (tenths + 1), "{answers:?}");
    (answers, report.ended)
}

#[test]
fn ten_messages_a_second_from_each_child_are_enough_for_a_thousand_nodes() {
    for nodes in [1, 2, 100, 1000] {
        let (answers, _) = answers(nodes, 1);
        assert_eq!((answers.counted, answers.lost, answers.late), (answers.expected, 0, 0), "{nodes}");
        let (error, climb) = (answers.error.unwrap(), answers.climb.unwrap());
        assert!(error.max < US(900), "{nodes}: {error:?}");
        assert!(climb.max < Duration::from_millis(900), "{nodes}: {climb:?}");
    }
    let once = DeliverySettings { nodes: 10_000, ..DeliverySettings::default() };
    let answers = deliver(&once).answers;
    assert_eq!((answers.expected, answers.counted), (10_000, 10_000), "one check alone");
    assert!(answers.error.unwrap().max < US(2500), "{answers:?}");
}

#[test]
fn a_check_alone_is_complete_although_its_answers_take_many_messages() {
    let nodes = 40_000;
    let report = deliver(&DeliverySettings { nodes, frame_bytes: 64_000, ..DeliverySettings::default() });
    assert_eq!((report.answers.complete, report.answers.counted), (1, 40_000));
    assert!(report.ended > Duration::from_millis(7800), "256 answers in each of ten messages a second from two children");
}

#[test]
fn more_answers_than_ten_messages_hold_are_missing_by_whole_checks_and_what_comes_is_of_use() {
    // 256 answers fit into a message: at most 5120 a second come through both children.
    for (nodes, per_second, complete) in [(1000, 20, 100), (4000, 4, 20)] {
        let (answers, ended) = answers(nodes, per_second);
        assert!(answers.lost > 0 && answers.late == 0, "{answers:?}");
        assert!(u128::from(answers.counted) * 1000 > 4900 * ended.as_millis(), "{answers:?} in {ended:?}");
        assert!(answers.complete > complete && answers.complete < answers.checks, "{answers:?}");
        assert!(answers.most_of_a_node < answers.fewest_of_a_node * 2, "{answers:?}");
        assert!(answers.error.unwrap().max < Duration::from_millis(3), "those that come are right: {answers:?}");
    }
}

#[test]
fn nodes_deep_below_are_counted_about_as_often_as_those_near_the_root() {
    // 12,500 answers a second for half a minute, of which two in five fit; were the newest checks first, some nodes would have all 1500.
    let (frames, interval) = (1500, Duration::from_millis(20));
    let report = deliver(&DeliverySettings { nodes: 250, frame_bytes: 64_000, frames, interval, ..DeliverySettings::default() });
    let answers = &report.answers;
    assert!(answers.complete > 750 && answers.fewest_of_a_node > 750, "{answers:?}");
    assert!(answers.most_of_a_node * 3 < answers.fewest_of_a_node * 4, "{answers:?}");
}
