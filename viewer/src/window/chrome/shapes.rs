//! Soft-edged shapes on a canvas: rounded boxes, discs and strokes. Clipped like everything on a canvas.

use crate::canvas::Canvas;
use crate::window::layout::Area;

/// A colour as `0x00RRGGBB` with an opacity of 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint(pub(crate) u32, pub(crate) u8);

/// A solid colour.
pub(crate) const fn solid(colour: u32) -> Paint {
    Paint(colour, 255)
}

/// Fills a rectangle.
pub(crate) fn rectangle(canvas: &mut Canvas<'_>, area: Area, paint: Paint) {
    let (width, height) = (side(area.width), side(area.height));
    if paint.1 == 255 {
        canvas.fill(area.x, area.y, width, height, paint.0);
    } else {
        canvas.tint(area.x, area.y, width, height, paint.0, paint.1);
    }
}

/// Fills a box with rounded corners; a radius of half its height makes a pill.
pub(crate) fn rounded(canvas: &mut Canvas<'_>, area: Area, radius: i32, paint: Paint) {
    let radius = radius.clamp(0, area.width.min(area.height) / 2);
    rectangle(canvas, Area::new(area.x, area.y + radius, area.width, area.height - 2 * radius), paint);
    for step in 0..radius {
        for (row, corner) in [(area.y + step, step), (area.bottom() - 1 - step, step)] {
            rectangle(canvas, Area::new(area.x + radius, row, area.width - 2 * radius, 1), paint);
            for column in 0..radius {
                let alpha = covered(radius, column, corner, paint.1);
                canvas.blend(area.x + column, row, paint.0, alpha);
                canvas.blend(area.right() - 1 - column, row, paint.0, alpha);
            }
        }
    }
}

/// Darkens the surroundings of a box, less and less outwards.
pub(crate) fn shadow(canvas: &mut Canvas<'_>, area: Area, radius: i32, reach: i32) {
    for step in (1..=reach).rev() {
        let lowered = Area { y: area.y + reach / 3, ..area };
        rounded(canvas, lowered.grown(step), radius + step, Paint(0, 9));
    }
}

/// A filled disc of that diameter.
pub(crate) fn disc(canvas: &mut Canvas<'_>, x: i32, y: i32, diameter: i32, paint: Paint) {
    rounded(canvas, Area::new(x, y, diameter, diameter), diameter / 2, paint);
}

/// A tick inside a square box.
pub(crate) fn tick(canvas: &mut Canvas<'_>, area: Area, paint: Paint) {
    let at = |x: i32, y: i32| (area.x + area.width * x / 100, area.y + area.height * y / 100);
    let thickness = (area.width / 7).max(2);
    stroke(canvas, at(18, 52), at(40, 74), thickness, paint);
    stroke(canvas, at(40, 74), at(82, 26), thickness, paint);
}

/// A line as a row of overlapping dots with soft edges.
fn stroke(canvas: &mut Canvas<'_>, from: (i32, i32), to: (i32, i32), thickness: i32, paint: Paint) {
    let (across, down) = (to.0 - from.0, to.1 - from.1);
    let steps = across.abs().max(down.abs()).max(1);
    for step in 0..=steps {
        let (x, y) = (from.0 + across * step / steps, from.1 + down * step / steps);
        disc(canvas, x - thickness / 2, y - thickness / 2, thickness, paint);
    }
}

/// How much of a corner's pixel is inside the circle, times the opacity.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "between 0 and 255, and small integers")]
fn covered(radius: i32, column: i32, row: i32, alpha: u8) -> u8 {
    let away = |at: i32| radius as f32 - at as f32 - 0.5;
    let distance = away(column).hypot(away(row));
    ((radius as f32 - distance + 0.5).clamp(0.0, 1.0) * f32::from(alpha)).round() as u8
}

fn side(length: i32) -> usize {
    usize::try_from(length).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_box_is_full_inside_empty_at_the_corner_and_symmetric() {
        let mut pixels = vec![0; 40 * 30];
        rounded(&mut Canvas::new(&mut pixels, 40, 30), Area::new(5, 5, 30, 20), 8, solid(0x00FF_FFFF));
        let at = |x: usize, y: usize| pixels[y * 40 + x];
        assert_eq!((at(20, 15), at(5, 15), at(20, 5)), (0x00FF_FFFF, 0x00FF_FFFF, 0x00FF_FFFF));
        assert_eq!((at(5, 5), at(4, 15), at(20, 25)), (0, 0, 0));
        for y in 0..30 {
            for x in 0..40 {
                assert_eq!(at(x, y), at(39 - x, y), "left and right");
                assert_eq!(at(x, y), at(x, 29 - y), "top and bottom");
            }
        }
        let soft = pixels.iter().filter(|&&pixel| pixel != 0 && pixel != 0x00FF_FFFF).count();
        assert!(soft > 8, "the edge is soft: {soft}");
    }

    #[test]
    fn shapes_outside_the_canvas_are_harmless() {
        let mut pixels = vec![0; 16];
        let mut canvas = Canvas::new(&mut pixels, 4, 4);
        rounded(&mut canvas, Area::new(-50, -50, 10, 10), 99, solid(1));
        rounded(&mut canvas, Area::new(0, 0, 0, 0), 3, solid(1));
        tick(&mut canvas, Area::new(100, 100, 14, 14), solid(1));
        disc(&mut canvas, 3, 3, 0, solid(1));
        assert_eq!(pixels, [0; 16]);
    }
}
