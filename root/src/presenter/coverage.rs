//! Whether a new screen's picture has arrived in whole. Servers may answer a request for everything in several updates; until all is
//! there, nothing of it is shown. Pure.

use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::tiles::{TileGrid, TileSet};

/// Updates after which a picture counts as whole although parts were never painted: some servers leave out what is off all monitors.
const PATIENCE: u32 = 64;

/// The parts of a screen that were painted since it began.
#[derive(Debug)]
pub(super) struct Coverage {
    grid: TileGrid,
    /// Tiles painted whole by one rectangle.
    whole: TileSet,
    /// Pixels painted of each other tile; overlapping rectangles count twice.
    painted_px: Vec<usize>,
    updates: u32,
}

impl Coverage {
    /// Nothing painted yet.
    pub(super) fn new(size: Size) -> Self {
        let grid = TileGrid::new(size);
        Self { grid, whole: TileSet::new(grid), painted_px: vec![0; grid.tile_count()], updates: 0 }
    }

    /// Adds an update's damage; answers whether the picture is whole now.
    pub(super) fn add(&mut self, damage: &[Rect]) -> bool {
        self.updates += 1;
        for &rect in damage {
            for tile in self.grid.touched(rect) {
                self.paint(tile, rect);
            }
        }
        self.updates >= PATIENCE || self.whole.len() == self.grid.tile_count()
    }

    fn paint(&mut self, tile: usize, rect: Rect) {
        let place = self.grid.tile(tile);
        let Some(painted) = self.painted_px.get_mut(tile) else { return };
        *painted = painted.saturating_add(place.intersection(rect).map_or(0, Rect::area));
        if *painted >= place.area() {
            self.whole.insert(tile);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage() -> Coverage {
        Coverage::new(Size::new(200, 130).unwrap())
    }

    #[test]
    fn stripes_of_any_height_make_a_whole_picture_with_the_last() {
        for height in [1, 7, 64, 130] {
            let mut coverage = coverage();
            let stripes: Vec<_> = (0..130).step_by(height).map(|y| (y, (130 - y).min(height))).collect();
            for (at, &(y, height)) in stripes.iter().enumerate().take(PATIENCE as usize - 1) {
                let stripe = Rect::new(0, u16::try_from(y).unwrap(), 200, u16::try_from(height).unwrap());
                assert_eq!(coverage.add(&[stripe]), at + 1 == stripes.len(), "stripe {at} of height {height}");
            }
        }
    }

    #[test]
    fn a_picture_that_is_never_whole_is_shown_in_the_end() {
        let mut coverage = coverage();
        let partial = (0..PATIENCE - 1).all(|_| !coverage.add(&[Rect::new(0, 0, 100, 100)]));
        assert!(partial && coverage.add(&[]));
    }

    #[test]
    fn rectangles_beyond_the_screen_do_not_count() {
        assert!(!coverage().add(&[Rect::new(200, 0, 65_535, 65_535), Rect::new(0, 130, 65_535, 65_535)]));
        assert!(coverage().add(&[Rect::new(0, 0, 65_535, 65_535)]));
    }
}
