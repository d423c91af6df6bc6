//! How fast the tree heals: 62 nodes as processes below one root, full to depth 5, on a small screen of which a tile changes twenty times a
//! second. Crashes and stops of inner nodes, the root killed and started again, a thousand joins and leaves, and a node behind a line that
//! becomes narrow. Pictures and trees are checked after each.
//!
//! A node's place is the line that it prints; its picture is what an ordinary viewer on that node shows. All of them share the machine's
//! cores with this program: 62 nodes, 62 viewers in threads here, the root and Xvnc.
//!
//! `cargo bench --bench healing` measures all of it; `cargo bench --bench healing -- crashes` (stops, roots, visits, narrow) a part.
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

mod class;
mod crashes;
mod figures;
mod narrow;
mod roots;
mod sight;
mod stops;
mod visits;
#[path = "../support/watch.rs"]
mod watch;

use it::support;

/// The parts of the measurement.
const PARTS: [(&str, fn()); 5] = [
    ("crashes", crashes::measure),
    ("stops", stops::measure),
    ("roots", roots::measure),
    ("visits", visits::measure),
    ("narrow", narrow::measure),
];

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == watch::WATCH) {
        return watch::watch(&words[1..]);
    }
    if !words.iter().any(|word| word == "--bench") || !support::tools::have(&["Xvnc", "setpriv", "ss"]) {
        return;
    }
    let wanted = |name: &str| words.len() == 1 || words.iter().any(|word| word == name);
    PARTS.iter().filter(|(name, _)| wanted(name)).for_each(|(_, measure)| measure());
}
