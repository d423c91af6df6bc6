//! The cards of those who ask to present, at the root's window.

use super::shapes::{Paint, disc, rounded, shadow, solid};
use super::{AMBER, BOX, DIM, GO, HOVER, LINE, Painter, TEXT};
use crate::canvas::Canvas;
use crate::picture::Request;
use crate::window::controls::{Cards, Command};
use crate::window::state::Look;

impl Painter {
    /// The cards of the first requests, and how many more there are.
    pub(crate) fn cards(&mut self, canvas: &mut Canvas<'_>, cards: &Cards, requests: &[Request], look: &Look) {
        for (card, request) in cards.cards.iter().zip(requests) {
            let (radius, dot, thin) = (self.size.px(8), self.size.px(10), self.size.px(1));
            shadow(canvas, card.area, radius, self.size.px(10));
            rounded(canvas, card.area.grown(thin), radius + thin, solid(AMBER));
            rounded(canvas, card.area, radius, solid(BOX));
            disc(canvas, card.name.x, card.name.centred(dot, dot).y, dot, solid(AMBER));
            let mut line = card.name;
            line.x += dot + self.size.px(8);
            line.width -= dot + self.size.px(8);
            let wish = " wants to share";
            line.width -= self.measure(wish);
            line.x = self.shortened(canvas, line, &request.name, TEXT);
            self.text(canvas, line, wish, TEXT);
            self.shortened(canvas, card.detail, &request.detail, DIM);
            for spot in card.buttons {
                let (lit, down) = (look.hover == Some(spot.command), look.pressed == Some(spot.command));
                let show = matches!(spot.command, Command::Approve(_));
                let fill = match (show, down, lit) {
                    (true, true, _) => Paint(GO, 170),
                    (true, _, true) => solid(super::GO_LIT),
                    (true, ..) => solid(GO),
                    (_, true, _) => solid(LINE),
                    (.., lit) => solid(if lit { HOVER } else { super::WELL }),
                };
                rounded(canvas, spot.area, self.size.px(5), fill);
                self.centred(canvas, spot.area, spot.command.button(), TEXT);
            }
        }
        if let Some((more, area)) = cards.more {
            let words = format!("and {more} more");
            let width = self.measure(&words) + self.size.px(24);
            let pill = area.centred(width, area.height);
            rounded(canvas, pill, pill.height / 2, Paint(BOX, 230));
            self.centred(canvas, pill, &words, DIM);
        }
    }
}
