//! ZRLE rectangles (RFC 6143 section 7.7.6): the one place that knows the ZRLE codec.

use super::DecodeError;
use crate::framebuffer::Framebuffer;
use crate::geometry::Rect;
use crate::pixel::PixelFormat;
use crate::zrle::StreamDecoder;

/// The connection's zlib stream.
pub(super) struct Zrle(StreamDecoder);

impl Zrle {
    pub(super) fn new() -> Self {
        Self(StreamDecoder::new())
    }

    /// Paints a rectangle from its compressed data.
    pub(super) fn decode(
        &mut self,
        rect: Rect,
        data: &[u8],
        format: &PixelFormat,
        fb: &mut Framebuffer,
    ) -> Result<(), DecodeError> {
        if data.is_empty() && rect.is_empty() {
            return Ok(());
        }
        self.0.decode_rect(rect, data, format, fb).map_err(|error| DecodeError::Zrle { rect, error })
    }
}

impl std::fmt::Debug for Zrle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Zrle")
    }
}
