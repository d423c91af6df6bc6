//! What moves all the time: a ball, and updates that travel down a tree.

use std::time::Duration;

use treevnc_protocol::geometry::Rect;

use super::backdrop::DARK;
use super::place::{Scale, rounded};
use super::surface::{Point, Surface};
use super::{Part, scattered};

/// Nothing moves faster than the clock's hundredths.
const STEP_MS: u128 = 10;
const BALL: u32 = 0x00f2_8f3b;
const BALL_LIGHT: u32 = 0x00ff_cf99;
const FLOOR: u32 = 0x002c_3646;
const EDGE: u32 = 0x0042_5068;
const NODE: u32 = 0x005f_7ea3;
const LIT: u32 = 0x00ff_b454;

/// A bouncing ball.
pub(super) struct Ball {
    area: Rect,
    radius: f32,
    offset_ms: u128,
    centre: Option<Point>,
}

impl Ball {
    pub(super) fn new(scale: Scale, seed: u64) -> Self {
        let area = scale.inside(scale.ball());
        Self { area, radius: scale.px(30.0), offset_ms: u128::from(scattered(seed, 0) % 10_000), centre: None }
    }

    /// A straight way forth and back across, and the parabola of a throw from the floor.
    fn centre(&self, at: Duration) -> Point {
        let time = at.as_millis() / STEP_MS * STEP_MS + self.offset_ms;
        let across = 1.0 - (2.0 * phase(time, 5_200) - 1.0).abs();
        let up = 1.0 - (2.0 * phase(time, 1_100) - 1.0).powi(2);
        let (width, height) = (f32::from(self.area.width), f32::from(self.area.height));
        let room = 2.0 * self.radius + 8.0;
        let x = f32::from(self.area.x) + room / 2.0 + across * (width - room).max(0.0);
        let y = f32::from(self.area.y) + height - room / 2.0 - up * (height - room).max(0.0);
        (x, y)
    }

    fn around(&self, centre: Point) -> Rect {
        let reach = self.radius + 1.0;
        let (left, top) = (rounded((centre.0 - reach).floor()), rounded((centre.1 - reach).floor()));
        let (right, bottom) = (rounded((centre.0 + reach).ceil()), rounded((centre.1 + reach).ceil()));
        Rect::new(left, top, right - left, bottom - top).intersection(self.area).unwrap_or(self.area)
    }
}

impl Part for Ball {
    fn area(&self) -> Rect {
        self.area
    }

    fn advance(&mut self, at: Duration) -> Vec<Rect> {
        let now = self.centre(at);
        match self.centre.replace(now) {
            None => vec![self.area],
            Some(before) if before == now => Vec::new(),
            Some(before) => apart(self.around(before), self.around(now)),
        }
    }

    fn draw(&self, surface: &mut Surface<'_>) {
        surface.fill(self.area, DARK);
        let floor = Rect::new(self.area.x, self.area.y + self.area.height.saturating_sub(2), self.area.width, 2);
        surface.fill(floor.intersection(self.area).unwrap_or(self.area), FLOOR);
        let Some((x, y)) = self.centre else { return };
        surface.disc((x, y), self.radius, BALL);
        surface.disc((x - self.radius * 0.32, y - self.radius * 0.36), self.radius * 0.28, BALL_LIGHT);
    }
}

/// The two rectangles, or one around both where they overlap.
fn apart(one: Rect, other: Rect) -> Vec<Rect> {
    if one.intersection(other).is_none() {
        return vec![one, other];
    }
    let (x, y) = (one.x.min(other.x), one.y.min(other.y));
    let width = one.right().max(other.right()) - u32::from(x);
    let height = one.bottom().max(other.bottom()) - u32::from(y);
    vec![Rect::new(x, y, u16::try_from(width).unwrap_or(u16::MAX), u16::try_from(height).unwrap_or(u16::MAX))]
}

/// Levels of the tree that is drawn, the root among them.
const LEVELS: u16 = 5;
/// Time of an update from one level to the next, and between two updates.
const HOP_MS: u128 = 420;
const UPDATE_EVERY_MS: u128 = 1_260;

/// A tree with updates on their way down.
pub(super) struct Tree {
    area: Rect,
    scale: Scale,
    step: Option<u128>,
}

impl Tree {
    pub(super) fn new(scale: Scale) -> Self {
        Self { area: scale.inside(scale.tree()), scale, step: None }
    }

    /// The place of a node of the tree.
    fn node(&self, slot: u16) -> Point {
        let level = u16::try_from((slot + 1).ilog2()).unwrap_or(0);
        let (first, count) = ((1 << level) - 1, f32::from(1u16 << level));
        let (width, height) = (f32::from(self.area.width), f32::from(self.area.height));
        let x = f32::from(self.area.x) + width * (f32::from(slot - first) + 0.5) / count;
        let y = f32::from(self.area.y) + height * (f32::from(level) + 0.6) / (f32::from(LEVELS) + 0.2);
        (x, y)
    }

    /// How many levels below the root the updates under way are.
    fn depths(&self) -> impl Iterator<Item = f32> + use<> {
        let time = self.step.unwrap_or(0) * STEP_MS;
        let (newest, way) = (time % UPDATE_EVERY_MS, HOP_MS * u128::from(LEVELS));
        (0u128..).map(move |n| newest + n * UPDATE_EVERY_MS).take_while(move |&age| age < way).map(|age| fraction(age, HOP_MS))
    }
}

impl Part for Tree {
    fn area(&self) -> Rect {
        self.area
    }

    fn advance(&mut self, at: Duration) -> Vec<Rect> {
        let now = at.as_millis() / STEP_MS;
        if self.step.replace(now) == Some(now) { Vec::new() } else { vec![self.area] }
    }

    fn draw(&self, surface: &mut Surface<'_>) {
        surface.fill(self.area, DARK);
        let slots = 1..(1u16 << LEVELS) - 1;
        for slot in slots.clone() {
            surface.line(self.node((slot - 1) / 2), self.node(slot), self.scale.px(2.0), EDGE);
        }
        for slot in std::iter::once(0).chain(slots.clone()) {
            surface.disc(self.node(slot), self.scale.px(7.0), NODE);
        }
        for depth in self.depths() {
            for slot in slots.clone().filter(|slot| u32::from(*slot + 1).ilog2() == level_below(depth)) {
                let (from, to, way) = (self.node((slot - 1) / 2), self.node(slot), depth.fract());
                let place = (from.0 + (to.0 - from.0) * way, from.1 + (to.1 - from.1) * way);
                surface.disc(place, self.scale.px(4.5), LIT);
            }
        }
    }
}

/// The level towards which an update at that depth is going.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float to integer casts saturate")]
fn level_below(depth: f32) -> u32 {
    depth as u32 + 1
}

/// Where in its period a time is, from 0 up to 1.
fn phase(time_ms: u128, period_ms: u128) -> f32 {
    fraction(time_ms % period_ms, period_ms)
}

#[expect(clippy::cast_precision_loss, reason = "both are a few seconds in milliseconds")]
fn fraction(part: u128, whole: u128) -> f32 {
    part as f32 / whole as f32
}
