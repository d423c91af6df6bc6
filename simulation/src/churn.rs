//! A churn: nodes come and go, hosts and links have their troubles, by chance and at given rates.

use crate::actor::Actor;
use crate::agenda::Event;
use crate::losses::Kind;
use crate::world::World;
use std::time::Duration;

/// How often chance looks for somebody who is fit for what is to happen to him.
const TRIES: usize = 8;
/// Most hosts that are cut off together, and most of all in percent.
const MOST_PARTED: usize = 20;
const MOST_PARTED_PERCENT: usize = 5;

impl World {
    /// So many things happen from now on.
    pub(crate) fn start_churn(&mut self, events: usize) {
        self.churn_left = events;
        self.network.after(Duration::ZERO, Event::Churn);
    }

    /// The next thing of a churn.
    pub(crate) fn churn(&mut self) {
        if self.churn_left == 0 {
            return;
        }
        self.churn_left -= 1;
        self.tally.events += 1;
        self.something();
        let thousands = f64::from(u32::try_from(self.settings.nodes).unwrap_or(u32::MAX)) / 1000.0;
        let wait = self.random.interval(self.settings.events_per_second * thousands);
        self.network.after(wait, Event::Churn);
    }

    fn something(&mut self) {
        let rates = self.settings.rates;
        let departures = rates.leave + rates.crash + rates.vanish;
        let kinds = [
            rates.leave,
            rates.crash,
            rates.vanish,
            rates.stall,
            rates.cut,
            rates.reset,
            rates.narrow,
            rates.slow,
            rates.partition,
        ];
        // As many come as go, and more of them when there are few.
        let (wanted, there) = (self.settings.nodes, self.alive().len());
        let joins = if there * 50 < wanted * 49 {
            departures * 10
        } else if there * 50 > wanted * 51 {
            0
        } else {
            departures
        };
        let total = joins + kinds.iter().sum::<u32>();
        let mut dice = u32::try_from(self.random.below(total as usize)).unwrap_or(0);
        if dice < joins || there == 0 {
            return self.join();
        }
        dice -= joins;
        let mut kind = 0;
        while let Some(&weight) = kinds.get(kind).filter(|weight| **weight <= dice) {
            dice -= weight;
            kind += 1;
        }
        if let Some(actor) = self.somebody() {
            self.happens(kind, actor);
        }
    }

    fn happens(&mut self, kind: usize, actor: Actor) {
        let millis = Duration::from_millis;
        match kind {
            0 => self.leave(actor),
            1 => self.crash(actor),
            2 => self.vanish(Kind::Vanished, &[actor]),
            3 => {
                // Half of them are so short that nobody should mind.
                let (least, most) = if self.random.chance(50) { (50, 500) } else { (1000, 20_000) };
                let wait = self.random.between(millis(least), millis(most));
                self.stall(actor, wait);
            }
            4 => self.cut(actor),
            5 => self.reset(actor),
            6 => {
                let rate = self.narrow_rate();
                let wait = self.random.between(millis(2000), millis(30_000));
                self.narrow(actor, rate, wait);
            }
            7 => {
                let rate = self.narrow_rate();
                let wait = self.random.between(millis(5000), millis(60_000));
                self.slow_down(actor, rate, wait);
            }
            _ => self.someone_is_parted(actor),
        }
    }

    /// Bytes per second of a link that is too narrow, or hardly wide enough.
    fn narrow_rate(&mut self) -> u32 {
        20_000 + u32::try_from(self.random.below(100_000)).unwrap_or(0)
    }

    fn someone_is_parted(&mut self, first: Actor) {
        let most = MOST_PARTED.min(self.alive().len() * MOST_PARTED_PERCENT / 100).max(1);
        let count = 1 + self.random.below(most);
        let mut actors = vec![first];
        actors.extend((1..count).filter_map(|_| self.somebody()));
        actors.sort_unstable();
        actors.dedup();
        let wait = self.random.between(Duration::from_millis(300), Duration::from_secs(15));
        self.part(actors, wait);
    }

    /// A node that is in no trouble yet, by chance.
    pub(crate) fn somebody(&mut self) -> Option<Actor> {
        (0..TRIES).find_map(|_| self.someone().filter(|actor| self.is_at_large(*actor)))
    }
}
