//! The font that the program carries: how wide words are, and their outlines.

use crate::drawing::{Path, Point};
use crate::format::PlotError;
use ttf_parser::{Face, OutlineBuilder};

/// DejaVu Sans: Latin, Greek, Cyrillic and a few symbols; others show as a box in a PNG.
pub(crate) struct Font {
    face: Face<'static>,
}

impl Font {
    pub(crate) fn carried() -> Result<Self, PlotError> {
        let face = Face::parse(include_bytes!("../../fonts/DejaVuSans.ttf"), 0).map_err(PlotError::Font)?;
        Ok(Self { face })
    }

    /// In pixels, at `size` pixels per em.
    pub(crate) fn width(&self, words: &str, size: f64) -> f64 {
        words.chars().map(|of| self.advance(of)).sum::<f64>() * self.scale(size)
    }

    /// `words`, or their longest beginning that fits into `width` with an ellipsis behind it.
    pub(crate) fn fitted(&self, words: &str, size: f64, width: f64) -> String {
        if self.width(words, size) <= width {
            return words.to_owned();
        }
        let mut left = width - self.width("…", size);
        let beginning = words.chars().take_while(|of| {
            left -= self.advance(*of) * self.scale(size);
            left >= 0.0
        });
        let mut beginning = beginning.collect::<String>().trim_end().to_owned();
        beginning.push('…');
        beginning
    }

    /// The outlines of `words` with the pen at the origin.
    pub(crate) fn outlines(&self, words: &str, size: f64) -> Path {
        let mut outlines = Outlines { path: Path::default(), pen: 0.0, scale: self.scale(size), last: Point::default() };
        for of in words.chars() {
            let glyph = self.face.glyph_index(of).unwrap_or_default();
            // A glyph without an outline is a space.
            let _ = self.face.outline_glyph(glyph, &mut outlines);
            outlines.pen += self.advance(of) * outlines.scale;
        }
        outlines.path
    }

    fn advance(&self, of: char) -> f64 {
        let glyph = self.face.glyph_index(of).unwrap_or_default();
        self.face.glyph_hor_advance(glyph).map_or(0.0, f64::from)
    }

    fn scale(&self, size: f64) -> f64 {
        size / f64::from(self.face.units_per_em())
    }
}

/// Takes the font's units, upwards, to pixels, downwards.
struct Outlines {
    path: Path,
    pen: f64,
    scale: f64,
    last: Point,
}

impl Outlines {
    fn point(&self, x: f32, y: f32) -> Point {
        Point { x: self.pen + f64::from(x) * self.scale, y: -f64::from(y) * self.scale }
    }
}

impl OutlineBuilder for Outlines {
    fn move_to(&mut self, x: f32, y: f32) {
        self.last = self.point(x, y);
        self.path.start(self.last);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.last = self.point(x, y);
        self.path.line(self.last);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (control, end) = (self.point(x1, y1), self.point(x, y));
        self.path.bend(control, end);
        self.last = end;
    }

    /// TrueType outlines have none; another font's are drawn by two quadratic ones.
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (first, second, end) = (self.point(x1, y1), self.point(x2, y2), self.point(x, y));
        let middle = |a: Point, b: Point| Point { x: f64::midpoint(a.x, b.x), y: f64::midpoint(a.y, b.y) };
        let between = middle(first, second);
        self.path.bend(first, between);
        self.path.bend(second, end);
        self.last = end;
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_wide_as_the_font_says_and_are_cut_to_fit() {
        let font = Font::carried().unwrap();
        // 1303 of 2048 units per digit.
        assert!((font.width("000", 16.0) - 3.0 * 1303.0 / 128.0).abs() < 1e-9);
        assert_eq!(font.fitted("short", 12.0, 100.0), "short");
        let cut = font.fitted("a name that is longer than its place", 12.0, 80.0);
        assert!(cut.starts_with("a name") && cut.ends_with('…') && font.width(&cut, 12.0) <= 80.0, "{cut}");
        assert_eq!(font.fitted("narrow", 12.0, 0.0), "…");
    }

    #[test]
    fn what_the_font_lacks_has_an_outline_too() {
        let font = Font::carried().unwrap();
        assert!(font.outlines(" ", 12.0).is_empty());
        assert!(!font.outlines("日", 12.0).is_empty() && !font.outlines("A", 12.0).is_empty());
    }
}
