//! What a node answers on its port: children are served, questions that are the root's are sent there.

use super::Shared;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tracing::{debug, info};
use treevnc_protocol::tree::children::{Acceptance, Link};
use treevnc_protocol::tree::member::Member;
use treevnc_protocol::tree::message::{Attach, Fault, Message, Refused};
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
            Message::AreYouThere(_) => self.shared.member().i_am_here(),
            Message::WhereToConnect(_) | Message::StatusRequest => self.shared.member().redirect(),
            _ => Message::Refused(Refused { again: false, reason: "this message is not for a node".into() }),
        };
        link.write_message(&answer).await
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
    fn slow(&self, slow: Slow) {
        info!("cannot keep up: {slow:?}");
    }
}
