//! Puts the window's pixels together and remembers what they show, so that nothing is drawn or scaled twice.
//! Two layers: the ground (tool bar strip, picture) and, only while something covers it, a copy with what lies above.

use super::chrome::{self, Painter, shapes};
use super::layout::{Area, Placement};
use super::scale::{Scaler, Target};
use super::state::{Look, State};
use crate::canvas::Canvas;
use crate::picture::{Floor, Note, Scene, Sharing};
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
struct Drawn {
    look: Look,
    names: (Arc<str>, Arc<str>, Note),
    floor: Floor,
    picture: Option<Arc<Framebuffer>>,
}

impl Drawn {
    fn shows_picture(&self, scene: &Scene, look: &Look) -> bool {
        match (&self.picture, &scene.picture) {
            // A mirrored picture is not looked at: drawing it would change the very screen that it shows.
            _ if look.mirrored && self.look.mirrored => self.floor == scene.floor && self.has_page(look),
            (Some(drawn), Some(now)) => Arc::ptr_eq(drawn, now),
            (None, None) => self.names.0 == scene.session && self.names.2 == scene.note,
            _ => false,
        }
    }

    fn shows_words(&self, scene: &Scene) -> bool {
        (&self.names.0, &self.names.1, &self.names.2) == (&scene.session, &scene.presenter, &scene.note)
            && self.floor == scene.floor
    }

    /// Whether a page's buttons look the same.
    fn has_page(&self, look: &Look) -> bool {
        (self.look.hover, self.look.pressed) == (look.hover, look.pressed)
    }

    /// Whether the picture is in the same place of an equal window.
    fn has_place(&self, look: &Look) -> bool {
        let place = |look: &Look| (look.window, look.room, look.placement, look.smooth, look.mirrored);
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
        let same_picture = same_place && before.as_ref().is_some_and(|drawn| drawn.shows_picture(scene, &look));
        let same_all = same_picture && before.as_ref().is_some_and(|drawn| drawn.look == look && drawn.shows_words(scene));
        if !same_all {
            if !same_picture {
                self.draw_picture(scene, state, &look, same_place);
            }
            self.draw_controls(scene, state, &look);
        }
        let names = (Arc::clone(&scene.session), Arc::clone(&scene.presenter), scene.note.clone());
        self.drawn = Some(Drawn { look, names, floor: scene.floor.clone(), picture: scene.picture.clone() });
        !same_all
    }

    /// The pixels to show, row by row, of the size last drawn.
    pub(crate) fn pixels(&self) -> &[u32] {
        if self.is_covered { &self.covered } else { &self.ground }
    }

    fn draw_picture(&mut self, scene: &Scene, state: &State, look: &Look, same_place: bool) {
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
            _ if look.mirrored => {
                let canvas = &mut Canvas::new(&mut self.ground, width, height);
                self.painter.mirror_page(canvas, state.mirror_page(), look, &scene.floor);
            }
            _ => self.painter.page(&mut Canvas::new(&mut self.ground, width, height), look.room, scene),
        }
    }

    fn draw_controls(&mut self, scene: &Scene, state: &State, look: &Look) {
        let (width, height) = sides(look.window);
        if !look.full_screen {
            self.painter.bar(&mut Canvas::new(&mut self.ground, width, height), state.bar(), look, scene);
        }
        let live = scene.floor.sharing == Sharing::Live;
        let bar_above = look.full_screen && look.bar;
        let says = Painter::has_words(scene) || look.message.is_some();
        let asked = !scene.floor.requests.is_empty();
        self.is_covered = live || says || asked || bar_above || look.menu.is_some() || look.panel.is_some();
        if !self.is_covered {
            return;
        }
        self.covered.clone_from(&self.ground);
        let canvas = &mut Canvas::new(&mut self.covered, width, height);
        if live {
            self.painter.live_frame(canvas, look.room);
        }
        self.painter.says(canvas, look.room, scene, look.message.as_deref());
        if bar_above {
            shapes::shadow(canvas, state.bar().area, 0, 6);
            self.painter.bar(canvas, state.bar(), look, scene);
        } else if look.full_screen && live && !look.mirrored {
            self.painter.live_badge(canvas, look.room);
        }
        self.painter.cards(canvas, state.cards(), &scene.floor.requests, look);
        if look.menu.is_some() {
            self.painter.menu(canvas, state.menu(), look, scene);
        }
        if let (Some(panel), Some(_)) = (state.panel(), look.panel) {
            self.painter.panel(canvas, panel, &scene.floor.displays, look);
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
