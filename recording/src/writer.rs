//! Writing a recording: finds what changed, picks each tile's filter, packs the frame.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::tiles::{TileGrid, TileSet};

use crate::tile::{self, Filter};
use crate::{MAGIC, RecordingError};

/// Writes a recording to anything that takes bytes. The file is whole after each frame.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    size: Size,
    last: Option<Framebuffer>,
}

impl<W: Write> Writer<W> {
    /// Begins a recording of a screen of that size; the name is at most 255 bytes.
    pub fn new(mut out: W, size: Size, name: &str) -> Result<Self, RecordingError> {
        let name_bytes = u8::try_from(name.len()).map_err(|_| RecordingError::Name)?;
        out.write_all(&MAGIC)?;
        out.write_all(&size.width().to_be_bytes())?;
        out.write_all(&size.height().to_be_bytes())?;
        out.write_all(&[name_bytes])?;
        out.write_all(name.as_bytes())?;
        Ok(Self { out, size, last: None })
    }

    /// Adds a frame, `at` counted from the first one; says whether it was written, which it is not if nothing changed.
    pub fn push(&mut self, at: Duration, picture: &Framebuffer) -> Result<bool, RecordingError> {
        if picture.size() != self.size {
            return Err(RecordingError::FrameSize { given: picture.size(), expected: self.size });
        }
        let everything = TileSet::full(TileGrid::new(self.size));
        let changed = match &self.last {
            Some(last) => picture.changed_tiles(last, &everything),
            None => everything,
        };
        if changed.is_empty() {
            return Ok(false);
        }
        let packed = pack_frame(picture, &changed)?;
        let milliseconds = u32::try_from(at.as_millis()).unwrap_or(u32::MAX);
        let length = u32::try_from(packed.len()).map_err(|_| RecordingError::Length)?;
        self.out.write_all(&milliseconds.to_be_bytes())?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&packed)?;
        self.out.flush()?;
        self.last = Some(picture.clone());
        Ok(true)
    }

    /// Ends the recording and gives back what it was written to.
    pub fn finish(self) -> W {
        self.out
    }
}

fn pack_frame(picture: &Framebuffer, changed: &TileSet) -> Result<Vec<u8>, RecordingError> {
    let count = u16::try_from(changed.len()).map_err(|_| RecordingError::Length)?;
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&count.to_be_bytes())?;
    for tile in changed.iter() {
        zlib.write_all(&u16::try_from(tile).map_err(|_| RecordingError::Length)?.to_be_bytes())?;
    }
    for tile in changed.iter() {
        zlib.write_all(&smaller_tile(picture, changed.grid(), tile)?)?;
    }
    Ok(zlib.finish()?)
}

/// The tile with whichever filter lets it deflate better.
fn smaller_tile(picture: &Framebuffer, grid: TileGrid, tile: usize) -> Result<Vec<u8>, RecordingError> {
    let rect = grid.tile(tile);
    let plain = tile::pack(picture, rect, Filter::Plain);
    let predicted = tile::pack(picture, rect, Filter::Predicted);
    Ok(if deflated_bytes(&predicted)? < deflated_bytes(&plain)? { predicted } else { plain })
}

fn deflated_bytes(bytes: &[u8]) -> Result<usize, RecordingError> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(bytes)?;
    Ok(zlib.finish()?.len())
}
