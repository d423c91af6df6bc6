//! Our own capture of this machine's screen, for presenters without a VNC server: on X11 only (`x11`); elsewhere an error names the
//! system's own way (`elsewhere`). Owns the plumbing between a capture's thread and the task that uses it; asks the system for nothing
//! while nobody grabs.

mod elsewhere;
#[cfg(all(unix, not(target_os = "macos")))]
mod x11;

use crate::display::{Choice, Display};
use std::sync::mpsc as orders;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, ScreenSizeError, Size};

#[cfg(not(all(unix, not(target_os = "macos"))))]
use elsewhere as system;
#[cfg(all(unix, not(target_os = "macos")))]
use x11 as system;

/// Longest time the system may take to let a capture begin.
const BEGINNING: Duration = Duration::from_secs(10);

/// Why this machine's screen cannot be captured, or not any longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// The system has no X11 screen to capture; `way` is how its screen is shared instead.
    #[error("{system} lets no program see the screen this way: {way}, then share that with --vnc")]
    Elsewhere {
        /// The system, as the beginning of a sentence.
        system: &'static str,
        /// What to do instead.
        way: &'static str,
    },
    /// The X server cannot be reached.
    #[error("cannot open this machine's screen: {0}")]
    Connect(String),
    /// The system does not answer.
    #[error("this machine's screen does not answer within {} s", BEGINNING.as_secs())]
    Silent,
    /// The X server has not what a capture takes.
    #[error("the X server has no {0} extension, which sharing its screen takes; run x11vnc, then share that with --vnc")]
    NoExtension(&'static str),
    /// Pixels that are no colours, or not of a known width.
    #[error("cannot read a screen of depth {0}; run x11vnc, then share that with --vnc")]
    Depth(u8),
    /// The screen is too large, or empty.
    #[error(transparent)]
    Size(#[from] ScreenSizeError),
    /// There is no such display, or no pixel in the area.
    #[error("this machine has no display {asked}; it has {known}")]
    NoSuchDisplay {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// The display that was captured has been removed.
    #[error("the display is gone")]
    DisplayGone,
    /// The X server is gone, or has refused.
    #[error("this machine's screen is gone: {0}")]
    Lost(String),
}

/// This machine's displays, in the system's order. Blocks until the system answers, at most 10 s.
pub fn displays() -> Result<Vec<Display>, CaptureError> {
    displays_on(None)
}

/// As [`displays`], of the X server with that name (`:1`); `None` is the one that DISPLAY names.
pub fn displays_on(server: Option<&str>) -> Result<Vec<Display>, CaptureError> {
    let (sender, answer) = orders::sync_channel(1);
    let server = server.map(str::to_owned);
    on_a_thread(move || drop(sender.send(system::displays(server.as_deref()))))?;
    answer.recv_timeout(BEGINNING).unwrap_or(Err(CaptureError::Silent))
}

/// What is seen from outside of a capture's thread.
#[derive(Debug, Default)]
struct State {
    /// Whether something may have changed since the last grab.
    is_changed: bool,
    /// Why it has ended.
    end: Option<CaptureError>,
}

/// A capture's thread's ends of everything.
#[cfg_attr(not(all(unix, not(target_os = "macos"))), expect(dead_code, reason = "nothing is captured here"))]
struct Ends {
    orders: orders::Receiver<Framebuffer>,
    grabbed: mpsc::Sender<(Framebuffer, Vec<Rect>)>,
    state: watch::Sender<State>,
}

/// A capture that has begun, as the system's part hands it over.
struct Begun {
    size: Size,
    choice: Choice,
    /// Lets the thread look at its orders.
    wake: Box<dyn Fn() + Send + Sync>,
}

/// A running capture of this machine's screen or a part of it, on a thread of its own.
///
/// A display that moves or changes its size is followed: the next picture has the new size. Of other displays than the chosen one no
/// pixel is ever read. Dropping it ends the thread as soon as the X server has answered what it was asked last.
pub struct Capture {
    orders: orders::Sender<Framebuffer>,
    grabbed: mpsc::Receiver<(Framebuffer, Vec<Rect>)>,
    state: watch::Receiver<State>,
    wake: Option<Box<dyn Fn() + Send + Sync>>,
    /// The last picture; the thread has it while a grab is under way.
    picture: Option<Framebuffer>,
    size: Size,
    choice: Choice,
}

/// A picture as it is now.
#[derive(Debug)]
pub struct Grabbed<'a> {
    /// The whole picture, the pointer drawn in.
    pub picture: &'a Framebuffer,
    /// Where it may differ from the one before: everywhere in the first picture and in the first of another size.
    pub damage: Vec<Rect>,
}

impl Capture {
    /// Begins to capture. Blocks until the system answers, at most 10 s; needs no runtime.
    pub fn start(choice: Choice) -> Result<Self, CaptureError> {
        Self::start_on(None, choice)
    }

    /// As [`start`](Self::start), of the X server with that name (`:1`); `None` is the one that DISPLAY names.
    pub fn start_on(server: Option<&str>, choice: Choice) -> Result<Self, CaptureError> {
        let (order, to_thread) = orders::channel();
        let (from_thread, grabbed) = mpsc::channel(1);
        let (sender, state) = watch::channel(State::default());
        let ends = Ends { orders: to_thread, grabbed: from_thread, state: sender };
        let (answer, begun) = orders::sync_channel(1);
        let server = server.map(str::to_owned);
        on_a_thread(move || system::run(server.as_deref(), choice, ends, &|begun| drop(answer.send(begun))))?;
        let Begun { size, choice, wake } = begun.recv_timeout(BEGINNING).unwrap_or(Err(CaptureError::Silent))?;
        Ok(Self { orders: order, grabbed, state, wake: Some(wake), picture: Some(Framebuffer::new(size)), size, choice })
    }

    /// The size of the last picture; before the first, the one it will have.
    pub fn size(&self) -> Size {
        self.size
    }

    /// What is captured; a display by its own number, which stays as long as it is there and returns with it.
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// The last picture; `None` when a grab was given up half way.
    pub fn picture(&self) -> Option<&Framebuffer> {
        self.picture.as_ref()
    }

    /// Resolves when something may have changed since the last grab, at once if there was none. Changes come at most 60 times a second.
    /// Cancel safe.
    pub async fn changed(&mut self) -> Result<(), CaptureError> {
        let is_under_way = self.picture.is_none();
        let changed = self.state.wait_for(|state| is_under_way || state.is_changed || state.end.is_some()).await;
        changed.map_or(Err(ended()), |state| state.end.clone().map_or(Ok(()), Err))
    }

    /// The picture as it is now. Where the display is away for a moment, waits until it is back or gone. Cancel safe: what changed is
    /// told by the next grab.
    pub async fn grab(&mut self) -> Result<Grabbed<'_>, CaptureError> {
        if let Some(picture) = self.picture.take() {
            let _ = self.orders.send(picture);
            self.wake.iter().for_each(|wake| wake());
        }
        let Some((picture, damage)) = self.grabbed.recv().await else {
            return Err(self.state.borrow().end.clone().unwrap_or_else(ended));
        };
        self.size = picture.size();
        Ok(Grabbed { picture: self.picture.insert(picture), damage })
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // The thread finds its orders closed: first close, then wake.
        self.orders = orders::channel().0;
        self.wake.iter().for_each(|wake| wake());
    }
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Capture({})", self.size)
    }
}

fn ended() -> CaptureError {
    CaptureError::Lost("its thread has ended".into())
}

fn on_a_thread(work: impl FnOnce() + Send + 'static) -> Result<(), CaptureError> {
    let started = std::thread::Builder::new().name("capture".into()).spawn(work);
    started.map(drop).map_err(|error| CaptureError::Lost(format!("the system gives no thread: {error}")))
}
