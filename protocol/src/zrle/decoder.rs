//! Paints ZRLE rectangles into a picture: updates of the tree, each alone, and the endless stream of an ordinary server.

use super::cpixel::{Bgr, CPixels, WithCPixels, with_cpixels};
use super::inflate::Inflater;
use super::tile_decoder::TileDecoder;
use super::{ZrleError, max_tile_bytes, tiles_of};
use crate::framebuffer::Framebuffer;
use crate::geometry::Rect;
use crate::pixel::PixelFormat;
use crate::tiles::TileGrid;
use crate::update::Picture;

/// Decodes updates of the tree; keeps nothing from one to the next but its scratch space.
pub struct Decoder {
    inflater: Inflater,
    tile: TileDecoder,
}

impl Decoder {
    /// A decoder with empty scratch space.
    pub fn new() -> Self {
        Self { inflater: Inflater::new(false), tile: TileDecoder::new() }
    }

    /// Paints an update. On an error nothing outside its rectangles has changed, inside them anything may have.
    pub fn decode(&mut self, picture: &Picture, fb: &mut Framebuffer) -> Result<(), ZrleError> {
        picture.tiles(TileGrid::new(fb.size()))?;
        self.inflater.reset();
        for (rect, data) in picture.iter() {
            paint(&mut self.inflater, &mut self.tile, rect, &data, &Bgr, fb)?;
        }
        Ok(())
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Decodes the ZRLE rectangles of one connection of an ordinary VNC server: one zlib stream, whose window lives as long as the
/// connection. After an error the connection is lost.
pub struct StreamDecoder {
    inflater: Inflater,
    tile: TileDecoder,
}

impl StreamDecoder {
    /// The decoder of a new connection.
    pub fn new() -> Self {
        Self { inflater: Inflater::new(true), tile: TileDecoder::new() }
    }

    /// Paints one rectangle. `data` is what follows the length field, all of it.
    pub fn decode_rect(&mut self, rect: Rect, data: &[u8], format: &PixelFormat, fb: &mut Framebuffer) -> Result<(), ZrleError> {
        if !rect.is_within(fb.size()) {
            return Err(ZrleError::Outside(rect, fb.size()));
        }
        with_cpixels(format, PaintRect { stream: self, rect, data, fb })
    }
}

impl Default for StreamDecoder {
    fn default() -> Self {
        Self::new()
    }
}

struct PaintRect<'a> {
    stream: &'a mut StreamDecoder,
    rect: Rect,
    data: &'a [u8],
    fb: &'a mut Framebuffer,
}

impl WithCPixels for PaintRect<'_> {
    type Output = Result<(), ZrleError>;
    fn with<P: CPixels>(self, cpixels: &P) -> Self::Output {
        paint(&mut self.stream.inflater, &mut self.stream.tile, self.rect, self.data, cpixels, self.fb)
    }
}

/// Paints one rectangle, which lies inside the picture.
fn paint<P: CPixels>(
    inflater: &mut Inflater,
    decoder: &mut TileDecoder,
    rect: Rect,
    mut data: &[u8],
    cpixels: &P,
    fb: &mut Framebuffer,
) -> Result<(), ZrleError> {
    for tile in tiles_of(rect) {
        let bytes = inflater.peek(&mut data, max_tile_bytes(tile.area(), P::BYTES))?;
        let size = (usize::from(tile.width), usize::from(tile.height));
        let (pixels, used) = decoder.decode(bytes, size, cpixels)?;
        for (row, line) in (0..tile.height).zip(pixels.chunks_exact(size.0)) {
            fb.row_mut(tile, row).copy_from_slice(line);
        }
        inflater.consume(used);
    }
    inflater.finish(&mut data)
}
