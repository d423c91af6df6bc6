//! ZRLEE, the picture codec: ZRLE tiles (RFC 6143 section 7.7.6) whose DEFLATE data starts from an empty window in every update,
//! never sets BFINAL and ends every rectangle at a byte boundary. Such bytes are decoded alone by [`Decoder`], and are a legal
//! continuation of the one endless zlib stream of an ordinary viewer that was begun by [`primer`].
//!
//! `cpixel` is how colours stand in bytes, `analysis` and `tile_encoder` make tiles, `tile_decoder` and `tile_swap` read them. `deflate` writes the
//! compressed stream (`lz` finds repetitions, `huffman`, `codes` and `block` write them), `inflate` reads it. `encoder` and `plan` cut updates,
//! `decoder` paints them, `recode` changes the pixel format.

mod analysis;
mod block;
mod codes;
mod cpixel;
mod decoder;
mod deflate;
mod encoder;
mod huffman;
mod inflate;
mod lz;
mod plan;
mod recode;
mod tile_decoder;
mod tile_encoder;
mod tile_swap;

pub use decoder::{Decoder, StreamDecoder};
pub use deflate::Effort;
pub use encoder::{Encoder, bands};
pub use recode::{primer, recode};

use crate::geometry::{Rect, Size};
use crate::tiles::TILE_PX;
use crate::update::UpdateError;

/// Most pixels of a tile.
const TILE_AREA: usize = TILE_PX as usize * TILE_PX as usize;
/// Most colours of a palette (RFC 6143 section 7.7.6).
const MAX_PALETTE: usize = 127;
/// Most colours of a palette whose indices are packed into bits.
const MAX_PACKED_PALETTE: usize = 16;

const SUBENCODING_RAW: u8 = 0;
const SUBENCODING_SOLID: u8 = 1;
const SUBENCODING_PLAIN_RLE: u8 = 128;
/// Plus the number of colours.
const SUBENCODING_PALETTE_RLE: u8 = 128;

/// Why ZRLE data is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZrleError {
    /// The picture's rectangles are not what an update may hold.
    #[error(transparent)]
    Picture(#[from] UpdateError),
    /// A rectangle that leaves the screen.
    #[error("rectangle {0} is outside a {1} screen")]
    Outside(Rect, Size),
    /// Bytes that are not DEFLATE data.
    #[error("the data is not DEFLATE data")]
    Corrupt,
    /// The stream was declared finished (BFINAL), which no rectangle may do.
    #[error("the stream ends inside the connection")]
    Final,
    /// The data ends inside a tile.
    #[error("the data ends inside a tile")]
    Truncated,
    /// Data after the last tile.
    #[error("data after the last tile")]
    Trailing,
    /// A tile type that ZRLE does not have.
    #[error("subencoding {0} does not exist")]
    Subencoding(u8),
    /// An index beyond the palette.
    #[error("an index beyond a palette of {0} colours")]
    PaletteIndex(usize),
    /// A run that leaves the tile.
    #[error("a run of {run} pixels where the tile has {left} left")]
    Run {
        /// Pixels of the run, as far as it was read.
        run: usize,
        /// Pixels left in the tile.
        left: usize,
    },
}

/// The tiles of a rectangle in the order of ZRLE: row by row from its own corner, clipped at its right and lower edge.
fn tiles_of(rect: Rect) -> impl Iterator<Item = Rect> {
    let step = usize::from(TILE_PX);
    (0..rect.height).step_by(step).flat_map(move |y| {
        (0..rect.width).step_by(step).map(move |x| {
            // A rectangle inside a screen ends below 2^16, so these sums do not saturate there.
            let (left, top) = (rect.x.saturating_add(x), rect.y.saturating_add(y));
            Rect::new(left, top, TILE_PX.min(rect.width - x), TILE_PX.min(rect.height - y))
        })
    })
}

/// Most bytes a tile of `area` pixels can take before compression, whatever its type: runs of one pixel each, or a full palette.
fn max_tile_bytes(area: usize, cpixel_bytes: usize) -> usize {
    1 + (area * (cpixel_bytes + 1)).max(MAX_PALETTE * cpixel_bytes + 2 * area)
}

#[cfg(test)]
#[path = "zrle/test_pictures.rs"]
mod test_pictures;

#[cfg(test)]
#[path = "zrle/deflate_tests.rs"]
mod deflate_tests;

#[cfg(test)]
#[path = "zrle/tile_tests.rs"]
mod tile_tests;

#[cfg(test)]
#[path = "zrle/update_tests.rs"]
mod update_tests;
