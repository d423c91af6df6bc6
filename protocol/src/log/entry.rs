//! One update as a log holds it: with the tiles it paints, and its form for viewers that want another order of colours.

use crate::tiles::TileSet;
use crate::update::{Picture, Update};
use std::sync::OnceLock;

/// An update in a log, shared by all who send it.
#[derive(Debug)]
pub struct Entry {
    update: Update,
    tiles: TileSet,
    rgb: OnceLock<Option<Picture>>,
}

impl Entry {
    pub(super) fn new(update: Update, tiles: TileSet) -> Self {
        Self { update, tiles, rgb: OnceLock::new() }
    }

    /// The update.
    pub fn update(&self) -> &Update {
        &self.update
    }

    /// The tiles it paints; none for a new screen.
    pub fn tiles(&self) -> &TileSet {
        &self.tiles
    }

    /// Its share of bytes per tile.
    pub fn share_bytes(&self) -> usize {
        self.update.cost_bytes() / self.tiles.len().max(1)
    }

    /// The RGB form of its pixels: made by `recode` when first wanted, then shared by all readers. `None` when `recode` gave none.
    pub fn rgb(&self, recode: impl FnOnce() -> Option<Picture>) -> Option<&Picture> {
        self.rgb.get_or_init(recode).as_ref()
    }
}
