//! What minifb has no call for: full screen, the window's size, uncovered parts, the size of letters. On X11 it is done over a
//! second connection; elsewhere it is said that it is not there.

#[cfg(all(unix, not(target_os = "macos")))]
mod x11;

use super::layout::Area;
use raw_window_handle::{HasWindowHandle, RawWindowHandle};

/// minifb counts a notch twice on X11, at its press and at its release.
#[cfg(all(unix, not(target_os = "macos")))]
const NOTCH_X11: f32 = 2.0;

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
    /// Nothing can be asked of it.
    Closed {
        /// What a person can do instead of our full screen.
        instead: &'static str,
        /// What minifb counts for one notch of the wheel here.
        notch: f32,
    },
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
                    closed("Full screen is not available: the X server accepts no second connection", NOTCH_X11)
                }
                Err(_) => closed("Full screen is not available here", NOTCH_X11),
            },
            Ok(RawWindowHandle::Wayland(_)) => {
                closed("Full screen is not available on Wayland: use your desktop's own key", 10.0)
            }
            Ok(RawWindowHandle::AppKit(_)) => closed("Full screen is not available on macOS: zoom with the green button", 1.0),
            Ok(RawWindowHandle::Win32(_)) => closed("Full screen is not available on Windows: maximise the window", 12.0),
            _ => closed("Full screen is not available here", 1.0),
        }
    }

    /// What minifb counts for one notch of the wheel.
    pub(super) fn notch(&self) -> f32 {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(_) => NOTCH_X11,
            Self::Closed { notch, .. } => *notch,
        }
    }

    /// Asks for full screen or for a window again; `Err` says why not.
    pub(super) fn set_full_screen(&mut self, on: bool) -> Result<(), String> {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(desktop) => desktop.set_full_screen(on).map_err(|error| format!("Full screen failed: {error}")),
            Self::Closed { instead, .. } if on => Err((*instead).to_owned()),
            Self::Closed { .. } => Ok(()),
        }
    }

    /// Gives the window another place and inner size, where that can be asked.
    pub(super) fn put(&mut self, place: Area) {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(desktop) => desktop.put(place),
            Self::Closed { .. } => tracing::trace!(?place, "the window stays as it is"),
        }
    }

    /// The window's place and inner size, where that is known.
    pub(super) fn place(&self) -> Option<Area> {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(desktop) => desktop.place().ok(),
            Self::Closed { .. } => None,
        }
    }

    /// The monitor the window is on, where that is known.
    pub(super) fn monitor(&self) -> Option<Area> {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(desktop) => desktop.monitor(),
            Self::Closed { .. } => None,
        }
    }

    /// Asks for the person's attention, or no longer, where the desktop has a way: a window behind others lights up in its task bar.
    pub(super) fn call(&self, urgently: bool) {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(desktop) => desktop.call(urgently),
            Self::Closed { .. } => tracing::trace!(urgently, "nobody can be called"),
        }
    }

    /// What happened since the last call; `None` where the desktop does not tell.
    pub(super) fn changes(&mut self) -> Option<Changes> {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::X11(desktop) => Some(desktop.changes()),
            Self::Closed { .. } => None,
        }
    }
}

fn closed(instead: &'static str, notch: f32) -> Desktop {
    Desktop::Closed { instead, notch }
}

/// How large letters should be, in percent of those for 96 dots per inch.
pub(super) fn letter_size_percent() -> i32 {
    #[cfg(all(unix, not(target_os = "macos")))]
    return x11::letter_size_percent().unwrap_or(100);
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    return 100;
}
