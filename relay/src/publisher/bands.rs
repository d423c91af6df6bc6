//! Encodes a frame: a small one here and now, a large one in bands on several threads (DESIGN.md section 4).

use super::PublishError;
use std::sync::atomic::{AtomicUsize, Ordering};
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::tiles::TileSet;
use treevnc_protocol::update::Picture;
use treevnc_protocol::zrle::{self, Effort, Encoder};

/// Fewest tiles worth a thread. Starting one takes some 50 us, which a few tiles of text make up for; a video's take 190 us each.
const TILES_PER_BAND: usize = 24;
/// Bands per thread: what one thread finds hard the others even out.
const BANDS_PER_THREAD: usize = 2;
/// More threads find no work: bands are rows of tiles.
const MAX_THREADS: usize = 16;

/// One encoder per thread. What they learn about compression they keep from frame to frame.
pub(super) struct Bands {
    encoders: Vec<Encoder>,
}

impl Bands {
    pub(super) fn new(threads: usize) -> Self {
        Self { encoders: (0..threads.clamp(1, MAX_THREADS)).map(|_| Encoder::new()).collect() }
    }

    /// Encodes those tiles; `sink` gets every update as soon as it is ready, from any thread, in any order.
    pub(super) fn encode(
        &mut self,
        fb: &Framebuffer,
        tiles: &TileSet,
        sink: &(dyn Fn(Picture) + Sync),
    ) -> Result<(), PublishError> {
        let Some((here, others)) = self.encoders.split_first_mut() else { return Err(PublishError::Encoder) };
        let count = (tiles.len() / TILES_PER_BAND).min(BANDS_PER_THREAD * (others.len() + 1));
        if others.is_empty() || count < 2 {
            here.encode(fb, tiles, &mut |picture| sink(picture));
            return Ok(());
        }
        let effort = Effort::of(fb, tiles);
        let bands = zrle::bands(tiles, count);
        let next = AtomicUsize::new(0);
        let work = |encoder: &mut Encoder| {
            while let Some(band) = bands.get(next.fetch_add(1, Ordering::Relaxed)) {
                encoder.encode_part(fb, band, effort, &mut |picture| sink(picture));
            }
        };
        std::thread::scope(|scope| {
            let start = |encoder| std::thread::Builder::new().name("encoder".into()).spawn_scoped(scope, || work(encoder));
            // Where the system gives no thread, the others do its work.
            let threads: Vec<_> = others.iter_mut().take(bands.len() - 1).filter_map(|encoder| start(encoder).ok()).collect();
            work(here);
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| PublishError::Encoder))
        })
    }
}

impl std::fmt::Debug for Bands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bands({} threads)", self.encoders.len())
    }
}
