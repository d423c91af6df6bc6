//! `treevnc status`: the tree as text for people, or as JSON.

use super::look_up;
use crate::cli::StatusArgs;
use serde_json::json;
use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;
use treevnc_protocol::tree::message::{Behind, DepthDelay, NetworkKind, NodeStatus, Status, TreeStatus, WhyLeaf};
use treevnc_protocol::tree::slot::Slot;
use treevnc_viewer::ask::ask_status;

const LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn run(args: StatusArgs) -> anyhow::Result<()> {
    let mut last = None;
    for node in look_up(&args.node).await? {
        match ask_status(node, LIMIT).await {
            Ok(status) if args.json => {
                println!("{}", as_json(&status));
                return Ok(());
            }
            Ok(status) => {
                print!("{}", as_text(&status));
                return Ok(());
            }
            Err(error) => last = Some(anyhow::Error::new(error)),
        }
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("'{}' has no address", args.node)))
}

fn as_json(status: &Status) -> serde_json::Value {
    let nodes: Vec<_> = status.nodes.iter().map(|node| node_as_json(node, status.now)).collect();
    let trees: Vec<_> = status.trees.iter().enumerate().map(|(n, tree)| tree_as_json(status, n, tree)).collect();
    let delays: Vec<_> = status.delays.iter().map(delay_as_json).collect();
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
    })
}

fn delay_as_json(delay: &DepthDelay) -> serde_json::Value {
    let DepthDelay { depth, count, median, p95, p99, max } = delay;
    json!({ "depth": depth, "count": count, "median_us": median, "p95_us": p95, "p99_us": p99, "max_us": max })
}

fn tree_as_json(status: &Status, number: usize, tree: &TreeStatus) -> serde_json::Value {
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

fn node_as_json(node: &NodeStatus, now: Duration) -> serde_json::Value {
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
        "delay_us": node.delay,
        "behind": node.behind.map(|behind| json!({ "nodes": behind.nodes, "depth": behind.depth })),
        "seconds": now.saturating_sub(node.since).as_secs(),
    })
}

/// The trees drawn with lines, a node per line.
pub(crate) fn as_text(status: &Status) -> String {
    let mut out = String::new();
    let screen = status.screen.map_or("no picture yet".to_owned(), |size| size.to_string());
    let depth = status.nodes.iter().map(NodeStatus::depth).max().unwrap_or(0);
    let attached = status.nodes.iter().filter(|node| node.attached && node.slot != Slot::ROOT).count();
    let s = if attached == 1 { "" } else { "s" };
    let _ = writeln!(out, "{} ({screen}; {}): {attached} node{s}, depth {depth}", status.name, status.presenter);
    if let Some(site) = &status.site_of {
        let _ = writeln!(out, "this is a site of {}, with {} above it", site.host, roots(site.depth));
    }
    if let Some(note) = about_isolated(status) {
        let _ = writeln!(out, "{note}");
    }
    if let Some(root) = status.nodes.first() {
        let _ = writeln!(out, "{} [{}] {}", root.name, root.slot, root.address);
    }
    if !status.delays.is_empty() {
        let depths = status.delays.iter().map(|at| format!("{} {} ({})", at.depth, ms(at.median), ms(at.p95)));
        let _ = writeln!(out, "delay by depth in ms, median (p95): {}", depths.collect::<Vec<_>>().join(", "));
    }
    for (number, tree) in status.trees.iter().enumerate() {
        let nodes: Vec<_> = members(status, number).collect();
        if nodes.is_empty() && !is_of_interest(tree) {
            continue;
        }
        let _ = writeln!(out, "{}: {}", network(tree), count(nodes.len()));
        draw_below(&mut out, &nodes, Slot::ROOT, "");
    }
    out
}

fn isolated(status: &Status) -> usize {
    status.nodes.iter().filter(|node| node.leaf_only == Some(WhyLeaf::Isolated)).count()
}

/// What a lecturer wants to know when the network keeps computers apart.
fn about_isolated(status: &Status) -> Option<String> {
    let (who, others, them) = match isolated(status) {
        0 => return None,
        1 => ("1 computer".to_owned(), "keeps it apart", "it"),
        n => (format!("{n} computers"), "keeps them apart", "them"),
    };
    let room = match status.room {
        0 => "it has no room for more".to_owned(),
        n => format!("it has room for {n} more"),
    };
    Some(format!(
        "{who} cannot reach the others (the network {others}, as some Wi-Fi does): the root feeds {them} itself, {room}"
    ))
}

/// Microseconds as milliseconds.
fn ms(micros: u32) -> String {
    format!("{:.1}", f64::from(micros) / 1e3)
}

fn members(status: &Status, tree: usize) -> impl Iterator<Item = &NodeStatus> {
    status.nodes.iter().filter(move |node| node.slot != Slot::ROOT && usize::from(node.tree) == tree)
}

/// Whether somebody may want to know of a network where nobody is: its address is one to join by.
fn is_of_interest(tree: &TreeStatus) -> bool {
    let is_told = matches!(tree.kind, NetworkKind::Lan | NetworkKind::PointToPoint | NetworkKind::Container);
    is_told && tree.addresses.iter().any(|ip| !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()))
}

fn network(tree: &TreeStatus) -> String {
    let addresses: Vec<_> = tree.addresses.iter().map(ToString::to_string).collect();
    let name = format!("{} {}", tree.name, addresses.join(", "));
    match tree.kind {
        NetworkKind::Lan | NetworkKind::Loopback => name,
        NetworkKind::PointToPoint => format!("{name} (a line to one peer)"),
        NetworkKind::Container => format!("{name} (containers; newcomers are not told of it)"),
        NetworkKind::Elsewhere => "from other networks".to_owned(),
        NetworkKind::Direct => "sites, joined directly".to_owned(),
        NetworkKind::Gone => "from a network that is gone".to_owned(),
    }
}

fn roots(count: u8) -> String {
    if count == 1 { "1 root".to_owned() } else { format!("{count} roots") }
}

/// What is behind a site, if that is known.
fn behind(node: &NodeStatus) -> String {
    match node.behind {
        Some(Behind { nodes: 0, .. }) => ", nobody behind it yet".to_owned(),
        Some(Behind { nodes, depth }) => {
            format!(", {} behind it, {depth} deep", count(usize::try_from(nodes).unwrap_or(usize::MAX)))
        }
        None => String::new(),
    }
}

fn count(nodes: usize) -> String {
    match nodes {
        0 => "nobody".to_owned(),
        1 => "1 node".to_owned(),
        n => format!("{n} nodes"),
    }
}

/// Those below a slot of one tree, whose nodes come in slot order.
fn draw_below(out: &mut String, nodes: &[&NodeStatus], slot: Slot, before: &str) {
    let is_there = |slot: &Slot| nodes.binary_search_by_key(slot, |node| node.slot).is_ok();
    let extra = nodes.iter().map(|node| node.slot).filter(|child| child.is_extra() && child.parent() == Some(slot));
    let children: Vec<Slot> = slot.children().filter(is_there).chain(extra).collect();
    for (n, &child) in children.iter().enumerate() {
        let Some(node) = nodes.binary_search_by_key(&child, |node| node.slot).ok().and_then(|at| nodes.get(at)) else { continue };
        let is_last = n + 1 == children.len();
        let (branch, line) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let joining = if node.attached { "" } else { ", joining" };
        let leaf = match node.leaf_only {
            Some(WhyLeaf::Site) => format!(", a site{}", behind(node)),
            why => why.map_or(String::new(), |why| format!(", leaf only ({why})")),
        };
        let delay = node.delay.map_or(String::new(), |micros| format!(", {} ms", ms(micros)));
        let _ = writeln!(out, "{before}{branch}{} [{}] {}{delay}{leaf}{joining}", node.name, node.slot, node.address);
        draw_below(out, nodes, child, &format!("{before}{line}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::tree::slot::NodeId;
    use treevnc_protocol::update::SessionId;

    fn node(slot: u32, tree: u16, name: &str) -> NodeStatus {
        NodeStatus {
            id: NodeId(u64::from(slot)),
            name: name.into(),
            address: "192.0.2.1:5950".parse().unwrap(),
            slot: Slot(slot),
            leaf_only: (slot == 4 || slot >= 1 << 31).then_some(WhyLeaf::Unreachable),
            attached: slot != 2,
            since: Duration::from_secs(3),
            delay: None,
            tree,
            behind: None,
        }
    }

    fn tree(name: &str, kind: NetworkKind, addresses: &[&str]) -> TreeStatus {
        TreeStatus { name: name.into(), kind, addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect() }
    }

    fn status(trees: Vec<TreeStatus>, nodes: Vec<NodeStatus>) -> Status {
        Status {
            session: SessionId(1),
            name: "Physik".into(),
            presenter: "presenting: desk".into(),
            screen: None,
            now: Duration::from_secs(10),
            trees,
            room: 12,
            nodes,
            more: false,
            site_of: None,
            delays: Vec::new(),
        }
    }

    #[test]
    fn of_those_who_are_kept_apart_it_says_how_many_and_for_how_many_more_there_is_room() {
        let apart = |slot: u32, name| NodeStatus { leaf_only: Some(WhyLeaf::Isolated), ..node(slot, 0, name) };
        let nodes =
            vec![node(0, 0, "root"), apart(1, "ada"), apart(2, "bob"), apart(Slot::extra(Slot::ROOT, 0).unwrap().0, "cy")];
        let mut status = status(Vec::new(), nodes);
        let said = |status: &Status| as_text(status).lines().nth(1).unwrap().to_owned();
        assert_eq!(
            said(&status),
            "3 computers cannot reach the others (the network keeps them apart, as some Wi-Fi does): the root feeds them itself, \
             it has room for 12 more"
        );
        assert_eq!((&as_json(&status)["isolated"], &as_json(&status)["room"]), (&json!(3), &json!(12)));
        status.nodes.truncate(2);
        status.room = 0;
        assert_eq!(
            said(&status),
            "1 computer cannot reach the others (the network keeps it apart, as some Wi-Fi does): the root feeds it itself, \
             it has no room for more"
        );
        status.nodes.truncate(1);
        assert_eq!(said(&status), "root [0] 192.0.2.1:5950");
    }

    #[test]
    fn delays_are_told_by_depth_and_with_each_node() {
        let mut nodes = [node(0, 0, "root"), node(1, 0, "ada"), node(3, 0, "cy")].to_vec();
        nodes[1].delay = Some(3210);
        let mut status = status(vec![tree("eth0", NetworkKind::Lan, &["192.0.2.1"])], nodes);
        status.delays = vec![DepthDelay { depth: 1, count: 9, median: 3000, p95: 4260, p99: 5000, max: 6000 }];
        let text = as_text(&status);
        assert!(text.contains("\ndelay by depth in ms, median (p95): 1 3.0 (4.3)\n"), "{text}");
        assert!(text.contains("─ ada [1] 192.0.2.1:5950, 3.2 ms\n") && text.contains("cy [3] 192.0.2.1:5950\n"), "{text}");
        let json = as_json(&status);
        assert_eq!((&json["delays"][0]["p95_us"], &json["nodes"][1]["delay_us"]), (&json!(4260), &json!(3210)));
    }

    #[test]
    fn the_tree_is_drawn_with_lines() {
        let extra = Slot::extra(Slot(1), 0).unwrap().0;
        let nodes = [(0, "root"), (1, "ada"), (2, "bob"), (3, "cy"), (4, "di"), (extra, "ed")];
        let nodes = nodes.map(|(slot, name)| node(slot, 0, name));
        let status = status(vec![tree("eth0", NetworkKind::Lan, &["192.0.2.1"])], nodes.to_vec());
        let expected = "Physik (no picture yet; presenting: desk): 4 nodes, depth 2
root [0] 192.0.2.1:5950
eth0 192.0.2.1: 5 nodes
├─ ada [1] 192.0.2.1:5950
│  ├─ cy [3] 192.0.2.1:5950
│  ├─ di [4] 192.0.2.1:5950, leaf only (cannot be reached: its firewall?)
│  └─ ed [1+1] 192.0.2.1:5950, leaf only (cannot be reached: its firewall?)
└─ bob [2] 192.0.2.1:5950, joining
";
        assert_eq!(as_text(&status), expected);
        let json = as_json(&status);
        assert_eq!((&json["nodes"][4]["depth"], &json["nodes"][4]["seconds"]), (&json!(2), &json!(7)));
    }

    #[test]
    fn each_network_has_its_tree_and_those_where_nobody_is_are_told_if_somebody_could_join_there() {
        let trees = vec![
            tree("lo", NetworkKind::Loopback, &["127.0.0.1"]),
            tree("eth0", NetworkKind::Lan, &["192.0.2.1"]),
            tree("eth0", NetworkKind::Lan, &["fe80::1"]),
            tree("wlan0", NetworkKind::Lan, &["10.1.0.1"]),
            tree("docker0", NetworkKind::Container, &["172.17.0.1"]),
            tree("", NetworkKind::Elsewhere, &[]),
        ];
        let nodes = vec![node(0, 0, "root"), node(1, 3, "ada"), node(3, 3, "cy"), node(1, 5, "far")];
        let status = status(trees, nodes);
        let expected = "Physik (no picture yet; presenting: desk): 3 nodes, depth 2
root [0] 192.0.2.1:5950
eth0 192.0.2.1: nobody
wlan0 10.1.0.1: 2 nodes
└─ ada [1] 192.0.2.1:5950
   └─ cy [3] 192.0.2.1:5950
docker0 172.17.0.1 (containers; newcomers are not told of it): nobody
from other networks: 1 node
└─ far [1] 192.0.2.1:5950
";
        assert_eq!(as_text(&status), expected);
        let json = as_json(&status);
        assert_eq!((&json["trees"][3]["nodes"], &json["trees"][5]["kind"]), (&json!(2), &json!("elsewhere")));
    }
}
