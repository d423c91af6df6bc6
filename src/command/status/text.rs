//! The status for people, as lines: what holds for all, then the trees drawn with lines, a node per line with its figures in columns.

use super::figures::{age, count, ms, rate};
use super::notes::{Others, Standing};
use std::net::IpAddr;
use treevnc_protocol::tree::message::{CheckCounts, Fare, NetworkKind, NodeStatus, Status, TreeStatus, WhyLeaf};
use treevnc_protocol::tree::slot::Slot;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The widest that names and the lines in front of them may be, in columns.
const MAX_NAME: usize = 40;
/// Nodes that do not keep up are named up to so many.
const MAX_NAMES: usize = 4;
/// Titles of the columns with figures, and how wide each is.
const TITLES: [(&str, usize); 6] = [("depth", 5), ("delay ms", 9), ("bit/s", 7), ("skipped", 8), ("link ms", 8), ("age", 4)];

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All of the session, or a tree.
    About,
    /// The titles of the columns.
    Titles,
    /// A node.
    Node,
    /// A node that does not keep up.
    Slow,
    /// A node whose figures are old, or that has none.
    Old,
}

/// A line, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// A node's line before the columns are as wide as they have to be.
struct Row {
    kind: Kind,
    name: String,
    cells: [String; TITLES.len()],
    address: String,
    notes: String,
}

enum Part {
    About(String),
    Row(Row),
}

/// The lines, where possible not wider than `width` columns: then without the addresses of nodes, and with notes on lines of their own.
pub(super) fn lines(status: &Status, width: Option<usize>) -> Vec<Line> {
    let others = Others::new(status);
    let mut lines: Vec<_> = about(status).into_iter().map(|text| Line { kind: Kind::About, text }).collect();
    lines.extend(about_slow(status, &others).map(|text| Line { kind: Kind::Slow, text }));
    let parts = parts(status, &others);
    let rows = || parts.iter().filter_map(|part| if let Part::Row(row) = part { Some(row) } else { None });
    if rows().next().is_none() {
        return lines;
    }
    let name = rows().map(|row| row.name.width()).max().unwrap_or(0).clamp(8, MAX_NAME);
    let address = rows().map(|row| row.address.width()).max().unwrap_or(0);
    let fixed = name + TITLES.iter().map(|(_, width)| width + 1).sum::<usize>();
    let notes = rows().map(|row| row.notes.width()).max().unwrap_or(0);
    let fits = width.is_none_or(|width| fixed + 2 + address + 2 + notes <= width);
    let address = fits.then_some(address);
    let titles = TITLES.map(|(title, _)| title.to_owned());
    lines.push(Line { kind: Kind::Titles, text: line("  node", &titles, address.map(|width| ("address", width)), "", name) });
    for part in &parts {
        let Row { kind, name: cell, cells, address: at, notes } = match part {
            Part::About(text) => {
                lines.push(Line { kind: Kind::About, text: text.clone() });
                continue;
            }
            Part::Row(row) => row,
        };
        let address = address.map(|width| (at.as_str(), width));
        let text = line(cell, cells, address, notes, name);
        match width.filter(|width| text.width() > *width) {
            None => lines.push(Line { kind: *kind, text }),
            Some(width) => {
                let below = format!("{:indent$}{notes}", "", indent = width.saturating_sub(notes.width()));
                let texts = [line(cell, cells, address, "", name), below];
                lines.extend(texts.map(|text| Line { kind: *kind, text }));
            }
        }
    }
    lines
}

/// The lines as one text.
pub(super) fn as_text(status: &Status, width: Option<usize>) -> String {
    lines(status, width).into_iter().map(|line| line.text + "\n").collect()
}

fn line(name: &str, cells: &[String; TITLES.len()], address: Option<(&str, usize)>, notes: &str, width: usize) -> String {
    let name = cut(name, width);
    let mut text = format!("{name}{:pad$}", "", pad = width - name.width());
    for (cell, (_, width)) in cells.iter().zip(TITLES) {
        text += &format!(" {cell:>width$}");
    }
    if let Some((address, width)) = address {
        text += &format!("  {address:width$}");
    }
    if !notes.is_empty() {
        text += &format!("  {notes}");
    }
    text.truncate(text.trim_end().len());
    text
}

/// The beginning that fits, with a sign where something is cut off.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| {
        let wide = c.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// What holds for the whole session.
fn about(status: &Status) -> Vec<String> {
    let screen = status.screen.map_or("no picture yet".to_owned(), |size| size.to_string());
    let depth = status.nodes.iter().map(NodeStatus::depth).max().unwrap_or(0);
    let attached = status.nodes.iter().filter(|node| node.attached && node.slot != Slot::ROOT).count();
    let s = if attached == 1 { "" } else { "s" };
    let mut about = vec![format!("{} ({screen}; {}): {attached} node{s}, depth {depth}", status.name, status.presenter)];
    about.extend(status.site_of.as_ref().map(|site| {
        let s = if site.depth == 1 { "" } else { "s" };
        format!("this is a site of {}, with {} root{s} above it", site.host, site.depth)
    }));
    about.extend(about_isolated(status));
    if !status.delays.is_empty() {
        let depths = status.delays.iter().map(|at| format!("{} {} ({})", at.depth, ms(at.median), ms(at.p95)));
        about.push(format!("delay by depth in ms, median (p95): {}", depths.collect::<Vec<_>>().join(", ")));
    }
    if let Some(CheckCounts { sent, answers, missing }) = status.checks.filter(|checks| checks.sent > 0) {
        about.push(format!("{sent} checks since the root began: {answers} answers, {missing} missing"));
    }
    about.extend(about_age(status));
    about
}

/// Who does not keep up, by name, so that it is seen in a tree of any length.
fn about_slow(status: &Status, others: &Others) -> Option<String> {
    let slow = status.nodes.iter().filter(|node| Standing::of(node, others).is_slow);
    let names: Vec<_> = slow.map(|node| node.name.as_str()).collect();
    let (told, rest) = names.split_at(names.len().min(MAX_NAMES));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    let verb = if names.len() == 1 { "does not keep up" } else { "do not keep up" };
    (!names.is_empty()).then(|| format!("! {} {verb}: {}{more}", count(names.len()), told.join(", ")))
}

pub(super) fn isolated(status: &Status) -> usize {
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

/// That figures are old, so that nobody takes them for those of now.
fn about_age(status: &Status) -> Option<String> {
    let fares = || status.nodes.iter().filter_map(|node| node.fare);
    let newest = fares().map(|fare| fare.age()).min()?;
    if newest >= Fare::FRESH {
        let quiet = age(newest);
        return Some(format!("the screen has been at rest for {quiet}: figures in parentheses are from then"));
    }
    fares().any(|fare| !fare.is_fresh()).then(|| "figures in parentheses are old: that node has not answered since".to_owned())
}

/// The root, and tree by tree its name and its nodes.
fn parts(status: &Status, others: &Others) -> Vec<Part> {
    let mut parts = Vec::new();
    let Some(root) = status.nodes.first() else { return parts };
    parts.push(Part::Row(Row { name: format!("{} [{}]", root.name, root.slot), ..row(root, others) }));
    for (number, tree) in status.trees.iter().enumerate() {
        let nodes: Vec<_> = members(status, number).collect();
        if nodes.is_empty() && !is_of_interest(tree) {
            continue;
        }
        parts.push(Part::About(format!("{}: {}", network(tree), count(nodes.len()))));
        draw_below(&mut parts, &nodes, Slot::ROOT, "", others);
    }
    parts
}

pub(super) fn members(status: &Status, tree: usize) -> impl Iterator<Item = &NodeStatus> {
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

/// Those below a slot of one tree, whose nodes come in slot order.
fn draw_below(parts: &mut Vec<Part>, nodes: &[&NodeStatus], slot: Slot, before: &str, others: &Others) {
    let is_there = |slot: &Slot| nodes.binary_search_by_key(slot, |node| node.slot).is_ok();
    let extra = nodes.iter().map(|node| node.slot).filter(|child| child.is_extra() && child.parent() == Some(slot));
    let children: Vec<Slot> = slot.children().filter(is_there).chain(extra).collect();
    for (n, &child) in children.iter().enumerate() {
        let Some(node) = nodes.binary_search_by_key(&child, |node| node.slot).ok().and_then(|at| nodes.get(at)) else { continue };
        let is_last = n + 1 == children.len();
        let (branch, line) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let row = row(node, others);
        let mark = if row.kind == Kind::Slow { "! " } else { "  " };
        let name = format!("{mark}{before}{branch}{} [{}]", node.name, node.slot);
        parts.push(Part::Row(Row { name, ..row }));
        draw_below(parts, nodes, child, &format!("{before}{line}"), others);
    }
}

fn row(node: &NodeStatus, others: &Others) -> Row {
    let Standing { is_slow, notes } = Standing::of(node, others);
    let is_fresh = node.fare.is_some_and(|fare| fare.is_fresh());
    let kind = match (is_slow, is_fresh || node.slot == Slot::ROOT) {
        (true, _) => Kind::Slow,
        (false, true) => Kind::Node,
        (false, false) => Kind::Old,
    };
    let figure = |of: Option<String>| match of {
        Some(text) if is_fresh => text,
        Some(text) => format!("({text})"),
        None if node.slot == Slot::ROOT => String::new(),
        None => "-".to_owned(),
    };
    let cells = [
        node.depth().to_string(),
        figure(node.fare.map(|fare| ms(fare.one_way))),
        figure(node.fare.and_then(|fare| fare.rate).map(rate)),
        figure(node.fare.map(|fare| fare.skipped.to_string())),
        figure(node.fare.map(|fare| ms(fare.round_trip))),
        node.fare.map_or(String::new(), |fare| age(fare.age())),
    ];
    Row { kind, name: String::new(), cells, address: node.address.to_string(), notes: notes.join("; ") }
}
