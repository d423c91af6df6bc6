//! `treevnc delay`: every node answers every check, and what is written down agrees with the tree.

use crate::support::desktop::{Desktop, Server};
use crate::support::painter::Painter;
use crate::support::process::{Process, treevnc};
use crate::support::session::{Member, Session};
use crate::support::tools::{Turn, have};
use crate::support::wait::{PATIENCE, poll_until};
use std::collections::BTreeMap;
use x11rb::protocol::xproto::Rectangle;

const NODES: usize = 14;

#[test]
fn every_node_answers_every_check_and_the_file_says_at_which_depth() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let session = Session::new(&desktop.address(), NODES);
    session.must_show(&desktop.picture(), &desktop.scratch);
    let (root, csv) = (session.root.address.to_string(), desktop.scratch.file("delays.csv"));
    let words = ["delay", &root, "--count", "7", "--size", "500,30000", "--interval", "0.1", "--csv", csv.to_str().unwrap()];
    let mut measuring = Process::start(&mut treevnc(words));
    assert!(measuring.end(PATIENCE).success(), "{}", measuring.said());
    let first = measuring.out().all().remove(0);
    assert!(first.starts_with("7 checks, ") && first.ends_with("; 98 answers, 0 missing"), "{}", measuring.said());

    let file = std::fs::read_to_string(&csv).unwrap();
    let mut lines = file.lines();
    let columns: Vec<_> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let mut answers: BTreeMap<(String, String), u32> = BTreeMap::new();
    for line in lines {
        let fields: Vec<_> = line.split(',').collect();
        let number = |name: &str| fields[column(name)].parse::<u64>().unwrap();
        assert!(number("one_way_us") <= number("delay_us") && number("delay_us") < 10_000_000, "{line}");
        assert!(number("node_bytes") >= number("frame_bytes"), "{line}");
        assert_eq!(fields[column("shown_us")], "", "nobody has a window");
        let of = (fields[column("name")].to_owned(), fields[column("depth")].to_owned());
        *answers.entry(of).or_default() += 1;
    }
    let asked = || {
        let mut asking = Process::start(&mut treevnc(["status", &root, "--json"]));
        assert!(asking.end(PATIENCE).success(), "{}", asking.said());
        serde_json::from_str::<serde_json::Value>(&asking.out().all().join("\n")).unwrap()
    };
    let status = asked();
    let depths: Vec<_> = status["delays"].as_array().unwrap().iter().map(|at| at["depth"].as_u64().unwrap()).collect();
    assert_eq!(depths, [1, 2, 3], "{status}");
    let nodes = status["nodes"].as_array().unwrap();
    assert!(nodes.iter().skip(1).all(|node| node["delay_us"].as_u64().is_some_and(|micros| micros < 10_000_000)), "{status}");

    let expected = session.nodes.iter().map(|node| ((node.name.clone(), node.place().1.to_string()), 7));
    assert_eq!(answers, expected.collect());
}

#[test]
fn those_behind_sites_answer_too_and_their_depth_counts_from_the_root() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let root = Member::root(&desktop.address(), "physics");
    let here = Member::join(root.address, "here");
    let site = |above: &Member, name| {
        let site = Member::joining(above.address, name, &["--direct"]);
        site.place();
        site
    };
    let near = site(&root, "near");
    let far = site(&near, "far");
    let below = [("n1", &near), ("n2", &near), ("n3", &near), ("f1", &far)].map(|(name, of)| Member::join(of.address, name));
    let everybody: Vec<_> = [&here, &near, &far].into_iter().chain(&below).collect();
    everybody.iter().for_each(|member| member.must_show(&desktop.picture(), &desktop.scratch));
    let address = root.address.to_string();
    let mut measuring = Process::start(&mut treevnc(["delay", &address, "--count", "3", "--interval", "0.1", "--json"]));
    assert!(measuring.end(PATIENCE).success(), "{}", measuring.said());
    let json: serde_json::Value = serde_json::from_str(&measuring.out().all().join("\n")).unwrap();
    let nodes: Vec<_> = json["depths"].as_array().unwrap().iter().map(|at| (at["depth"].clone(), at["nodes"].clone())).collect();
    // The third of the first site's nodes stands below another; the second site is a child of the first.
    assert_eq!(nodes, [(1, 2), (2, 3), (3, 2)].map(|(depth, nodes)| (depth.into(), nodes.into())), "{json}");
    let named: std::collections::BTreeSet<_> =
        json["answers"].as_array().unwrap().iter().map(|answer| answer["name"].to_string()).collect();
    assert_eq!(
        named.into_iter().collect::<Vec<_>>(),
        ["\"\"", "\"here\"", "\"near\""],
        "of sites' nodes the root knows no names"
    );
}

#[test]
fn checks_ride_on_what_changes_and_nobody_but_the_roots_machine_has_any_sent() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let session = Session::new(&desktop.address(), 2);
    let painter = Painter::new(&desktop.display, (0, 0), (100, 100));
    let root = session.root.address.to_string();
    let mut riding = Process::start(&mut treevnc(["delay", &root, "--ride", "--count", "3", "--interval", "0.05", "--json"]));
    let mut colour = 0;
    poll_until("three checks that ride", PATIENCE, || {
        colour += 0x0001_0203;
        painter.fill(&[Rectangle { x: 0, y: 0, width: 100, height: 100 }], colour);
        (!riding.is_running()).then_some(())
    });
    assert!(riding.end(PATIENCE).success(), "{}", riding.said());
    let json: serde_json::Value = serde_json::from_str(&riding.out().all().join("\n")).unwrap();
    assert_eq!((&json["checks"], &json["missing"]), (&3.into(), &0.into()), "{json}");
    assert_eq!(json["depths"][0]["nodes"], 2);
    // A node is no root, and says so.
    let node = session.nodes[0].address.to_string();
    let mut asking = Process::start(&mut treevnc(["delay", &node]));
    assert!(!asking.end(PATIENCE).success());
    assert_eq!(asking.err().count(|line| line.contains("not for a node")), 1, "{}", asking.said());
}
