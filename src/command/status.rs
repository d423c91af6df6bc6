//! `treevnc status`: the tree as text for people, or as JSON.

use super::look_up;
use crate::cli::StatusArgs;
use serde_json::json;
use std::fmt::Write;
use std::time::Duration;
use treevnc_protocol::tree::message::{NodeStatus, Status};
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
    json!({
        "session": status.name.as_str(),
        "session_id": format!("{:016x}", status.session.0),
        "presenter": status.presenter.as_str(),
        "screen": status.screen.map(|size| [size.width(), size.height()]),
        "nodes": nodes,
    })
}

fn node_as_json(node: &NodeStatus, now: Duration) -> serde_json::Value {
    json!({
        "id": node.id.to_string(),
        "name": node.name.as_str(),
        "address": node.address.to_string(),
        "slot": node.slot.0,
        "place": node.slot.to_string(),
        "parent": node.slot.parent().map(|slot| slot.0),
        "depth": node.depth(),
        "relay": node.relay(),
        "leaf_only": node.leaf_only.map(|why| why.to_string()),
        "attached": node.attached,
        "seconds": now.saturating_sub(node.since).as_secs(),
    })
}

/// The tree drawn with lines, a node per line.
pub(crate) fn as_text(status: &Status) -> String {
    let mut out = String::new();
    let screen = status.screen.map_or("no picture yet".to_owned(), |size| size.to_string());
    let depth = status.nodes.iter().map(NodeStatus::depth).max().unwrap_or(0);
    let attached = status.nodes.iter().filter(|node| node.attached && node.slot != Slot::ROOT).count();
    let _ = writeln!(out, "{} ({screen}; {}): {attached} nodes, depth {depth}", status.name, status.presenter);
    draw(&mut out, status, Slot::ROOT, "", "");
    out
}

fn draw(out: &mut String, status: &Status, slot: Slot, first: &str, rest: &str) {
    // Nodes come in slot order.
    let Ok(at) = status.nodes.binary_search_by_key(&slot, |node| node.slot) else { return };
    let Some(node) = status.nodes.get(at) else { return };
    let joining = if node.attached { "" } else { ", joining" };
    let leaf = node.leaf_only.map_or(String::new(), |why| format!(", leaf only ({why})"));
    let _ = writeln!(out, "{first}{} [{}] {}{leaf}{joining}", node.name, node.slot, node.address);
    let is_there = |slot: &Slot| status.nodes.binary_search_by_key(slot, |node| node.slot).is_ok();
    let extra = status.nodes.iter().map(|node| node.slot).filter(|child| child.is_extra() && child.parent() == Some(slot));
    let children: Vec<Slot> = slot.children().filter(is_there).chain(extra).collect();
    for (n, &child) in children.iter().enumerate() {
        let is_last = n + 1 == children.len();
        let (branch, line) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        draw(out, status, child, &format!("{rest}{branch}"), &format!("{rest}{line}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::tree::message::WhyLeaf;
    use treevnc_protocol::tree::slot::NodeId;
    use treevnc_protocol::update::SessionId;

    #[test]
    fn the_tree_is_drawn_with_lines() {
        let node = |slot: u32, name: &str| NodeStatus {
            id: NodeId(u64::from(slot)),
            name: name.into(),
            address: "192.0.2.1:5950".parse().unwrap(),
            slot: Slot(slot),
            leaf_only: (slot == 4 || slot >= 1 << 31).then_some(WhyLeaf::Unreachable),
            attached: slot != 2,
            since: Duration::from_secs(3),
        };
        let extra = Slot::extra(Slot(1), 0).unwrap().0;
        let nodes =
            [(0, "root"), (1, "ada"), (2, "bob"), (3, "cy"), (4, "di"), (extra, "ed")].map(|(slot, name)| node(slot, name));
        let status = Status {
            session: SessionId(1),
            name: "Physik".into(),
            presenter: "presenting: desk".into(),
            screen: None,
            now: Duration::from_secs(10),
            nodes: nodes.to_vec(),
            more: false,
        };
        let expected = "Physik (no picture yet; presenting: desk): 4 nodes, depth 2
root [0] 192.0.2.1:5950
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
}
