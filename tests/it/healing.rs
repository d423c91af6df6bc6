//! What becomes of the others when a node crashes, leaves, or stands still, and when the root goes and comes back. None of it needs a person.

use crate::support::classroom::Classroom;
use crate::support::desktop::{Desktop, Server};
use crate::support::kernel::{open_files, resident_bytes, threads};
use crate::support::session::Member;
use crate::support::tools::{Turn, have};
use crate::support::wait::{PATIENCE, poll_until};
use std::time::Duration;

/// Joins and leaves that must leave nothing behind; the bench does a thousand.
const VISITS: usize = 60;
const VISITORS_AT_ONCE: usize = 6;
/// What the allocator may keep of them.
const VISITS_BYTES: u64 = 4 << 20;

/// Silence is noticed within a second (PROTOCOL.md, Times); ten for machines that are busy.
const DETECTION: Duration = Duration::from_secs(10);

fn can_run() -> bool {
    have(Desktop::programs(Server::Xvnc))
}

#[test]
fn after_a_crash_of_an_inner_node_everybody_has_a_place_and_the_picture() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let mut classroom = Classroom::new(14);
    for slot in [1, 4, 2] {
        let mut lost = classroom.take(slot);
        lost.process.kill();
        classroom.must_be_well();
    }
}

#[test]
fn after_crashes_of_several_nodes_at_once_everybody_has_a_place_and_the_picture() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let mut classroom = Classroom::new(20);
    // A parent with its child, the other side's child, and the last relay, which would be moved.
    let mut lost = [1, 4, 5, 20].map(|slot| classroom.take(slot));
    lost.iter_mut().for_each(|member| member.process.kill());
    classroom.must_be_well();
}

#[test]
fn a_node_that_leaves_in_order_is_missed_by_nobody() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let mut classroom = Classroom::new(7);
    for slot in [1, 2, 5] {
        let mut leaver = classroom.take(slot);
        leaver.process.signal("TERM");
        let status = leaver.process.end(PATIENCE);
        assert_eq!(status.code(), Some(0), "{}", leaver.process.said());
        classroom.must_be_well();
    }
}

#[test]
fn when_an_inner_node_stands_still_the_others_move_on_and_it_comes_back_as_a_newcomer() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let mut classroom = Classroom::new(14);
    for slot in [1, 4] {
        let below = classroom.must_be_whole().below(slot.into());
        let stopped = classroom.take(slot);
        let said = stopped.places_said();
        // Its kernel still answers for it: connections stay, and new ones are accepted.
        stopped.process.signal("STOP");
        classroom.must_move(&below, DETECTION);
        classroom.must_be_whole();
        stopped.process.signal("CONT");
        stopped.must_be_placed(said + 1, PATIENCE);
        classroom.nodes.push(stopped);
        classroom.must_be_well();
    }
}

#[test]
fn when_the_root_comes_back_on_its_port_all_nodes_are_back_with_the_picture() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let mut classroom = Classroom::new(14);
    let said: Vec<_> = classroom.nodes.iter().map(Member::places_said).collect();
    let address = classroom.root.address;
    classroom.root.process.kill();
    // Nobody sees the screen now: what comes next is new to all.
    classroom.paint();
    classroom.root = Member::root_at(address, &classroom.desktop.address(), "lecture");
    // Five seconds on a machine that does nothing else; the bench measures it.
    for (node, said) in classroom.nodes.iter().zip(said) {
        node.must_be_placed(said + 1, PATIENCE);
    }
    classroom.must_be_well();
}

#[test]
fn when_the_root_is_gone_for_good_a_node_gives_up_with_one_clear_line() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let mut classroom = Classroom::new(0);
    classroom.admit(["n1".to_owned(), "n2".to_owned(), "n3".to_owned()].into_iter(), &["--give-up", "2"]);
    classroom.root.process.kill();
    for node in &mut classroom.nodes {
        let status = node.process.end(PATIENCE);
        assert_eq!(status.code(), Some(1), "{}", node.process.said());
        let lines = node.process.err().all();
        assert_eq!(lines.last().unwrap(), "treevnc: gave up: no parent found; the root does not answer", "{lines:#?}");
    }
}

#[test]
fn joins_and_leaves_cost_the_root_nothing_that_stays() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let mut classroom = Classroom::new(2);
    let id = classroom.root.process.id();
    let visit = |classroom: &mut Classroom, number: usize| {
        let names = (0..VISITORS_AT_ONCE).map(|at| format!("visitor{}", number * VISITORS_AT_ONCE + at));
        classroom.admit(names, &[]);
        for (at, mut visitor) in classroom.nodes.split_off(2).into_iter().enumerate() {
            // Half of them without a word.
            visitor.process.signal(if at % 2 == 0 { "TERM" } else { "KILL" });
            visitor.process.end(PATIENCE);
        }
        classroom.must_be_whole();
    };
    visit(&mut classroom, 0);
    let (files, tasks, bytes) = (open_files(id), threads(id), resident_bytes(id));
    (1..=VISITS / VISITORS_AT_ONCE).for_each(|number| visit(&mut classroom, number));
    poll_until("the sockets' end", PATIENCE, || (open_files(id) <= files).then_some(()));
    assert!(threads(id) <= tasks, "{} threads, {tasks} before", threads(id));
    let more = resident_bytes(id).saturating_sub(bytes);
    assert!(more < VISITS_BYTES, "{more} more bytes in memory");
    classroom.must_be_well();
}
