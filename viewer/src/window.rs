//! The window: shows what [`Shown`] holds, fitted or one to one, with a tool bar, a menu and notes. Runs on the main thread.
//! Keyboard and mouse act on the window alone and are sent nowhere.
//!
//! Pure parts: `layout` (geometry), `controls` (what can be clicked), `state` (inputs to actions), `scale`, `chrome`, `compose`
//! (pixels), `aside`. Only `session`, `input` and `desktop` touch the screen.

mod aside;
mod chrome;
mod compose;
mod controls;
mod desktop;
mod input;
mod layout;
mod outbox;
mod scale;
mod session;
mod state;

use crate::picture::Shown;
use session::Session;
use tokio::sync::mpsc::Sender;
use treevnc_protocol::tree::message::Policy;

/// How the picture is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Zoom {
    /// As large as the window allows.
    #[default]
    Fit,
    /// One pixel of the picture is one of the window.
    OneToOne,
}

/// How the window starts; all of it can be changed while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowOptions {
    /// Start in full screen.
    pub fullscreen: bool,
    /// Start with one pixel of the picture on one of the window, else fitted.
    pub one_to_one: bool,
    /// Start in QUALITY (filtered scaling), else in SPEED (nearest pixel).
    pub quality: bool,
    /// Close the window when the session ends; else the last picture stays with a note until somebody closes it.
    pub close_at_end: bool,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self { fullscreen: false, one_to_one: false, quality: true, close_at_end: false }
    }
}

/// What the person at the window asks of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowCommand {
    /// To end: the window has been closed.
    Quit,
    /// To share this machine's screen, or first to ask which display ([`Shown::offer_displays`]).
    Share,
    /// To share the display with this index in the list that was offered.
    ShareDisplay(usize),
    /// To share all displays as one picture.
    ShareAll,
    /// To share none of the displays that were offered.
    CloseDisplays,
    /// To end the share, or to take back the question.
    StopSharing,
    /// To let the request of this number pass.
    Approve(u32),
    /// To refuse the request of this number.
    Refuse(u32),
    /// To show the lecturer again.
    BackToLecturer,
    /// To let others present according to another policy.
    Policy(Policy),
}

/// No window could be opened, or it was lost.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// There is no screen to open a window on.
    #[error("no window can be opened here ({reason}): start it on a desktop, or use --headless to take part without a window")]
    NoDisplay {
        /// What the system said.
        reason: String,
    },
    /// The window stopped taking pictures.
    #[error("the window cannot be drawn any more: {reason}")]
    Lost {
        /// What the system said.
        reason: String,
    },
}

/// Shows the window until it is closed; blocks, and must be called on the main thread (macOS allows no other).
///
/// Returns when the person closes it, having sent [`WindowCommand::Quit`] if there was room in `commands`, whose end says the same; when
/// [`Shown::close`] was called; or when the session has ended and `options.close_at_end` is set. Commands for which there is no
/// room are kept, in order, and sent when there is.
pub fn run(shown: Shown, options: WindowOptions, commands: Sender<WindowCommand>) -> Result<(), WindowError> {
    let mut session = Session::open(shown, options, commands)?;
    if session.show()? {
        session.outbox.send(WindowCommand::Quit);
    }
    Ok(())
}
