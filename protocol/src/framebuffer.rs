//! The picture of a screen in memory, and the comparison that finds what really changed.

use crate::geometry::{Rect, Size};
use crate::tiles::{TileGrid, TileSet};

/// A picture, one `u32` per pixel as `0x00RRGGBB`, rows from the top. The upper byte is always zero.
#[derive(Clone, PartialEq, Eq)]
pub struct Framebuffer {
    size: Size,
    pixels: Vec<u32>,
}

impl Framebuffer {
    /// A black picture.
    pub fn new(size: Size) -> Self {
        Self { size, pixels: vec![0; size.area()] }
    }

    /// A black picture in the memory of one that is no longer needed: screens are large, and what is given back to the system's allocator by
    /// one thread is of no use to the next.
    pub fn reusing(old: Framebuffer, size: Size) -> Self {
        let mut pixels = old.pixels;
        pixels.clear();
        pixels.resize(size.area(), 0);
        Self { size, pixels }
    }

    /// The picture's size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// All pixels, row by row.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// All pixels, row by row; the writer keeps the upper byte zero.
    pub fn pixels_mut(&mut self) -> &mut [u32] {
        &mut self.pixels
    }

    /// The pixels of one row of a rectangle, `row` counted from its top; empty where the rectangle leaves the picture.
    pub fn row(&self, rect: Rect, row: u16) -> &[u32] {
        self.span(rect, row).and_then(|span| self.pixels.get(span)).unwrap_or(&[])
    }

    /// The pixels of one row of a rectangle for writing; empty where the rectangle leaves the picture.
    pub fn row_mut(&mut self, rect: Rect, row: u16) -> &mut [u32] {
        match self.span(rect, row) {
            Some(span) => self.pixels.get_mut(span).unwrap_or(&mut []),
            None => &mut [],
        }
    }

    /// Paints a rectangle with one colour; parts outside the picture are left out.
    pub fn fill(&mut self, rect: Rect, colour: u32) {
        let Some(inside) = rect.intersection(self.size.rect()) else { return };
        for row in 0..inside.height {
            self.row_mut(inside, row).fill(colour);
        }
    }

    /// Copies a rectangle to another place of the same picture; the areas may overlap (RFC 6143 section 7.7.2).
    /// Does nothing where either leaves the picture.
    pub fn copy(&mut self, from: Rect, to_x: u16, to_y: u16) {
        let to = Rect::new(to_x, to_y, from.width, from.height);
        if !from.is_within(self.size) || !to.is_within(self.size) {
            return;
        }
        for step in 0..from.height {
            let row = if to_y > from.y { from.height - 1 - step } else { step };
            if let (Some(source), Some(target)) = (self.span(from, row), self.span(to, row)) {
                self.pixels.copy_within(source, target.start);
            }
        }
    }

    /// Copies a rectangle from a picture of the same size.
    pub fn copy_rect_from(&mut self, other: &Framebuffer, rect: Rect) {
        if other.size != self.size {
            return;
        }
        for row in 0..rect.height {
            self.row_mut(rect, row).copy_from_slice(other.row(rect, row));
        }
    }

    /// Copies `part` of another picture to `to_x`, `to_y` of this one. Does nothing where either leaves its picture.
    pub fn copy_part_from(&mut self, other: &Framebuffer, part: Rect, to_x: u16, to_y: u16) {
        let to = Rect::new(to_x, to_y, part.width, part.height);
        if !part.is_within(other.size) || !to.is_within(self.size) {
            return;
        }
        for row in 0..part.height {
            self.row_mut(to, row).copy_from_slice(other.row(part, row));
        }
    }

    /// Adds to `changed` those of `candidates` whose pixels differ from `before`; pictures of different sizes differ everywhere.
    pub fn changed_tiles(&self, before: &Framebuffer, candidates: &TileSet) -> TileSet {
        let grid = TileGrid::new(self.size);
        let mut changed = TileSet::new(grid);
        if before.size != self.size {
            return TileSet::full(grid);
        }
        changed.extend(candidates.iter().filter(|&tile| {
            let rect = grid.tile(tile);
            (0..rect.height).any(|row| self.row(rect, row) != before.row(rect, row))
        }));
        changed
    }

    fn span(&self, rect: Rect, row: u16) -> Option<std::ops::Range<usize>> {
        if row >= rect.height || !rect.is_within(self.size) {
            return None;
        }
        let start = (usize::from(rect.y) + usize::from(row)) * usize::from(self.size.width()) + usize::from(rect.x);
        Some(start..start + usize::from(rect.width))
    }
}

impl std::fmt::Debug for Framebuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Framebuffer({})", self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(width: u16, height: u16) -> Framebuffer {
        let mut fb = Framebuffer::new(Size::new(width, height).unwrap());
        fb.pixels_mut().iter_mut().zip(0..).for_each(|(pixel, n)| *pixel = n);
        fb
    }

    #[test]
    fn nothing_of_the_picture_before_is_left_in_its_memory() {
        let reused = Framebuffer::reusing(numbered(9, 7), Size::new(5, 4).unwrap());
        assert!(reused == Framebuffer::new(Size::new(5, 4).unwrap()));
        assert!(Framebuffer::reusing(reused, Size::new(30, 20).unwrap()) == Framebuffer::new(Size::new(30, 20).unwrap()));
    }

    #[test]
    fn overlapping_copies_in_every_direction_equal_a_copy_through_a_second_picture() {
        let from = Rect::new(3, 3, 5, 4);
        for (x, y) in [(4, 4), (2, 2), (4, 2), (2, 4), (3, 3), (5, 3)] {
            let mut fb = numbered(12, 10);
            let old = fb.clone();
            fb.copy(from, x, y);
            for row in 0..4 {
                assert_eq!(fb.row(Rect::new(x, y, 5, 4), row), old.row(from, row));
            }
        }
    }

    #[test]
    fn rectangles_outside_are_harmless() {
        let mut fb = numbered(10, 10);
        let old = fb.clone();
        let outside = Rect::new(8, 8, 5, 5);
        fb.copy(outside, 0, 0);
        fb.copy(Rect::new(0, 0, 5, 5), 8, 8);
        assert!(fb.row_mut(outside, 0).is_empty() && fb.row(outside, 4).is_empty());
        assert_eq!(fb, old);
        fb.fill(outside, 7);
        assert_eq!(fb.pixels()[99], 7);
    }

    #[test]
    fn only_tiles_that_differ_and_were_reported_are_found() {
        let size = Size::new(200, 130).unwrap();
        let before = Framebuffer::new(size);
        let mut now = before.clone();
        now.fill(Rect::new(130, 70, 1, 1), 5);
        now.fill(Rect::new(0, 0, 1, 1), 5);
        let grid = TileGrid::new(size);
        let mut reported = TileSet::full(grid);
        reported.remove(0);
        assert_eq!(now.changed_tiles(&before, &reported).iter().collect::<Vec<_>>(), [grid.index(2, 1)]);
    }
}
