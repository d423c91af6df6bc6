//! What the window shows, shared between playback and the window: the last presented picture, names, and a note.
//! Pictures are swapped in whole, so no reader sees half of one. Draws nothing, receives nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::update::Seq;

mod floor;
mod stage;
pub use floor::{Floor, MAX_MESSAGE_CHARS, MAX_OFFERS, Offer, Request, Sharing};
pub use stage::Stage;

/// Longest name or reason that is kept, in characters; the rest is cut off.
pub const MAX_LABEL_CHARS: usize = 120;

/// What the viewer is told beside the picture. Before the first picture it says which step the node is at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Note {
    /// Nothing to say: the picture is live.
    #[default]
    None,
    /// Looking for sessions on the network.
    Searching,
    /// A session is known and being joined; `to` names it or its address.
    Connecting {
        /// Whom the node is connecting to.
        to: String,
    },
    /// Joined; the first picture has not come yet.
    Waiting,
    /// The root has no place for this node now; it asks again. `reason` says what to do.
    Refused {
        /// What the root says, as text.
        reason: String,
    },
    /// The root has lost the presenter, or a site the root; the last picture stays.
    PresenterGone {
        /// What is known of it, as text; maybe nothing.
        why: String,
    },
    /// This node has lost its place in the tree; `retry` says what happens about it.
    ConnectionLost {
        /// What is tried next, as text.
        retry: String,
    },
    /// The session is over; `reason` says why.
    Ended {
        /// Why, as text.
        reason: String,
    },
}

/// One moment of what is shown.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    /// Grows with every change; equal numbers mean equal scenes.
    pub generation: u64,
    /// The last picture presented, if there was one.
    pub picture: Option<Arc<Framebuffer>>,
    /// The session's name; empty while not known.
    pub session: Arc<str>,
    /// The presenter's name; empty while not known.
    pub presenter: Arc<str>,
    /// What to say beside the picture.
    pub note: Note,
    /// Who presents, who asks to, and this machine's own share.
    pub floor: Floor,
    /// The newest passing message and its number, which grows.
    pub said: Option<(u64, Arc<str>)>,
    /// Whether the window is asked to close.
    pub closing: bool,
}

impl Scene {
    /// Whether the session is over.
    pub fn ended(&self) -> bool {
        matches!(self.note, Note::Ended { .. })
    }
}

/// What is shown, shared by all its clones. Setters never wait for the window, and the window never for a picture in the making.
#[derive(Debug, Clone, Default)]
pub struct Shown(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    generation: AtomicU64,
    scene: Mutex<Scene>,
    changed: Condvar,
    /// The newest update of the picture.
    painted: watch::Sender<Seq>,
}

impl Shown {
    /// Nothing yet: no picture, no names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows a complete picture. A note about the way to it ([`Note::Searching`], [`Note::Connecting`], [`Note::Waiting`]) goes away.
    pub fn present(&self, picture: Arc<Framebuffer>) {
        self.change(|scene| {
            scene.picture = Some(picture);
            if matches!(scene.note, Note::Searching | Note::Connecting { .. } | Note::Refused { .. } | Note::Waiting) {
                scene.note = Note::None;
            }
        });
    }

    /// The picture that is shown has everything up to this update.
    pub(crate) fn set_painted(&self, newest: Seq) {
        self.0.painted.send_replace(newest);
    }

    /// The newest update of the picture that is shown, now and at each change.
    pub fn painted(&self) -> watch::Receiver<Seq> {
        self.0.painted.subscribe()
    }

    /// Names the session. Names come from the network: control characters are dropped and the length is bounded.
    pub fn set_session(&self, name: &str) {
        self.change(|scene| scene.session = clean(name).into());
    }

    /// Names the presenter, like [`Shown::set_session`].
    pub fn set_presenter(&self, name: &str) {
        self.change(|scene| scene.presenter = clean(name).into());
    }

    /// Replaces the note. After [`Note::Ended`] no other note is taken.
    pub fn set_note(&self, note: Note) {
        let note = match note {
            Note::Connecting { to } => Note::Connecting { to: clean(&to) },
            Note::Refused { reason } => Note::Refused { reason: clean(&reason) },
            Note::PresenterGone { why } => Note::PresenterGone { why: clean(&why) },
            Note::ConnectionLost { retry } => Note::ConnectionLost { retry: clean(&retry) },
            Note::Ended { reason } => Note::Ended { reason: clean(&reason) },
            plain => plain,
        };
        self.change(|scene| {
            if !scene.ended() {
                scene.note = note;
            }
        });
    }

    /// The session is over: the last picture stays with a note that says why.
    pub fn end(&self, reason: &str) {
        self.set_note(Note::Ended { reason: reason.to_owned() });
    }

    /// Asks the window to close, whatever it shows.
    pub fn close(&self) {
        self.change(|scene| scene.closing = true);
    }

    /// The number of the present scene; costs no lock.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// The present scene; pictures and names are shared, not copied.
    pub fn scene(&self) -> Scene {
        self.lock().clone()
    }

    /// Waits until the scene is another one than `seen`, at most for `limit`; returns the present number.
    pub fn wait_for_change(&self, seen: u64, limit: Duration) -> u64 {
        let unchanged = |scene: &mut Scene| scene.generation == seen;
        let waited = self.0.changed.wait_timeout_while(self.lock(), limit, unchanged);
        waited.unwrap_or_else(PoisonError::into_inner).0.generation
    }

    fn change(&self, change: impl FnOnce(&mut Scene)) {
        let mut scene = self.lock();
        change(&mut scene);
        self.announce(scene);
    }

    /// Gives a changed scene its number and wakes the window.
    fn announce(&self, mut scene: MutexGuard<'_, Scene>) {
        scene.generation += 1;
        self.0.generation.store(scene.generation, Ordering::Release);
        self.0.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Scene> {
        self.0.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A label that can be drawn and put into a title: one line, no control or direction characters, bounded.
fn clean(label: &str) -> String {
    clean_to(label, MAX_LABEL_CHARS)
}

fn clean_to(label: &str, max_chars: usize) -> String {
    let odd =
        |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let line = label.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|&c| !odd(c));
    line.take(max_chars).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::geometry::Size;

    fn picture(colour: u32) -> Arc<Framebuffer> {
        let mut fb = Framebuffer::new(Size::new(8, 4).unwrap());
        fb.pixels_mut().fill(colour);
        Arc::new(fb)
    }

    #[test]
    fn every_change_has_a_new_number_and_clones_share_the_scene() {
        let shown = Shown::new();
        let window = shown.clone();
        assert_eq!(window.generation(), 0);
        shown.set_session("Lecture");
        shown.present(picture(5));
        assert_eq!(window.generation(), 2);
        let scene = window.scene();
        assert_eq!((scene.generation, &*scene.session, scene.picture.unwrap().pixels()[0]), (2, "Lecture", 5));
    }

    #[test]
    fn the_first_picture_ends_the_steps_but_not_a_loss() {
        let shown = Shown::new();
        for step in [Note::Searching, Note::Connecting { to: "a".into() }, Note::Waiting] {
            shown.set_note(step);
            shown.present(picture(1));
            assert_eq!(shown.scene().note, Note::None);
        }
        let gone = Note::PresenterGone { why: "lost".into() };
        shown.set_note(gone.clone());
        shown.present(picture(1));
        assert_eq!(shown.scene().note, gone);
    }

    #[test]
    fn the_end_is_the_last_note() {
        let shown = Shown::new();
        shown.end("the root has left");
        shown.set_note(Note::None);
        assert!(shown.scene().ended() && !shown.scene().closing);
        shown.close();
        assert!(shown.scene().closing);
    }

    #[test]
    fn names_from_the_network_become_one_bounded_line() {
        let shown = Shown::new();
        shown.set_session("a\nb\0c\u{202e}d\u{7}  ");
        assert_eq!(&*shown.scene().session, "a bcd");
        shown.set_presenter(&"x".repeat(5000));
        assert_eq!(shown.scene().presenter.len(), MAX_LABEL_CHARS);
    }

    #[test]
    fn a_waiting_window_wakes_at_a_change_and_at_the_limit() {
        let shown = Shown::new();
        assert_eq!(shown.wait_for_change(0, Duration::ZERO), 0);
        assert_eq!(shown.wait_for_change(7, Duration::MAX), 0);
        let other = shown.clone();
        let waiting = std::thread::spawn(move || other.wait_for_change(0, Duration::from_secs(60)));
        shown.close();
        assert_eq!(waiting.join().unwrap(), 1);
    }
}
