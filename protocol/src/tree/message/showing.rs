//! What is told beside the picture: PRESENTER.

use super::Policy;
use crate::tree::slot::NodeId;
use crate::tree::text::{NodeName, Reason};
use serde::{Deserialize, Serialize};

/// PRESENTER: how it stands with the presenter, passed on from the root down to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Presenter {
    /// Why there is no presenter now; empty while there is one. The last picture stays.
    pub gone: Reason,
    /// The node that presents; none when it is the root's own screen or server.
    pub node: Option<NodeId>,
    /// Its name for people; empty for the root's own.
    pub name: NodeName,
    /// Who may present.
    pub policy: Policy,
}
