//! Share Screen: a node asks the root, and brings its screen (PROTOCOL.md, Presenting; DESIGN.md idea E). Owns both connections of a share and
//! what is behind them; who presents is decided at the root.

mod bridge;
mod source;

pub use source::{Found, ShareSource, displays, find_screen};

use crate::node::NodeHandle;
use bridge::{Carried, carry};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{debug, info};
use treevnc_protocol::tree::message::{Message, Present, Refused, ServerChangeReply, ServerChangeRequest};
use treevnc_protocol::tree::ticket::Ticket;
use treevnc_relay::link::{Incoming, LinkError, TreeLink, dial};
use treevnc_screen::capture::CaptureError;
use treevnc_screen::display::Choice;
use treevnc_screen::vnc::ConnectError;

/// How long the root may take to greet, and to answer PRESENT.
const DIAL: Duration = Duration::from_secs(5);

/// What is to be shared.
#[derive(Debug, Clone, Default)]
pub struct ShareOptions {
    /// Whose screen.
    pub source: ShareSource,
    /// Which part of it.
    pub choice: Choice,
}

/// How it stands with a share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sharing {
    /// There is none.
    #[default]
    No,
    /// The screen is being opened, and the root asked.
    Asking,
    /// A person at the root is being asked.
    Asked,
    /// The root has said yes; the first picture is on its way.
    Starting,
    /// Everybody sees the screen.
    Live,
    /// Another one is shown; this one returns when that one ends.
    Paused {
        /// The other one's name.
        by: String,
    },
}

/// Why a share is over, or never began. One line, for people.
#[derive(Debug, thiserror::Error)]
pub enum ShareEnd {
    /// The VNC server is not there, or does not let us in.
    #[error("the VNC server at {0} cannot be shared: {1}")]
    Server(String, ConnectError),
    /// This machine's screen cannot be captured.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// There is no such display.
    #[error("there is no {asked}: {known}")]
    NoSuchDisplay {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// The node has no place in a tree.
    #[error("not in a session now: try again when the picture is there")]
    NotInTree,
    /// The root cannot be reached, or was lost.
    #[error("the connection to the root failed: {0}")]
    Root(#[from] LinkError),
    /// The root said no.
    #[error("refused: {0}")]
    Refused(String),
    /// Another one is just beginning.
    #[error("somebody else is just beginning to share: try again in a moment")]
    Busy,
    /// Nobody answered.
    #[error("nobody at the root answered: try again")]
    Expired,
    /// It was shown, or about to be, and is no more.
    #[error("sharing has ended: {0}")]
    Ended(String),
    /// The shared screen is gone.
    #[error("the shared screen is gone: {0}")]
    SourceGone(String),
}

/// Shares a screen until that is over, which always has a reason. The screen is opened before anybody is asked: a password that is missing or
/// wrong is this machine's business. Dropping the future ends the share and closes everything.
pub async fn share(node: &NodeHandle, options: &ShareOptions, state: &watch::Sender<Sharing>) -> ShareEnd {
    state.send_replace(Sharing::Asking);
    match source::find_for(&options.source, options.choice).await {
        Ok(found) => share_found(node, found, options.choice, state).await,
        Err(end) => {
            state.send_replace(Sharing::No);
            end
        }
    }
}

/// As [`share`], with a screen that was found before, to be chosen from.
pub async fn share_found(node: &NodeHandle, found: Found, choice: Choice, state: &watch::Sender<Sharing>) -> ShareEnd {
    state.send_replace(Sharing::Asking);
    let end = match run(node, found, choice, state).await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    state.send_replace(Sharing::No);
    end
}

async fn run(
    node: &NodeHandle,
    found: Found,
    choice: Choice,
    state: &watch::Sender<Sharing>,
) -> Result<std::convert::Infallible, ShareEnd> {
    let opened = source::open(found, choice).await?;
    let (root, request) = node.ask_to_present(opened.view()).ok_or(ShareEnd::NotInTree)?;
    info!("asking {root} to show {opened}");
    let mut link = dial(root, DIAL).await?;
    link.write_message(&Message::ServerChangeRequest(request.clone())).await?;
    let ticket = loop {
        match next_reply(&mut link).await? {
            ServerChangeReply::Accepted { ticket } => break ticket,
            reply => told(reply, state)?,
        }
    };
    state.send_replace(Sharing::Starting);
    let carrying = async {
        let stream = node.upload().cap(present(root, &request, ticket).await?.into_stream());
        Ok::<_, ShareEnd>(carry(opened, stream, request.name.as_str()).await)
    };
    let hearing = async {
        loop {
            told(next_reply(&mut link).await?, state)?;
        }
    };
    tokio::pin!(hearing);
    tokio::select! {
        ended = &mut hearing => ended,
        ended = carrying => {
            let end = match ended {
                Ok(Carried::Gone(why)) => return Err(ShareEnd::SourceGone(why)),
                Ok(Carried::Closed(why)) => ShareEnd::SourceGone(why),
                Err(end) => end,
            };
            // The root may have closed the screen's connection and be about to say why.
            timeout(DIAL, hearing).await.unwrap_or(Err(end))
        }
    }
}

/// Takes a reply to heart; the last one is the end.
fn told(reply: ServerChangeReply, state: &watch::Sender<Sharing>) -> Result<(), ShareEnd> {
    let now = match reply {
        ServerChangeReply::Asked => Sharing::Asked,
        ServerChangeReply::Live => Sharing::Live,
        ServerChangeReply::Paused { by } => Sharing::Paused { by: by.to_string() },
        ServerChangeReply::Accepted { .. } => return Ok(()),
        ServerChangeReply::Refused { reason } => return Err(ShareEnd::Refused(reason.to_string())),
        ServerChangeReply::Busy => return Err(ShareEnd::Busy),
        ServerChangeReply::Expired => return Err(ShareEnd::Expired),
        ServerChangeReply::Ended { reason } => return Err(ShareEnd::Ended(reason.to_string())),
    };
    debug!(?now, "the share");
    state.send_replace(now);
    Ok(())
}

async fn next_reply(link: &mut TreeLink) -> Result<ServerChangeReply, ShareEnd> {
    loop {
        match link.read().await? {
            Incoming::Message(Message::ServerChangeReply(reply)) => return Ok(reply),
            Incoming::Message(Message::Refused(Refused { reason, .. })) => return Err(ShareEnd::Refused(reason.to_string())),
            _ => {}
        }
    }
}

/// The second connection, let in by its ticket.
async fn present(root: SocketAddr, request: &ServerChangeRequest, ticket: Ticket) -> Result<TreeLink, ShareEnd> {
    let mut link = dial(root, DIAL).await?;
    link.write_message(&Message::Present(Present { session: request.session, id: request.id, ticket })).await?;
    let answer = timeout(DIAL, link.read()).await.map_err(|_| LinkError::TimedOut(DIAL))??;
    match answer {
        Incoming::Message(Message::PresentReply) => Ok(link),
        Incoming::Message(Message::Refused(Refused { reason, .. })) => Err(ShareEnd::Refused(reason.to_string())),
        _ => Err(ShareEnd::Refused("the root answers with something else".into())),
    }
}
