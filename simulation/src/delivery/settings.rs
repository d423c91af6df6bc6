//! What is sent, over which lines; what that takes at least.

use super::line::Sharing;
use std::time::Duration;
use treevnc_protocol::geometry::ScreenSizeError;
use treevnc_protocol::tiles::TILE_PX;
use treevnc_protocol::tree::frame;
use treevnc_protocol::tree::topology::MAX_NODES;
use treevnc_protocol::update::{MAX_BODY_BYTES, MAX_RECTS_BYTES, RECT_HEADER_BYTES, UpdateError};

/// Bytes that a TCP segment carries on Ethernet: 1500 less the headers of IPv4 and TCP with time stamps.
pub const SEGMENT_BYTES: usize = 1448;
/// Bytes of headers that each segment has: TCP with time stamps, IPv4 and Ethernet. A shaper counts them.
pub const SEGMENT_HEADER_BYTES: usize = 66;
/// Bytes that an update has beside its rectangles: the frame's header and its own.
const UPDATE_HEADER_BYTES: usize = frame::HEADER_BYTES + MAX_BODY_BYTES - MAX_RECTS_BYTES;
/// Most bytes of a frame, as of a check that `treevnc delay` asks for.
const MOST_FRAME_BYTES: usize = 64 << 20;
/// Most updates of a frame: each paints a tile of its own, and so many tiles has the largest screen.
const MOST_UPDATES: usize = 8192;
/// Columns of the widest screen in tiles.
const WIDEST: usize = 128;
/// Most frames times nodes: each is a time that is kept.
const MOST_DELIVERIES: usize = 50_000_000;
/// Lines slower than this are none.
const LEAST_RATE: u64 = 1000;
/// The fastest line.
const MOST_RATE: u64 = 1_000_000_000_000;

/// A tree and what is sent down it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliverySettings {
    /// Nodes beside the root, in slots 1 to this number.
    pub nodes: usize,
    /// What each host can send, in bits per second, headers included. What it receives is not limited.
    pub uplink_bits_per_second: u64,
    /// Bytes of a frame: of the rectangles of its updates, without headers.
    pub frame_bytes: usize,
    /// Most bytes of an update's rectangles: a frame is cut into as few equal updates as this allows. Real nodes take at most 64 KiB.
    pub update_bytes: usize,
    /// From the end of a line to the host at the other side of the link.
    pub latency: Duration,
    /// How long a node's program takes for an update, from its last byte until it can be passed on or shown. One after the other.
    pub per_update: Duration,
    /// How many frames. Each paints the whole screen, and ends with a check.
    pub frames: usize,
    /// From one frame to the next. Longer than a frame takes to reach everybody: one at a time.
    pub interval: Duration,
    /// A frame is passed on when all of it is there, as the original TreeVNC did: it is one update, and `update_bytes` means nothing.
    pub whole_frames: bool,
    /// How a line is shared by what goes over it.
    pub sharing: Sharing,
}

impl Default for DeliverySettings {
    /// A frame of 1 MB in updates as the publisher makes them, over 100 Mbit/s in one building. 40 us for an update is what a relay takes
    /// for 32 KiB in and twice out on the machine of docs/measurements.md (6 Gbit/s).
    fn default() -> Self {
        Self {
            nodes: 1000,
            uplink_bits_per_second: 100_000_000,
            frame_bytes: 1_000_000,
            update_bytes: 32 * 1024,
            latency: Duration::from_micros(60),
            per_update: Duration::from_micros(40),
            frames: 1,
            interval: Duration::from_secs(1),
            whole_frames: false,
            sharing: Sharing::Evenly,
        }
    }
}

/// Why nothing was delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Nobody, or more than a tree has.
    #[error("a tree of {0} nodes; it has from 1 to {MAX_NODES}")]
    Nodes(usize),
    /// A line's rate.
    #[error("lines of {0} bit/s; they have from {LEAST_RATE} to {MOST_RATE}")]
    Rate(u64),
    /// Too much, or less than a rectangle per update.
    #[error(
        "a frame of {0} bytes in {1} updates; at most {MOST_FRAME_BYTES} bytes, and more than {RECT_HEADER_BYTES} for each update"
    )]
    Frame(usize, usize),
    /// More than the largest screen has tiles.
    #[error("a frame in {0} updates, of which each paints a tile of its own; the largest screen has {MOST_UPDATES}")]
    Updates(usize),
    /// More times than are kept.
    #[error("{0} frames to {1} nodes; at most {MOST_DELIVERIES} are delivered")]
    Deliveries(usize, usize),
    /// The screen.
    #[error(transparent)]
    Screen(#[from] ScreenSizeError),
    /// A log's.
    #[error(transparent)]
    Update(#[from] UpdateError),
}

impl DeliverySettings {
    /// Whether all of it is within the limits.
    pub fn check(&self) -> Result<(), DeliveryError> {
        let (updates, rate) = (self.updates(), self.uplink_bits_per_second);
        if !(1..=MAX_NODES).contains(&self.nodes) {
            return Err(DeliveryError::Nodes(self.nodes));
        }
        if !(LEAST_RATE..=MOST_RATE).contains(&rate) {
            return Err(DeliveryError::Rate(rate));
        }
        if updates > MOST_UPDATES {
            return Err(DeliveryError::Updates(updates));
        }
        if self.frame_bytes > MOST_FRAME_BYTES || self.frame_bytes / updates <= RECT_HEADER_BYTES {
            return Err(DeliveryError::Frame(self.frame_bytes, updates));
        }
        if self.frames > MOST_DELIVERIES / self.nodes {
            return Err(DeliveryError::Deliveries(self.frames, self.nodes));
        }
        Ok(())
    }

    /// Updates of a frame.
    pub fn updates(&self) -> usize {
        if self.whole_frames { 1 } else { self.frame_bytes.div_ceil(self.update_bytes.max(1)).max(1) }
    }

    /// How long a frame takes at least to a node so many links below the root: the root sends it to each of its two children, and each level
    /// sends the last update once more, over its link.
    pub fn floor(&self, depth: u32) -> Duration {
        let part = self.part_bytes(0);
        let copies = self.nodes.min(2) as u64;
        let frame: u64 = (0..self.updates()).map(|n| wire_bytes(self.part_bytes(n) + UPDATE_HEADER_BYTES)).sum();
        let passed_on = wire_bytes(part + UPDATE_HEADER_BYTES) * u64::from(depth.saturating_sub(1));
        self.time_for(frame * copies + passed_on) + self.latency * depth
    }

    /// Bytes of the rectangles of a frame's update with this number, the first being 0: the larger ones come first.
    pub(super) fn part_bytes(&self, n: usize) -> usize {
        let updates = self.updates();
        self.frame_bytes / updates + usize::from(n < self.frame_bytes % updates)
    }

    /// How long so many bytes take on a line that nothing else uses.
    pub(super) fn time_for(&self, wire_bytes: u64) -> Duration {
        let nanos = u128::from(wire_bytes) * 8 * 1_000_000_000 / u128::from(self.uplink_bits_per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Columns and rows of the screen in tiles: at least one for each update.
    pub(super) fn screen(&self) -> (usize, usize) {
        (self.updates().min(WIDEST), self.updates().div_ceil(WIDEST))
    }
}

/// What so many bytes of one message are on a line.
pub(super) fn wire_bytes(bytes: usize) -> u64 {
    (bytes + bytes.div_ceil(SEGMENT_BYTES) * SEGMENT_HEADER_BYTES) as u64
}

/// The side of a screen of so many tiles.
pub(super) fn side_px(tiles: usize) -> u16 {
    u16::try_from(tiles).unwrap_or(u16::MAX).saturating_mul(TILE_PX)
}
