//! An update: the unit that travels the tree. Owns the header and the check of what a peer sent; the rectangles stay the bytes
//! that an ordinary viewer gets (PROTOCOL.md, FRAMEBUFFER_UPDATE). Never looks inside the compressed data.

use crate::geometry::{Rect, ScreenSizeError, Size};
use crate::tiles::{TileGrid, TileSet};
use crate::wire::Reader;
use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Most bytes of one update's rectangles.
pub const MAX_RECTS_BYTES: usize = 64 * 1024;
/// Most bytes of a screen's name.
pub const MAX_NAME_BYTES: usize = 256;
/// Most bytes of a FRAMEBUFFER_UPDATE body: the header, and the rectangles or a name.
pub const MAX_BODY_BYTES: usize = HEADER_BYTES + MAX_RECTS_BYTES;
/// Bytes of a rectangle's header with the length field of ZRLE (RFC 6143 sections 7.6.1 and 7.7.6).
pub const RECT_HEADER_BYTES: usize = 16;
/// Encoding number of ZRLE.
pub const ENCODING_ZRLE: i32 = 16;

const HEADER_BYTES: usize = 8 + 8 + 8 + 1 + 2;
const FLAG_SCREEN: u8 = 0x01;
const FLAG_CHECK: u8 = 0x02;

/// Number of an update in its session; the first is 1, 0 means "none yet".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first update.
    pub const NONE: Seq = Seq(0);
}

/// One life of a root; numbers of different sessions have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// What is shown: a change of presenter or of size begins a new screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// The picture's size.
    pub size: Size,
    /// The presenter's name, at most [`MAX_NAME_BYTES`] bytes.
    pub name: String,
}

/// What an update brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A new screen: all earlier updates are void.
    Screen(Screen),
    /// New pixels of the current screen.
    Picture(Picture),
}

/// Tile-aligned ZRLE rectangles that share one fresh dictionary; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    count: u16,
    rects: Bytes,
}

impl Picture {
    /// Rectangles made by the encoder: `count` of them, headers and length fields included.
    pub fn new(count: u16, rects: Bytes) -> Self {
        Self { count, rects }
    }

    /// Number of rectangles.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// The rectangles as they stand in a FramebufferUpdate.
    pub fn rects(&self) -> &Bytes {
        &self.rects
    }

    /// Each rectangle's place and its compressed data, in order. Ends early where the bytes are not well-formed.
    pub fn iter(&self) -> impl Iterator<Item = (Rect, Bytes)> + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            let mut reader = Reader::new(self.rects.get(at..)?);
            let rect = reader.rect()?;
            let _encoding = reader.i32()?;
            let length = reader.u32()? as usize;
            let start = at + RECT_HEADER_BYTES;
            let end = start.checked_add(length).filter(|&end| end <= self.rects.len())?;
            at = end;
            Some((rect, self.rects.slice(start..end)))
        })
    }

    /// The tiles it paints. Fails when a rectangle is not ZRLE, not made of whole tiles of this screen, paints a tile a second
    /// time, or when the bytes do not end with the last rectangle.
    pub fn tiles(&self, grid: TileGrid) -> Result<TileSet, UpdateError> {
        let mut tiles = TileSet::new(grid);
        let mut reader = Reader::new(&self.rects);
        for _ in 0..self.count {
            let rect = reader.rect().ok_or(UpdateError::Truncated)?;
            let encoding = reader.i32().ok_or(UpdateError::Truncated)?;
            if encoding != ENCODING_ZRLE {
                return Err(UpdateError::Encoding(encoding));
            }
            if !grid.is_aligned(rect) {
                return Err(UpdateError::NotAligned(rect, grid.size()));
            }
            let length = reader.u32().ok_or(UpdateError::Truncated)?;
            reader.bytes(length as usize).ok_or(UpdateError::Truncated)?;
            if !grid.touched(rect).all(|tile| tiles.insert(tile)) {
                return Err(UpdateError::PaintedTwice(rect));
            }
        }
        if tiles.is_empty() {
            return Err(UpdateError::NoRectangle);
        }
        if !reader.rest().is_empty() {
            return Err(UpdateError::Trailing(reader.rest().len()));
        }
        Ok(tiles)
    }
}

/// One update. Cheap to clone: the rectangles are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Its number, given by the root.
    pub seq: Seq,
    /// When the root published it, on the root's session clock.
    pub sent: Duration,
    /// Whether it is a CHECK_DELAY: every node answers it, and the newest is kept although painted over.
    pub check: bool,
    /// What it brings.
    pub content: Content,
}

impl Update {
    /// Bytes this update costs in a log.
    pub fn cost_bytes(&self) -> usize {
        HEADER_BYTES
            + match &self.content {
                Content::Screen(screen) => screen.name.len(),
                Content::Picture(picture) => picture.rects.len(),
            }
    }
}

/// Why an update from a peer is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// The body ends inside a field.
    #[error("the update ends early")]
    Truncated,
    /// More bytes than an update may have.
    #[error("an update of {0} bytes is over the limit of {MAX_BODY_BYTES}")]
    TooLong(usize),
    /// Bytes after the last rectangle.
    #[error("{0} bytes after the last rectangle")]
    Trailing(usize),
    /// A rectangle that is not ZRLE.
    #[error("encoding {0} in an update, only {ENCODING_ZRLE} is allowed")]
    Encoding(i32),
    /// A rectangle that is not made of whole tiles of the screen.
    #[error("rectangle {0} is not made of tiles of a {1} screen")]
    NotAligned(Rect, Size),
    /// A tile painted by two rectangles of one update.
    #[error("rectangle {0} paints a tile for the second time")]
    PaintedTwice(Rect),
    /// An update without a rectangle.
    #[error("an update without a rectangle")]
    NoRectangle,
    /// Pixels before the first screen.
    #[error("pixels before any screen")]
    NoScreen,
    /// Number 0, unknown flags, or a screen with rectangles.
    #[error("number {0} with flags {1:#04x} is no update")]
    Header(u64, u8),
    /// A stamp below the update's own number.
    #[error("update {} says it is complete at {}", .0.0, .1.0)]
    Until(Seq, Seq),
    /// A screen's size beyond the limits.
    #[error(transparent)]
    ScreenSize(#[from] ScreenSizeError),
    /// A name that is too long or not UTF-8.
    #[error("a screen's name of {0} bytes is too long or not UTF-8")]
    Name(usize),
}

/// Writes the header part of a FRAMEBUFFER_UPDATE body; for a picture, its [`Picture::rects`] follow unchanged.
/// `until` is the sender's stamp: the number at which what is being sent is a whole picture, [`Seq::NONE`] when not yet known.
pub fn encode_header(update: &Update, until: Seq) -> BytesMut {
    let mut out = BytesMut::with_capacity(HEADER_BYTES + 4 + MAX_NAME_BYTES);
    out.put_u64(update.seq.0);
    out.put_u64(until.0);
    out.put_u64(u64::try_from(update.sent.as_micros()).unwrap_or(u64::MAX));
    let check = if update.check { FLAG_CHECK } else { 0 };
    match &update.content {
        Content::Picture(picture) => {
            out.put_u8(check);
            out.put_u16(picture.count);
        }
        Content::Screen(screen) => {
            out.put_u8(check | FLAG_SCREEN);
            out.put_u16(0);
            out.put_u16(screen.size.width());
            out.put_u16(screen.size.height());
            out.put_slice(truncated(&screen.name).as_bytes());
        }
    }
    out
}

/// Reads a FRAMEBUFFER_UPDATE body as (update, `until`). The rectangles are a slice of `body` and not yet checked against a screen:
/// [`Picture::tiles`] does that.
pub fn decode(body: Bytes) -> Result<(Update, Seq), UpdateError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(UpdateError::TooLong(body.len()));
    }
    let mut reader = Reader::new(&body);
    let mut header = || Some((reader.u64()?, reader.u64()?, reader.u64()?, reader.u8()?, reader.u16()?));
    let (seq, until, micros, flags, count) = header().ok_or(UpdateError::Truncated)?;
    let is_screen = flags & FLAG_SCREEN != 0;
    if seq == 0 || flags & !(FLAG_SCREEN | FLAG_CHECK) != 0 || (is_screen && count != 0) {
        return Err(UpdateError::Header(seq, flags));
    }
    let content = if is_screen {
        let (width, height) = (reader.u16().ok_or(UpdateError::Truncated)?, reader.u16().ok_or(UpdateError::Truncated)?);
        let name = reader.rest();
        let text = std::str::from_utf8(name).ok().filter(|_| name.len() <= MAX_NAME_BYTES);
        let name = text.ok_or(UpdateError::Name(name.len()))?.to_owned();
        Content::Screen(Screen { size: Size::new(width, height)?, name })
    } else {
        Content::Picture(Picture { count, rects: body.slice(reader.consumed()..) })
    };
    let update = Update { seq: Seq(seq), sent: Duration::from_micros(micros), check: flags & FLAG_CHECK != 0, content };
    Ok((update, Seq(until)))
}

/// The longest beginning of a name that fits [`MAX_NAME_BYTES`].
pub fn truncated(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME_BYTES)]
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
