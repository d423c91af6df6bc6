//! Encodes dirty tiles of a picture as updates: few, large rectangles, cut so that every update has about 32 KiB
//! and never more than [`MAX_RECTS_BYTES`]. How far tile bytes will shrink is estimated from what they did before; an update
//! that comes out too large all the same is cut in two and compressed again.

use super::cpixel::Bgr;
use super::deflate::{Deflater, Effort};
use super::plan::{AIM_BYTES, EncodedTile, Part, Plan, Ratios, halves};
use super::tile_encoder::TileEncoder;
use crate::framebuffer::Framebuffer;
use crate::geometry::Rect;
use crate::tiles::{Block, TileGrid, TileSet};
use crate::update::{ENCODING_ZRLE, MAX_RECTS_BYTES, Picture, RECT_HEADER_BYTES};
use bytes::Bytes;
use std::ops::Range;

/// A row of tiles above this is cut horizontally.
const MAX_ROW_BYTES: usize = AIM_BYTES + AIM_BYTES / 4;
/// Most tile bytes of an update before compression, so that it stays in the processor's cache.
const MAX_TILE_BYTES: usize = 512 * 1024;

/// Makes updates of a picture. Keeps its scratch space and what it learned about compression from one call to the next.
pub struct Encoder {
    tile_encoder: TileEncoder,
    deflater: Deflater,
    ratios: [Ratios; 2],
    /// Encoded tiles that are not yet sent, in the order of `tiles`.
    bytes: Vec<u8>,
    tiles: Vec<EncodedTile>,
    plan: Plan,
    out: Vec<u8>,
}

impl Encoder {
    /// An encoder with empty scratch space.
    pub fn new() -> Self {
        Self {
            tile_encoder: TileEncoder::new(),
            deflater: Deflater::new(),
            ratios: [Ratios::new(); 2],
            bytes: Vec::new(),
            tiles: Vec::new(),
            plan: Plan::default(),
            out: Vec::new(),
        }
    }

    /// Encodes those tiles of a picture, from top to bottom, each exactly once; hands every update to `sink` as soon as it is
    /// ready. Makes nothing when there is no tile or the tiles belong to a picture of another size.
    pub fn encode(&mut self, fb: &Framebuffer, tiles: &TileSet, sink: &mut dyn FnMut(Picture)) {
        self.encode_part(fb, tiles, Effort::of(fb, tiles), sink);
    }

    /// Encodes a part of a frame, such as one of its [`bands`], with the effort decided for the whole frame.
    pub fn encode_part(&mut self, fb: &Framebuffer, tiles: &TileSet, effort: Effort, sink: &mut dyn FnMut(Picture)) {
        let grid = tiles.grid();
        if fb.size() != grid.size() {
            return;
        }
        for block in tiles.blocks() {
            for row in block.row..block.row + block.rows {
                self.row(fb, grid, Block { row, rows: 1, ..block }, effort, sink);
            }
        }
        self.flush(grid, effort, sink);
        self.compact();
    }

    /// The bytes those tiles take before compression; nothing when they belong to a picture of another size.
    pub fn tile_bytes(&mut self, fb: &Framebuffer, tiles: &TileSet) -> usize {
        let grid = tiles.grid();
        let mut total = 0;
        for tile in tiles.iter().filter(|_| fb.size() == grid.size()) {
            self.out.clear();
            self.tile_encoder.encode(fb, grid.tile(tile), &Bgr, &mut self.out);
            total += self.out.len();
        }
        total
    }

    /// Adds one row of tiles of a block, whole if it is small enough, else tile by tile.
    fn row(&mut self, fb: &Framebuffer, grid: TileGrid, row: Block, effort: Effort, sink: &mut dyn FnMut(Picture)) {
        self.compact();
        let first = self.tiles.len();
        let ratios = self.ratios[effort as usize];
        for column in row.column..row.column + row.columns {
            let start = self.bytes.len();
            let kind = self.tile_encoder.encode(fb, grid.block(column, row.row, 1, 1), &Bgr, &mut self.bytes);
            let length = self.bytes.len() - start;
            self.tiles.push(EncodedTile { end: self.bytes.len(), kind, cost: ratios.cost(kind, length) });
        }
        let cost = self.tiles[first..].iter().map(|tile| tile.cost).sum();
        if cost <= MAX_ROW_BYTES {
            self.add(grid, row, cost, effort, sink);
            return;
        }
        for (column, tile) in (row.column..row.column + row.columns).zip(first..) {
            let cost = self.tiles[tile].cost;
            self.add(grid, Block { column, columns: 1, ..row }, cost, effort, sink);
        }
    }

    /// Plans the next tiles, after sending what is planned if they are not for the same update.
    fn add(&mut self, grid: TileGrid, block: Block, cost: usize, effort: Effort, sink: &mut dyn FnMut(Picture)) {
        let bytes = self.bytes_of(self.plan.tiles());
        if !self.plan.has_room(cost) || bytes.len() > MAX_TILE_BYTES {
            self.flush(grid, effort, sink);
        }
        self.plan.add(block, cost);
    }

    /// Sends what is planned.
    fn flush(&mut self, grid: TileGrid, effort: Effort, sink: &mut dyn FnMut(Picture)) {
        let mut waiting = vec![self.plan.take()];
        while let Some(parts) = waiting.pop().filter(|parts| !parts.is_empty()) {
            self.write(grid, &parts, effort);
            if self.out.len() > MAX_RECTS_BYTES
                && let Some((before, after)) = halves(&parts)
            {
                waiting.extend([after, before]);
                continue;
            }
            let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
            sink(Picture::new(count, Bytes::copy_from_slice(&self.out)));
        }
    }

    /// Writes one update of those rectangles to `out`, and learns from its length.
    fn write(&mut self, grid: TileGrid, parts: &[Part], effort: Effort) {
        let all = parts.first().map_or(0, |part| part.tiles.start)..parts.last().map_or(0, |part| part.tiles.end);
        let start = self.bytes_of(all.clone()).start;
        self.deflater.begin(effort, self.bytes_of(all.clone()).len());
        self.out.clear();
        for part in parts {
            let rect = grid.block(part.block.column, part.block.row, part.block.columns, part.block.rows);
            let bytes = self.bytes_of(part.tiles.clone());
            let header = self.out.len();
            write_header(rect, &mut self.out);
            self.deflater.rectangle(&self.bytes[start..bytes.end], bytes.start - start, &mut self.out);
            write_length(header, &mut self.out);
        }
        self.ratios[effort as usize].learn(&self.tiles[all], self.out.len() - parts.len() * RECT_HEADER_BYTES);
    }

    /// The bytes of a range of tiles.
    fn bytes_of(&self, tiles: Range<usize>) -> Range<usize> {
        let end = |count: usize| count.checked_sub(1).and_then(|last| self.tiles.get(last)).map_or(0, |tile| tile.end);
        end(tiles.start)..end(tiles.end)
    }

    /// Forgets the tiles that were sent.
    fn compact(&mut self) {
        let sent = self.plan.tiles().start;
        let bytes = self.bytes_of(0..sent).end;
        self.bytes.drain(..bytes);
        self.tiles.drain(..sent);
        self.tiles.iter_mut().for_each(|tile| tile.end -= bytes);
        self.plan.rebase();
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends a rectangle's header with a length of zero.
pub(super) fn write_header(rect: Rect, out: &mut Vec<u8>) {
    for field in [rect.x, rect.y, rect.width, rect.height] {
        out.extend_from_slice(&field.to_be_bytes());
    }
    out.extend_from_slice(&ENCODING_ZRLE.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
}

/// Enters the length of the data after the header that begins at `header`.
pub(super) fn write_length(header: usize, out: &mut [u8]) {
    let length = out.len().saturating_sub(header + RECT_HEADER_BYTES);
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(header + RECT_HEADER_BYTES - 4..header + RECT_HEADER_BYTES) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

/// Parts a frame into at most `count` bands of whole tile rows with about as many tiles each, to be encoded side by side.
pub fn bands(tiles: &TileSet, count: usize) -> Vec<TileSet> {
    let grid = tiles.grid();
    let mut bands: Vec<TileSet> = Vec::new();
    let (total, count) = (tiles.len(), count.max(1));
    let mut taken = 0;
    for row in 0..grid.rows() {
        let in_row = (grid.index(0, row)..grid.index(0, row) + usize::from(grid.columns())).filter(|&tile| tiles.contains(tile));
        let before = taken;
        for tile in in_row {
            // A row belongs to the band in which its first tile falls.
            if bands.len() * total <= before * count && taken == before {
                bands.push(TileSet::new(grid));
            }
            if let Some(band) = bands.last_mut() {
                band.insert(tile);
            }
            taken += 1;
        }
    }
    bands
}
