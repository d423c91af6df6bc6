//! Lines on virtual time: what children get of them depends on what they are held back to.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Children behind one line that shares by these weights as far as they are not held back; or each behind a line of its own.
enum Line {
    Shared { bytes: u64, weights: Vec<u64> },
    Own(Vec<u64>),
}

impl Line {
    /// What each child gets in a second.
    fn brings(&self, held: &BTreeMap<Link, u64>) -> Vec<u64> {
        let limit = |at: usize| held.get(&Link(at as u64)).copied().unwrap_or(u64::MAX);
        match self {
            Line::Own(lines) => lines.iter().enumerate().map(|(at, line)| (*line).min(limit(at))).collect(),
            Line::Shared { bytes, weights } => {
                let mut got = vec![0; weights.len()];
                // What one is not let take, the others take by their weights.
                for _ in 0..weights.len() {
                    let left = bytes - got.iter().sum::<u64>();
                    let open: Vec<_> = (0..got.len()).filter(|at| got[*at] < limit(*at)).collect();
                    let all: u64 = open.iter().map(|at| weights[*at]).sum();
                    open.iter().for_each(|at| got[*at] = (got[*at] + left * weights[*at] / all).min(limit(*at)));
                }
                got
            }
        }
    }
}

/// What the children got in each second.
fn play(line: &Line, seconds: usize) -> Vec<Vec<u64>> {
    let (mut balance, mut held) = (Balance::new(), BTreeMap::new());
    (0..seconds)
        .map(|_| {
            let got = line.brings(&held);
            held = balance.handle_window(SECOND, &windows(&got));
            got
        })
        .collect()
}

fn windows(got: &[u64]) -> Vec<ChildWindow> {
    let window =
        |(at, received): (usize, &u64)| ChildWindow { link: Link(at as u64), received: *received, behind: true, waited: SECOND };
    got.iter().enumerate().map(window).collect()
}

#[test]
fn children_behind_one_line_get_about_the_same_and_all_of_it() {
    for weights in [vec![7, 1], vec![1, 30], vec![5, 3, 1, 1]] {
        let bytes = 600_000;
        for got in &play(&Line::Shared { bytes, weights }, 60)[5..] {
            let (least, most) = (got.iter().min().unwrap(), got.iter().max().unwrap());
            assert!(most < &(least * 2), "{got:?}");
            assert!(got.iter().sum::<u64>() > bytes * 9 / 10, "{got:?}");
        }
    }
}

#[test]
fn a_slow_line_of_ones_own_costs_the_others_a_few_seconds_now_and_then() {
    let line = Line::Own(vec![5_000_000, 400_000]);
    let got = play(&line, 600);
    let all: u64 = got.iter().map(|got| got[0]).sum();
    assert!(all > 600 * 5_000_000 * 95 / 100, "{all}");
    assert!(got.iter().all(|got| got[1] == 400_000));
}

#[test]
fn those_who_get_about_the_same_are_let_alone() {
    let mut balance = Balance::new();
    for got in [[500_000, 350_000], [350_000, 500_000], [500_000, 500_000]].iter().cycle().take(60) {
        assert_eq!(balance.handle_window(SECOND, &windows(got)), BTreeMap::new());
    }
}

#[test]
fn when_one_has_caught_up_nobody_is_held_back() {
    let line = Line::Shared { bytes: 600_000, weights: vec![7, 1] };
    let (mut balance, mut held) = (Balance::new(), BTreeMap::new());
    for _ in 0..10 {
        held = balance.handle_window(SECOND, &windows(&line.brings(&held)));
    }
    assert_eq!(held.len(), 2);
    let mut quiet = windows(&line.brings(&held));
    quiet[1].behind = false;
    assert_eq!(balance.handle_window(SECOND, &quiet), BTreeMap::new());
}

#[test]
fn a_line_that_becomes_wider_is_used() {
    let (mut balance, mut held) = (Balance::new(), BTreeMap::new());
    let mut got = Vec::new();
    for second in 0..40 {
        let bytes = if second < 15 { 300_000 } else { 1_200_000 };
        got = Line::Shared { bytes, weights: vec![7, 1] }.brings(&held);
        held = balance.handle_window(SECOND, &windows(&got));
    }
    assert!(got.iter().sum::<u64>() > 1_000_000, "{got:?}");
}

#[test]
fn nothing_that_is_measured_overflows() {
    let mut balance = Balance::new();
    for _ in 0..20 {
        balance.handle_window(Duration::ZERO, &windows(&[u64::MAX, 0, 5]));
        balance.handle_window(Duration::MAX, &windows(&[u64::MAX, 1]));
    }
}
