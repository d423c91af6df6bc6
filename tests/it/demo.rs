//! The one command a newcomer runs.

use crate::support::process::{Process, treevnc};
use crate::support::tools::Turn;
use std::time::Duration;

#[test]
fn the_demo_runs_for_its_time_and_ends_with_the_tree_and_delays_by_depth() {
    let _turn = Turn::half();
    let mut demo = Process::start(&mut treevnc(["demo", "--nodes", "6", "--seconds", "3", "--listen", "127.0.0.1:0"]));
    let status = demo.end(Duration::from_secs(60));
    assert!(status.success(), "{status}\n{}", demo.said());
    let lines = demo.out().all();
    assert!(lines.iter().any(|line| line.contains("127.0.0.1:")), "which address to open with a VNC viewer\n{}", demo.said());
    let tail = &lines[lines.iter().position(|line| line.contains("depth")).expect("a table by depth")..];
    for depth in ["1", "2"] {
        let row = tail.iter().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|row| row.first() == Some(&depth));
        let numbers = row.unwrap_or_else(|| panic!("no row for depth {depth}\n{}", demo.said()));
        let delay = numbers.iter().skip(1).any(|word| word.parse::<f64>().is_ok_and(|delay| delay > 0.0));
        assert!(delay, "{numbers:?} names no delay");
    }
}
