//! The real topology and members together over a simulated network, with a check after every step: a root, nodes that join,
//! leave and die, connections that break. Test code only.

mod network;
mod tests;

use super::children::{Acceptance, Children, Link};
use super::member::{Action, Member, MemberConfig, Standing, attach};
use super::message::{Capabilities, ConnectTo, Fault, Message, Position};
use super::slot::{NodeId, Slot, V};
use super::ticket::{KEY_BYTES, Key};
use super::topology::{Caller, Topology, TopologyConfig};
use crate::update::{Seq, SessionId};
use network::{Arrival, End, Network};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Actor 0 is the root, actor n is the node at [`address`] n with number 1000 + n.
const ROOT: usize = 0;
/// Worlds that are troubled.
const SEEDS: u64 = 200;

struct Node {
    member: Member,
    relay: bool,
    alive: bool,
    /// The program's side of the member's calls and links to parents; a call that the root made is held at its other end.
    dialled: BTreeMap<Link, (u64, End)>,
    children: BTreeSet<u64>,
}

struct World {
    seed: u64,
    now: Duration,
    network: Network,
    topology: Topology,
    root_children: Children,
    root_links: BTreeSet<u64>,
    /// The connections that the topology has made.
    root_dialled: BTreeMap<Link, u64>,
    nodes: Vec<Node>,
    newest: V,
    gave_up: usize,
    placed: usize,
    /// Whether some have limits, and the picture needs more or less.
    has_limits: bool,
}

fn address(actor: usize) -> SocketAddr {
    let actor = u32::try_from(actor).unwrap();
    SocketAddr::new(IpAddr::from((0x0a00_0000 + actor).to_be_bytes()), 5950)
}

fn number(actor: usize) -> NodeId {
    NodeId(1000 + u64::try_from(actor).unwrap())
}

fn actor_of(id: NodeId) -> usize {
    usize::try_from(id.0 - 1000).unwrap()
}

impl World {
    fn new(seed: u64) -> Self {
        let secret = Key::new([9; KEY_BYTES]);
        let topology = Topology::new(TopologyConfig::new(SessionId(seed), "sim".into(), number(ROOT), address(ROOT), secret));
        let root_children = topology.root_children();
        let network = Network::new(seed);
        let (nodes, root_links, root_dialled) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        let (now, newest) = (Duration::ZERO, V::NONE);
        Self {
            seed,
            now,
            network,
            topology,
            root_children,
            root_links,
            root_dialled,
            nodes,
            newest,
            gave_up: 0,
            placed: 0,
            has_limits: false,
        }
    }

    fn join(&mut self, relay: bool) {
        let actor = self.nodes.len() + 1;
        // Some are started with the address of another node, which sends them to the root.
        let known = if self.network.random.chance(20) { self.network.random.below(actor) } else { ROOT };
        let name = format!("node {actor}").as_str().into();
        let seed = self.network.random.draw();
        let upload = if self.has_limits { [0, 0, 130, 300, 1000, 3000][self.network.random.below(6)] } else { 0 };
        let capabilities = Capabilities { upload, ..Capabilities::of(relay) };
        let config = MemberConfig::new(number(actor), name, capabilities, 5950, address(known), seed);
        let config = MemberConfig { give_up: Duration::from_secs(300), ..config };
        let member = Member::new(config);
        self.nodes.push(Node { member, relay, alive: true, dialled: BTreeMap::new(), children: BTreeSet::new() });
        let now = self.now;
        self.node(actor).member.start(now);
        self.act(actor);
    }

    fn node(&mut self, actor: usize) -> &mut Node {
        &mut self.nodes[actor - 1]
    }

    fn is_alive(&self, actor: usize) -> bool {
        actor == ROOT || self.nodes.get(actor - 1).is_some_and(|node| node.alive)
    }

    fn alive(&self) -> Vec<usize> {
        (1..=self.nodes.len()).filter(|actor| self.is_alive(*actor)).collect()
    }

    /// The process ends: what it has sent still arrives.
    fn kill(&mut self, actor: usize) {
        self.node(actor).alive = false;
        for (connection, end) in self.network.of(actor) {
            self.network.close(connection, end, self.now);
        }
    }

    /// Carries out what a member wants.
    fn act(&mut self, actor: usize) {
        while let Some(action) = self.node(actor).member.poll_action() {
            match action {
                Action::DialRoot { call, address, message } => self.dial(actor, call, address, &message),
                Action::SendRoot { call, message } => {
                    if let Some(&(connection, end)) = self.node(actor).dialled.get(&call) {
                        self.network.send(connection, end, &message, self.now);
                    }
                }
                Action::DialParent { link, place } => {
                    let position = Position { session: place.session, seq: Seq(1) };
                    self.dial(actor, link, place.address, &Message::Attach(attach(&place, position)));
                }
                Action::CloseRoot { call: link } | Action::CloseParent { link } => {
                    if let Some((connection, end)) = self.node(actor).dialled.remove(&link) {
                        self.network.close(connection, end, self.now);
                    }
                }
                Action::CloseChild { link } => {
                    assert!(self.node(actor).children.remove(&link.0), "seed {}: an unknown child closed", self.seed);
                    self.network.close(link.0, End::Listener, self.now);
                }
                Action::End(end) => {
                    self.gave_up += usize::from(matches!(end, super::member::End::GaveUp(_)));
                    assert!(self.node(actor).children.is_empty());
                    self.kill(actor);
                }
            }
        }
    }

    fn dial(&mut self, actor: usize, link: Link, address: SocketAddr, message: &Message) {
        let connection = self.connect(actor, address, message);
        self.node(actor).dialled.insert(link, (connection, End::Dialler));
    }

    fn connect(&mut self, actor: usize, address: SocketAddr, message: &Message) -> u64 {
        let IpAddr::V4(ip) = address.ip() else { panic!("not an address of ours") };
        let to = usize::try_from(u32::from(ip) - 0x0a00_0000).unwrap();
        let to = Some(to).filter(|to| self.is_alive(*to));
        let connection = self.network.dial(actor, to, self.now);
        self.network.send(connection, End::Dialler, message, self.now);
        connection
    }

    /// Sends what the topology wants, and checks each placement against what the topology says of itself.
    fn answer(&mut self) {
        self.topology.check();
        while self.topology.poll_event().is_some() {}
        let dials: Vec<_> = std::iter::from_fn(|| self.topology.poll_dial()).collect();
        let answers: Vec<_> = std::iter::from_fn(|| self.topology.poll_answer()).collect();
        let messages = dials.iter().map(|dial| &dial.message).chain(answers.iter().filter_map(|answer| answer.message.as_ref()));
        let places = messages.filter_map(|message| if let Message::ConnectTo(place) = message { Some(place) } else { None });
        let mut places: Vec<_> = places.collect();
        places.sort_by_key(|place| place.v);
        places.into_iter().for_each(|place| self.check_placement(place));
        for dial in dials {
            let connection = self.connect(ROOT, dial.address, &dial.message);
            self.root_dialled.insert(dial.link, connection);
        }
        for answer in answers {
            let dialled = self.root_dialled.get(&answer.to).map(|connection| (*connection, End::Dialler));
            let (connection, end) = dialled.unwrap_or((answer.to.0, End::Listener));
            if let Some(message) = &answer.message {
                let bytes = message.encode();
                assert_eq!(Message::decode(bytes[4], &bytes[5..]).as_ref(), Ok(message));
                self.network.send(connection, end, message, self.now);
            }
            if answer.close {
                self.root_dialled.remove(&answer.to);
                self.network.close(connection, end, self.now);
            }
        }
    }

    fn check_placement(&mut self, place: &ConnectTo) {
        assert!(place.v > self.newest, "seed {}: placement {} after {}", self.seed, place.v, self.newest);
        self.newest = place.v;
        self.placed += 1;
        let above = place.slot.parent().unwrap();
        let status = self.topology.status();
        // The parent may have been moved since, in the same step: then the child is not let in, and asks again.
        let parent = status.iter().find(|node| node.slot == above);
        let Some(parent) = parent.filter(|parent| parent.id == place.parent) else { return };
        assert!(parent.relay() && parent.attached && parent.id != place.id, "seed {}", self.seed);
        assert_eq!(parent.address, place.address);
    }

    /// The next thing that happens: an arrival or a deadline. False when nothing will ever happen.
    fn step(&mut self) -> bool {
        let nodes = self.nodes.iter().filter(|node| node.alive).filter_map(|node| node.member.poll_deadline());
        let deadline = nodes.chain(self.topology.poll_deadline()).min();
        match (self.network.next_time(), deadline) {
            (Some(time), deadline) if deadline.is_none_or(|deadline| time <= deadline) => {
                self.now = self.now.max(time);
                if let Some((connection, end, actor, arrival)) = self.network.deliver() {
                    self.arrive(connection, end, actor, arrival);
                }
            }
            (_, Some(deadline)) => {
                self.now = self.now.max(deadline);
                self.timeout();
            }
            _ => return false,
        }
        self.check();
        true
    }

    fn timeout(&mut self) {
        let now = self.now;
        self.topology.handle_timeout(now);
        self.answer();
        for actor in self.alive() {
            if self.node(actor).member.poll_deadline().is_some_and(|deadline| deadline <= now) {
                self.node(actor).member.handle_timeout(now);
                self.act(actor);
            }
        }
    }

    fn arrive(&mut self, connection: u64, end: End, actor: usize, arrival: Arrival) {
        match (actor, end) {
            _ if !self.is_alive(actor) => {}
            (ROOT, End::Dialler) => self.arrive_at_dialling_root(connection, &arrival),
            (ROOT, End::Listener) => self.arrive_at_root(connection, arrival),
            (_, End::Dialler) => self.arrive_at_dialler(connection, actor, &arrival),
            (_, End::Listener) => self.arrive_at_listener(connection, actor, &arrival),
        }
    }

    fn arrive_at_dialling_root(&mut self, connection: u64, arrival: &Arrival) {
        let now = self.now;
        let Some((&link, _)) = self.root_dialled.iter().find(|(_, number)| **number == connection) else { return };
        match arrival {
            Arrival::Message(message) => self.topology.handle_dial_message(link, message, now),
            Arrival::Closed => {
                self.root_dialled.remove(&link);
                self.topology.handle_closed(link, now);
            }
        }
        self.answer();
    }

    fn arrive_at_root(&mut self, connection: u64, arrival: Arrival) {
        let link = Link(connection);
        match arrival {
            Arrival::Message(Message::Attach(attach)) => {
                let acceptance = self.root_children.accept(&attach, link);
                if let Acceptance::Welcome { replaces: Some(old) } = acceptance {
                    self.root_links.remove(&old.0);
                    self.network.close(old.0, End::Listener, self.now);
                }
                self.welcome(connection, ROOT, acceptance);
            }
            Arrival::Message(message) => {
                let peer = self.network.actor(connection, End::Dialler).map_or(address(ROOT), address).ip();
                self.topology.handle_message(&Caller { link, peer, local: address(ROOT) }, &message, self.now);
            }
            Arrival::Closed => {
                self.topology.handle_closed(link, self.now);
                self.root_links.remove(&connection);
                if let Some(report) = self.root_children.lost(link, Fault::Closed) {
                    self.topology.handle_lost_child(&report, self.now);
                }
            }
        }
        self.answer();
    }

    fn welcome(&mut self, connection: u64, actor: usize, acceptance: Acceptance) {
        let reply = Message::AttachReply(acceptance.reply(Seq(1)));
        self.network.send(connection, End::Listener, &reply, self.now);
        match acceptance {
            Acceptance::Welcome { .. } if actor == ROOT => drop(self.root_links.insert(connection)),
            Acceptance::Welcome { .. } => drop(self.node(actor).children.insert(connection)),
            _ => self.network.close(connection, End::Listener, self.now),
        }
    }

    fn arrive_at_dialler(&mut self, connection: u64, actor: usize, arrival: &Arrival) {
        let now = self.now;
        let node = self.node(actor);
        let Some((&link, _)) = node.dialled.iter().find(|(_, at)| **at == (connection, End::Dialler)) else { return };
        match arrival {
            Arrival::Message(Message::AttachReply(reply)) => node.member.handle_attach_reply(link, *reply, now),
            Arrival::Message(message) => node.member.handle_root_message(link, message, now),
            Arrival::Closed => {
                node.dialled.remove(&link);
                // The member knows its links from its calls by their numbers.
                node.member.handle_parent_closed(link, Fault::Closed, now);
                node.member.handle_root_closed(link, now);
            }
        }
        self.act(actor);
    }

    fn arrive_at_listener(&mut self, connection: u64, actor: usize, arrival: &Arrival) {
        let now = self.now;
        match arrival {
            Arrival::Message(Message::Attach(attach)) => {
                let acceptance = self.node(actor).member.accept(attach, Link(connection));
                self.act(actor);
                self.welcome(connection, actor, acceptance);
            }
            Arrival::Message(Message::AreYouThere(_)) => {
                let here = self.node(actor).member.i_am_here(1);
                self.network.send(connection, End::Listener, &here, self.now);
            }
            Arrival::Message(Message::ConnectTo(place)) => self.arrive_pushed(connection, actor, place),
            Arrival::Message(message) if self.pushed(connection, actor).is_some() => {
                let call = self.pushed(connection, actor).unwrap();
                self.node(actor).member.handle_root_message(call, message, now);
                self.act(actor);
            }
            Arrival::Closed if self.pushed(connection, actor).is_some() => {
                let call = self.pushed(connection, actor).unwrap();
                self.node(actor).dialled.remove(&call);
                self.node(actor).member.handle_root_closed(call, now);
                self.act(actor);
            }
            Arrival::Message(_) => {
                let redirect = self.node(actor).member.redirect();
                self.network.send(connection, End::Listener, &redirect, now);
                self.network.close(connection, End::Listener, now);
            }
            Arrival::Closed if self.node(actor).children.remove(&connection) => {
                self.node(actor).member.handle_child_closed(Link(connection), Fault::Closed, now);
                self.act(actor);
            }
            Arrival::Closed => {}
        }
    }

    /// A place that was not asked for: the connection becomes a call of the member's, if it obeys.
    fn arrive_pushed(&mut self, connection: u64, actor: usize, place: &ConnectTo) {
        let now = self.now;
        let call = match self.pushed(connection, actor) {
            Some(call) => {
                self.node(actor).member.handle_root_message(call, &Message::ConnectTo(place.clone()), now);
                return self.act(actor);
            }
            None => self.node(actor).member.handle_push(place, now),
        };
        let here = self.node(actor).member.i_am_here(1);
        self.network.send(connection, End::Listener, &here, now);
        match call {
            Some(call) => drop(self.node(actor).dialled.insert(call, (connection, End::Listener))),
            None => self.network.close(connection, End::Listener, now),
        }
        self.act(actor);
    }

    /// The member's call that the root has made.
    fn pushed(&self, connection: u64, actor: usize) -> Option<Link> {
        let calls = &self.nodes[actor - 1].dialled;
        calls.iter().find(|(_, at)| **at == (connection, End::Listener)).map(|(call, _)| *call)
    }

    /// The links that both ends hold for good: (parent, child).
    fn links(&self) -> BTreeMap<usize, usize> {
        let mut parents = BTreeMap::new();
        for actor in self.alive() {
            let node = &self.nodes[actor - 1];
            let Some((_, (connection, _))) = node.dialled.iter().find(|(link, _)| node.member.parent_link() == Some(**link))
            else {
                continue;
            };
            let Some(parent) = self.network.actor(*connection, End::Listener).filter(|parent| self.is_alive(*parent)) else {
                continue;
            };
            let held = if parent == ROOT { &self.root_links } else { &self.nodes[parent - 1].children };
            if held.contains(connection) && self.network.is_open(*connection, End::Dialler) {
                parents.insert(actor, parent);
            }
        }
        parents
    }

    /// What holds at every step.
    fn check(&self) {
        for (node, actor) in self.nodes.iter().zip(1..).filter(|(node, _)| node.alive) {
            assert!(node.member.children().count() == node.children.len(), "seed {}: node {actor}", self.seed);
            assert!(node.relay || node.children.is_empty());
            assert!(node.member.children().all(|child| node.children.contains(&child.link.0)));
        }
        let links = self.links();
        let mut pairs = BTreeMap::new();
        for (child, parent) in &links {
            let is_extra = self.nodes[child - 1].member.slot().is_some_and(Slot::is_extra);
            let of_parent: &mut usize = pairs.entry(parent).or_default();
            *of_parent += usize::from(!is_extra);
            assert!(*of_parent <= 2, "seed {}: three below {parent}", self.seed);
            let above = if *parent == ROOT { Some(Slot::ROOT) } else { self.nodes[parent - 1].member.children_slot() };
            let slot = self.nodes[child - 1].member.slot();
            assert_eq!(slot.and_then(Slot::parent), above, "seed {}: {child} below {parent}", self.seed);
        }
        for start in links.keys() {
            let way = std::iter::successors(Some(start), |actor| links.get(actor));
            assert!(
                way.take(self.nodes.len() + 1).any(|actor| !links.contains_key(actor)),
                "seed {}: a cycle at {start}",
                self.seed
            );
        }
    }

    /// Lets everything come to rest.
    fn settle(&mut self) {
        self.network.trouble = 0;
        let limit = self.now + Duration::from_secs(3600);
        while self.step() {
            assert!(self.now < limit, "seed {}: no rest", self.seed);
        }
    }

    /// What holds at rest: everybody is attached, and the topology is what is.
    fn check_at_rest(&self) {
        let links = self.links();
        let placements = self.topology.placements();
        let alive = self.alive();
        for &actor in &alive {
            let node = &self.nodes[actor - 1].member;
            assert!(node.is_confirmed(), "seed {}: node {actor} is {:?}", self.seed, node.standing());
            assert_eq!(node.standing(), Standing::Attached);
            let place = node.place().unwrap();
            let held = placements.iter().find(|held| held.0 == number(actor)).map(|held| (held.1, held.2));
            assert_eq!(held, Some((place.slot, place.v)), "seed {}: node {actor}", self.seed);
            let above = place.slot.parent().unwrap();
            let parent = placements.iter().find(|held| held.1 == above).map_or(ROOT, |held| actor_of(held.0));
            assert_eq!(links.get(&actor), Some(&parent), "seed {}: the parent of {actor}", self.seed);
        }
        assert_eq!(placements.len(), alive.len(), "seed {}: {placements:?}", self.seed);
        let status = self.topology.status();
        let relays: Vec<_> = status.iter().filter(|node| node.relay()).collect();
        let deepest = relays.iter().map(|node| node.depth()).max().unwrap();
        assert!(deepest <= relays.len().ilog2(), "seed {}: {} relays in {deepest} rows", self.seed, relays.len() - 1);
        assert_eq!(
            self.root_links.len() + alive.iter().map(|actor| self.nodes[actor - 1].children.len()).sum::<usize>(),
            alive.len()
        );
    }

    fn chaos(&mut self) {
        let dice = self.network.random.below(100);
        let alive = self.alive();
        let someone = (!alive.is_empty()).then(|| alive[self.network.random.below(alive.len().max(1))]);
        match (dice, someone) {
            (0..30, _) if alive.len() < 40 => {
                let relay = !self.network.random.chance(15);
                self.join(relay);
            }
            (30..45, Some(actor)) => self.kill(actor),
            (45..55, Some(actor)) => {
                let now = self.now;
                self.node(actor).member.leave(now);
                self.act(actor);
            }
            (55..90, _) => {
                if let Some(connection) = self.network.any() {
                    self.network.break_connection(connection, self.now);
                }
            }
            (90..96, _) if self.has_limits => {
                let kib = [0, 40, 100, 300, 1000, 5000][self.network.random.below(6)];
                self.topology.set_demand(kib * 1024, self.now);
            }
            _ => self.network.trouble = [0, 1, 5, 20][self.network.random.below(4)],
        }
        self.answer();
    }
}
