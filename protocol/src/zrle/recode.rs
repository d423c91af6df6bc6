//! The same pixels for viewers of other pixel formats, and the rectangle that begins an ordinary viewer's zlib stream.

use super::cpixel::{CPixels, WithCPixels, with_cpixels};
use super::deflate::{Deflater, Effort, store};
use super::encoder::{write_header, write_length};
use super::inflate::Inflater;
use super::tile_decoder::TileDecoder;
use super::tile_encoder::{Kind, TileEncoder};
use super::tile_swap::swap_tile;
use super::{SUBENCODING_RAW, SUBENCODING_SOLID, ZrleError, max_tile_bytes, tiles_of};
use crate::geometry::{Rect, Size};
use crate::pixel::{Form, PixelFormat};
use crate::tiles::TileGrid;
use crate::update::{Picture, RECT_HEADER_BYTES};
use bytes::Bytes;

/// The two bytes that begin a zlib stream: DEFLATE with a window of 32 KiB (RFC 1950 section 2.2).
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];

/// The rectangle that an ordinary viewer must get before any other ZRLE rectangle, header and length field included: it paints the
/// screen's first pixel black and carries the header of the zlib stream that all later rectangles continue. Sent once on a
/// connection.
pub fn primer(format: &PixelFormat) -> Vec<u8> {
    let mut out = Vec::new();
    write_header(Rect::new(0, 0, 1, 1), &mut out);
    out.extend_from_slice(&ZLIB_HEADER);
    let mut tile = vec![SUBENCODING_SOLID];
    tile.extend_from_slice(&[0; 4][..format.cpixel().bytes.min(4)]);
    store(&tile, &mut out);
    write_length(0, &mut out);
    out
}

/// The same pixels in another pixel format, again with a fresh dictionary, for a screen of that size. What comes out may be longer than
/// [`MAX_RECTS_BYTES`](crate::update::MAX_RECTS_BYTES): it is for one ordinary viewer, not for the tree.
pub fn recode(picture: &Picture, grid_size: Size, format: &PixelFormat) -> Result<Picture, ZrleError> {
    picture.tiles(TileGrid::new(grid_size))?;
    let tiles = match format.form() {
        Form::Bgr => return Ok(picture.clone()),
        Form::Rgb => Tiles::of(picture, |bytes, rect, out| {
            let raw = bytes.first() == Some(&SUBENCODING_RAW);
            let used = swap_tile(bytes, (usize::from(rect.width), usize::from(rect.height)), out)?;
            Ok((used, if raw { Kind::Raw } else { Kind::Structured }))
        })?,
        Form::Other => with_cpixels(format, Transcode(picture))?,
    };
    Ok(tiles.deflated())
}

/// Transcoding through pixels.
struct Transcode<'a>(&'a Picture);

impl WithCPixels for Transcode<'_> {
    type Output = Result<Tiles, ZrleError>;
    fn with<P: CPixels>(self, cpixels: &P) -> Self::Output {
        let (mut decoder, mut encoder) = (TileDecoder::new(), TileEncoder::new());
        Tiles::of(self.0, |bytes, rect, out| {
            let width = usize::from(rect.width);
            let (pixels, used) = decoder.decode(bytes, (width, usize::from(rect.height)), &super::cpixel::Bgr)?;
            let kind = encoder.encode_pixels(pixels, width, cpixels, out);
            Ok((used, kind))
        })
    }
}

/// The tile bytes of an update, in another format.
struct Tiles {
    bytes: Vec<u8>,
    /// How many of the bytes are pixels as they are.
    raw: usize,
    /// Each rectangle and where its bytes end.
    rects: Vec<(Rect, usize)>,
}

impl Tiles {
    /// Rewrites every tile of an update with `tile`: from the bytes at its front and its place to a new tile appended to the
    /// output, the bytes it took, and its kind.
    fn of(
        picture: &Picture,
        mut tile: impl FnMut(&[u8], Rect, &mut Vec<u8>) -> Result<(usize, Kind), ZrleError>,
    ) -> Result<Self, ZrleError> {
        let mut tiles = Self { bytes: Vec::new(), raw: 0, rects: Vec::new() };
        let mut inflater = Inflater::new(false);
        for (rect, data) in picture.iter() {
            let mut data: &[u8] = &data;
            for place in tiles_of(rect) {
                let start = tiles.bytes.len();
                let bytes = inflater.peek(&mut data, max_tile_bytes(place.area(), 3))?;
                let (used, kind) = tile(bytes, place, &mut tiles.bytes)?;
                inflater.consume(used);
                if kind == Kind::Raw {
                    tiles.raw += tiles.bytes.len() - start;
                }
            }
            inflater.finish(&mut data)?;
            tiles.rects.push((rect, tiles.bytes.len()));
        }
        Ok(tiles)
    }

    fn deflated(&self) -> Picture {
        // Updates mostly of raw tiles come from large frames, where speed counts.
        let effort = if self.raw > self.bytes.len() / 2 { Effort::Large } else { Effort::of_bytes(self.bytes.len()) };
        let mut deflater = Deflater::new();
        deflater.begin(effort, self.bytes.len());
        let mut out = Vec::with_capacity(self.rects.len() * RECT_HEADER_BYTES + self.bytes.len() / 2);
        let mut start = 0;
        for &(rect, end) in &self.rects {
            let header = out.len();
            write_header(rect, &mut out);
            deflater.rectangle(&self.bytes[..end], start, &mut out);
            write_length(header, &mut out);
            start = end;
        }
        Picture::new(u16::try_from(self.rects.len()).unwrap_or(u16::MAX), Bytes::from(out))
    }
}
