//! Questions to a session that need no place in its tree: who is where (PROTOCOL.md, STATUS_REQUEST), who presents (FLOOR_REQUEST).

use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;
use treevnc_protocol::tree::message::{DelayReport, DelayRequest, FloorCommand, FloorReport, Message, NodeStatus, Status};
use treevnc_relay::link::{Incoming, LinkError, TreeLink, dial};

/// Nodes of a session that are read at most.
const MAX_NODES: usize = 1 << 20;

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody answers there.
    #[error("{0}: {1}")]
    Link(SocketAddr, LinkError),
    /// The node said no.
    #[error("{0} answers: {1}")]
    Refused(SocketAddr, String),
    /// A node named another node as its root, which did the same.
    #[error("{0} says that its root is elsewhere, and so does that one")]
    Circle(SocketAddr),
    /// The answer makes no sense.
    #[error("{0} gives an answer that makes no sense")]
    Answer(SocketAddr),
}

/// Asks a root for its tree; another node names its root, which is then asked. Gives up after `limit` per connection.
pub async fn ask_status(node: SocketAddr, limit: Duration) -> Result<Status, AskError> {
    let first = match timeout(limit, ask_once(node, limit)).await {
        Ok(answer) => answer?,
        Err(_) => return Err(AskError::Link(node, LinkError::TimedOut(limit))),
    };
    let root = match first {
        Answer::Status(status) => return Ok(*status),
        Answer::Elsewhere(root) => root,
    };
    match timeout(limit, ask_once(root, limit)).await {
        Ok(Ok(Answer::Status(status))) => Ok(*status),
        Ok(Ok(Answer::Elsewhere(_))) => Err(AskError::Circle(node)),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(AskError::Link(root, LinkError::TimedOut(limit))),
    }
}

/// Tells a root what a person at its machine wants, and hears how it stands then. Gives up after `limit`.
pub async fn ask_floor(root: SocketAddr, command: FloorCommand, limit: Duration) -> Result<FloorReport, AskError> {
    let failed = |error| AskError::Link(root, error);
    let asking = async {
        let mut link = dial(root, limit).await.map_err(failed)?;
        link.write_message(&Message::FloorRequest(command)).await.map_err(failed)?;
        match read_message(&mut link).await.map_err(failed)? {
            Message::Floor(report) => Ok(report),
            Message::Refused(refused) => Err(AskError::Refused(root, refused.reason.to_string())),
            _ => Err(AskError::Answer(root)),
        }
    };
    timeout(limit, asking).await.unwrap_or(Err(AskError::Link(root, LinkError::TimedOut(limit))))
}

enum Answer {
    Status(Box<Status>),
    Elsewhere(SocketAddr),
}

async fn ask_once(node: SocketAddr, limit: Duration) -> Result<Answer, AskError> {
    let failed = |error| AskError::Link(node, error);
    let mut link = dial(node, limit).await.map_err(failed)?;
    link.write_message(&Message::StatusRequest).await.map_err(failed)?;
    let mut whole: Option<Status> = None;
    loop {
        let page = match read_message(&mut link).await.map_err(failed)? {
            Message::Status(page) => *page,
            Message::Redirect(elsewhere) => return Ok(Answer::Elsewhere(elsewhere.root)),
            Message::Refused(refused) => return Err(AskError::Refused(node, refused.reason.to_string())),
            _ => return Err(AskError::Answer(node)),
        };
        let more = page.more;
        let nodes: Vec<NodeStatus> = whole.take().map(|status| status.nodes).into_iter().flatten().collect();
        let status = Status { nodes: nodes.into_iter().chain(page.nodes.clone()).collect(), more: false, ..page };
        if !more {
            return Ok(Answer::Status(Box::new(status)));
        }
        if status.nodes.len() > MAX_NODES {
            return Err(AskError::Answer(node));
        }
        whole = Some(status);
    }
}

/// Lets a root on this machine measure delays, and hands on what it says until it is done. Gives up after `limit` without a word.
pub async fn ask_delay(
    root: SocketAddr,
    request: DelayRequest,
    limit: Duration,
    mut heard: impl FnMut(DelayReport),
) -> Result<(), AskError> {
    let failed = |error| AskError::Link(root, error);
    let mut link = dial(root, limit).await.map_err(failed)?;
    link.write_message(&Message::DelayRequest(request)).await.map_err(failed)?;
    loop {
        let message = timeout(limit, read_message(&mut link)).await.unwrap_or(Err(LinkError::TimedOut(limit)));
        match message.map_err(failed)? {
            Message::Delay(DelayReport::Done) => return Ok(()),
            Message::Delay(report) => heard(report),
            Message::Refused(refused) => return Err(AskError::Refused(root, refused.reason.to_string())),
            _ => return Err(AskError::Answer(root)),
        }
    }
}

async fn read_message(link: &mut TreeLink) -> Result<Message, LinkError> {
    loop {
        if let Incoming::Message(message) = link.read().await? {
            return Ok(message);
        }
    }
}
