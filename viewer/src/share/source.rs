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
use treevnc_screen::listing::{list, listed};
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
    /// Our own capture of what is to be shown, and of nothing else.
    Own(Capture),
}

impl Opened {
    /// What the root is to show of what is brought to it.
    pub(super) fn view(&self) -> View {
        match self {
            Self::Vnc(_, view) => *view,
            Self::Own(_) => View::Whole,
        }
    }
}

impl std::fmt::Display for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Vnc(server, view) => write!(f, "{view} of \"{}\"", server.init.name),
            Self::Own(capture) => write!(f, "this machine's screen ({})", capture.size()),
        }
    }
}

/// The displays that can be chosen from.
pub async fn displays(source: &ShareSource) -> Result<Vec<Display>, ShareEnd> {
    match source {
        ShareSource::Vnc(server) => displays_of(server).await,
        ShareSource::OwnScreen => own_displays().await,
        ShareSource::Usual(credentials) => match timeout(USUAL, displays_of(&usual(credentials))).await {
            Ok(Ok(found)) => Ok(found),
            _ => own_displays().await,
        },
    }
}

/// Opens a screen, or says why it cannot be.
pub(super) async fn open(source: &ShareSource, choice: Choice) -> Result<Opened, ShareEnd> {
    match source {
        ShareSource::Vnc(server) => open_server(server, choice).await,
        ShareSource::OwnScreen => open_own(choice).await,
        ShareSource::Usual(credentials) => {
            let server = usual(credentials);
            let failed = match timeout(USUAL, open_server(&server, choice)).await {
                Ok(Ok(opened)) => return Ok(opened),
                Ok(Err(failed)) => failed,
                Err(_) => ShareEnd::Server(server.address.to_string(), ConnectError::Unreachable),
            };
            if matches!(failed, ShareEnd::NoSuchDisplay { .. }) {
                return Err(failed);
            }
            let is_absent = matches!(&failed, ShareEnd::Server(_, ConnectError::Dial(_) | ConnectError::Unreachable));
            match open_own(choice).await {
                Ok(opened) => {
                    if !is_absent {
                        info!("{failed}; sharing this machine's own screen instead");
                    }
                    Ok(opened)
                }
                Err(ShareEnd::Capture(error @ (CaptureError::Elsewhere { .. } | CaptureError::Connect(_)))) if !is_absent => {
                    debug!("no own screen either: {error}");
                    Err(failed)
                }
                Err(error) => Err(error),
            }
        }
    }
}

fn usual(credentials: &Credentials) -> VncServer {
    let address = PresenterAddress { host: "127.0.0.1".into(), port: BASE_PORT };
    VncServer { address, credentials: credentials.clone() }
}

async fn open_server(server: &VncServer, choice: Choice) -> Result<Opened, ShareEnd> {
    let view = match choice {
        Choice::Whole => View::Whole,
        Choice::Area(rect) => View::Area(rect),
        Choice::Number(_) | Choice::Id(_) => {
            let displays = displays_of(server).await?;
            let display = chosen(&displays, choice)
                .ok_or_else(|| ShareEnd::NoSuchDisplay { asked: choice.to_string(), known: listed(&displays) })?;
            View::Display { id: display.id, rect: display.rect }
        }
    };
    let connected = connect(server).await.map_err(|error| ShareEnd::Server(server.address.to_string(), error))?;
    Ok(Opened::Vnc(connected, view))
}

async fn displays_of(server: &VncServer) -> Result<Vec<Display>, ShareEnd> {
    list(server).await.map_err(|error| ShareEnd::Server(server.address.to_string(), error))
}

async fn open_own(choice: Choice) -> Result<Opened, ShareEnd> {
    let capture = spawn_blocking(move || Capture::start(choice)).await;
    Ok(Opened::Own(capture.map_err(|error| CaptureError::Lost(error.to_string()))??))
}

async fn own_displays() -> Result<Vec<Display>, ShareEnd> {
    let found = spawn_blocking(capture::displays).await;
    Ok(found.map_err(|error| CaptureError::Lost(error.to_string()))??)
}
