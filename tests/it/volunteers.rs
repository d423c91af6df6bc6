//! Nodes that end with their session, and those that wait for the next one.

use crate::support::desktop::{Desktop, Server};
use crate::support::process::{Process, treevnc};
use crate::support::session::Member;
use crate::support::tools::{Turn, have};
use crate::support::wait::PATIENCE;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const ENDED: &str = "the session has ended";
/// A node that is told must not wait for anything.
const AT_ONCE: Duration = Duration::from_secs(8);

fn can_run() -> bool {
    have(Desktop::programs(Server::Xvnc))
}

/// A node with further options that has its place.
fn node(root: SocketAddr, name: &str, options: &[&str]) -> Member {
    let node = Member::joining(root, name, options);
    node.place();
    node
}

fn says_the_end(member: &Member) -> bool {
    member.process.out().wait(PATIENCE, |line| line == ENDED).is_some()
}

#[test]
fn when_the_root_ends_in_order_all_are_told_and_volunteers_end_at_once() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let mut root = Member::root(&desktop.address(), "lecture");
    let volunteer = ["--end-with-session", "--max-upload", "20M", "--give-up", "600"];
    let mut volunteers: Vec<_> = (1..=7).map(|number| node(root.address, &format!("mirror{number}"), &volunteer)).collect();
    let mut other = node(root.address, "other", &["--give-up", "2"]);
    let deepest = volunteers.iter().chain([&other]).map(|node| node.place().1).max();
    assert_eq!(deepest, Some(3), "so it goes down the tree");
    let begun = Instant::now();
    root.process.signal("TERM");
    assert_eq!(root.process.end(PATIENCE).code(), Some(0), "{}", root.process.said());
    for volunteer in &mut volunteers {
        let status = volunteer.process.end(PATIENCE);
        assert_eq!(status.code(), Some(0), "{}", volunteer.process.said());
        assert!(says_the_end(volunteer), "{}", volunteer.process.said());
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert!(says_the_end(&other), "{}", other.process.said());
    assert!(other.process.is_running(), "it waits for the next session: {}", other.process.said());
    assert_eq!(other.process.end(PATIENCE).code(), Some(1), "and gives up as ever: {}", other.process.said());
}

#[test]
fn volunteers_behind_a_site_end_too_and_those_who_wait_find_the_next_session() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let mut root = Member::root(&desktop.address(), "lecture");
    let address = root.address;
    let mut site = node(address, "site", &["--direct", "--end-with-session"]);
    let mut behind = node(site.address, "behind", &["--end-with-session", "--give-up", "600"]);
    let waiting = node(address, "waiting", &[]);
    root.process.signal("TERM");
    root.process.end(PATIENCE);
    for ends in [&mut site, &mut behind] {
        assert_eq!(ends.process.end(PATIENCE).code(), Some(0), "{}", ends.process.said());
    }
    assert!(says_the_end(&waiting));
    let said = waiting.places_said();
    let _next = Member::root_at(address, &desktop.address(), "lecture");
    waiting.must_be_placed(said + 1, PATIENCE);
    assert_eq!(waiting.process.out().count(|line| line == ENDED), 1, "{}", waiting.process.said());
}

#[test]
fn a_root_that_is_gone_without_a_word_ends_volunteers_when_they_give_up() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let mut root = Member::root(&desktop.address(), "lecture");
    let mut volunteer = node(root.address, "mirror1", &["--end-with-session", "--give-up", "2"]);
    let mut other = node(root.address, "other", &["--give-up", "2"]);
    root.process.kill();
    assert_eq!(volunteer.process.end(PATIENCE).code(), Some(0), "{}", volunteer.process.said());
    assert_eq!(other.process.end(PATIENCE).code(), Some(1), "{}", other.process.said());
}

#[test]
fn a_limit_in_bytes_is_refused_with_what_to_give_instead() {
    let mut wrong = Process::start(&mut treevnc(["join", "localhost", "--headless", "--max-upload", "2MB/s"]));
    assert_eq!(wrong.end(PATIENCE).code(), Some(2), "{}", wrong.said());
    assert_eq!(wrong.err().count(|line| line.contains("for 2 MB/s give 16M")), 1, "{}", wrong.said());
}
