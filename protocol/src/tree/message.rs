//! The control messages of the tree, each body in postcard (PROTOCOL.md, Messages). Owns their bytes; what they mean is decided
//! by `topology` and `member`. FRAMEBUFFER_UPDATE is not one of them: see [`crate::update`].

mod alive;
mod attaching;
mod delay;
mod parting;
mod placing;
mod presenting;
mod showing;
mod slow;
mod status;

pub use alive::{AreYouThere, Heartbeat, IAmHere};
pub use attaching::{Attach, AttachReply, Position};
pub use delay::{CheckDelayReply, DelayReply, DelayReport, DelayRequest, Intake, MAX_DELAY_REPLIES, MeasuredDelay};
pub use parting::{Leave, LostChild};
pub use placing::{
    Asking, Attached, Capabilities, ConnectTo, Failed, Fault, KeptChild, KeptChildren, Redirect, Refused, WhereToConnect,
};
pub use presenting::{
    FloorCommand, FloorReport, FloorRequest, MAX_REQUESTS, Policy, Present, ServerChangeReply, ServerChangeRequest,
};
pub use showing::{Behind, MAX_LINE, Presenter};
pub use slow::SlowNode;
pub use status::{
    BehindFare, CheckCounts, DepthDelay, Fare, MAX_STATUS_DEPTHS, MAX_STATUS_NODES, MAX_STATUS_TREES, NetworkKind, NodeStatus,
    SiteOf, Status, TreeStatus, WhyLeaf,
};

use super::frame::{self, kind};
use super::slot::Slot;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// A control message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// WHERE_TO_CONNECT: node to root.
    WhereToConnect(WhereToConnect),
    /// CONNECT_TO_AS_LEADER and CONNECT_TO: root to node. Which of the two follows from the slot.
    ConnectTo(ConnectTo),
    /// ATTACHED: node to root, and the root's echo.
    Attached(Attached),
    /// FAILED: node to root.
    Failed(Failed),
    /// LOST_CHILD: parent to root, and the root's echo.
    LostChild(LostChild),
    /// LEAVE: node to root, and the root's echo.
    Leave(Leave),
    /// ARE_YOU_THERE: root to node.
    AreYouThere(AreYouThere),
    /// I_AM_HERE: node to root.
    IAmHere(IAmHere),
    /// REFUSED: the answer to any question.
    Refused(Refused),
    /// REDIRECT: a node's answer to a question that is the root's.
    Redirect(Redirect),
    /// STATUS_REQUEST: anybody to the root. Its body is empty.
    StatusRequest,
    /// STATUS: the root's answer, page by page.
    Status(Box<Status>),
    /// SNAPSHOT_REQUEST: anybody to any node. Its body is empty. Answered by the live updates, stamped, and the link's end.
    SnapshotRequest,
    /// SLOW_NODE: node to root, and the root's echo.
    SlowNode(SlowNode),
    /// ATTACH: child to parent.
    Attach(Attach),
    /// ATTACH_REPLY: parent to child.
    AttachReply(AttachReply),
    /// HEARTBEAT: both ways on a link.
    Heartbeat(Heartbeat),
    /// PRESENTER: parent to child, after ATTACH_REPLY and whenever it changes.
    Presenter(Presenter),
    /// SITE: a site to its parent, after ATTACH_REPLY and whenever it changes.
    Site(Behind),
    /// SERVER_CHANGE_REQUEST: node to root.
    ServerChangeRequest(ServerChangeRequest),
    /// SERVER_CHANGE_REPLY: root to node.
    ServerChangeReply(ServerChangeReply),
    /// PRESENT: node to root.
    Present(Present),
    /// PRESENT_REPLY: the root's answer; its body is empty. No frame follows: the connection carries RFB.
    PresentReply,
    /// FLOOR_REQUEST: a person at the root's machine to the root.
    FloorRequest(FloorCommand),
    /// FLOOR: the root's answer.
    Floor(FloorReport),
    /// CHECK_DELAY_REPLY: child to parent.
    CheckDelayReply(CheckDelayReply),
    /// DELAY_REQUEST: somebody at the root's machine to the root.
    DelayRequest(DelayRequest),
    /// DELAY: the root's answers.
    Delay(DelayReport),
}

/// A body that is not what its type says; the link is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// A type that is no control message.
    #[error("type {0:#04x} is no control message")]
    Kind(u8),
    /// Too short, too long a text or list, or a value that does not exist.
    #[error("a malformed message of type {0:#04x}")]
    Malformed(u8),
    /// Bytes after the message.
    #[error("{1} bytes too many in a message of type {0:#04x}")]
    Trailing(u8, usize),
}

impl Message {
    /// The type number of its frame, one of [`kind`].
    pub fn kind(&self) -> u8 {
        match self {
            Self::WhereToConnect(_) => kind::WHERE_TO_CONNECT,
            Self::ConnectTo(place) if place.slot.is_leader() => kind::CONNECT_TO_AS_LEADER,
            Self::ConnectTo(_) => kind::CONNECT_TO,
            Self::Attached(_) => kind::ATTACHED,
            Self::Failed(_) => kind::FAILED,
            Self::LostChild(_) => kind::LOST_CHILD,
            Self::Leave(_) => kind::LEAVE,
            Self::AreYouThere(_) => kind::ARE_YOU_THERE,
            Self::IAmHere(_) => kind::I_AM_HERE,
            Self::Refused(_) => kind::REFUSED,
            Self::Redirect(_) => kind::REDIRECT,
            Self::StatusRequest => kind::STATUS_REQUEST,
            Self::Status(_) => kind::STATUS,
            Self::SlowNode(_) => kind::SLOW_NODE,
            Self::Attach(_) => kind::ATTACH,
            Self::AttachReply(_) => kind::ATTACH_REPLY,
            Self::Heartbeat(_) => kind::HEARTBEAT,
            Self::SnapshotRequest => kind::SNAPSHOT_REQUEST,
            Self::Presenter(_) => kind::PRESENTER,
            Self::Site(_) => kind::SITE,
            Self::ServerChangeRequest(_) => kind::SERVER_CHANGE_REQUEST,
            Self::ServerChangeReply(_) => kind::SERVER_CHANGE_REPLY,
            Self::Present(_) => kind::PRESENT,
            Self::PresentReply => kind::PRESENT_REPLY,
            Self::FloorRequest(_) => kind::FLOOR_REQUEST,
            Self::Floor(_) => kind::FLOOR,
            Self::CheckDelayReply(_) => kind::CHECK_DELAY_REPLY,
            Self::DelayRequest(_) => kind::DELAY_REQUEST,
            Self::Delay(_) => kind::DELAY,
        }
    }

    /// The whole frame, header included.
    pub fn encode(&self) -> Bytes {
        let kind = self.kind();
        match self {
            Self::WhereToConnect(body) => framed(kind, body),
            Self::ConnectTo(body) => framed(kind, body),
            Self::Attached(body) => framed(kind, body),
            Self::Failed(body) => framed(kind, body),
            Self::LostChild(body) => framed(kind, body),
            Self::Leave(body) => framed(kind, body),
            Self::AreYouThere(body) => framed(kind, body),
            Self::IAmHere(body) => framed(kind, body),
            Self::Refused(body) => framed(kind, body),
            Self::Redirect(body) => framed(kind, body),
            Self::StatusRequest => framed(kind, &()),
            Self::Status(body) => framed(kind, body),
            Self::SlowNode(body) => framed(kind, body),
            Self::Attach(body) => framed(kind, body),
            Self::AttachReply(body) => framed(kind, body),
            Self::Heartbeat(body) => framed(kind, body),
            Self::SnapshotRequest => framed(kind, &()),
            Self::Presenter(body) => framed(kind, body),
            Self::Site(body) => framed(kind, body),
            Self::ServerChangeRequest(body) => framed(kind, body),
            Self::ServerChangeReply(body) => framed(kind, body),
            Self::Present(body) => framed(kind, body),
            Self::PresentReply => framed(kind, &()),
            Self::FloorRequest(body) => framed(kind, body),
            Self::Floor(body) => framed(kind, body),
            Self::CheckDelayReply(body) => framed(kind, body),
            Self::DelayRequest(body) => framed(kind, body),
            Self::Delay(body) => framed(kind, body),
        }
    }

    /// Reads the body of a frame of that type. The whole body must be used up; texts and lists must be within their limits.
    pub fn decode(kind: u8, body: &[u8]) -> Result<Self, MessageError> {
        let message = match kind {
            kind::WHERE_TO_CONNECT => Self::WhereToConnect(whole(kind, body)?),
            kind::CONNECT_TO | kind::CONNECT_TO_AS_LEADER => Self::ConnectTo(whole(kind, body)?),
            kind::ATTACHED => Self::Attached(whole(kind, body)?),
            kind::FAILED => Self::Failed(whole(kind, body)?),
            kind::LOST_CHILD => Self::LostChild(whole(kind, body)?),
            kind::LEAVE => Self::Leave(whole(kind, body)?),
            kind::ARE_YOU_THERE => Self::AreYouThere(whole(kind, body)?),
            kind::I_AM_HERE => Self::IAmHere(whole(kind, body)?),
            kind::REFUSED => Self::Refused(whole(kind, body)?),
            kind::REDIRECT => Self::Redirect(whole(kind, body)?),
            kind::STATUS_REQUEST => whole(kind, body).map(|()| Self::StatusRequest)?,
            kind::STATUS => Self::Status(whole(kind, body)?),
            kind::SLOW_NODE => Self::SlowNode(whole(kind, body)?),
            kind::ATTACH => Self::Attach(whole(kind, body)?),
            kind::ATTACH_REPLY => Self::AttachReply(whole(kind, body)?),
            kind::HEARTBEAT => Self::Heartbeat(whole(kind, body)?),
            kind::SNAPSHOT_REQUEST => whole(kind, body).map(|()| Self::SnapshotRequest)?,
            kind::PRESENTER => Self::Presenter(whole(kind, body)?),
            kind::SITE => Self::Site(whole(kind, body)?),
            kind::SERVER_CHANGE_REQUEST => Self::ServerChangeRequest(whole(kind, body)?),
            kind::SERVER_CHANGE_REPLY => Self::ServerChangeReply(whole(kind, body)?),
            kind::PRESENT => Self::Present(whole(kind, body)?),
            kind::PRESENT_REPLY => whole(kind, body).map(|()| Self::PresentReply)?,
            kind::FLOOR_REQUEST => Self::FloorRequest(whole(kind, body)?),
            kind::FLOOR => Self::Floor(whole(kind, body)?),
            kind::CHECK_DELAY_REPLY => Self::CheckDelayReply(whole(kind, body)?),
            kind::DELAY_REQUEST => Self::DelayRequest(whole(kind, body)?),
            kind::DELAY => Self::Delay(whole(kind, body)?),
            _ => return Err(MessageError::Kind(kind)),
        };
        let is_legal = match &message {
            // The type says again what the slot says; a message that contradicts itself is not believed.
            Self::ConnectTo(place) => message.kind() == kind && place.slot != Slot::ROOT,
            Self::Presenter(presenter) => presenter.line.len() <= MAX_LINE,
            Self::Status(page) => page.nodes.len() <= MAX_STATUS_NODES,
            Self::Floor(report) => report.requests.len() <= MAX_REQUESTS,
            Self::CheckDelayReply(batch) => batch.replies.len() <= MAX_DELAY_REPLIES,
            Self::Delay(DelayReport::Replies(replies)) => replies.len() <= MAX_DELAY_REPLIES,
            _ => true,
        };
        if is_legal { Ok(message) } else { Err(MessageError::Malformed(kind)) }
    }
}

fn framed<T: Serialize>(kind: u8, body: &T) -> Bytes {
    // Writing to memory fails only for types of unknown length, and no message has one.
    let mut out = postcard::to_extend(body, vec![0; frame::HEADER_BYTES]).unwrap_or_default();
    let header = frame::header(kind, out.len().saturating_sub(frame::HEADER_BYTES));
    if let Some(front) = out.get_mut(..frame::HEADER_BYTES) {
        front.copy_from_slice(&header);
    }
    out.into()
}

fn whole<T: DeserializeOwned>(kind: u8, body: &[u8]) -> Result<T, MessageError> {
    let (message, rest) = postcard::take_from_bytes(body).map_err(|_| MessageError::Malformed(kind))?;
    if rest.is_empty() { Ok(message) } else { Err(MessageError::Trailing(kind, rest.len())) }
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
