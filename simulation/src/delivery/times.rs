//! How long each frame took to each node.

use super::settings::DeliverySettings;
use std::time::Duration;
use treevnc_protocol::tree::slot::Slot;

/// A node has not had a frame.
const NEVER: Duration = Duration::MAX;

/// What is measured.
#[derive(Debug)]
pub(super) struct Times {
    nodes: usize,
    /// When each frame began.
    began: Vec<Duration>,
    /// Frame by frame, in order of the slots.
    delays: Vec<Duration>,
}

impl Times {
    pub(super) fn new(settings: &DeliverySettings) -> Self {
        let delays = vec![NEVER; settings.frames * settings.nodes];
        Self { nodes: settings.nodes, began: Vec::with_capacity(settings.frames), delays }
    }

    /// The next frame begins.
    pub(super) fn begin(&mut self, now: Duration) {
        self.began.push(now);
    }

    /// Frames so far.
    pub(super) fn begun(&self) -> usize {
        self.began.len()
    }

    /// A node has a complete frame.
    pub(super) fn note(&mut self, frame: usize, slot: Slot, now: Duration) {
        let place = self.place(frame, slot);
        if let (Some(began), Some(delay)) = (self.began.get(frame), self.delays.get_mut(place)) {
            *delay = now.saturating_sub(*began);
        }
    }

    /// How long a frame took to a node, if it has had it.
    pub(super) fn of(&self, frame: usize, slot: Slot) -> Option<Duration> {
        self.delays.get(self.place(frame, slot)).copied().filter(|delay| *delay != NEVER)
    }

    /// The root, which has slot 0, is not measured.
    fn place(&self, frame: usize, slot: Slot) -> usize {
        (frame * self.nodes + slot.0 as usize).saturating_sub(1)
    }
}
