//! The colour map of formats that have one (RFC 6143 section 7.6.2). Rectangles are decoded to indices first and get their colours
//! when they are complete; pixels that stand already keep theirs when the map changes.

use super::super::gather::Gather;
use crate::framebuffer::Framebuffer;
use crate::geometry::Rect;
use crate::pixel::PixelFormat;

const ENTRY_BYTES: usize = 6;

/// The map; empty for true colour.
#[derive(Debug)]
pub(super) struct ColourMap(Vec<u32>);

impl ColourMap {
    /// A black map of the size the format can index.
    pub(super) fn new(format: &PixelFormat) -> Self {
        Self(if format.true_colour { Vec::new() } else { vec![0; 1 << format.bits_per_pixel.min(16)] })
    }

    /// Takes `left` entries off `input`, the first of them for index `next`; whether none is left. Entries beyond the map are skipped.
    pub(super) fn set_entries(&mut self, next: &mut usize, left: &mut usize, gather: &mut Gather, input: &mut &[u8]) -> bool {
        while *left > 0 {
            let Some([red, _, green, _, blue, _]) = gather.array::<ENTRY_BYTES>(input) else { return false };
            if let Some(entry) = self.0.get_mut(*next) {
                *entry = u32::from_be_bytes([0, red, green, blue]);
            }
            *next += 1;
            *left -= 1;
        }
        true
    }

    /// Turns the indices of a rectangle into colours; nothing for true colour.
    pub(super) fn apply(&self, rect: Rect, fb: &mut Framebuffer) {
        for row in 0..if self.0.is_empty() { 0 } else { rect.height } {
            for pixel in fb.row_mut(rect, row) {
                *pixel = usize::try_from(*pixel).ok().and_then(|index| self.0.get(index)).copied().unwrap_or(0);
            }
        }
    }
}
