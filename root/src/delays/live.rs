//! What the answers of the last minutes come to: percentiles by depth, and the newest of each node.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;
use treevnc_protocol::tree::delay::Delay;
use treevnc_protocol::tree::message::{DepthDelay, MAX_STATUS_DEPTHS};
use treevnc_protocol::tree::slot::NodeId;

/// A part of time; the present one and the one before count.
const PART: Duration = Duration::from_secs(60);
/// Nodes whose newest answer is remembered.
const MAX_NODES: usize = 1 << 17;
/// Longer times count as this, in microseconds.
const MOST_MICROS: u64 = 60_000_000;
/// Decimal digits that are kept of a time.
const DIGITS: u8 = 2;

/// The one-way delays of about the last two minutes.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// By depth: in the present part of time, and in the one before.
    depths: BTreeMap<u8, [Option<Histogram<u32>>; 2]>,
    until: Duration,
    newest: BTreeMap<NodeId, (Duration, Duration)>,
}

impl Live {
    /// An answer has come.
    pub(super) fn note(&mut self, delay: &Delay, now: Duration) {
        self.turn(now);
        let micros = u64::try_from(delay.one_way.as_micros()).unwrap_or(MOST_MICROS).clamp(1, MOST_MICROS);
        if self.depths.len() < MAX_STATUS_DEPTHS || self.depths.contains_key(&delay.depth) {
            let [present, _] = self.depths.entry(delay.depth).or_default();
            if present.is_none() {
                *present = Histogram::new_with_bounds(1, MOST_MICROS, DIGITS).ok();
            }
            present.iter_mut().for_each(|histogram| histogram.saturating_record(micros));
        }
        if self.newest.len() < MAX_NODES || self.newest.contains_key(&delay.node) {
            self.newest.insert(delay.node, (now, delay.one_way));
        }
    }

    /// The newest delay of a node, if it is not older than two parts of time.
    pub(super) fn of(&self, node: NodeId, now: Duration) -> Option<Duration> {
        let (at, delay) = self.newest.get(&node)?;
        (now.saturating_sub(*at) <= PART * 2).then_some(*delay)
    }

    /// The percentiles of each depth, by nearest rank.
    pub(super) fn by_depth(&mut self, now: Duration) -> Vec<DepthDelay> {
        self.turn(now);
        let figures = |(depth, parts): (&u8, &[Option<Histogram<u32>>; 2])| {
            let mut all = parts[0].clone().or_else(|| parts[1].clone())?;
            if let [Some(_), Some(before)] = parts {
                all.add(before).ok()?;
            }
            let micros = |quantile: f64| u32::try_from(all.value_at_quantile(quantile)).unwrap_or(u32::MAX);
            let [median, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(micros);
            (!all.is_empty()).then_some(DepthDelay { depth: *depth, count: all.len(), median, p95, p99, max })
        };
        self.depths.iter().filter_map(figures).collect()
    }

    fn turn(&mut self, now: Duration) {
        if now < self.until {
            return;
        }
        let is_long_ago = now >= self.until + PART;
        for [present, before] in self.depths.values_mut() {
            *before = present.take().filter(|_| !is_long_ago);
        }
        self.depths.retain(|_, parts| parts.iter().any(Option::is_some));
        self.newest.retain(|_, (at, _)| now.saturating_sub(*at) <= PART * 2);
        self.until = now + PART;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::tree::delay::Check;
    use treevnc_protocol::update::Seq;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn delay(node: u64, depth: u8, millis: u64) -> Delay {
        let one_way = Duration::from_millis(millis);
        let check = Check { seq: Seq(1), began: Duration::ZERO, bytes: 1, expected: 1 };
        Delay { check, node: NodeId(node), depth, bytes: 1, delay: one_way * 2, one_way, round_trip: one_way, shown: None }
    }

    #[test]
    fn percentiles_are_by_depth_and_of_the_last_two_minutes() {
        let mut live = Live::default();
        (1..=100).for_each(|n| live.note(&delay(n, 1, n), secs(10)));
        live.note(&delay(500, 3, 70_000), secs(70));
        let [first, third] = live.by_depth(secs(71))[..] else { panic!("two depths") };
        let close = |micros: u32, millis: u32| micros.abs_diff(millis * 1000) <= millis * 10 + 1;
        assert!(close(first.median, 50) && close(first.p95, 95) && close(first.p99, 99) && close(first.max, 100), "{first:?}");
        assert_eq!((first.depth, first.count, third.depth), (1, 100, 3));
        assert!(third.max >= 60_000_000, "longer than can be told");
        assert_eq!(live.of(NodeId(7), secs(71)), Some(Duration::from_millis(7)));
        assert_eq!(live.by_depth(secs(131)).iter().map(|at| at.depth).collect::<Vec<_>>(), [3]);
        assert_eq!((live.by_depth(secs(500)), live.of(NodeId(500), secs(500))), (Vec::new(), None));
    }

    #[test]
    fn answers_that_are_made_up_take_a_bounded_place() {
        let mut live = Live::default();
        (0..=255).for_each(|depth| live.note(&delay(1, depth, 1), secs(1)));
        assert_eq!(live.by_depth(secs(1)).len(), MAX_STATUS_DEPTHS);
    }
}
