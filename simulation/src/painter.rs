//! The pictures that the root shows: small frames of a small screen, numbered and stamped as a publisher does it.

use crate::random::Random;
use bytes::{BufMut, BytesMut};
use std::time::Duration;
use treevnc_protocol::geometry::{ScreenSizeError, Size};
use treevnc_protocol::tiles::{TILE_PX, TileGrid};
use treevnc_protocol::update::{Content, ENCODING_ZRLE, Picture, Screen, Seq, Update};

/// Tiles of the screen.
const COLUMNS: u16 = 4;
const ROWS: u16 = 3;
/// Bytes of a tile's data: the log never looks at them.
const TILE_BYTES: u32 = 24;
/// Most updates of a frame.
const MOST_UPDATES: usize = 2;

/// Makes frames.
#[derive(Debug)]
pub(crate) struct Painter {
    grid: TileGrid,
    random: Random,
    last: u64,
    content: u64,
}

impl Painter {
    pub(crate) fn new(seed: u64) -> Result<Self, ScreenSizeError> {
        let grid = TileGrid::new(Size::new(COLUMNS * TILE_PX, ROWS * TILE_PX)?);
        Ok(Self { grid, random: Random::new(seed), last: 0, content: 0 })
    }

    /// A new screen and its first, whole picture.
    pub(crate) fn screen(&mut self, now: Duration) -> Vec<(Update, Seq)> {
        let content = Content::Screen(Screen { size: self.grid.size(), name: "simulated".to_owned() });
        let screen = self.update(content, now);
        let tiles: Vec<usize> = (0..self.grid.tile_count()).collect();
        let picture = self.picture(&tiles);
        let picture = self.update(Content::Picture(picture), now);
        let until = picture.seq;
        vec![(screen, Seq::NONE), (picture, until)]
    }

    /// The next frame.
    pub(crate) fn frame(&mut self, now: Duration) -> Vec<(Update, Seq)> {
        let count = self.grid.tile_count();
        let mut left: Vec<usize> = (0..count).filter(|_| self.random.chance(25)).collect();
        if left.is_empty() {
            left.push(self.random.below(count));
        }
        let updates = 1 + self.random.below(MOST_UPDATES.min(left.len()));
        let mut frame = Vec::with_capacity(updates);
        for n in 1..=updates {
            let tiles = if n == updates { std::mem::take(&mut left) } else { vec![left.remove(0)] };
            let picture = self.picture(&tiles);
            let update = self.update(Content::Picture(picture), now);
            let until = if n == updates { update.seq } else { Seq::NONE };
            frame.push((update, until));
        }
        frame
    }

    fn update(&mut self, content: Content, now: Duration) -> Update {
        self.last += 1;
        let check = matches!(content, Content::Picture(_)) && self.random.chance(5);
        Update { seq: Seq(self.last), sent: now, check, content }
    }

    fn picture(&mut self, tiles: &[usize]) -> Picture {
        let mut out = BytesMut::new();
        for &tile in tiles {
            let rect = self.grid.tile(tile);
            [rect.x, rect.y, rect.width, rect.height].into_iter().for_each(|field| out.put_u16(field));
            out.put_i32(ENCODING_ZRLE);
            out.put_u32(TILE_BYTES);
            self.content += 1;
            out.put_u64(self.content);
            out.put_bytes(0, TILE_BYTES as usize - 8);
        }
        Picture::new(u16::try_from(tiles.len()).unwrap_or(u16::MAX), out.freeze())
    }
}
