//! The demo's made-up screen: slides that flip, code that scrolls, somebody typing, moving parts and a clock.
//!
//! A pure function of size, seed and time; no clock, no randomness of its own. Each part knows which rectangles of it are
//! another picture than before; only these are drawn again, each clipped to itself, and reported.

mod backdrop;
mod clock;
mod code;
mod editor;
mod motion;
mod place;
mod slides;
mod surface;
mod terminal;

use std::time::Duration;

use place::Scale;
use surface::{Fonts, Surface};
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};

/// Paints the demo's screen into a framebuffer of its size.
pub(crate) struct Scene {
    size: Size,
    scale: Scale,
    fonts: Fonts,
    parts: Vec<Box<dyn Part + Send>>,
    begun: bool,
    scratch: Vec<u32>,
}

/// One part of the screen. Parts do not overlap.
trait Part {
    /// Where it is; nothing it draws or reports elsewhere counts.
    fn area(&self) -> Rect;

    /// Goes to that time and tells what looks different from the time before; all of [`Part::area`] at first.
    fn advance(&mut self, at: Duration) -> Vec<Rect>;

    /// Draws all of it as of the last [`Part::advance`]; the surface keeps to what is to be repainted.
    fn draw(&self, surface: &mut Surface<'_>);
}

impl Scene {
    /// A scene of that size. The seed varies rhythm and places, not the content.
    pub(crate) fn new(size: Size, seed: u64) -> Self {
        let scale = Scale::new(size);
        let parts: Vec<Box<dyn Part + Send>> = vec![
            Box::new(clock::Clock::new(scale)),
            Box::new(slides::Slides::new(scale)),
            Box::new(terminal::Terminal::new(scale, seed)),
            Box::new(editor::Editor::new(scale, seed)),
            Box::new(motion::Ball::new(scale, seed)),
            Box::new(motion::Tree::new(scale)),
        ];
        Self { size, scale, fonts: Fonts::new(), parts, begun: false, scratch: Vec::new() }
    }

    /// Brings `fb`, which holds what the call before painted, to time `at` (any order), and tells what was repainted; at first
    /// everything. A framebuffer of another size than the scene's is left alone.
    pub(crate) fn paint(&mut self, at: Duration, fb: &mut Framebuffer) -> Vec<Rect> {
        if fb.size() != self.size {
            return Vec::new();
        }
        let screen = self.size.rect();
        let mut damage = Vec::new();
        if !self.begun {
            let scale = self.scale;
            self.repaint(screen, fb, |surface, _| backdrop::draw(surface, scale));
        }
        for index in 0..self.parts.len() {
            let Some(part) = self.parts.get_mut(index) else { continue };
            let (stale, area) = (part.advance(at), part.area());
            for rect in stale.into_iter().filter_map(|rect| rect.intersection(area)?.intersection(screen)) {
                self.repaint(rect, fb, |surface, parts| parts.iter().skip(index).take(1).for_each(|part| part.draw(surface)));
                damage.push(rect);
            }
        }
        if !std::mem::replace(&mut self.begun, true) {
            return vec![screen];
        }
        damage
    }

    /// Draws aside, clipped to `rect`, and copies the result into the picture.
    fn repaint(&mut self, rect: Rect, fb: &mut Framebuffer, draw: impl FnOnce(&mut Surface<'_>, &[Box<dyn Part + Send>])) {
        self.scratch.clear();
        self.scratch.resize(rect.area(), 0);
        draw(&mut Surface::new(&mut self.scratch, rect, &mut self.fonts), &self.parts);
        for (row, pixels) in (0..rect.height).zip(self.scratch.chunks_exact(usize::from(rect.width))) {
            fb.row_mut(rect, row).copy_from_slice(pixels);
        }
    }
}

/// A number that looks random, the same for the same seed and place in the sequence.
fn scattered(seed: u64, index: u64) -> u64 {
    let mut mixed = (seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
#[path = "scene_tests.rs"]
mod tests;
