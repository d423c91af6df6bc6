//! Drives a link's [`Pulse`] with the bytes that really go over it and the time. Shared by the tasks that read, write and watch a link;
//! when a peer is lost is decided by the pulse.

use super::{Incoming, TreeLink};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use treevnc_protocol::tree::message::{Fault, Message};
use treevnc_protocol::tree::pulse::{Peer, Pulse, PulseConfig};

/// The life of a link: heartbeats to send, and the verdict on the peer.
#[derive(Debug)]
pub struct Vitals {
    pulse: Mutex<Pulse>,
    started: Instant,
    read: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
    beat: watch::Receiver<u64>,
    /// A heartbeat may be due earlier than it was.
    wake: Notify,
}

impl Vitals {
    /// Of a link whose life begins now; its heartbeats carry what `beat` says.
    pub fn new(link: &TreeLink, peer: Peer, times: PulseConfig, beat: watch::Receiver<u64>) -> Self {
        Self {
            pulse: Mutex::new(Pulse::new(peer, times, Duration::ZERO)),
            started: Instant::now(),
            read: link.reader.bytes_read(),
            written: link.writer.bytes_written(),
            beat,
            wake: Notify::new(),
        }
    }

    /// Takes note of what has come.
    pub fn heard(&self, incoming: &Incoming) {
        let Incoming::Message(Message::Heartbeat(heartbeat)) = incoming else { return self.with(|_, _| ()) };
        self.with(|pulse, now| pulse.handle_heartbeat(heartbeat, now));
        self.wake.notify_one();
    }

    /// The heartbeat to write now, if one is due.
    pub fn due_heartbeat(&self) -> Option<Message> {
        let beat = *self.beat.borrow();
        self.with(|pulse, now| pulse.poll_heartbeat(beat, now)).map(Message::Heartbeat)
    }

    /// The next heartbeat to write, when it is due. Cancel safe; one task at a time.
    pub async fn heartbeat(&self) -> Message {
        loop {
            if let Some(heartbeat) = self.due_heartbeat() {
                return heartbeat;
            }
            let wait = self.with(|pulse, now| pulse.heartbeat_deadline().saturating_sub(now));
            tokio::select! {
                () = sleep(wait) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// Resolves when the peer is lost, and says how. Its time goes on whatever a reader or writer of the link waits for. Cancel safe.
    pub async fn fault(&self) -> Fault {
        loop {
            let (fault, wait) = self.with(|pulse, now| (pulse.poll_fault(now), pulse.fault_deadline().saturating_sub(now)));
            match fault {
                Some(fault) => return fault,
                None => sleep(wait).await,
            }
        }
    }

    /// Bytes that the peer's program has read, and those that were written and not yet read, both as far as it has said.
    pub fn delivered(&self) -> (u64, u64) {
        self.with(|pulse, _| (pulse.delivered(), pulse.outstanding()))
    }

    /// The smoothed round trip, queues and the peer's program included.
    pub fn round_trip(&self) -> Option<Duration> {
        self.with(|pulse, _| pulse.round_trip())
    }

    /// The least round trip of the last 10 to 20 s.
    pub fn least_round_trip(&self) -> Option<Duration> {
        self.with(|pulse, _| pulse.least_round_trip())
    }

    fn with<T>(&self, event: impl FnOnce(&mut Pulse, Duration) -> T) -> T {
        let mut pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, written) = (self.read.load(Ordering::Relaxed), self.written.load(Ordering::Relaxed));
        let now = self.started.elapsed();
        pulse.handle_counts(read, written, now);
        event(&mut pulse, now)
    }
}
