//! The picture that a log's updates paint, decoded when somebody needs pixels here and now. A node that shows nothing keeps none.

use std::sync::Arc;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::log::Entry;
use treevnc_protocol::update::Content;
use treevnc_protocol::zrle::{Decoder, ZrleError};

/// Paints updates one after the other, such as [`SharedLog::all_entries`](crate::shared_log::SharedLog::all_entries). `None` when
/// there is no screen among them. Takes milliseconds: not for an async thread.
pub fn paint(entries: &[Arc<Entry>]) -> Result<Option<Framebuffer>, ZrleError> {
    paint_within(entries, Rect::new(0, 0, u16::MAX, u16::MAX))
}

/// As [`paint`], but only updates that touch `rect` are decoded: the picture is right there and unpainted or old elsewhere.
pub(crate) fn paint_within(entries: &[Arc<Entry>], rect: Rect) -> Result<Option<Framebuffer>, ZrleError> {
    let mut decoder = Decoder::new();
    let mut picture: Option<Framebuffer> = None;
    for entry in entries {
        match (&entry.update().content, &mut picture) {
            (Content::Screen(screen), _) => picture = Some(Framebuffer::new(screen.size)),
            (Content::Picture(update), Some(fb)) => {
                let grid = entry.tiles().grid();
                if grid.size() == fb.size() && grid.touched(rect).any(|tile| entry.tiles().contains(tile)) {
                    decoder.decode(update, fb)?;
                }
            }
            (Content::Picture(_), None) => {}
        }
    }
    Ok(picture)
}
