//! Sites on one machine: the picture and shares go through them, sessions and leaders come and go, and no circle closes.

use crate::support::desktop::{Desktop, Server, free_port, terminal};
use crate::support::process::{Process, treevnc};
use crate::support::session::Member;
use crate::support::tools::{Turn, have};
use crate::support::wait::{PATIENCE, poll_until};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};

fn can_run() -> bool {
    have(Desktop::programs(Server::Xvnc)) && have(&["xterm"])
}

/// A site of the root or site that listens there, which is connected.
fn site(root: SocketAddr, name: &str) -> Member {
    let site = Member::joining(root, name, &["--direct"]);
    site.place();
    site
}

/// The same on a port of its own choice, maybe not connected.
fn site_at(root: SocketAddr, name: &str, port: u16) -> Member {
    let (root, listen) = (root.to_string(), format!("127.0.0.1:{port}"));
    let words = ["join", &root, "--direct", "--headless", "--listen", &listen, "--name", name];
    Member::started(Process::start(&mut treevnc(words)).killed_at_once(), name)
}

fn status(of: SocketAddr) -> Option<Value> {
    let mut asking = Process::start(&mut treevnc(["status", &of.to_string(), "--json"]));
    asking.end(PATIENCE).success().then(|| serde_json::from_str(&asking.out().all().join("\n")).unwrap())
}

/// What a root says of the node of this name.
fn node(of: SocketAddr, name: &str) -> Option<Value> {
    status(of)?["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name).cloned()
}

fn must_say(member: &Member, what: &str) {
    let said = member.process.err().wait(PATIENCE, |line| line.contains(what));
    assert!(said.is_some(), "{} does not say \"{what}\"\n{}", member.name, member.process.said());
}

#[test]
fn the_picture_goes_two_sites_deep_and_somebody_there_presents_to_everybody() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let lecturer = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let _text = terminal(&lecturer, "60x20+10+10", 100);
    let root = Member::root(&lecturer.address(), "physics");
    let here = Member::join(root.address, "here");
    let near = site(root.address, "near");
    let near_nodes = [1, 2].map(|number| Member::join(near.address, &format!("near{number}")));
    let far = site(near.address, "far");
    let far_nodes = [1, 2].map(|number| Member::join(far.address, &format!("far{number}")));
    let everybody: Vec<_> = [&root, &here, &near, &far].into_iter().chain(&near_nodes).chain(&far_nodes).collect();
    let lecture = lecturer.quiet_picture();
    everybody.iter().for_each(|member| member.must_show(&lecture, &lecturer.scratch));

    // What is behind a site is told up to the root, and each says where it stands.
    poll_until("what is behind the sites", PATIENCE, || {
        let told = node(root.address, "near")?;
        (told["behind"] == json!({ "nodes": 5, "depth": 2 })).then_some(())
    });
    assert!(node(root.address, "near1").is_none(), "the root does not place those behind a site");
    assert_eq!(status(near.address).unwrap()["site_of"], json!({ "host": root.address.to_string(), "depth": 1 }));
    assert_eq!(status(far.address).unwrap()["site_of"], json!({ "host": near.address.to_string(), "depth": 2 }));
    assert_eq!(status(root.address).unwrap()["site_of"], Value::Null);

    // Ada sits below the second site.
    let desk = Desktop::with_options(Server::Xvnc, (800, 600), &[]);
    let _notes = terminal(&desk, "80x30+100+20", 300);
    let words = ["share", &far.address.to_string(), "--vnc", &desk.address(), "--listen", "127.0.0.1:0", "--name", "Ada"];
    let mut ada = Process::start(&mut treevnc(words));
    ada.line("that it is shown", PATIENCE, |line| line.starts_with("live"));
    let homework = desk.quiet_picture();
    everybody.iter().for_each(|member| member.must_show(&homework, &lecturer.scratch));
    assert_eq!(status(root.address).unwrap()["presenter"], "presenting: Ada");
    poll_until("her name two sites deep", PATIENCE, || (status(far.address)?["presenter"] == "presenting: Ada").then_some(()));
    // Nobody decides at a site.
    let mut meddling = Process::start(&mut treevnc(["floor", "back", "--root", &near.address.to_string()]));
    assert!(!meddling.end(PATIENCE).success());
    assert_eq!(meddling.err().count(|line| line.contains("decided at the session's root")), 1, "{}", meddling.said());
    let mut back = Process::start(&mut treevnc(["floor", "back", "--root", &root.address.to_string()]));
    assert!(back.end(PATIENCE).success());
    assert!(ada.end(PATIENCE).success(), "{}", ada.said());
    everybody.iter().for_each(|member| member.must_show(&lecture, &lecturer.scratch));
    // They are on one machine, where no site would be needed.
    let complaints = |site: &Member| site.complaints("") - site.complaints("is in this network already");
    assert_eq!(complaints(&near) + complaints(&far), 0, "{}\n{}", near.process.said(), far.process.said());
    must_say(&near, "is in this network already, its root at ");
}

#[test]
fn who_joins_directly_may_present_as_well() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let lecturer = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let root = Member::root(&lecturer.address(), "physics");
    let desk = Desktop::with_options(Server::Xvnc, (800, 600), &[]);
    let _notes = terminal(&desk, "80x30+100+20", 300);
    let (address, vnc) = (root.address.to_string(), desk.address());
    let words = ["share", &address, "--direct", "--vnc", &vnc, "--listen", "127.0.0.1:0", "--name", "Ada"];
    let ada = Member::started(Process::start(&mut treevnc(words)), "Ada");
    ada.process.line("that it is shown", PATIENCE, |line| line.starts_with("live"));
    let below = Member::join(ada.address, "below");
    let homework = desk.quiet_picture();
    [&root, &ada, &below].iter().for_each(|member| member.must_show(&homework, &lecturer.scratch));
}

#[test]
fn a_student_who_vanishes_behind_a_site_is_no_longer_shown() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let lecturer = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let _text = terminal(&lecturer, "60x20+10+10", 100);
    let root = Member::root(&lecturer.address(), "physics");
    let near = site(root.address, "near");
    let watcher = Member::join(near.address, "watcher");
    let desk = Desktop::with_options(Server::Xvnc, (800, 600), &[]);
    let _notes = terminal(&desk, "80x30+100+20", 300);
    let words = ["share", &near.address.to_string(), "--vnc", &desk.address(), "--listen", "127.0.0.1:0", "--name", "Ada"];
    let mut ada = Process::start(&mut treevnc(words));
    ada.line("that it is shown", PATIENCE, |line| line.starts_with("live"));
    watcher.must_show(&desk.quiet_picture(), &lecturer.scratch);
    ada.kill();
    watcher.must_show(&lecturer.quiet_picture(), &lecturer.scratch);
}

#[test]
fn a_root_or_a_leader_that_comes_back_finds_everybody_again() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let lecturer = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let _text = terminal(&lecturer, "60x20+10+10", 100);
    let mut root = Member::root(&lecturer.address(), "physics");
    let mut near = site_at(root.address, "near", free_port());
    near.place();
    let nodes = [1, 2, 3].map(|number| Member::join(near.address, &format!("n{number}")));
    let far = site(near.address, "far");
    let below = Member::join(far.address, "below");
    let must_show = |near: &Member| {
        let truth = lecturer.quiet_picture();
        [near, &far, &below].into_iter().chain(&nodes).for_each(|member| member.must_show(&truth, &lecturer.scratch));
    };
    must_show(&near);

    // The leader crashes and is started again: its nodes and the site below it come back to it.
    near.process.kill();
    let said = nodes.each_ref().map(Member::places_said);
    near = site_at(root.address, "near", near.address.port());
    for (node, said) in nodes.iter().zip(said) {
        node.must_be_placed(said + 1, PATIENCE);
    }
    let _more = terminal(&lecturer, "30x10+300+200", 20);
    must_show(&near);

    // The root crashes and is started again: another session, for all.
    root.process.kill();
    let interrupted = format!("the connection to {} is interrupted", root.address);
    poll_until("the interruption in words", PATIENCE, || (status(near.address)?["presenter"] == interrupted).then_some(()));
    poll_until("the same below", PATIENCE, || (status(far.address)?["presenter"] == interrupted).then_some(()));
    let said = nodes.each_ref().map(Member::places_said);
    root = Member::root_at(root.address, &lecturer.address(), "physics again");
    for (node, said) in nodes.iter().zip(said) {
        node.must_be_placed(said + 1, PATIENCE);
    }
    let _even_more = terminal(&lecturer, "30x10+10+300", 20);
    must_show(&near);
    assert_eq!(status(far.address).unwrap()["session"], "physics again");
    assert_eq!(root.process.err().count(|line| line.contains("ERROR")), 0);
}

#[test]
fn a_site_that_is_started_first_waits_for_its_root_and_lets_nobody_in_before() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let lecturer = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let _text = terminal(&lecturer, "60x20+10+10", 100);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let near = site_at(address, "near", free_port());
    must_say(&near, "it is asked again and again");
    let early = Member::joining(near.address, "early", &[]);
    must_say(&early, &format!("this site is not yet connected to {address}"));
    let _root = Member::root_at(address, &lecturer.address(), "physics");
    [&near, &early].iter().for_each(|member| member.must_show(&lecturer.quiet_picture(), &lecturer.scratch));
}

#[test]
fn a_circle_of_sites_is_refused_in_words_and_everybody_keeps_the_last_picture() {
    if !can_run() {
        return;
    }
    let _turn = Turn::half();
    let lecturer = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
    let _text = terminal(&lecturer, "60x20+10+10", 100);
    let mut root = Member::root(&lecturer.address(), "physics");
    let near = site(root.address, "near");
    let far = site(near.address, "far");
    let node = Member::join(far.address, "node");
    let truth = lecturer.quiet_picture();
    node.must_show(&truth, &lecturer.scratch);
    // A site that is below them all takes the place of the root that has gone.
    root.process.kill();
    let usurper = site_at(far.address, "usurper", root.address.port());
    usurper.place();
    must_say(&near, "this would be a circle");
    for member in [&near, &far, &node, &usurper] {
        member.must_show(&truth, &lecturer.scratch);
    }
    assert_eq!(status(usurper.address).unwrap()["site_of"]["depth"], 3);
    assert_eq!(node.places_said(), 1, "{}", node.process.said());
}
