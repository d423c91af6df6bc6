//! What is said in words: the title, the note under the picture, and passing messages.

use super::shapes::{disc, rounded, shadow, solid};
use super::sharing::waiting_words;
use super::{BOX, DIM, LINE, Painter, TEXT};
use crate::canvas::Canvas;
use crate::picture::{Note, Scene, Sharing};
use crate::window::layout::Area;

/// The most a passing message takes: pixels at 100 percent, and lines.
const MESSAGE_WIDTH: i32 = 640;
const MESSAGE_LINES: usize = 6;

/// How serious a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Live,
    Waiting,
    Warning,
    Lost,
    Over,
}

impl Tone {
    fn dot(self) -> u32 {
        match self {
            Self::Live => 0x004F_C77E,
            Self::Waiting => 0x006F_A8FF,
            Self::Warning => 0x00F2_B441,
            Self::Lost => 0x00EF_6A5B,
            Self::Over => 0x0098_A1AF,
        }
    }

    fn rim(self) -> u32 {
        match self {
            Self::Warning => 0x0077_5A22,
            Self::Lost => 0x007D_3A34,
            _ => LINE,
        }
    }
}

/// The window's title: session, presenter, and what is wrong, if anything is.
pub(crate) fn title(scene: &Scene) -> String {
    let mut title = String::new();
    match scene.floor.requests.len() {
        _ if scene.floor.sharing == Sharing::Live => title += "You are sharing - ",
        0 => {}
        1 => title += "1 request - ",
        more => title += &format!("{more} requests - "),
    }
    if !scene.session.is_empty() {
        title += &scene.session;
        if !presenter(scene).is_empty() {
            title += &format!(" ({})", presenter(scene));
        }
        title += " - ";
    }
    title += match (&scene.note, &scene.picture) {
        (Note::PresenterGone { .. }, _) => "presenter gone - ",
        (Note::ConnectionLost { .. }, _) => "connection lost - ",
        (Note::Ended { .. }, _) => "ended - ",
        (Note::Searching, _) => "searching - ",
        (Note::Connecting { .. } | Note::Refused { .. }, _) => "connecting - ",
        (Note::Waiting, _) | (Note::None, None) => "waiting for the picture - ",
        (Note::None, Some(_)) => "",
    };
    title + "TreeVNC"
}

/// Who presents: the node that does, else the lecturer's screen by its own name.
fn presenter(scene: &Scene) -> &str {
    if scene.floor.presenter.is_empty() { &scene.presenter } else { &scene.floor.presenter }
}

fn tone(scene: &Scene) -> Tone {
    match (&scene.note, &scene.picture) {
        (Note::None, Some(_)) => Tone::Live,
        (Note::PresenterGone { .. }, _) => Tone::Warning,
        (Note::ConnectionLost { .. }, _) => Tone::Lost,
        (Note::Ended { .. }, _) => Tone::Over,
        _ => Tone::Waiting,
    }
}

/// The note under a picture that is no longer live, in words.
fn words(note: &Note) -> Option<String> {
    Some(match note {
        Note::None | Note::Waiting => return None,
        Note::PresenterGone { why } if why.is_empty() => "The presenter is gone. The last picture stays until it is back.".into(),
        Note::PresenterGone { why } => format!("No new picture now: {why}. The last one stays until it goes on."),
        Note::ConnectionLost { retry } => joined("Connection lost.", retry),
        Note::Ended { reason } => joined("The session has ended.", reason),
        Note::Searching => "Looking for the session…".into(),
        Note::Connecting { to } => format!("Connecting to {to}…"),
        Note::Refused { reason } => joined("Not yet:", reason),
    })
}

fn joined(first: &str, second: &str) -> String {
    if second.is_empty() { first.to_owned() } else { format!("{first} {second}") }
}

impl Painter {
    /// The session's name, the presenter's, and a dot whose colour says whether the picture is live.
    pub(super) fn bar_title(&mut self, canvas: &mut Canvas<'_>, area: Area, scene: &Scene) {
        let (diameter, gap) = (self.size.px(8), self.size.px(10));
        if area.width < diameter + 3 * gap {
            return;
        }
        disc(canvas, area.x, area.centred(diameter, diameter).y, diameter, solid(tone(scene).dot()));
        let name = if scene.session.is_empty() { "TreeVNC" } else { &scene.session };
        let mut room = Area::new(area.x + diameter + gap, area.y, area.width - diameter - gap, area.height);
        if scene.floor.sharing == Sharing::Live {
            self.shortened(canvas, room, "You are sharing your screen", 0x00FF_9C92);
            return;
        }
        let (who, colour) = if scene.floor.presenter.is_empty() {
            (scene.presenter.to_string(), DIM)
        } else {
            (format!("{} presents", scene.floor.presenter), 0x00F2_C46B)
        };
        room.x = self.shortened(canvas, room, name, TEXT);
        room.width = area.right() - room.x;
        if !who.is_empty() && room.width > 5 * gap {
            let place = Area::new(room.x + gap, room.y, room.width - gap, room.height);
            self.shortened(canvas, place, &who, colour);
        }
    }

    /// What there is to say near the lower edge of the picture's room, one above the other: the note, the share that waits, a passing
    /// message.
    pub(crate) fn says(&mut self, canvas: &mut Canvas<'_>, room: Area, scene: &Scene, message: Option<&str>) {
        let note = scene.picture.as_ref().and_then(|_| words(&scene.note)).map(|words| (tone(scene), words));
        let waiting = waiting_words(&scene.floor.sharing);
        let mut lift = self.size.px(22);
        for (tone, words) in [note, waiting].into_iter().flatten() {
            self.pill(canvas, room, lift, &words, tone);
            lift += self.size.px(46);
        }
        if let Some(message) = message {
            self.message(canvas, room, lift, message);
        }
    }

    /// A passing message of a few lines, `lift` above the lower edge.
    fn message(&mut self, canvas: &mut Canvas<'_>, room: Area, lift: i32, message: &str) {
        let (pad, line) = (self.size.px(18), self.size.px(22));
        let widest = self.size.px(MESSAGE_WIDTH).min(room.width - 2 * self.size.px(8)) - 2 * pad;
        let Some(width) = usize::try_from(widest).ok().filter(|width| *width > 0) else { return };
        let lines = self.font.wrapped(message, self.size.text(), width, MESSAGE_LINES);
        let rows = i32::try_from(lines.len()).unwrap_or(1);
        let width = lines.iter().map(|line| self.measure(line)).max().unwrap_or(0) + 2 * pad;
        let (height, radius) = (rows * line + 2 * self.size.px(7), self.size.px(18));
        let mut area = room.centred(width, height);
        area.y = (room.bottom() - lift - height).max(room.y);
        self.lifted_box(canvas, area, radius, LINE);
        for (row, words) in (0..).zip(&lines) {
            let y = area.y + self.size.px(7) + row * line;
            self.centred(canvas, Area { y, height: line, ..area }, words, TEXT);
        }
    }

    /// A box above the picture, with its shadow and its rim.
    fn lifted_box(&self, canvas: &mut Canvas<'_>, area: Area, radius: i32, rim: u32) {
        let thin = self.size.px(1);
        shadow(canvas, area, radius, self.size.px(8));
        rounded(canvas, area.grown(thin), radius + thin, solid(rim));
        rounded(canvas, area, radius, solid(BOX));
    }

    /// Whether there is something to say.
    pub(crate) fn has_words(scene: &Scene) -> bool {
        (scene.picture.is_some() && scene.note != Note::None) || waiting_words(&scene.floor.sharing).is_some()
    }

    /// A box with rounded ends around a dot and one line of text, `lift` above the lower edge, no wider than the room.
    fn pill(&mut self, canvas: &mut Canvas<'_>, room: Area, lift: i32, words: &str, tone: Tone) {
        let (height, pad, diameter) = (self.size.px(36), self.size.px(18), self.size.px(10));
        let before = pad + diameter + self.size.px(10);
        let width = (before + self.measure(words) + pad).min(room.width - 2 * self.size.px(8));
        if width <= before + pad {
            return;
        }
        let mut area = room.centred(width, height);
        area.y = (room.bottom() - lift - height).max(room.y);
        self.lifted_box(canvas, area, height / 2, tone.rim());
        disc(canvas, area.x + pad, area.centred(diameter, diameter).y, diameter, solid(tone.dot()));
        let line = Area::new(area.x + before, area.y, width - before - pad + self.size.px(2), height);
        self.shortened(canvas, line, words, TEXT);
    }

    /// A text cut so that it stays in its area; returns where it ends.
    pub(super) fn shortened(&mut self, canvas: &mut Canvas<'_>, area: Area, text: &str, colour: u32) -> i32 {
        let width = usize::try_from(area.width).unwrap_or(0);
        let fitted = self.font.fitted(text, self.size.text(), width).into_owned();
        self.text(canvas, area, &fitted, colour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Shown;
    use crate::window::chrome::ControlSize;
    use std::sync::Arc;
    use treevnc_protocol::framebuffer::Framebuffer;
    use treevnc_protocol::geometry::Size;

    #[test]
    fn the_title_names_the_session_and_what_is_wrong() {
        let shown = Shown::new();
        assert_eq!(title(&shown.scene()), "waiting for the picture - TreeVNC");
        shown.set_session("Operating systems");
        shown.set_note(Note::Connecting { to: "10.0.0.7".into() });
        assert_eq!(title(&shown.scene()), "Operating systems - connecting - TreeVNC");
        shown.present(Arc::new(Framebuffer::new(Size::new(4, 4).unwrap())));
        shown.set_presenter("kono");
        assert_eq!(title(&shown.scene()), "Operating systems (kono) - TreeVNC");
        shown.set_note(Note::PresenterGone { why: String::new() });
        assert_eq!(title(&shown.scene()), "Operating systems (kono) - presenter gone - TreeVNC");
    }

    #[test]
    fn a_note_stays_in_the_lowest_sixth_whatever_it_says() {
        let room = Area::new(0, 38, 640, 442);
        for reason in ["", &"very long ".repeat(40)] {
            let shown = Shown::new();
            shown.present(Arc::new(Framebuffer::new(Size::new(4, 4).unwrap())));
            shown.end(reason);
            let mut pixels = vec![0x0012_3456; 640 * 480];
            let canvas = &mut Canvas::new(&mut pixels, 640, 480);
            Painter::new(ControlSize::percent(100)).says(canvas, room, &shown.scene(), None);
            let changed = (0..pixels.len()).filter(|&index| pixels[index] != 0x0012_3456).collect::<Vec<_>>();
            assert!(changed.len() > 1000, "nothing to see");
            assert!(changed.iter().all(|index| index / 640 > 480 * 5 / 6));
        }
    }

    #[test]
    fn a_live_picture_has_no_note() {
        let mut pixels = vec![7; 100 * 100];
        let mut painter = Painter::new(ControlSize::percent(100));
        painter.says(&mut Canvas::new(&mut pixels, 100, 100), Area::new(0, 0, 100, 100), &Scene::default(), None);
        assert_eq!(pixels, vec![7; 100 * 100]);
    }
}
