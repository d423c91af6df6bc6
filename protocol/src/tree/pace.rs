//! Which child is too slow, and for how many more there is room: judged from what each child took in windows of about a second
//! (PROTOCOL.md, SLOW_NODE and I_AM_HERE). Pure; the program measures.

use super::children::Link;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The length of a window. A program that comes much later has not run meanwhile, and nothing is concluded.
pub const WINDOW: Duration = Duration::from_secs(1);
/// Updates of fewer bytes in a window show nothing about a child.
pub const WORTH_BYTES: u64 = 64 * 1024;
/// Who gets less than this part of what there was to get lags.
const PART: u64 = 4;
/// Windows in a row in which a slow child has lagged.
const SLOW_AFTER: u32 = 3;
/// Who gets less than so many of so many parts of what there was to get falls short.
const SHORT: (u64, u64) = (3, 4);
/// Windows in a row in which a slow child has fallen short, beside one that has not.
const SHORT_AFTER: u32 = 10;
/// Windows in a row in which the other children have lagged when it is not the child that is slow.
const ALL_AFTER: u32 = 2;
/// Windows in a row after which a child that was slow counts as fine.
const FINE_AFTER: u32 = 10;
/// Windows that [`Pace::room`] looks back.
const LOOK_BACK: usize = 10;
/// Thousandths of the time in which writes wait: the least that is believed, and what to fill up to.
const LOAD: (u64, u64) = (20, 500);
/// Room before anything was measured, and the most that is ever offered.
const ROOM: (u8, u8) = (2, 62);

/// Somebody cannot keep up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slow {
    /// The link of a child; none when it is this node itself, because none of its children gets what it should.
    pub child: Option<Link>,
    /// The child has no sibling here that does not lag, so it may as well be this node.
    pub alone: bool,
}

/// What one child did in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildWindow {
    /// Which child.
    pub link: Link,
    /// Bytes that its program received.
    pub received: u64,
    /// It had something to get during the whole window.
    pub behind: bool,
    /// For how long of the window writing to it waited.
    pub waited: Duration,
}

/// The judge of a node's children.
///
/// In: [`handle_window`](Self::handle_window) about once in [`WINDOW`], with all children of the node. Out: who is slow, each once until it was
/// fine for ten windows; and [`room`](Self::room).
///
/// A child lags in a window in which it was behind all the time and received less than a quarter of what came into the node's own log.
/// So a child is measured by what its siblings can have, and a busy screen that it takes in its own pace, skipping what was painted over,
/// is no fault as long as it gets a fair part. Quiet windows show nothing and change nothing for a child that is behind. Three
/// windows are needed because of pauses (garbage, Wi-Fi scans, a slide that is large); one lasts longer than any of them. A child that gets
/// more than a quarter but less than three quarters for ten windows, beside one that gets all, is slow too: whoever is below it would see
/// old pictures for as long as it stands there.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    children: BTreeMap<Link, Record>,
    own: Record,
    /// Of the last windows that showed something: millionths of the time in which a write waited, per child.
    loads: VecDeque<u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Record {
    lagging: u32,
    /// Windows in a row in which it lagged or fell short.
    short: u32,
    fine: u32,
    said: bool,
}

impl Record {
    fn note(&mut self, lags: bool, falls_short: bool) {
        self.lagging = if lags { self.lagging + 1 } else { 0 };
        (self.short, self.fine) = if lags || falls_short { (self.short + 1, 0) } else { (0, self.fine + 1) };
        self.said &= self.fine < FINE_AFTER;
    }
}

impl Pace {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A window of that length is over, in which so many bytes of updates came into the node's own log. Answers who is slow now.
    pub fn handle_window(&mut self, length: Duration, appended: u64, children: &[ChildWindow]) -> Vec<Slow> {
        self.children.retain(|link, _| children.iter().any(|child| child.link == *link));
        if length > WINDOW * 2 {
            return Vec::new();
        }
        let is_worth = appended >= WORTH_BYTES;
        for child in children {
            let record = self.children.entry(child.link).or_default();
            if is_worth || !child.behind {
                let gets_less = |(part, of): (u64, u64)| {
                    is_worth && child.behind && child.received.saturating_mul(of) < appended.saturating_mul(part)
                };
                record.note(gets_less((1, PART)), gets_less(SHORT));
            }
        }
        if is_worth {
            self.note_load(length, children);
        }
        self.judge()
    }

    fn judge(&mut self) -> Vec<Slow> {
        let all_lag = self.children.len() > 1 && self.children.values().all(|record| record.lagging >= ALL_AFTER);
        self.own.note(all_lag, false);
        let is_slow = |record: &Record| record.lagging >= SLOW_AFTER && !record.said;
        if all_lag {
            let is_news = !self.own.said && self.children.values().any(is_slow);
            self.own.said |= is_news;
            return is_news.then_some(Slow { child: None, alone: false }).into_iter().collect();
        }
        // A sibling that has just come and lags too is no witness.
        let alone = !self.children.values().any(|record| record.fine > 0);
        let is_short = |record: &Record| record.short >= SHORT_AFTER && !record.said && !alone;
        let slow = self.children.iter_mut().filter(|(_, record)| is_slow(record) || is_short(record));
        slow.map(|(link, record)| {
            record.said = true;
            Slow { child: Some(*link), alone }
        })
        .collect()
    }

    fn note_load(&mut self, length: Duration, children: &[ChildWindow]) {
        let (Some(busiest), Ok(count)) = (children.iter().map(|child| child.waited).max(), u64::try_from(children.len())) else {
            return;
        };
        let thousandths = busiest.as_micros() * 1000 / length.as_micros().max(1);
        let load = u64::try_from(thousandths).unwrap_or(u64::MAX).clamp(LOAD.0, 1000);
        self.loads.push_back(load * 1000 / count.max(1));
        if self.loads.len() > LOOK_BACK {
            self.loads.pop_front();
        }
    }

    /// How many more children this node could feed than it has now.
    ///
    /// The children of a node share its way out. What one of them costs is the part of the time in which writes wait, over the number of
    /// children; there is room until writes would wait half the time. Windows with little to send do not count: an idle line says
    /// nothing about a busy one. None while any child lags.
    pub fn room(&self) -> u8 {
        if self.children.values().any(|record| record.lagging > 0) {
            return 0;
        }
        let Some(windows) = u64::try_from(self.loads.len()).ok().filter(|&count| count > 0) else { return ROOM.0 };
        let load = (self.loads.iter().sum::<u64>() / windows).max(1);
        let children = u64::try_from(self.children.len()).unwrap_or(u64::MAX);
        u8::try_from((LOAD.1 * 1000 / load).saturating_sub(children)).unwrap_or(u8::MAX).min(ROOM.1)
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
