//! The panel of displays: which of them is to be shared.

use super::shapes::{Paint, rectangle, rounded, shadow, solid};
use super::{ACCENT, BOX, CHOSEN, DIM, HOVER, LINE, Painter, TEXT, WELL};
use crate::canvas::Canvas;
use crate::picture::Offer;
use crate::window::controls::{Command, Panel, Spot, Tile};
use crate::window::layout::Area;
use crate::window::state::Look;

impl Painter {
    /// The panel above a darkened window.
    pub(crate) fn panel(&mut self, canvas: &mut Canvas<'_>, panel: &Panel, offers: &[Offer], look: &Look) {
        rectangle(canvas, look.window, Paint(0, 120));
        let (radius, thin) = (self.size.px(12), self.size.px(1));
        shadow(canvas, panel.area, radius, self.size.px(14));
        rounded(canvas, panel.area.grown(thin), radius + thin, solid(LINE));
        rounded(canvas, panel.area, radius, solid(BOX));
        let heading_size = self.size.text() * 1.3;
        let width = usize::try_from(panel.heading.width).unwrap_or(0);
        let heading = self.font.fitted("Which display do you want to share?", heading_size, width).into_owned();
        self.sized_text(canvas, panel.heading, heading_size, &heading, TEXT);
        for (tile, offer) in panel.tiles.iter().zip(offers) {
            self.tile(canvas, *tile, offer, look);
        }
        for spot in panel.spots.iter().filter(|spot| !matches!(spot.command, Command::Display(_))) {
            self.panel_button(canvas, *spot, look);
        }
    }

    /// One display on the map: its number, its name and its size.
    fn tile(&mut self, canvas: &mut Canvas<'_>, tile: Tile, offer: &Offer, look: &Look) {
        let command = Command::Display(tile.index);
        let lit = look.panel.flatten() == Some(command);
        let (radius, rim) = (self.size.px(5), self.size.px(if lit { 2 } else { 1 }));
        let fill = if look.pressed == Some(command) { LINE } else { 0x0032_4258 };
        rounded(canvas, tile.area, radius, solid(if lit { ACCENT } else { 0x0055_6B8A }));
        rounded(
            canvas,
            tile.area.grown(-rim),
            radius - rim / 2,
            solid(if lit && look.pressed.is_none() { CHOSEN } else { fill }),
        );
        let size = format!("{}×{}", offer.rect.width, offer.rect.height);
        let mut words = offer.name.to_string();
        if offer.primary {
            words += if words.is_empty() { "main" } else { " · main" };
        }
        let lines = [words.as_str(), &size].into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>();
        let (number_height, line_height) = (self.size.px(30), self.size.px(19));
        let inner = tile.area.grown(-self.size.px(5));
        let fitting = usize::try_from((inner.height - number_height) / line_height).unwrap_or(0).min(lines.len());
        let shown = i32::try_from(fitting).unwrap_or(0);
        let block = inner.centred(inner.width, number_height + shown * line_height);
        let number = (tile.index + 1).to_string();
        let number_size = self.size.text() * 1.9;
        let number_width = i32::try_from(self.font.width(&number, number_size)).unwrap_or(0);
        let place = Area { height: number_height, ..block }.centred(number_width, number_height);
        self.sized_text(canvas, place, number_size, &number, TEXT);
        for (index, line) in (0..shown).zip(lines) {
            let row = Area { y: block.y + number_height + index * line_height, height: line_height, ..block };
            let width = usize::try_from(row.width).unwrap_or(0);
            let fitted = self.font.fitted(line, self.size.text(), width).into_owned();
            self.centred(canvas, row, &fitted, 0x00C3_CAD5);
        }
    }

    /// A button with the key that does the same.
    fn panel_button(&mut self, canvas: &mut Canvas<'_>, spot: Spot, look: &Look) {
        let lit = look.panel.flatten() == Some(spot.command);
        let fill = match (look.pressed == Some(spot.command), lit) {
            (true, _) => LINE,
            (_, true) => HOVER,
            _ => WELL,
        };
        rounded(canvas, spot.area, self.size.px(5), solid(fill));
        let (words, key) = (spot.command.button(), spot.command.shortcut());
        let width = self.measure(words) + self.size.px(10) + self.measure(key);
        let mut line = spot.area.centred(width, spot.area.height);
        line.x = self.text(canvas, line, words, TEXT) + self.size.px(10);
        self.text(canvas, line, key, DIM);
    }
}
