//! What a lecturer sees of those who do not keep up: `treevnc status`, once and again and again.

use crate::support::desktop::{Desktop, Server};
use crate::support::painter::{Painter, Video, dithered};
use crate::support::process::{Process, treevnc};
use crate::support::session::Session;
use crate::support::site::Site;
use crate::support::tools::{Turn, have};
use crate::support::wait::{PATIENCE, poll_until};
use serde_json::Value;
use std::process::Command;

const SIZE: (u16, u16) = (640, 480);
/// A frame is 77 KB that nobody can compress, so a node without trouble gets 6 Mbit/s.
const FRAMES_PER_SECOND: u32 = 10;

#[test]
fn a_node_behind_a_narrow_line_is_told_with_its_rate_what_it_skips_and_the_others_are_well() {
    if !Site::is_possible(&[]) {
        return;
    }
    let _turn = Turn::whole();
    let mut site = Site::new(SIZE, 2);
    site.hosts.narrow(1, "2mbit");
    (1..=2).for_each(|_| site.join());
    let _video = Video::play(Painter::new(&site.display, (0, 0), SIZE), &dithered(SIZE.0, SIZE.1, 6), FRAMES_PER_SECOND);
    let status = || -> Value {
        let mut asking = site.hosts.start(0, &treevnc(["status", "127.0.0.1", "--json"]));
        assert!(asking.end(PATIENCE).success(), "{}", asking.said());
        serde_json::from_str(&asking.out().all().join("\n")).unwrap()
    };
    let figure = |node: &Value, name: &str| node[name].as_u64().unwrap_or(0);
    let (narrow, others) = poll_until("everybody's figures", PATIENCE * 3, || {
        let nodes = status()["nodes"].as_array().unwrap().clone();
        let (narrow, others): (Vec<_>, Vec<_>) = nodes.into_iter().skip(1).partition(|node| node["name"] == "n1");
        let others_are_well = others.iter().all(|node| figure(node, "bits_per_second") > 4_000_000 && node["slow"] == false);
        let narrow = narrow.into_iter().next()?;
        (others_are_well && figure(&narrow, "skips_percent") >= 20 && narrow["age_ms"].is_u64()).then_some((narrow, others))
    });
    assert_eq!(narrow["slow"], true, "{narrow}");
    assert!(figure(&narrow, "skipped") > 0 && (100_000..2_300_000).contains(&figure(&narrow, "bits_per_second")), "{narrow}");
    let notes = narrow["notes"].to_string();
    assert!(notes.contains("% of what changes") || notes.contains("slow"), "{notes}");
    for node in others {
        assert!(figure(&node, "skips_percent") < 5, "{node}");
    }
    // Said to people, too, in words and with a mark.
    let text = site.status();
    assert!(text.lines().any(|line| line == "! 1 node does not keep up: n1"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("! ") && line.contains(" n1 [")), "{text}");
}

#[test]
fn watching_draws_the_tree_in_place_ends_by_a_key_and_leaves_the_terminal_as_it_was() {
    if !have(&["script"]) || !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let mut session = Session::new(&desktop.address(), 2);
    let program = treevnc(["status", &session.root.address.to_string(), "--watch"]);
    let words: Vec<_> = program.get_args().map(|word| word.to_str().unwrap()).collect();
    let (line, typescript) = (
        format!("stty rows 24 cols 80; {} {}", program.get_program().to_str().unwrap(), words.join(" ")),
        desktop.scratch.file("typescript"),
    );
    let mut watching = Process::start(Command::new("script").args(["-qefc", &line, typescript.to_str().unwrap()]));
    let seen = |text: &str| std::fs::read(&typescript).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text));
    let must_see = |text: &str| poll_until(text, PATIENCE, || seen(text).then_some(()));
    ["\u{1b}[?1049h", "n1 [1]", "n2 [2]", "q ends"].into_iter().for_each(must_see);
    session.root.process.kill();
    must_see("NO ANSWER");
    assert!(watching.is_running() && !seen("\u{1b}[?1049l"), "it goes on trying");
    watching.say("q");
    assert!(watching.end(PATIENCE).success(), "{}", watching.said());
    ["\u{1b}[?25h", "\u{1b}[?1049l"].into_iter().for_each(must_see);
}

#[test]
fn watching_without_a_terminal_says_what_to_do() {
    let mut watching = Process::start(&mut treevnc(["status", "127.0.0.1:1", "--watch"]));
    assert_eq!(watching.end(PATIENCE).code(), Some(1));
    assert_eq!(watching.err().count(|line| line.contains("--watch needs a terminal")), 1, "{}", watching.said());
}
