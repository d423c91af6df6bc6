//! SIGSTOP of inner nodes, one at a time, until the others have found new places; then SIGCONT.

use crate::class::{Class, NODES};
use crate::figures;
use crate::support::wait::PATIENCE;
use std::time::{Duration, Instant};

const STOPS: usize = 20;

pub(crate) fn measure() {
    let mut class = Class::new(NODES);
    let (mut attached, mut below, mut back) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STOPS {
        stop(&mut class, &mut attached, &mut below, &mut back);
    }
    figures::head(&format!("SIGSTOP of an inner node, {STOPS} times"));
    figures::times("an orphan is attached again", &attached);
    figures::times("all pictures below it move again", &below);
    figures::times("SIGCONT: the node has a place again", &back);
}

fn stop(class: &mut Class, attached: &mut Vec<Duration>, below: &mut Vec<Duration>, back: &mut Vec<Duration>) {
    let tree = class.must_be_whole();
    let (name, slot) = class.any_inner(&tree);
    let orphans: Vec<_> = tree.nodes.iter().filter(|node| node.parent == Some(slot)).map(|node| node.name.clone()).collect();
    let said: Vec<_> = orphans.iter().map(|orphan| class.seats[orphan].node.places_said()).collect();
    let stopped = class.seats[&name].node.places_said();
    let begin = Instant::now();
    class.seats[&name].node.process.signal("STOP");
    let still = Instant::now();
    for (orphan, said) in orphans.iter().zip(said) {
        attached.push(class.seats[orphan].node.must_be_placed(said + 1, PATIENCE) - begin);
    }
    below.extend(class.moved(&tree.below(slot), still).map(|moved| moved - begin));
    let go_on = Instant::now();
    class.seats[&name].node.process.signal("CONT");
    back.push(class.seats[&name].node.must_be_placed(stopped + 1, PATIENCE) - go_on);
    class.must_be_whole();
    class.quiet();
    class.changes.resume();
}
