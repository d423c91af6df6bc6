//! The compressed side of an update: DEFLATE data from an empty window, one dictionary for all its rectangles, every rectangle
//! ended at a byte boundary, never finished.

use super::block::{BitWriter, MAX_STORED_BYTES};
use super::codes::Codes;
use super::lz::{Matcher, Sequence};
use super::max_tile_bytes;
use super::tile_encoder::TileEncoder;
use super::{TILE_AREA, cpixel};
use crate::framebuffer::Framebuffer;
use crate::tiles::TileSet;

/// Tile bytes of a whole frame from which speed counts more than size.
const LARGE_BYTES: usize = 1 << 20;
/// Tile bytes of a whole update below which compression gains nothing.
const STORED_BELOW_BYTES: usize = 100;
/// Tile bytes of a block: about one tile of pixels as they are, so that each photograph gets codes of its own.
const BLOCK_BYTES: usize = 16_000;
/// One of so many tiles is encoded to estimate a frame.
const SAMPLE_STEP: usize = 16;

/// How much work compression is worth, decided by the tile bytes of a whole frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Above about 1 MB: fast.
    Large,
    /// Up to about 1 MB: smaller.
    Small,
}

impl Effort {
    /// Decides for a frame whose changed tiles are `tiles`, by encoding a sample of them where their number leaves it open.
    pub fn of(fb: &Framebuffer, tiles: &TileSet) -> Self {
        let most = max_tile_bytes(TILE_AREA, 3);
        if fb.size() != tiles.grid().size() || tiles.len() * most <= LARGE_BYTES {
            return Self::Small;
        }
        let (mut encoder, mut sample) = (TileEncoder::new(), Vec::new());
        for tile in tiles.iter().step_by(SAMPLE_STEP) {
            encoder.encode(fb, tiles.grid().tile(tile), &cpixel::Bgr, &mut sample);
        }
        Self::of_bytes(sample.len() * SAMPLE_STEP)
    }

    /// Decides for so many tile bytes.
    pub(super) fn of_bytes(tile_bytes: usize) -> Self {
        if tile_bytes < LARGE_BYTES { Self::Small } else { Self::Large }
    }
}

/// Writes the compressed data of updates.
pub(super) struct Deflater {
    fast: Matcher<1>,
    thorough: Matcher<2>,
    sequences: Vec<Sequence>,
    fixed: Codes,
    way: Way,
}

/// How an update is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Stored,
    Fast,
    Thorough,
}

impl Deflater {
    pub(super) fn new() -> Self {
        Self { fast: Matcher::new(), thorough: Matcher::new(), sequences: Vec::new(), fixed: Codes::fixed(), way: Way::Stored }
    }

    /// Begins an update of so many tile bytes with an empty window.
    pub(super) fn begin(&mut self, effort: Effort, tile_bytes: usize) {
        self.way = match effort {
            _ if tile_bytes < STORED_BELOW_BYTES => Way::Stored,
            Effort::Large => Way::Fast,
            Effort::Small => Way::Thorough,
        };
        match self.way {
            Way::Stored => (),
            Way::Fast => self.fast.begin(tile_bytes),
            Way::Thorough => self.thorough.begin(tile_bytes),
        }
    }

    /// Appends the data of the next rectangle, complete and ended at a byte boundary. `bytes` are the update's tile bytes from its
    /// beginning to the end of this rectangle, which begins at `start`.
    pub(super) fn rectangle(&mut self, bytes: &[u8], start: usize, out: &mut Vec<u8>) {
        if self.way == Way::Stored {
            return store(&bytes[start..], out);
        }
        let mut writer = BitWriter::new(out);
        for from in (start..bytes.len()).step_by(BLOCK_BYTES) {
            let block = from..bytes.len().min(from + BLOCK_BYTES);
            self.sequences.clear();
            match self.way {
                Way::Thorough => self.thorough.find(bytes, block.clone(), &mut self.sequences),
                _ => self.fast.find(bytes, block.clone(), &mut self.sequences),
            }
            writer.block(&bytes[block], &self.sequences, &self.fixed);
        }
        writer.finish();
    }
}

/// Appends bytes as stored blocks, which begin and end at a byte boundary.
pub(super) fn store(bytes: &[u8], out: &mut Vec<u8>) {
    for block in bytes.chunks(MAX_STORED_BYTES) {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
}
