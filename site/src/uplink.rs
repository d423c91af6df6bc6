//! What stands above a site's trees: the far session. A share of a node here is asked for there in the site's own name, and its screen is
//! passed on; nothing of it is decided here.

use crate::relays::{Relays, over};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::copy_bidirectional_with_sizes;
use tokio::time::timeout;
use tracing::{debug, info};
use treevnc_protocol::tree::message::{
    CheckDelayReply, DelayRequest, FloorCommand, Message, Present, Refused, ServerChangeReply, ServerChangeRequest, SiteOf,
};
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::text::NodeName;
use treevnc_relay::link::{Incoming, LinkError, TreeLink, dial};
use treevnc_root::trees::Above;
use treevnc_viewer::node::{NodeHandle, NodeState};

/// How long the far root may take to greet, and to answer PRESENT.
const DIAL: Duration = Duration::from_secs(5);
/// Bytes copied at a time towards the far root, and from it.
const BUFFER_BYTES: (usize, usize) = (64 * 1024, 2 * 1024);

/// The far session, as the site's trees see it.
#[derive(Debug)]
pub(crate) struct Uplink {
    node: NodeHandle,
    id: NodeId,
    host: String,
    relays: Relays,
}

impl Uplink {
    /// The site is `node` in the far session, with the number `id`; `host` is what people call the far root.
    pub(crate) fn new(node: NodeHandle, id: NodeId, host: String) -> Self {
        Self { node, id, host, relays: Relays::default() }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn interrupted(&self) -> String {
        format!("the connection to {} is interrupted", self.host)
    }

    /// Asks in the site's name for what a node here has asked. The error is for that node.
    async fn ask(&self, request: &ServerChangeRequest) -> Result<(TreeLink, ServerChangeRequest), String> {
        let is_attached = matches!(*self.node.state().borrow(), NodeState::Attached { .. });
        let own = self.node.ask_to_present(request.view).filter(|_| is_attached);
        let (root, own) = own.ok_or_else(|| self.interrupted())?;
        let own = ServerChangeRequest { name: request.name.clone(), presenter: request.presenter, ..own };
        let asking = async {
            let mut far = dial(root, DIAL).await?;
            far.write_message(&Message::ServerChangeRequest(own.clone())).await?;
            Ok::<_, LinkError>(far)
        };
        match asking.await {
            Ok(far) => Ok((far, own)),
            Err(error) => {
                debug!("the share of {} is not passed on to {root}: {error}", request.name);
                Err(self.interrupted())
            }
        }
    }

    /// Brings a screen that was let in here to the far root, until either end closes.
    async fn bring(&self, mut link: TreeLink, mut far: TreeLink, present: Present) -> Result<(), LinkError> {
        far.write_message(&Message::Present(present)).await?;
        let answer = timeout(DIAL, far.read()).await.map_err(|_| LinkError::TimedOut(DIAL))??;
        let answer = match answer {
            Incoming::Message(answer @ (Message::PresentReply | Message::Refused(_))) => answer,
            _ => refused("the root answers with something else"),
        };
        link.write_message(&answer).await?;
        if answer == Message::PresentReply {
            let (mut near, mut far) = (link.into_stream(), self.node.upload().cap(far.into_stream()));
            let (up, down) = BUFFER_BYTES;
            copy_bidirectional_with_sizes(&mut near, &mut far, up, down).await?;
        }
        Ok(())
    }
}

impl Above for Uplink {
    async fn share(&self, mut link: TreeLink, request: ServerChangeRequest) -> Result<(), LinkError> {
        info!("passing on that {} asks to share {}", request.name, request.view);
        let reply = |link: TreeLink, reply: ServerChangeReply| async move {
            let mut link = link;
            link.write_message(&Message::ServerChangeReply(reply)).await
        };
        let (mut far, own) = match self.ask(&request).await {
            Ok(asked) => asked,
            Err(reason) => return reply(link, ServerChangeReply::Refused { reason: reason.as_str().into() }).await,
        };
        let mut entry = self.relays.begin(request.id, own.session);
        loop {
            let heard = tokio::select! {
                heard = far.read() => heard,
                heard = link.read() => {
                    drop::<Incoming>(heard?);
                    continue;
                }
                () = entry.over() => {
                    return reply(link, ServerChangeReply::Ended { reason: "its node is gone from the tree".into() }).await;
                }
            };
            let heard = match heard {
                Ok(Incoming::Message(Message::ServerChangeReply(reply))) => reply,
                Ok(Incoming::Message(Message::Refused(Refused { reason, .. }))) => ServerChangeReply::Refused { reason },
                Ok(_) => continue,
                Err(_) => ServerChangeReply::Ended { reason: self.interrupted().as_str().into() },
            };
            if let ServerChangeReply::Accepted { ticket } = heard {
                entry.granted(ticket);
            }
            let is_last = heard.is_last();
            link.write_message(&Message::ServerChangeReply(heard)).await?;
            if is_last {
                return Ok(());
            }
        }
    }

    fn answered(&self, _site: Option<NodeId>, batch: CheckDelayReply, round_trip: Option<Duration>, least: Option<Duration>) {
        self.node.pass_on(&batch, round_trip, least);
    }

    async fn measure(
        &self,
        mut link: TreeLink,
        _request: DelayRequest,
        _name_of: impl Fn(NodeId) -> Option<NodeName> + Send + Sync,
    ) -> Result<(), LinkError> {
        let reason = "this is a site: delays are measured at the session's own root, sites included";
        link.write_message(&Message::Refused(Refused { again: false, reason: reason.into() })).await
    }

    async fn present(&self, mut link: TreeLink, present: Present) -> Result<(), LinkError> {
        let Some((session, mut life)) = self.relays.admit(&present) else {
            return link.write_message(&refused("this ticket is not good (any more): ask again")).await;
        };
        let root: SocketAddr = self.node.root();
        let far = match dial(root, DIAL).await {
            Ok(far) => far,
            Err(error) => {
                debug!("no screen is brought to {root}: {error}");
                return link.write_message(&refused(&self.interrupted())).await;
            }
        };
        tokio::select! {
            ended = self.bring(link, far, Present { session, id: self.id, ticket: present.ticket }) => ended,
            () = over(&mut life) => Ok(()),
        }
    }

    fn command(&self, _command: FloorCommand) -> Message {
        refused(&format!("this is a site: who presents is decided at the session's root, towards {}", self.host))
    }

    fn gone(&self, node: NodeId) {
        self.relays.gone(node);
    }

    fn site_of(&self) -> Option<SiteOf> {
        let depth = self.node.presenter().borrow().line.len();
        Some(SiteOf { host: self.host.as_str().into(), depth: u8::try_from(depth).unwrap_or(u8::MAX) })
    }
}

fn refused(reason: &str) -> Message {
    Message::Refused(Refused { again: false, reason: reason.into() })
}
