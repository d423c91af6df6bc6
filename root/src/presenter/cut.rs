//! The part of a presenter's screen that is shown: cut out of the picture as received, with its origin at 0,0. Pure.

use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};

/// A rectangle of a screen. Holds its own copy of the pixels unless it is the whole screen.
#[derive(Debug)]
pub(super) struct Cut {
    rect: Rect,
    size: Size,
    picture: Option<Framebuffer>,
}

impl Cut {
    /// A rectangle within a screen of that size; `None` for an empty one.
    pub(super) fn new(rect: Rect, screen: Size) -> Option<Self> {
        let size = Size::new(rect.width, rect.height).ok()?;
        let picture = (rect != screen.rect()).then(|| Framebuffer::new(size));
        Some(Self { rect, size, picture })
    }

    /// Where it is on the screen.
    pub(super) fn rect(&self) -> Rect {
        self.rect
    }

    /// Its size.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Whether it is all of the screen.
    pub(super) fn is_whole(&self) -> bool {
        self.picture.is_none()
    }

    /// Takes over what changed on the screen; answers with what that changed here.
    pub(super) fn take(&mut self, screen: &Framebuffer, damage: &[Rect]) -> Vec<Rect> {
        let Some(picture) = &mut self.picture else { return damage.to_vec() };
        let parts = damage.iter().filter_map(|rect| rect.intersection(self.rect)).filter(|part| !part.is_empty());
        let moved = parts.map(|part| {
            let (x, y) = (part.x - self.rect.x, part.y - self.rect.y);
            picture.copy_part_from(screen, part, x, y);
            Rect { x, y, ..part }
        });
        moved.collect()
    }

    /// The picture; `screen` is the one last given to [`Cut::take`].
    pub(super) fn picture<'a>(&'a self, screen: &'a Framebuffer) -> &'a Framebuffer {
        self.picture.as_ref().unwrap_or(screen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(width: u16, height: u16) -> Framebuffer {
        let mut fb = Framebuffer::new(Size::new(width, height).unwrap());
        fb.pixels_mut().iter_mut().zip(1..).for_each(|(pixel, n)| *pixel = n);
        fb
    }

    #[test]
    fn a_part_is_cut_out_and_only_its_damage_counts() {
        let screen = numbered(100, 50);
        let mut cut = Cut::new(Rect::new(60, 10, 40, 40), screen.size()).unwrap();
        let damage = [Rect::new(0, 0, 60, 50), Rect::new(50, 0, 20, 15), Rect::new(99, 49, 1, 1)];
        assert_eq!(cut.take(&screen, &damage), [Rect::new(0, 0, 10, 5), Rect::new(39, 39, 1, 1)]);
        assert_eq!(cut.take(&screen, &[screen.size().rect()]), [Rect::new(0, 0, 40, 40)]);
        for (x, y) in [(0, 0), (39, 39), (7, 20)] {
            let pixel = cut.picture(&screen).row(Rect::new(x, y, 1, 1), 0)[0];
            assert_eq!(pixel, screen.row(Rect::new(60 + x, 10 + y, 1, 1), 0)[0]);
        }
    }

    #[test]
    fn the_whole_screen_is_not_copied() {
        let screen = numbered(30, 20);
        let mut cut = Cut::new(screen.size().rect(), screen.size()).unwrap();
        assert!(cut.is_whole() && cut.take(&screen, &[Rect::new(1, 2, 3, 4)]) == [Rect::new(1, 2, 3, 4)]);
        assert!(std::ptr::eq(cut.picture(&screen), &raw const screen));
    }
}
