//! `treevnc simulate --delays`: how long a picture takes to every node, predicted; as tables or as JSON.

use crate::cli::SimulateArgs;
use anyhow::bail;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;
use treevnc_simulation::{AnswerFigures, DeliveryReport, DeliverySettings, DepthDelays, Percentiles, Sharing, deliver};

pub(super) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    let reports: Vec<DeliveryReport> = args.deliveries().map(|settings| deliver(&settings)).collect();
    if let Some(error) = reports.iter().find_map(|report| report.refused.as_ref()) {
        bail!("{error}");
    }
    match &reports[..] {
        all if args.json => println!("{}", json!({ "trees": all.iter().map(as_json).collect::<Vec<_>>() })),
        [one] => print!("{}", by_depth(one)),
        all => print!("{}", by_nodes(all)),
    }
    Ok(())
}

const FIGURES: &str = "     min  median     p95     p99     max    floor  median/floor";

/// One tree.
fn by_depth(report: &DeliveryReport) -> String {
    let settings = &report.settings;
    let mut out = format!("{} nodes, {}", settings.nodes, what(settings));
    let _ = writeln!(out, " depth   nodes {FIGURES}");
    for row in &report.depths {
        let _ = writeln!(out, "{:>6} {:>7} {}", row.depth, row.nodes, figures(row));
    }
    out += &skipped(report);
    out += &answers(&report.answers);
    out.push('\n');
    out
}

/// The last row of each tree.
fn by_nodes(reports: &[DeliveryReport]) -> String {
    let mut out = reports.first().map_or(String::new(), |report| what(&report.settings));
    let _ = writeln!(out, "   nodes  deepest {FIGURES}");
    for (report, row) in reports.iter().filter_map(|report| Some((report, report.deepest()?))) {
        let _ = writeln!(out, "{:>8} {:>8} {}", report.settings.nodes, row.depth, figures(row));
    }
    for report in reports {
        out += &skipped(report);
        let _ = writeln!(out, "{} nodes: {}", report.settings.nodes, answers(&report.answers));
    }
    out
}

/// What is sent over what; two lines.
fn what(settings: &DeliverySettings) -> String {
    let updates = settings.updates();
    let parts = match updates {
        _ if settings.whole_frames => "passed on as a whole".to_owned(),
        1 => "1 update".to_owned(),
        _ => format!("{updates} updates of {}", settings.frame_bytes.div_ceil(updates)),
    };
    let turns = if settings.sharing == Sharing::InTurns { ", to one child after the other" } else { "" };
    let frames = if settings.frames == 1 { "frame" } else { "frames" };
    format!(
        "{} {frames} of {} bytes ({parts}), {:.1} Mbit/s from every computer{turns}, {:.2} ms per link, {:.2} ms per update\n\
         from the first byte at the root to the complete frame, in ms\n",
        settings.frames,
        settings.frame_bytes,
        mega(settings.uplink_bits_per_second),
        millis(settings.latency),
        millis(settings.per_update),
    )
}

fn figures(row: &DepthDelays) -> String {
    let Some(p) = &row.one_way else { return "   nobody ever had a whole frame".to_owned() };
    let times: String = [p.min, p.median, p.p95, p.p99, p.max].map(|time| format!("{:>8.1}", millis(time))).concat();
    format!("{times} {:>8.1} {:>13.2}", millis(row.floor), row.ratio().unwrap_or_default())
}

fn skipped(report: &DeliveryReport) -> String {
    let all = report.settings.frames as u64 * report.settings.nodes as u64;
    match report.skipped {
        0 => String::new(),
        skipped => format!("{skipped} of {all} times a node never had a frame, because a newer one had painted it over\n"),
    }
}

/// One line.
fn answers(answers: &AnswerFigures) -> String {
    let AnswerFigures { expected, lost, late, counted, messages, most_per_second, .. } = answers;
    let mut out = format!(
        "{counted} of {expected} answers counted at the root ({lost} lost on the way, {late} too late), in {messages} messages, \
         at most {most_per_second} in a second from a child"
    );
    if counted < expected {
        let AnswerFigures { checks, complete, fewest_of_a_node, most_of_a_node, .. } = answers;
        let _ = write!(
            out,
            "; {complete} of {checks} checks complete, from {fewest_of_a_node} to {most_of_a_node} answers of each node"
        );
    }
    if let (Some(error), Some(climb)) = (&answers.error, &answers.climb) {
        let [error, worst, climb, last] = [error.median, error.max, climb.median, climb.max].map(millis);
        let _ = write!(
            out,
            "; one way too long by {error:.2} ms (median), {worst:.2} ms (most); on their way up {climb:.0} ms, {last:.0} ms"
        );
    }
    out
}

fn as_json(report: &DeliveryReport) -> Value {
    let DeliveryReport { settings, depths, answers, .. } = report;
    let depth = |row: &DepthDelays| {
        json!({
            "depth": row.depth,
            "nodes": row.nodes,
            "one_way_ms": row.one_way.as_ref().map(percentiles),
            "floor_ms": millis(row.floor),
            "median_to_floor": row.ratio(),
        })
    };
    json!({
        "nodes": settings.nodes,
        "uplink_bits_per_second": settings.uplink_bits_per_second,
        "frame_bytes": settings.frame_bytes,
        "updates": settings.updates(),
        "whole_frames": settings.whole_frames,
        "in_turns": settings.sharing == Sharing::InTurns,
        "latency_ms": millis(settings.latency),
        "per_update_ms": millis(settings.per_update),
        "frames": settings.frames,
        "interval_ms": millis(settings.interval),
        "depths": depths.iter().map(depth).collect::<Vec<_>>(),
        "skipped": report.skipped,
        "answers": {
            "expected": answers.expected,
            "given": answers.given,
            "counted": answers.counted,
            "lost": answers.lost,
            "late": answers.late,
            "checks": answers.checks,
            "complete": answers.complete,
            "fewest_of_a_node": answers.fewest_of_a_node,
            "most_of_a_node": answers.most_of_a_node,
            "messages": answers.messages,
            "most_per_second": answers.most_per_second,
            "too_short": answers.too_short,
            "error_ms": answers.error.as_ref().map(percentiles),
            "climb_ms": answers.climb.as_ref().map(percentiles),
        },
        "seconds": report.ended.as_secs_f64(),
    })
}

fn percentiles(p: &Percentiles<Duration>) -> Value {
    let [min, median, p95, p99, max] = [p.min, p.median, p.p95, p.p99, p.max].map(millis);
    json!({ "count": p.count, "min": min, "median": median, "p95": p95, "p99": p99, "max": max })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn mega(bits: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let bits = bits as f64;
    bits / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rates and sizes at which every time is a round number.
    fn report(nodes: usize) -> DeliveryReport {
        let usual = DeliverySettings::default();
        let (frame_bytes, update_bytes) = (3 * 1416, 1416);
        let (uplink_bits_per_second, per_update, latency) = (12_112_000, Duration::ZERO, Duration::from_millis(4));
        deliver(&DeliverySettings { nodes, uplink_bits_per_second, frame_bytes, update_bytes, per_update, latency, ..usual })
    }

    #[test]
    fn a_tree_is_a_table_by_depth_and_several_are_a_line_each() {
        let one = by_depth(&report(2));
        assert!(one.starts_with("2 nodes, 1 frame of 4248 bytes (3 updates of 1416), 12.1 Mbit/s"), "{one}");
        assert!(one.contains("\n     1       2     10.0    10.0    10.0    10.0    10.0     10.0          1.00\n"), "{one}");
        assert!(one.contains("2 of 2 answers counted at the root (0 lost on the way, 0 too late), in 2 messages"), "{one}");
        let several = by_nodes(&[report(2), report(5)]);
        assert!(several.contains("\n       2        1 ") && several.contains("\n       5        2 "), "{several}");
        assert!(several.contains("\n5 nodes: 5 of 5 answers"), "{several}");
    }

    #[test]
    fn json_has_every_row_and_the_answers() {
        let json = as_json(&report(5));
        assert_eq!((&json["depths"][1]["nodes"], &json["depths"][0]["one_way_ms"]["median"]), (&json!(3), &json!(10.0)));
        assert_eq!((&json["answers"]["counted"], &json["updates"]), (&json!(5), &json!(3)));
    }
}
