//! One of Tight's zlib streams.

use super::super::DecodeError;
use crate::geometry::Rect;
use flate2::{Decompress, FlushDecompress};

/// A stream that begins when it is first used, and anew after a reset.
#[derive(Debug, Default)]
pub(super) struct Stream(Option<Decompress>);

impl Stream {
    /// The next data is a stream's beginning, header included.
    pub(super) fn reset(&mut self) {
        if let Some(decompress) = &mut self.0 {
            decompress.reset(true);
        }
    }

    /// Fills all of `out` from the front of `data`.
    pub(super) fn inflate(&mut self, data: &mut &[u8], out: &mut [u8], rect: Rect) -> Result<(), DecodeError> {
        let mut filled = 0;
        while let Some(room) = out.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.run(data, room, rect)? {
                0 => return Err(DecodeError::TooFewPixels(rect)),
                written => filled += written,
            }
        }
        Ok(())
    }

    /// Takes what is left of the rectangle's data, which must not hold another byte of pixels: the end of a flush.
    pub(super) fn finish(&mut self, mut data: &[u8], rect: Rect) -> Result<(), DecodeError> {
        while !data.is_empty() {
            let before = data.len();
            if self.run(&mut data, &mut [0], rect)? > 0 || data.len() == before {
                return Err(DecodeError::TooManyPixels(rect));
            }
        }
        Ok(())
    }

    /// One call of zlib: advances `data`, answers the bytes written.
    fn run(&mut self, data: &mut &[u8], out: &mut [u8], rect: Rect) -> Result<usize, DecodeError> {
        let zlib = self.0.get_or_insert_with(|| Decompress::new(true));
        let (read, written) = (zlib.total_in(), zlib.total_out());
        zlib.decompress(data, out, FlushDecompress::None).map_err(|_| DecodeError::Zlib(rect))?;
        let count = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
        *data = data.get(count(zlib.total_in(), read)..).unwrap_or_default();
        Ok(count(zlib.total_out(), written))
    }
}
