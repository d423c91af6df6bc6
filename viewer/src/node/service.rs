//! What a node answers on its port: children are served, questions that are the root's are sent there.

use super::uplink::converse;
use super::{CALL_LANE, Shared};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::{debug, info};
use treevnc_protocol::tree::children::{Acceptance, Link};
use treevnc_protocol::tree::member::Member;
use treevnc_protocol::tree::message::{Attach, CheckDelayReply, ConnectTo, Fault, Message, Refused};
use treevnc_protocol::tree::pace::Slow;
use treevnc_relay::children::Gate;
use treevnc_relay::link::{Incoming, LinkError, TreeLink};
use treevnc_relay::port::TreeService;
use treevnc_relay::snapshot::serve_snapshot;

/// How long a new link may stay silent.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct NodeService {
    shared: Arc<Shared>,
}

impl NodeService {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    async fn answer(&self, mut link: TreeLink, peer: SocketAddr) -> Result<(), LinkError> {
        let first = timeout(FIRST_MESSAGE, link.read()).await.map_err(|_| LinkError::TimedOut(FIRST_MESSAGE))??;
        let Incoming::Message(first) = first else { return Ok(()) };
        let answer = match first {
            Message::Attach(attach) => {
                self.shared.children.serve(self, link, attach, peer).await;
                return Ok(());
            }
            Message::SnapshotRequest => return serve_snapshot(&self.shared.log, link.split().1).await,
            Message::AreYouThere(_) => self.shared.member().i_am_here(self.shared.room()),
            Message::ConnectTo(place) => return self.pushed(link, &place).await,
            Message::WhereToConnect(_) | Message::StatusRequest => self.shared.member().redirect(),
            _ => Message::Refused(Refused { again: false, reason: "this message is not for a node".into() }),
        };
        link.write_message(&answer).await
    }
}

impl NodeService {
    /// The root has dialled this node to give it a place. If it is obeyed, the connection is a call of the member's from now on.
    async fn pushed(&self, mut link: TreeLink, place: &ConnectTo) -> Result<(), LinkError> {
        let (lane, waiting) = mpsc::channel(CALL_LANE);
        let (call, here) = self.shared.with_member(|member, now| {
            let call = member.handle_push(place, now);
            self.shared.pushed().extend(call.map(|call| (call, lane)));
            (call, member.i_am_here(self.shared.room()))
        });
        link.write_message(&here).await?;
        let Some(call) = call else { return Ok(()) };
        let ended = converse(&self.shared, call, link, waiting).await;
        self.shared.pushed().remove(&call);
        if ended.is_err() {
            self.shared.with_member(|member: &mut Member, now| member.handle_root_closed(call, now));
        }
        ended
    }
}

impl TreeService for NodeService {
    async fn serve(&self, link: TreeLink, peer: SocketAddr) {
        if let Err(error) = self.answer(link, peer).await {
            debug!("link from {peer} ended: {error}");
        }
    }
}

impl Gate for NodeService {
    fn attach(&self, attach: &Attach, link: Link) -> Acceptance {
        self.shared.with_member(|member, _| member.accept(attach, link))
    }

    fn ended(&self, link: Link, why: Fault) {
        self.shared.with_member(|member: &mut Member, now| member.handle_child_closed(link, why, now));
    }

    fn answered(&self, _link: Link, batch: CheckDelayReply, round_trip: Option<Duration>, least: Option<Duration>) {
        self.shared.pass_on(&batch, round_trip, least);
    }

    fn slow(&self, slow: Slow) {
        info!("cannot keep up: {slow:?}");
        self.shared.with_member(|member, now| member.handle_slow(slow, now));
    }
}
