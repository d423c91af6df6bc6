//! How much of a batch goes into one FramebufferUpdate.

use std::sync::Arc;
use treevnc_protocol::log::Entry;

/// How much one FramebufferUpdate carries at most; the batch goes on in the next one. A single update of the log always goes whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of the log's updates.
    pub(super) bytes: usize,
    /// Tiles, when pixels must be converted for the viewer: two full screens of 1920x1080.
    pub(super) converted_tiles: usize,
    /// Rectangles; the message's count has 16 bits.
    pub(super) rects: usize,
}

/// The limits of every viewer.
pub(super) const LIMITS: Limits = Limits { bytes: 256 * 1024, converted_tiles: 1024, rects: 32_768 };

/// What one FramebufferUpdate will carry.
#[derive(Debug, Default)]
pub(super) struct Load {
    pub(super) entries: Vec<Arc<Entry>>,
    bytes: usize,
    tiles: usize,
    rects: usize,
}

impl Load {
    /// Whether an update of the log has to go into the next message.
    pub(super) fn is_full(&self, entry: &Entry, is_converted: bool, limits: Limits) -> bool {
        let converts_too_much = is_converted && self.tiles + entry.tiles().len() > limits.converted_tiles;
        let is_too_long = self.bytes + entry.update().cost_bytes() > limits.bytes || self.rects >= limits.rects;
        !self.entries.is_empty() && (converts_too_much || is_too_long)
    }

    /// Takes an update of the log along.
    pub(super) fn add(&mut self, entry: &Arc<Entry>) {
        self.bytes += entry.update().cost_bytes();
        self.tiles += entry.tiles().len();
        // An update has no more rectangles than tiles: each paints at least one.
        self.rects += entry.tiles().len();
        self.entries.push(Arc::clone(entry));
    }
}
