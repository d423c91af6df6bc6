//! What is said about a node in words: why it stands where it stands, and whether it is slow.

use super::figures::{count, ms};
use std::collections::BTreeMap;
use treevnc_protocol::tree::message::{Behind, BehindFare, Fare, NodeStatus, Status, WhyLeaf};
use treevnc_protocol::tree::slot::{NodeId, Slot};

/// A node is late when its delay is so many times that of the others, and so much longer at least, in microseconds.
const LATE_TIMES: u32 = 3;
const LATE_MICROS: u32 = 30_000;
/// Who skips so many of a hundred updates does not keep up; nor does the one above, if it skips about as many.
const SKIPS: u8 = 5;
const ABOUT: u8 = 10;

/// What all the others have, to compare one with them.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// The delays of each row: of the same tree and depth. Sites are far, and compared with nobody.
    rows: BTreeMap<(u16, u32), Vec<(u32, NodeId)>>,
    /// Of how many of a hundred updates each of those skips who skip some.
    skips: BTreeMap<(u16, Slot), u8>,
}

/// How it stands with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether it does not keep up, or did not, and it is not for want of what its parent has.
    pub(super) is_slow: bool,
    /// In words, what matters most first.
    pub(super) notes: Vec<String>,
}

impl Others {
    pub(super) fn new(status: &Status) -> Self {
        let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let skips = status.nodes.iter().filter_map(|node| Some(((node.tree, node.slot), skips(node)?))).collect();
        let placed = status.nodes.iter().filter(|node| node.slot != Slot::ROOT && node.leaf_only != Some(WhyLeaf::Site));
        for node in placed {
            let fresh = node.fare.filter(Fare::is_fresh);
            rows.entry((node.tree, node.depth())).or_default().extend(fresh.map(|fare| (fare.one_way, node.id)));
        }
        rows.values_mut().for_each(|row| row.sort_unstable());
        Self { rows, skips }
    }

    /// The median of the others in a node's row; none where there are no others.
    fn median(&self, node: &NodeStatus) -> Option<u32> {
        let row = self.rows.get(&(node.tree, node.depth()))?;
        let others: Vec<_> = row.iter().filter(|(_, id)| *id != node.id).map(|(one_way, _)| *one_way).collect();
        others.get(others.len().saturating_sub(1) / 2).copied()
    }

    /// What the others of a node's row take, if it takes much longer.
    fn late(&self, node: &NodeStatus) -> Option<u32> {
        let fare = node.fare.filter(Fare::is_fresh).filter(|_| node.leaf_only != Some(WhyLeaf::Site))?;
        let others = self.median(node)?;
        let is_late = fare.one_way >= others.saturating_mul(LATE_TIMES) && fare.one_way - others >= LATE_MICROS;
        is_late.then_some(others)
    }
}

impl Standing {
    pub(super) fn of(node: &NodeStatus, others: &Others) -> Self {
        let (skips, late) = (skips(node), others.late(node));
        let above = node.slot.parent().and_then(|slot| others.skips.get(&(node.tree, slot)));
        let has_it_from_above = skips.zip(above).is_some_and(|(skips, above)| skips <= above.saturating_add(ABOUT));
        let joining = (!node.attached).then(|| "joining".to_owned());
        let skipping = skips.map(|skips| {
            let from_above = if has_it_from_above { ", as its parent does" } else { "" };
            format!("skips {skips}% of what changes{from_above}")
        });
        let late_by = late.map(|others| format!("late: others of its row take {} ms", ms(others)));
        let notes = [joining, skipping, late_by, why(node)];
        let is_behind = skips.is_some() || late.is_some();
        let is_slow = (is_behind && !has_it_from_above) || node.leaf_only == Some(WhyLeaf::Slow);
        Self { is_slow, notes: notes.into_iter().flatten().collect() }
    }
}

/// How many of a hundred updates it skips now, if these are too many.
fn skips(node: &NodeStatus) -> Option<u8> {
    node.fare.filter(Fare::is_fresh).map(|fare| fare.skips).filter(|skips| *skips >= SKIPS)
}

/// Why it passes nothing on.
fn why(node: &NodeStatus) -> Option<String> {
    Some(match node.leaf_only? {
        WhyLeaf::Site => format!("a site{}", behind(node)),
        why if why.is_for_a_while() => format!("leaf only for a while ({why})"),
        why => format!("leaf only ({why})"),
    })
}

/// What is behind a site, if that is known.
fn behind(node: &NodeStatus) -> String {
    let worst = node.behind_fare.filter(|fare| fare.answering > 0).map_or(String::new(), |BehindFare { worst, age, .. }| {
        let is_old = u128::from(age) >= Fare::FRESH.as_millis();
        format!(", the slowest {}{} ms", if is_old { "was " } else { "" }, ms(worst))
    });
    match node.behind {
        Some(Behind { nodes: 0, .. }) => ", nobody behind it yet".to_owned(),
        Some(Behind { nodes, depth }) => {
            format!(", {} behind it, {depth} deep{worst}", count(usize::try_from(nodes).unwrap_or(usize::MAX)))
        }
        None => String::new(),
    }
}
