//! Measurements that somebody at the root's machine asks for: sends the checks that are wanted, and tells what comes back.

use super::ending::Ending;
use super::{Delays, Measured};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};
use treevnc_protocol::tree::delay::{Check, Delay};
use treevnc_protocol::tree::message::{DelayReport, DelayRequest, MAX_DELAY_REPLIES, MeasuredDelay, Message, Refused};
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::text::NodeName;
use treevnc_relay::computing::computing;
use treevnc_relay::link::{Incoming, LinkError, TreeLink};

/// Most checks of one request, the shortest time between two, and most bytes of one.
const MOST_CHECKS: u32 = 100_000;
const LEAST_INTERVAL: Duration = Duration::from_millis(20);
const MOST_BYTES: usize = 64 << 20;

impl Delays {
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
        let mut ending: Option<Ending> = None;
        let mut replies = VecDeque::new();
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(Measured::Sent(check)) if sent < count => {
                        sent += 1;
                        tell(&mut link, &mut replies).await?;
                        link.write_message(&Message::Delay(report(&check))).await?;
                        if sent == count {
                            ending = Some(Ending::after(check.seq, Instant::now()));
                        }
                    }
                    Ok(Measured::Answered(delay, site)) => {
                        ending.iter_mut().for_each(|ending| ending.answered(delay.check.seq, Instant::now()));
                        let name = name_of(delay.node).or_else(|| site.and_then(&name_of).map(|site| behind(&site)));
                        replies.push_back(measured(&delay, name));
                        if replies.len() >= MAX_DELAY_REPLIES || events.is_empty() {
                            tell(&mut link, &mut replies).await?;
                        }
                    }
                    Ok(Measured::Sent(_)) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return Ok(()),
                },
                () = sleep_until(ending.map_or(due, Ending::due)) => {
                    if ending.is_some() {
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

/// What one is called whose name only the site knows that it is behind.
fn behind(site: &NodeName) -> NodeName {
    NodeName::new(&format!("behind {site}"))
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
