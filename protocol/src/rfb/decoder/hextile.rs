//! Hextile rectangles (RFC 6143 section 7.7.4), tile by tile as the bytes come.

use super::super::gather::Gather;
use super::DecodeError;
use crate::framebuffer::Framebuffer;
use crate::geometry::Rect;
use crate::pixel::PixelFormat;
use crate::wire::Reader;

const TILE_PX: u16 = 16;
const TILE_SIDE: usize = 16;
const TILE_PIXELS: usize = TILE_SIDE * TILE_SIDE;

const RAW: u8 = 0x01;
const BACKGROUND_SPECIFIED: u8 = 0x02;
const FOREGROUND_SPECIFIED: u8 = 0x04;
const ANY_SUBRECTS: u8 = 0x08;
const SUBRECTS_COLOURED: u8 = 0x10;

/// How far a rectangle is painted, and the colours that the next tile may leave out.
#[derive(Debug, Default)]
pub(super) struct Hextile {
    /// The next tile's place in the rectangle.
    x: u16,
    y: u16,
    background: u32,
    foreground: u32,
}

impl Hextile {
    /// Paints the tiles that `input` holds; whether the rectangle is complete.
    pub(super) fn step(
        &mut self,
        rect: Rect,
        format: &PixelFormat,
        gather: &mut Gather,
        input: &mut &[u8],
        fb: &mut Framebuffer,
    ) -> Result<bool, DecodeError> {
        let mut pixels = [0; TILE_PIXELS];
        while self.y < rect.height {
            let (width, height) = ((rect.width - self.x).min(TILE_PX), (rect.height - self.y).min(TILE_PX));
            let tile = Rect::new(rect.x + self.x, rect.y + self.y, width, height);
            let measure = |bytes: &[u8]| tile_bytes(bytes, tile.area(), format.bytes_per_pixel());
            let Some(bytes) = gather.take_measured(input, measure) else { return Ok(false) };
            self.paint(bytes, width.into(), height.into(), format, &mut pixels).ok_or(DecodeError::HextileSubrect(tile))?;
            for (row, line) in (0..height).zip(pixels.chunks_exact(TILE_SIDE)) {
                fb.row_mut(tile, row).iter_mut().zip(line).for_each(|(target, &pixel)| *target = pixel);
            }
            (self.x, self.y) = match self.x + width {
                end if end == rect.width => (0, self.y + height),
                end => (end, self.y),
            };
        }
        Ok(true)
    }
    /// Paints one whole tile in rows of [`TILE_SIDE`]; `None` when a subrectangle leaves it.
    fn paint(
        &mut self,
        bytes: &[u8],
        width: usize,
        height: usize,
        format: &PixelFormat,
        pixels: &mut [u32; TILE_PIXELS],
    ) -> Option<()> {
        let mut reader = Reader::new(bytes);
        let flags = reader.u8()?;
        if flags & RAW != 0 {
            for line in pixels.chunks_exact_mut(TILE_SIDE).take(height) {
                format.read_pixels(reader.bytes(width * format.bytes_per_pixel())?, line);
            }
            return Some(());
        }
        if flags & BACKGROUND_SPECIFIED != 0 {
            self.background = pixel(&mut reader, format)?;
        }
        if flags & FOREGROUND_SPECIFIED != 0 {
            self.foreground = pixel(&mut reader, format)?;
        }
        pixels.fill(self.background);
        let count = if flags & ANY_SUBRECTS != 0 { reader.u8()? } else { 0 };
        for _ in 0..count {
            let colour = if flags & SUBRECTS_COLOURED != 0 { pixel(&mut reader, format)? } else { self.foreground };
            let [place, size] = reader.array::<2>()?.map(usize::from);
            let (x, y, columns, rows) = (place >> 4, place & 15, (size >> 4) + 1, (size & 15) + 1);
            if x + columns > width || y + rows > height {
                return None;
            }
            for line in pixels.chunks_exact_mut(TILE_SIDE).skip(y).take(rows) {
                line.get_mut(x..x + columns)?.fill(colour);
            }
        }
        Some(())
    }
}

/// The whole length of a tile's data, as far as its beginning tells.
fn tile_bytes(beginning: &[u8], area: usize, pixel_bytes: usize) -> usize {
    let Some(&flags) = beginning.first() else { return 1 };
    let is_set = |flag: u8| usize::from(flags & flag != 0);
    if is_set(RAW) == 1 {
        return 1 + area * pixel_bytes;
    }
    let fixed = 1 + (is_set(BACKGROUND_SPECIFIED) + is_set(FOREGROUND_SPECIFIED)) * pixel_bytes;
    if is_set(ANY_SUBRECTS) == 0 {
        return fixed;
    }
    let count = beginning.get(fixed).map_or(0, |&count| usize::from(count));
    fixed + 1 + count * (2 + is_set(SUBRECTS_COLOURED) * pixel_bytes)
}

/// One pixel's colour.
fn pixel(reader: &mut Reader<'_>, format: &PixelFormat) -> Option<u32> {
    let mut colour = [0];
    format.read_pixels(reader.bytes(format.bytes_per_pixel())?, &mut colour);
    let [colour] = colour;
    Some(colour)
}
