//! Where there is no X11 screen to capture: what the system offers instead.

use super::CaptureError;
#[cfg(not(all(unix, not(target_os = "macos"))))]
use super::{Begun, Choice, Display, Ends};

/// A Wayland desktop: only its compositor sees the screen.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) const WAYLAND: CaptureError =
    CaptureError::Elsewhere { system: "Wayland", way: "run wayvnc, or switch on your desktop's own sharing by VNC" };

/// Neither X11 nor Wayland.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) const NO_DESKTOP: CaptureError = CaptureError::Elsewhere {
    system: "A session without a desktop (DISPLAY is not set)",
    way: "start TreeVNC on the desktop, or run a VNC server such as Xvnc",
};

#[cfg(target_os = "macos")]
const HERE: CaptureError = CaptureError::Elsewhere {
    system: "macOS",
    way: "switch on Screen Sharing in System Settings, General, Sharing, and allow VNC viewers a password",
};

#[cfg(windows)]
const HERE: CaptureError = CaptureError::Elsewhere { system: "Windows", way: "install and start a VNC server such as TightVNC" };

#[cfg(not(any(unix, windows)))]
const HERE: CaptureError = CaptureError::Elsewhere { system: "This system", way: "start a VNC server" };

#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(super) fn displays(_server: Option<&str>) -> Result<Vec<Display>, CaptureError> {
    Err(HERE)
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(super) fn run(_server: Option<&str>, _choice: Choice, _ends: Ends, begun: &dyn Fn(Result<Begun, CaptureError>)) {
    begun(Err(HERE));
}
