//! Answers as figures by depth.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use treevnc_protocol::tree::message::MeasuredDelay;

/// A check that was sent; times in microseconds of the session clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) check: u64,
    pub(super) began: u64,
    pub(super) bytes: u64,
    pub(super) expected: u32,
}

/// One node's answer to one check; times in microseconds.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) check: u64,
    pub(super) began: u64,
    pub(super) frame_bytes: u64,
    pub(super) node: String,
    pub(super) name: String,
    pub(super) depth: u8,
    pub(super) bytes: u32,
    pub(super) delay: u32,
    pub(super) one_way: u32,
    pub(super) round_trip: u32,
    pub(super) shown: Option<u32>,
}

/// What the answers of one depth come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) nodes: usize,
    pub(super) delay: Quantiles,
    pub(super) one_way: Quantiles,
}

/// What was measured.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured {
    /// The session's name, if it is known.
    pub(super) session: Option<String>,
    pub(super) sent: Vec<Sent>,
    pub(super) answers: Vec<Answer>,
    /// Answers that did not come; unknown from a file.
    pub(super) missing: Option<usize>,
}

/// In microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Quantiles {
    pub(super) count: usize,
    pub(super) median: u32,
    pub(super) p95: u32,
    pub(super) p99: u32,
    pub(super) max: u32,
}

impl Answer {
    /// `sent` has the check, unless it was sent before anybody asked.
    pub(super) fn new(reply: MeasuredDelay, sent: &[Sent]) -> Self {
        let check = sent.iter().rev().find(|sent| sent.check == reply.check.0);
        Self {
            check: reply.check.0,
            began: check.map_or(0, |sent| sent.began),
            frame_bytes: check.map_or(0, |sent| sent.bytes),
            node: reply.node.to_string(),
            name: reply.name.to_string(),
            depth: reply.depth,
            bytes: reply.bytes,
            delay: reply.delay,
            one_way: reply.one_way,
            round_trip: reply.round_trip,
            shown: reply.shown,
        }
    }
}

impl Quantiles {
    /// By nearest rank.
    fn of(mut times: Vec<u32>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).max(1) - 1;
            times.get(rank).copied().unwrap_or_default()
        };
        Self { count: times.len(), median: at(50), p95: at(95), p99: at(99), max: at(100) }
    }
}

/// The figures of each depth.
pub(super) fn figures(answers: &[Answer]) -> BTreeMap<u8, Figures> {
    let mut by_depth: BTreeMap<u8, Vec<&Answer>> = BTreeMap::new();
    answers.iter().for_each(|answer| by_depth.entry(answer.depth).or_default().push(answer));
    let figures = |answers: Vec<&Answer>| Figures {
        nodes: answers.iter().map(|answer| answer.node.as_str()).collect::<BTreeSet<_>>().len(),
        delay: Quantiles::of(answers.iter().map(|answer| answer.delay).collect()),
        one_way: Quantiles::of(answers.iter().map(|answer| answer.one_way).collect()),
    };
    by_depth.into_iter().map(|(depth, answers)| (depth, figures(answers))).collect()
}

/// Answers that did not come.
pub(super) fn missing(sent: &[Sent], answers: usize) -> usize {
    let expected: usize = sent.iter().map(|sent| sent.expected as usize).sum();
    expected.saturating_sub(answers)
}

/// A table for people, times in milliseconds.
pub(super) fn by_depth(measured: &Measured) -> String {
    let Measured { sent, answers, missing, .. } = measured;
    let bytes: u64 = sent.iter().map(|sent| sent.bytes).sum();
    let mean = bytes.checked_div(sent.len() as u64).unwrap_or(0);
    let mut out = format!("{} checks, {mean} bytes each on average; {} answers", sent.len(), answers.len());
    out += &missing.map(|missing| format!(", {missing} missing\n")).unwrap_or_else(|| "\n".to_owned());
    out += "from the first byte at the root to the complete frame (one way), and until the answer is back (delay), in ms\n";
    out += " depth  nodes  answers | one way: median     p95     p99     max | delay: median     p95     p99     max\n";
    for (depth, Figures { nodes, delay, one_way }) in figures(answers) {
        let ms = |micros: u32| f64::from(micros) / 1e3;
        let row = |of: Quantiles| format!("{:>7.1} {:>7.1} {:>7.1}", ms(of.p95), ms(of.p99), ms(of.max));
        let _ = writeln!(
            out,
            "{depth:>6} {nodes:>6} {:>8} | {:>15.1} {} | {:>13.1} {}",
            delay.count,
            ms(one_way.median),
            row(one_way),
            ms(delay.median),
            row(delay)
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_by_depth_and_by_nearest_rank() {
        let answer = |node: u32, depth: u8, delay: u32| Answer {
            check: 1,
            began: 0,
            frame_bytes: 10,
            node: node.to_string(),
            name: String::new(),
            depth,
            bytes: 10,
            delay,
            one_way: delay / 2,
            round_trip: 1,
            shown: None,
        };
        let answers: Vec<_> = (1..=100).map(|n| answer(n % 4, 1, n * 1000)).chain([answer(9, 2, 7000)]).collect();
        let figures = figures(&answers);
        assert_eq!(figures[&1].delay, Quantiles { count: 100, median: 50_000, p95: 95_000, p99: 99_000, max: 100_000 });
        assert_eq!((figures[&1].nodes, figures[&2].nodes, figures[&2].one_way.max), (4, 1, 3500));
        let sent = [Sent { check: 1, began: 0, bytes: 10, expected: 110 }];
        let missing = Some(missing(&sent, answers.len()));
        let table = by_depth(&Measured { session: None, sent: sent.to_vec(), answers, missing });
        assert!(table.starts_with("1 checks, 10 bytes each on average; 101 answers, 9 missing\n"), "{table}");
        assert!(
            table.ends_with(
                "     2      1        1 |             3.5     3.5     3.5     3.5 |           7.0     7.0     7.0     7.0\n"
            ),
            "{table}"
        );
    }
}
