//! The decompressed side: tile bytes in portions of bounded size, however much a rectangle's data would inflate to.

use super::ZrleError;
use flate2::{Decompress, FlushDecompress, Status};

/// Bytes that are inflated at once, enough for a tile of any kind.
const BUFFER_BYTES: usize = 128 * 1024;

/// An inflater and the bytes that came out of it and were not yet used.
pub(super) struct Inflater {
    decompress: Decompress,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Inflater {
    /// An inflater of a stream with or without zlib's header.
    pub(super) fn new(zlib_header: bool) -> Self {
        Self { decompress: Decompress::new(zlib_header), buffer: vec![0; BUFFER_BYTES].into_boxed_slice(), start: 0, end: 0 }
    }

    /// Begins an update: an empty window and no header.
    pub(super) fn reset(&mut self) {
        self.decompress.reset(false);
        (self.start, self.end) = (0, 0);
    }

    /// The next bytes of a rectangle: at least `wanted` (a small part of the buffer) unless the rectangle's data gives less.
    /// `data` is what of it is not yet inflated.
    pub(super) fn peek(&mut self, data: &mut &[u8], wanted: usize) -> Result<&[u8], ZrleError> {
        if self.end - self.start < wanted {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            self.fill(data)?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Marks bytes of the last `peek` as used.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.start = self.end.min(self.start + bytes);
    }

    /// Ends a rectangle: its data must be used up, and so must be what came out of it.
    pub(super) fn finish(&mut self, data: &mut &[u8]) -> Result<(), ZrleError> {
        self.peek(data, 1)?;
        if self.start < self.end || !data.is_empty() {
            return Err(ZrleError::Trailing);
        }
        Ok(())
    }

    /// Inflates until the buffer is full or the data gives nothing more.
    fn fill(&mut self, data: &mut &[u8]) -> Result<(), ZrleError> {
        while self.end < self.buffer.len() {
            let before = (self.decompress.total_in(), self.decompress.total_out());
            let room = &mut self.buffer[self.end..];
            let status = self.decompress.decompress(data, room, FlushDecompress::None).map_err(|_| ZrleError::Corrupt)?;
            let taken = usize::try_from(self.decompress.total_in() - before.0).unwrap_or(0);
            let made = usize::try_from(self.decompress.total_out() - before.1).unwrap_or(0);
            *data = data.get(taken..).unwrap_or(&[]);
            self.end += made.min(room.len());
            if status == Status::StreamEnd {
                return Err(ZrleError::Final);
            }
            if taken == 0 && made == 0 {
                break;
            }
        }
        Ok(())
    }
}
