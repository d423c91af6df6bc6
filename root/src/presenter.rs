//! The presenter: a VNC server that is dialled, watched, and dialled again when it is lost (DESIGN.md sections 4 and 9). Owns the
//! connection's life; what happens inside one session is `session`'s.

mod backoff;
mod coverage;
mod pacing;
mod patience;
mod session;
mod state;

pub use session::{SessionOptions, run_session};
pub use state::{Distance, PresenterState, SessionError};

use crate::address::PresenterAddress;
use crate::publisher::Publisher;
use backoff::Backoff;
use socket2::{SockRef, TcpKeepalive};
use std::convert::Infallible;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Longest time to reach a presenter.
pub const DIALLING: Duration = Duration::from_secs(10);
/// A presenter's machine that says nothing at all for about three times this long is gone.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Which presenter, and what it wants to know.
#[derive(Debug, Clone)]
pub struct PresenterOptions {
    /// Where its VNC server listens.
    pub address: PresenterAddress,
    /// Its VNC password, if it has one.
    pub password: Option<String>,
}

/// Keeps a presenter's picture in the publisher's log: dials, and dials again with growing waits whenever it is lost. Ends only when the
/// presenter refuses us for a reason that waiting does not change; the reason is also in `state`.
///
/// Dropping the future closes the connection and leaves nothing behind. For the runtime it needs see [`run_session`].
pub async fn run(options: &PresenterOptions, publisher: &mut Publisher, state: &watch::Sender<PresenterState>) -> SessionError {
    let mut backoff = Backoff::default();
    let mut last_reason = String::new();
    loop {
        state.send_if_modified(|state| {
            let is_first = !matches!(state, PresenterState::Lost { .. });
            is_first.then(|| *state = PresenterState::Connecting).is_some()
        });
        let begun = Instant::now();
        let Err(error) = session(options, publisher, state).await;
        let address = &options.address;
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
    options: &PresenterOptions,
    publisher: &mut Publisher,
    state: &watch::Sender<PresenterState>,
) -> Result<Infallible, SessionError> {
    let PresenterAddress { host, port } = &options.address;
    let dialling = TcpStream::connect((host.as_str(), *port));
    let stream =
        tokio::time::timeout(DIALLING, dialling).await.map_err(|_| SessionError::Unreachable)?.map_err(SessionError::Dial)?;
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE).with_retries(2);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    SockRef::from(&stream).set_tcp_user_timeout(Some(3 * KEEPALIVE))?;
    let distance = Distance::of(stream.local_addr()?.ip(), stream.peer_addr()?.ip());
    let options = SessionOptions { password: options.password.clone(), distance };
    run_session(stream, &options, publisher, state).await
}
