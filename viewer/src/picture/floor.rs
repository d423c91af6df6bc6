//! What the window shows about presenting: who does, who asks to, and how it stands with this machine's own share. The program writes
//! it, the window shows it; nothing here decides anything.

use super::{Shown, clean, clean_to};
use std::sync::Arc;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::tree::message::Policy;

/// Most displays that are offered, and most requests that are shown; those beyond are left out.
pub const MAX_OFFERS: usize = 16;
/// Longest passing message, in characters; the rest is cut off.
pub const MAX_MESSAGE_CHARS: usize = 400;

/// How it stands with a share of this machine's screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sharing {
    /// It cannot be shared from this window: there is no button.
    #[default]
    Unavailable,
    /// It can be.
    Ready,
    /// The root lets nobody present now.
    Locked,
    /// The screen is being opened, and the root asked.
    Preparing,
    /// A person at the root is being asked.
    Asking,
    /// The root has said yes; the first picture is on its way.
    Starting,
    /// Everybody sees this machine's screen.
    Live,
    /// Somebody else is shown; this machine's screen returns afterwards.
    Paused {
        /// Who is shown.
        by: Arc<str>,
    },
}

impl Sharing {
    /// Whether a share goes on, from the question on: then it can be stopped.
    pub fn is_going_on(&self) -> bool {
        matches!(self, Self::Preparing | Self::Asking | Self::Starting | Self::Live | Self::Paused { .. })
    }
}

/// A display that may be shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its name; empty where it has none.
    pub name: Arc<str>,
    /// Its place on the whole screen.
    pub rect: Rect,
    /// Whether the system calls it the first.
    pub primary: bool,
}

/// Somebody's wish to present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What the window's commands name it by.
    pub number: u32,
    /// Who asks.
    pub name: Arc<str>,
    /// What is to be shown and where it comes from, in a few words.
    pub detail: Arc<str>,
}

/// Everything the window shows about presenting.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Floor {
    /// The node that presents; empty while the lecturer does.
    pub presenter: Arc<str>,
    /// This machine's own share.
    pub sharing: Sharing,
    /// The displays to choose from; the panel is open while there are any.
    pub displays: Arc<[Offer]>,
    /// The root's policy, in the root's own window only: it has the controls of the floor.
    pub policy: Option<Policy>,
    /// Those who wait for an answer, the first to ask first.
    pub requests: Arc<[Request]>,
    /// Whether the picture is the screen that this window stands on, where it would show itself in itself.
    pub mirror: bool,
}

impl Shown {
    /// Names the node that presents; an empty name is the lecturer.
    pub fn set_presenting(&self, name: &str) {
        self.change_floor(|floor| floor.presenter = clean(name).into());
    }

    /// Says how it stands with this machine's own share.
    pub fn set_sharing(&self, sharing: Sharing) {
        let sharing = match sharing {
            Sharing::Paused { by } => Sharing::Paused { by: clean(&by).into() },
            plain => plain,
        };
        self.change_floor(|floor| floor.sharing = sharing);
    }

    /// Opens the panel in which the person chooses one of these displays. With none it closes.
    pub fn offer_displays(&self, displays: impl IntoIterator<Item = Offer>) {
        let offers = displays.into_iter().take(MAX_OFFERS).map(|offer| Offer { name: clean(&offer.name).into(), ..offer });
        let offers = offers.collect();
        self.change_floor(|floor| floor.displays = offers);
    }

    /// Closes the panel of displays.
    pub fn close_displays(&self) {
        self.offer_displays([]);
    }

    /// Makes this the root's window, with the controls of the floor.
    pub fn set_policy(&self, policy: Policy) {
        self.change_floor(|floor| floor.policy = Some(policy));
    }

    /// Shows who waits for an answer, the first to ask first. Names come from the network and are bounded.
    pub fn set_requests(&self, requests: impl IntoIterator<Item = Request>) {
        let clean = |request: Request| Request {
            number: request.number,
            name: clean(&request.name).into(),
            detail: clean(&request.detail).into(),
        };
        let requests = requests.into_iter().take(MAX_OFFERS).map(clean).collect();
        self.change_floor(|floor| floor.requests = requests);
    }

    /// Says whether the picture is the screen that this window stands on. Then a page that says so takes the picture's place, until the
    /// person wants it: on a screen that is shown within itself each change is followed by others.
    pub fn set_mirror(&self, mirror: bool) {
        self.change_floor(|floor| floor.mirror = mirror);
    }

    /// Shows a passing message, for as long as it takes to read; cut off after [`MAX_MESSAGE_CHARS`]. The next one replaces it.
    pub fn say(&self, message: &str) {
        self.change(|scene| {
            let number = scene.said.as_ref().map_or(0, |(number, _)| *number) + 1;
            scene.said = Some((number, clean_to(message, MAX_MESSAGE_CHARS).into()));
        });
    }

    /// Changes the floor; what stays equal wakes nobody.
    fn change_floor(&self, change: impl FnOnce(&mut Floor)) {
        let mut scene = self.lock();
        let mut floor = scene.floor.clone();
        change(&mut floor);
        if floor != scene.floor {
            scene.floor = floor;
            self.announce(scene);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::MAX_LABEL_CHARS;

    fn request(number: u32, name: &str) -> Request {
        Request { number, name: name.into(), detail: "1920×1080".into() }
    }

    #[test]
    fn what_stays_equal_wakes_nobody() {
        let shown = Shown::new();
        shown.set_sharing(Sharing::Ready);
        shown.set_requests([request(1, "Ada")]);
        let seen = shown.generation();
        shown.set_sharing(Sharing::Ready);
        shown.set_requests([request(1, "Ada")]);
        shown.set_presenting("");
        shown.close_displays();
        assert_eq!(shown.generation(), seen);
        shown.set_sharing(Sharing::Asking);
        assert_eq!((shown.generation(), shown.scene().floor.requests.len()), (seen + 1, 1));
    }

    #[test]
    fn names_and_lists_from_the_network_are_bounded() {
        let shown = Shown::new();
        shown.set_presenting("A\nda\u{202e}");
        shown.set_requests((0..100).map(|number| request(number, &"x".repeat(5000))));
        shown.offer_displays((0..100).map(|x| Offer { name: "a\0".into(), rect: Rect::new(x, 0, 1, 1), primary: false }));
        let floor = shown.scene().floor;
        assert_eq!((&*floor.presenter, floor.requests.len(), floor.displays.len()), ("A da", MAX_OFFERS, MAX_OFFERS));
        assert_eq!((floor.requests[0].name.len(), &*floor.displays[0].name), (MAX_LABEL_CHARS, "a"));
    }

    #[test]
    fn every_message_has_a_number_of_its_own() {
        let shown = Shown::new();
        let said = || shown.scene().said.unwrap();
        shown.say("refused");
        assert_eq!(said(), (1, "refused".into()));
        shown.say("refused");
        assert_eq!(said(), (2, "refused".into()));
    }
}
