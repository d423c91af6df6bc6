//! An inner node's line becomes narrow, in one direction or the other, while a video runs; each node is on a host of its own.

use crate::support::namespaces::Hosts;
use crate::support::painter::{MARK, Painter, Video, dithered};
use crate::support::process::Process;
use crate::support::site::Site;
use crate::support::viewer::Viewer;
use crate::support::wait::{PATIENCE, pace_until, poll_for, poll_until};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The word that makes this program a viewer that prints what it sees.
pub(crate) const WATCH: &str = "watch";
const SIZE: (u16, u16) = (640, 480);
const CORNER: (usize, usize) = ((SIZE.0 - MARK) as usize, (SIZE.1 - MARK) as usize);
const NODES: usize = 7;
/// Two bits per pixel: 20 Mbit/s.
const FRAMES_PER_SECOND: u32 = 33;
const RATE: &str = "1mbit";
/// The host whose line becomes narrow: the root's left child, with two children of its own.
const NARROW: usize = 1;
const RUNS: usize = 3;
const SETTLE: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(5);

/// Prints the number of each frame and the moment at which it was shown, until the connection or this process ends.
pub(crate) fn watch(node: SocketAddr) {
    let mut viewer = Viewer::connect(node).unwrap();
    let mut last = 0;
    while viewer.update().is_ok() {
        let number = viewer.pixel(0, 0);
        if number != last && viewer.pixel(CORNER.0, CORNER.1) == number {
            println!("{number} {}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos());
            last = number;
        }
    }
}

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
    let clocks = (Instant::now(), SystemTime::now());
    let watchers: BTreeMap<_, _> = (1..=NODES).filter(|host| *host != NARROW).map(|host| (host, watcher(&site, host))).collect();
    pace_until(Instant::now() + SETTLE);
    let delays = |from: Instant, to: Instant| {
        let shown = |watcher| shown(watcher, clocks).into_iter().filter(|(_, at)| (from..to).contains(at)).collect::<Vec<_>>();
        let each: Vec<_> = watchers.values().map(shown).collect();
        let least = each.iter().map(Vec::len).min().unwrap() as f64 / (to - from).as_secs_f64();
        let mut all: Vec<_> = each.iter().flatten().filter_map(|(number, at)| Some(*at - video.painted(*number)?)).collect();
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
    drop(watchers);
    let _last_frame = video.stop();
    let mut truth = site.snapshot(0);
    for host in 1..=NODES {
        poll_until(&format!("the right picture at host {host}"), PATIENCE, || {
            truth = site.snapshot(0);
            site.snapshot(host).difference(&truth).is_none().then_some(())
        });
    }
}

/// A viewer on a host.
fn watcher(site: &Site, host: usize) -> Process {
    let address = format!("127.0.0.1:{}", site.node(host).address.port());
    site.hosts.start(host, Command::new(std::env::current_exe().unwrap()).args([WATCH, &address]))
}

/// The frames that it has shown, and when, by this program's clock.
fn shown(watcher: &Process, (here, there): (Instant, SystemTime)) -> Vec<(u32, Instant)> {
    let there = there.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let parse = |line: String| {
        let (number, nanos) = line.split_once(' ')?;
        let since = nanos.parse::<u128>().ok()?.checked_sub(there)?;
        Some((number.parse().ok()?, here + Duration::from_nanos(since as u64)))
    };
    watcher.out().all().into_iter().filter_map(parse).collect()
}
