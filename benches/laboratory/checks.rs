//! Whether checks disturb what they measure: a video's delivery while every frame carries one, against one a second.

use crate::lan::{Lan, Line};
use crate::report::{Report, row};
use crate::support::painter::{Painter, Video, dithered};
use crate::support::wait::{PATIENCE, pace_until};
use crate::watch::Watch;
use std::time::{Duration, Instant};

const NODES: usize = 14;
/// The leaves that are watched: all of the deepest row.
const WATCHED: std::ops::RangeInclusive<usize> = 7..=14;
const VIDEO: (u16, u16) = (640, 480);
const FRAMES_PER_SECOND: u32 = 20;
const SPAN: Duration = Duration::from_secs(15);
const TURNS: usize = 3;

/// Measures, and writes the section.
pub(crate) fn measure(report: &mut Report) {
    let lan = Lan::new(NODES, 0, &Line::USUAL);
    let video = Video::play(Painter::new(&lan.site.display, (0, 0), VIDEO), &dithered(VIDEO.0, VIDEO.1, 6), FRAMES_PER_SECOND);
    let watch = |host: usize| Watch::begin(&lan.site.hosts, host, lan.site.node(host).address, VIDEO);
    let watches: Vec<_> = WATCHED.map(watch).collect();
    pace_until(Instant::now() + Duration::from_secs(3));
    let span = || {
        let from = Instant::now();
        pace_until(from + SPAN);
        watches.iter().flat_map(|watch| watch.delays(&video, from, from + SPAN)).collect::<Vec<_>>()
    };
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        few.extend(span());
        let file = report.file("checks.csv");
        let count = (SPAN.as_secs() + 2) as u32 * FRAMES_PER_SECOND;
        let mut measuring = lan.measuring(&["--ride", "--count", &count.to_string(), "--interval", "0.02"], &file);
        many.extend(span());
        assert!(measuring.end(PATIENCE).success(), "{}", measuring.said());
        std::fs::remove_file(file).unwrap();
    }
    report.head(
        "What checks do to what they measure",
        &format!(
            "{NODES} nodes on lines of {} Mbit/s, a dithered video of {}x{} pixels with {FRAMES_PER_SECOND} frames a second, ordinary viewers on the {} deepest nodes; from painting until a viewer shows the frame. The root \
             sends one check a second by itself; `treevnc delay --ride` makes every frame one. {TURNS} turns of {} s each.",
            Line::USUAL.megabits,
            VIDEO.0,
            VIDEO.1,
            watches.len(),
            SPAN.as_secs()
        ),
    );
    let sorted = |mut times: Vec<Duration>| {
        times.sort();
        times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect::<Vec<_>>()
    };
    let (few, many) = (sorted(few), sorted(many));
    let at = |times: &[f64], share: f64| crate::lan::quantile(times, share);
    let line = |what: &str, times: &[f64]| {
        row([
            what.to_owned(),
            times.len().to_string(),
            format!("{:.1} ms", at(times, 0.5)),
            format!("{:.1} ms", at(times, 0.95)),
            format!("{:.1} ms", at(times, 0.99)),
        ])
    };
    let ratio = |share: f64| format!("{:.3}", at(&many, share) / at(&few, share));
    report.table(&[
        row(["", "frames shown", "median", "p95", "p99"]),
        line("one check a second", &few),
        line("every frame a check", &many),
        row(["ratio".to_owned(), format!("{:.3}", many.len() as f64 / few.len() as f64), ratio(0.5), ratio(0.95), ratio(0.99)]),
    ]);
}
