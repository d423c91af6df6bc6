//! What one slow node, a newcomer, a loss and a change of presenter do to everybody's delay, over time.

use crate::lan::{Answer, Lan, Line, ROOT, SIZE, quantile, read};
use crate::report::{Report, row};
use crate::support::desktop::start_xvnc_inside;
use crate::support::painter::{Painter, Video, dithered};
use crate::support::process::treevnc;
use crate::support::wait::{PATIENCE, pace_until};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use treevnc_plot::{Axis, Chart, Mark, Series};

const NODES: usize = 14;
/// Hosts for the newcomer, and for the student who presents.
const NEWCOMER: usize = NODES + 1;
const STUDENT: usize = NODES + 2;
const VIDEO: (u16, u16) = (640, 480);
const FRAMES_PER_SECOND: u32 = 10;
const SECONDS: u32 = 64;
/// The inner node whose line becomes slow, and how slow.
const SLOW: usize = 1;
const SLOW_LINE: Line = Line { megabits: 2, burst: "16kb", ..Line::USUAL };

/// What happens, and when, in seconds.
const SLOW_AT: u64 = 10;
const JOIN_AT: u64 = 24;
const LOSS_AT: u64 = 32;
const SWITCH_AT: u64 = 42;
const BACK_AT: u64 = 54;

/// Measures, and writes the section.
pub(crate) fn measure(report: &mut Report) {
    let mut lan = Lan::new(NODES, 2, &Line::USUAL);
    let picture = dithered(VIDEO.0, VIDEO.1, 6);
    let _video = Video::play(Painter::new(&lan.site.display, (0, 0), VIDEO), &picture, FRAMES_PER_SECOND);
    let file = report.file("trouble.csv");
    let count = (SECONDS * FRAMES_PER_SECOND).to_string();
    let mut measuring = lan.measuring(&["--ride", "--count", &count, "--interval", "0.02"], &file);
    let start = Instant::now();
    let at = |seconds: u64| pace_until(start + Duration::from_secs(seconds));
    at(SLOW_AT);
    lan.site.hosts.shape(SLOW, &format!("{}mbit", SLOW_LINE.megabits), SLOW_LINE.burst, SLOW_LINE.latency);
    at(JOIN_AT);
    lan.site.join();
    at(LOSS_AT);
    let lost = inner_node(&lan);
    lan.site.nodes[lost - 1].process.kill();
    at(SWITCH_AT);
    let inside = lan.site.hosts.inside(STUDENT);
    let (display, port, _xvnc) = start_xvnc_inside(&inside, SIZE);
    let _other = Video::play(Painter::new(&display, (0, 0), VIDEO), &picture, FRAMES_PER_SECOND);
    let (root, vnc) = (format!("{}:5950", crate::support::namespaces::Hosts::address(0)), format!("127.0.0.1::{port}"));
    let share = lan.site.hosts.start(STUDENT, &treevnc(["share", &root, "--vnc", &vnc, "--listen", "0", "--name", "student"]));
    share.line("that it is live", PATIENCE, |line| line.starts_with("live"));
    let live = start.elapsed().as_secs_f64();
    at(BACK_AT);
    drop(share);
    assert!(measuring.end(Duration::from_secs(u64::from(SECONDS)) + PATIENCE).success(), "{}", measuring.said());
    write(report, &read(&file), live, lost);
    std::fs::remove_file(file).unwrap();
}

/// The host of an inner node that is not the slow one: the other child of the root, or who is in its place.
fn inner_node(lan: &Lan) -> usize {
    let tree = lan.site.tree().unwrap_or_else(|| panic!("{ROOT} does not answer"));
    let inner = |slot| tree.nodes.iter().find(|node| node.slot == slot && node.leaf_only.is_none());
    let node = [1, 2].into_iter().find_map(|slot| inner(slot).filter(|node| node.name != format!("n{SLOW}"))).unwrap();
    node.name[1..].parse().unwrap()
}

fn write(report: &mut Report, answers: &[Answer], live: f64, lost: usize) {
    let zero = answers.iter().map(|answer| answer.sent).fold(f64::INFINITY, f64::min);
    let mut nodes: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for answer in answers {
        nodes.entry(&answer.name).or_default().push((answer.sent - zero, answer.one_way));
    }
    let (slow, killed, newcomer) = (format!("n{SLOW}"), format!("n{lost}"), format!("n{NEWCOMER}"));
    let names = [(slow.as_str(), "becomes slow"), (&killed, "is killed"), (&newcomer, "joins"), ("student", "presents")];
    let is_named = |name: &str| names.iter().any(|(named, _)| *named == name);
    let mut chart =
        Chart::new("Delay at every node", Axis::linear("time (s)").within(0.0, SECONDS.into()), Axis::log("one way (ms)"));
    let others: Vec<_> = nodes.iter().filter(|(name, _)| !is_named(name)).flat_map(|(_, points)| points.clone()).collect();
    chart = chart.with(Series::dots("the others", others.clone()));
    for (name, what) in names {
        chart = chart.with(Series::dots(format!("{name}, which {what}"), nodes.get(name).cloned().unwrap_or_default()));
    }
    let events = [
        (SLOW_AT as f64, format!("{slow}: {} Mbit/s", SLOW_LINE.megabits)),
        (JOIN_AT as f64, format!("{newcomer} joins")),
        (LOSS_AT as f64, format!("{killed} killed")),
        (live, "student live".to_owned()),
        (BACK_AT as f64, "lecturer back".to_owned()),
    ];
    for (x, label) in &events {
        chart = chart.mark(Mark::At { x: *x, label: label.clone() });
    }
    report.head(
        "A slow node, a newcomer, a loss, a change of presenter",
        &format!(
            "{NODES} nodes on lines of {} Mbit/s; a dithered video of {}x{} pixels with {FRAMES_PER_SECOND} frames a second, each of which is a check. After {SLOW_AT} s the line \
             of {slow}, a child of the root with nodes below it, is {} Mbit/s wide, which is less than the video; after {JOIN_AT} s {newcomer} joins; after {LOSS_AT} s {killed}, another inner \
             node, is killed; from {SWITCH_AT} s on a student starts to share a screen with another such video, and is shown after {live:.1} s; after {BACK_AT} s the student stops. \
             Delays of all nodes but the one that is concerned, in ms:",
            Line::USUAL.megabits, VIDEO.0, VIDEO.1, SLOW_LINE.megabits
        ),
    );
    let mut lines = vec![row(["from", "until", "answers", "median", "p95", "p99", "most", "oldest picture at any of them"])];
    let bounds: Vec<_> = std::iter::once((2.0, "begin".to_owned())).chain(events).collect();
    for (at, (from, what)) in bounds.iter().enumerate() {
        let until = bounds.get(at + 1).map_or(f64::from(SECONDS), |(until, _)| *until);
        let within = |time: f64| (*from..until).contains(&time);
        let delays: Vec<_> = others.iter().filter(|(time, _)| within(*time)).map(|(_, delay)| *delay).collect();
        let show = |share| format!("{:.0}", quantile(&delays, share));
        let gap =
            nodes.iter().filter(|(name, _)| !is_named(name)).map(|(_, points)| oldest(points, *from, until)).fold(0.0, f64::max);
        lines.push(row([
            format!("{from:.1} s ({what})"),
            format!("{until:.1} s"),
            delays.len().to_string(),
            show(0.5),
            show(0.95),
            show(0.99),
            show(1.0),
            format!("{gap:.0} ms"),
        ]));
    }
    report.table(&lines);
    report.figure("trouble", "Delay at every node while things happen", vec![chart]);
}

/// The longest time for which a node showed one picture within a span, in milliseconds: from the moment at which a frame came until the next.
fn oldest(points: &[(f64, f64)], from: f64, until: f64) -> f64 {
    let mut came: Vec<_> = points.iter().map(|(sent, delay)| sent + delay / 1e3).collect();
    came.sort_by(f64::total_cmp);
    came.windows(2).filter(|pair| pair[1] > from && pair[0] < until).map(|pair| (pair[1] - pair[0]) * 1e3).fold(0.0, f64::max)
}
