//! What a world is like and what happens in it.

use std::time::Duration;
use treevnc_protocol::tree::pulse::PulseConfig;

/// How many more nodes than the two the root feeds where computers are kept apart.
pub(crate) const ROOM: u8 = 62;

/// A run: how many nodes, what happens to them, over which network.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Nodes that stand up at first; the churn keeps their number about here.
    pub nodes: usize,
    /// How many nodes start per second while the tree stands up.
    pub joins_per_second: f64,
    /// Things that happen in the churn.
    pub events: usize,
    /// Things that happen per second of the churn, for every thousand nodes.
    pub events_per_second: f64,
    /// What happens, by weight.
    pub rates: Rates,
    /// Percent of the nodes that cannot be dialled: they can only be leaves.
    pub leaf_only: u32,
    /// Percent of the nodes that reach only the root, and are reached only by it: their network keeps computers apart. If there are any, the
    /// root has room for 62 more at all times.
    pub isolated: u32,
    /// Percent of the nodes that vanish in one moment after the tree stood up.
    pub loss: f64,
    /// Losses one at a time, at rest, after everything else: for the moves and messages of a single one.
    pub single_losses: usize,
    /// Frames that the root shows per second.
    pub frames_per_second: f64,
    /// The way from a host into the network and out of it: each host has its own between these.
    pub latency: (Duration, Duration),
    /// For how long the other side of a link may be silent after its last heartbeat, which comes once in an interval.
    pub silence: Duration,
}

/// The limit of silence on a link whose round trips are short ([`treevnc_protocol::tree::pulse`]): two intervals and the shortest time-out.
fn silence_limit(times: PulseConfig) -> Duration {
    times.interval * 2 + times.min_rto
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nodes: 1000,
            joins_per_second: 500.0,
            events: 1000,
            events_per_second: 20.0,
            rates: Rates::default(),
            leaf_only: 10,
            isolated: 0,
            loss: 0.0,
            single_losses: 50,
            frames_per_second: 1.0,
            latency: (Duration::from_micros(250), Duration::from_millis(5)),
            silence: silence_limit(PulseConfig::default()),
        }
    }
}

/// What happens in a churn, by weight. Nodes join as often as it takes to keep their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// A node leaves and says so.
    pub leave: u32,
    /// A process ends: its connections end with it.
    pub crash: u32,
    /// A host is gone: nothing ends, all is silent.
    pub vanish: u32,
    /// A process is stopped and goes on later: the kernel still accepts connections and bytes.
    pub stall: u32,
    /// A connection between parent and child goes dead, and nobody is told.
    pub cut: u32,
    /// A connection between parent and child is reset.
    pub reset: u32,
    /// A link between parent and child gets narrow for a while.
    pub narrow: u32,
    /// All links of a host get narrow for a while.
    pub slow: u32,
    /// Some hosts cannot reach the others for a while.
    pub partition: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { leave: 20, crash: 15, vanish: 10, stall: 8, cut: 5, reset: 5, narrow: 4, slow: 3, partition: 1 }
    }
}
