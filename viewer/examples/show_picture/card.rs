//! A test card: text in several sizes, colours, fine lines and a number, the same for the same arguments.

use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, ScreenSizeError, Size};
use treevnc_viewer::canvas::Canvas;
use treevnc_viewer::text::Font;

const PAPER: u32 = 0x00F7_F5F0;
const INK: u32 = 0x0022_2A35;
const BARS: [u32; 8] = [0x001B_1F24, 0x00D1_495B, 0x00ED_AE49, 0x0066_A182, 0x002E_6F95, 0x0000_3D5B, 0x0075_4F8E, 0x00FF_FFFF];

/// Card `number` of that size.
pub(crate) fn card(width: u16, height: u16, number: u32) -> Result<Framebuffer, ScreenSizeError> {
    let mut fb = Framebuffer::new(Size::new(width, height)?);
    fb.pixels_mut().fill(PAPER);
    let bar = (width / 8).max(1);
    for (index, colour) in (0..8).zip(BARS.iter().cycle().skip(number as usize % BARS.len())) {
        fb.fill(Rect::new(bar.saturating_mul(index), height.saturating_sub(height / 8), bar, height / 8), *colour);
    }
    stripes(&mut fb, width, height);
    words(&mut fb, number);
    frame(&mut fb, width, height);
    Ok(fb)
}

/// Lines of one, two and three pixels: the first thing to go wrong when a picture is scaled.
fn stripes(fb: &mut Framebuffer, width: u16, height: u16) {
    let (left, top, side) = (width - width / 4, height / 8, (height / 8).min(width / 16));
    for (step, period) in (0..).zip([2, 4, 6]) {
        for line in (0..side).step_by(period) {
            let thick = u16::try_from(period / 2).unwrap_or(1);
            fb.fill(Rect::new(left + line, top + step * (side + 8), thick, side), INK);
            fb.fill(Rect::new(left + side + 8, top + step * (side + 8) + line, side, thick), INK);
        }
    }
}

fn words(fb: &mut Framebuffer, number: u32) {
    let (width, height) = (usize::from(fb.size().width()), usize::from(fb.size().height()));
    let (mut sans, mut mono) = (Font::sans(), Font::mono());
    let mut canvas = Canvas::new(fb.pixels_mut(), width, height);
    let left = i32::try_from(width / 16).unwrap_or(0);
    let unit = f32::from(u16::try_from(height / 48).unwrap_or(10));
    let mut y = i32::try_from(height / 6).unwrap_or(0);
    let step = i32::try_from(height / 14).unwrap_or(0);
    sans.draw(&mut canvas, left, y, 3.0 * unit, &format!("Card {number}"), INK);
    for line in [
        "One screen, a hundred readers",
        "The picture is encoded once and handed on",
        "Sharp letters at every size: agjpqy 0123456789",
    ] {
        y += step;
        sans.draw(&mut canvas, left, y, 1.6 * unit, line, INK);
    }
    for (line, colour) in [
        ("fn parent(slot: u32) -> Option<u32> {", 0x002E_6F95),
        ("    slot.checked_sub(1).map(|left| left / 2)", 0x0075_4F8E),
        ("}", 0x002E_6F95),
    ] {
        y += step * 3 / 4;
        mono.draw(&mut canvas, left, y, 1.3 * unit, line, colour);
    }
}

/// A rim of one pixel and marks in the corners that show whether every last row is there.
fn frame(fb: &mut Framebuffer, width: u16, height: u16) {
    for rect in [
        Rect::new(0, 0, width, 1),
        Rect::new(0, height - 1, width, 1),
        Rect::new(0, 0, 1, height),
        Rect::new(width - 1, 0, 1, height),
    ] {
        fb.fill(rect, 0x00D1_495B);
    }
    for (x, y) in
        [(0, 0), (width.saturating_sub(9), 0), (0, height.saturating_sub(9)), (width.saturating_sub(9), height.saturating_sub(9))]
    {
        fb.fill(Rect::new(x, y, 9, 9), 0x002E_6F95);
    }
}
