//! What people really show: recorded screens and X programs, by depth.

use crate::lan::{Lan, Line, by_depth, quantile};
use crate::report::{Report, row};
use crate::support::painter::{Kept, Painter};
use crate::support::process::Process;
use crate::support::tools::Scratch;
use crate::support::wait::{PATIENCE, pace_until};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

const NODES: usize = 14;
/// Frames of a recording that are given to X: each takes 8 MB there.
const KEPT: usize = 40;
const SPAN: Duration = Duration::from_secs(15);
/// Recordings, and from one frame to the next.
const RECORDED: [(&str, Duration); 5] = [
    ("typing", Duration::from_millis(125)),
    ("terminal", Duration::from_millis(100)),
    ("text", Duration::from_millis(500)),
    ("slides", Duration::from_millis(1000)),
    ("video", Duration::from_millis(100)),
];
/// X programs that change by themselves, and their words.
const PROGRAMS: [(&str, &[&str]); 2] = [
    (
        "xterm",
        &[
            "-geometry",
            "160x60+0+0",
            "-e",
            "sh",
            "-c",
            "while :; do find /usr -ls | head -20000 | while read line; do echo \"$line\"; sleep 0.01; done; done",
        ],
    ),
    ("feh", &["--fullscreen", "--slideshow-delay", "1"]),
];

/// Measures, and writes the section.
pub(crate) fn measure(report: &mut Report) {
    let lan = Lan::new(NODES, 0, &Line::USUAL);
    report.head(
        "What people show",
        &format!(
            "{NODES} nodes on lines of {} Mbit/s, a screen of 1920x1080; {} s of each, a check on every frame. One way, median (p95), in ms; the floor of a frame is 2S/B.",
            Line::USUAL.megabits,
            SPAN.as_secs()
        ),
    );
    let mut lines =
        vec![row(["content", "frames", "frames/s", "KB a frame, median (p95)", "2S/B, median", "depth 1", "depth 2", "depth 3"])];
    for (name, pace) in RECORDED {
        let painter = lan.painter();
        let frames = kept(&painter, name);
        let mut at = 0;
        lines.push(one(&lan, report, &format!("recorded: {name}"), || {
            painter.show(&frames[at % frames.len()]);
            at += 1;
            pace_until(Instant::now() + pace);
        }));
    }
    for (name, words) in PROGRAMS {
        let (_scratch, shown) = pictures();
        let words: Vec<_> =
            words.iter().map(|word| word.to_string()).chain(if name == "feh" { shown } else { Vec::new() }).collect();
        let _program = Process::start(Command::new(name).args(words).env("DISPLAY", &lan.site.display)).killed_at_once();
        lines.push(one(&lan, report, name, || pace_until(Instant::now() + Duration::from_millis(100))));
    }
    report.table(&lines);
}

fn kept(painter: &Painter, name: &str) -> Vec<Kept> {
    let frames = treevnc_recording::clip(name).unwrap().take(KEPT);
    let rows = |picture: &[u32]| picture.iter().flat_map(|pixel| pixel.to_le_bytes()).collect::<Vec<u8>>();
    frames.map(|frame| painter.keep(&rows(frame.unwrap().picture.pixels()))).collect()
}

/// Pictures for a slide show: recorded slides as files.
fn pictures() -> (Scratch, Vec<String>) {
    let (scratch, mut files) = (Scratch::new(), Vec::new());
    let frames = treevnc_recording::clip("slides").unwrap().map(|frame| frame.unwrap().picture);
    for (number, picture) in frames.step_by(3).take(6).enumerate() {
        let size = picture.size();
        let mut bytes = format!("P6 {} {} 255\n", size.width(), size.height()).into_bytes();
        bytes.extend(picture.pixels().iter().flat_map(|pixel| pixel.to_be_bytes().into_iter().skip(1)));
        files.push(scratch.write(&format!("slide{number}.ppm"), bytes).to_str().unwrap().to_owned());
    }
    (scratch, files)
}

/// One content; `step` lets time pass, and paints.
fn one(lan: &Lan, report: &Report, name: &str, mut step: impl FnMut()) -> String {
    step();
    let file = report.file("contents.csv");
    let mut measuring = lan.measuring(&["--ride", "--count", "100000", "--interval", "0.02"], &file);
    let begin = Instant::now();
    while begin.elapsed() < SPAN {
        step();
    }
    measuring.signal("TERM");
    measuring.end(PATIENCE);
    let answers = crate::lan::read(&file);
    std::fs::remove_file(file).unwrap();
    let frames: BTreeMap<_, _> = answers.iter().map(|answer| (answer.check, answer.frame_bytes)).collect();
    let bytes: Vec<_> = frames.into_values().collect();
    let by_depth = by_depth(&answers);
    let times = |depth: u32| {
        by_depth.get(&depth).map_or(String::new(), |times| format!("{:.1} ({:.1})", quantile(times, 0.5), quantile(times, 0.95)))
    };
    let floor = 2.0 * quantile(&bytes, 0.5) * 8.0 / Line::USUAL.bits_per_second() * 1e3;
    println!("{name}: {} frames, depth 3 {}", bytes.len(), times(3));
    row([
        name.to_owned(),
        bytes.len().to_string(),
        format!("{:.1}", bytes.len() as f64 / SPAN.as_secs_f64()),
        format!("{:.1} ({:.1})", quantile(&bytes, 0.5) / 1e3, quantile(&bytes, 0.95) / 1e3),
        format!("{floor:.1}"),
        times(1),
        times(2),
        times(3),
    ])
}
