//! The beats of a root, which heartbeats carry down its trees: while they come, nothing between a node and its root is cut off.

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use treevnc_protocol::tree::pulse::PulseConfig;

/// Counts beats. Never ends.
pub async fn keep_beating(beat: &watch::Sender<u64>) {
    let mut beats = interval(PulseConfig::default().interval);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        beat.send_modify(|beat| *beat += 1);
    }
}
