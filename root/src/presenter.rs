//! The presenter: a VNC server that is dialled, watched, and dialled again when it is lost (DESIGN.md sections 4 and 9). Owns the
//! connection's life; what happens inside one session is `session`'s.

mod backoff;
mod coverage;
mod cut;
mod own;
mod pacing;
mod patience;
mod session;
mod state;

pub use own::run_own;
pub use session::{SessionOptions, run_session};
pub use state::{PresenterState, SessionError};

use crate::stage::Part;
use backoff::Backoff;
use std::convert::Infallible;
use std::time::Instant;
use tokio::sync::watch;
use treevnc_protocol::update::Seq;
use treevnc_screen::vnc::{VncServer, connect};

/// Keeps a presenter's picture ready for `part`, and in the log while that is live: dials, and dials again with growing waits whenever it is lost. Ends only when the
/// presenter refuses us for a reason that waiting does not change; the reason is also in `state`.
///
/// Dropping the future closes the connection and leaves nothing behind. For the runtime it needs see [`run_session`].
pub async fn run(
    server: &VncServer,
    options: &SessionOptions,
    part: &Part,
    state: &watch::Sender<PresenterState>,
) -> SessionError {
    let mut backoff = Backoff::default();
    let mut last_reason = String::new();
    loop {
        state.send_if_modified(|state| {
            let is_first = !matches!(state, PresenterState::Lost { .. });
            is_first.then(|| *state = PresenterState::Connecting).is_some()
        });
        let begun = Instant::now();
        let Err(error) = session(server, options, part, state).await;
        let address = &server.address;
        let why = error.to_string();
        if error.is_final() {
            tracing::debug!(%address, "the presenter refuses: {why}");
            state.send_replace(PresenterState::Refused { why });
            return error;
        }
        let retry_in = backoff.after(begun.elapsed(), getrandom::u32().unwrap_or_default());
        if why == last_reason {
            tracing::debug!(%address, ?retry_in, "presenter still lost: {why}");
        } else {
            tracing::warn!(%address, ?retry_in, "presenter lost: {why}");
        }
        state.send_replace(PresenterState::Lost { why: why.clone(), retry_in });
        last_reason = why;
        tokio::time::sleep(retry_in).await;
    }
}

async fn session(
    server: &VncServer,
    options: &SessionOptions,
    part: &Part,
    state: &watch::Sender<PresenterState>,
) -> Result<Infallible, SessionError> {
    run_session(connect(server).await?, options, part, state).await
}

/// Resolves when a reader has all that was published, or at once for the first to come where none was.
async fn wanted(part: &Part) {
    let log = part.log();
    let seq = if log.reader_count() == 0 { Seq::NONE } else { part.seq() };
    log.caught_up(seq).await;
}
