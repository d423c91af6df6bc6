//! The laboratory: rooms of separate processes, each on a host of its own (network namespaces) with a line of a given width, recorded and real
//! content, and one report with tables and figures.
//!
//! `scripts/lab` measures everything, in about half an hour, and writes docs/laboratory; `scripts/lab depth` (contents, audience, trouble, checks) a part of it, and
//! `--nodes=N` one room, or audiences of at most so many, both into target/laboratory. Needs Linux, the superuser, and the packages that scripts/test names.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a measuring program"
)]

#[path = "../../tests/it"]
#[allow(dead_code, reason = "made for the session tests, and this program uses a part")]
mod it {
    pub(crate) mod support;
}

mod audience;
mod checks;
mod contents;
mod depth;
#[path = "../support/drain.rs"]
#[allow(dead_code, reason = "made for several programs")]
mod drain;
mod forward;
mod lan;
mod machine;
mod pages;
mod report;
mod trouble;
#[path = "../support/video.rs"]
mod video;
#[path = "../support/watch.rs"]
mod watch;

use it::support;
use report::Report;
use std::path::PathBuf;

const PARTS: [&str; 5] = ["depth", "contents", "audience", "trouble", "checks"];

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some(forward::FORWARD) => return forward::forward(&words[1..]).unwrap(),
        Some(audience::CROWD) => return audience::crowd(&words[1..]),
        Some(watch::WATCH) => return watch::watch(&words[1..]),
        _ => {}
    }
    let has = |word: &str| words.iter().any(|given| given == word);
    if !has("--bench") || !support::site::Site::is_possible(&["tc", "x11vnc", "Xvfb", "xterm", "feh"]) {
        return;
    }
    let wanted: Vec<_> = PARTS.into_iter().filter(|part| has(part) || !PARTS.iter().any(|part| has(part))).collect();
    let out = words.iter().find_map(|word| word.strip_prefix("--out=")).map_or_else(usual_place, PathBuf::from);
    let nodes = words.iter().find_map(|word| word.strip_prefix("--nodes=")).map(|nodes| nodes.parse().unwrap());
    let mut report = Report::new(out);
    report.text("# The laboratory");
    let asked = words.iter().filter(|word| *word != "--bench" && !word.starts_with("--out="));
    let command = asked.fold("scripts/lab".to_owned(), |command, word| command + " " + word);
    report.text(&format!("Made by `{command}`. {}", machine::description()));
    for part in wanted {
        match part {
            "depth" => depth::measure(&mut report, nodes),
            "contents" => contents::measure(&mut report),
            "audience" => audience::measure(&mut report, nodes),
            "trouble" => trouble::measure(&mut report),
            _ => checks::measure(&mut report),
        }
    }
    println!("written: {}", report.file("report.md").display());
}

fn usual_place() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../laboratory")
}
