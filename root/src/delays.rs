//! What the root measures: sends checks when they are due or wanted, and hands what the answers say to whoever listens. What an answer
//! says is worked out by [`Checks`].

mod live;

use crate::stage::Stage;
use live::Live;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use treevnc_protocol::tree::delay::{Check, Checks, Delay};
use treevnc_protocol::tree::message::{
    CheckDelayReply, DelayReport, DelayRequest, DepthDelay, MAX_DELAY_REPLIES, MeasuredDelay, Message, Refused,
};
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::text::NodeName;
use treevnc_protocol::update::{Seq, SessionId};
use treevnc_relay::clock::SessionClock;
use treevnc_relay::computing::computing;
use treevnc_relay::link::{Incoming, LinkError, TreeLink};
use treevnc_relay::publisher::CheckLog;

/// A check rides on a real frame about so often, whether anybody listens or not: what `status` knows of delays comes from these.
const USUAL: Duration = Duration::from_secs(1);
/// Events that a listener may be behind; older ones are lost to it.
const BEHIND: usize = 1 << 16;
/// How long answers to the last check are waited for.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// Most checks of one request, the shortest time between two, and most bytes of one.
const MOST_CHECKS: u32 = 100_000;
const LEAST_INTERVAL: Duration = Duration::from_millis(20);
const MOST_BYTES: usize = 64 << 20;

/// Something that was measured.
#[derive(Debug, Clone, Copy)]
pub enum Measured {
    /// A check was sent.
    Sent(Check),
    /// A node has answered.
    Answered(Delay),
}

/// The measurements of a root.
#[derive(Debug)]
pub struct Delays {
    session: SessionId,
    clock: SessionClock,
    stage: Stage,
    checks: Mutex<Checks>,
    live: Mutex<Live>,
    events: broadcast::Sender<Measured>,
    /// Nodes that are there.
    nodes: AtomicUsize,
    /// Requests that send checks of their own: none ride meanwhile that nobody asked for.
    probing: AtomicUsize,
}

impl Delays {
    /// Measures what that stage shows.
    pub(crate) fn new(session: SessionId, clock: SessionClock, stage: Stage) -> Arc<Self> {
        let (checks, events) = (Mutex::default(), broadcast::Sender::new(BEHIND));
        let (nodes, probing) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let delays = Arc::new(Self { session, clock, stage, checks, live: Mutex::default(), events, nodes, probing });
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

    /// A child of the root brings answers, over a link with these round trips: as it is now, and at least.
    pub(crate) fn answered(&self, batch: &CheckDelayReply, round_trip: Option<Duration>, least: Option<Duration>) {
        if batch.session != self.session {
            return;
        }
        let (now, mut checks) = (self.clock.now(), self.lock());
        for reply in &batch.replies {
            if let Some(delay) = checks.answered(reply, round_trip, least, now) {
                self.live().note(&delay, now);
                // Nobody listens, mostly.
                let _ = self.events.send(Measured::Answered(delay));
            }
        }
    }

    /// Measures for whoever asked on this link, until all is done or it hangs up. `name_of` names nodes.
    pub(crate) async fn measure(
        &self,
        mut link: TreeLink,
        request: DelayRequest,
        name_of: impl Fn(NodeId) -> Option<NodeName> + Send + Sync,
    ) -> Result<(), LinkError> {
        let interval = Duration::from_millis(request.interval.into()).max(LEAST_INTERVAL);
        let bytes = usize::try_from(request.bytes).unwrap_or(MOST_BYTES).min(MOST_BYTES);
        let count = request.count.min(MOST_CHECKS);
        if count == 0 {
            let refused = Refused { again: false, reason: "no checks were asked for".into() };
            return link.write_message(&Message::Refused(refused)).await;
        }
        let _probing = (bytes > 0).then(|| Probing::begin(&self.probing));
        let mut events = self.events();
        let (mut sent, mut due, mut wanted) = (0, Instant::now(), 0);
        let mut replies = VecDeque::new();
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(Measured::Sent(check)) if sent < count => {
                        sent += 1;
                        tell(&mut link, &mut replies).await?;
                        link.write_message(&Message::Delay(report(&check))).await?;
                        if sent == count {
                            due = Instant::now() + LAST_ANSWERS;
                        }
                    }
                    Ok(Measured::Answered(delay)) => {
                        replies.push_back(measured(&delay, name_of(delay.node)));
                        if replies.len() >= MAX_DELAY_REPLIES || events.is_empty() {
                            tell(&mut link, &mut replies).await?;
                        }
                    }
                    Ok(Measured::Sent(_)) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return Ok(()),
                },
                () = sleep_until(due) => {
                    if sent == count {
                        tell(&mut link, &mut replies).await?;
                        return link.write_message(&Message::Delay(DelayReport::Done)).await;
                    }
                    due += interval;
                    if wanted < count {
                        wanted += u32::from(bytes > 0);
                        self.send_check(bytes);
                    }
                }
                heard = link.read() => drop::<Incoming>(heard?),
            }
        }
    }

    /// Sends a check now, or, for no bytes, with the next frame.
    fn send_check(&self, bytes: usize) {
        if bytes == 0 {
            return computing(false, || self.stage.check_next());
        }
        if let Err(error) = computing(true, || self.stage.probe(bytes)) {
            tracing::warn!("a check could not be sent: {error}");
        }
    }

    /// The newest one-way delay of a node.
    pub(crate) fn of(&self, node: NodeId) -> Option<Duration> {
        self.live().of(node, self.clock.now())
    }

    /// The one-way delays of the last minutes.
    pub(crate) fn by_depth(&self) -> Vec<DepthDelay> {
        self.live().by_depth(self.clock.now())
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Checks> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Counted for as long as it lives.
struct Probing<'a>(&'a AtomicUsize);

impl<'a> Probing<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Probing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn tell(link: &mut TreeLink, replies: &mut VecDeque<MeasuredDelay>) -> Result<(), LinkError> {
    while !replies.is_empty() {
        let page = replies.drain(..replies.len().min(MAX_DELAY_REPLIES)).collect();
        link.write_message(&Message::Delay(DelayReport::Replies(page))).await?;
    }
    Ok(())
}

fn report(check: &Check) -> DelayReport {
    let expected = u32::try_from(check.expected).unwrap_or(u32::MAX);
    let began = u64::try_from(check.began.as_micros()).unwrap_or(u64::MAX);
    DelayReport::Sent { check: check.seq, began, bytes: check.bytes, expected }
}

fn measured(delay: &Delay, name: Option<NodeName>) -> MeasuredDelay {
    let micros = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    MeasuredDelay {
        check: delay.check.seq,
        node: delay.node,
        name: name.unwrap_or_default(),
        depth: delay.depth,
        bytes: delay.bytes,
        delay: micros(delay.delay),
        one_way: micros(delay.one_way),
        round_trip: micros(delay.round_trip),
        shown: delay.shown.map(micros),
    }
}
