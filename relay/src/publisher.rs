//! Puts a screen's picture into the log: finds the tiles that changed against what was last encoded, encodes them, numbers the updates.
//! The only writer of its log. Knows nothing of where the picture comes from.

mod bands;
mod outbox;

use crate::clock::SessionClock;
use crate::shared_log::SharedLog;
use bands::Bands;
use outbox::Outbox;
use std::sync::Arc;
use std::time::Duration;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::tiles::{TileGrid, TileSet};
use treevnc_protocol::update::{Content, Screen, Seq, UpdateError, truncated};

/// Who is told of the checks that are sent.
pub trait CheckLog: Send + Sync + std::fmt::Debug {
    /// The update of this number is a CHECK_DELAY, about to be published. The first update of its frame was published at `began` on the
    /// session clock; the frame has so many bytes, headers included.
    fn sent(&self, seq: Seq, began: Duration, bytes: u64);
}

/// The writer of a log.
///
/// In: [`begin_screen`](Self::begin_screen), then [`publish_frame`](Self::publish_frame) for each new picture. Out: updates in the log, each as
/// soon as it is ready; the last one of a frame makes the frame complete for all readers at once.
///
/// Its methods compute for as long as a frame takes (milliseconds) and must not run where other tasks wait for the thread.
///
/// INVARIANT: after every call that succeeded, the log's decoded picture is `encoded`.
#[derive(Debug)]
pub struct Publisher {
    log: SharedLog,
    clock: SessionClock,
    seq: Seq,
    screen: Option<Announcement>,
    /// The picture as last encoded.
    encoded: Option<Framebuffer>,
    /// Memory for the next screen's.
    retired: Option<Framebuffer>,
    bands: Bands,
    checks: Option<Arc<dyn CheckLog>>,
    /// The next frame is to end with a check.
    is_check_due: bool,
    /// The tile from which the next probe begins.
    probed: usize,
}

#[derive(Debug)]
struct Announcement {
    screen: Screen,
    published: bool,
}

/// What a frame came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    /// Tiles that had changed.
    pub tiles: usize,
    /// Updates made of them.
    pub updates: usize,
    /// Bytes of these updates.
    pub bytes: usize,
    /// Tiles encoded a second time to keep the log small.
    pub tiles_again: usize,
}

/// Why a frame could not be published. The next one begins the screen anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The log refused what the encoder made.
    #[error("the log refuses the encoder's update: {0}")]
    Refused(#[from] UpdateError),
    /// An encoder's thread ended early.
    #[error("an encoder's thread failed")]
    Encoder,
}

impl Publisher {
    /// The writer of an empty log, encoding on all cores.
    pub fn new(log: SharedLog, clock: SessionClock) -> Self {
        Self::with_threads(log, clock, std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The writer of an empty log, encoding large frames on that many threads.
    pub fn with_threads(log: SharedLog, clock: SessionClock, threads: usize) -> Self {
        let seq = log.with(|log| log.head());
        let bands = Bands::new(threads);
        let (checks, is_check_due, probed) = (None, false, 0);
        Self { log, clock, seq, screen: None, encoded: None, retired: None, bands, checks, is_check_due, probed }
    }

    /// Checks that are sent from now on are told there.
    pub fn set_check_log(&mut self, checks: Arc<dyn CheckLog>) {
        self.checks = Some(checks);
    }

    /// The next frame ends with a check, if there is somebody to be told.
    pub fn check_next(&mut self) {
        self.is_check_due = true;
    }

    /// Publishes about so many bytes of the present picture again, as a frame that ends with a check: as many tiles as cost so much by what
    /// they cost on average in the updates that painted them. Nothing before the first frame.
    pub fn probe(&mut self, bytes: usize) -> Result<Published, PublishError> {
        let is_shown = self.screen.as_ref().is_some_and(|begun| begun.published);
        let Some(encoded) = self.encoded.as_ref().filter(|_| is_shown) else { return Ok(Published::default()) };
        let grid = TileGrid::new(encoded.size());
        let mut tiles = TileSet::new(grid);
        let mut chosen = 0;
        let start = self.probed % grid.tile_count();
        for tile in (start..grid.tile_count()).chain(0..start) {
            if chosen >= bytes && !tiles.is_empty() {
                break;
            }
            tiles.insert(tile);
            chosen += self.log.with(|log| log.share_bytes(tile));
            self.probed = tile + 1;
        }
        self.check_next();
        self.publish(&tiles).inspect_err(|_| self.forget())
    }

    /// The log that is written.
    pub fn log(&self) -> &SharedLog {
        &self.log
    }

    /// The newest number given.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Begins a screen unless it is the one that is shown. Nothing is published before its first frame, so that readers keep the last
    /// picture until the new one is complete. The name is cut to what an update holds.
    pub fn begin_screen(&mut self, size: Size, name: &str) {
        let screen = Screen { size, name: truncated(name).to_owned() };
        if self.screen.as_ref().is_some_and(|begun| begun.screen == screen) {
            return;
        }
        self.screen = Some(Announcement { screen, published: false });
        self.retired = self.encoded.take().or(self.retired.take());
    }

    /// Publishes the picture as it is now. `damage` is where it may differ from the one before; everything counts as damaged in a
    /// screen's first frame. A picture of another size than the screen's begins a screen of the same name.
    pub fn publish_frame(&mut self, fb: &Framebuffer, damage: &[Rect]) -> Result<Published, PublishError> {
        let name = self.screen.as_ref().map_or(String::new(), |begun| begun.screen.name.clone());
        self.begin_screen(fb.size(), &name);
        let tiles = self.changed(fb, damage);
        if tiles.is_empty() {
            return Ok(Published::default());
        }
        let mut published = self.publish(&tiles).inspect_err(|_| self.forget())?;
        if let Some(again) = self.log.with(|log| log.tiles_to_encode_again()) {
            self.publish(&again).inspect_err(|_| self.forget())?;
            published.tiles_again = again.len();
        }
        Ok(published)
    }

    /// Takes what changed over into `encoded`, and says which tiles that were.
    fn changed(&mut self, fb: &Framebuffer, damage: &[Rect]) -> TileSet {
        let grid = TileGrid::new(fb.size());
        let Some(encoded) = &mut self.encoded else {
            let mut copy = match self.retired.take() {
                Some(old) => Framebuffer::reusing(old, fb.size()),
                None => Framebuffer::new(fb.size()),
            };
            copy.pixels_mut().copy_from_slice(fb.pixels());
            self.encoded = Some(copy);
            return TileSet::full(grid);
        };
        let mut touched = TileSet::new(grid);
        damage.iter().for_each(|&rect| touched.extend(grid.touched(rect)));
        let changed = fb.changed_tiles(encoded, &touched);
        changed.iter().for_each(|tile| encoded.copy_rect_from(fb, grid.tile(tile)));
        changed
    }

    /// Encodes tiles of `encoded` and publishes them as a frame, after the screen if that is new.
    fn publish(&mut self, tiles: &TileSet) -> Result<Published, PublishError> {
        let Some(encoded) = &self.encoded else { return Ok(Published::default()) };
        let outbox = Outbox::new(&self.log, self.clock, self.seq);
        if let Some(begun) = self.screen.as_mut().filter(|begun| !begun.published) {
            outbox.put(Content::Screen(begun.screen.clone()));
            begun.published = true;
        }
        let encoding = self.bands.encode(encoded, tiles, &|picture| outbox.put(Content::Picture(picture)));
        let checks = self.checks.as_deref().filter(|_| std::mem::take(&mut self.is_check_due));
        let sent = outbox.finish(checks);
        self.seq = sent.seq;
        sent.result?;
        encoding?;
        Ok(Published { tiles: tiles.len(), updates: sent.updates, bytes: sent.bytes, tiles_again: 0 })
    }

    /// After a failure the log's picture is unknown: the screen is begun again.
    fn forget(&mut self) {
        self.encoded = None;
        if let Some(begun) = &mut self.screen {
            begun.published = false;
        }
    }
}

#[cfg(test)]
#[path = "publisher_tests.rs"]
mod tests;
