//! How long a full page takes to each depth, beside what the lines allow, what the simulation predicts, a relay that does the least, and
//! whole frames handed on as TreeVNC did.

use crate::lan::{Answer, ByDepth, Lan, Line, by_depth, quantile};
use crate::machine::Busy;
use crate::pages::pages;
use crate::report::{Report, row};
use std::collections::BTreeSet;
use std::time::Duration;
use treevnc_plot::{Axis, Chart, Mark, Series};
use treevnc_simulation::{DeliveryReport, DeliverySettings, deliver};

/// From one frame to the next: long enough for the slowest way to be at rest again.
const TURN: Duration = Duration::from_millis(1500);
/// Frames of each kind.
const FRAMES: usize = 20;
/// Two probes, or frames that are handed down by other programs, are never closer than this.
const LEAST_TURN: Duration = Duration::from_millis(700);
const UPDATE_BYTES: usize = 32 * 1024;
/// How far a prediction may be from what is measured before it needs a reason.
const TOLERANCE: f64 = 0.2;

/// A room that is measured.
struct Room {
    nodes: usize,
    line: Line,
}

/// What one room came to.
struct Measured {
    nodes: usize,
    line: Line,
    frame_bytes: f64,
    pages: ByDepth,
    probes: ByDepth,
    bare: ByDepth,
    whole: ByDepth,
    predicted: DeliveryReport,
    predicted_whole: DeliveryReport,
    /// Of all cores, while pages were shown, and while a page was under way.
    busy: f64,
    under_way: f64,
}

impl Measured {
    /// 2S/B, in milliseconds.
    fn floor(&self) -> f64 {
        2.0 * self.frame_bytes * 8.0 / self.line.bits_per_second() * 1e3
    }

    fn deepest(&self) -> u32 {
        self.pages.keys().copied().max().unwrap_or(0)
    }

    fn name(&self) -> String {
        format!("{} nodes, {} Mbit/s, {}", self.nodes, self.line.megabits, self.line.control)
    }
}

/// Measures, and writes the section.
pub(crate) fn measure(report: &mut Report, nodes: Option<usize>) {
    let usual = Line::USUAL;
    let room = |nodes, line| Room { nodes, line };
    let rooms = match nodes {
        Some(nodes) => vec![room(nodes, usual)],
        None => vec![
            room(14, usual),
            room(62, usual),
            room(70, usual),
            room(126, usual),
            room(126, Line { megabits: 50, latency: "100ms", ..usual }),
            room(70, Line { control: "bbr", ..usual }),
            room(14, Line { megabits: 1000, burst: "256kb", latency: "5ms", ..usual }),
        ],
    };
    let all: Vec<_> = rooms.into_iter().map(one).collect();
    write(report, &all);
}

fn one(Room { nodes, line }: Room) -> Measured {
    let lan = Lan::new(nodes, 0, &line);
    let painter = lan.painter();
    let (kept, _) = pages(&painter);
    let busy = Busy::begin();
    let answers = lan.delay_of_pages(&painter, &kept, FRAMES, TURN);
    let (busy, cpu) = busy.end();
    let frame_bytes = mean_frame(&answers);
    let probe = format!("{}", frame_bytes as u64);
    let frame = frame_bytes as usize;
    let predict = |whole_frames| {
        deliver(&DeliverySettings {
            nodes,
            uplink_bits_per_second: line.bits_per_second() as u64,
            frame_bytes: frame,
            update_bytes: UPDATE_BYTES,
            whole_frames,
            ..DeliverySettings::default()
        })
    };
    let (predicted, predicted_whole) = (predict(false), predict(true));
    // Long enough for each frame to come to rest.
    let turn = |of: &DeliveryReport| of.ended.mul_f64(1.5).max(LEAST_TURN);
    let interval = turn(&predicted).as_secs_f64().to_string();
    let probes = lan.delay(&["--count", &FRAMES.to_string(), "--size", &probe, "--interval", &interval], TURN * FRAMES as u32);
    let bare = lan.forwarded(nodes, frame, UPDATE_BYTES, FRAMES, turn(&predicted));
    let whole = lan.forwarded(nodes, frame, frame, FRAMES, turn(&predicted_whole));
    let pages = by_depth(&answers);
    let span = pages.values().flatten().copied().fold(0.0, f64::max) / 1e3;
    let rest = Busy::at_rest();
    let under_way = (cpu / FRAMES as f64 - rest * TURN.as_secs_f64()) / span;
    let measured = Measured {
        nodes,
        line,
        frame_bytes,
        pages,
        probes: by_depth(&probes),
        bare,
        whole,
        predicted,
        predicted_whole,
        busy,
        under_way,
    };
    let deepest = measured.deepest();
    println!(
        "{}: frame {:.0} KB, floor {:.0} ms, depth {deepest} median {:.0} ms, p95 {:.0} ms",
        measured.name(),
        frame_bytes / 1e3,
        measured.floor(),
        quantile(&measured.pages[&deepest], 0.5),
        quantile(&measured.pages[&deepest], 0.95)
    );
    measured
}

fn mean_frame(answers: &[Answer]) -> f64 {
    let frames: BTreeSet<_> = answers.iter().map(|answer| (answer.check, answer.frame_bytes as u64)).collect();
    frames.iter().map(|(_, bytes)| *bytes as f64).sum::<f64>() / frames.len() as f64
}

fn write(report: &mut Report, all: &[Measured]) {
    report.head(
        "Delay by depth",
        "A full page (1920x1080, text and a photograph) is shown every 1.5 s on an Xvnc beside the root; one-way delay from the frame's first byte at \
         the root until a node has the whole frame, by CHECK_DELAY riding on it. *Floor* is 2S/B: the time in which a host can send the frame to two \
         children. *Probes* are parts of the picture sent again by `treevnc delay`. *Bare* are the same bytes handed down by programs that do nothing \
         else, 32 KiB at a time; *whole frames* by the same programs, a frame at a time, as the original did. Milliseconds.",
    );
    summary(report, all);
    for room in all.iter().filter(|room| room.nodes >= 62 || all.len() == 1) {
        table(report, room);
        figure(report, room);
    }
}

fn summary(report: &mut Report, all: &[Measured]) {
    let mut lines = vec![row([
        "room",
        "frame",
        "floor",
        "depth",
        "median",
        "p95",
        "p95 / floor",
        "bare p95",
        "whole frames p95",
        "whole / ours, p95",
        "predicted median",
        "measured / predicted",
        "CPU, all the time",
        "CPU, a page under way",
    ])];
    for room in all {
        let depth = room.deepest();
        let p95 = quantile(&room.pages[&depth], 0.95);
        let predicted = predicted(&room.predicted, depth);
        let median = quantile(&room.pages[&depth], 0.5);
        let whole = quantile(&room.whole[&depth], 0.95);
        lines.push(row([
            room.name(),
            format!("{:.0} KB", room.frame_bytes / 1e3),
            format!("{:.0}", room.floor()),
            depth.to_string(),
            format!("{median:.0}"),
            format!("{p95:.0}"),
            format!("{:.2}", p95 / room.floor()),
            format!("{:.0}", quantile(&room.bare[&depth], 0.95)),
            format!("{whole:.0}"),
            format!("{:.1}", whole / p95),
            format!("{predicted:.0}"),
            format!("{:.2}{}", median / predicted, if (median / predicted - 1.0).abs() > TOLERANCE { " (!)" } else { "" }),
            format!("{:.0}%", room.busy * 100.0),
            format!("{:.0}%", room.under_way * 100.0),
        ]));
    }
    report.table(&lines);
}

fn table(report: &mut Report, room: &Measured) {
    report.text(&format!("### {}", room.name()));
    let mut lines = vec![row([
        "depth",
        "answers",
        "page: median",
        "p95",
        "max",
        "probe: median",
        "p95",
        "bare: median",
        "p95",
        "whole frames: median",
        "p95",
        "predicted: page",
        "whole frames",
    ])];
    let show = |of: &ByDepth, depth: u32, share: f64| {
        of.get(&depth).map_or(String::new(), |values| format!("{:.0}", quantile(values, share)))
    };
    for (&depth, values) in &room.pages {
        lines.push(row([
            depth.to_string(),
            values.len().to_string(),
            show(&room.pages, depth, 0.5),
            show(&room.pages, depth, 0.95),
            show(&room.pages, depth, 1.0),
            show(&room.probes, depth, 0.5),
            show(&room.probes, depth, 0.95),
            show(&room.bare, depth, 0.5),
            show(&room.bare, depth, 0.95),
            show(&room.whole, depth, 0.5),
            show(&room.whole, depth, 0.95),
            format!("{:.0}", predicted(&room.predicted, depth)),
            format!("{:.0}", predicted(&room.predicted_whole, depth)),
        ]));
    }
    report.table(&lines);
}

fn figure(report: &mut Report, room: &Measured) {
    let of = |by: &ByDepth, share: f64| {
        by.iter().map(|(depth, values)| (f64::from(*depth), quantile(values, share))).collect::<Vec<_>>()
    };
    let foretold = |report: &DeliveryReport| {
        (1..=room.deepest()).map(|depth| (f64::from(depth), predicted(report, depth))).collect::<Vec<_>>()
    };
    let top = quantile(&room.whole[&room.deepest()], 0.95) * 1.1;
    let deepest = f64::from(room.deepest());
    let depths = Chart::new(
        "Median and p95 by depth",
        Axis::whole("depth").within(1.0, deepest),
        Axis::linear("one way (ms)").within(0.0, top),
    )
    .with(Series::marked("TreeVNC, median", of(&room.pages, 0.5)))
    .with(Series::dashed("TreeVNC, p95", of(&room.pages, 0.95)))
    .with(Series::line("predicted", foretold(&room.predicted)))
    .with(Series::marked("whole frames, median", of(&room.whole, 0.5)))
    .with(Series::dashed("whole frames, p95", of(&room.whole, 0.95)))
    .with(Series::line("whole frames, predicted", foretold(&room.predicted_whole)))
    .mark(Mark::Level { y: room.floor(), label: "2S/B".into() });
    let share = |depth: u32, values: &Vec<f64>| {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let points = sorted.iter().enumerate().map(|(at, value)| (*value, (at + 1) as f64 / sorted.len() as f64)).collect();
        Series::steps(format!("depth {depth}"), points)
    };
    let spread = room.pages.iter().fold(
        Chart::new("Pages that have come within", Axis::linear("one way (ms)"), Axis::linear("share of pages").within(0.0, 1.0)),
        |chart, (depth, values)| chart.with(share(*depth, values)),
    );
    let spread = spread.mark(Mark::At { x: room.floor(), label: "2S/B".into() });
    let file = format!("depth-{}-{}-{}", room.nodes, room.line.megabits, room.line.control);
    report.figure(&file, &format!("A page of {:.0} KB to {}", room.frame_bytes / 1e3, room.name()), vec![depths, spread]);
}

/// The predicted median at a depth, in milliseconds.
fn predicted(report: &DeliveryReport, depth: u32) -> f64 {
    let at = report.depths.iter().find(|at| at.depth == depth).and_then(|at| at.one_way);
    at.map_or(f64::NAN, |one_way| one_way.median.as_secs_f64() * 1e3)
}
