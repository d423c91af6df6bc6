//! Capture on X11: XDamage says what changed, MIT-SHM carries the pixels, RandR knows the monitors, XFixes the pointer's picture.
//! Owns the connection to the X server; the loop of a capture's thread is `watcher`.

mod cursor;
mod pixels;
mod server;
mod watcher;

use super::{Begun, CaptureError, Choice, Display, Ends, State};
use server::Server;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use watcher::Watcher;

/// The monitors; one display for all where the X server knows none.
pub(super) fn displays(server: Option<&str>) -> Result<Vec<Display>, CaptureError> {
    Ok(Server::connect(server)?.geometry()?.displays)
}

/// Captures until the other side ends it or the display is gone. `begun` hears of success or failure once.
pub(super) fn run(server: Option<&str>, choice: Choice, ends: Ends, begun: &dyn Fn(Result<Begun, CaptureError>)) {
    let begin = || {
        let (ours, theirs) = pipe().map_err(|error| CaptureError::Lost(error.to_string()))?;
        let watcher = Watcher::new(Server::connect(server)?, choice, ours)?;
        Ok((watcher.size()?, watcher, theirs))
    };
    let (size, mut watcher, wake) = match begin() {
        Ok(ready) => ready,
        Err(error) => return begun(Err(error)),
    };
    // Full means that the thread is being woken already.
    begun(Ok(Begun { size, choice: watcher.choice(), wake: Box::new(move || drop((&*wake).write(&[0]))) }));
    if let Err(error) = watcher.run(&ends) {
        tracing::debug!(%error, "capture ends");
        ends.state.send_modify(|state: &mut State| state.end = Some(error));
    }
}

fn pipe() -> io::Result<(UnixStream, Arc<UnixStream>)> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    Ok((ours, Arc::new(theirs)))
}
