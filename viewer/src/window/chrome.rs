//! Paints the window's own parts onto a canvas: tool bar, menu, notes, messages, and the page before the first picture.
//! Decides nothing: what is open, highlighted or said comes from the state and the scene.

use super::controls::{Bar, Command, ControlSize, Menu};
use super::layout::Area;
use super::state::Look;
use crate::canvas::Canvas;
use crate::picture::{Scene, Sharing};
use crate::text::Font;
use shapes::{Paint, rectangle, rounded, shadow, solid};

mod cards;
mod notes;
mod page;
mod panel;
pub(crate) mod shapes;
mod sharing;

pub(crate) use notes::title;

/// Around the picture.
pub(crate) const BACKGROUND: u32 = 0x0014_171C;
const BAR: u32 = 0x0020_242C;
const BAR_LINE: u32 = 0x0011_1419;
const WELL: u32 = 0x0017_1A20;
const HOVER: u32 = 0x002F_3540;
const CHOSEN: u32 = 0x0036_5C8F;
const TEXT: u32 = 0x00E7_EAF0;
const DIM: u32 = 0x009A_A3B2;
const LINE: u32 = 0x0038_3F4B;
const BOX: u32 = 0x0026_2B34;
const DANGER: u32 = 0x0094_3B3B;
const ACCENT: u32 = 0x006F_A8FF;
/// To go ahead, to wait, and to be seen by everybody.
const GO: u32 = 0x0027_6B4B;
const GO_LIT: u32 = 0x0030_8059;
const AMBER: u32 = 0x00C9_8F2B;
const WAIT: u32 = 0x0079_5A1E;
const WAIT_LIT: u32 = 0x008F_6B26;
const LIVE: u32 = 0x00C8_3434;
const LIVE_LIT: u32 = 0x00DC_4545;

/// Paints the controls; keeps the font and its glyphs.
pub(crate) struct Painter {
    font: Font,
    size: ControlSize,
}

impl Painter {
    /// A painter of controls of that size.
    pub(crate) fn new(size: ControlSize) -> Self {
        Self { font: Font::sans(), size }
    }

    /// The width of a text of the controls.
    pub(crate) fn measure(&self, text: &str) -> i32 {
        i32::try_from(self.font.width(text, self.size.text())).unwrap_or(i32::MAX)
    }

    /// The tool bar.
    pub(crate) fn bar(&mut self, canvas: &mut Canvas<'_>, bar: &Bar, look: &Look, scene: &Scene) {
        let radius = self.size.px(5);
        rectangle(canvas, bar.area, solid(BAR));
        rectangle(canvas, Area { y: bar.area.height - self.size.px(1), height: self.size.px(1), ..bar.area }, solid(BAR_LINE));
        for group in &bar.groups {
            rounded(canvas, *group, radius, solid(WELL));
        }
        for spot in &bar.spots {
            let (fill, text) = button_colours(spot.command, look, scene);
            if let Some(fill) = fill {
                rounded(canvas, spot.area, radius, fill);
            }
            if spot.command == Command::Menu {
                self.menu_sign(canvas, spot.area, text);
            } else {
                self.centred(canvas, spot.area, spot.command.button(), text);
            }
        }
        self.bar_title(canvas, bar.title, scene);
    }

    /// The menu, with a tick before what is chosen and the key behind each row.
    pub(crate) fn menu(&mut self, canvas: &mut Canvas<'_>, menu: &Menu, look: &Look, scene: &Scene) {
        let (radius, left, right) = (self.size.px(8), self.size.px(34), self.size.px(14));
        shadow(canvas, menu.area, radius, self.size.px(10));
        rounded(canvas, menu.area.grown(self.size.px(1)), radius + self.size.px(1), solid(LINE));
        rounded(canvas, menu.area, radius, solid(BOX));
        for y in &menu.lines {
            rectangle(canvas, Area::new(menu.area.x, *y, menu.area.width, self.size.px(1)), solid(LINE));
        }
        for spot in &menu.spots {
            let row = spot.area;
            if look.menu.flatten() == Some(spot.command) {
                rounded(canvas, row, self.size.px(5), solid(if spot.command == Command::Quit { DANGER } else { CHOSEN }));
            }
            if is_chosen(spot.command, look) || is_policy(spot.command, scene) {
                let side = self.size.px(14);
                shapes::tick(canvas, Area::new(row.x, row.y, left, row.height).centred(side, side), solid(ACCENT));
            }
            let words = if is_locked(spot.command, scene) { DIM } else { TEXT };
            self.text(canvas, Area { x: row.x + left, ..row }, spot.command.row(), words);
            let key = spot.command.shortcut();
            let behind = row.right() - right - self.measure(key);
            self.text(canvas, Area { x: behind, ..row }, key, DIM);
        }
    }

    /// Three lines.
    fn menu_sign(&self, canvas: &mut Canvas<'_>, area: Area, colour: u32) {
        let (width, thick, apart) = (self.size.px(15), self.size.px(2).max(1), self.size.px(5));
        let sign = area.centred(width, 2 * apart + thick);
        for line in 0..3 {
            rectangle(canvas, Area::new(sign.x, sign.y + line * apart, width, thick), solid(colour));
        }
    }

    /// A text in the middle of an area.
    fn centred(&mut self, canvas: &mut Canvas<'_>, area: Area, text: &str, colour: u32) {
        let x = area.x + (area.width - self.measure(text)) / 2;
        self.text(canvas, Area { x, ..area }, text, colour);
    }

    /// A text that begins at the area's left and stands in the middle of its height; returns where it ends.
    fn text(&mut self, canvas: &mut Canvas<'_>, area: Area, text: &str, colour: u32) -> i32 {
        self.sized_text(canvas, area, self.size.text(), text, colour)
    }

    fn sized_text(&mut self, canvas: &mut Canvas<'_>, area: Area, size_px: f32, text: &str, colour: u32) -> i32 {
        let baseline = area.y + (area.height + capital_height(size_px)) / 2;
        self.font.draw(canvas, area.x, baseline, size_px, text, colour)
    }
}

/// The height of a capital letter of the font, in pixels.
#[expect(clippy::cast_possible_truncation, reason = "font sizes are small, and float to integer casts saturate")]
fn capital_height(size_px: f32) -> i32 {
    (size_px * 0.729).round() as i32
}

fn is_chosen(command: Command, look: &Look) -> bool {
    match command {
        Command::Fit => look.zoom == super::Zoom::Fit,
        Command::OneToOne => look.zoom == super::Zoom::OneToOne,
        Command::Quality => look.smooth,
        Command::Speed => !look.smooth,
        Command::FullScreen => look.full_screen,
        Command::Menu => look.menu.is_some(),
        _ => false,
    }
}

/// Whether this is the policy that holds.
fn is_policy(command: Command, scene: &Scene) -> bool {
    scene.floor.policy.is_some_and(|policy| command == Command::Policy(policy))
}

/// Whether this is to share where nobody may.
fn is_locked(command: Command, scene: &Scene) -> bool {
    command == Command::Share && scene.floor.sharing == Sharing::Locked
}

/// The fill and the text colour of a button.
fn button_colours(command: Command, look: &Look, scene: &Scene) -> (Option<Paint>, u32) {
    let (hover, pressed) = (look.hover == Some(command), look.pressed == Some(command));
    let chosen = is_chosen(command, look);
    let strong = match command {
        _ if is_locked(command, scene) => return (Some(solid(WELL)), 0x006B_7482),
        Command::StopSharing if scene.floor.sharing == Sharing::Live => Some((LIVE, LIVE_LIT)),
        Command::StopSharing | Command::CancelSharing | Command::Back => Some((WAIT, WAIT_LIT)),
        Command::Share => Some((GO, GO_LIT)),
        _ => None,
    };
    if let Some((rest, lit)) = strong {
        let fill = if pressed { Paint(rest, 150) } else { solid(if hover { lit } else { rest }) };
        return (Some(fill), TEXT);
    }
    let fill = match (chosen, pressed, hover) {
        _ if command == Command::Quit && (hover || pressed) => Some(Paint(DANGER, if pressed { 255 } else { 190 })),
        (true, true, _) => Some(Paint(CHOSEN, 170)),
        (true, ..) => Some(solid(CHOSEN)),
        (_, true, _) => Some(solid(LINE)),
        (.., true) => Some(solid(HOVER)),
        _ => None,
    };
    (fill, if chosen || hover || pressed || command == Command::Menu { TEXT } else { 0x00C3_CAD5 })
}
