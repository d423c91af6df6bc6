//! One share, from the request on.

use crate::tree::children::Link;
use crate::tree::slot::NodeId;
use crate::tree::text::NodeName;
use crate::view::View;
use std::time::Duration;

/// Number of a share: one counter per session, the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareId(pub u32);

impl std::fmt::Display for ShareId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Share {
    pub(super) id: ShareId,
    /// The connection of its request.
    pub(super) link: Link,
    /// The node of the tree that asked: the presenter, or the site it is behind.
    pub(super) via: NodeId,
    /// The presenter.
    pub(super) node: NodeId,
    pub(super) name: NodeName,
    pub(super) view: View,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// A person is to answer.
    Asked { until: Duration },
    /// Has a ticket.
    Granted { until: Duration },
    /// Has brought its screen; its first whole picture is to come.
    Rehearsing { until: Duration },
    /// Was shown: it is, or waits below the one that is.
    Staged,
}

impl Share {
    pub(super) fn is_staged(&self) -> bool {
        self.phase == Phase::Staged
    }

    pub(super) fn until(&self) -> Option<Duration> {
        match self.phase {
            Phase::Asked { until } | Phase::Granted { until } | Phase::Rehearsing { until } => Some(until),
            Phase::Staged => None,
        }
    }
}
