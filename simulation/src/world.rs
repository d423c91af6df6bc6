//! A world: the root, the nodes, the network between them, and what is known of them all. Carries every event to whom it concerns;
//! the programs' own work is in the files below.

mod asking;
mod beats;
mod node;
mod pacing;
mod root;
mod serving;
mod trouble;

pub(crate) use node::Node;
pub(crate) use root::Root;
pub(crate) use serving::Served;

use crate::actor::{Actor, MAX_ACTORS, ROOT};
use crate::agenda::Event;
use crate::figures::Tally;
use crate::losses::Losses;
use crate::model::Broken;
use crate::network::{End, Network, Received, Wire};
use crate::painter::Painter;
use crate::random::Random;
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::time::Duration;
use treevnc_protocol::geometry::ScreenSizeError;

/// How often everything is looked at while the world is in trouble.
const INSPECTION: Duration = Duration::from_secs(20);

/// A fault in the nodes' programs, so that tests see the model find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), allow(dead_code, reason = "only tests do wrong"))]
pub(crate) enum Sabotage {
    /// Links to children that are to be closed stay open.
    KeepsChildren,
    /// Some updates are lost.
    DropsUpdates,
    /// The root is not told of lost children.
    HidesLosses,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) network: Network,
    pub(crate) random: Random,
    pub(crate) root: Root,
    /// By the actor's number; none where the node is gone. The first is the root's and always empty.
    nodes: Vec<Option<Box<Node>>>,
    alive: Vec<Actor>,
    pub(crate) losses: Losses,
    pub(crate) tally: Tally,
    pub(crate) broken: Option<Broken>,
    painter: Painter,
    is_showing: bool,
    /// Events of the churn that are still to come.
    pub(crate) churn_left: usize,
    /// Nodes that are still to start.
    joins_left: usize,
    /// Those who are away from the others together.
    parted: BTreeMap<u32, Vec<Actor>>,
    last_group: u32,
    pub(crate) sabotage: Option<Sabotage>,
}

impl World {
    pub(crate) fn new(settings: &Settings, seed: u64) -> Result<Self, ScreenSizeError> {
        let mut random = Random::new(seed);
        let mut network = Network::new(random.draw(), settings.silence);
        network.add_host(settings.latency.0, false, false);
        let mut world = Self {
            settings: settings.clone(),
            network,
            root: Root::new(seed),
            nodes: vec![None],
            alive: Vec::new(),
            losses: Losses::default(),
            tally: Tally::default(),
            broken: None,
            painter: Painter::new(random.draw())?,
            is_showing: false,
            churn_left: 0,
            joins_left: 0,
            parted: BTreeMap::new(),
            last_group: 0,
            sabotage: None,
            random,
        };
        let screen = world.painter.screen(Duration::ZERO);
        world.show(screen);
        world.network.after(INSPECTION, Event::Inspect);
        Ok(world)
    }

    pub(crate) fn now(&self) -> Duration {
        self.network.now()
    }

    /// The nodes whose programs run, be they stopped.
    pub(crate) fn alive(&self) -> &[Actor] {
        &self.alive
    }

    pub(crate) fn node(&self, actor: Actor) -> Option<&Node> {
        self.nodes.get(actor.index())?.as_deref()
    }

    pub(crate) fn node_mut(&mut self, actor: Actor) -> Option<&mut Node> {
        self.nodes.get_mut(actor.index())?.as_deref_mut()
    }

    pub(crate) fn served(&self, actor: Actor) -> Option<&Served> {
        if actor == ROOT { Some(&self.root.served) } else { self.node(actor).map(|node| &node.served) }
    }

    /// Goes on until then, or until a rule is broken.
    pub(crate) fn run_until(&mut self, until: Duration) {
        while self.broken.is_none() && self.network.agenda.next_time().is_some_and(|at| at <= until) {
            let Some(event) = self.network.next() else { return };
            self.tally.steps += 1;
            self.handle(event);
        }
        self.network.advance(until);
    }

    /// So many nodes start, one after the other.
    pub(crate) fn start_joining(&mut self, count: usize) {
        self.joins_left = count;
        self.network.after(Duration::ZERO, Event::Join);
    }

    pub(crate) fn is_joining(&self) -> bool {
        self.joins_left > 0
    }

    /// The root begins or ends to show new frames.
    pub(crate) fn set_showing(&mut self, is_showing: bool) {
        if is_showing && !self.is_showing {
            self.network.after(Duration::ZERO, Event::Publish);
        }
        self.is_showing = is_showing;
    }

    pub(crate) fn break_rule(&mut self, what: String) {
        let at = self.now();
        self.broken.get_or_insert(Broken { at, what });
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrive { wire, end, what } => {
                let received = self.network.receive(wire, end, what);
                self.received(received);
            }
            Event::DialLimit(wire) => {
                let received = self.network.dial_limit(wire);
                self.received(received);
            }
            Event::CallLimit { wire, end } => {
                let received = self.network.call_limit(wire, end);
                self.received(received);
            }
            Event::Deadline(actor) => {
                if self.network.hold_if_stopped(actor, Event::Deadline(actor)).is_some() {
                    self.deadline(actor);
                }
            }
            Event::Silence { wire, end } => self.silence(wire, end),
            Event::Sent { wire, parent } => {
                if self.network.hold_if_stopped(parent, Event::Sent { wire, parent }).is_some() {
                    self.feed_again(wire, parent);
                }
            }
            Event::Join => self.next_join(),
            Event::Publish => self.publish(),
            Event::Churn => self.churn(),
            Event::GoOn(actor) => self.go_on(actor),
            Event::Heal(group) => self.heal(group),
            Event::Widen(wire) => self.network.set_rate(wire, None),
            Event::Window(actor) => {
                if self.network.hold_if_stopped(actor, Event::Window(actor)).is_some() {
                    self.window(actor);
                }
            }
            Event::Quicken(actor) => self.network.set_host_rate(actor, None),
            Event::Inspect => {
                self.inspect();
                self.network.after(INSPECTION, Event::Inspect);
            }
        }
    }

    fn received(&mut self, received: Option<Received>) {
        let Some(received) = received else { return };
        match (received.actor, received.end) {
            (ROOT, _) => self.root_heard(received),
            (_, End::Dialler) => self.heard_from_dialled(received),
            (_, End::Listener) => self.heard_from_caller(received),
        }
    }

    fn deadline(&mut self, actor: Actor) {
        let now = self.now();
        if actor == ROOT {
            return self.root_deadline();
        }
        let Some(node) = self.node_mut(actor).filter(|node| node.deadline.is_some_and(|deadline| deadline <= now)) else {
            return;
        };
        node.deadline = None;
        self.catch_up_on_beats(actor);
        if let Some(node) =
            self.node_mut(actor).filter(|node| node.member.poll_deadline().is_some_and(|deadline| deadline <= now))
        {
            node.member.handle_timeout(now);
        }
        self.act(actor);
    }

    fn silence(&mut self, wire: Wire, end: End) {
        let Some(actor) = self.network.actor(wire, end) else { return };
        let is_due = self.network.hold_if_stopped(actor, Event::Silence { wire, end }).is_some();
        if is_due && self.network.is_silent(wire, end) {
            self.found_silent(actor, wire, end);
        }
    }

    fn next_join(&mut self) {
        if self.joins_left == 0 {
            return;
        }
        self.joins_left -= 1;
        self.join();
        let wait = self.random.interval(self.settings.joins_per_second);
        self.network.after(wait, Event::Join);
    }

    /// A node starts.
    pub(crate) fn join(&mut self) {
        if self.network.host_count() >= MAX_ACTORS {
            return self.break_rule("no address is left for another node".to_owned());
        }
        let (least, most) = self.settings.latency;
        let latency = self.random.between(least, most);
        let is_leaf_only = self.random.chance(self.settings.leaf_only);
        let is_isolated = self.settings.isolated > 0 && self.random.chance(self.settings.isolated);
        let actor = self.network.add_host(latency, is_leaf_only, is_isolated);
        // Some are started with the address of another node, which sends them to the root.
        let known = if self.settings.isolated == 0 && self.random.chance(5) {
            self.someone().filter(|other| self.network.can_be_dialled(*other))
        } else {
            None
        };
        let node = Node::new(actor, known.unwrap_or(ROOT), !is_leaf_only, self.random.draw(), self.alive.len(), self.now());
        self.nodes.push(Some(Box::new(node)));
        self.alive.push(actor);
        self.tally.joins += 1;
        let now = self.now();
        if let Some(node) = self.node_mut(actor) {
            node.member.start(now);
        }
        self.act(actor);
    }

    /// A node whose program runs, by chance.
    pub(crate) fn someone(&mut self) -> Option<Actor> {
        let at = self.random.below(self.alive.len());
        self.alive.get(at).copied()
    }

    /// A node's program is no more.
    fn forget(&mut self, actor: Actor) {
        let Some(node) = self.nodes.get_mut(actor.index()).and_then(Option::take) else { return };
        self.alive.swap_remove(node.place_in_alive);
        if let Some(&moved) = self.alive.get(node.place_in_alive)
            && let Some(moved) = self.node_mut(moved)
        {
            moved.place_in_alive = node.place_in_alive;
        }
        self.losses.excused(actor);
    }

    fn publish(&mut self) {
        if !self.is_showing {
            return;
        }
        let frame = self.painter.frame(self.network.now());
        self.show(frame);
        let wait = Duration::from_secs_f64(1.0 / self.settings.frames_per_second.max(0.001));
        self.network.after(wait, Event::Publish);
    }
}
