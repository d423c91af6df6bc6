//! What minifb has no call for: full screen, the window's size, uncovered parts, the size of letters. On X11 it is done over a
//! second connection; elsewhere it is said that it is not there.

#[cfg(all(unix, not(target_os = "macos")))]
mod x11;

use super::layout::Area;
use raw_window_handle::{HasWindowHandle, RawWindowHandle};

/// What happened to the window that minifb does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Changes {
    /// Parts were uncovered and have to be drawn again.
    pub(super) exposed: bool,
    /// The window has become, or is no longer, full screen.
    pub(super) full_screen: Option<bool>,
}

/// The desktop around one window.
pub(super) enum Desktop {
    #[cfg(all(unix, not(target_os = "macos")))]
    X11(Box<x11::X11>),
    /// Nothing can be asked of it; the text says what a person can do instead of our full screen.
    Closed(&'static str),
}

impl Desktop {
    /// The desktop of a window that is on the screen.
    pub(super) fn of(window: &minifb::Window) -> Self {
        let handle = window.window_handle().map(|handle| handle.as_raw());
        match handle {
            #[cfg(all(unix, not(target_os = "macos")))]
            Ok(RawWindowHandle::Xlib(handle)) => match u32::try_from(handle.window).map(x11::X11::attach) {
                Ok(Ok(desktop)) => Self::X11(Box::new(desktop)),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "no second connection to the X server");
                    Self::Closed("Full screen is not available: the X server accepts no second connection")
                }
                Err(_) => Self::Closed("Full screen is not available here"),
            },
            Ok(RawWindowHandle::Wayland(_)) => {
                Self::Closed("Full screen is not available on Wayland: use your desktop's own key")
            }
            Ok(RawWindowHandle::AppKit(_)) => Self::Closed("Full screen is not available on macOS: zoom with the green button"),
            Ok(RawWindowHandle::Win32(_)) => Self::Closed("Full screen is not available on Windows: maximise the window"),
            _ => Self::Closed("Full screen is not available here"),
        }
    }

    /// Asks for full screen or for a window again; `Err` says why not.
    pub(super) fn set_full_screen(&mut self, on: bool) -> Result<(), String> {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(desktop) => desktop.set_full_screen(on).map_err(|error| format!("Full screen failed: {error}")),
            Self::Closed(reason) => on.then_some(()).map_or(Ok(()), |()| Err((*reason).to_owned())),
        }
    }

    /// Gives the window another place and inner size, where that can be asked.
    pub(super) fn put(&mut self, place: Area) {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(desktop) => desktop.put(place),
            Self::Closed(_) => tracing::trace!(?place, "the window stays as it is"),
        }
    }

    /// The monitor the window is on, where that is known.
    pub(super) fn monitor(&self) -> Option<Area> {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(desktop) => desktop.monitor(),
            Self::Closed(_) => None,
        }
    }

    /// What happened since the last call; `None` where the desktop does not tell.
    pub(super) fn changes(&mut self) -> Option<Changes> {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(desktop) => Some(desktop.changes()),
            Self::Closed(_) => None,
        }
    }
}

/// How large letters should be, in percent of those for 96 dots per inch.
pub(super) fn letter_size_percent() -> i32 {
    #[cfg(all(unix, not(target_os = "macos")))]
    return x11::letter_size_percent().unwrap_or(100);
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    return 100;
}
