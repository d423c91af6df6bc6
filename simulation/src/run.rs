//! A run: the tree stands up, loses many at once, lives through a churn, comes to rest, and loses single nodes; what all this came to.

use crate::actor::Actor;
use crate::figures::{Figures, Percentiles};
use crate::losses::Kind;
use crate::model::Broken;
use crate::settings::Settings;
use crate::world::World;
use std::collections::BTreeMap;
use std::time::Duration;
use treevnc_protocol::tree::message::NodeStatus;

/// Longest time until a world that is left alone is at rest.
const REST: Duration = Duration::from_secs(180);
/// Longest time until a tree that nobody troubles stands.
const STANDING_UP: Duration = Duration::from_secs(3600);
/// How often it is asked whether a single loss is repaired.
const TICK: Duration = Duration::from_millis(20);

/// What a run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The seed it came from.
    pub seed: u64,
    /// The first rule that did not hold; the run ended there.
    pub broken: Option<Broken>,
    /// What was counted.
    pub figures: Figures,
    /// From a loss until its last orphan was attached again, in the order of [`Kind::ALL`]; kinds that did not happen are left out.
    pub repairs: Vec<(Kind, Percentiles<Duration>)>,
    /// The same for single losses at rest.
    pub single_repair: Option<Percentiles<Duration>>,
    /// Nodes that changed their slot, per single loss.
    pub single_moves: Option<Percentiles<u64>>,
    /// Nodes placed, in their slot or another, per single loss.
    pub single_placements: Option<Percentiles<u64>>,
    /// Control messages to and from the root, per single loss.
    pub single_messages: Option<Percentiles<u64>>,
}

/// Runs a world to its end, or to the first rule that is broken.
pub fn run(settings: &Settings, seed: u64) -> Report {
    match World::new(settings, seed) {
        Ok(world) => live(world, seed),
        Err(error) => {
            let broken = Some(Broken { at: Duration::ZERO, what: error.to_string() });
            Report { broken, ..Report::empty(seed) }
        }
    }
}

fn live(world: World, seed: u64) -> Report {
    let mut run = Run { world, stood_up: Duration::ZERO, repairs: BTreeMap::new(), single: Single::default() };
    run.stand_up();
    run.lose_many();
    run.churn();
    run.lose_singles();
    run.report(seed)
}

#[derive(Debug, Default)]
struct Single {
    repair: Vec<Duration>,
    moves: Vec<u64>,
    placements: Vec<u64>,
    messages: Vec<u64>,
}

#[derive(Debug)]
struct Run {
    world: World,
    stood_up: Duration,
    repairs: BTreeMap<Kind, Vec<Duration>>,
    single: Single,
}

impl Run {
    fn stand_up(&mut self) {
        let world = &mut self.world;
        world.set_showing(true);
        world.start_joining(world.settings.nodes);
        let limit = world.now() + STANDING_UP;
        let is_up = |world: &World| !world.is_joining() && world.tally.joining.len() + world.tally.gave_up >= world.tally.joins;
        while world.broken.is_none() && !is_up(world) {
            if world.now() > limit {
                return world.break_rule("the tree does not stand up".to_owned());
            }
            world.run_until(world.now() + TICK);
        }
        self.stood_up = world.now();
        self.rest();
    }

    fn lose_many(&mut self) {
        let world = &mut self.world;
        let share = world.settings.loss / 100.0;
        let mut all: Vec<Actor> = world.alive().to_vec();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of nodes"
        )]
        let count = (all.len() as f64 * share).round() as usize;
        if count == 0 {
            return;
        }
        let mut lost: Vec<Actor> = Vec::with_capacity(count);
        while lost.len() < count && !all.is_empty() {
            lost.push(all.swap_remove(world.random.below(all.len())));
        }
        lost.sort_unstable();
        world.set_showing(true);
        world.vanish(Kind::Together, &lost);
        self.rest();
    }

    fn churn(&mut self) {
        let world = &mut self.world;
        if world.settings.events == 0 {
            return;
        }
        world.set_showing(true);
        world.start_churn(world.settings.events);
        while world.broken.is_none() && world.churn_left > 0 {
            world.run_until(world.now() + Duration::from_secs(1));
        }
        self.rest();
    }

    /// Ends all trouble and waits until everything holds that holds at rest.
    fn rest(&mut self) {
        let world = &mut self.world;
        world.end_trouble();
        world.set_showing(false);
        let limit = world.now() + REST;
        while world.broken.is_none() {
            world.run_until(world.now() + Duration::from_secs(1));
            match world.at_rest() {
                Ok(()) => break,
                Err(what) if world.now() > limit => world.break_rule(format!("no rest: {what}")),
                Err(_) => {}
            }
        }
        world.inspect();
        self.collect();
    }

    fn collect(&mut self) {
        for (kind, took) in self.world.losses.take_repaired() {
            self.repairs.entry(kind).or_default().push(took);
        }
    }

    fn lose_singles(&mut self) {
        let count = self.world.settings.single_losses;
        for kind in [Kind::Crashed, Kind::Vanished, Kind::Left].into_iter().cycle().take(count) {
            if self.world.broken.is_some() {
                return;
            }
            self.lose_single(kind);
        }
        if count > 0 {
            self.rest();
        }
    }

    fn lose_single(&mut self, kind: Kind) {
        let world = &mut self.world;
        let has_children = |world: &World, actor: &Actor| world.served(*actor).is_some_and(|served| !served.links.is_empty());
        let inner = (0..200).find_map(|_| world.someone().filter(|actor| has_children(world, actor)));
        let Some(actor) = inner else { return };
        let before = (world.tally.moves, world.tally.placed_again, world.tally.root_messages);
        match kind {
            Kind::Left => world.leave(actor),
            Kind::Crashed => world.crash(actor),
            _ => world.vanish(kind, &[actor]),
        }
        let limit = world.now() + REST;
        let is_repaired =
            |world: &World| world.losses.open_count() == 0 && world.root.topology.node_count() == world.alive().len();
        while world.broken.is_none() && world.now() < limit && !is_repaired(world) {
            world.run_until(world.now() + TICK);
        }
        // What is still under way belongs to this loss.
        world.run_until(world.now() + Duration::from_secs(2));
        let moves = (world.tally.moves - before.0) as u64;
        self.single.moves.push(moves);
        self.single.placements.push(moves + (world.tally.placed_again - before.1) as u64);
        self.single.messages.push(world.tally.root_messages - before.2);
        self.single.repair.extend(world.losses.take_repaired().into_iter().map(|(_, took)| took));
    }

    fn report(self, seed: u64) -> Report {
        let Self { world, stood_up, mut repairs, single } = self;
        let status = world.root.topology.status();
        let tally = world.tally;
        let figures = Figures {
            seconds: world.network.now().as_secs_f64(),
            joins: tally.joins,
            stood_up,
            joining: Percentiles::of(tally.joining),
            events: tally.events,
            losses: tally.losses,
            nodes: status.len().saturating_sub(1),
            relays: status.iter().filter(|node| node.relay()).count().saturating_sub(1),
            depth: status.iter().map(NodeStatus::depth).max().unwrap_or(0),
            moves: tally.moves,
            placed_again: tally.placed_again,
            refusals: tally.refusals,
            blamed: tally.blamed,
            gave_up: tally.gave_up,
            silences: tally.silences,
            slow: tally.slow,
            frames: tally.frames,
            messages: tally.messages,
            root_messages: tally.root_messages,
            control_bytes: tally.control_bytes,
            update_bytes: tally.update_bytes,
            rehomed: tally.rehomed,
            rehomed_sent: tally.rehomed_sent,
            rehomed_unseen: tally.rehomed_unseen,
            steps: tally.steps,
            inspections: tally.inspections,
        };
        let of_kind = |kind: Kind| Some((kind, Percentiles::of(repairs.remove(&kind)?)?));
        Report {
            seed,
            broken: world.broken,
            figures,
            repairs: Kind::ALL.into_iter().filter_map(of_kind).collect(),
            single_repair: Percentiles::of(single.repair),
            single_moves: Percentiles::of(single.moves),
            single_placements: Percentiles::of(single.placements),
            single_messages: Percentiles::of(single.messages),
        }
    }
}

impl Report {
    fn empty(seed: u64) -> Self {
        Self {
            seed,
            broken: None,
            figures: Figures::default(),
            repairs: Vec::new(),
            single_repair: None,
            single_moves: None,
            single_placements: None,
            single_messages: None,
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
