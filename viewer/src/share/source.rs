//! What a share shows: a VNC server of the presenter's, or this machine's screen by our own.

use super::ShareEnd;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{debug, info};
use treevnc_protocol::view::View;
use treevnc_screen::address::{BASE_PORT, PresenterAddress};
use treevnc_screen::capture::{self, Capture, CaptureError};
use treevnc_screen::display::{Choice, Display, chosen};
use treevnc_screen::listing::{Listed, list, listed};
use treevnc_screen::vnc::{ConnectError, Connected, Credentials, VncServer, connect};

/// How long the usual server may take; then our own capture does it.
const USUAL: Duration = Duration::from_secs(3);

/// Whose screen is shared.
#[derive(Debug, Clone)]
pub enum ShareSource {
    /// That of the VNC server on this machine's port 5900 if it lets us in with these, else this machine's own screen.
    Usual(Credentials),
    /// That of this VNC server.
    Vnc(VncServer),
    /// This machine's own screen.
    OwnScreen,
}

impl Default for ShareSource {
    fn default() -> Self {
        Self::Usual(Credentials::default())
    }
}

/// A screen that is ready to be brought to the root.
pub(super) enum Opened {
    /// A VNC server that has let us in, and what of its screen is to be shown.
    Vnc(Connected, View),
    /// Our own capture of what is to be shown, and of nothing else, and where that is.
    Own(Capture, View),
}

impl Opened {
    /// What the root is to show of what is brought to it.
    pub(super) fn view(&self) -> View {
        match self {
            Self::Vnc(_, view) | Self::Own(_, view) => *view,
        }
    }
}

impl std::fmt::Display for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Vnc(server, view) => write!(f, "{view} of \"{}\"", server.init.name),
            Self::Own(capture, _) => write!(f, "this machine's screen ({})", capture.size()),
        }
    }
}

/// A screen that is there, and can be shared: a VNC server that has let us in and stays connected (some end with their first client), or
/// this machine's own. Dropping it closes the connection.
#[derive(Debug)]
pub struct Found {
    displays: Vec<Display>,
    /// None is this machine's own screen.
    server: Option<Connected>,
}

impl Found {
    /// The displays that can be chosen from; none when they were not asked for.
    pub fn displays(&self) -> &[Display] {
        &self.displays
    }
}

/// Finds the screen, and its displays.
pub async fn find_screen(source: &ShareSource) -> Result<Found, ShareEnd> {
    seek(source, true).await
}

/// The displays that can be chosen from.
pub async fn displays(source: &ShareSource) -> Result<Vec<Display>, ShareEnd> {
    Ok(find_screen(source).await?.displays)
}

/// Finds the screen; its displays only where the choice needs them.
pub(super) async fn find_for(source: &ShareSource, choice: Choice) -> Result<Found, ShareEnd> {
    seek(source, matches!(choice, Choice::Number(_) | Choice::Id(_))).await
}

async fn seek(source: &ShareSource, with_displays: bool) -> Result<Found, ShareEnd> {
    let credentials = match source {
        ShareSource::Vnc(server) => return seek_server(server, with_displays).await,
        ShareSource::OwnScreen => return seek_own().await,
        ShareSource::Usual(credentials) => credentials,
    };
    let server = usual(credentials);
    let failed = match timeout(USUAL, seek_server(&server, with_displays)).await {
        Ok(Ok(found)) => return Ok(found),
        Ok(Err(failed)) => failed,
        Err(_) => ShareEnd::Server(server.address.to_string(), ConnectError::Unreachable),
    };
    let is_absent = matches!(&failed, ShareEnd::Server(_, ConnectError::Dial(_) | ConnectError::Unreachable));
    match seek_own().await {
        Ok(found) => {
            if !is_absent {
                info!("{failed}; sharing this machine's own screen instead");
            }
            Ok(found)
        }
        Err(ShareEnd::Capture(error @ (CaptureError::Elsewhere { .. } | CaptureError::Connect(_)))) if !is_absent => {
            debug!("no own screen either: {error}");
            Err(failed)
        }
        Err(error) => Err(error),
    }
}

/// Makes a screen that was found ready, or says why it cannot be.
pub(super) async fn open(found: Found, choice: Choice) -> Result<Opened, ShareEnd> {
    let Some(server) = found.server else { return open_own(choice).await };
    let view = match choice {
        Choice::Whole => View::Whole,
        Choice::Area(rect) => View::Area(rect),
        Choice::Number(_) | Choice::Id(_) => {
            let display = chosen(&found.displays, choice)
                .ok_or_else(|| ShareEnd::NoSuchDisplay { asked: choice.to_string(), known: listed(&found.displays) })?;
            View::Display { id: display.id, rect: display.rect }
        }
    };
    Ok(Opened::Vnc(server, view))
}

fn usual(credentials: &Credentials) -> VncServer {
    let address = PresenterAddress { host: "127.0.0.1".into(), port: BASE_PORT };
    VncServer { address, credentials: credentials.clone() }
}

async fn seek_server(server: &VncServer, with_displays: bool) -> Result<Found, ShareEnd> {
    let found = async {
        if with_displays {
            let Listed { displays, connected } = list(server).await?;
            return Ok(Found { displays, server: Some(connected) });
        }
        Ok(Found { displays: Vec::new(), server: Some(connect(server).await?) })
    };
    found.await.map_err(|error| ShareEnd::Server(server.address.to_string(), error))
}

async fn open_own(choice: Choice) -> Result<Opened, ShareEnd> {
    let capture = spawn_blocking(move || Capture::start(choice)).await;
    let capture = capture.map_err(|error| CaptureError::Lost(error.to_string()))??;
    let view = match capture.choice() {
        Choice::Whole => View::Whole,
        Choice::Area(rect) => View::CutOut(rect),
        choice => chosen(seek_own().await?.displays(), choice).map_or(View::Whole, |display| View::CutOut(display.rect)),
    };
    Ok(Opened::Own(capture, view))
}

async fn seek_own() -> Result<Found, ShareEnd> {
    let found = spawn_blocking(capture::displays).await;
    let displays = found.map_err(|error| CaptureError::Lost(error.to_string()))??;
    Ok(Found { displays, server: None })
}
