//! What a server can get wrong, and the limit on the length of compressed data.

use crate::geometry::{Rect, ScreenSizeError, Size};

/// Most compressed bytes per pixel: a run of its own for a compact pixel of four bytes, and DEFLATE's overhead.
const MAX_COMPRESSED_BYTES_PER_PIXEL: usize = 6;
/// Compressed bytes that any rectangle may have beyond that.
const MAX_COMPRESSED_SLACK_BYTES: usize = 64 * 1024;

/// Most bytes of compressed data that a rectangle may announce.
pub fn max_compressed_bytes(rect: Rect) -> usize {
    MAX_COMPRESSED_SLACK_BYTES + rect.area() * MAX_COMPRESSED_BYTES_PER_PIXEL
}

/// Checks the announced length of a rectangle's compressed data.
pub(super) fn checked_length(announced: u32, rect: Rect) -> Result<usize, DecodeError> {
    let limit = max_compressed_bytes(rect);
    match usize::try_from(announced) {
        Ok(length) if length <= limit => Ok(length),
        _ => Err(DecodeError::CompressedTooLong { announced, rect, limit }),
    }
}

/// Why what a server sent is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A message of an extension that was not asked for, or of none.
    #[error("message type {0} is not known")]
    UnknownMessage(u8),
    /// An encoding that is not spoken here.
    #[error("rectangle {rect} has encoding {encoding}, which was not asked for")]
    UnknownEncoding {
        /// The encoding's number.
        encoding: i32,
        /// Where it is.
        rect: Rect,
    },
    /// A rectangle, or the source of a copy, that leaves the screen.
    #[error("rectangle {rect} leaves the screen of {size}")]
    OutsideScreen {
        /// The rectangle.
        rect: Rect,
        /// The screen.
        size: Size,
    },
    /// A new screen size beyond the limits.
    #[error(transparent)]
    ScreenSize(#[from] ScreenSizeError),
    /// More compressed data than a rectangle can need.
    #[error("{announced} bytes of compressed data for rectangle {rect}, the limit is {limit}")]
    CompressedTooLong {
        /// The length announced.
        announced: u32,
        /// The rectangle.
        rect: Rect,
        /// The limit.
        limit: usize,
    },
    /// A Hextile subrectangle that leaves its tile.
    #[error("a subrectangle leaves its hextile at {0}")]
    HextileSubrect(Rect),
    /// A Tight rectangle of a kind that is not lossless or does not exist.
    #[error("Tight control byte {0:#04x}: JPEG and PNG were not asked for, others do not exist")]
    TightControl(u8),
    /// A Tight filter that does not exist.
    #[error("Tight filter {0} does not exist")]
    TightFilter(u8),
    /// The gradient filter in a format without channels of 8 bits.
    #[error("Tight's gradient filter is decoded in 32 bits of depth 24 only")]
    TightGradient,
    /// An index beyond a Tight palette.
    #[error("index {index} in a Tight palette of {colours} colours")]
    TightPalette {
        /// The index.
        index: u8,
        /// The palette's size.
        colours: usize,
    },
    /// Compressed data that zlib cannot read.
    #[error("broken zlib data in rectangle {0}")]
    Zlib(Rect),
    /// Compressed data that ends before the rectangle is full.
    #[error("the compressed data of rectangle {0} ends early")]
    TooFewPixels(Rect),
    /// Compressed data that goes on when the rectangle is full.
    #[error("the compressed data of rectangle {0} goes on behind its last pixel")]
    TooManyPixels(Rect),
    /// Bad ZRLE data.
    #[error("rectangle {rect}: {error}")]
    Zrle {
        /// The rectangle.
        rect: Rect,
        /// What is wrong.
        error: crate::zrle::ZrleError,
    },
}
