//! SIGKILL of the root, and a new one on the same port at once.

use crate::class::{Class, NODES};
use crate::figures;
use crate::support::session::Member;
use crate::support::wait::{PATIENCE, pace_until};
use std::time::{Duration, Instant};

const RESTARTS: usize = 10;
/// Between two of them: a node that has had its parent for less than a second waits before it asks again.
const BETWEEN: Duration = Duration::from_secs(3);

pub(crate) fn measure() {
    let mut class = Class::new(NODES);
    let (mut first, mut all, mut whole, mut moved) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RESTARTS {
        pace_until(Instant::now() + BETWEEN);
        let said: Vec<_> = class.seats.values().map(|seat| seat.node.places_said()).collect();
        let begin = Instant::now();
        class.root.process.kill();
        class.root = Member::root_at(class.root.address, &class.desktop.address(), "measured");
        let again = Instant::now();
        let placed = class.seats.values().zip(said).map(|(seat, said)| seat.node.must_be_placed(said + 1, PATIENCE) - begin);
        let placed: Vec<Duration> = placed.collect();
        first.extend(placed.iter().min());
        all.extend(placed.iter().max());
        class.must_be_whole();
        whole.push(begin.elapsed());
        moved.extend(class.moved(class.seats.keys(), again).map(|moved| moved - begin));
        class.quiet();
        class.changes.resume();
    }
    figures::head(&format!("the root killed and started again on its port, {RESTARTS} times"));
    figures::times("the first node has a place in the new session", &first);
    figures::times("all nodes have one", &all);
    figures::times("the tree is whole, by `treevnc status`", &whole);
    figures::times("all pictures move", &moved);
}
