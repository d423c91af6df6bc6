//! What the root measures: sends checks when they are due or wanted, and hands what the answers say to whoever listens. What an answer
//! says is worked out by [`Checks`].

mod ending;
mod fares;
mod live;
mod measuring;

pub use live::{BOUNDS_MICROS, DepthTotal};

use crate::stage::Stage;
use fares::Fares;
use live::Live;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval};
use treevnc_protocol::tree::delay::{Check, Checks, Delay};
use treevnc_protocol::tree::message::{CheckCounts, CheckDelayReply, DepthDelay, NodeStatus};
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::update::{Seq, SessionId};
use treevnc_relay::clock::SessionClock;
use treevnc_relay::computing::computing;
use treevnc_relay::publisher::CheckLog;

/// A check rides on a real frame about so often, whether anybody listens or not: what `status` knows of delays comes from these.
const USUAL: Duration = Duration::from_secs(1);
/// Events that a listener may be behind; older ones are lost to it.
const BEHIND: usize = 1 << 16;

/// Something that was measured.
#[derive(Debug, Clone, Copy)]
pub enum Measured {
    /// A check was sent.
    Sent(Check),
    /// A node has answered, behind that site if there is one.
    Answered(Delay, Option<NodeId>),
}

/// The measurements of a root.
#[derive(Debug)]
pub struct Delays {
    session: SessionId,
    clock: SessionClock,
    stage: Stage,
    checks: Mutex<Checks>,
    known: Mutex<Known>,
    events: broadcast::Sender<Measured>,
    /// Nodes that are there.
    nodes: AtomicUsize,
    /// Requests that send checks of their own: none ride meanwhile that nobody asked for.
    probing: AtomicUsize,
}

/// What the answers come to.
#[derive(Debug, Default)]
struct Known {
    live: Live,
    fares: Fares,
}

/// The measurements, as numbers that only grow and those of now.
#[derive(Debug, Clone, Default)]
pub struct DelayFigures {
    /// What has become of the checks.
    pub checks: CheckCounts,
    /// Updates that nodes said they had skipped.
    pub skipped: u64,
    /// One-way delays by depth.
    pub depths: Vec<DepthTotal>,
}

impl Delays {
    /// Measures what that stage shows.
    pub(crate) fn new(session: SessionId, clock: SessionClock, stage: Stage) -> Arc<Self> {
        let (checks, events) = (Mutex::default(), broadcast::Sender::new(BEHIND));
        let (nodes, probing) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let delays = Arc::new(Self { session, clock, stage, checks, known: Mutex::default(), events, nodes, probing });
        delays.stage.set_check_log(Arc::clone(&delays) as Arc<dyn CheckLog>);
        delays
    }

    /// What is measured from now on.
    pub fn events(&self) -> broadcast::Receiver<Measured> {
        self.events.subscribe()
    }

    /// Lets a check ride on a frame from time to time. Never ends.
    pub(crate) async fn keep(&self) {
        let mut ticks = interval(USUAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if self.probing.load(Ordering::Relaxed) > 0 {
                continue;
            }
            computing(false, || self.stage.check_next());
        }
    }

    /// So many nodes are there now.
    pub(crate) fn set_nodes(&self, count: u32) {
        self.nodes.store(usize::try_from(count).unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    /// A child of the root brings answers, over a link with these round trips: as it is now, and at least. If the child is a site, those of
    /// others than itself are of nodes behind it.
    pub(crate) fn answered(
        &self,
        site: Option<NodeId>,
        batch: &CheckDelayReply,
        round_trip: Option<Duration>,
        least: Option<Duration>,
    ) {
        if batch.session != self.session {
            return;
        }
        let (now, mut checks) = (self.clock.now(), self.lock());
        for reply in &batch.replies {
            if let Some(delay) = checks.answered(reply, round_trip, least, now) {
                let site = site.filter(|site| *site != delay.node);
                self.known().note(&delay, site, now);
                // Nobody listens, mostly.
                let _ = self.events.send(Measured::Answered(delay, site));
            }
        }
    }

    /// Says of each node how it fares, and how those behind it do.
    pub(crate) fn tell(&self, nodes: &mut [NodeStatus]) {
        let (now, known) = (self.clock.now(), self.known());
        let behind = known.fares.behind(now);
        for node in nodes {
            node.fare = known.fares.of(node.id, now);
            node.behind_fare = behind.get(&node.id).copied();
        }
    }

    /// The one-way delays of the last minutes.
    pub(crate) fn by_depth(&self) -> Vec<DepthDelay> {
        self.known().live.by_depth(self.clock.now())
    }

    /// What has become of the checks.
    pub(crate) fn checks(&self) -> CheckCounts {
        self.lock().counts()
    }

    /// A node is gone from the trees.
    pub(crate) fn gone(&self, node: NodeId) {
        self.known().fares.forget(node);
    }

    /// All of it, since the root began.
    pub fn figures(&self) -> DelayFigures {
        let checks = self.checks();
        let known = self.known();
        DelayFigures { checks, skipped: known.fares.skipped(), depths: known.live.totals() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Checks> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn note(&mut self, delay: &Delay, site: Option<NodeId>, now: Duration) {
        self.fares.note(delay, site);
        if self.live.note(delay, now) {
            self.fares.clear(now);
        }
    }
}

impl CheckLog for Delays {
    fn sent(&self, seq: Seq, began: Duration, bytes: u64) {
        let expected = self.nodes.load(Ordering::Relaxed);
        let check = Check { seq, began, bytes, expected };
        self.lock().sent(check);
        let _ = self.events.send(Measured::Sent(check));
    }
}
