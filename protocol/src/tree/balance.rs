//! Children behind one narrow line have unequal parts of it, as TCP shares: one to seven was measured. Whether they are behind one line
//! is found out by holding the fast ones back. Pure; the program measures and holds back.

use super::children::Link;
use super::pace::ChildWindow;
use std::collections::BTreeMap;
use std::time::Duration;

/// Windows of unequal parts after which it is tried, and windows until what came of it is judged.
const UNEQUAL_AFTER: u32 = 2;
const TRIED_FOR: u32 = 3;
/// Parts are unequal when the largest is more than so many times the smallest: a fraction.
const UNEQUAL: (u64, u64) = (3, 2);
/// How much of an equal part a child may have: some more, so that all together can grow.
const SHARE: (u64, u64) = (23, 20);
/// All together must get this part of what they got before, or they are behind different lines.
const KEPT: (u64, u64) = (4, 5);
/// Windows until it is tried again when they are, doubled each time so often.
const PAUSE: (u32, u32) = (15, 5);
/// Parts of lines that bring fewer bytes per second than this in all are not looked at.
const LEAST: u64 = 64 * 1024;

/// The parts of a node's children that are behind.
///
/// In: [`handle_window`](Self::handle_window) about once a second, with all children. Out: how many bytes per second each of some children may
/// have until the next window; all others have no limit.
///
/// When of those who are behind one gets more than one and a half times what another gets, each may have little more than an equal part
/// for three seconds. If all together then get as much as before, they are behind one line, and it stays so as long as that holds. Otherwise the
/// slow ones have lines of their own, and the fast ones are let go at once and left alone for a while, longer each time: a slow reader costs the
/// others nothing.
#[derive(Debug, Clone, Default)]
pub struct Balance {
    rates: BTreeMap<Link, u64>,
    phase: Phase,
    /// Trials that failed since one did not.
    failed: u32,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Nobody is held back; windows of unequal parts, windows until it may be tried.
    Free { unequal: u32, pause: u32 },
    /// They are, since so many windows; what all got in a second without that, or the most since.
    Held { most: u64, windows: u32 },
}

impl Default for Phase {
    fn default() -> Self {
        Self::Free { unequal: 0, pause: 0 }
    }
}

impl Balance {
    /// Nobody is held back.
    pub fn new() -> Self {
        Self::default()
    }

    /// A window of that length is over. The parts from now on.
    pub fn handle_window(&mut self, length: Duration, children: &[ChildWindow]) -> BTreeMap<Link, u64> {
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX).max(1);
        let behind = children.iter().filter(|child| child.behind);
        let rates: BTreeMap<Link, u64> = behind
            .map(|child| {
                let now = child.received.saturating_mul(1_000_000) / micros;
                (child.link, self.rates.get(&child.link).map_or(now, |before| before / 2 + now / 2))
            })
            .collect();
        let is_same = rates.keys().eq(self.rates.keys());
        self.rates = rates;
        let total = self.rates.values().fold(0u64, |sum, rate| sum.saturating_add(*rate));
        if self.rates.len() < 2 || total < LEAST || !is_same {
            let pause = if let Phase::Free { pause, .. } = self.phase { pause.saturating_sub(1) } else { 0 };
            self.phase = Phase::Free { unequal: 0, pause };
            return BTreeMap::new();
        }
        match self.phase {
            Phase::Free { unequal, pause } => self.look(total, unequal, pause),
            Phase::Held { most, windows } => self.judge(total, most, windows + 1),
        }
    }

    fn look(&mut self, total: u64, unequal: u32, pause: u32) -> BTreeMap<Link, u64> {
        let (least, most) = (self.rates.values().min(), self.rates.values().max());
        let is_unequal =
            least.zip(most).is_some_and(|(least, most)| most.saturating_mul(UNEQUAL.1) > least.saturating_mul(UNEQUAL.0));
        let unequal = if is_unequal { unequal + 1 } else { 0 };
        if unequal < UNEQUAL_AFTER || pause > 0 {
            self.phase = Phase::Free { unequal, pause: pause.saturating_sub(1) };
            return BTreeMap::new();
        }
        self.phase = Phase::Held { most: total, windows: 0 };
        self.parts(total)
    }

    fn judge(&mut self, total: u64, most: u64, windows: u32) -> BTreeMap<Link, u64> {
        if windows < TRIED_FOR {
            self.phase = Phase::Held { most, windows };
            return self.parts(most);
        }
        if total < most / KEPT.1 * KEPT.0 {
            let pause = PAUSE.0 << self.failed.min(PAUSE.1);
            self.failed += 1;
            self.phase = Phase::Free { unequal: 0, pause };
            return BTreeMap::new();
        }
        self.failed = 0;
        self.phase = Phase::Held { most: most.max(total), windows };
        self.parts(total)
    }

    fn parts(&self, total: u64) -> BTreeMap<Link, u64> {
        let count = u64::try_from(self.rates.len()).unwrap_or(u64::MAX).max(1);
        let part = (total / count / SHARE.1).saturating_mul(SHARE.0);
        self.rates.keys().map(|link| (*link, part)).collect()
    }
}

#[cfg(test)]
#[path = "balance_tests.rs"]
mod tests;
