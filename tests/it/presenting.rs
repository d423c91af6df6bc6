//! Share Screen: a node's screen is shown to everybody, the one before returns, and a person at the root decides who may.

use crate::session::photograph_page;
use crate::support::desktop::{Desktop, Server, terminal};
use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::session::{Member, Session};
use crate::support::tools::{Scratch, Turn, have};
use crate::support::wait::{PATIENCE, poll_until};
use std::net::SocketAddr;
use std::process::Command;

/// `treevnc share` of a VNC server's screen.
fn share(root: SocketAddr, vnc: &str, name: &str) -> Command {
    treevnc(["share", &root.to_string(), "--vnc", vnc, "--listen", "127.0.0.1:0", "--name", name])
}

/// A node that presents, once everybody sees its screen.
fn presenting(root: SocketAddr, vnc: &str, name: &str) -> Member {
    let node = Member::started(Process::start(&mut share(root, vnc, name)).killed_at_once(), name);
    must_be_live(&node, 1);
    node
}

/// Waits until a node has said `count` times that its screen is shown.
fn must_be_live(node: &Member, count: usize) {
    let live = node.process.out().wait_moment(count, PATIENCE, |line| line.starts_with("live"));
    assert!(live.is_some(), "{} is not live\n{}", node.name, node.process.said());
}

/// What `treevnc floor` answers, as JSON, and whether it did what it was told.
fn floor(root: SocketAddr, words: &[&str]) -> (serde_json::Value, bool) {
    let mut process = Process::start(treevnc(["floor", "--json", "--root", &root.to_string()]).args(words));
    let done = process.end(PATIENCE).success();
    (serde_json::from_str(&process.out().all().join("\n")).unwrap_or_default(), done)
}

fn presents(root: SocketAddr) -> Option<String> {
    floor(root, &[]).0["presents"].as_str().map(str::to_owned)
}

fn everybody_must_show(session: &Session, also: &[&Member], truth: &Picture, scratch: &Scratch) {
    session.must_show(truth, scratch);
    also.iter().for_each(|member| member.must_show(truth, scratch));
}

#[test]
fn a_share_from_depth_three_is_shown_to_all_fourteen_and_when_it_ends_the_one_before_returns() {
    if !have(Desktop::programs(Server::X11vnc)) || !have(Desktop::programs(Server::Xvnc)) || !have(&["xterm", "feh"]) {
        return;
    }
    let _turn = Turn::whole();
    let lecturer = Desktop::with_options(Server::X11vnc, (800, 600), &[]);
    let (_page, _text) = (photograph_page(&lecturer), terminal(&lecturer, "60x20+10+10", 100));
    let session = Session::new(&lecturer.address(), 13);
    let lecture = lecturer.quiet_picture();
    session.must_show(&lecture, &lecturer.scratch);

    let mut desk = Desktop::with_options(Server::Xvnc, (900, 500), &[]);
    let _notes = terminal(&desk, "80x30+100+20", 300);
    let ada = presenting(session.root.address, &desk.address(), "Ada");
    assert_eq!(ada.place(), (14, 3));
    let homework = desk.quiet_picture();
    everybody_must_show(&session, &[&ada], &homework, &lecturer.scratch);
    assert_eq!(presents(session.root.address).as_deref(), Some("Ada"));

    // Another one takes over; its VNC server dies: Ada's screen is back without anybody doing anything.
    let mut other = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let _more = terminal(&other, "60x20+5+5", 50);
    let mut bob = presenting(session.root.address, &other.address(), "Bob");
    everybody_must_show(&session, &[&ada, &bob], &other.quiet_picture(), &lecturer.scratch);
    assert!(ada.process.out().wait(PATIENCE, |line| line.starts_with("paused: Bob")).is_some(), "{}", ada.process.said());
    other.vnc_process().signal("KILL");
    must_be_live(&ada, 2);
    everybody_must_show(&session, &[&ada], &homework, &lecturer.scratch);
    assert!(bob.process.end(PATIENCE).success(), "{}", bob.process.said());

    // The node that presents is killed: the lecturer's screen is back.
    drop(ada);
    everybody_must_show(&session, &[], &lecture, &lecturer.scratch);
    assert_eq!(presents(session.root.address), None);
    desk.vnc_process().signal("KILL");
}

#[test]
fn a_person_at_the_root_lets_refuses_and_takes_back() {
    if !have(Desktop::programs(Server::Xvnc)) || !have(&["xterm"]) {
        return;
    }
    let _turn = Turn::half();
    let lecturer = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let desk = Desktop::with_options(Server::Xvnc, (800, 600), &[]);
    let (_text, _notes) = (terminal(&lecturer, "60x20+10+10", 30), terminal(&desk, "60x20+10+10", 60));
    let (lecture, homework) = (lecturer.quiet_picture(), desk.quiet_picture());
    let root = Member::root_with(&lecturer.address(), "lecture", &["--share", "ask"]);
    let start = |name| Process::start(&mut share(root.address, &desk.address(), name));
    let asked = |share: &Process| share.line("that it is asked for", PATIENCE, |line| line.starts_with("asked"));

    let mut refused = start("Ada");
    asked(&refused);
    let (report, _) = floor(root.address, &["show"]);
    assert_eq!((&report["policy"], &report["requests"][0]["name"]), (&"ask".into(), &"Ada".into()), "{report}");
    assert!(floor(root.address, &["refuse"]).1);
    assert_eq!(refused.end(PATIENCE).code(), Some(1));
    assert!(refused.err().count(|line| line.contains("refused: the lecturer said no")) == 1, "{}", refused.said());
    assert!(!floor(root.address, &["approve"]).1, "there is no request any more");

    let mut shown = start("Bob");
    asked(&shown);
    root.must_show(&lecture, &lecturer.scratch);
    let number = floor(root.address, &["show"]).0["requests"][0]["number"].to_string();
    assert!(floor(root.address, &["approve", &number]).1);
    root.must_show(&homework, &lecturer.scratch);
    assert_eq!(presents(root.address).as_deref(), Some("Bob"));
    assert!(floor(root.address, &["back"]).1);
    root.must_show(&lecture, &lecturer.scratch);
    assert!(shown.end(PATIENCE).success(), "{}", shown.said());
    assert!(shown.out().count(|line| line == "over: the lecturer presents again") == 1, "{}", shown.said());

    assert!(floor(root.address, &["locked"]).1);
    let mut late = start("Cy");
    assert_eq!(late.end(PATIENCE).code(), Some(1));
    assert!(late.err().count(|line| line.contains("lets nobody share")) == 1, "{}", late.said());
}

#[test]
fn a_wrong_password_is_the_presenters_business_alone() {
    if !have(Desktop::programs(Server::Xvnc)) || !have(&["vncpasswd"]) {
        return;
    }
    let _turn = Turn::half();
    let scratch = Scratch::new();
    let lecturer = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let stored = scratch.file("stored");
    let making = format!("printf 'secret\\n' | vncpasswd -f > {}", stored.display());
    assert!(Process::run("sh", &["-c", &making]).end(PATIENCE).success());
    let desk =
        Desktop::with_options(Server::Xvnc, (800, 600), &["-SecurityTypes", "VncAuth", "-rfbauth", stored.to_str().unwrap()]);
    let root = Member::root(&lecturer.address(), "lecture");
    let with = |password: &str| {
        let file = scratch.write(&format!("password-{password}"), password);
        let mut command = share(root.address, &desk.address(), "Ada");
        Process::start(command.args(["--password-file", file.to_str().unwrap()]))
    };
    let mut wrong = with("wrong");
    assert_eq!(wrong.end(PATIENCE).code(), Some(1));
    let complaint = |line: &str| line.contains("did not accept the password") && line.contains("--password-file");
    assert_eq!(wrong.err().count(complaint), 1, "{}", wrong.said());
    assert_eq!(root.process.err().count(|line| line.contains("share")), 0, "{}", root.process.said());
    let right = with("secret");
    right.line("that it is shown", PATIENCE, |line| line.starts_with("live"));
    poll_until("Ada presenting", PATIENCE, || (presents(root.address).as_deref() == Some("Ada")).then_some(()));
}
