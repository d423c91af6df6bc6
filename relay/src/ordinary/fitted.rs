//! A screen in a viewer that has another size and cannot be told: its top left is seen, and black beyond it. Tiles stay where they are,
//! so what is seen of an update is encoded anew and nothing else is.

use super::outgoing::decoded;
use std::sync::Arc;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::log::Entry;
use treevnc_protocol::tiles::{TileGrid, TileSet};
use treevnc_protocol::zrle::ZrleError;

/// How a screen is fitted into a viewer of another size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fit {
    /// The viewer's size.
    pub(super) canvas: Size,
    /// Whether the black beyond the screen is painted, too.
    pub(super) with_border: bool,
}

impl Fit {
    /// What the viewer is to show of updates of a screen of that size, and which of its tiles. Tiles at the edge of a smaller screen are
    /// part of the border: what they hold has to be painted with it or after it.
    pub(super) fn paint(self, entries: &[Arc<Entry>], size: Size) -> Result<(Framebuffer, TileSet), ZrleError> {
        let (fb, painted) = decoded(entries, size)?;
        let grid = TileGrid::new(self.canvas);
        let mut tiles = TileSet::new(grid);
        for block in painted.blocks() {
            tiles.extend(grid.touched(painted.grid().block(block.column, block.row, block.columns, block.rows)));
        }
        if self.with_border {
            beyond(size, self.canvas).into_iter().for_each(|strip| tiles.extend(grid.touched(strip)));
        }
        Ok((onto(self.canvas, fb), tiles))
    }
}

/// What is free right of a screen and below it; empty where nothing is.
fn beyond(screen: Size, canvas: Size) -> [Rect; 2] {
    let (width, height) = (canvas.width(), canvas.height());
    let right = Rect::new(screen.width(), 0, width.saturating_sub(screen.width()), height);
    let below = Rect::new(0, screen.height(), width, height.saturating_sub(screen.height()));
    [right, below]
}

/// A picture's top left on a black canvas.
pub(super) fn onto(canvas: Size, picture: Framebuffer) -> Framebuffer {
    if picture.size() == canvas {
        return picture;
    }
    let mut fitted = Framebuffer::new(canvas);
    let Some(both) = picture.size().rect().intersection(canvas.rect()) else { return fitted };
    for row in 0..both.height {
        fitted.row_mut(both, row).copy_from_slice(picture.row(both, row));
    }
    fitted
}
