//! What a node's program is asked to do.

use crate::tree::children::Link;
use crate::tree::message::{Attach, ConnectTo, Message, Position};
use crate::tree::text::Reason;
use std::net::SocketAddr;

/// Something for the node's program to do. Messages to the root go over calls: connections that this node dials. Numbers of
/// calls and of links to parents are given here and never used twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Dial the root, exchange greetings, send the message. Everything that comes back goes to [`super::Member::handle_root_message`],
    /// the end of the connection or a failure to dial to [`super::Member::handle_root_closed`].
    DialRoot {
        /// The number of this call.
        call: Link,
        /// Where the root listens.
        address: SocketAddr,
        /// What to send first.
        message: Message,
    },
    /// Send on a call that is open.
    SendRoot {
        /// The call.
        call: Link,
        /// What to send.
        message: Message,
    },
    /// Close a call when all that was sent on it is out. Nothing more needs to be told of it.
    CloseRoot {
        /// The call.
        call: Link,
    },
    /// Dial the parent, exchange greetings, send [`attach`] with the log's position. The answer goes to
    /// [`super::Member::handle_attach_reply`], the end of the connection or a failure to dial to [`super::Member::handle_parent_closed`].
    DialParent {
        /// The number of this link.
        link: Link,
        /// The parent and the place.
        place: ConnectTo,
    },
    /// Close the link to the parent. Nothing more needs to be told of it.
    CloseParent {
        /// The link.
        link: Link,
    },
    /// Close the link of a child, whose number the program gave. Nothing more needs to be told of it.
    CloseChild {
        /// The link.
        link: Link,
    },
    /// It is over: all links are closed by the actions before this one.
    End(End),
}

/// How a membership ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// No parent could be found.
    GaveUp(Reason),
    /// [`super::Member::leave`] was called, and the root knows or could not be told.
    Left,
}

/// The ATTACH for a place; `position` is where the node's log stands when the message is sent.
pub fn attach(place: &ConnectTo, position: Position) -> Attach {
    let ConnectTo { ticket, session, id, v, slot, .. } = *place;
    Attach { ticket, session, position, child: id, v, slot }
}
