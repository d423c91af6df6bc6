//! SIGKILL of inner nodes, one at a time; a fresh node joins after each.

use crate::class::{Class, NODES};
use crate::figures;
use crate::support::kernel::{Socket, sockets};
use crate::support::wait::{PATIENCE, pace_until};
use std::time::{Duration, Instant};

const CRASHES: usize = 50;
/// Changes before and after a crash, as long as they last.
const AROUND: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Samples {
    /// Each orphan's time until it said its new place.
    attached: Vec<Duration>,
    /// Each crash's time until the last orphan said so.
    all_attached: Vec<Duration>,
    /// Until all pictures below the crashed node moved.
    below: Vec<Duration>,
    /// Until all others' pictures moved: one of them is given the crashed node's place.
    others: Vec<Duration>,
    /// Bytes on each orphan's new link, and those of the changes that it had not seen.
    resent: Vec<(u64, u64)>,
}

pub(crate) fn measure() {
    let mut class = Class::new(NODES);
    let mut samples = Samples::default();
    for _ in 0..CRASHES {
        crash(&mut class, &mut samples);
        class.admit();
        class.must_be_whole();
    }
    figures::head(&format!("SIGKILL of an inner node, {CRASHES} times"));
    figures::times("an orphan is attached again", &samples.attached);
    figures::times("all orphans of a node are attached again", &samples.all_attached);
    figures::times("all pictures below it move again", &samples.below);
    figures::times("all other pictures move (one node is moved into its place)", &samples.others);
    let column = |which: fn(&(u64, u64)) -> u64| samples.resent.iter().map(|pair| which(pair) as f64).collect::<Vec<_>>();
    figures::line("bytes on an orphan's new link", &column(|pair| pair.0), |bytes| format!("{bytes:.0}"));
    figures::line("bytes of the changes it had not seen", &column(|pair| pair.1), |bytes| format!("{bytes:.0}"));
    let shares: Vec<_> = samples.resent.iter().map(|&(sent, missed)| sent as f64 / missed as f64).collect();
    figures::line("the first divided by the second", &shares, |share| format!("{share:.2}"));
}

fn crash(class: &mut Class, samples: &mut Samples) {
    let tree = class.must_be_whole();
    let (name, slot) = class.any_inner(&tree);
    let below = tree.below(slot);
    let orphans: Vec<_> = tree.nodes.iter().filter(|node| node.parent == Some(slot)).map(|node| node.name.clone()).collect();
    // Somebody who keeps its parent: neither below, nor the last, which will be moved.
    let last = tree.nodes.iter().max_by_key(|node| node.slot).unwrap().name.clone();
    let others: Vec<_> = class.seats.keys().filter(|other| **other != name && !below.contains(other)).cloned().collect();
    let witness = others.iter().find(|other| **other != last && tree.node(other).unwrap().slot > 2).unwrap().clone();

    let before = class.quiet();
    let links_before = sockets(class.seats[&witness].node.process.id());
    class.changes.resume();
    pace_until(Instant::now() + AROUND);

    let said: Vec<_> = orphans.iter().map(|orphan| class.seats[orphan].node.places_said()).collect();
    let mut crashed = class.seats.remove(&name).unwrap();
    let begin = Instant::now();
    crashed.node.process.kill();
    let dead = Instant::now();
    drop(crashed);
    let places = orphans.iter().zip(said);
    let attached: Vec<_> =
        places.map(|(orphan, said)| class.seats[orphan].node.must_be_placed(said + 1, PATIENCE) - begin).collect();
    samples.below.extend(class.moved(&below, dead).map(|moved| moved - begin));
    samples.others.extend(class.moved(&others, dead).map(|moved| moved - begin));
    samples.all_attached.extend(attached.iter().max());
    samples.attached.extend(attached);
    let seen = class.changes.first_after(begin) - 1;

    pace_until(Instant::now() + AROUND);
    let end = class.quiet();
    let per_change = per_change(&links_before, &sockets(class.seats[&witness].node.process.id()), end - before);
    for orphan in &orphans {
        let node = &class.seats[orphan].node;
        let uplinks = sockets(node.process.id());
        let newest: u64 = uplinks.iter().filter(|link| link.local != node.address.port()).map(|link| link.received).sum();
        samples.resent.push((newest, (f64::from(end - seen) * per_change) as u64));
    }
    class.changes.resume();
}

/// What one change costs on the link of a node that nothing happened to.
fn per_change(before: &[Socket], after: &[Socket], changes: u32) -> f64 {
    let more = after.iter().filter_map(|link| {
        let earlier = before.iter().find(|earlier| (earlier.local, earlier.remote) == (link.local, link.remote))?;
        Some(link.received - earlier.received)
    });
    // The link to its parent is the one on which pictures come.
    more.max().unwrap() as f64 / f64::from(changes)
}
