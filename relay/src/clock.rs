//! The session clock: the time that updates are stamped with. The one place of this crate where a session's time begins.

use std::time::{Duration, Instant};

/// Time since the session began; copies agree. Never goes back.
#[derive(Debug, Clone, Copy)]
pub struct SessionClock {
    start: Instant,
}

impl SessionClock {
    /// A clock that reads zero now.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Time since the session began.
    pub fn now(self) -> Duration {
        self.start.elapsed()
    }
}
