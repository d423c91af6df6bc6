//! A root's figures for monitoring systems. Every label has few values: those that the program knows, and of networks those that the machine
//! has. No name of a node or of a session is among them.

use crate::delays::{BOUNDS_MICROS, DelayFigures, DepthTotal};
use crate::presenter::PresenterState;
use crate::session::RootHandle;
use crate::trees::Turnover;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use treevnc_metrics::{Kind, Text};
use treevnc_protocol::tree::message::{Fare, NetworkKind, NodeStatus, Status, TreeStatus, WhyLeaf};
use treevnc_protocol::tree::slot::Slot;
use treevnc_relay::metrics::{about, presenter, sent};
use treevnc_relay::shared_log::Traffic;

/// What a page is made from.
#[derive(Debug)]
struct Figures {
    status: Status,
    traffic: Traffic,
    turnover: Turnover,
    delays: DelayFigures,
}

/// The page of a root as it is now.
pub fn page(root: &RootHandle) -> String {
    let mut text = Text::default();
    about(&mut text, root.log());
    let is_node = root.floor().borrow().presenting.is_some();
    let is_connected = is_node || matches!(*root.presenter().borrow(), PresenterState::Connected { .. });
    presenter(&mut text, is_connected, is_node);
    let (status, traffic, turnover, delays) = (root.status(), root.traffic(), root.turnover(), root.delays());
    Figures { status, traffic, turnover, delays }.write(&mut text);
    text.into_page()
}

impl Figures {
    fn write(&self, text: &mut Text) {
        text.single("treevnc_uptime_seconds", Kind::Gauge, "How long this root has run.", self.status.now.as_secs_f64());
        self.nodes(text);
        self.came_and_went(text);
        self.fares(text);
        let Traffic { head, pictures, appended_bytes, .. } = self.traffic;
        text.single("treevnc_published_frames_total", Kind::Counter, "Frames that were published.", pictures);
        text.single("treevnc_published_updates_total", Kind::Counter, "Updates that they were cut into.", head.0);
        text.single("treevnc_published_bytes_total", Kind::Counter, "Bytes of these updates.", appended_bytes);
        sent(text, &self.traffic);
    }

    fn nodes(&self, text: &mut Text) {
        let nodes = || self.status.nodes.iter().filter(|node| node.slot != Slot::ROOT);
        let mut trees: BTreeMap<Tree, Count> = self.status.trees.iter().map(|tree| (Tree::of(tree), Count::default())).collect();
        for node in nodes() {
            let tree = self.status.trees.get(usize::from(node.tree)).map_or_else(Tree::untold, Tree::of);
            trees.entry(tree).or_default().add(node);
        }
        let mut family = text.family("treevnc_nodes", Kind::Gauge, "Nodes by tree: attached, or on their way to their place.");
        for (Tree { name, kind, family: ip }, count) in &trees {
            for (state, count) in [("attached", count.attached), ("joining", count.joining)] {
                family.sample(&[("tree", name), ("kind", kind), ("ip", ip), ("state", state)], count);
            }
        }
        let mut family =
            text.family("treevnc_tree_depth", Kind::Gauge, "Links between the root and the farthest node of a tree.");
        for (Tree { name, kind, family: ip }, count) in &trees {
            family.sample(&[("tree", name), ("kind", kind), ("ip", ip)], count.depth);
        }
        let help = "Nodes that pass nothing on, by reason.";
        let mut family = text.family("treevnc_leaf_only_nodes", Kind::Gauge, help);
        for (why, reason) in REASONS {
            family.sample(&[("reason", reason)], nodes().filter(|node| node.leaf_only == Some(why)).count());
        }
        let behind: u64 = nodes().filter_map(|node| node.behind).map(|behind| u64::from(behind.nodes)).sum();
        text.single("treevnc_nodes_behind_sites", Kind::Gauge, "Nodes behind sites, as the sites say.", behind);
        let fresh = || nodes().filter_map(|node| node.fare).filter(Fare::is_fresh);
        let help = "Nodes that have answered a check in the last 5 seconds. On a screen that rests nobody does.";
        text.single("treevnc_measured_nodes", Kind::Gauge, help, fresh().count());
        let help = "Of treevnc_measured_nodes, those that lately skipped some of what changed.";
        text.single("treevnc_skipping_nodes", Kind::Gauge, help, fresh().filter(|fare| fare.skips > 0).count());
        let help = "Nodes that the root could feed itself beyond the two of each tree.";
        text.single("treevnc_room_nodes", Kind::Gauge, help, self.status.room);
    }

    fn came_and_went(&self, text: &mut Text) {
        let Turnover { joined, lost, left, attached, refused } = self.turnover;
        for (name, help, count) in [
            ("treevnc_node_joins_total", "Nodes that joined.", joined),
            ("treevnc_node_losses_total", "Nodes that were lost: they crashed, or stood still, or their network did.", lost),
            ("treevnc_node_leaves_total", "Nodes that left.", left),
            ("treevnc_node_attachments_total", "Times that a node attached to a parent: the first and all others.", attached),
            ("treevnc_node_refusals_total", "Times that a node was turned away.", refused),
        ] {
            text.single(name, Kind::Counter, help, count);
        }
    }

    fn fares(&self, text: &mut Text) {
        let DelayFigures { checks, skipped, ref depths } = self.delays;
        for (name, help, count) in [
            ("treevnc_delay_checks_total", "CHECK_DELAYs that were sent.", checks.sent),
            ("treevnc_delay_answers_total", "Answers to them that came.", checks.answers),
            ("treevnc_delay_answers_missing_total", "Answers to them that never came; known some time later.", checks.missing),
            (
                "treevnc_skipped_updates_total",
                "Updates that nodes skipped because they were painted over, by all nodes.",
                skipped,
            ),
        ] {
            text.single(name, Kind::Counter, help, count);
        }
        let help = "From a frame's first byte at the root to the complete frame at a node, by the links between them.";
        let mut family = text.family("treevnc_one_way_delay_seconds", Kind::Histogram, help);
        for DepthTotal { depth, count, sum, within } in depths {
            let bounds = BOUNDS_MICROS.map(|bound| Duration::from_micros(bound).as_secs_f64());
            let depth = depth.to_string();
            family.histogram(&[("depth", &depth)], bounds.into_iter().zip(*within), sum.as_secs_f64(), *count);
        }
    }
}

const REASONS: [(WhyLeaf, &str); 7] = [
    (WhyLeaf::Asked, "asked"),
    (WhyLeaf::Unreachable, "unreachable"),
    (WhyLeaf::Isolated, "isolated"),
    (WhyLeaf::Slow, "slow"),
    (WhyLeaf::Site, "site"),
    (WhyLeaf::Capped, "upload_limit"),
    (WhyLeaf::Unreached, "unreached"),
];

/// A tree as labels have it. Trees that have the same labels are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Tree {
    name: String,
    kind: &'static str,
    family: &'static str,
}

impl Tree {
    fn of(tree: &TreeStatus) -> Self {
        let kind = match tree.kind {
            NetworkKind::Lan => "lan",
            NetworkKind::PointToPoint => "point_to_point",
            NetworkKind::Container => "container",
            NetworkKind::Loopback => "loopback",
            NetworkKind::Elsewhere => "elsewhere",
            NetworkKind::Direct => "direct",
            NetworkKind::Gone => "gone",
        };
        let family = match tree.addresses.first() {
            None => "",
            Some(IpAddr::V4(_)) => "v4",
            Some(IpAddr::V6(ip)) if ip.is_unicast_link_local() => "v6_link_local",
            Some(IpAddr::V6(_)) => "v6",
        };
        Self { name: tree.name.to_string(), kind, family }
    }

    /// Of nodes whose tree is beyond those that a status tells.
    fn untold() -> Self {
        Self { name: String::new(), kind: "other", family: "" }
    }
}

#[derive(Debug, Default)]
struct Count {
    attached: u64,
    joining: u64,
    depth: u32,
}

impl Count {
    fn add(&mut self, node: &NodeStatus) {
        *(if node.attached { &mut self.attached } else { &mut self.joining }) += 1;
        self.depth = self.depth.max(node.depth());
    }
}
