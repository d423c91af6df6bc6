//! A network on virtual time: hosts that are stopped, gone, cut off or behind a firewall, and connections that keep their order, are
//! slow or narrow, end, or go dead without a word. Knows nothing of trees: it tells who hears what and when.

mod connection;
mod host;
mod silence;

pub(crate) use connection::{Arrival, End, Wire};

use crate::actor::{Actor, ROOT};
use crate::agenda::{Agenda, Event};
use crate::random::Random;
use connection::{Connection, Connections};
use host::Host;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a program tries to reach another: connecting and greetings.
const DIAL: Duration = Duration::from_secs(3);
/// How long one tries to connect to another node.
const NEAR: Duration = Duration::from_millis(1250);
/// How long the root keeps a call open.
const CALL: Duration = Duration::from_secs(60);
/// Most that chance adds to the way of a message.
const JITTER: Duration = Duration::from_micros(500);

/// All hosts and all connections.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) agenda: Agenda,
    random: Random,
    now: Duration,
    hosts: Vec<Host>,
    connections: Connections,
    silence: Duration,
    /// Connections on which something waits for those who are apart.
    waiting: BTreeSet<Wire>,
}

/// Something has come out at an end.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) actor: Actor,
    pub(crate) wire: Wire,
    pub(crate) end: End,
    pub(crate) what: Arrival,
    /// Whether the other program has ever been reached.
    pub(crate) greeted: bool,
}

impl Network {
    pub(crate) fn new(seed: u64, silence: Duration) -> Self {
        let (agenda, random) = (Agenda::default(), Random::new(seed));
        let (hosts, connections) = (Vec::new(), Connections::default());
        Self { agenda, random, now: Duration::ZERO, hosts, connections, silence, waiting: BTreeSet::new() }
    }

    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// The next thing that happens; the time is then its.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let (at, event) = self.agenda.pop()?;
        self.now = self.now.max(at);
        Some(event)
    }

    /// Nothing has happened until then.
    pub(crate) fn advance(&mut self, until: Duration) {
        self.now = self.now.max(until);
    }

    pub(crate) fn after(&mut self, wait: Duration, event: Event) {
        self.agenda.push(self.now + wait, event);
    }

    /// A new host, whose program runs.
    pub(crate) fn add_host(&mut self, latency: Duration, is_firewalled: bool, is_isolated: bool) -> Actor {
        self.hosts.push(Host::new(latency, is_firewalled, is_isolated));
        Actor::at(self.hosts.len() - 1)
    }

    pub(crate) fn host_count(&self) -> usize {
        self.hosts.len()
    }

    /// Connections that at least one end holds open.
    pub(crate) fn connection_count(&self) -> usize {
        self.connections.len()
    }

    pub(crate) fn is_stopped(&self, actor: Actor) -> bool {
        self.host(actor).is_some_and(|host| host.is_stopped)
    }

    /// An open connection that is no link of the tree: who is at its ends, and which of them hold it.
    pub(crate) fn left_over(&self) -> Option<[(Actor, bool); 2]> {
        let all = self.connections.iter();
        let mut other = all.filter(|c| !End::BOTH.iter().all(|end| c.end(*end).is_open && c.end(*end).is_watched));
        other.next().map(|c| End::BOTH.map(|end| (c.end(end).actor, c.end(end).is_open)))
    }

    /// Whether a host answers who dials it.
    pub(crate) fn can_be_dialled(&self, actor: Actor) -> bool {
        self.host(actor).is_some_and(|host| host.can_be_dialled() && !host.is_stopped && host.group == 0)
    }

    /// Whether it is away from the others.
    pub(crate) fn is_cut_off(&self, actor: Actor) -> bool {
        self.host(actor).is_some_and(|host| host.group != 0)
    }

    /// Who is at an end.
    pub(crate) fn actor(&self, wire: Wire, end: End) -> Option<Actor> {
        self.connections.get(wire).map(|c| c.end(end).actor)
    }

    /// Dials: the connection, on which may be sent at once. What comes of it arrives later.
    pub(crate) fn dial(&mut self, from: Actor, to: Option<Actor>) -> Wire {
        let there = to.and_then(|to| self.host(to).map(|host| (to, host)));
        let one_way =
            self.host(from).map_or(Duration::ZERO, |host| host.latency) + there.map_or(Duration::ZERO, |(_, h)| h.latency);
        // Connecting and the greetings are two round trips before the first message is sent.
        let ready = self.now + one_way * 4;
        let is_isolated = |actor: Actor| actor != ROOT && self.host(actor).is_some_and(|host| host.is_isolated);
        let is_apart = |to: Actor| from != ROOT && to != ROOT && (is_isolated(from) || is_isolated(to));
        let is_lost = there.is_none_or(|(to, host)| !host.can_be_dialled() || self.group(from) != host.group || is_apart(to));
        let is_refused = !is_lost && there.is_some_and(|(_, host)| !host.is_running);
        let fails = is_lost || is_refused;
        let peer = to.filter(|_| !fails).unwrap_or(from);
        let connection = Connection::new([from, peer], self.now, ready, !fails);
        let wire = self.connections.insert(connection);
        self.hosts.get_mut(from.index()).map(|host| host.wires.insert((wire, End::Dialler)));
        if !fails {
            self.hosts.get_mut(peer.index()).map(|host| host.wires.insert((wire, End::Listener)));
        } else {
            let limit = if from == ROOT || to == Some(ROOT) { DIAL } else { NEAR };
            let wait = if is_lost { limit } else { one_way * 2 };
            self.after(wait, Event::Arrive { wire, end: End::Dialler, what: Arrival::Closed });
        }
        wire
    }

    /// Sends `bytes` from an end; answers when the last of them has left.
    pub(crate) fn send(&mut self, wire: Wire, from: End, what: Arrival, bytes: usize) -> Duration {
        let (now, rate) = (self.now, self.rate(wire));
        let Some(c) = self.connections.get_mut(wire) else { return now };
        if !c.end(from).is_open {
            return now;
        }
        let departs = c.departs(from, bytes, rate, now);
        self.put(wire, from.other(), what, departs);
        departs
    }

    /// An end closes: what it sent before still arrives, then the other hears of the end.
    pub(crate) fn close(&mut self, wire: Wire, from: End) {
        self.shut(wire, from);
        let Some(c) = self.connections.get(wire) else { return };
        let departs = c.ready_to_send(from, self.now);
        if from == End::Dialler && !c.is_greeted {
            // Nothing was ever said on it.
            self.shut(wire, End::Listener);
        } else if c.end(from.other()).is_open {
            self.put(wire, from.other(), Arrival::Closed, departs);
        }
    }

    /// Both ends hear that the connection has ended; what is under way is lost.
    pub(crate) fn reset(&mut self, wire: Wire) {
        let Some(c) = self.connections.get_mut(wire) else { return };
        (c.is_cut, c.is_reset) = (true, true);
        for end in End::BOTH {
            self.put(wire, end, Arrival::Closed, self.now);
        }
    }

    /// Takes in an arrival: what is heard of it, if anything, and now.
    pub(crate) fn receive(&mut self, wire: Wire, end: End, what: Arrival) -> Option<Received> {
        let c = self.connections.get(wire)?;
        let actor = c.end(end).actor;
        let passes = !c.is_cut || (c.is_reset && matches!(what, Arrival::Closed));
        if !c.end(end).is_open || !passes {
            return None;
        }
        let is_first = end == End::Listener && !c.is_greeted;
        if self.host(actor).is_some_and(|host| host.is_stopped) {
            if is_first {
                let limit = c.opened + DIAL;
                self.agenda.push(limit, Event::DialLimit(wire));
            }
            self.hold(actor, Event::Arrive { wire, end, what });
            return None;
        }
        let is_apart = self.group(actor) != self.group(c.end(end.other()).actor) && c.has_peer();
        let c = self.connections.get_mut(wire)?;
        if is_apart || !c.end(end).held.is_empty() {
            c.end_mut(end).held.push(what);
            self.waiting.insert(wire);
            return None;
        }
        c.is_greeted |= is_first;
        let greeted = c.is_greeted;
        if matches!(what, Arrival::Closed) {
            self.shut(wire, end);
        }
        Some(Received { actor, wire, end, what, greeted })
    }

    /// The program at the dialling end gives up, unless it has been greeted.
    pub(crate) fn dial_limit(&mut self, wire: Wire) -> Option<Received> {
        let c = self.connections.get(wire).filter(|c| !c.is_greeted)?;
        let actor = c.end(End::Dialler).actor;
        self.hold_if_stopped(actor, Event::DialLimit(wire))?;
        self.shut(wire, End::Dialler);
        self.shut(wire, End::Listener);
        Some(Received { actor, wire, end: End::Dialler, what: Arrival::Closed, greeted: false })
    }

    /// The root has kept a call for long enough, if nothing has been heard of it.
    pub(crate) fn call_limit(&mut self, wire: Wire, end: End) -> Option<Received> {
        let c = self.connections.get(wire).filter(|c| c.end(end).is_open && !c.end(end).is_watched)?;
        let (actor, greeted) = (c.end(end).actor, c.is_greeted);
        self.close(wire, end);
        Some(Received { actor, wire, end, what: Arrival::Closed, greeted })
    }

    /// An event of a program: none while its host is stopped, and then it happens when the host goes on.
    pub(crate) fn hold_if_stopped(&mut self, actor: Actor, event: Event) -> Option<Event> {
        if self.is_stopped(actor) {
            self.hold(actor, event);
            return None;
        }
        Some(event)
    }

    /// A link is `rate` bytes per second wide from now on.
    pub(crate) fn set_rate(&mut self, wire: Wire, rate: Option<u32>) {
        if let Some(c) = self.connections.get_mut(wire) {
            c.rate = rate;
        }
    }

    /// All connections of a host are so wide from now on.
    pub(crate) fn set_host_rate(&mut self, actor: Actor, rate: Option<u32>) {
        if let Some(host) = self.hosts.get_mut(actor.index()) {
            host.rate = rate;
        }
    }

    /// Whether a link, or one of the hosts at its ends, has a limit.
    pub(crate) fn is_narrow(&self, wire: Wire) -> bool {
        self.rate(wire).is_some()
    }

    /// Bytes of updates that have come out at the dialling end.
    pub(crate) fn taken(&self, wire: Wire) -> u64 {
        self.connections.get(wire).map_or(0, |c| c.taken)
    }

    /// The dialling program has got so many bytes of updates more.
    pub(crate) fn take(&mut self, wire: Wire, bytes: u64) {
        if let Some(c) = self.connections.get_mut(wire) {
            c.taken += bytes;
        }
    }

    fn rate(&self, wire: Wire) -> Option<u32> {
        let c = self.connections.get(wire)?;
        let hosts = End::BOTH.map(|end| self.host(c.end(end).actor).and_then(|host| host.rate));
        hosts.into_iter().chain([c.rate]).flatten().min()
    }

    fn put(&mut self, wire: Wire, to: End, what: Arrival, departs: Duration) {
        let jitter = self.random.between(Duration::ZERO, JITTER);
        let Some(c) = self.connections.get(wire) else { return };
        let latency = |end: End| self.host(c.end(end).actor).map_or(Duration::ZERO, |host| host.latency);
        let way = latency(End::Dialler) + latency(End::Listener) + jitter;
        let Some(c) = self.connections.get_mut(wire) else { return };
        let end = c.end_mut(to);
        let start = if end.is_fresh { end.ready.max(departs) } else { departs };
        let at = end.ready.max(start + way);
        (end.ready, end.is_fresh) = (at, false);
        self.agenda.push(at, Event::Arrive { wire, end: to, what });
    }

    /// An end is closed without a word.
    fn shut(&mut self, wire: Wire, end: End) {
        let Some(c) = self.connections.get_mut(wire) else { return };
        if std::mem::replace(&mut c.end_mut(end).is_open, false) {
            let actor = c.end(end).actor;
            self.hosts.get_mut(actor.index()).map(|host| host.wires.remove(&(wire, end)));
        }
        if self.connections.get(wire).is_some_and(|c| !c.is_open()) {
            self.connections.remove(wire);
        }
    }

    fn hold(&mut self, actor: Actor, event: Event) {
        if let Some(host) = self.hosts.get_mut(actor.index()) {
            host.backlog.push(event);
        }
    }

    fn host(&self, actor: Actor) -> Option<&Host> {
        self.hosts.get(actor.index())
    }

    fn group(&self, actor: Actor) -> u32 {
        self.host(actor).map_or(0, |host| host.group)
    }

    fn is_root(&self, wire: Wire, end: End) -> bool {
        self.actor(wire, end) == Some(ROOT)
    }
}
