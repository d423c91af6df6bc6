//! Presenting from a picture that goes on changing: keeps two pages in turn, so that a frame costs a copy of what it changed.

use super::Shown;
use std::sync::Arc;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;

/// Playback's side of [`Shown`]. [`Stage::present`] must be told everything that changed since the call before.
#[derive(Debug, Default)]
pub struct Stage {
    shown: Shown,
    current: Option<Arc<Framebuffer>>,
    /// The page before the current one, and what it lacks to equal the current one.
    spare: Option<(Arc<Framebuffer>, Vec<Rect>)>,
}

impl Stage {
    /// Presents on `shown`.
    pub fn new(shown: Shown) -> Self {
        Self { shown, current: None, spare: None }
    }

    /// Shows a copy of `picture`, of which the rectangles of `damage` (and possibly more) have changed since the last call.
    pub fn present(&mut self, picture: &Framebuffer, damage: &[Rect]) {
        let page = Arc::new(self.turned_page(picture, damage).unwrap_or_else(|| picture.clone()));
        let before = self.current.replace(Arc::clone(&page));
        self.spare = before.map(|before| (before, damage.to_vec()));
        self.shown.present(page);
    }

    /// The spare page brought up to date, unless the window still looks at it or it has another size.
    fn turned_page(&mut self, picture: &Framebuffer, damage: &[Rect]) -> Option<Framebuffer> {
        let (spare, missed) = self.spare.take().filter(|(spare, _)| spare.size() == picture.size())?;
        let mut page = Arc::into_inner(spare)?;
        let changed = || missed.iter().chain(damage);
        if changed().map(|rect| rect.area()).fold(0, usize::saturating_add) < picture.size().area() {
            changed().for_each(|&rect| page.copy_rect_from(picture, rect));
        } else {
            page.pixels_mut().copy_from_slice(picture.pixels());
        }
        Some(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::geometry::Size;

    #[test]
    fn what_is_shown_equals_the_picture_whoever_holds_old_pages() {
        let shown = Shown::new();
        let mut stage = Stage::new(shown.clone());
        let mut picture = Framebuffer::new(Size::new(40, 30).unwrap());
        let (mut held, mut addresses) = (Vec::new(), std::collections::BTreeSet::new());
        for step in 0..40_u16 {
            let rect = Rect::new(step % 30, step % 20, 1 + step % 5, 1 + step % 3);
            picture.fill(rect, u32::from(step) + 1);
            stage.present(&picture, &[rect]);
            let page = shown.scene().picture.unwrap();
            assert!(*page == picture, "step {step}");
            addresses.insert(page.pixels().as_ptr());
            if step % 10 == 9 {
                held.push((page, picture.clone()));
            }
        }
        held.iter().for_each(|(page, then)| assert!(**page == *then, "a page somebody holds has changed"));
        assert!(addresses.len() <= 2 + 2 * held.len(), "pages are reused: {}", addresses.len());
    }

    #[test]
    fn another_size_and_large_damage_are_copied_whole() {
        let shown = Shown::new();
        let mut stage = Stage::new(shown.clone());
        for side in [10, 20, 20, 20, 5] {
            let mut picture = Framebuffer::new(Size::new(side, side).unwrap());
            picture.pixels_mut().fill(u32::from(side));
            stage.present(&picture, &[picture.size().rect(); 3]);
            assert!(*shown.scene().picture.unwrap() == picture);
        }
    }
}
