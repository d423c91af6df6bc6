//! Recorded screens: what a VNC server showed, frame by frame and without loss, in a small file of its own format. Tests
//! and benches play them; the codec under test has no part in packing them, so they can judge it.
//!
//! The format, all numbers big-endian:
//!
//! ```text
//! header   "TVNCREC" 01 | u16 width | u16 height | u8 length of the name | name in UTF-8
//! frame*   u32 time in ms since the first frame | u32 length | one zlib stream of that length:
//!            u16 number of tiles | that many u16 tile numbers, rising: what changed since the frame before
//!            per tile: u8 filter | plane G | plane R-G | plane B-G      (one byte per pixel, modulo 256, row by row)
//! ```
//!
//! Tiles are those of [`treevnc_protocol::tiles::TileGrid`]; the first frame holds all of them. Filter 0 stores a plane as
//! it is, filter 1 each pixel's difference to a prediction from its neighbours (see `tile.rs`). The file ends with a frame.

mod reader;
mod tile;
mod writer;

use std::path::PathBuf;
use std::time::Duration;

use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{ScreenSizeError, Size};
use treevnc_protocol::tiles::{TileGrid, TileSet};

pub use reader::Recording;
pub use writer::Writer;

/// The first bytes of a recording; the last one is the version of the format.
const MAGIC: [u8; 8] = *b"TVNCREC\x01";

/// The names of the recordings kept in the repository, for [`clip`].
pub const CLIPS: [&str; 5] = ["terminal", "text", "slides", "video", "typing"];

/// One moment of a recorded screen.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Time since the first frame, in whole milliseconds.
    pub at: Duration,
    /// The whole picture.
    pub picture: Framebuffer,
    /// The tiles that differ from the frame before; all tiles in the first frame.
    pub changed: TileSet,
}

/// Why a recording cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// Reading or writing failed; also a file that ends inside the header or a frame.
    #[error("recording: {0}")]
    Io(#[from] std::io::Error),
    /// The file does not begin like a recording of this version.
    #[error("not a recording of format version 1")]
    NotARecording,
    /// The name is longer than 255 bytes or not UTF-8.
    #[error("the recording's name is longer than 255 bytes or not UTF-8")]
    Name,
    /// The screen is empty or too large.
    #[error(transparent)]
    Screen(#[from] ScreenSizeError),
    /// A picture of another size was handed to the writer.
    #[error("a frame of {given} in a recording of {expected}")]
    FrameSize {
        /// The size of the frame.
        given: Size,
        /// The size of the recording.
        expected: Size,
    },
    /// A frame announces more packed bytes than its screen can need.
    #[error("a frame of {length} packed bytes, the most for this screen is {limit}")]
    FrameLength {
        /// The length announced.
        length: u32,
        /// The most accepted.
        limit: u64,
    },
    /// A frame's tile numbers do not rise or leave the screen, or the first frame lacks tiles.
    #[error("tile {tile} is out of order or beyond the screen's {tiles} tiles")]
    Tile {
        /// The tile's number, or the number of tiles that the first frame holds.
        tile: usize,
        /// How many tiles the screen has.
        tiles: usize,
    },
    /// An unknown filter.
    #[error("unknown tile filter {0:#04x}")]
    Filter(u8),
    /// A frame holds more or fewer bytes than its tiles need.
    #[error("a frame unpacks to another length than its tiles need")]
    Length,
}

/// Opens one of the repository's recordings by name, see [`CLIPS`].
pub fn clip(name: &str) -> Result<Recording<std::io::BufReader<std::fs::File>>, RecordingError> {
    Recording::open(directory().join(name).with_extension("rec"))
}

/// Where the repository keeps its recordings.
pub fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/recordings"))
}

/// The most bytes that a frame of this grid unpacks to.
fn max_unpacked(grid: TileGrid) -> u64 {
    2 + grid.tile_count() as u64 * 3 + grid.size().area() as u64 * 3
}
