//! A class in which hardly anybody can pass the picture on: extra places as far as there is room, and a line that says what to open beyond.

use crate::support::classroom::Classroom;
use crate::support::desktop::{Desktop, Server};
use crate::support::session::Member;
use crate::support::tools::{Turn, have};
use crate::support::tree::Tree;
use crate::support::wait::{PATIENCE, poll_until};

#[test]
fn those_who_only_watch_get_extra_places_and_make_room_for_a_relay() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let mut classroom = Classroom::new(0);
    classroom.admit((1..=5).map(|number| format!("watcher{number}")), &["--no-relay"]);
    classroom.must_be_well();
    let tree = Tree::ask(classroom.root.address).unwrap();
    assert!(tree.nodes.iter().skip(1).all(|node| node.parent == Some(0) && node.leaf_only.is_some()), "{tree:?}");
    classroom.admit(["relay".to_owned()].into_iter(), &[]);
    classroom.must_be_well();
    let tree = Tree::ask(classroom.root.address).unwrap();
    assert!(tree.node("relay").is_some_and(|node| node.slot <= 2 && node.leaf_only.is_none()), "{tree:?}");
    assert!(
        tree.nodes.iter().any(|node| node.parent == tree.node("relay").map(|relay| relay.slot)),
        "one had to give way: {tree:?}"
    );
}

#[test]
fn whoever_finds_no_room_is_told_what_to_open() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let classroom = Classroom::new(0);
    let crowd: Vec<_> = (1..=12)
        .map(|number| Member::joining(classroom.root.address, &format!("watcher{number}"), &["--no-relay", "--give-up", "60"]))
        .collect();
    let is_told = |line: &str| line.contains("open treevnc's port in your firewalls");
    poll_until("the line that says what to open", PATIENCE, || {
        crowd.iter().any(|member| member.process.err().count(is_told) > 0).then_some(())
    });
}
