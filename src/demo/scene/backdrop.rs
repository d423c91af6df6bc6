//! What never changes: the desk, the panels' frames and titles.

use treevnc_protocol::geometry::Rect;

use super::place::Scale;
use super::surface::{Face, Surface};

const DESK_TOP: u32 = 0x0023_2c3d;
const DESK_BOTTOM: u32 = 0x0031_4258;
const EDGE: u32 = 0x0018_1f2b;

/// A panel's ground, shared with the part that fills it.
pub(super) const DARK: u32 = 0x0016_1b24;
/// The ground of the editor.
pub(super) const LIGHT: u32 = 0x00fb_f9f3;
/// The ground of the bar at the top.
pub(super) const BAR: u32 = 0x0011_1620;

pub(super) fn draw(surface: &mut Surface<'_>, scale: Scale) {
    surface.gradient(scale.screen(), DESK_TOP, DESK_BOTTOM);
    frame(surface, scale, scale.slides(), LIGHT);
    panel(surface, scale, scale.terminal(), "terminal", DARK, 0x009a_a7b8);
    panel(surface, scale, scale.editor(), "notes.rs", LIGHT, 0x006d_6a62);
    panel(surface, scale, scale.ball(), "moving", DARK, 0x009a_a7b8);
    panel(surface, scale, scale.tree(), "the tree at work", DARK, 0x009a_a7b8);
}

fn panel(surface: &mut Surface<'_>, scale: Scale, area: Rect, title: &str, ground: u32, ink: u32) {
    frame(surface, scale, area, ground);
    let (left, top) = (f32::from(area.x), f32::from(area.y));
    let baseline = top + scale.px(27.0);
    for (number, colour) in [(0.0, 0x00e0_6c75), (1.0, 0x00e5_c07b), (2.0, 0x0098_c379)] {
        surface.disc((left + scale.px(22.0 + 20.0 * number), top + scale.px(20.0)), scale.px(6.0), colour);
    }
    surface.text(Face::Sans, (left + scale.px(90.0), baseline), scale.px(17.0), title, ink);
}

fn frame(surface: &mut Surface<'_>, scale: Scale, area: Rect, ground: u32) {
    let edge = Rect::new(area.x.saturating_sub(1), area.y.saturating_sub(1), area.width + 2, area.height + 2);
    surface.rounded(edge, scale.px(11.0), EDGE);
    surface.rounded(area, scale.px(10.0), ground);
}
