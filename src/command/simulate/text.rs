//! What simulated worlds came to, for people.

use super::{Cost, Ran};
use std::fmt::{Display, Write};
use std::time::Duration;
use treevnc_simulation::{Percentiles, Settings};

/// A world, with a line for each thing that was measured.
pub(super) fn of_world(ran: &Ran) -> String {
    let report = &ran.report;
    let figures = &report.figures;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "seed {}: {} after {:.0} s of virtual time in {:.1} s; {} nodes at the end, {} of them relays, depth {}",
        report.seed,
        report.broken.as_ref().map_or("all rules hold".to_owned(), |broken| format!("RULE BROKEN {broken}")),
        figures.seconds,
        ran.wall.as_secs_f64(),
        figures.nodes,
        figures.relays,
        figures.depth,
    );
    let _ = writeln!(
        out,
        "  {} joins, stood up after {}, {} events, {} losses, {} moves, {} placed again, {} refused, {} found slow, {} made leaves for it or for being isolated, {} gave up",
        figures.joins,
        millis(figures.stood_up),
        figures.events,
        figures.losses,
        figures.moves,
        figures.placed_again,
        figures.refusals,
        figures.slow,
        figures.blamed,
        figures.gave_up,
    );
    let _ = writeln!(out, "  {:<34} {:>7} {:>10} {:>10} {:>10} {:>10}", "", "count", "median", "p90", "p99", "max");
    if let Some(p) = &figures.joining {
        row(&mut out, "start to attached", p, millis);
    }
    for (kind, p) in &report.repairs {
        row(&mut out, &format!("repair: {}", kind.name()), p, millis);
    }
    if let Some(p) = &report.single_repair {
        row(&mut out, "one loss at rest: repair", p, millis);
    }
    let counts = [
        ("moves", &report.single_moves),
        ("placements", &report.single_placements),
        ("messages of the root", &report.single_messages),
    ];
    for (what, p) in counts.into_iter().filter_map(|(what, p)| Some((what, p.as_ref()?))) {
        row(&mut out, &format!("one loss at rest: {what}"), p, |count| count);
    }
    let _ = writeln!(
        out,
        "  {} re-homed nodes were sent {} at once, of which {} was live and new to them; updates {}, control {}",
        figures.rehomed,
        megabytes(figures.rehomed_sent),
        megabytes(figures.rehomed_unseen),
        megabytes(figures.update_bytes),
        megabytes(figures.control_bytes),
    );
    out
}

/// The end: what it took.
pub(super) fn of_cost(settings: &Settings, all: &[Ran], cost: &Cost) -> String {
    let broken = all.iter().filter(|ran| ran.report.broken.is_some()).count();
    let events: usize = all.iter().map(|ran| ran.report.figures.events).sum();
    let mut out = String::new();
    let _ = write!(
        out,
        "{} worlds of {} nodes, {events} events, {broken} broken; {:.1} s on {} threads",
        all.len(),
        settings.nodes,
        cost.wall.as_secs_f64(),
        cost.threads,
    );
    if let Some(bytes) = cost.peak_bytes {
        let nodes = u64::try_from(settings.nodes * cost.threads).unwrap_or(u64::MAX).max(1);
        let _ = write!(out, ", {} of memory at most, {:.1} KB per node", megabytes(bytes), thousands(bytes / nodes));
    }
    out.push('\n');
    out
}

fn row<T: Copy, D: Display>(out: &mut String, what: &str, p: &Percentiles<T>, show: impl Fn(T) -> D) {
    let [median, p90, p99, max] = [p.median, p.p90, p.p99, p.max].map(|value| show(value).to_string());
    let _ = writeln!(out, "  {what:<34} {:>7} {median:>10} {p90:>10} {p99:>10} {max:>10}", p.count);
}

fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", thousands(bytes / 1000))
}

fn thousands(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let count = count as f64;
    count / 1000.0
}
