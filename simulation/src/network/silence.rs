//! What happens to hosts and wires, and what is no longer heard because of it. The other end of a link that went silent is told at
//! the limit of silence, as a program with heartbeats would find out; the heartbeats themselves are not simulated.

use super::connection::{Arrival, End, Wire};
use super::{CALL, Network};
use crate::actor::Actor;
use crate::agenda::Event;
use std::time::Duration;

/// Between two heartbeats of one side.
const HEARTBEAT: Duration = Duration::from_millis(200);

impl Network {
    /// The program at this end finds silence from now on.
    pub(crate) fn watch(&mut self, wire: Wire, end: End) {
        if let Some(c) = self.connections.get_mut(wire) {
            c.end_mut(end).is_watched = true;
            self.look(wire);
        }
    }

    /// Whether a silence that was to be checked now has lasted to the limit.
    pub(crate) fn is_silent(&self, wire: Wire, end: End) -> bool {
        let since = self.connections.get(wire).filter(|c| c.end(end).is_open).and_then(|c| c.end(end).silent_since);
        since.is_some_and(|since| since + self.silence <= self.now + HEARTBEAT)
    }

    /// Since when an end of a link has heard nothing.
    pub(crate) fn silent_since(&self, wire: Wire, end: End) -> Option<Duration> {
        self.connections.get(wire)?.end(end).silent_since
    }

    /// The process ends: its connections end.
    pub(crate) fn end_program(&mut self, actor: Actor) {
        self.halt(actor);
        for (wire, end) in self.wires(actor) {
            self.close(wire, end);
        }
    }

    /// The host is gone: nothing ends, and nothing is heard of it any more.
    pub(crate) fn vanish(&mut self, actor: Actor) {
        self.halt(actor);
        if let Some(host) = self.hosts.get_mut(actor.index()) {
            host.is_gone = true;
        }
        for (wire, end) in self.wires(actor) {
            self.shut(wire, end);
            self.look(wire);
        }
    }

    /// The program is stopped; its kernel goes on.
    pub(crate) fn stop(&mut self, actor: Actor) {
        if let Some(host) = self.hosts.get_mut(actor.index()) {
            host.is_stopped = true;
        }
        self.look_at_all(actor);
    }

    /// The program goes on: what it finds, in order.
    pub(crate) fn go_on(&mut self, actor: Actor) -> Vec<Event> {
        let Some(host) = self.hosts.get_mut(actor.index()) else { return Vec::new() };
        host.is_stopped = false;
        let backlog = std::mem::take(&mut host.backlog);
        self.look_at_all(actor);
        backlog
    }

    /// The connection goes dead.
    pub(crate) fn cut(&mut self, wire: Wire) {
        if let Some(c) = self.connections.get_mut(wire) {
            c.is_cut = true;
            self.look(wire);
        }
    }

    /// These hosts form a group of their own.
    pub(crate) fn part(&mut self, actors: &[Actor], group: u32) {
        for actor in actors {
            if let Some(host) = self.hosts.get_mut(actor.index()) {
                host.group = group;
            }
        }
        actors.iter().for_each(|actor| self.look_at_all(*actor));
    }

    /// These hosts are together with the others again: what arrives now.
    pub(crate) fn join_again(&mut self, actors: &[Actor]) -> Vec<Event> {
        self.part(actors, 0);
        let mut events = Vec::new();
        for wire in std::mem::take(&mut self.waiting) {
            self.look(wire);
            let Some(c) = self.connections.get_mut(wire) else { continue };
            for end in End::BOTH {
                let held: Vec<Arrival> = std::mem::take(&mut c.end_mut(end).held);
                events.extend(held.into_iter().map(|what| Event::Arrive { wire, end, what }));
            }
        }
        events
    }

    /// The ends of connections that are open at a host.
    pub(crate) fn wires(&self, actor: Actor) -> Vec<(Wire, End)> {
        self.host(actor).map(|host| host.wires.iter().copied().collect()).unwrap_or_default()
    }

    fn halt(&mut self, actor: Actor) {
        if let Some(host) = self.hosts.get_mut(actor.index()) {
            (host.is_running, host.is_stopped, host.backlog) = (false, false, Vec::new());
        }
    }

    fn look_at_all(&mut self, actor: Actor) {
        for (wire, _) in self.wires(actor) {
            self.look(wire);
        }
    }

    /// Whether an end can hear the program at the other.
    fn is_audible(&self, wire: Wire, end: End) -> bool {
        let Some(c) = self.connections.get(wire) else { return false };
        let (here, there) = (c.end(end).actor, c.end(end.other()).actor);
        let speaks = self.host(there).is_some_and(|host| !host.is_stopped && !host.is_gone);
        speaks && !c.is_cut && self.group(here) == self.group(there)
    }

    /// Notes where silence begins and where it ends.
    fn look(&mut self, wire: Wire) {
        for end in End::BOTH {
            let is_audible = self.is_audible(wire, end);
            let is_roots = self.is_root(wire, end);
            let (now, limit) = (self.now, self.silence);
            let Some(c) = self.connections.get_mut(wire) else { return };
            let state = c.end_mut(end);
            if !state.is_open {
                continue;
            }
            if is_audible {
                state.silent_since = None;
            } else if state.is_watched && state.silent_since.is_none() {
                state.silent_since = Some(now);
                // The last heartbeat came some part of an interval ago.
                let age = self.random.between(Duration::ZERO, HEARTBEAT);
                self.agenda.push(now + limit.saturating_sub(age), Event::Silence { wire, end });
            } else if !state.is_watched && is_roots {
                self.agenda.push(now + CALL, Event::CallLimit { wire, end });
            }
        }
    }
}
