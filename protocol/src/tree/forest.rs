//! The trees of a root: one per network, each a [`Topology`] of its own, with one counter of placements. To the program they are one.
//!
//! Which tree a node belongs to follows from where it comes from ([`Networks::tree_of`]), so no link of a tree leads through a router, and
//! a network that is gone or narrow is no other one's business. Sites hang directly below the root, in a tree where nobody has children.

mod children;

pub use children::RootChildren;

use super::children::Link;
use super::message::{
    Behind, LostChild, MAX_STATUS_TREES, Message, NetworkKind, NodeStatus, Refused, ServerChangeRequest, SlowNode, TreeStatus,
    WhereToConnect,
};
use super::networks::{Family, Networks, TreeKey};
use super::slot::{NodeId, V};
use super::text::NodeName;
use super::ticket::{Statement, Ticket};
use super::topology::{Answer, Caller, Dial, Topology, TopologyConfig, TreeEvent};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

/// The root's view of all its trees.
///
/// Used as a [`Topology`] is; [`Forest::set_networks`] whenever the interfaces of the machine have changed.
///
/// A node that comes from another network than before, because it roamed or because the root's interfaces changed, leaves its old tree in
/// that moment and is a newcomer in the other, under a newer placement. A tree whose network is gone stays until its last node has
/// left it or was lost.
///
/// INVARIANT: a node is in at most one tree, and `homes` has exactly those nodes; placements of all trees have numbers of one counter.
#[derive(Debug)]
pub struct Forest {
    config: TopologyConfig,
    networks: Networks,
    trees: BTreeMap<TreeKey, Topology>,
    /// Trees that there were.
    planted: u64,
    /// Where each node has a place, or asks for one.
    homes: BTreeMap<NodeId, TreeKey>,
    /// Of open connections, made by nodes or by the root; who asked on it.
    routes: BTreeMap<Link, (TreeKey, Option<NodeId>)>,
    last: V,
    /// How many more children the root itself could feed, over all trees.
    room: u8,
    /// What one copy of the picture needs, in bytes per second.
    demand: u64,
    dialled: VecDeque<Dial>,
    answers: VecDeque<Answer>,
    events: VecDeque<TreeEvent>,
}

impl Forest {
    /// The root alone.
    pub fn new(config: TopologyConfig, networks: Networks) -> Self {
        Self {
            config,
            networks,
            trees: BTreeMap::new(),
            planted: 0,
            homes: BTreeMap::new(),
            routes: BTreeMap::new(),
            last: V::NONE,
            room: 0,
            demand: 0,
            dialled: VecDeque::new(),
            answers: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// The interfaces of this machine are these from now on.
    pub fn set_networks(&mut self, networks: Networks) {
        self.networks = networks;
    }

    /// As known now.
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// See [`Topology::set_above`].
    pub fn set_above(&mut self, above: &[NodeId]) {
        self.config.above = above.to_vec();
        self.trees.values_mut().for_each(|tree| tree.set_above(above.to_vec()));
    }

    /// See [`Topology::set_behind`].
    pub fn set_behind(&mut self, id: NodeId, behind: Behind) {
        if let Some(tree) = self.home(id).and_then(|key| self.trees.get_mut(&key)) {
            tree.set_behind(id, behind);
        }
    }

    /// See [`Topology::may_ask_for`].
    pub fn may_ask_for(&self, request: &ServerChangeRequest) -> bool {
        let tree = self.home(request.id).and_then(|key| self.trees.get(&key));
        tree.is_some_and(|tree| tree.may_ask_for(request))
    }

    /// What this root would say that is behind it, if it were a site: all nodes, and the links to the farthest.
    pub fn behind(&self) -> Behind {
        let (_, nodes) = self.status();
        nodes.iter().skip(1).fold(Behind::default(), |all, node| {
            let Behind { nodes, depth } = node.behind.unwrap_or_default();
            let depth = node.depth().saturating_add(depth).max(all.depth);
            Behind { nodes: all.nodes.saturating_add(nodes).saturating_add(1), depth }
        })
    }

    /// Takes a message to the root; see [`Topology::handle_message`].
    pub fn handle_message(&mut self, caller: &Caller, message: &Message, now: Duration) {
        let key = match message {
            Message::WhereToConnect(ask) => match self.arrival(caller, ask, now) {
                Some(key) => Some(key),
                None => return self.turn_away(caller.link, "two nodes have the same number, or an old question"),
            },
            Message::Attached(_) | Message::Failed(_) => self.routes.get(&caller.link).map(|(key, _)| *key),
            Message::LostChild(report) => self.home(report.child).or_else(|| self.home(report.parent)),
            Message::SlowNode(report) => self.home(report.node).or_else(|| self.home(report.reporter)),
            Message::Leave(leave) => self.home(leave.id),
            _ => None,
        };
        match (key, message) {
            (Some(key), _) => self.with(key, |tree| tree.handle_message(caller, message, now)),
            // Of nobody here: echoed, so that it is not said again.
            (None, Message::LostChild(_) | Message::SlowNode(_) | Message::Leave(_)) => {
                self.answers.push_back(Answer { to: caller.link, message: Some(message.clone()), close: true });
            }
            (None, _) => self.turn_away(caller.link, "nothing was asked on this connection"),
        }
    }

    /// See [`Topology::handle_dial_message`].
    pub fn handle_dial_message(&mut self, link: Link, message: &Message, now: Duration) {
        if let Some((key, _)) = self.routes.get(&link).copied() {
            self.with(key, |tree| tree.handle_dial_message(link, message, now));
        }
    }

    /// See [`Topology::handle_closed`].
    pub fn handle_closed(&mut self, link: Link, now: Duration) {
        if let Some((key, asker)) = self.routes.remove(&link) {
            self.with(key, |tree| tree.handle_closed(link, now));
            asker.into_iter().for_each(|id| self.forget(id, key));
        }
    }

    /// See [`Topology::handle_lost_child`].
    pub fn handle_lost_child(&mut self, report: &LostChild, now: Duration) {
        if let Some(key) = self.home(report.child) {
            self.with(key, |tree| tree.handle_lost_child(report, now));
        }
    }

    /// See [`Topology::handle_slow_node`].
    pub fn handle_slow_node(&mut self, report: &SlowNode, now: Duration) {
        if let Some(key) = self.home(report.node) {
            self.with(key, |tree| tree.handle_slow_node(report, now));
        }
    }

    /// See [`Topology::handle_timeout`].
    pub fn handle_timeout(&mut self, now: Duration) {
        let is_due = |tree: &Topology| tree.poll_deadline().is_some_and(|deadline| deadline <= now);
        let due: Vec<_> = self.trees.iter().filter(|(_, tree)| is_due(tree)).map(|(key, _)| *key).collect();
        for key in due {
            self.with(key, |tree| tree.handle_timeout(now));
        }
        self.clear();
    }

    /// See [`Topology::set_root_room`]; the room is that of all trees together.
    pub fn set_root_room(&mut self, room: u8, now: Duration) {
        self.room = room;
        for key in self.trees.keys().copied().collect::<Vec<_>>() {
            self.with(key, |tree| tree.serve_with_room(now));
        }
    }

    /// See [`Topology::set_demand`].
    pub fn set_demand(&mut self, bytes_per_second: u64, now: Duration) {
        self.demand = bytes_per_second;
        for key in self.trees.keys().copied().collect::<Vec<_>>() {
            self.with(key, |tree| tree.set_demand(bytes_per_second, now));
        }
    }

    /// How many more nodes the root could feed itself.
    pub fn room(&self) -> u8 {
        self.room
    }

    /// See [`Topology::poll_dial`].
    pub fn poll_dial(&mut self) -> Option<Dial> {
        self.dialled.pop_front()
    }

    /// See [`Topology::poll_answer`].
    pub fn poll_answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }

    /// See [`Topology::poll_event`].
    pub fn poll_event(&mut self) -> Option<TreeEvent> {
        self.events.pop_front()
    }

    /// See [`Topology::poll_deadline`].
    pub fn poll_deadline(&self) -> Option<Duration> {
        self.trees.values().filter_map(Topology::poll_deadline).min()
    }

    /// See [`Topology::vouches_for`].
    pub fn vouches_for(&self, id: NodeId, statement: &Statement, proof: &Ticket) -> bool {
        self.home(id).and_then(|key| self.trees.get(&key)).is_some_and(|tree| tree.vouches_for(id, statement, proof))
    }

    /// The tree of a node that has a place, or asks for one.
    pub fn home(&self, id: NodeId) -> Option<TreeKey> {
        self.homes.get(&id).copied()
    }

    /// The name of a node that holds a slot.
    pub fn name_of(&self, id: NodeId) -> Option<NodeName> {
        self.trees.get(&self.home(id)?)?.name_of(id)
    }

    /// Whether a node that holds a slot is a site.
    pub fn is_site(&self, id: NodeId) -> bool {
        self.home(id) == Some(TreeKey::Direct) && self.trees.get(&TreeKey::Direct).is_some_and(|tree| tree.is_site(id))
    }

    /// Nodes behind sites, as these say.
    pub fn behind_count(&self) -> u32 {
        self.trees.get(&TreeKey::Direct).map_or(0, Topology::behind_count)
    }

    /// Nodes that hold a slot in any tree, the root not counted.
    pub fn node_count(&self) -> usize {
        self.trees.values().map(Topology::node_count).sum()
    }

    /// The trees, and everybody in them: the root first, then tree by tree in slot order.
    pub fn status(&self) -> (Vec<TreeStatus>, Vec<NodeStatus>) {
        let empty = Topology::new(self.config.clone());
        let mut nodes = empty.status();
        let mut trees = Vec::new();
        let shown = self.networks.interfaces().iter().flat_map(|interface| {
            let families = [Family::V4, Family::V6, Family::V6LinkLocal];
            families.map(|family| TreeKey::Network { index: interface.index, family })
        });
        let keys: std::collections::BTreeSet<TreeKey> = shown.chain(self.trees.keys().copied()).collect();
        for key in keys {
            let tree = self.tree_status(key);
            let members = self.trees.get(&key).map(Topology::status).unwrap_or_default();
            if tree.addresses.is_empty() && members.len() <= 1 {
                continue;
            }
            let number = u16::try_from(trees.len()).unwrap_or(u16::MAX);
            nodes.extend(members.into_iter().skip(1).map(|node| NodeStatus { tree: number, ..node }));
            trees.push(tree);
        }
        trees.truncate(MAX_STATUS_TREES);
        (trees, nodes)
    }

    fn tree_status(&self, key: TreeKey) -> TreeStatus {
        let (name, kind, addresses) = match key {
            TreeKey::Elsewhere => ("".into(), NetworkKind::Elsewhere, Vec::new()),
            TreeKey::Direct => ("".into(), NetworkKind::Direct, Vec::new()),
            TreeKey::Network { index, family } => match self.networks.interface(index) {
                None => ("".into(), NetworkKind::Gone, Vec::new()),
                Some(interface) => {
                    let addresses = interface.addresses.iter().map(|own| own.address);
                    let addresses = addresses.filter(|ip| Family::of(*ip) == family).take(TreeStatus::MAX_ADDRESSES);
                    (interface.name.clone(), interface.kind, addresses.collect())
                }
            },
        };
        TreeStatus { name, kind, addresses }
    }

    /// The tree for a question. A node that is in another one leaves it, if it is that node; none if it is not.
    fn arrival(&mut self, caller: &Caller, ask: &WhereToConnect, now: Duration) -> Option<TreeKey> {
        let key = match ask.capabilities.site {
            true => TreeKey::Direct,
            false => self.networks.tree_of(caller.peer, caller.local),
        };
        if let Some(other) = self.home(ask.id).filter(|other| *other != key) {
            let may_go = self.trees.get(&other).is_none_or(|tree| tree.may_part_with(ask));
            if !may_go {
                return None;
            }
            self.with(other, |tree| tree.part_with(ask.id, now));
        }
        self.homes.insert(ask.id, key);
        self.routes.insert(caller.link, (key, Some(ask.id)));
        if !self.trees.contains_key(&key) {
            self.planted += 1;
            let mut tree = Topology::planted(self.config.clone(), self.planted);
            tree.set_demand(self.demand, now);
            self.trees.insert(key, tree);
        }
        Some(key)
    }

    /// Lets a tree take in an event, and gathers what follows.
    fn with(&mut self, key: TreeKey, event: impl FnOnce(&mut Topology)) {
        let Some(tree) = self.trees.get_mut(&key) else { return };
        tree.lend(self.last, self.room);
        event(tree);
        (self.last, self.room) = tree.returned();
        while let Some(mut dial) = tree.poll_dial() {
            dial.address = through(dial.address, key);
            self.routes.insert(dial.link, (key, None));
            self.dialled.push_back(dial);
        }
        let (mut over, mut freed) = (Vec::new(), Vec::new());
        while let Some(answer) = tree.poll_answer() {
            if answer.close {
                over.extend(self.routes.remove(&answer.to).and_then(|(_, asker)| asker));
            }
            self.answers.push_back(answer);
        }
        while let Some(event) = tree.poll_event() {
            if let TreeEvent::Freed { id, .. } = event {
                freed.push(id);
            }
            self.events.push_back(event);
        }
        over.into_iter().chain(freed).for_each(|id| self.forget(id, key));
    }

    /// A node may be gone from a tree.
    fn forget(&mut self, id: NodeId, key: TreeKey) {
        let is_known = self.trees.get(&key).is_some_and(|tree| tree.knows(id));
        if !is_known && self.home(id) == Some(key) {
            self.homes.remove(&id);
        }
    }

    /// Forgets trees of networks that are gone, once nobody is in them.
    fn clear(&mut self) {
        let Self { trees, networks, .. } = self;
        trees.retain(|key, tree| {
            let is_gone = matches!(key, TreeKey::Network { index, .. } if networks.interface(*index).is_none());
            !is_gone || !tree.is_idle()
        });
    }

    fn turn_away(&mut self, link: Link, reason: &str) {
        let refused = Refused { again: true, reason: reason.into() };
        self.answers.push_back(Answer { to: link, message: Some(Message::Refused(refused)), close: true });
    }
}

/// A node's address as the root dials it: a link-local one needs the interface.
fn through(address: SocketAddr, key: TreeKey) -> SocketAddr {
    match (address.ip(), key) {
        (IpAddr::V6(ip), TreeKey::Network { index, family: Family::V6LinkLocal }) => {
            SocketAddrV6::new(ip, address.port(), 0, index).into()
        }
        _ => address,
    }
}

#[cfg(test)]
#[path = "forest_tests.rs"]
mod tests;
