//! What was measured as a figure for a paper: how the delays are distributed, what a level of the tree costs, and size against delay for
//! each depth, as the original TreeVNC plotted it.

use super::table::{self, Answer, Measured};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use treevnc_plot::{Axis, Chart, Series, Sheet};

const COLUMNS: usize = 3;
/// So many beside each other have letters of 6.5 points on a page of A4.
const CHART_PX: (u32, u32) = (310, 260);
/// When the longest is so many times the shortest, the axis is logarithmic.
const WIDE: f64 = 25.0;

/// One axis that all charts share, as far as it goes.
struct Shared {
    log: bool,
    from: f64,
    to: f64,
}

impl Shared {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values.filter(|value| *value > 0.0).fold((f64::MAX, 0.0), |(a, b), v| (f64::min(a, v), f64::max(b, v)));
        let log = low < high && high / low > WIDE;
        if log { Self { log, from: low / 1.2, to: high * 1.2 } } else { Self { log, from: 0.0, to: high * 1.06 } }
    }

    fn axis(&self, label: &str) -> Axis {
        let axis = if self.log { Axis::log(label) } else { Axis::linear(label) };
        axis.within(self.from, self.to)
    }
}

/// The whole figure.
pub(super) fn sheet(measured: &Measured) -> Sheet {
    let answers = &measured.answers;
    let mut by_depth: BTreeMap<u8, Vec<&Answer>> = BTreeMap::new();
    answers.iter().for_each(|answer| by_depth.entry(answer.depth).or_default().push(answer));
    let sizes = Shared::of(answers.iter().map(kilobytes));
    let times = Shared::of(answers.iter().flat_map(|answer| [ms(answer.one_way), ms(answer.delay)]));
    let one_way = distribution("distribution, one way", &by_depth, &times, |answer| answer.one_way);
    let and_back = distribution("distribution, with the way back", &by_depth, &times, |answer| answer.delay);
    let sizes = by_depth.iter().map(|(depth, answers)| by_size(*depth, answers, &sizes, &times));
    let charts = [one_way, and_back, levels(answers)].into_iter().chain(sizes).collect();
    Sheet { chart_px: CHART_PX, ..Sheet::new(title(measured), COLUMNS, charts) }
}

fn title(measured: &Measured) -> String {
    let nodes = measured.answers.iter().map(|answer| answer.node.as_str()).collect::<BTreeSet<_>>().len();
    let mut title = measured.session.as_ref().map(|session| format!("{session}: ")).unwrap_or_default();
    let (checks, answers) = (measured.sent.len(), measured.answers.len());
    let _ = write!(title, "{}, {}, {}", counted(nodes, "node"), counted(checks, "check"), counted(answers, "answer"));
    if let Some(missing) = measured.missing {
        let _ = write!(title, ", {missing} missing");
    }
    title
}

fn counted(count: usize, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}

/// The delay as the original defined it, against what the node got.
fn by_size(depth: u8, answers: &[&Answer], sizes: &Shared, times: &Shared) -> Chart {
    let nodes = answers.iter().map(|answer| answer.node.as_str()).collect::<BTreeSet<_>>().len();
    let title = format!("depth {depth} ({})", counted(nodes, "node"));
    let points = answers.iter().map(|answer| (kilobytes(answer), ms(answer.delay))).collect();
    let (across, up) = (sizes.axis("size of the picture (KB)"), times.axis("delay with the way back (ms)"));
    Chart::new(title, across, up).with(Series::dots("", points))
}

/// The share of answers within each time.
fn distribution(title: &str, by_depth: &BTreeMap<u8, Vec<&Answer>>, times: &Shared, time: fn(&Answer) -> u32) -> Chart {
    let empty = Chart::new(title, times.axis("within (ms)"), Axis::linear("share of answers (%)").within(0.0, 100.0));
    by_depth.iter().fold(empty, |chart, (depth, answers)| {
        let mut sorted: Vec<_> = answers.iter().map(|answer| ms(time(answer))).collect();
        sorted.sort_by(f64::total_cmp);
        let share = |rank: usize| 100.0 * rank as f64 / sorted.len() as f64;
        let first = sorted.first().map(|first| (*first, 0.0));
        let ranks = sorted.iter().enumerate().map(|(at, time)| (*time, share(at + 1)));
        chart.with(Series::steps(format!("depth {depth}"), first.into_iter().chain(ranks).collect()))
    })
}

/// The one-way delay from level to level.
fn levels(answers: &[Answer]) -> Chart {
    let figures = table::figures(answers);
    let last = f64::from(figures.keys().last().copied().unwrap_or(1));
    let line = |name: &str, pick: fn(&table::Quantiles) -> u32| {
        let point = |(depth, figures): (&u8, &table::Figures)| (f64::from(*depth), ms(pick(&figures.one_way)));
        Series::marked(name, figures.iter().map(point).collect())
    };
    let delays = figures.values().flat_map(|figures| [figures.one_way.p99, figures.one_way.median]).map(ms);
    Chart::new("one way, by depth", Axis::whole("depth").within(0.5, last + 0.5), Shared::of(delays).axis("delay (ms)"))
        .with(line("median", |of| of.median))
        .with(line("95%", |of| of.p95))
        .with(line("99%", |of| of.p99))
}

fn ms(micros: u32) -> f64 {
    f64::from(micros) / 1e3
}

fn kilobytes(answer: &Answer) -> f64 {
    f64::from(answer.bytes) / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(node: u32, depth: u8, bytes: u32, one_way: u32) -> Answer {
        let (node, name, delay) = (node.to_string(), String::new(), one_way * 2);
        Answer { check: 1, began: 0, frame_bytes: 10, node, name, depth, bytes, delay, one_way, round_trip: 1, shown: None }
    }

    fn measured(answers: Vec<Answer>) -> Measured {
        Measured { session: Some("physics".to_owned()), answers, missing: Some(2), ..Measured::default() }
    }

    #[test]
    fn each_depth_has_a_chart_and_all_have_the_same_axes() {
        let answers = (1..=40).map(|n| answer(n % 4, u8::try_from(n % 3).unwrap() + 1, n * 1000, n * 500)).collect();
        let sheet = sheet(&measured(answers));
        assert_eq!(sheet.title, "physics: 4 nodes, 0 checks, 40 answers, 2 missing");
        let titles: Vec<_> = sheet.charts.iter().map(|chart| chart.title.as_str()).collect();
        let depths = ["depth 1 (4 nodes)", "depth 2 (4 nodes)", "depth 3 (4 nodes)"];
        assert_eq!(
            titles,
            [&["distribution, one way", "distribution, with the way back", "one way, by depth"], &depths[..]].concat()
        );
        let [one_way, _, _, first, second, third] = &sheet.charts[..] else { panic!("{titles:?}") };
        assert!([second, third].iter().all(|chart| (&chart.x, &chart.y) == (&first.x, &first.y)));
        assert_eq!(second.series[0].points[0], (1.0, 1.0), "KB and ms");
        let shares = &one_way.series[0].points;
        assert_eq!((shares[0].1, shares.last().unwrap().1), (0.0, 100.0));
        assert!(shares.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 < pair[1].1));
    }

    #[test]
    fn no_answers_are_a_figure_all_the_same() {
        assert!(sheet(&measured(Vec::new())).render(treevnc_plot::Format::Svg).unwrap().len() > 1000);
        assert!(sheet(&measured(vec![answer(1, 0, 0, 0)])).render(treevnc_plot::Format::Png).unwrap().len() > 1000);
    }
}
