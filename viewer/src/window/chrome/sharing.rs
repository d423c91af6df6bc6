//! What says that this machine's screen is shared, so that nobody can overlook it: a frame, words in full screen, and the page in place
//! of a picture that would show itself in itself.

use super::notes::Tone;
use super::shapes::{Paint, disc, rectangle, rounded, shadow, solid};
use super::{BACKGROUND, BOX, DIM, HOVER, LINE, LIVE, LIVE_LIT, Painter, TEXT};
use crate::canvas::Canvas;
use crate::picture::{Floor, Sharing};
use crate::window::controls::{Command, MirrorPage};
use crate::window::layout::Area;
use crate::window::state::Look;

/// What is said of a share that waits for something.
pub(super) fn waiting_words(sharing: &Sharing) -> Option<(Tone, String)> {
    Some(match sharing {
        Sharing::Preparing => (Tone::Waiting, "Getting your screen ready to be shared…".into()),
        Sharing::Asking => (Tone::Warning, "The lecturer is asked whether you may share your screen…".into()),
        Sharing::Starting => (Tone::Warning, "Your screen is about to be shown…".into()),
        Sharing::Paused { by } if by.is_empty() => {
            (Tone::Warning, "Your share is paused. Your screen returns afterwards.".into())
        }
        Sharing::Paused { by } => (Tone::Warning, format!("{by} is shown now. Your screen returns afterwards.")),
        Sharing::Unavailable | Sharing::Ready | Sharing::Locked | Sharing::Live => return None,
    })
}

impl Painter {
    /// A frame around the picture's room, of the colour of what is live.
    pub(crate) fn live_frame(&self, canvas: &mut Canvas<'_>, room: Area) {
        let thick = self.size.px(4);
        for edge in [
            Area { height: thick, ..room },
            Area { y: room.bottom() - thick, height: thick, ..room },
            Area { width: thick, ..room },
            Area { x: room.right() - thick, width: thick, ..room },
        ] {
            rectangle(canvas, edge, solid(LIVE));
        }
    }

    /// A badge at the upper edge, for a full screen without its tool bar.
    pub(crate) fn live_badge(&mut self, canvas: &mut Canvas<'_>, room: Area) {
        let words = "You are sharing your screen";
        let (height, pad, dot) = (self.size.px(30), self.size.px(16), self.size.px(10));
        let width = pad + dot + self.size.px(8) + self.measure(words) + pad;
        let badge = Area { y: room.y + self.size.px(4), ..room.centred(width, height) };
        rounded(canvas, badge, self.size.px(6), solid(LIVE));
        disc(canvas, badge.x + pad, badge.centred(dot, dot).y, dot, solid(TEXT));
        self.text(canvas, Area { x: badge.x + pad + dot + self.size.px(8), ..badge }, words, TEXT);
    }

    /// The page in place of a mirrored picture.
    pub(crate) fn mirror_page(&mut self, canvas: &mut Canvas<'_>, page: &MirrorPage, look: &Look, floor: &Floor) {
        rectangle(canvas, look.room, solid(BACKGROUND));
        let (radius, thin, dot) = (self.size.px(12), self.size.px(1), self.size.px(14));
        shadow(canvas, page.area, radius, self.size.px(10));
        rounded(canvas, page.area.grown(thin), radius + thin, solid(LINE));
        rounded(canvas, page.area, radius, solid(BOX));
        let mine = floor.sharing.is_going_on();
        let heading = if mine { "You are sharing your screen" } else { "This screen is being shown" };
        disc(canvas, page.heading.x, page.heading.centred(dot, dot).y, dot, solid(if mine { LIVE_LIT } else { 0x004F_C77E }));
        let beside = dot + self.size.px(12);
        let place = Area { x: page.heading.x + beside, width: page.heading.width - beside, ..page.heading };
        let heading_size = self.size.text() * 1.5;
        let fitted = self.font.fitted(heading, heading_size, usize::try_from(place.width).unwrap_or(0)).into_owned();
        self.sized_text(canvas, place, heading_size, &fitted, TEXT);
        let words = ["Everybody sees what is on it.", "Here it would only show itself within itself."];
        for (line, words) in page.lines.iter().zip(words) {
            self.shortened(canvas, *line, words, DIM);
        }
        for spot in &page.spots {
            let (lit, down) = (look.hover == Some(spot.command), look.pressed == Some(spot.command));
            let fill = match (spot.command == Command::StopSharing, down, lit) {
                (true, true, _) => Paint(LIVE, 170),
                (true, _, true) => solid(LIVE_LIT),
                (true, ..) => solid(LIVE),
                (_, true, _) => solid(LINE),
                (.., lit) => solid(if lit { LINE } else { HOVER }),
            };
            rounded(canvas, spot.area, self.size.px(6), fill);
            self.centred(canvas, spot.area, spot.command.button(), TEXT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::chrome::ControlSize;

    #[test]
    fn the_frame_covers_the_rim_and_nothing_else() {
        let mut pixels = vec![1; 60 * 50];
        let painter = Painter::new(ControlSize::percent(100));
        painter.live_frame(&mut Canvas::new(&mut pixels, 60, 50), Area::new(0, 10, 60, 40));
        let inner = Area::new(0, 10, 60, 40).grown(-4);
        for (index, pixel) in (0..).zip(&pixels) {
            let (x, y) = (index % 60, index / 60);
            assert_eq!(*pixel == LIVE, y >= 10 && !inner.contains((x, y)), "{x},{y}");
        }
    }

    #[test]
    fn what_waits_says_so_and_what_is_live_needs_no_note() {
        assert_eq!(waiting_words(&Sharing::Live), None);
        assert_eq!(waiting_words(&Sharing::Ready), None);
        let (_, words) = waiting_words(&Sharing::Paused { by: "Ada".into() }).unwrap();
        assert!(words.starts_with("Ada is shown"), "{words}");
    }
}
