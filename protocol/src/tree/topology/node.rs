//! What the root knows of a node.

use crate::tree::message::{Behind, WhyLeaf};
use crate::tree::slot::{NodeId, Slot, V};
use crate::tree::text::NodeName;
use std::net::SocketAddr;
use std::time::Duration;

/// How it stands with a node that holds a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It was told its place and has not attached yet.
    Placed,
    /// It has attached.
    Attached,
    /// Its question is open: it is answered as soon as the line above its slot is whole.
    Asking,
    /// It failed, or its question broke off: it will ask again.
    Expected,
    /// The slot above was emptied: either its parent comes back and says that it has kept it, or it asks, or the root dials it.
    Doubted,
}

/// Who says that a node is gone, while that is being found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspicion {
    None,
    /// Its parent does: it is being placed anew, which it has to acknowledge.
    ByParent,
    /// A child does: it is being asked.
    ByChild,
}

/// What a node says of itself, and what the root has found out about that.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) name: NodeName,
    pub(super) address: SocketAddr,
    /// The root's address as the node reaches it.
    pub(super) local: SocketAddr,
    /// Why it may have no children; none for a relay.
    pub(super) leaf_only: Option<WhyLeaf>,
    /// Whether the root has dialled it with success.
    pub(super) dialable: bool,
    /// Most KiB per second that it may send; 0 for no limit.
    pub(super) upload: u32,
    /// Whether it has attached below another node.
    pub(super) reaches: bool,
    /// Whether another node has attached below it.
    pub(super) reached: bool,
}

/// A node that holds a slot.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) profile: Profile,
    pub(super) slot: Slot,
    pub(super) v: V,
    /// The placement with which it came to this slot; a placement anew in the same slot does not change it. None before that.
    pub(super) tenure: V,
    /// The node above when `v` was given, and its tenure.
    pub(super) parent: (NodeId, V),
    pub(super) state: State,
    pub(super) suspicion: Suspicion,
    /// A parent that it said it cannot reach, not long ago.
    pub(super) cannot_reach: Option<NodeId>,
    /// How many more leaf-only children it would take, and when it said so.
    pub(super) room: u8,
    pub(super) room_asked: Option<Duration>,
    /// Since when it has held the slot.
    pub(super) since: Duration,
    /// When it must have been heard of; none once attached.
    pub(super) until: Option<Duration>,
    /// What is behind it, once a site has said so.
    pub(super) behind: Option<Behind>,
}

impl Node {
    /// A node that asks for this slot and was not placed yet.
    pub(super) fn asking(profile: Profile, slot: Slot, now: Duration) -> Self {
        Self {
            profile,
            slot,
            v: V::NONE,
            tenure: V::NONE,
            parent: (NodeId(0), V::NONE),
            state: State::Asking,
            suspicion: Suspicion::None,
            cannot_reach: None,
            room: 0,
            room_asked: None,
            since: now,
            until: None,
            behind: None,
        }
    }

    pub(super) fn is_relay(&self) -> bool {
        self.profile.leaf_only.is_none()
    }

    pub(super) fn is_site(&self) -> bool {
        self.profile.leaf_only == Some(WhyLeaf::Site)
    }

    /// Whether somebody may be sent below it: now, or when it has come.
    pub(super) fn may_have_children(&self) -> bool {
        self.is_relay() && matches!(self.state, State::Placed | State::Attached | State::Asking)
    }

    /// Whether it counts among the relays that there are: it may have children now or soon, and may be moved.
    pub(super) fn counts(&self) -> bool {
        self.is_relay() && self.state != State::Expected
    }
}
