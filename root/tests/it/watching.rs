//! Looking at a root's log: what its updates paint, and waiting until they paint something.

use std::time::Duration;
use tokio::sync::watch;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::log::Cursor;
use treevnc_protocol::tree::floor::Source;
use treevnc_protocol::update::{Seq, SessionId};
use treevnc_relay::clock::SessionClock;
use treevnc_relay::picture::paint;
use treevnc_relay::publisher::Publisher;
use treevnc_relay::shared_log::SharedLog;
use treevnc_root::presenter::{PresenterState, SessionError, SessionOptions, run_session};
use treevnc_root::stage::{Part, Stage};
use treevnc_screen::vnc::{Credentials, Distance, Stream, VncServer, begin};

/// Longest wait for an event before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The lecturer's way to an empty log.
pub(crate) fn part() -> Part {
    Stage::new(Publisher::new(SharedLog::new(SessionId(7)), SessionClock::start())).part(Source::Lecturer)
}

/// The server at this port of this machine.
pub(crate) fn server_at(port: u16, password: Option<&str>) -> VncServer {
    let credentials = Credentials { user: None, password: password.map(str::to_owned) };
    VncServer { address: format!("127.0.0.1::{port}").parse().unwrap(), credentials }
}

/// One session over an open connection, its handshake included; how it ended.
pub(crate) async fn session_over(
    stream: impl Stream + 'static,
    password: Option<&str>,
    distance: Distance,
    part: &Part,
    state: &watch::Sender<PresenterState>,
) -> SessionError {
    let credentials = Credentials { user: None, password: password.map(str::to_owned) };
    let connected = match begin(stream, &credentials, distance).await {
        Ok(connected) => connected,
        Err(error) => return error.into(),
    };
    let Err(error) = run_session(connected, &SessionOptions::default(), part, state).await;
    error
}

pub(crate) fn from_the_start(log: &SharedLog) -> Cursor {
    Cursor::new(log.with(|log| log.session()), Seq::NONE)
}

/// The picture as of the log's last complete point; `None` before the first.
pub(crate) fn painted(log: &SharedLog) -> Option<Framebuffer> {
    paint(&log.with(|log| log.live().cloned().collect::<Vec<_>>())).unwrap()
}

/// Waits until the log's picture is as wanted, and fails the test if it never is.
pub(crate) async fn until(log: &SharedLog, what: &str, mut wanted: impl FnMut(&Framebuffer) -> bool) -> Framebuffer {
    let mut changed = log.changed();
    let waiting = async {
        loop {
            changed.borrow_and_update();
            if let Some(fb) = painted(log).filter(&mut wanted) {
                return fb;
            }
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never came: {what}"))
}

/// Waits until the presenter's state is as wanted.
pub(crate) async fn state_is(
    state: &mut watch::Receiver<PresenterState>,
    what: &str,
    wanted: impl FnMut(&PresenterState) -> bool,
) -> PresenterState {
    match tokio::time::timeout(PATIENCE, state.wait_for(wanted)).await {
        Ok(found) => found.unwrap().clone(),
        Err(_) => panic!("never came: {what}"),
    }
}
