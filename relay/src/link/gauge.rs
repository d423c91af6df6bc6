//! What is measured of one child: its link's life, whether it is behind the log, and for how long writing to it waits.

use super::{Incoming, TreeLink, Vitals};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use treevnc_protocol::tree::children::Link;
use treevnc_protocol::tree::pace::ChildWindow;
use treevnc_protocol::tree::pulse::{Peer, PulseConfig};

/// A child that has not received so many of the bytes written to it may still have everything in all but name: about two updates.
const ON_ITS_WAY_BYTES: u64 = 64 * 1024;

/// The gauge of one child.
#[derive(Debug)]
pub struct Gauge {
    vitals: Vitals,
    window: Mutex<Window>,
    /// Most bytes per second; 0 for no limit.
    held_to: AtomicU64,
}

#[derive(Debug)]
struct Window {
    begun: Instant,
    delivered: u64,
    /// Everything in the log is written.
    has_all: bool,
    /// It once had everything in this window.
    caught_up: bool,
    /// A write goes on since.
    writing: Option<Instant>,
    waited: Duration,
}

impl Gauge {
    /// Of a child that is served from now on. The rest of its first window counts as caught up.
    pub fn new(link: &TreeLink, times: PulseConfig, beat: watch::Receiver<u64>) -> Self {
        let (begun, waited) = (Instant::now(), Duration::ZERO);
        let window = Window { begun, delivered: 0, has_all: false, caught_up: true, writing: None, waited };
        Self { vitals: Vitals::new(link, Peer::Child, times, beat), window: Mutex::new(window), held_to: AtomicU64::new(0) }
    }

    /// The life of the link.
    pub fn vitals(&self) -> &Vitals {
        &self.vitals
    }

    pub(super) fn heard(&self, incoming: &Incoming) {
        self.vitals.heard(incoming);
        self.look();
    }

    /// Whether everything in the log is written.
    pub(super) fn has_all(&self, has_all: bool) {
        self.lock().has_all = has_all;
        if has_all {
            self.look();
        }
    }

    pub(super) fn write_begins(&self) {
        self.lock().writing = Some(Instant::now());
    }

    pub(super) fn write_ends(&self) {
        let window = &mut *self.lock();
        if let Some(since) = window.writing.take() {
            window.waited += since.max(window.begun).elapsed();
        }
    }

    /// From now on no more updates than this are to be written, in bytes per second.
    pub(crate) fn hold_to(&self, bytes_per_second: Option<u64>) {
        self.held_to.store(bytes_per_second.map_or(0, |rate| rate.max(1)), Ordering::Relaxed);
    }

    /// How long it takes until so many bytes may be followed by others.
    pub(super) fn time_for(&self, bytes: u64) -> Duration {
        match self.held_to.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            rate => Duration::from_micros(bytes.saturating_mul(1_000_000) / rate),
        }
    }

    fn look(&self) {
        let (_, outstanding) = self.vitals.delivered();
        let window = &mut *self.lock();
        window.caught_up |= window.has_all && outstanding <= ON_ITS_WAY_BYTES;
    }

    /// Ends a window and begins the next.
    pub(crate) fn take_window(&self, link: Link) -> ChildWindow {
        self.look();
        let (delivered, _) = self.vitals.delivered();
        let now = Instant::now();
        let window = &mut *self.lock();
        let still = window.writing.map_or(Duration::ZERO, |since| now.duration_since(since.max(window.begun)));
        let (received, waited) = (delivered - window.delivered, window.waited + still);
        let behind = !window.caught_up;
        *window = Window { begun: now, delivered, caught_up: false, waited: Duration::ZERO, ..*window };
        ChildWindow { link, received, behind, waited }
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
