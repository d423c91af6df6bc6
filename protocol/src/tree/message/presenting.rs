//! Who presents: SERVER_CHANGE_REQUEST and its replies, PRESENT, and the control of the floor at the root's machine.

use crate::tree::frame::kind;
use crate::tree::slot::{NodeId, V};
use crate::tree::text::{NodeName, Reason};
use crate::tree::ticket::{Statement, Ticket};
use crate::update::SessionId;
use crate::view::View;
use serde::{Deserialize, Serialize};

/// Most requests that wait for a person's answer.
pub const MAX_REQUESTS: usize = 8;

/// Who may present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Policy {
    /// Whoever asks.
    #[default]
    Free,
    /// Whom a person at the root lets.
    Ask,
    /// Nobody but the lecturer.
    Locked,
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Free => "free",
            Self::Ask => "ask",
            Self::Locked => "locked",
        })
    }
}

/// SERVER_CHANGE_REQUEST: a node wants its screen to be shown. The connection stays open for as long as it is: each
/// SERVER_CHANGE_REPLY says how it stands, and the end of the connection ends the share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerChangeRequest {
    /// The session of the tree.
    pub session: SessionId,
    /// Who asks.
    pub id: NodeId,
    /// The newest placement it has obeyed.
    pub v: V,
    /// The presenter's name for people.
    pub name: NodeName,
    /// The part of its screen to be shown.
    pub view: View,
    /// That the node says so, by its key.
    pub proof: Ticket,
    /// Whose screen: the node's own, or, when a site asks, that of a node behind it.
    pub presenter: NodeId,
}

impl ServerChangeRequest {
    /// What its proof must be of.
    pub fn statement(&self) -> Statement {
        Statement { kind: kind::SERVER_CHANGE_REQUEST, session: self.session, node: self.id, v: self.v }
    }
}

/// SERVER_CHANGE_REPLY: how it stands with a share. After the last four the root closes the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerChangeReply {
    /// A person at the root is being asked.
    Asked,
    /// PRESENT with this ticket within 10 s, once.
    Accepted {
        /// What PRESENT is to show.
        ticket: Ticket,
    },
    /// The screen is shown to everybody.
    Live,
    /// Another one presents; this one returns when that one ends.
    Paused {
        /// The other one's name.
        by: NodeName,
    },
    /// No, and why, for people.
    Refused {
        /// Why.
        reason: Reason,
    },
    /// Another one is just beginning, or too many wait for an answer; try again in a moment.
    Busy,
    /// Nobody answered, or the ticket was not used in time.
    Expired,
    /// It was shown, or about to be, and is no more.
    Ended {
        /// Why, for people.
        reason: Reason,
    },
}

impl ServerChangeReply {
    /// Whether it is the last one.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Busy | Self::Expired | Self::Ended { .. })
    }
}

/// PRESENT: the node's second connection. After PRESENT_REPLY it carries RFB: the node is the server, the root the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// The session of the tree.
    pub session: SessionId,
    /// Who presents.
    pub id: NodeId,
    /// What it was given for this.
    pub ticket: Ticket,
}

/// What a person at the root wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FloorCommand {
    /// To see how it stands.
    Show,
    /// To let this request, or the oldest, be shown.
    Approve(Option<u32>),
    /// To refuse this request, or the oldest.
    Refuse(Option<u32>),
    /// The lecturer's screen again.
    Back,
    /// Another policy.
    Policy(Policy),
}

/// A request that waits for a person's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloorRequest {
    /// Its number.
    pub number: u32,
    /// Who asks.
    pub name: NodeName,
    /// What is to be shown.
    pub view: View,
}

/// FLOOR: the answer to FLOOR_REQUEST: how it stands after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloorReport {
    /// Who may present.
    pub policy: Policy,
    /// The node that presents; none when the lecturer does.
    pub presents: Option<NodeName>,
    /// Requests that wait, the oldest first; at most [`MAX_REQUESTS`].
    pub requests: Vec<FloorRequest>,
    /// Whether what was wanted was done; not so when there is no such request.
    pub done: bool,
}
