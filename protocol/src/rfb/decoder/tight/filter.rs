//! Tight's filters: how a rectangle's data become pixels, whole rows at a time.

use super::super::DecodeError;
use crate::framebuffer::Framebuffer;
use crate::geometry::Rect;
use crate::pixel::PixelFormat;

/// What the data of a rectangle are.
#[derive(Debug, Default)]
pub(in crate::rfb::decoder) enum Filter {
    /// Pixels.
    #[default]
    Copy,
    /// Indices: one bit each, the highest first and rows filled up to bytes, for two colours; a byte each for more.
    Palette(Vec<u32>),
    /// Differences from what left, upper and upper left neighbours foretell.
    Gradient,
}

/// Whether pixels are sent as three bytes red, green, blue, whatever their shifts (TPIXEL).
pub(super) fn has_byte_channels(format: &PixelFormat) -> bool {
    let maxima = [format.red_max, format.green_max, format.blue_max];
    format.true_colour && format.bits_per_pixel == 32 && format.depth == 24 && maxima == [255; 3]
}

/// Bytes of a pixel in Tight data.
pub(super) fn tpixel_bytes(format: &PixelFormat) -> usize {
    if has_byte_channels(format) { 3 } else { format.bytes_per_pixel() }
}

/// Converts pixels until either side ends.
fn read_tpixels(bytes: &[u8], format: &PixelFormat, out: &mut [u32]) {
    if !has_byte_channels(format) {
        return format.read_pixels(bytes, out);
    }
    let (pixels, _) = bytes.as_chunks::<3>();
    for (target, &[red, green, blue]) in out.iter_mut().zip(pixels) {
        *target = u32::from_be_bytes([0, red, green, blue]);
    }
}

/// One pixel's colour.
pub(super) fn tpixel(bytes: &[u8], format: &PixelFormat) -> u32 {
    let mut colour = [0];
    read_tpixels(bytes, format, &mut colour);
    let [colour] = colour;
    colour
}

impl Filter {
    /// The palette filter with the colours that stand in `bytes`.
    pub(super) fn palette(bytes: &[u8], format: &PixelFormat) -> Self {
        let mut colours = vec![0; bytes.len() / tpixel_bytes(format).max(1)];
        read_tpixels(bytes, format, &mut colours);
        Self::Palette(colours)
    }

    /// Bytes of a row of data.
    pub(super) fn row_bytes(&self, rect: Rect, format: &PixelFormat) -> usize {
        let width = usize::from(rect.width);
        match self {
            Self::Palette(colours) if colours.len() <= 2 => width.div_ceil(8),
            Self::Palette(_) => width,
            Self::Copy | Self::Gradient => width * tpixel_bytes(format),
        }
    }

    /// Bytes of all the data.
    pub(super) fn data_bytes(&self, rect: Rect, format: &PixelFormat) -> usize {
        self.row_bytes(rect, format) * usize::from(rect.height)
    }

    /// Paints rows from number `first` on, as many as `data` holds.
    pub(super) fn paint_rows(
        &self,
        data: &[u8],
        rect: Rect,
        first: u16,
        format: &PixelFormat,
        fb: &mut Framebuffer,
    ) -> Result<(), DecodeError> {
        let rows = data.chunks_exact(self.row_bytes(rect, format).max(1));
        let mut above = Vec::new();
        for (row, bytes) in (first..rect.height).zip(rows) {
            match self {
                Self::Copy => read_tpixels(bytes, format, fb.row_mut(rect, row)),
                Self::Palette(colours) if colours.len() <= 2 => paint_bits(bytes, colours, fb.row_mut(rect, row))?,
                Self::Palette(colours) => paint_indices(bytes.iter().copied(), colours, fb.row_mut(rect, row))?,
                Self::Gradient => {
                    above.clear();
                    above.extend_from_slice(row.checked_sub(1).map_or(&[], |row| fb.row(rect, row)));
                    above.resize(usize::from(rect.width), 0);
                    paint_differences(bytes, &above, fb.row_mut(rect, row));
                }
            }
        }
        Ok(())
    }
}

fn paint_bits(bytes: &[u8], colours: &[u32], line: &mut [u32]) -> Result<(), DecodeError> {
    let bits = bytes.iter().flat_map(|&byte| (0..8).map(move |bit| byte >> (7 - bit) & 1));
    paint_indices(bits, colours, line)
}

fn paint_indices(indices: impl Iterator<Item = u8>, colours: &[u32], line: &mut [u32]) -> Result<(), DecodeError> {
    for (pixel, index) in line.iter_mut().zip(indices) {
        let colour = colours.get(usize::from(index));
        *pixel = *colour.ok_or(DecodeError::TightPalette { index, colours: colours.len() })?;
    }
    Ok(())
}

/// Adds differences to what each channel is foretold: left + upper - upper left, kept within 0 and 255.
fn paint_differences(bytes: &[u8], above: &[u32], line: &mut [u32]) {
    let (pixels, _) = bytes.as_chunks::<3>();
    let (mut left, mut upper_left) = ([0; 3], [0; 3]);
    for ((target, difference), &upper) in line.iter_mut().zip(pixels).zip(above) {
        let [_, upper @ ..] = upper.to_be_bytes();
        let mut colour = [0; 3];
        for channel in 0..3 {
            let foretold = i16::from(left[channel]) + i16::from(upper[channel]) - i16::from(upper_left[channel]);
            let foretold = u8::try_from(foretold.clamp(0, 255)).unwrap_or(0);
            colour[channel] = foretold.wrapping_add(difference[channel]);
        }
        let [red, green, blue] = colour;
        *target = u32::from_be_bytes([0, red, green, blue]);
        (left, upper_left) = (colour, upper);
    }
}
