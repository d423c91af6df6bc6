//! The reference model: what must hold of the tree, said without the machines that make it. Around a node after each of its steps,
//! everywhere now and then, and more of it at rest.

use crate::actor::{Actor, ROOT};
use crate::network::{End, Wire};
use crate::world::{Served, World};
use std::collections::BTreeMap;
use std::time::Duration;
use treevnc_protocol::tree::slot::{MAX_EXTRA, Slot};

/// No tree of ours is deeper: a longer way up is a cycle.
const MOST_STEPS_UP: usize = 200;

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// When it was found, on the world's clock.
    pub at: Duration,
    /// What was found.
    pub what: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {:.3} s: {}", self.at.as_secs_f64(), self.what)
    }
}

type Checked = Result<(), String>;

impl World {
    /// What holds around an actor after each of its steps.
    pub(crate) fn check_around(&mut self, actor: Actor) {
        if let Err(what) = self.around(actor) {
            self.break_rule(what);
        }
    }

    /// The same of everybody.
    pub(crate) fn inspect(&mut self) {
        self.tally.inspections += 1;
        let all = std::iter::once(ROOT).chain(self.alive().iter().copied());
        if let Some(what) = all.map(|actor| self.around(actor)).find_map(Result::err) {
            self.break_rule(what);
        }
    }

    fn around(&self, actor: Actor) -> Checked {
        let Some(served) = self.served(actor) else { return Ok(()) };
        self.children(actor, served)?;
        self.way_up(actor)
    }

    /// At most two children, one per side, and others only in extra places; all of them of this place.
    fn children(&self, actor: Actor, served: &Served) -> Checked {
        let links = &served.links;
        let pair = links.iter().filter(|link| !link.slot.is_extra()).count();
        if pair > 2 || links.len() > pair + usize::from(MAX_EXTRA) {
            return Err(format!("{actor} has {} children, {pair} of them not in extra places", links.len()));
        }
        for (n, link) in links.iter().enumerate() {
            if links.iter().skip(n + 1).any(|other| other.slot == link.slot) {
                return Err(format!("{actor} has two children in slot {}", link.slot));
            }
        }
        let above = links.first().and_then(|link| link.slot.parent());
        if links.iter().any(|link| link.slot.parent() != above) {
            return Err(format!("{actor} has children of two places"));
        }
        let Some(node) = self.node(actor) else { return Ok(()) };
        if !node.is_relay && !links.is_empty() {
            return Err(format!("{actor} is leaf-only and has a child"));
        }
        if let (Some(above), Some(slot)) = (above, node.member.slot())
            && above != slot
        {
            return Err(format!("{actor} is in slot {slot} and has children of slot {above}"));
        }
        let known = node.member.children().count();
        let is_known = |wire: Wire| node.member.children().any(|child| child.link.0 == wire.0);
        if known != links.len() || !links.iter().all(|link| is_known(link.wire)) {
            return Err(format!("{actor} has {} links to children and believes in {known}", links.len()));
        }
        Ok(())
    }

    /// A link stands only between a slot and the one above, and the way up ends.
    fn way_up(&self, actor: Actor) -> Checked {
        if let (Some(parent), Some(node)) = (self.parent(actor), self.node(actor)) {
            let wire = node.parent;
            let above = self.served(parent).and_then(|served| served.links.iter().find(|link| Some(link.wire) == wire));
            let (here, there) = (node.member.slot(), above.map(|link| link.slot));
            if here != there {
                return Err(format!("{actor} is in slot {here:?} and let in by {parent} for {there:?}"));
            }
        }
        let mut way = std::iter::successors(self.parent(actor), |at| self.parent(*at)).take(MOST_STEPS_UP);
        let steps = way.by_ref().take_while(|at| *at != actor).count();
        if steps == MOST_STEPS_UP || way.next().is_some() {
            return Err(format!("{actor} is above itself"));
        }
        Ok(())
    }

    /// Who is above, where both ends hold the link.
    pub(crate) fn parent(&self, actor: Actor) -> Option<Actor> {
        let wire = self.node(actor)?.parent?;
        let parent = self.network.actor(wire, End::Listener)?;
        let served = self.served(parent)?;
        served.links.iter().any(|link| link.wire == wire).then_some(parent)
    }

    /// What holds at rest: everybody who reaches the root is in the tree, where the root believes, with the root's picture.
    pub(crate) fn at_rest(&self) -> Checked {
        let status = self.root.topology.status();
        let holders: BTreeMap<Slot, Actor> = status.iter().filter_map(|node| Some((node.slot, Actor::of(node.id)?))).collect();
        if holders.len() != status.len() {
            return Err("two nodes hold one slot".to_owned());
        }
        for &actor in self.alive() {
            self.has_its_place(actor, &holders)?;
            self.has_the_picture(actor)?;
        }
        let (held, there) = (self.root.topology.node_count(), self.alive().len());
        if held != there {
            return Err(format!("the root knows of {held} nodes, and there are {there}"));
        }
        if status.iter().any(|node| !node.attached) {
            return Err("the root waits for somebody".to_owned());
        }
        if self.network.connection_count() != there {
            return Err(format!(
                "{} connections for {there} nodes: {:?}",
                self.network.connection_count(),
                self.network.left_over()
            ));
        }
        if self.losses.open_count() > 0 {
            return Err(format!("{} losses are not repaired", self.losses.open_count()));
        }
        // One whose time as a leaf is over may still be in the extra place that it got as one.
        let relays = status.iter().filter(|node| node.relay() && !node.slot.is_extra());
        // The root is among them.
        let (count, deepest) = relays.fold((0_u64, 0), |(count, deepest), node| (count + 1, deepest.max(node.depth())));
        let bound = count.max(1).ilog2();
        if deepest > bound {
            return Err(format!("one of {} relays is at depth {deepest}, not {bound}", count - 1));
        }
        Ok(())
    }

    fn has_its_place(&self, actor: Actor, holders: &BTreeMap<Slot, Actor>) -> Checked {
        let Some(node) = self.node(actor) else { return Err(format!("{actor} is not there")) };
        let slot = node.member.slot().filter(|_| node.member.is_confirmed());
        let Some(slot) = slot else { return Err(format!("{actor} is {:?} and not confirmed", node.member.standing())) };
        if holders.get(&slot) != Some(&actor) {
            return Err(format!("{actor} is in slot {slot}, which the root has given to {:?}", holders.get(&slot)));
        }
        let (believed, real) = (slot.parent().and_then(|above| holders.get(&above).copied()), self.parent(actor));
        if believed != real {
            return Err(format!("{actor} in slot {slot} is below {real:?}, and the root believes below {believed:?}"));
        }
        Ok(())
    }

    fn has_the_picture(&self, actor: Actor) -> Checked {
        let Some(served) = self.served(actor) else { return Ok(()) };
        let (log, root) = (&served.log, &self.root.served.log);
        if (log.session(), log.complete(), log.head()) != (root.session(), root.complete(), root.head()) {
            return Err(format!("{actor} is at update {} of {}", log.head().0, root.head().0));
        }
        if !log.live().map(|entry| entry.update()).eq(root.live().map(|entry| entry.update())) {
            return Err(format!("the picture of {actor} is not the root's"));
        }
        Ok(())
    }
}
