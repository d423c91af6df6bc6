//! Raw rectangles (RFC 6143 section 7.7.1), row by row as the bytes come.

use super::super::gather::Gather;
use crate::framebuffer::Framebuffer;
use crate::geometry::Rect;
use crate::pixel::PixelFormat;

/// How far a rectangle is painted.
#[derive(Debug, Default)]
pub(super) struct Raw {
    row: u16,
    column: usize,
}

impl Raw {
    /// Paints what `input` holds; whether the rectangle is complete.
    pub(super) fn step(
        &mut self,
        rect: Rect,
        format: &PixelFormat,
        gather: &mut Gather,
        input: &mut &[u8],
        fb: &mut Framebuffer,
    ) -> bool {
        let width = usize::from(rect.width);
        let pixel_bytes = format.bytes_per_pixel();
        while self.row < rect.height {
            let line = fb.row_mut(rect, self.row).get_mut(self.column..).unwrap_or_default();
            let whole = if gather.is_holding() { 0 } else { (input.len() / pixel_bytes).min(width - self.column) };
            // Only a pixel cut by the end of the input is gathered.
            let count = whole.max(1);
            let Some(bytes) = gather.take(input, count * pixel_bytes) else { return false };
            format.read_pixels(bytes, line.get_mut(..count).unwrap_or_default());
            self.column += count;
            if self.column == width {
                (self.row, self.column) = (self.row + 1, 0);
            }
        }
        true
    }
}
