//! What the parts draw on: a rectangle of the screen, in the screen's coordinates, with anti-aliased figures and text.
//! Whatever leaves the rectangle is clipped.

use treevnc_protocol::geometry::Rect;
use treevnc_viewer::canvas::{Canvas, mix};
use treevnc_viewer::text::Font;

/// The two typefaces.
pub(super) struct Fonts {
    sans: Font,
    mono: Font,
}

/// A typeface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Sans,
    Mono,
}

/// A point of the screen, in pixels.
pub(super) type Point = (f32, f32);

/// A clipped piece of the screen.
pub(super) struct Surface<'a> {
    canvas: Canvas<'a>,
    clip: Rect,
    fonts: &'a mut Fonts,
}

impl Fonts {
    pub(super) fn new() -> Self {
        Self { sans: Font::sans(), mono: Font::mono() }
    }
}

impl<'a> Surface<'a> {
    /// Draws on the pixels of `clip`.
    pub(super) fn new(pixels: &'a mut [u32], clip: Rect, fonts: &'a mut Fonts) -> Self {
        Self { canvas: Canvas::new(pixels, clip.width.into(), clip.height.into()), clip, fonts }
    }

    /// A rectangle of one colour.
    pub(super) fn fill(&mut self, rect: Rect, colour: u32) {
        let (x, y) = self.local(rect.x.into(), rect.y.into());
        self.canvas.fill(x, y, rect.width.into(), rect.height.into(), colour);
    }

    /// A rectangle whose colour changes from the top to the bottom.
    pub(super) fn gradient(&mut self, rect: Rect, top: u32, bottom: u32) {
        let last = u32::from(rect.height).saturating_sub(1).max(1);
        for row in 0..rect.height {
            let alpha = u8::try_from(u32::from(row) * 255 / last).unwrap_or(u8::MAX);
            self.fill(Rect::new(rect.x, rect.y.saturating_add(row), rect.width, 1), mix(top, bottom, alpha));
        }
    }

    /// A rectangle with round corners.
    pub(super) fn rounded(&mut self, rect: Rect, radius: f32, colour: u32) {
        let (half_width, half_height) = (f32::from(rect.width) / 2.0, f32::from(rect.height) / 2.0);
        let radius = radius.min(half_width).min(half_height);
        let centre = (f32::from(rect.x) + half_width, f32::from(rect.y) + half_height);
        let reach = (half_width + 1.0, half_height + 1.0);
        self.figure(centre, reach, colour, |(x, y)| {
            let (dx, dy) = ((x - centre.0).abs() - half_width + radius, (y - centre.1).abs() - half_height + radius);
            dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
        });
    }

    /// A filled circle.
    pub(super) fn disc(&mut self, centre: Point, radius: f32, colour: u32) {
        let reach = (radius + 1.0, radius + 1.0);
        self.figure(centre, reach, colour, |(x, y)| (x - centre.0).hypot(y - centre.1) - radius);
    }

    /// A line with round ends.
    pub(super) fn line(&mut self, from: Point, to: Point, width: f32, colour: u32) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let squared = (dx * dx + dy * dy).max(f32::MIN_POSITIVE);
        let reach = (dx.abs() / 2.0 + width, dy.abs() / 2.0 + width);
        self.figure(((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0), (reach.0 + 1.0, reach.1 + 1.0), colour, |(x, y)| {
            let along = (((x - from.0) * dx + (y - from.1) * dy) / squared).clamp(0.0, 1.0);
            (x - from.0 - along * dx).hypot(y - from.1 - along * dy) - width / 2.0
        });
    }

    /// A line of text with its baseline at `y`; answers where the next character would stand.
    pub(super) fn text(&mut self, face: Face, (x, y): Point, size_px: f32, text: &str, colour: u32) -> f32 {
        let (left, baseline) = self.local(whole(x.round()), whole(y.round()));
        let font = match face {
            Face::Sans => &mut self.fonts.sans,
            Face::Mono => &mut self.fonts.mono,
        };
        let beyond = f32::from(self.clip.height) + size_px;
        if y - f32::from(self.clip.y) < -size_px || y - f32::from(self.clip.y) > beyond {
            return x;
        }
        let end = font.draw(&mut self.canvas, left, baseline, size_px, text, colour);
        x + float(end - left)
    }

    /// A line of text around `x`.
    pub(super) fn centred(&mut self, face: Face, (x, y): Point, size_px: f32, text: &str, colour: u32) {
        let width = self.width(face, size_px, text);
        self.text(face, (x - width / 2.0, y), size_px, text, colour);
    }

    /// The width of a line of text.
    pub(super) fn width(&self, face: Face, size_px: f32, text: &str) -> f32 {
        let font = if face == Face::Sans { &self.fonts.sans } else { &self.fonts.mono };
        float(i32::try_from(font.width(text, size_px)).unwrap_or(i32::MAX))
    }

    /// Everything whose distance, negative inside, is below zero; half covered pixels are mixed.
    fn figure(&mut self, centre: Point, reach: Point, colour: u32, distance: impl Fn(Point) -> f32) {
        let (clip, right, bottom) = (self.clip, float_of(self.clip.right()), float_of(self.clip.bottom()));
        let columns = (centre.0 - reach.0).max(clip.x.into()).floor()..(centre.0 + reach.0).min(right).ceil();
        let rows = (centre.1 - reach.1).max(clip.y.into()).floor()..(centre.1 + reach.1).min(bottom).ceil();
        for y in whole(rows.start)..whole(rows.end) {
            for x in whole(columns.start)..whole(columns.end) {
                let alpha = alpha(0.5 - distance((float(x) + 0.5, float(y) + 0.5)));
                if alpha > 0 {
                    let (x, y) = self.local(x, y);
                    self.canvas.blend(x, y, colour, alpha);
                }
            }
        }
    }

    /// A place of the screen on the canvas.
    fn local(&self, x: i32, y: i32) -> (i32, i32) {
        (x.saturating_sub(self.clip.x.into()), y.saturating_sub(self.clip.y.into()))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float to integer casts saturate")]
fn alpha(coverage: f32) -> u8 {
    (coverage * 255.0) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate")]
fn whole(value: f32) -> i32 {
    value as i32
}

#[expect(clippy::cast_precision_loss, reason = "coordinates of a screen are small")]
fn float(value: i32) -> f32 {
    value as f32
}

#[expect(clippy::cast_precision_loss, reason = "coordinates of a screen are small")]
fn float_of(value: u32) -> f32 {
    value as f32
}
