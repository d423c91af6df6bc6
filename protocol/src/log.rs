//! The live updates of the current screen (DESIGN idea B): every node has one, every consumer is a [`Cursor`] into it.
//! Owns which updates are still needed and what a reader is sent next; never decodes a pixel, never waits.

mod cursor;
mod entry;
pub mod memory;
#[cfg(test)]
mod simulation;

pub use cursor::{Batch, Cursor};
pub use entry::Entry;

use crate::tiles::{TileGrid, TileSet};
use crate::update::{Content, Screen, Seq, SessionId, Update, UpdateError};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

/// The live updates of one session.
///
/// In: [`append`](Self::append), in the order of their numbers. Out: [`take_batch`](Self::take_batch), for any number of readers.
///
/// A *complete point* is a number up to which the updates here are a whole picture. The log keeps the updates that are live as of
/// the last complete point; newer ones wait behind them (the *tail*) and take effect together when the next complete point is
/// reached. So whatever is cut off, a reader is always offered a whole picture.
///
/// INVARIANT: every tile of the screen that was ever painted has exactly one owner, and an update is held as long as it owns a
/// tile, is the screen's beginning, or is the newest CHECK_DELAY.
#[derive(Debug)]
pub struct ScreenLog {
    session: SessionId,
    /// The last complete point.
    complete: Seq,
    /// The newest update received.
    head: Seq,
    /// The largest `until` seen: the next complete point while `head` is below it.
    target: Seq,
    held: BTreeMap<Seq, Held>,
    tail: Vec<Arc<Entry>>,
    screen: Option<(Screen, TileGrid)>,
    /// The screen that the newest update belongs to; differs from `screen` while a new one is on its way.
    tail_screen: Option<TileGrid>,
    owners: Vec<Seq>,
    check: Option<Seq>,
    held_bytes: usize,
    live_bytes: usize,
    dropped: Vec<Weak<Entry>>,
}

#[derive(Debug)]
struct Held {
    entry: Arc<Entry>,
    owned_tiles: usize,
}

impl ScreenLog {
    /// The empty log of a session.
    pub fn new(session: SessionId) -> Self {
        Self {
            session,
            complete: Seq::NONE,
            head: Seq::NONE,
            target: Seq::NONE,
            held: BTreeMap::new(),
            tail: Vec::new(),
            screen: None,
            tail_screen: None,
            owners: Vec::new(),
            check: None,
            held_bytes: 0,
            live_bytes: 0,
            dropped: Vec::new(),
        }
    }

    /// The session whose numbers are used here.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The last complete point: a reader there shows a whole picture. [`Seq::NONE`] before the first.
    pub fn complete(&self) -> Seq {
        self.complete
    }

    /// The newest update received.
    pub fn head(&self) -> Seq {
        self.head
    }

    /// The screen as of the last complete point.
    pub fn screen(&self) -> Option<&Screen> {
        self.screen.as_ref().map(|(screen, _)| screen)
    }

    /// Adds the next update, with its sender's stamp `until`. Answers whether it was new: one at or below [`head`](Self::head) is
    /// dropped. An update that does not fit the screen, or a stamp below its own number, is an error and changes nothing.
    pub fn append(&mut self, update: Update, until: Seq) -> Result<bool, UpdateError> {
        if !self.is_new(update.seq, until)? {
            return Ok(false);
        }
        let tiles = match &update.content {
            Content::Screen(screen) => TileSet::new(TileGrid::new(screen.size)),
            Content::Picture(picture) => picture.tiles(self.tail_screen.ok_or(UpdateError::NoScreen)?)?,
        };
        self.hold(Arc::new(Entry::new(update, tiles)), until);
        Ok(true)
    }

    /// Adds the next update as [`append`](Self::append) does, from another log of the same session, which goes on holding it: many logs
    /// in one process share what is equal in all of them.
    pub fn append_shared(&mut self, entry: &Arc<Entry>, until: Seq) -> Result<bool, UpdateError> {
        let is_screen = matches!(entry.update().content, Content::Screen(_));
        if !is_screen && self.tail_screen != Some(entry.tiles().grid()) {
            return self.append(entry.update().clone(), until);
        }
        let is_new = self.is_new(entry.update().seq, until)?;
        if is_new {
            self.hold(Arc::clone(entry), until);
        }
        Ok(is_new)
    }

    /// Whether an update of that number is new; its stamp must not be below it then.
    fn is_new(&self, seq: Seq, until: Seq) -> Result<bool, UpdateError> {
        if seq > self.head && until != Seq::NONE && until < seq {
            return Err(UpdateError::Until(seq, until));
        }
        Ok(seq > self.head)
    }

    /// Takes in the next update.
    fn hold(&mut self, entry: Arc<Entry>, until: Seq) {
        if matches!(entry.update().content, Content::Screen(_)) {
            self.tail_screen = Some(entry.tiles().grid());
        }
        self.head = entry.update().seq;
        self.target = self.target.max(until);
        self.tail.push(entry);
        if self.head == self.target {
            self.complete_tail();
        }
    }

    /// All updates that are live as of the last complete point, in order: painting them one after the other gives the picture.
    pub fn live(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.held.values().map(|held| &held.entry)
    }

    /// The update at the last complete point.
    pub fn newest(&self) -> Option<&Arc<Entry>> {
        self.held.last_key_value().map(|(_, held)| &held.entry)
    }

    /// What a tile of the screen costs: its part of the newest complete update that painted it; 0 where there is none.
    pub fn share_bytes(&self, tile: usize) -> usize {
        let owner = self.owners.get(tile).and_then(|owner| self.held.get(owner));
        owner.map_or(0, |held| held.entry.share_bytes())
    }

    /// Makes the tail take effect: the head becomes the complete point.
    fn complete_tail(&mut self) {
        for entry in std::mem::take(&mut self.tail) {
            match &entry.update().content {
                Content::Screen(screen) => self.begin_screen(screen.clone(), &entry),
                Content::Picture(_) => self.supersede(&entry),
            }
            let seq = entry.update().seq;
            if entry.update().check {
                let older = self.check.replace(seq);
                older.into_iter().for_each(|older| self.drop_if_unneeded(older));
            }
        }
        self.complete = self.head;
    }

    fn begin_screen(&mut self, screen: Screen, entry: &Arc<Entry>) {
        for held in std::mem::take(&mut self.held).into_values() {
            self.remember_dropped(&held.entry);
        }
        let grid = TileGrid::new(screen.size);
        self.owners = vec![Seq::NONE; grid.tile_count()];
        self.screen = Some((screen, grid));
        self.check = None;
        self.held_bytes = entry.update().cost_bytes();
        self.live_bytes = self.held_bytes;
        self.held.insert(entry.update().seq, Held { entry: Arc::clone(entry), owned_tiles: 0 });
    }

    fn supersede(&mut self, entry: &Arc<Entry>) {
        let seq = entry.update().seq;
        let mut losers = Vec::new();
        for tile in entry.tiles().iter() {
            let Some(owner) = self.owners.get_mut(tile) else { continue };
            let loser = std::mem::replace(owner, seq);
            if let Some(held) = self.held.get_mut(&loser) {
                held.owned_tiles -= 1;
                self.live_bytes -= held.entry.share_bytes();
                if held.owned_tiles == 0 {
                    losers.push(loser);
                }
            }
        }
        self.held_bytes += entry.update().cost_bytes();
        self.live_bytes += entry.share_bytes() * entry.tiles().len();
        self.held.insert(seq, Held { entry: Arc::clone(entry), owned_tiles: entry.tiles().len() });
        losers.into_iter().for_each(|loser| self.drop_if_unneeded(loser));
    }

    fn drop_if_unneeded(&mut self, seq: Seq) {
        let needed = |held: &Held| held.owned_tiles > 0 || matches!(held.entry.update().content, Content::Screen(_));
        if self.check == Some(seq) || self.held.get(&seq).is_none_or(needed) {
            return;
        }
        if let Some(held) = self.held.remove(&seq) {
            self.held_bytes -= held.entry.update().cost_bytes();
            self.remember_dropped(&held.entry);
        }
    }
}

#[cfg(test)]
mod tests;
