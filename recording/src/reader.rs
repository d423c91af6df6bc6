//! Reading a recording. Whatever the file holds, the answer is frames or an error, and memory stays within what the
//! header's screen size needs.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::time::Duration;

use flate2::read::ZlibDecoder;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::tiles::{TileGrid, TileSet};
use treevnc_protocol::wire::Reader;

use crate::{Frame, MAGIC, RecordingError, max_unpacked, tile};

/// A recording being read: an iterator over its [`Frame`]s that ends after the last frame or the first error.
#[derive(Debug)]
pub struct Recording<R: Read> {
    input: R,
    name: String,
    picture: Framebuffer,
    begun: bool,
    ended: bool,
}

impl Recording<BufReader<File>> {
    /// Opens a file and reads its header.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        Self::new(BufReader::new(File::open(path)?))
    }
}

impl<R: Read> Recording<R> {
    /// Reads the header from any source of bytes.
    pub fn new(mut input: R) -> Result<Self, RecordingError> {
        if read_array(&mut input)? != MAGIC {
            return Err(RecordingError::NotARecording);
        }
        let width = u16::from_be_bytes(read_array(&mut input)?);
        let height = u16::from_be_bytes(read_array(&mut input)?);
        let size = Size::new(width, height)?;
        let [name_bytes] = read_array(&mut input)?;
        let mut name = vec![0; usize::from(name_bytes)];
        input.read_exact(&mut name)?;
        let name = String::from_utf8(name).map_err(|_| RecordingError::Name)?;
        Ok(Self { input, name, picture: Framebuffer::new(size), begun: false, ended: false })
    }

    /// The name of what was recorded.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The size of every frame.
    pub fn size(&self) -> Size {
        self.picture.size()
    }

    /// The next frame, or `None` where the file ends.
    fn frame(&mut self) -> Result<Option<Frame>, RecordingError> {
        let mut first = [0; 1];
        if self.input.read(&mut first)? == 0 {
            return Ok(None);
        }
        let [b0] = first;
        let [b1, b2, b3] = read_array(&mut self.input)?;
        let at = Duration::from_millis(u32::from_be_bytes([b0, b1, b2, b3]).into());
        let unpacked = self.unpacked()?;
        let changed = self.paint(unpacked)?;
        Ok(Some(Frame { at, picture: self.picture.clone(), changed }))
    }

    /// The bytes of the next frame, at most as many as its screen can need.
    fn unpacked(&mut self) -> Result<Vec<u8>, RecordingError> {
        let most = max_unpacked(TileGrid::new(self.size()));
        let limit = most + most / 1000 + 64;
        let length = u32::from_be_bytes(read_array(&mut self.input)?);
        if u64::from(length) > limit {
            return Err(RecordingError::FrameLength { length, limit });
        }
        let mut packed = Vec::new();
        if (&mut self.input).take(length.into()).read_to_end(&mut packed)? as u64 != u64::from(length) {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        let mut unpacked = Vec::new();
        ZlibDecoder::new(packed.as_slice()).take(most + 1).read_to_end(&mut unpacked)?;
        Ok(unpacked)
    }

    fn paint(&mut self, mut unpacked: Vec<u8>) -> Result<TileSet, RecordingError> {
        let grid = TileGrid::new(self.size());
        let mut fields = Reader::new(&unpacked);
        let count = usize::from(fields.u16().ok_or(RecordingError::Length)?);
        let mut changed = TileSet::new(grid);
        let mut above = 0;
        for _ in 0..count {
            let tile = usize::from(fields.u16().ok_or(RecordingError::Length)?);
            if tile < above || !changed.insert(tile) {
                return Err(RecordingError::Tile { tile, tiles: grid.tile_count() });
            }
            above = tile + 1;
        }
        if !self.begun && count != grid.tile_count() {
            return Err(RecordingError::Tile { tile: count, tiles: grid.tile_count() });
        }
        let mut rest = unpacked.get_mut(2 + 2 * count..).unwrap_or_default();
        for tile in changed.iter() {
            let rect = grid.tile(tile);
            let (filter, after) = rest.split_first_mut().ok_or(RecordingError::Length)?;
            let (body, after) = after.split_at_mut_checked(3 * rect.area()).ok_or(RecordingError::Length)?;
            tile::unpack(&mut self.picture, rect, *filter, body)?;
            rest = after;
        }
        self.begun = true;
        if rest.is_empty() { Ok(changed) } else { Err(RecordingError::Length) }
    }
}

impl<R: Read> Iterator for Recording<R> {
    type Item = Result<Frame, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let frame = self.frame().transpose();
        self.ended = !matches!(frame, Some(Ok(_)));
        frame
    }
}

fn read_array<const N: usize>(input: &mut impl Read) -> Result<[u8; N], RecordingError> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}
