//! What can happen to nodes, hosts and links.

use super::World;
use crate::actor::Actor;
use crate::agenda::Event;
use crate::losses::Kind;
use crate::network::{End, Wire};
use std::time::Duration;

impl World {
    /// A node leaves and says so.
    pub(crate) fn leave(&mut self, actor: Actor) {
        self.begin_loss(Kind::Left, &[actor]);
        let now = self.now();
        if let Some(node) = self.node_mut(actor) {
            node.member.leave(now);
        }
        self.act(actor);
    }

    /// A process ends.
    pub(crate) fn crash(&mut self, actor: Actor) {
        self.begin_loss(Kind::Crashed, &[actor]);
        self.network.end_program(actor);
        self.forget(actor);
    }

    /// Hosts are gone in one moment.
    pub(crate) fn vanish(&mut self, kind: Kind, actors: &[Actor]) {
        self.begin_loss(kind, actors);
        for &actor in actors {
            self.network.vanish(actor);
            self.forget(actor);
        }
    }

    /// A process is stopped for a while.
    pub(crate) fn stall(&mut self, actor: Actor, wait: Duration) {
        self.begin_loss(Kind::Stalled, &[actor]);
        self.losses.excused(actor);
        self.network.stop(actor);
        self.network.after(wait, Event::GoOn(actor));
    }

    /// A process that was stopped goes on.
    pub(crate) fn go_on(&mut self, actor: Actor) {
        if !self.network.is_stopped(actor) {
            return;
        }
        let backlog = self.network.go_on(actor);
        self.still_linked(actor);
        backlog.into_iter().for_each(|event| self.handle(event));
        self.back(Kind::Back, actor);
    }

    /// The connection to a node's parent goes dead without a word.
    pub(crate) fn cut(&mut self, actor: Actor) {
        if let Some(wire) = self.node(actor).and_then(|node| node.parent) {
            self.losses.begin(Kind::Cut, self.network.now(), &[actor]);
            self.network.cut(wire);
        }
    }

    /// The connection to a node's parent is reset.
    pub(crate) fn reset(&mut self, actor: Actor) {
        if let Some(wire) = self.node(actor).and_then(|node| node.parent) {
            self.losses.begin(Kind::Reset, self.network.now(), &[actor]);
            self.network.reset(wire);
        }
    }

    /// The link to a node's parent is narrow for a while.
    pub(crate) fn narrow(&mut self, actor: Actor, rate: u32, wait: Duration) {
        if let Some(wire) = self.node(actor).and_then(|node| node.parent) {
            self.network.set_rate(wire, Some(rate));
            self.watch_pace(wire);
            self.network.after(wait, Event::Widen(wire));
        }
    }

    /// All links of a host are narrow for a while.
    pub(crate) fn slow_down(&mut self, actor: Actor, rate: u32, wait: Duration) {
        self.network.set_host_rate(actor, Some(rate));
        for (wire, _) in self.network.wires(actor) {
            self.watch_pace(wire);
        }
        self.network.after(wait, Event::Quicken(actor));
    }

    /// Some hosts do not reach the others for a while.
    pub(crate) fn part(&mut self, actors: Vec<Actor>, wait: Duration) {
        self.last_group += 1;
        let outside = self.children_of(&actors);
        self.losses.begin(Kind::Parted, self.now(), &outside);
        actors.iter().for_each(|actor| self.losses.excused(*actor));
        self.network.part(&actors, self.last_group);
        self.network.after(wait, Event::Heal(self.last_group));
        self.parted.insert(self.last_group, actors);
    }

    /// They reach each other again.
    pub(crate) fn heal(&mut self, group: u32) {
        let Some(actors) = self.parted.remove(&group) else { return };
        let held = self.network.join_again(&actors);
        actors.iter().for_each(|actor| self.still_linked(*actor));
        held.into_iter().for_each(|event| self.handle(event));
        actors.into_iter().for_each(|actor| self.back(Kind::Healed, actor));
    }

    /// Everything that was to go on later goes on now.
    pub(crate) fn end_trouble(&mut self) {
        self.churn_left = 0;
        let groups: Vec<u32> = self.parted.keys().copied().collect();
        groups.into_iter().for_each(|group| self.heal(group));
        for actor in self.alive().to_vec() {
            self.go_on(actor);
            self.network.set_host_rate(actor, None);
            if let Some(wire) = self.node(actor).and_then(|node| node.parent) {
                self.network.set_rate(wire, None);
            }
        }
    }

    /// The live children of these that are not among these.
    fn children_of(&self, actors: &[Actor]) -> Vec<Actor> {
        let wires = actors.iter().filter_map(|actor| self.served(*actor)).flat_map(|served| &served.links);
        let children = wires.filter_map(|link| self.network.actor(link.wire, End::Dialler).map(|child| (child, link.wire)));
        let lives = |(child, wire): &(Actor, Wire)| {
            self.is_at_large(*child) && self.node(*child).is_some_and(|node| node.parent == Some(*wire))
        };
        children.filter(lives).map(|(child, _)| child).filter(|child| actors.binary_search(child).is_err()).collect()
    }

    fn begin_loss(&mut self, kind: Kind, actors: &[Actor]) {
        let orphans = self.children_of(actors);
        self.losses.begin(kind, self.now(), &orphans);
        self.tally.losses += actors.len();
    }

    /// Whether it runs, and reaches the root.
    pub(crate) fn is_at_large(&self, actor: Actor) -> bool {
        self.node(actor).is_some() && !self.network.is_stopped(actor) && !self.network.is_cut_off(actor)
    }

    /// Children that are linked to it as before have not lost it.
    fn still_linked(&mut self, actor: Actor) {
        for child in self.children_of(&[actor]) {
            self.losses.excused(child);
        }
    }

    /// One that was away is there again: from now on it can look for a parent.
    fn back(&mut self, kind: Kind, actor: Actor) {
        if self.node(actor).is_some_and(|node| node.parent.is_none() && node.was_attached) {
            self.losses.begin(kind, self.now(), &[actor]);
        }
    }
}
