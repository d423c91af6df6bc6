//! The 64x64 tile grid of a screen and sets of tiles: the grain of damage, of encoding and of the log.

use crate::geometry::{Rect, Size};

/// Side of a tile in pixels (RFC 6143 section 7.7.6).
pub const TILE_PX: u16 = 64;

/// The tiles of a screen, numbered row by row; those at the right and lower edge are clipped by the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileGrid {
    size: Size,
    columns: u16,
    rows: u16,
}

impl TileGrid {
    /// The grid of a screen.
    pub fn new(size: Size) -> Self {
        Self { size, columns: size.width().div_ceil(TILE_PX), rows: size.height().div_ceil(TILE_PX) }
    }

    /// The screen's size.
    pub fn size(self) -> Size {
        self.size
    }

    /// Tiles per row.
    pub fn columns(self) -> u16 {
        self.columns
    }

    /// Rows of tiles.
    pub fn rows(self) -> u16 {
        self.rows
    }

    /// Number of tiles.
    pub fn tile_count(self) -> usize {
        usize::from(self.columns) * usize::from(self.rows)
    }

    /// Number of the tile in that column and row, both within the grid.
    pub fn index(self, column: u16, row: u16) -> usize {
        usize::from(row) * usize::from(self.columns) + usize::from(column)
    }

    /// The pixels of a run of tiles: `columns` wide and `rows` high from (`column`, `row`), clipped by the screen.
    pub fn block(self, column: u16, row: u16, columns: u16, rows: u16) -> Rect {
        let (x, y) = (column * TILE_PX, row * TILE_PX);
        let clip = |start: u16, tiles: u16, end: u16| {
            u16::try_from((u32::from(tiles) * u32::from(TILE_PX)).min(u32::from(end.saturating_sub(start)))).unwrap_or(0)
        };
        Rect::new(x, y, clip(x, columns, self.size.width()), clip(y, rows, self.size.height()))
    }

    /// The pixels of one tile.
    pub fn tile(self, index: usize) -> Rect {
        let columns = usize::from(self.columns);
        let column = u16::try_from(index % columns).unwrap_or(u16::MAX);
        let row = u16::try_from(index / columns).unwrap_or(u16::MAX);
        self.block(column, row, 1, 1)
    }

    /// Whether a rectangle consists of whole tiles of this grid and lies inside the screen.
    pub fn is_aligned(self, rect: Rect) -> bool {
        let ends = |end: u32, limit: u16| end == u32::from(limit) || end.is_multiple_of(u32::from(TILE_PX));
        !rect.is_empty()
            && rect.is_within(self.size)
            && rect.x.is_multiple_of(TILE_PX)
            && rect.y.is_multiple_of(TILE_PX)
            && ends(rect.right(), self.size.width())
            && ends(rect.bottom(), self.size.height())
    }

    /// The numbers of all tiles that a rectangle touches, row by row; parts outside the screen touch none.
    pub fn touched(self, rect: Rect) -> impl Iterator<Item = usize> + use<> {
        let clipped = rect.intersection(self.size.rect()).unwrap_or(Rect::new(0, 0, 0, 0));
        let tile = u32::from(TILE_PX);
        let columns = usize::from(self.columns);
        let first = usize::from(clipped.x / TILE_PX);
        let last = if clipped.is_empty() { first } else { clipped.right().div_ceil(tile) as usize };
        let top = usize::from(clipped.y / TILE_PX);
        let bottom = if clipped.is_empty() { top } else { clipped.bottom().div_ceil(tile) as usize };
        (top..bottom).flat_map(move |row| (first..last).map(move |column| row * columns + column))
    }
}

/// A set of tiles of one grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileSet {
    grid: TileGrid,
    words: Vec<u64>,
}

impl TileSet {
    /// The empty set over a grid.
    pub fn new(grid: TileGrid) -> Self {
        Self { grid, words: vec![0; grid.tile_count().div_ceil(64)] }
    }

    /// All tiles of a grid.
    pub fn full(grid: TileGrid) -> Self {
        let mut all = Self::new(grid);
        all.extend(0..grid.tile_count());
        all
    }

    /// The grid it belongs to.
    pub fn grid(&self) -> TileGrid {
        self.grid
    }

    /// Adds a tile; says whether it was new. A number beyond the grid is ignored.
    pub fn insert(&mut self, tile: usize) -> bool {
        if tile >= self.grid.tile_count() {
            return false;
        }
        let before = self.contains(tile);
        if let Some(word) = self.words.get_mut(tile / 64) {
            *word |= 1 << (tile % 64);
        }
        !before
    }

    /// Takes a tile out.
    pub fn remove(&mut self, tile: usize) {
        if let Some(word) = self.words.get_mut(tile / 64) {
            *word &= !(1 << (tile % 64));
        }
    }

    /// Whether the tile is in the set.
    pub fn contains(&self, tile: usize) -> bool {
        self.words.get(tile / 64).is_some_and(|word| word >> (tile % 64) & 1 == 1)
    }

    /// Number of tiles in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether it holds no tile.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// The tiles in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            std::iter::successors((word != 0).then_some(word), |w| Some(w & (w - 1)).filter(|&w| w != 0))
                .map(move |w| at * 64 + w.trailing_zeros() as usize)
        })
    }

    /// Covers the set exactly with few, large blocks of tiles: runs of a row, joined with equal runs below.
    pub fn blocks(&self) -> Vec<Block> {
        let mut done: Vec<Block> = Vec::new();
        let mut open: Vec<Block> = Vec::new();
        for row in 0..self.grid.rows {
            let mut next = Vec::new();
            for (column, columns) in self.runs(row) {
                let above = open.iter().position(|b| b.column == column && b.columns == columns);
                let mut block = above.map_or(Block { column, row, columns, rows: 0 }, |at| open.swap_remove(at));
                block.rows += 1;
                next.push(block);
            }
            done.append(&mut open);
            open = next;
        }
        done.append(&mut open);
        done.sort_unstable_by_key(|block| (block.row, block.column));
        done
    }

    /// The runs of neighbouring tiles in a row as (first column, number of columns).
    fn runs(&self, row: u16) -> Vec<(u16, u16)> {
        let mut runs: Vec<(u16, u16)> = Vec::new();
        for column in 0..self.grid.columns {
            if self.contains(self.grid.index(column, row)) {
                match runs.last_mut() {
                    Some((first, columns)) if *first + *columns == column => *columns += 1,
                    _ => runs.push((column, 1)),
                }
            }
        }
        runs
    }
}

impl Extend<usize> for TileSet {
    fn extend<T: IntoIterator<Item = usize>>(&mut self, tiles: T) {
        for tile in tiles {
            self.insert(tile);
        }
    }
}

/// A rectangle of whole tiles, in tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Leftmost column.
    pub column: u16,
    /// Topmost row.
    pub row: u16,
    /// Width in tiles.
    pub columns: u16,
    /// Height in tiles.
    pub rows: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(width: u16, height: u16) -> TileGrid {
        TileGrid::new(Size::new(width, height).unwrap())
    }

    #[test]
    fn edge_tiles_are_clipped_by_the_screen() {
        let g = grid(130, 65);
        assert_eq!((g.columns(), g.rows(), g.tile_count()), (3, 2, 6));
        assert_eq!(g.tile(2), Rect::new(128, 0, 2, 64));
        assert_eq!(g.tile(5), Rect::new(128, 64, 2, 1));
        assert_eq!(g.block(0, 0, 3, 2), Rect::new(0, 0, 130, 65));
    }

    #[test]
    fn alignment_allows_the_screen_edge_and_nothing_else() {
        let g = grid(130, 65);
        assert!(g.is_aligned(Rect::new(64, 0, 66, 65)));
        assert!(!g.is_aligned(Rect::new(64, 0, 65, 65)));
        assert!(!g.is_aligned(Rect::new(1, 0, 63, 64)));
        assert!(!g.is_aligned(Rect::new(64, 0, 0, 64)));
        assert!(!g.is_aligned(Rect::new(128, 0, 64, 64)));
    }

    #[test]
    fn touched_tiles_of_any_rectangle_stay_on_the_grid() {
        let g = grid(130, 65);
        assert_eq!(g.touched(Rect::new(63, 63, 2, 2)).collect::<Vec<_>>(), [0, 1, 3, 4]);
        assert_eq!(g.touched(Rect::new(200, 0, 5, 5)).count(), 0);
        assert_eq!(g.touched(Rect::new(0, 0, 0, 9)).count(), 0);
        assert_eq!(g.touched(Rect::new(0, 0, 65_535, 65_535)).count(), 6);
    }

    #[test]
    fn blocks_cover_a_set_exactly_once() {
        let g = grid(64 * 7, 64 * 6);
        for seed in 0..200u64 {
            let mut set = TileSet::new(g);
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            for tile in 0..g.tile_count() {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                if state % 3 != 0 {
                    set.insert(tile);
                }
            }
            let mut covered = TileSet::new(g);
            for b in set.blocks() {
                for tile in g.touched(g.block(b.column, b.row, b.columns, b.rows)) {
                    assert!(covered.insert(tile), "tile {tile} twice");
                }
            }
            assert_eq!(covered, set);
            assert_eq!(set.iter().count(), set.len());
        }
        assert_eq!(TileSet::full(g).blocks().len(), 1);
    }
}
