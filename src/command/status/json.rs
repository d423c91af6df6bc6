//! The status for machines.

use super::notes::{Others, Standing};
use super::text::{isolated, members};
use serde_json::{Value, json};
use treevnc_protocol::tree::message::{Behind, BehindFare, CheckCounts, DepthDelay, NetworkKind, NodeStatus, Status, TreeStatus};

pub(super) fn as_json(status: &Status) -> Value {
    let others = Others::new(status);
    let nodes: Vec<_> = status.nodes.iter().map(|node| node_as_json(node, status, &others)).collect();
    let trees: Vec<_> = status.trees.iter().enumerate().map(|(n, tree)| tree_as_json(status, n, tree)).collect();
    let delays: Vec<_> = status.delays.iter().map(delay_as_json).collect();
    let checks = status
        .checks
        .map(|CheckCounts { sent, answers, missing }| json!({ "sent": sent, "answers": answers, "missing": missing }));
    json!({
        "session": status.name.as_str(),
        "session_id": format!("{:016x}", status.session.0),
        "presenter": status.presenter.as_str(),
        "screen": status.screen.map(|size| [size.width(), size.height()]),
        "site_of": status.site_of.as_ref().map(|site| json!({ "host": site.host.as_str(), "depth": site.depth })),
        "trees": trees,
        "room": status.room,
        "isolated": isolated(status),
        "nodes": nodes,
        "delays": delays,
        "checks": checks,
    })
}

fn delay_as_json(delay: &DepthDelay) -> Value {
    let DepthDelay { depth, count, median, p95, p99, max } = delay;
    json!({ "depth": depth, "count": count, "median_us": median, "p95_us": p95, "p99_us": p99, "max_us": max })
}

fn tree_as_json(status: &Status, number: usize, tree: &TreeStatus) -> Value {
    let kind = match tree.kind {
        NetworkKind::Lan => "lan",
        NetworkKind::PointToPoint => "point-to-point",
        NetworkKind::Container => "container",
        NetworkKind::Loopback => "loopback",
        NetworkKind::Elsewhere => "elsewhere",
        NetworkKind::Direct => "direct",
        NetworkKind::Gone => "gone",
    };
    let addresses: Vec<_> = tree.addresses.iter().map(ToString::to_string).collect();
    json!({ "name": tree.name.as_str(), "kind": kind, "addresses": addresses, "nodes": members(status, number).count() })
}

fn node_as_json(node: &NodeStatus, status: &Status, others: &Others) -> Value {
    let standing = Standing::of(node, others);
    let behind = node.behind.map(|Behind { nodes, depth }| json!({ "nodes": nodes, "depth": depth }));
    let behind_fare = node
        .behind_fare
        .map(|BehindFare { answering, worst, age }| json!({ "answering": answering, "worst_delay_us": worst, "age_ms": age }));
    json!({
        "id": node.id.to_string(),
        "name": node.name.as_str(),
        "address": node.address.to_string(),
        "tree": node.tree,
        "slot": node.slot.0,
        "place": node.slot.to_string(),
        "parent": node.slot.parent().map(|slot| slot.0),
        "depth": node.depth(),
        "relay": node.relay(),
        "leaf_only": node.leaf_only.map(|why| why.to_string()),
        "attached": node.attached,
        "delay_us": node.fare.map(|fare| fare.one_way),
        "round_trip_us": node.fare.map(|fare| fare.round_trip),
        "bits_per_second": node.fare.and_then(|fare| fare.rate),
        "skipped": node.fare.map(|fare| fare.skipped),
        "skips_percent": node.fare.map(|fare| fare.skips),
        "age_ms": node.fare.map(|fare| fare.age),
        "slow": standing.is_slow,
        "notes": standing.notes,
        "behind": behind,
        "behind_fare": behind_fare,
        "seconds": status.now.saturating_sub(node.since).as_secs(),
    })
}
