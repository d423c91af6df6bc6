//! What holds after any trouble.

use super::*;
use crate::tree::message::{NodeStatus, WhyLeaf};

/// A world that was troubled for a while, at rest again.
fn troubled(seed: u64, steps: usize) -> World {
    trouble(World::new(seed), steps)
}

fn trouble(mut world: World, steps: usize) -> World {
    let pace = 2 + world.network.random.below(60);
    for _ in 0..5 {
        world.join(true);
    }
    for step in 0..steps {
        if step % pace == 0 {
            world.chaos();
        }
        world.step();
    }
    world.settle();
    world
}

#[test]
fn after_any_trouble_everybody_is_attached_where_the_root_believes() {
    let (mut placed, mut nodes) = (0, 0);
    let count = usize::try_from(SEEDS).unwrap();
    for seed in 0..SEEDS {
        let world = troubled(seed, 1000);
        world.check_at_rest();
        placed += world.placed;
        nodes += world.alive().len();
    }
    assert!(placed > 15 * count && nodes > 5 * count, "hardly anything happened: {placed} placements, {nodes} nodes at the end");
}

#[test]
fn limits_that_are_too_small_change_who_has_children_and_leave_nobody_out() {
    let mut capped = 0;
    for seed in 2000..2000 + SEEDS {
        let mut world = trouble(World { has_limits: true, ..World::new(seed) }, 1000);
        world.check_at_rest();
        capped += world.topology.status().iter().filter(|node| node.leaf_only == Some(WhyLeaf::Capped)).count();
        world.topology.set_demand(0, world.now);
        world.answer();
        world.settle();
        world.check_at_rest();
        assert!(world.topology.status().iter().all(|node| node.leaf_only != Some(WhyLeaf::Capped) || node.slot.is_extra()));
    }
    assert!(capped > usize::try_from(SEEDS).unwrap() / 2, "hardly anybody was too small: {capped}");
}

#[test]
fn nothing_is_left_of_nodes_that_are_gone() {
    for seed in 1000..1050 {
        let mut world = troubled(seed, 600);
        let mut slowly = Duration::ZERO;
        for actor in world.alive() {
            if world.network.random.chance(50) {
                world.kill(actor);
            } else {
                let now = world.now;
                world.node(actor).member.leave(now);
                world.act(actor);
            }
            slowly += Duration::from_millis(3);
            while world.now < slowly && world.step() {}
        }
        world.settle();
        assert!(world.topology.is_pristine(), "seed {seed}: {:?}", world.topology);
        assert!(world.root_links.is_empty());
    }
}

#[test]
fn a_hundred_nodes_at_once_fill_the_rows_without_a_failure() {
    for seed in 0..4 {
        let mut world = World::new(seed);
        for _ in 0..126 {
            world.join(true);
        }
        world.settle();
        world.check_at_rest();
        assert_eq!(world.gave_up, 0);
        let deepest = world.topology.status().iter().map(NodeStatus::depth).max();
        assert!(deepest == Some(6), "seed {seed}: depth {deepest:?}");
        assert_eq!(world.placed, 126, "seed {seed}: nobody was placed twice");
    }
}
