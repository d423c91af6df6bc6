//! `treevnc delay`: every node answers every check, and what is written down agrees with the tree.

use crate::support::desktop::{Desktop, Server, free_port};
use crate::support::painter::Painter;
use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::session::{Member, Session};
use crate::support::tools::{Scratch, Turn, have};
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
    let plot = desktop.scratch.file("delays.svg");
    let files = ["--csv", csv.to_str().unwrap(), "--plot", plot.to_str().unwrap()];
    let words = [&["delay", &root, "--count", "7", "--size", "500,30000", "--interval", "0.1"][..], &files].concat();
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
    // The checks had pictures with them, and everybody had the time to get all of them.
    let fares = nodes.iter().skip(1).map(|node| {
        (node["bits_per_second"].as_u64().is_some_and(|rate| rate > 0), node["skipped"].as_u64(), node["slow"].as_bool())
    });
    assert!(fares.clone().all(|fare| fare == (true, Some(0), Some(false))), "{status}");
    assert!(status["checks"]["sent"].as_u64() >= Some(7) && status["checks"]["answers"].as_u64() >= Some(98), "{status}");
    // Nothing changes any more, so the figures grow old and say so.
    let old = poll_until("figures that are old", PATIENCE, || {
        let status = asked();
        let nodes = status["nodes"].as_array().unwrap();
        nodes.iter().skip(1).all(|node| node["age_ms"].as_u64() >= Some(5000)).then_some(status)
    });
    assert!(old["nodes"][1]["delay_us"].is_u64(), "{old}");
    let mut asking = Process::start(&mut treevnc(["status", &root]));
    assert!(asking.end(PATIENCE).success(), "{}", asking.said());
    assert_eq!(asking.out().count(|line| line.starts_with("the screen has been at rest for ")), 1, "{}", asking.said());

    let expected = session.nodes.iter().map(|node| ((node.name.clone(), node.place().1.to_string()), 7));
    assert_eq!(answers, expected.collect());

    let svg = std::fs::read_to_string(&plot).unwrap();
    let session_name = status["session"].as_str().unwrap();
    let title = format!("{session_name}: 14 nodes, 7 checks, 98 answers, 0 missing");
    for said in [&title, "depth 1 (2 nodes)", "depth 2 (4 nodes)", "depth 3 (8 nodes)", "depth 1", "depth 2", "depth 3"] {
        assert!(svg.lines().any(|line| line == said), "{said}\n{svg}");
    }
    // Three charts beside each other, 310 pixels wide each, drawn at four times their size.
    let mut scatters = [0; 3];
    for dot in svg.lines().filter(|line| line.starts_with("<circle") && line.contains(" r=\"8\"")) {
        let across: usize = dot.split('"').nth(1).unwrap().parse().unwrap();
        scatters[across / 1240] += 1;
    }
    let most = [2, 4, 8].map(|nodes| 7 * nodes);
    assert!(scatters.iter().zip(most).all(|(dots, most)| (2..=most).contains(dots)), "{scatters:?}");
}

#[test]
fn a_figure_is_drawn_of_a_measurement_and_of_its_file_later_and_the_output_stays_clean() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let session = Session::new(&desktop.address(), 3);
    session.must_show(&desktop.picture(), &desktop.scratch);
    let root = session.root.address.to_string();
    let file = |name| desktop.scratch.file(name);
    let (csv, now, later) = (file("a.csv"), file("now.png"), file("later.png"));
    let said = |words: &[&str]| {
        let mut process = Process::start(&mut treevnc(words));
        assert!(process.end(PATIENCE).success(), "{}", process.said());
        let out = process.out().all().join("\n");
        serde_json::from_str::<serde_json::Value>(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    };
    let [csv, now, later] = [&csv, &now, &later].map(|path| path.to_str().unwrap());
    let measured = said(&["delay", &root, "--count", "4", "--interval", "0.1", "--json", "--csv", csv, "--plot", now]);
    let read = said(&["delay", "--from", csv, "--json", "--plot", later]);
    assert_eq!((&measured["missing"], &read["missing"]), (&0.into(), &serde_json::Value::Null));
    for same in ["checks", "depths", "answers"] {
        assert_eq!(measured[same], read[same], "{same}");
    }
    let picture = |path: &str| Picture::from_png(std::path::Path::new(path));
    let (now, later) = (picture(now), picture(later));
    // Two depths and three charts: two rows of three, 310x260 each, below a title, at two pixels for each.
    assert_eq!((now.width, now.height, later.width, later.height), (1860, 1108, 1860, 1108));
    let charts = |picture: &Picture| picture.part((0, 68, 1860, 1040));
    let dark = |picture: &Picture| {
        let pixels = (0..picture.height).flat_map(|y| (0..picture.width).map(move |x| (x, y)));
        pixels.filter(|(x, y)| picture.pixel(*x, *y).to_be_bytes().iter().all(|part| *part < 128)).count()
    };
    assert!(dark(&charts(&now)) > 5000, "words and axes: {}", dark(&charts(&now)));
    assert_eq!(charts(&now).difference(&charts(&later)), None);
    assert!(now.difference(&later).is_some(), "of a file nobody knows the session's name");
}

#[test]
fn a_figure_that_cannot_be_made_is_known_before_anything_is_measured() {
    let scratch = Scratch::new();
    let nobody = format!("127.0.0.1:{}", free_port());
    let refused = |file: &str, code: i32, words: &[&str]| {
        let mut process = Process::start(&mut treevnc(["delay", &nobody, "--plot", file]));
        assert_eq!(process.end(PATIENCE).code(), Some(code), "{}", process.said());
        let line = process.err().all().remove(0);
        assert!(words.iter().all(|word| line.contains(word)), "'{line}' says {words:?}");
    };
    let pdf = scratch.file("delays.pdf");
    refused(pdf.to_str().unwrap(), 2, &["delays.pdf", ".svg", ".png"]);
    assert!(!pdf.exists());
    refused(scratch.file("no/folder.svg").to_str().unwrap(), 1, &["cannot write", "folder.svg"]);
    // An earlier figure is still there when nothing could be measured.
    let earlier = scratch.file("earlier.svg");
    std::fs::write(&earlier, "<svg/>").unwrap();
    refused(earlier.to_str().unwrap(), 1, &[&nobody]);
    assert_eq!(std::fs::read_to_string(&earlier).unwrap(), "<svg/>");
}

#[test]
fn a_measurement_that_is_stopped_shows_what_it_has() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let session = Session::new(&desktop.address(), 2);
    session.must_show(&desktop.picture(), &desktop.scratch);
    let (root, file) = (session.root.address.to_string(), desktop.scratch.file("stopped.csv"));
    let mut measuring = treevnc(["delay", &root, "--count", "90000", "--interval", "0.05", "--csv"]);
    let mut measuring = Process::start(measuring.arg(&file));
    poll_until("the first answers", PATIENCE, || {
        (std::fs::read_to_string(&file).is_ok_and(|text| text.lines().count() > 4)).then_some(())
    });
    measuring.signal("INT");
    assert!(measuring.end(PATIENCE).success(), "{}", measuring.said());
    assert_eq!(measuring.out().count(|line| line.trim_start().starts_with("1      2 ")), 1, "{}", measuring.said());
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
    let near_in_status = || {
        let mut asking = Process::start(&mut treevnc(["status", &address, "--json"]));
        assert!(asking.end(PATIENCE).success(), "{}", asking.said());
        let status: serde_json::Value = serde_json::from_str(&asking.out().all().join("\n")).unwrap();
        status["nodes"].as_array().unwrap().iter().find(|node| node["name"] == "near").unwrap().clone()
    };
    poll_until("all of those behind the site to be known", PATIENCE, || (near_in_status()["behind"]["nodes"] == 5).then_some(()));
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
        ["\"behind near\"", "\"here\"", "\"near\""],
        "of sites' nodes the root knows no names, but whom they are behind"
    );
    assert_eq!(json["missing"], 0, "seven were expected, those behind sites too");
    let behind = &near_in_status()["behind_fare"];
    assert_eq!(behind["answering"], 5, "{behind}");
    assert!(behind["worst_delay_us"].as_u64().is_some_and(|micros| micros > 0 && micros < 10_000_000), "{behind}");
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
