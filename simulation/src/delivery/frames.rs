//! The frames that the root shows: each paints the whole screen, in updates of the bytes that the settings say.

use super::settings::{DeliveryError, DeliverySettings, side_px};
use bytes::{BufMut, BytesMut};
use std::time::Duration;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::tiles::TileGrid;
use treevnc_protocol::update::{Content, ENCODING_ZRLE, Picture, RECT_HEADER_BYTES, Screen, Seq, Update};

/// The number of the screen; frames come after it.
pub(super) const SCREEN: Seq = Seq(1);

/// Makes frames. The data of a rectangle is never looked at, so all frames share it.
#[derive(Debug)]
pub(super) struct Frames {
    size: Size,
    pictures: Vec<Picture>,
    last: Seq,
}

impl Frames {
    pub(super) fn new(settings: &DeliverySettings) -> Result<Self, DeliveryError> {
        let (columns, rows) = settings.screen();
        let size = Size::new(side_px(columns), side_px(rows))?;
        let grid = TileGrid::new(size);
        let pictures = (0..settings.updates()).map(|n| picture(grid, n, settings.part_bytes(n))).collect();
        Ok(Self { size, pictures, last: SCREEN })
    }

    /// The screen, which everybody has before the first frame.
    pub(super) fn screen(&self) -> Update {
        let content = Content::Screen(Screen { size: self.size, name: "simulated".to_owned() });
        Update { seq: SCREEN, sent: Duration::ZERO, check: false, content }
    }

    /// The next frame; the last update is a check.
    pub(super) fn next(&mut self, now: Duration) -> Vec<(Update, Seq)> {
        let until = Seq(self.last.0 + self.pictures.len() as u64);
        let mut updates = Vec::with_capacity(self.pictures.len());
        for picture in &self.pictures {
            self.last = Seq(self.last.0 + 1);
            let is_last = self.last == until;
            let update = Update { seq: self.last, sent: now, check: is_last, content: Content::Picture(picture.clone()) };
            updates.push((update, if is_last { until } else { Seq::NONE }));
        }
        updates
    }

    /// Which frame it is whose last update has this number, the first being 0.
    pub(super) fn number(&self, check: Seq) -> usize {
        let before = check.0.saturating_sub(SCREEN.0 + 1) / (self.pictures.len() as u64).max(1);
        usize::try_from(before).unwrap_or(usize::MAX)
    }
}

/// A rectangle of one tile and so many bytes, its header included.
fn picture(grid: TileGrid, tile: usize, bytes: usize) -> Picture {
    let rect = grid.tile(tile);
    let data = bytes.saturating_sub(RECT_HEADER_BYTES);
    let mut out = BytesMut::with_capacity(bytes);
    [rect.x, rect.y, rect.width, rect.height].into_iter().for_each(|field| out.put_u16(field));
    out.put_i32(ENCODING_ZRLE);
    out.put_u32(u32::try_from(data).unwrap_or(u32::MAX));
    out.put_bytes(0, data);
    Picture::new(1, out.freeze())
}
