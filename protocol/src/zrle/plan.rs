//! Which encoded tiles make the next update: rectangles of whole tiles, and the guess at how many bytes they will take.

use super::tile_encoder::Kind;
use crate::tiles::Block;
use crate::update::RECT_HEADER_BYTES;
use std::ops::Range;

/// Compressed bytes an update should have when there is enough for several.
pub(super) const AIM_BYTES: usize = 32 * 1024;

/// A tile that was encoded.
pub(super) struct EncodedTile {
    /// Where it ends in the encoder's bytes.
    pub(super) end: usize,
    pub(super) kind: Kind,
    /// The compressed bytes it will probably take.
    pub(super) cost: usize,
}

/// A rectangle of an update and its tiles, in the numbers of the encoder's list.
pub(super) struct Part {
    pub(super) block: Block,
    pub(super) tiles: Range<usize>,
}

/// The update that is being put together.
#[derive(Default)]
pub(super) struct Plan {
    parts: Vec<Part>,
    cost: usize,
    /// The first tile that is not planned yet.
    next: usize,
}

impl Plan {
    /// The planned tiles.
    pub(super) fn tiles(&self) -> Range<usize> {
        self.parts.first().map_or(self.next, |part| part.tiles.start)..self.next
    }

    /// Whether the update comes closer to its aim with so many bytes more.
    pub(super) fn has_room(&self, cost: usize) -> bool {
        self.parts.is_empty() || self.cost + cost / 2 <= AIM_BYTES
    }

    /// Adds the next tiles, to the last rectangle where both together are one.
    pub(super) fn add(&mut self, block: Block, cost: usize) {
        let tiles = self.next..self.next + usize::from(block.columns) * usize::from(block.rows);
        self.next = tiles.end;
        self.cost += cost;
        let last = self.parts.last_mut().filter(|last| {
            let beside =
                last.block.rows == 1 && last.block.row == block.row && last.block.column + last.block.columns == block.column;
            let below = last.block.row + last.block.rows == block.row
                && (last.block.column, last.block.columns) == (block.column, block.columns);
            beside || below
        });
        if let Some(last) = last {
            if last.block.row == block.row {
                last.block.columns += block.columns;
            } else {
                last.block.rows += block.rows;
            }
            last.tiles.end = tiles.end;
        } else {
            self.cost += RECT_HEADER_BYTES;
            self.parts.push(Part { block, tiles });
        }
    }

    pub(super) fn take(&mut self) -> Vec<Part> {
        self.cost = 0;
        std::mem::take(&mut self.parts)
    }

    /// Renumbers the tiles so that the first planned one is 0.
    pub(super) fn rebase(&mut self) {
        let first = self.tiles().start;
        for part in &mut self.parts {
            part.tiles = part.tiles.start - first..part.tiles.end - first;
        }
        self.next -= first;
    }
}

/// Cuts an update in two of about as many tiles; `None` when it is a single tile.
pub(super) fn halves(parts: &[Part]) -> Option<(Vec<Part>, Vec<Part>)> {
    let copy = |part: &Part| Part { block: part.block, tiles: part.tiles.clone() };
    let [single] = parts else {
        let (before, after) = parts.split_at(parts.len() / 2);
        return (!parts.is_empty()).then(|| (before.iter().map(copy).collect(), after.iter().map(copy).collect()));
    };
    let Block { column, row, columns, rows } = single.block;
    let (before, after) = if rows > 1 {
        (Block { rows: rows / 2, ..single.block }, Block { row: row + rows / 2, rows: rows - rows / 2, ..single.block })
    } else if columns > 1 {
        let left = columns / 2;
        (Block { columns: left, ..single.block }, Block { column: column + left, columns: columns - left, ..single.block })
    } else {
        return None;
    };
    let middle = single.tiles.start + usize::from(before.columns) * usize::from(before.rows);
    let (first, second) = (single.tiles.start..middle, middle..single.tiles.end);
    Some((vec![Part { block: before, tiles: first }], vec![Part { block: after, tiles: second }]))
}

/// Compressed bytes per 1024 tile bytes, for each kind of tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ratios {
    raw: usize,
    structured: usize,
}

impl Ratios {
    const ONE: usize = 1024;
    /// Shorter updates say more about their headers than about their content.
    const MIN_BYTES: usize = 2048;

    pub(super) fn new() -> Self {
        Self { raw: 750, structured: 330 }
    }

    pub(super) fn cost(self, kind: Kind, bytes: usize) -> usize {
        let ratio = match kind {
            Kind::Raw => self.raw,
            Kind::Structured => self.structured,
        };
        bytes * ratio / Self::ONE + 1
    }

    /// Moves the ratio of the kind that made up most of an update half way to what was found.
    pub(super) fn learn(&mut self, tiles: &[EncodedTile], bytes: usize) {
        let expected: usize = tiles.iter().map(|tile| tile.cost).sum();
        if bytes < Self::MIN_BYTES {
            return;
        }
        let raw: usize = tiles.iter().filter(|tile| tile.kind == Kind::Raw).map(|tile| tile.cost).sum();
        let ratio = if raw > expected / 2 { &mut self.raw } else { &mut self.structured };
        let found = *ratio * bytes / expected.max(1);
        *ratio = usize::midpoint(*ratio, found).clamp(Self::ONE / 64, Self::ONE + Self::ONE / 64);
    }
}
