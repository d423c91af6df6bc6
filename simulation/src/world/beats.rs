//! The root's beats, which are not simulated one by one: when a node is about to conclude that they stand still, it is found out when
//! the last one would have come to it.

use super::World;
use crate::actor::{Actor, ROOT};
use crate::network::End;
use std::time::Duration;

/// No tree of ours is deeper.
const MOST_STEPS: usize = 200;

impl World {
    /// A beat comes to a node now, if everything above it is whole.
    pub(super) fn hear_beat(&mut self, actor: Actor) {
        let now = self.now();
        if self.last_beat(actor) == now
            && let Some(node) = self.node_mut(actor)
        {
            node.beat = now;
            node.member.handle_beat(now);
        }
    }

    /// Tells a node of the last beat that would have come to it, if it would have come after the one that it knows of.
    pub(super) fn catch_up_on_beats(&mut self, actor: Actor) {
        let last = self.last_beat(actor);
        let Some(node) = self.node_mut(actor) else { return };
        if last > node.beat {
            node.beat = last;
            node.member.handle_beat(last);
        }
    }

    /// When a beat last went all the way to a node: now, or when the first link above it that is broken broke.
    fn last_beat(&self, actor: Actor) -> Duration {
        let mut last = self.now();
        let mut at = actor;
        for _ in 0..MOST_STEPS {
            let Some(node) = self.node(at) else { return last };
            let Some(wire) = node.parent else { return last.min(node.orphaned) };
            last = self.network.silent_since(wire, End::Dialler).map_or(last, |since| last.min(since));
            match self.network.actor(wire, End::Listener) {
                Some(ROOT) => return last,
                Some(above) => at = above,
                None => return last,
            }
        }
        last
    }
}
