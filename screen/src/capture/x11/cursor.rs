//! The pointer's picture: where it lies on the captured area, and drawing it in. Pure.

use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;

/// A pointer's picture as XFixes has it: `0xAARRGGBB`, colours multiplied by alpha already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sprite {
    pub(super) width: u16,
    pub(super) height: u16,
    /// The pixel that points.
    pub(super) hot: (u16, u16),
    pub(super) pixels: Vec<u32>,
}

impl Sprite {
    /// The top left corner relative to an area's, when the pointer is there.
    fn corner(&self, pointer: (i16, i16), area: Rect) -> (i32, i32) {
        let along = |at: i16, hot: u16, start: u16| i32::from(at) - i32::from(hot) - i32::from(start);
        (along(pointer.0, self.hot.0, area.x), along(pointer.1, self.hot.1, area.y))
    }

    /// What it covers of an area, relative to the area's corner.
    pub(super) fn place(&self, pointer: (i16, i16), area: Rect) -> Option<Rect> {
        let (x, y) = self.corner(pointer, area);
        let along = |start: i32, length: u16, limit: u16| {
            let from = start.clamp(0, limit.into());
            let to = (start + i32::from(length)).clamp(0, limit.into());
            Some((u16::try_from(from).ok()?, u16::try_from(to - from).ok()?))
        };
        let ((x, width), (y, height)) = (along(x, self.width, area.width)?, along(y, self.height, area.height)?);
        let rect = Rect::new(x, y, width, height);
        (!rect.is_empty()).then_some(rect)
    }

    /// Draws it into the picture of an area.
    pub(super) fn draw(&self, pointer: (i16, i16), area: Rect, picture: &mut Framebuffer) {
        let Some(place) = self.place(pointer, area) else { return };
        let (x, y) = self.corner(pointer, area);
        let skip = |inside: u16, start: i32| usize::try_from(i32::from(inside) - start).unwrap_or(0);
        let (columns, rows) = (skip(place.x, x), skip(place.y, y));
        for row in 0..place.height {
            let start = (rows + usize::from(row)) * usize::from(self.width) + columns;
            let source = self.pixels.get(start..).unwrap_or_default();
            for (pixel, &over) in picture.row_mut(place, row).iter_mut().zip(source) {
                *pixel = blend(over, *pixel);
            }
        }
    }
}

/// A premultiplied pixel over an opaque one, each channel rounded to the nearest.
fn blend(over: u32, under: u32) -> u32 {
    let rest = 255 - (over >> 24);
    [16, 8, 0].iter().fold(0, |pixel, &shift| {
        let (over, under) = (over >> shift & 0xff, under >> shift & 0xff);
        pixel | (over + (under * rest + 127) / 255).min(255) << shift
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::geometry::Size;

    const RED: u32 = 0xffff_0000;
    const AREA: Rect = Rect::new(100, 50, 8, 6);

    fn sprite() -> Sprite {
        Sprite { width: 3, height: 2, hot: (1, 1), pixels: vec![RED, 0, 0x8000_0080, RED, RED, 0] }
    }

    #[test]
    fn alpha_is_kept_to() {
        assert_eq!([blend(RED, 0x0012_3456), blend(0, 0x0012_3456)], [0x00ff_0000, 0x0012_3456]);
        assert_eq!(blend(0x8000_0080, 0x00ff_ffff), 0x007f_7fff);
    }

    #[test]
    fn a_pointer_lies_around_its_hot_spot() {
        assert_eq!(sprite().place((104, 53), AREA), Some(Rect::new(3, 2, 3, 2)));
        let mut picture = Framebuffer::new(Size::new(8, 6).unwrap());
        sprite().draw((104, 53), AREA, &mut picture);
        assert_eq!(picture.row(Rect::new(2, 2, 5, 1), 0), [0, 0x00ff_0000, 0, 0x80, 0]);
        assert_eq!(picture.row(Rect::new(2, 3, 5, 1), 0), [0, 0x00ff_0000, 0x00ff_0000, 0, 0]);
    }

    #[test]
    fn a_pointer_at_an_edge_is_cut_and_one_on_another_display_not_drawn() {
        assert_eq!(sprite().place((100, 50), AREA), Some(Rect::new(0, 0, 2, 1)));
        assert_eq!(sprite().place((107, 56), AREA), Some(Rect::new(6, 5, 2, 1)));
        for outside in [(98, 53), (110, 53), (104, 48), (104, 58), (-5, -5)] {
            assert_eq!(sprite().place(outside, AREA), None, "{outside:?}");
        }
        let mut picture = Framebuffer::new(Size::new(8, 6).unwrap());
        sprite().draw((100, 50), AREA, &mut picture);
        assert_eq!(picture.row(Rect::new(0, 0, 3, 1), 0), [0x00ff_0000, 0, 0]);
    }
}
