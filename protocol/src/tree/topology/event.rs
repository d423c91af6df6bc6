//! What goes between a root's program and its topology: callers, answers, and events for the log.

use crate::tree::children::Link;
use crate::tree::message::{Fault, Message, WhyLeaf};
use crate::tree::slot::{NodeId, Slot, V};
use crate::tree::text::{NodeName, Reason};
use std::net::{IpAddr, SocketAddr};

/// Who sent a message to the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The connection. Numbers of later connections are larger.
    pub link: Link,
    /// Where it came from.
    pub peer: IpAddr,
    /// Where it arrived: the root's address as this caller reaches it.
    pub local: SocketAddr,
}

/// A message for a connection, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where to send it, a caller's connection or one that the root dialled; one that is gone is passed over.
    pub to: Link,
    /// What to send, if anything.
    pub message: Option<Message>,
    /// Whether to close the connection after it. [`super::Topology::handle_closed`] need not be called then.
    pub close: bool,
}

/// A connection that the root is to make: dial, exchange greetings, send the message. What comes back goes to
/// [`super::Topology::handle_dial_message`], its end or the failure to dial to [`super::Topology::handle_closed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// The number of the connection, given by the topology; no caller's link has one as large.
    pub link: Link,
    /// Whom to dial.
    pub address: SocketAddr,
    /// ARE_YOU_THERE, or a place that the node did not ask for.
    pub message: Message,
}

/// Something for the log: the tree changed, or somebody was turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeEvent {
    /// A node was given a slot and is on its way.
    Placed {
        /// Who.
        id: NodeId,
        /// Its name for people.
        name: NodeName,
        /// The number of the placement.
        v: V,
        /// Its slot.
        slot: Slot,
    },
    /// A node has attached.
    Attached {
        /// Who.
        id: NodeId,
        /// The number of the placement.
        v: V,
        /// Its slot.
        slot: Slot,
    },
    /// A slot is free again.
    Freed {
        /// Who held it.
        id: NodeId,
        /// The number of its placement.
        v: V,
        /// The slot.
        slot: Slot,
        /// Why.
        why: Freed,
    },
    /// A node is to have no children for a while, or may have some again.
    Relays {
        /// Who.
        id: NodeId,
        /// Why it may have none; none when it may have some again.
        leaf_only: Option<WhyLeaf>,
    },
    /// A node was turned away.
    Refused {
        /// Who.
        id: NodeId,
        /// What it was told.
        reason: Reason,
    },
}

/// Why a slot is free again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freed {
    /// Its parent lost it.
    Lost(Fault),
    /// It left.
    Left,
    /// It got another slot.
    Moved,
    /// It gave way to a node that can have children; it is to ask again.
    GaveWay,
    /// It has come to another network of the root.
    Roamed,
    /// It has joined another session.
    Elsewhere,
    /// It did not attach in time.
    NotAttached,
    /// It was to ask again, and was not heard of in time.
    NotHeardOf,
}
