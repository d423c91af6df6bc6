//! What is told beside the picture: PRESENTER.

use crate::tree::text::Reason;
use serde::{Deserialize, Serialize};

/// PRESENTER: how it stands with the presenter, passed on from the root down to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Presenter {
    /// Why there is no presenter now; empty while there is one. The last picture stays.
    pub gone: Reason,
}
