//! The page before the first picture: which step the node is at, so that the window is never just black.

use super::shapes::{Paint, disc, rounded, solid, tick};
use super::{ACCENT, BACKGROUND, BOX, DIM, LINE, Painter, TEXT};
use crate::canvas::Canvas;
use crate::picture::{Note, Scene};
use crate::window::layout::Area;

/// A step on the way to the picture, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    words: String,
    stands: Stands,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Done,
    Now,
    Failed,
    Later,
}

/// The steps of a scene without a picture.
fn steps(scene: &Scene) -> [Step; 3] {
    let (at, failed) = match &scene.note {
        Note::Searching => (0, false),
        Note::Connecting { .. } | Note::Refused { .. } => (1, false),
        Note::ConnectionLost { .. } | Note::Ended { .. } => (1, true),
        Note::None | Note::Waiting => (2, false),
        Note::PresenterGone { .. } => (2, true),
    };
    let stands = |step: usize| match step.cmp(&at) {
        std::cmp::Ordering::Less => Stands::Done,
        std::cmp::Ordering::Equal if failed => Stands::Failed,
        std::cmp::Ordering::Equal => Stands::Now,
        std::cmp::Ordering::Greater => Stands::Later,
    };
    let find = if at > 0 { "Session found" } else { "Looking for a session on this network…" };
    let connect = match &scene.note {
        Note::Connecting { to } => format!("Connecting to {to}…"),
        Note::Refused { reason } => format!("Not yet: {reason}"),
        Note::ConnectionLost { retry } => format!("Connection lost. {retry}"),
        Note::Ended { reason } => format!("The session has ended. {reason}"),
        _ if at > 1 => "Connected".into(),
        _ => "Connect".into(),
    };
    let picture = match &scene.note {
        Note::PresenterGone { .. } => "The presenter is gone; waiting until it is back…",
        _ if at == 2 => "Waiting for the first picture…",
        _ => "First picture",
    };
    let step = |index, words: String| Step { words, stands: stands(index) };
    [step(0, find.into()), step(1, connect), step(2, picture.into())]
}

impl Painter {
    /// Fills the room with the page.
    pub(crate) fn page(&mut self, canvas: &mut Canvas<'_>, room: Area, scene: &Scene) {
        super::rectangle(canvas, room, solid(BACKGROUND));
        let pad = self.size.px(30);
        let card = room.centred(self.size.px(560).min(room.width - 2 * self.size.px(10)), self.size.px(206));
        if card.width < 3 * pad {
            return;
        }
        rounded(canvas, card.grown(self.size.px(1)), self.size.px(13), solid(LINE));
        rounded(canvas, card, self.size.px(12), solid(BOX));
        let inside = Area::new(card.x + pad, card.y + self.size.px(26), card.width - 2 * pad, self.size.px(30));
        let heading = if scene.session.is_empty() { "TreeVNC" } else { &scene.session };
        let heading_size = self.size.text() * 1.55;
        let fitted = self.font.fitted(heading, heading_size, usize::try_from(inside.width).unwrap_or(0)).into_owned();
        self.sized_text(canvas, inside, heading_size, &fitted, TEXT);
        for (index, step) in (0..).zip(steps(scene)) {
            let row = Area { y: inside.bottom() + self.size.px(18) + index * self.size.px(38), ..inside };
            self.step(canvas, row, &step);
        }
    }

    fn step(&mut self, canvas: &mut Canvas<'_>, row: Area, step: &Step) {
        let side = self.size.px(18);
        let sign = Area::new(row.x, row.centred(side, side).y, side, side);
        let inner = sign.grown(-self.size.px(5));
        let colour = match step.stands {
            Stands::Done => {
                disc(canvas, sign.x, sign.y, side, solid(0x0026_5A40));
                tick(canvas, sign.grown(-self.size.px(2)), solid(0x0079_E2A4));
                DIM
            }
            Stands::Now => {
                disc(canvas, sign.x, sign.y, side, Paint(ACCENT, 70));
                disc(canvas, inner.x, inner.y, inner.width, solid(ACCENT));
                TEXT
            }
            Stands::Failed => {
                disc(canvas, sign.x, sign.y, side, Paint(0x00EF_6A5B, 70));
                disc(canvas, inner.x, inner.y, inner.width, solid(0x00EF_6A5B));
                TEXT
            }
            Stands::Later => {
                disc(canvas, sign.x, sign.y, side, solid(LINE));
                disc(canvas, sign.x + self.size.px(2), sign.y + self.size.px(2), side - 2 * self.size.px(2), solid(BOX));
                0x006B_7482
            }
        };
        let indent = side + self.size.px(14);
        let width = usize::try_from(row.width - indent).unwrap_or(0);
        let words = self.font.fitted(&step.words, self.size.text(), width).into_owned();
        self.text(canvas, Area { x: row.x + indent, ..row }, &words, colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::controls::ControlSize;

    fn scene(note: Note) -> Scene {
        Scene { note, ..Scene::default() }
    }

    #[test]
    fn the_page_names_the_step_and_what_lies_before_and_behind() {
        let stands = |note| steps(&scene(note)).map(|step| step.stands);
        assert_eq!(stands(Note::Searching), [Stands::Now, Stands::Later, Stands::Later]);
        assert_eq!(stands(Note::Connecting { to: "x".into() }), [Stands::Done, Stands::Now, Stands::Later]);
        assert_eq!(stands(Note::Waiting), [Stands::Done, Stands::Done, Stands::Now]);
        assert_eq!(stands(Note::None), stands(Note::Waiting));
        assert_eq!(stands(Note::PresenterGone { why: String::new() })[2], Stands::Failed);
        let lost = steps(&scene(Note::ConnectionLost { retry: "Trying again in 5 s.".into() }));
        assert_eq!((lost[1].stands, lost[1].words.as_str()), (Stands::Failed, "Connection lost. Trying again in 5 s."));
    }

    #[test]
    fn every_step_is_a_different_page_and_tiny_rooms_are_harmless() {
        let mut painter = Painter::new(ControlSize::percent(100));
        let mut pages = std::collections::BTreeSet::new();
        for note in
            [Note::Searching, Note::Connecting { to: "a".into() }, Note::Waiting, Note::PresenterGone { why: String::new() }]
        {
            let mut pixels = vec![0; 640 * 400];
            painter.page(&mut Canvas::new(&mut pixels, 640, 400), Area::new(0, 0, 640, 400), &scene(note.clone()));
            assert!(pages.insert(pixels));
            painter.page(&mut Canvas::new(&mut [0; 100], 10, 10), Area::new(0, 0, 10, 10), &scene(note));
        }
    }
}
