//! What one-way delays come to by depth: percentiles of the last minutes, and counts since the root began.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;
use treevnc_protocol::tree::delay::Delay;
use treevnc_protocol::tree::message::{DepthDelay, MAX_STATUS_DEPTHS};

/// A part of time; the present one and the one before count.
const PART: Duration = Duration::from_secs(60);
/// Longer times count as this, in microseconds.
const MOST_MICROS: u64 = 60_000_000;
/// Decimal digits that are kept of a time.
const DIGITS: u8 = 2;

/// Up to which delays are counted together, in microseconds.
pub const BOUNDS_MICROS: [u64; 11] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

/// One-way delays of one depth since the root began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DepthTotal {
    /// Links between these nodes and the root.
    pub depth: u8,
    /// How many were measured.
    pub count: u64,
    /// All of them together.
    pub sum: Duration,
    /// How many of them took at most as long as each of [`BOUNDS_MICROS`].
    pub within: [u64; BOUNDS_MICROS.len()],
}

/// The one-way delays, of about the last two minutes and in sum.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// By depth: in the present part of time, and in the one before.
    depths: BTreeMap<u8, [Option<Histogram<u32>>; 2]>,
    until: Duration,
    totals: BTreeMap<u8, DepthTotal>,
}

impl Live {
    /// An answer has come. Whether a part of time has begun with it.
    pub(super) fn note(&mut self, delay: &Delay, now: Duration) -> bool {
        let is_turn = self.turn(now);
        let micros = u64::try_from(delay.one_way.as_micros()).unwrap_or(MOST_MICROS).clamp(1, MOST_MICROS);
        if self.depths.len() < MAX_STATUS_DEPTHS || self.depths.contains_key(&delay.depth) {
            let [present, _] = self.depths.entry(delay.depth).or_default();
            if present.is_none() {
                *present = Histogram::new_with_bounds(1, MOST_MICROS, DIGITS).ok();
            }
            present.iter_mut().for_each(|histogram| histogram.saturating_record(micros));
        }
        if self.totals.len() < MAX_STATUS_DEPTHS || self.totals.contains_key(&delay.depth) {
            let total = self.totals.entry(delay.depth).or_insert(DepthTotal { depth: delay.depth, ..DepthTotal::default() });
            total.count += 1;
            total.sum += delay.one_way;
            total.within.iter_mut().zip(BOUNDS_MICROS).for_each(|(within, bound)| *within += u64::from(micros <= bound));
        }
        is_turn
    }

    /// What there was since the root began.
    pub(super) fn totals(&self) -> Vec<DepthTotal> {
        self.totals.values().copied().collect()
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

    fn turn(&mut self, now: Duration) -> bool {
        if now < self.until {
            return false;
        }
        let is_long_ago = now >= self.until + PART;
        for [present, before] in self.depths.values_mut() {
            *before = present.take().filter(|_| !is_long_ago);
        }
        self.depths.retain(|_, parts| parts.iter().any(Option::is_some));
        self.until = now + PART;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::tree::delay::Check;
    use treevnc_protocol::tree::message::Intake;
    use treevnc_protocol::tree::slot::NodeId;
    use treevnc_protocol::update::Seq;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn delay(node: u64, depth: u8, millis: u64) -> Delay {
        let one_way = Duration::from_millis(millis);
        let check = Check { seq: Seq(1), began: Duration::ZERO, bytes: 1, expected: 1 };
        let (node, total, at) = (NodeId(node), Intake::default(), Duration::ZERO);
        let (delay, round_trip, shown) = (one_way * 2, one_way, None);
        Delay { check, after: None, at, node, depth, bytes: 1, total, delay, one_way, round_trip, shown }
    }

    #[test]
    fn percentiles_are_by_depth_and_of_the_last_two_minutes() {
        let mut live = Live::default();
        (1..=100).for_each(|n| assert_eq!(live.note(&delay(n, 1, n), secs(10)), n == 1));
        live.note(&delay(500, 3, 70_000), secs(70));
        let [first, third] = live.by_depth(secs(71))[..] else { panic!("two depths") };
        let close = |micros: u32, millis: u32| micros.abs_diff(millis * 1000) <= millis * 10 + 1;
        assert!(close(first.median, 50) && close(first.p95, 95) && close(first.p99, 99) && close(first.max, 100), "{first:?}");
        assert_eq!((first.depth, first.count, third.depth), (1, 100, 3));
        assert!(third.max >= 60_000_000, "longer than can be told");
        assert_eq!(live.by_depth(secs(131)).iter().map(|at| at.depth).collect::<Vec<_>>(), [3]);
        assert_eq!(live.by_depth(secs(500)), []);
        let [first, third] = live.totals()[..] else { panic!("two depths") };
        assert_eq!((first.count, first.sum), (100, Duration::from_millis(5050)), "since the root began");
        assert_eq!(first.within, [1, 2, 5, 10, 25, 50, 100, 100, 100, 100, 100]);
        assert_eq!((third.count, third.sum, third.within), (1, secs(70), [0; 11]));
    }

    #[test]
    fn answers_that_are_made_up_take_a_bounded_place() {
        let mut live = Live::default();
        (0..=255).for_each(|depth| assert_eq!(live.note(&delay(1, depth, 1), secs(1)), depth == 0));
        assert_eq!((live.by_depth(secs(1)).len(), live.totals().len()), (MAX_STATUS_DEPTHS, MAX_STATUS_DEPTHS));
    }
}
