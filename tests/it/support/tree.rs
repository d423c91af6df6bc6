//! The tree as `treevnc status --json` tells it, and what must be true of it once it is quiet.

use crate::support::process::{Process, treevnc};
use crate::support::wait::{PATIENCE, poll_for};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// Where a node stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) name: String,
    /// Which of the session's trees.
    pub(crate) tree: u64,
    pub(crate) slot: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) attached: bool,
    /// Why it has no children, if that is so.
    pub(crate) leaf_only: Option<String>,
}

/// The root's answer; the root itself is the first.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Standing>,
}

impl Tree {
    /// Asks a root or node; `None` when nobody answers.
    pub(crate) fn ask(address: SocketAddr) -> Option<Self> {
        Self::answered(Process::start(&mut treevnc(["status", &address.to_string(), "--json"])))
    }

    /// What a `treevnc status --json` that was started elsewhere answers.
    pub(crate) fn answered(mut asking: Process) -> Option<Self> {
        asking.end(PATIENCE).success().then(|| Self::parse(&asking.out().all().join("\n")))
    }

    fn parse(json: &str) -> Self {
        let status: serde_json::Value = serde_json::from_str(json).unwrap();
        let nodes = status["nodes"].as_array().unwrap().iter().map(|entry| Standing {
            name: entry["name"].as_str().unwrap().to_owned(),
            tree: entry["tree"].as_u64().unwrap(),
            slot: entry["slot"].as_u64().unwrap(),
            parent: entry["parent"].as_u64(),
            attached: entry["attached"].as_bool().unwrap(),
            leaf_only: entry["leaf_only"].as_str().map(str::to_owned),
        });
        Self { nodes: nodes.collect() }
    }

    /// The root, and the nodes of the tree that this one is in.
    pub(crate) fn around(&self, name: &str) -> Option<Self> {
        let tree = self.node(name)?.tree;
        Some(Self { nodes: self.nodes.iter().filter(|node| node.slot == 0 || node.tree == tree).cloned().collect() })
    }

    /// Where the node of this name stands.
    pub(crate) fn node(&self, name: &str) -> Option<&Standing> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The names of all nodes below a slot.
    pub(crate) fn below(&self, slot: u64) -> Vec<String> {
        let children = self.nodes.iter().filter(|node| node.parent == Some(slot));
        children.flat_map(|child| [vec![child.name.clone()], self.below(child.slot)].concat()).collect()
    }

    /// Says what keeps it from being the whole tree of exactly these nodes: each attached below one that may have children, and no
    /// deeper than it has to be.
    pub(crate) fn objection<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
        let Some((root, nodes)) = self.nodes.split_first() else { return Some("not even a root".to_owned()) };
        let wanted: BTreeSet<_> = names.into_iter().collect();
        let here: BTreeSet<_> = nodes.iter().map(|node| node.name.as_str()).collect();
        if wanted != here || here.len() != nodes.len() {
            let missing: Vec<_> = wanted.difference(&here).collect();
            let strangers: Vec<_> = here.difference(&wanted).collect();
            return Some(format!("{} nodes; missing {missing:?}, gone but still there {strangers:?}", nodes.len()));
        }
        if let Some(node) = nodes.iter().find(|node| !node.attached) {
            return Some(format!("{node:?} is not attached"));
        }
        let may_have_children =
            |slot| std::iter::once(root).chain(nodes).any(|node| node.slot == slot && node.leaf_only.is_none());
        if let Some(node) = nodes.iter().find(|node| !node.parent.is_some_and(may_have_children)) {
            return Some(format!("{node:?} has no parent"));
        }
        // The tree is as low as it can be when every row but the last that has relays is full of them.
        let relays: BTreeSet<_> = nodes.iter().filter(|node| node.leaf_only.is_none()).map(|node| node.slot).collect();
        let first_of_last_row = relays.last().map_or(1, |last| (1 << (last + 1).ilog2()) - 1);
        let hole = (1..first_of_last_row).find(|slot| !relays.contains(slot))?;
        Some(format!("no relay at slot {hole}: {relays:?}"))
    }
}

/// Waits until the tree that `ask` sees is the whole tree of exactly these nodes.
pub(crate) fn must_be_whole(names: &[&str], patience: Duration, mut ask: impl FnMut() -> Option<Tree>) -> Tree {
    let mut last = None;
    let whole = poll_for(patience, || {
        let tree = ask();
        last = tree.as_ref().map_or(Some("no answer".to_owned()), |tree| tree.objection(names.iter().copied()));
        tree.filter(|_| last.is_none())
    });
    whole.unwrap_or_else(|| panic!("the tree is not whole after {patience:?}: {}", last.unwrap()))
}
