use super::*;
use crate::actor::ROOT;
use crate::settings::Rates;
use crate::world::Sabotage;
use std::time::Duration;

const SEEDS: u64 = 12;
/// Nothing happens but what a test adds.
const NONE: Rates = Rates { leave: 0, crash: 0, vanish: 0, stall: 0, cut: 0, reset: 0, narrow: 0, slow: 0, partition: 0 };

fn small() -> Settings {
    Settings { nodes: 50, events: 250, events_per_second: 60.0, single_losses: 6, ..Settings::default() }
}

/// Runs some seeds; each must end without a broken rule.
fn all_hold(settings: &Settings) -> Vec<Report> {
    let reports: Vec<Report> = (0..SEEDS).map(|seed| run(settings, seed)).collect();
    for Report { seed, broken, .. } in &reports {
        assert_eq!(*broken, None, "seed {seed}");
    }
    reports
}

fn count(reports: &[Report], kind: Kind) -> usize {
    reports.iter().flat_map(|report| &report.repairs).filter(|(of, _)| *of == kind).map(|(_, p)| p.count).sum()
}

#[test]
fn every_rule_holds_in_every_kind_of_trouble() {
    let reports = all_hold(&small());
    assert!(Kind::ALL.iter().filter(|kind| **kind != Kind::Together).all(|kind| count(&reports, *kind) > 0));
    let figures: Vec<_> = reports.iter().map(|report| &report.figures).collect();
    assert!(figures.iter().all(|figures| figures.events == 250 && figures.nodes > 20 && figures.moves > 0));
    // Whoever was re-homed was sent what it had not seen, and nothing else.
    assert!(
        figures.iter().all(|figures| figures.rehomed > 10 && figures.rehomed_sent <= figures.rehomed_unseen * 11 / 10 + 2000)
    );
}

#[test]
fn a_seed_gives_the_same_run_again() {
    assert_eq!(run(&small(), 3), run(&small(), 3));
    assert_ne!(run(&small(), 3).figures, run(&small(), 4).figures);
}

#[test]
fn every_rule_holds_with_many_leaf_only_nodes() {
    for leaf_only in [0, 45, 70] {
        let reports = all_hold(&Settings { leaf_only, events: 120, ..small() });
        let (nodes, relays) = reports.iter().fold((0, 0), |(n, r), report| (n + report.figures.nodes, r + report.figures.relays));
        assert!(
            relays * 100 > nodes * (90 - leaf_only as usize) && relays * 100 < nodes * (110 - leaf_only as usize),
            "{relays} of {nodes}"
        );
    }
}

#[test]
fn every_rule_holds_where_computers_are_kept_apart_and_everybody_has_the_picture() {
    for isolated in [10, 35, 100] {
        let reports = all_hold(&Settings { isolated, events: 120, ..small() });
        let gave_up: usize = reports.iter().map(|report| report.figures.gave_up).sum();
        assert_eq!(gave_up, 0, "{isolated} percent");
        // All fifty come within 0.1 s, and two parents that cannot be reached take 1.25 s each.
        let joining = reports.iter().map(|report| report.figures.joining.unwrap());
        assert!(joining.into_iter().all(|joining| joining.median < Duration::from_secs(10)), "{isolated} percent");
    }
}

#[test]
fn every_rule_holds_while_nodes_are_stopped_and_go_on() {
    let reports = all_hold(&Settings { rates: Rates { stall: 1, ..NONE }, ..small() });
    assert!(count(&reports, Kind::Stalled) > 50 && count(&reports, Kind::Back) > 50);
}

#[test]
fn every_rule_holds_while_hosts_are_cut_off_together() {
    let reports = all_hold(&Settings { rates: Rates { partition: 1, ..NONE }, events: 60, events_per_second: 20.0, ..small() });
    assert!(count(&reports, Kind::Parted) > 50 && count(&reports, Kind::Healed) > 50);
}

#[test]
fn nodes_that_cannot_keep_up_are_found_and_become_leaves() {
    let reports =
        all_hold(&Settings { rates: Rates { slow: 1, ..NONE }, events: 60, events_per_second: 20.0, leaf_only: 0, ..small() });
    let (slow, blamed) = reports.iter().fold((0, 0), |(s, b), report| (s + report.figures.slow, b + report.figures.blamed));
    assert!(slow > 30 && blamed > 10, "{slow} found, {blamed} made leaves");
}

#[test]
fn many_that_vanish_in_one_moment_are_replaced() {
    let reports = all_hold(&Settings { nodes: 200, loss: 30.0, events: 0, single_losses: 0, ..Settings::default() });
    assert!(reports.iter().all(|report| report.figures.nodes == 140));
    assert_eq!(count(&reports, Kind::Together), reports.len());
}

#[test]
fn nothing_is_left_when_everybody_has_gone() {
    for seed in 0..SEEDS {
        let mut world = World::new(&small(), seed).unwrap();
        world.start_joining(50);
        world.run_until(Duration::from_secs(20));
        for actor in world.alive().to_vec() {
            match actor.0 % 3 {
                0 => world.leave(actor),
                1 => world.crash(actor),
                _ => world.vanish(Kind::Vanished, &[actor]),
            }
        }
        world.run_until(Duration::from_secs(140));
        assert_eq!(world.broken, None, "seed {seed}");
        assert_eq!(
            (world.alive().len(), world.root.topology.node_count(), world.network.connection_count()),
            (0, 0, 0),
            "seed {seed}"
        );
        assert!(world.root.served.links.is_empty() && world.served(ROOT).is_some());
    }
}

/// What a run with a fault in its programs ends with.
fn fault(sabotage: Sabotage) -> Vec<String> {
    let world = |seed| {
        let mut world = World::new(&small(), seed).unwrap();
        world.sabotage = Some(sabotage);
        world
    };
    (0..4).filter_map(|seed| Some(live(world(seed), seed).broken?.what)).collect()
}

#[test]
fn a_program_that_keeps_children_it_is_to_close_is_found() {
    let found = fault(Sabotage::KeepsChildren);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|what| what.contains("children")), "{found:?}");
}

#[test]
fn a_program_that_loses_an_update_is_found() {
    let found = fault(Sabotage::DropsUpdates);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|what| what.contains("picture") || what.contains("update")), "{found:?}");
}

#[test]
fn a_program_that_does_not_report_lost_children_is_found() {
    let found = fault(Sabotage::HidesLosses);
    assert_eq!(found.len(), 4, "{found:?}");
}
