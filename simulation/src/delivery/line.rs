//! A host's line: what it sends at the same time, and when each of it is out. Arithmetic on whole numbers.

use std::time::Duration;

/// Things that go over a line at the same time: an update to each child, and answers to the parent.
pub(super) const FLOWS: usize = 3;
/// So much work is a bit, in time of the whole line: it can be shared by one, two or three.
const WORK_PER_BIT: u128 = 6 * 1_000_000_000;
const WORK_PER_NANO: [u128; FLOWS + 1] = [0, 6, 3, 2];

/// How a line is shared by what goes over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sharing {
    /// All get the same at all times: connections that share a queue packet by packet, as TCP does it.
    #[default]
    Evenly,
    /// One after the other, each update or message as a whole, in the order in which they came.
    InTurns,
}

/// A line with what is being sent.
#[derive(Debug, Clone)]
pub(super) struct Line {
    bits_per_second: u128,
    sharing: Sharing,
    /// What is left of each.
    left: [u128; FLOWS],
    /// It is out, and has not been [taken](Self::take).
    out: [bool; FLOWS],
    /// Which number each had when it came.
    came: [u64; FLOWS],
    last: u64,
    /// Up to when it is accounted for.
    at: Duration,
}

impl Line {
    pub(super) fn new(bits_per_second: u64, sharing: Sharing) -> Self {
        let bits_per_second = u128::from(bits_per_second.max(1));
        Self { bits_per_second, sharing, left: [0; FLOWS], out: [false; FLOWS], came: [0; FLOWS], last: 0, at: Duration::ZERO }
    }

    /// Whether it is in use for that, or what it was used for has not been [taken](Self::take).
    pub(super) fn is_in_use(&self, flow: usize) -> bool {
        self.left.get(flow).is_some_and(|left| *left > 0) || self.out.get(flow) == Some(&true)
    }

    /// So many bytes are to be sent, from now on, by a flow that is not in use.
    pub(super) fn begin(&mut self, flow: usize, wire_bytes: u64, now: Duration) {
        self.advance(now);
        self.last += 1;
        if let (Some(left), Some(came)) = (self.left.get_mut(flow), self.came.get_mut(flow)) {
            *left = u128::from(wire_bytes) * 8 * WORK_PER_BIT;
            *came = self.last;
        }
    }

    /// When the next of what is being sent is out.
    pub(super) fn next(&self) -> Option<Duration> {
        if self.out.contains(&true) {
            return Some(self.at);
        }
        let least = (0..FLOWS).filter(|flow| self.is_moving(*flow)).filter_map(|flow| self.left.get(flow)).min()?;
        Some(self.at + Duration::from_nanos(u64::try_from(least.div_ceil(self.pace())).unwrap_or(u64::MAX)))
    }

    /// Which have got out by now.
    pub(super) fn take(&mut self, now: Duration) -> [bool; FLOWS] {
        self.advance(now);
        std::mem::take(&mut self.out)
    }

    /// Not beyond [`next`](Self::next): who moves then is another matter.
    fn advance(&mut self, now: Duration) {
        let work = now.saturating_sub(self.at).as_nanos() * self.pace();
        let moving: [bool; FLOWS] = std::array::from_fn(|flow| self.is_moving(flow));
        for ((left, out), _) in self.left.iter_mut().zip(&mut self.out).zip(moving).filter(|(_, is_moving)| *is_moving) {
            *left = left.saturating_sub(work);
            *out = *left == 0;
        }
        self.at = now;
    }

    /// Work of each that moves in a nanosecond.
    fn pace(&self) -> u128 {
        let users = (0..FLOWS).filter(|flow| self.is_moving(*flow)).count();
        self.bits_per_second * WORK_PER_NANO.get(users).copied().unwrap_or(0)
    }

    fn is_moving(&self, flow: usize) -> bool {
        let has_some = |flow: &usize| self.left.get(*flow).is_some_and(|left| *left > 0);
        let is_first = || (0..FLOWS).filter(has_some).min_by_key(|flow| self.came.get(*flow)) == Some(flow);
        has_some(&flow) && (self.sharing == Sharing::Evenly || is_first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: fn(u64) -> Duration = Duration::from_micros;

    #[test]
    fn all_get_the_same_and_who_is_alone_gets_all() {
        // 8 Mbit/s: a byte in a microsecond.
        let mut line = Line::new(8_000_000, Sharing::Evenly);
        line.begin(0, 1000, US(0));
        assert_eq!(line.next(), Some(US(1000)));
        line.begin(1, 1000, US(400));
        assert_eq!(line.next(), Some(US(1600)), "600 of each at half the pace");
        line.begin(2, 100, US(1000));
        assert_eq!(line.next(), Some(US(1300)));
        assert_eq!(line.take(US(1300)), [false, false, true]);
        assert_eq!(line.next(), Some(US(1700)), "200 are left of the first");
        assert_eq!(line.take(US(1700)), [true, false, false]);
        assert_eq!(line.next(), Some(US(2100)));
        line.begin(2, 100, US(2100));
        assert!(line.is_in_use(1) && line.next() == Some(US(2100)), "what got out at the same time waits to be taken");
        assert_eq!(line.take(US(2100)), [false, true, false]);
        assert_eq!(line.take(US(2200)), [false, false, true]);
        assert_eq!((line.next(), line.take(US(9000))), (None, [false; 3]));
    }

    #[test]
    fn in_turns_each_is_sent_as_a_whole_in_the_order_it_came() {
        let mut line = Line::new(8_000_000, Sharing::InTurns);
        line.begin(1, 1000, US(0));
        line.begin(0, 500, US(300));
        assert_eq!(line.take(US(1000)), [false, true, false]);
        line.begin(1, 1000, US(1000));
        assert_eq!((line.next(), line.take(US(1500))), (Some(US(1500)), [true, false, false]));
        assert_eq!((line.next(), line.take(US(2500))), (Some(US(2500)), [false, true, false]));
    }

    #[test]
    fn a_line_is_used_in_full_whatever_comes_when() {
        let mut random = crate::random::Random::new(3);
        for sharing in [Sharing::Evenly, Sharing::InTurns] {
            let mut line = Line::new(7_777_777, sharing);
            let (mut now, mut bytes, mut ends) = (Duration::ZERO, 0, 0);
            for _ in 0..500 {
                let idle: Vec<usize> = (0..FLOWS).filter(|flow| !line.is_in_use(*flow)).collect();
                for flow in idle {
                    let more = 1 + random.below(70_000) as u64;
                    line.begin(flow, more, now);
                    bytes += more;
                }
                now = line.next().unwrap();
                let out = line.take(now).into_iter().filter(|out| *out).count();
                assert!(out > 0, "the time that was told is right");
                ends += out as u64;
            }
            while let Some(next) = line.next() {
                now = next;
                ends += line.take(now).into_iter().filter(|out| *out).count() as u64;
            }
            let least = u128::from(bytes) * 8 * 1_000_000_000 / 7_777_777;
            assert!((least..=least + 1 + u128::from(ends)).contains(&now.as_nanos()), "{} {least}", now.as_nanos());
        }
    }
}
