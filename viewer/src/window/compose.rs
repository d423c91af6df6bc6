//! Puts the window's pixels together and remembers what they show, so that nothing is drawn or scaled twice.
//! Two layers: the ground (tool bar strip, picture) and, only while something covers it, a copy with what lies above.

use super::chrome::{self, Painter, shapes};
use super::layout::{Area, Placement};
use super::scale::{Scaler, Target};
use super::state::{Look, State};
use crate::canvas::Canvas;
use crate::picture::{Note, Scene};
use std::sync::Arc;
use treevnc_protocol::framebuffer::Framebuffer;

/// The window's pixels.
pub(crate) struct Composer {
    painter: Painter,
    scaler: Scaler,
    ground: Vec<u32>,
    covered: Vec<u32>,
    drawn: Option<Drawn>,
    is_covered: bool,
    /// How often the picture has been drawn, for tests and measurements.
    pictures_drawn: u64,
}

/// What the ground shows.
#[derive(PartialEq)]
struct Drawn {
    look: Look,
    names: (Arc<str>, Arc<str>, Note),
    picture: Option<Arc<Framebuffer>>,
}

impl Drawn {
    fn shows_picture(&self, scene: &Scene) -> bool {
        match (&self.picture, &scene.picture) {
            (Some(drawn), Some(now)) => Arc::ptr_eq(drawn, now),
            (None, None) => self.names.0 == scene.session && self.names.2 == scene.note,
            _ => false,
        }
    }

    fn shows_words(&self, scene: &Scene) -> bool {
        (&self.names.0, &self.names.1, &self.names.2) == (&scene.session, &scene.presenter, &scene.note)
    }

    /// Whether the picture is in the same place of an equal window.
    fn has_place(&self, look: &Look) -> bool {
        let place = |look: &Look| (look.window, look.room, look.placement, look.smooth);
        place(&self.look) == place(look)
    }
}

impl Composer {
    /// Nothing drawn yet.
    pub(crate) fn new(painter: Painter) -> Self {
        Self {
            painter,
            scaler: Scaler::default(),
            ground: Vec::new(),
            covered: Vec::new(),
            drawn: None,
            is_covered: false,
            pictures_drawn: 0,
        }
    }

    /// The width of a text of the controls.
    pub(crate) fn measure(&self, text: &str) -> i32 {
        self.painter.measure(text)
    }

    /// Brings the pixels up to date; whether any may have changed.
    pub(crate) fn draw(&mut self, scene: &Scene, state: &State) -> bool {
        let look = state.look();
        let before = self.drawn.take();
        let same_place = before.as_ref().is_some_and(|drawn| drawn.has_place(&look));
        let same_picture = same_place && before.as_ref().is_some_and(|drawn| drawn.shows_picture(scene));
        let same_all = same_picture && before.as_ref().is_some_and(|drawn| drawn.look == look && drawn.shows_words(scene));
        if !same_all {
            if !same_picture {
                self.draw_picture(scene, &look, same_place);
            }
            self.draw_controls(scene, state, &look);
        }
        let names = (Arc::clone(&scene.session), Arc::clone(&scene.presenter), scene.note.clone());
        self.drawn = Some(Drawn { look, names, picture: scene.picture.clone() });
        !same_all
    }

    /// The pixels to show, row by row, of the size last drawn.
    pub(crate) fn pixels(&self) -> &[u32] {
        if self.is_covered { &self.covered } else { &self.ground }
    }

    fn draw_picture(&mut self, scene: &Scene, look: &Look, same_place: bool) {
        self.pictures_drawn += 1;
        let (width, height) = sides(look.window);
        self.ground.resize(width * height, chrome::BACKGROUND);
        match (&scene.picture, look.placement) {
            (Some(picture), Some(placement)) => {
                if !same_place {
                    surround(&mut Canvas::new(&mut self.ground, width, height), look.room, placement);
                }
                let mut target = Target { pixels: &mut self.ground, width };
                self.scaler.draw(picture, &mut target, placement, look.smooth);
            }
            _ => self.painter.page(&mut Canvas::new(&mut self.ground, width, height), look.room, scene),
        }
    }

    fn draw_controls(&mut self, scene: &Scene, state: &State, look: &Look) {
        let (width, height) = sides(look.window);
        if !look.full_screen {
            self.painter.bar(&mut Canvas::new(&mut self.ground, width, height), state.bar(), look, scene);
        }
        let noted = scene.picture.is_some() && scene.note != Note::None;
        let bar_above = look.full_screen && look.bar;
        self.is_covered = noted || bar_above || look.menu.is_some() || look.message.is_some();
        if !self.is_covered {
            return;
        }
        self.covered.clone_from(&self.ground);
        let canvas = &mut Canvas::new(&mut self.covered, width, height);
        if noted {
            self.painter.note(canvas, look.room, scene);
        }
        if let Some(message) = &look.message {
            self.painter.message(canvas, look.room, message);
        }
        if bar_above {
            shapes::shadow(canvas, state.bar().area, 0, 6);
            self.painter.bar(canvas, state.bar(), look, scene);
        }
        if look.menu.is_some() {
            self.painter.menu(canvas, state.menu(), look);
        }
    }
}

/// Paints what the picture leaves free of its room.
fn surround(canvas: &mut Canvas<'_>, room: Area, placement: Placement) {
    let inner = placement.target;
    let paint = shapes::solid(chrome::BACKGROUND);
    shapes::rectangle(canvas, Area::new(room.x, room.y, room.width, inner.y - room.y), paint);
    shapes::rectangle(canvas, Area::new(room.x, inner.bottom(), room.width, room.bottom() - inner.bottom()), paint);
    shapes::rectangle(canvas, Area::new(room.x, inner.y, inner.x - room.x, inner.height), paint);
    shapes::rectangle(canvas, Area::new(inner.right(), inner.y, room.right() - inner.right(), inner.height), paint);
}

fn sides(window: Area) -> (usize, usize) {
    (usize::try_from(window.width).unwrap_or(0), usize::try_from(window.height).unwrap_or(0))
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
