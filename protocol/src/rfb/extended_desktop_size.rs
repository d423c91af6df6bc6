//! The ExtendedDesktopSize pseudo-encoding (-308): the screen's size and its monitors.

use super::encoding::EXTENDED_DESKTOP_SIZE;
use super::server_message::rect_header;
use crate::geometry::{Rect, Size};
use crate::wire::Reader;

/// Bytes of the count and padding before the areas.
pub(super) const AREAS_HEADER_BYTES: usize = 4;
/// Bytes of one area.
pub(super) const AREA_BYTES: usize = 16;

/// One monitor of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenArea {
    /// Its number, the server's choice.
    pub id: u32,
    /// Its place; as the server said it, possibly outside the screen.
    pub rect: Rect,
    /// No flags are defined; kept as they are.
    pub flags: u32,
}

impl ScreenArea {
    /// Reads areas one after another until the bytes end.
    pub(super) fn decode_all(bytes: &[u8]) -> Vec<Self> {
        let mut reader = Reader::new(bytes);
        std::iter::from_fn(|| Some(Self { id: reader.u32()?, rect: reader.rect()?, flags: reader.u32()? })).collect()
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.id.to_be_bytes());
        for field in [self.rect.x, self.rect.y, self.rect.width, self.rect.height] {
            out.extend(field.to_be_bytes());
        }
        out.extend(self.flags.to_be_bytes());
    }
}

/// An ExtendedDesktopSize rectangle. `reason` is 0 for the server's own change, 1 for an answer to this client, 2 for another
/// client's; `status` is 0 or why a request failed, 1 for "prohibited". At most 255 areas are sent.
pub fn extended_desktop_size_rect(reason: u16, status: u16, size: Size, areas: &[ScreenArea]) -> Vec<u8> {
    let areas = &areas[..areas.len().min(usize::from(u8::MAX))];
    let place = Rect::new(reason, status, size.width(), size.height());
    let mut out = rect_header(place, EXTENDED_DESKTOP_SIZE).to_vec();
    out.extend([u8::try_from(areas.len()).unwrap_or(u8::MAX), 0, 0, 0]);
    areas.iter().for_each(|area| area.encode(&mut out));
    out
}
