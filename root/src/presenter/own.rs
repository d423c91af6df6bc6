//! The lecturer's screen when it is this machine's own: captured here and published without a VNC server in between.

use super::backoff::Backoff;
use super::pacing::UNWATCHED;
use super::{PresenterState, SessionError, wanted};
use crate::stage::{Part, Role};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;
use treevnc_relay::computing::computing;
use treevnc_relay::publisher::PublishError;
use treevnc_screen::capture::{Capture, CaptureError, Grabbed};
use treevnc_screen::display::Choice;

/// Damage up to here is encoded at once: less work than handing it over.
const SMALL_PX: usize = 64 * 64 * 16;

/// Keeps this machine's screen, or a part of it, ready for `part`, and in the log while that is live. Captures again with growing waits when the
/// screen is lost, a removed display for example. Ends only when there is none to begin with, and waiting does not change that.
///
/// Dropping the future ends the capture. For the runtime it needs see [`super::run_session`].
pub async fn run_own(choice: Choice, name: &str, part: &Part, state: &watch::Sender<PresenterState>) -> SessionError {
    let mut backoff = Backoff::default();
    let mut was_there = false;
    // A display that was removed and comes back is shown again, and never another one that has its number meanwhile.
    let mut choice = choice;
    loop {
        let begun = Instant::now();
        let error = match session(&mut choice, name, part, state, &mut was_there).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        let why = error.to_string();
        if !was_there {
            state.send_replace(PresenterState::Refused { why });
            return error;
        }
        let retry_in = backoff.after(begun.elapsed(), getrandom::u32().unwrap_or_default());
        tracing::warn!(?retry_in, "this machine's screen is lost: {why}");
        state.send_replace(PresenterState::Lost { why, retry_in });
        sleep(retry_in).await;
    }
}

async fn session(
    choice: &mut Choice,
    name: &str,
    part: &Part,
    state: &watch::Sender<PresenterState>,
    was_there: &mut bool,
) -> Result<Infallible, SessionError> {
    let chosen = *choice;
    let started = spawn_blocking(move || Capture::start(chosen)).await;
    let mut capture = started.map_err(|error| CaptureError::Lost(error.to_string()))??;
    (*choice, *was_there) = (capture.choice(), true);
    tracing::info!(size = %capture.size(), "sharing this machine's screen");
    state.send_replace(PresenterState::Connected { name: name.to_owned(), size: capture.size() });
    loop {
        match part.role() {
            Role::Paused => part.role_is_not(Role::Paused).await,
            Role::Rehearsing => {
                let Grabbed { picture, .. } = capture.grab().await?;
                computing(true, || part.show(picture, name))?;
            }
            Role::Live => live(&mut capture, name, part, state).await?,
        }
    }
}

/// Shows what changes until another one is live.
async fn live(capture: &mut Capture, name: &str, part: &Part, state: &watch::Sender<PresenterState>) -> Result<(), SessionError> {
    let mut last: Option<Instant> = None;
    loop {
        let next = async {
            capture.changed().await?;
            // As with a VNC server: when a reader is ready for more, or once a second.
            tokio::select! {
                () = wanted(part) => {}
                () = passes(last, UNWATCHED) => {}
            }
            Ok::<_, CaptureError>(())
        };
        tokio::select! {
            due = next => due?,
            () = part.role_is_not(Role::Live) => return Ok(()),
        }
        let size = capture.size();
        let Grabbed { picture, damage } = capture.grab().await?;
        if picture.size() != size {
            state.send_replace(PresenterState::Connected { name: name.to_owned(), size: picture.size() });
        }
        publish(part, picture, &damage)?;
        last = Some(Instant::now());
    }
}

async fn passes(since: Option<Instant>, time: Duration) {
    if let Some(since) = since {
        sleep_until(since + time).await;
    }
}

fn publish(part: &Part, picture: &Framebuffer, damage: &[Rect]) -> Result<(), PublishError> {
    let is_large = damage.iter().map(|rect| rect.area()).sum::<usize>() > SMALL_PX;
    let published = computing(is_large, || part.publish(picture, damage))?;
    tracing::trace!(?published, "frame");
    Ok(())
}
