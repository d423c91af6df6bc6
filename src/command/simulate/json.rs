//! What simulated worlds came to, for machines. Times are milliseconds unless their name says otherwise.

use super::{Cost, Ran};
use serde_json::{Map, Value, json};
use std::time::Duration;
use treevnc_simulation::{Percentiles, Settings};

pub(super) fn of_all(settings: &Settings, all: &[Ran], cost: &Cost) -> Value {
    json!({
        "nodes": settings.nodes,
        "events": settings.events,
        "leaf_only_percent": settings.leaf_only,
        "loss_percent": settings.loss,
        "worlds": all.iter().map(of_world).collect::<Vec<_>>(),
        "wall_seconds": cost.wall.as_secs_f64(),
        "threads": cost.threads,
        "peak_bytes": cost.peak_bytes,
    })
}

fn of_world(ran: &Ran) -> Value {
    let report = &ran.report;
    let figures = &report.figures;
    let repairs: Map<_, _> = report.repairs.iter().map(|(kind, p)| (kind.name().to_owned(), of(p, millis))).collect();
    let whole = |p: &Option<Percentiles<u64>>| p.as_ref().map(|p| of(p, |count| json!(count)));
    let times = |p: &Option<Percentiles<Duration>>| p.as_ref().map(|p| of(p, millis));
    json!({
        "seed": report.seed,
        "broken": report.broken.as_ref().map(ToString::to_string),
        "wall_seconds": ran.wall.as_secs_f64(),
        "seconds": figures.seconds,
        "stood_up_ms": millis(figures.stood_up),
        "joining_ms": times(&figures.joining),
        "joins": figures.joins,
        "events": figures.events,
        "losses": figures.losses,
        "repair_ms": repairs,
        "single_loss": {
            "repair_ms": times(&report.single_repair),
            "moves": whole(&report.single_moves),
            "placements": whole(&report.single_placements),
            "root_messages": whole(&report.single_messages),
        },
        "at_the_end": { "nodes": figures.nodes, "relays": figures.relays, "depth": figures.depth },
        "moves": figures.moves,
        "placed_again": figures.placed_again,
        "refusals": figures.refusals,
        "blamed": figures.blamed,
        "gave_up": figures.gave_up,
        "silences": figures.silences,
        "slow": figures.slow,
        "messages": figures.messages,
        "root_messages": figures.root_messages,
        "control_bytes": figures.control_bytes,
        "frames": figures.frames,
        "update_bytes": figures.update_bytes,
        "rehomed": { "count": figures.rehomed, "sent_bytes": figures.rehomed_sent, "unseen_bytes": figures.rehomed_unseen },
        "steps": figures.steps,
        "inspections": figures.inspections,
    })
}

fn of<T: Copy>(p: &Percentiles<T>, value: impl Fn(T) -> Value) -> Value {
    let [median, p90, p99, max] = [p.median, p.p90, p.p99, p.max].map(value);
    json!({ "count": p.count, "median": median, "p90": p90, "p99": p99, "max": max })
}

fn millis(time: Duration) -> Value {
    json!(time.as_secs_f64() * 1000.0)
}
