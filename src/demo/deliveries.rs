//! How long frames take from being published by the root to being complete at each node; one clock, for all are in one process.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use treevnc_protocol::update::Seq;
use treevnc_relay::clock::SessionClock;
use treevnc_relay::shared_log::SharedLog;
use treevnc_viewer::node::NodeState;

/// Frames of one node that are remembered at most; later ones are not counted.
const MAX_FRAMES: usize = 100_000;

/// The delivery times of all nodes.
#[derive(Debug, Clone)]
pub(super) struct Deliveries {
    clock: SessionClock,
    by_depth: Arc<Mutex<BTreeMap<u32, Depth>>>,
}

#[derive(Debug, Default)]
struct Depth {
    nodes: usize,
    times: Vec<Duration>,
}

impl Deliveries {
    pub(super) fn new(clock: SessionClock) -> Self {
        Self { clock, by_depth: Arc::default() }
    }

    /// Watches a node's log; never ends. Frames published before the node attached do not count.
    pub(super) fn of_node(
        &self,
        log: SharedLog,
        mut state: watch::Receiver<NodeState>,
    ) -> impl Future<Output = anyhow::Error> + Send + 'static {
        let this = self.clone();
        async move {
            let mut changed = log.changed();
            let Ok(depth) = state.wait_for(|state| depth_of(state).is_some()).await.map(|state| depth_of(&state)) else {
                return anyhow::anyhow!("a node is gone");
            };
            let (depth, since) = (depth.unwrap_or_default(), this.clock.now());
            this.note(depth, |depth| depth.nodes += 1);
            let mut last = Seq::NONE;
            while changed.changed().await.is_ok() {
                let newest = log.with(|log| log.newest().map(|entry| (log.complete(), entry.update().sent)));
                let now = this.clock.now();
                if let Some((complete, sent)) = newest.filter(|(complete, sent)| *complete != last && *sent > since) {
                    last = complete;
                    this.note(depth, |depth| {
                        if depth.times.len() < MAX_FRAMES {
                            depth.times.push(now.saturating_sub(sent));
                        }
                    });
                }
            }
            anyhow::anyhow!("a node's log is gone")
        }
    }

    fn note(&self, depth: u32, note: impl FnOnce(&mut Depth)) {
        note(self.by_depth.lock().unwrap_or_else(PoisonError::into_inner).entry(depth).or_default());
    }

    /// A line per depth.
    pub(super) fn table(&self) -> String {
        let mut out = String::from("from the root to the complete frame, in ms\n depth  nodes  frames  median     p95     max\n");
        for (depth, Depth { nodes, times }) in self.by_depth.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            times.sort_unstable();
            let at = |percent: usize| {
                let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
                times.get(index).map_or("-".to_owned(), |time| format!("{:.1}", time.as_secs_f64() * 1e3))
            };
            let count = times.len();
            let _ = writeln!(out, "{depth:>6} {nodes:>6} {count:>7} {:>7} {:>7} {:>7}", at(50), at(95), at(100));
        }
        out
    }
}

fn depth_of(state: &NodeState) -> Option<u32> {
    match state {
        NodeState::Attached { slot, .. } => Some(slot.depth()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_per_depth() {
        let deliveries = Deliveries::new(SessionClock::start());
        deliveries.note(1, |depth| depth.nodes = 2);
        deliveries.note(2, |depth| depth.times.extend((1..=100).map(Duration::from_millis)));
        let table = deliveries.table();
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(lines, ["     1      2       0       -       -       -", "     2      0     100    51.0    96.0   100.0"]);
    }
}
