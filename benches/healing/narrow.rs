//! An inner node's line becomes narrow, in one direction or the other, while a video runs; each node is on a host of its own.

use crate::support::namespaces::Hosts;
use crate::support::painter::{Painter, Video, dithered};
use crate::support::site::Site;
use crate::support::wait::{PATIENCE, pace_until, poll_for, poll_until};
use crate::watch::Watch;
use std::time::{Duration, Instant};

const SIZE: (u16, u16) = (640, 480);
const NODES: usize = 7;
/// Two bits per pixel: 20 Mbit/s.
const FRAMES_PER_SECOND: u32 = 33;
const RATE: &str = "1mbit";
/// The host whose line becomes narrow: the root's left child, with two children of its own.
const NARROW: usize = 1;
const RUNS: usize = 3;
const SETTLE: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(5);

pub(crate) fn measure() {
    if !Site::is_possible(&["tc"]) {
        return;
    }
    println!(
        "\n{:<44}{:>10}{:>36}{:>36}{:>36}",
        format!("{RATE} at one of {NODES} nodes, 20 Mbit/s of video"),
        "a leaf",
        "others, p50 (p95), least frames/s",
        "until it is a leaf",
        "afterwards"
    );
    for _ in 0..RUNS {
        direction("from the network to it", Hosts::narrow);
        direction("from it to the network", Hosts::narrow_out);
    }
}

fn direction(what: &str, narrow: fn(&Hosts, usize, &str)) {
    let mut site = Site::new(SIZE, NODES);
    (0..NODES).for_each(|_| site.join());
    let video = Video::play(Painter::new(&site.display, (0, 0), SIZE), &dithered(SIZE.0, SIZE.1, 6), FRAMES_PER_SECOND);
    let others = (1..=NODES).filter(|host| *host != NARROW);
    let watches: Vec<_> = others.map(|host| Watch::begin(&site.hosts, host, site.node(host).address, SIZE)).collect();
    pace_until(Instant::now() + SETTLE);
    let delays = |from: Instant, to: Instant| {
        let each: Vec<_> = watches.iter().map(|watch| watch.delays(&video, from, to)).collect();
        let least = each.iter().map(Vec::len).min().unwrap() as f64 / (to - from).as_secs_f64();
        let mut all: Vec<_> = each.concat();
        all.sort();
        let share = |share: f64| all.get((all.len() as f64 * share) as usize).map_or(f64::NAN, Duration::as_secs_f64) * 1e3;
        format!("{:.1} ms ({:.1} ms), {least:.1}", share(0.5), share(0.95))
    };
    let begin = Instant::now();
    pace_until(begin + MEASURED);
    let narrowed = Instant::now();
    narrow(&site.hosts, NARROW, RATE);
    let found = poll_for(PATIENCE, || {
        let tree = site.tree()?;
        tree.node("n1").filter(|node| node.attached).is_some_and(|node| tree.below(node.slot).is_empty()).then_some(())
    });
    let leaf = Instant::now();
    pace_until(leaf + SETTLE + MEASURED);
    let end = Instant::now();
    println!(
        "{what:<44}{:>10}{:>36}{:>36}{:>36}",
        if found.is_some() { format!("{:.1} s", (leaf - narrowed).as_secs_f64()) } else { "never".to_owned() },
        delays(begin, narrowed),
        delays(narrowed, leaf),
        delays(leaf + SETTLE, end)
    );
    drop(watches);
    let _last_frame = video.stop();
    let mut truth = site.snapshot(0);
    for host in 1..=NODES {
        poll_until(&format!("the right picture at host {host}"), PATIENCE, || {
            truth = site.snapshot(0);
            site.snapshot(host).difference(&truth).is_none().then_some(())
        });
    }
}
