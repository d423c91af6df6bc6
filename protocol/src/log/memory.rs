//! What a log costs, and what its owner must encode again to keep it small (DESIGN section 5, rule 4).

use super::{Entry, Held, ScreenLog};
use crate::tiles::{TileGrid, TileSet};
use crate::update::Seq;
use std::sync::{Arc, Weak};

/// Bytes that a log may always hold beyond its live tiles' shares.
pub const SLACK_BYTES: usize = 64 * 1024;
/// How many times its live tiles' shares a log may hold before tiles are encoded again.
pub const MOST_TIMES_LIVE: usize = 3;
/// How many times its live tiles' shares a log holds at most after tiles were encoded again.
pub const AFTER_TIMES_LIVE: usize = 2;

impl ScreenLog {
    /// Bytes of the updates held as of the complete point.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// The live tiles' shares of these bytes.
    pub fn live_bytes(&self) -> usize {
        self.live_bytes
    }

    /// Bytes of updates that this log has dropped and a batch still holds.
    pub fn batch_only_bytes(&mut self) -> usize {
        self.dropped.retain(|entry| entry.strong_count() > 0);
        self.dropped.iter().filter_map(Weak::upgrade).map(|entry| entry.update().cost_bytes()).sum()
    }

    /// The tiles to encode and publish again so that the updates they come from can go: the live tiles of the deadest updates, when
    /// the log holds more than [`MOST_TIMES_LIVE`] times its live shares and [`SLACK_BYTES`]. For the root; nodes follow by what they receive.
    pub fn tiles_to_encode_again(&self) -> Option<TileSet> {
        let (_, grid) = self.screen.as_ref()?;
        if self.held_bytes <= MOST_TIMES_LIVE * self.live_bytes + SLACK_BYTES {
            return None;
        }
        let mut candidates: Vec<(&Seq, &Held)> =
            self.held.iter().filter(|(_, held)| held.owned_tiles > 0 && dead_bytes(held) > 0).collect();
        candidates.sort_by_key(|(seq, held)| (held.owned_tiles * 1000 / held.entry.tiles().len().max(1), **seq));
        let mut after = self.held_bytes;
        let mut chosen = TileSet::new(*grid);
        for (&seq, held) in candidates {
            if after <= AFTER_TIMES_LIVE * self.live_bytes {
                break;
            }
            after -= dead_bytes(held);
            chosen.extend(self.owned_by(seq, *grid));
        }
        Some(chosen).filter(|tiles| !tiles.is_empty())
    }

    fn owned_by(&self, seq: Seq, grid: TileGrid) -> impl Iterator<Item = usize> + '_ {
        (0..grid.tile_count()).filter(move |&tile| self.owners.get(tile) == Some(&seq))
    }

    pub(super) fn remember_dropped(&mut self, entry: &Arc<Entry>) {
        if Arc::strong_count(entry) > 1 {
            if self.dropped.len().is_power_of_two() {
                self.dropped.retain(|entry| entry.strong_count() > 0);
            }
            self.dropped.push(Arc::downgrade(entry));
        }
    }
}

fn dead_bytes(held: &Held) -> usize {
    held.entry.update().cost_bytes() - held.entry.share_bytes() * held.owned_tiles
}
