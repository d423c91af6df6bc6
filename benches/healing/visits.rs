//! A thousand nodes that join and leave again, half of them in order and half by SIGKILL, while the screen is still.

use crate::class::Class;
use crate::support::kernel::{cpu_time, open_files, resident_bytes, threads};
use crate::support::session::Member;
use crate::support::wait::{PATIENCE, pace_until, poll_until};
use std::time::{Duration, Instant};

const STAYING: usize = 6;
const AT_ONCE: usize = 10;
const IDLE: Duration = Duration::from_secs(5);

pub(crate) fn measure() {
    let class = Class::new(STAYING);
    class.quiet();
    println!("\n{:<28}{:>12}{:>12}{:>12}{:>24}", "the root after", "MiB", "sockets etc.", "threads", "CPU in 5 s at rest");
    let root = class.root.process.id();
    let files = open_files(root);
    let mut done = 0;
    for visits in [0, 100, 500, 1000] {
        while done < visits {
            visit(&class, done);
            done += AT_ONCE;
        }
        class.must_be_whole();
        poll_until("the end of all sockets", PATIENCE, || (open_files(root) <= files).then_some(()));
        let before = cpu_time(root);
        pace_until(Instant::now() + IDLE);
        let cpu = cpu_time(root) - before;
        let mebibytes = resident_bytes(root) as f64 / f64::from(1 << 20);
        println!(
            "{:<28}{mebibytes:>12.1}{:>12}{:>12}{cpu:>24.2?}",
            format!("{visits} joins and leaves"),
            open_files(root),
            threads(root)
        );
    }
}

fn visit(class: &Class, done: usize) {
    let names = (0..AT_ONCE).map(|at| format!("visitor{}", done + at));
    let mut visitors: Vec<_> = names.map(|name| Member::joining(class.root.address, &name, &[])).collect();
    for visitor in &visitors {
        visitor.place();
    }
    for (at, visitor) in visitors.iter_mut().enumerate() {
        visitor.process.signal(if at % 2 == 0 { "TERM" } else { "KILL" });
    }
    for visitor in &mut visitors {
        visitor.process.end(PATIENCE);
    }
}
