//! The compressed side of an update: DEFLATE data from an empty window, one dictionary for all its rectangles, every rectangle
//! ended at a byte boundary, never finished.

use super::max_tile_bytes;
use super::tile_encoder::TileEncoder;
use super::{TILE_AREA, cpixel};
use crate::framebuffer::Framebuffer;
use crate::tiles::TileSet;
use flate2::{Compress, Compression, FlushCompress};

/// Tile bytes of a whole frame from which speed counts more than size.
const LARGE_BYTES: usize = 1 << 20;
/// Tile bytes of a whole update below which compression gains nothing.
const STORED_BELOW_BYTES: usize = 100;
/// Most bytes of a stored block (RFC 1951 section 3.2.4).
const MAX_STORED_BLOCK: usize = 65_535;
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

    fn level(self) -> Compression {
        match self {
            Self::Large => Compression::new(1),
            Self::Small => Compression::new(3),
        }
    }
}

/// Writes the compressed data of updates.
pub(super) struct Deflater {
    compress: Compress,
    effort: Effort,
    /// Whether this update is written without compression.
    stored: bool,
}

impl Deflater {
    pub(super) fn new() -> Self {
        let effort = Effort::Small;
        Self { compress: Compress::new(effort.level(), false), effort, stored: false }
    }

    /// Begins an update of so many tile bytes with an empty window.
    pub(super) fn begin(&mut self, effort: Effort, tile_bytes: usize) {
        self.stored = tile_bytes < STORED_BELOW_BYTES;
        if self.stored {
            return;
        }
        self.compress.reset();
        if effort != self.effort {
            self.stored = self.compress.set_level(effort.level()).is_err();
            self.effort = effort;
        }
    }

    /// Appends a rectangle's data, complete and ended at a byte boundary.
    pub(super) fn rectangle(&mut self, tiles: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        if !self.stored {
            self.stored = !self.deflate(tiles, out);
        }
        // A stored rectangle leaves the same window behind as a compressed one, so the next may still be compressed.
        let overhead = stored_overhead(tiles.len());
        if self.stored || out.len() - start > tiles.len() + overhead {
            out.truncate(start);
            store(tiles, out);
        }
    }

    /// Whether the compressor took all of it. After a failure its window is not what the reader has, and the rest of the update
    /// is stored.
    fn deflate(&mut self, tiles: &[u8], out: &mut Vec<u8>) -> bool {
        let end = self.compress.total_in() + tiles.len() as u64;
        let mut rest = tiles;
        loop {
            // Level 1 may take 9 bits for a byte; with this much room one turn is the rule.
            out.reserve(rest.len() + rest.len() / 7 + 64);
            let before = (self.compress.total_in(), self.compress.total_out());
            if self.compress.compress_vec(rest, out, FlushCompress::Sync).is_err() {
                return false;
            }
            let left = usize::try_from(end - self.compress.total_in()).unwrap_or(0);
            rest = &tiles[tiles.len() - left..];
            if rest.is_empty() && out.len() < out.capacity() {
                return true;
            }
            if before == (self.compress.total_in(), self.compress.total_out()) {
                return false;
            }
        }
    }
}

fn stored_overhead(bytes: usize) -> usize {
    5 * bytes.div_ceil(MAX_STORED_BLOCK).max(1)
}

/// Appends bytes as stored blocks, which begin and end at a byte boundary.
pub(super) fn store(bytes: &[u8], out: &mut Vec<u8>) {
    for block in bytes.chunks(MAX_STORED_BLOCK) {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
}
