//! Text on a canvas, from the two fonts the program carries (`fonts/`): no font of the machine is looked for.
//! One line at a time, left to right; characters the fonts lack (they hold Latin, Greek and Cyrillic) show as a box.

use crate::canvas::Canvas;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Sizes outside this range are drawn at its nearest end, in pixels per em.
const SIZE_RANGE_PX: (f32, f32) = (4.0, 512.0);
/// Glyphs kept per font; beyond it the cache starts anew.
const MAX_CACHED_GLYPHS: usize = 2048;

static SANS: OnceLock<Option<Arc<fontdue::Font>>> = OnceLock::new();
static MONO: OnceLock<Option<Arc<fontdue::Font>>> = OnceLock::new();

/// One of the program's fonts and the glyphs it has drawn so far.
pub struct Font {
    outlines: Option<Arc<fontdue::Font>>,
    glyphs: BTreeMap<(u16, u32), Glyph>,
}

/// The height of a line, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineHeight {
    /// From the baseline up to the highest point.
    pub ascent: f32,
    /// From the baseline down to the lowest point; positive.
    pub descent: f32,
}

/// A glyph of one size: coverage per pixel, and where its top left corner lies from the pen.
struct Glyph {
    left: i32,
    top: i32,
    width: usize,
    coverage: Vec<u8>,
}

impl Font {
    /// DejaVu Sans.
    pub fn sans() -> Self {
        Self::carried(&SANS, include_bytes!("../../fonts/DejaVuSans.ttf"))
    }

    /// DejaVu Sans Mono.
    pub fn mono() -> Self {
        Self::carried(&MONO, include_bytes!("../../fonts/DejaVuSansMono.ttf"))
    }

    fn carried(parsed: &'static OnceLock<Option<Arc<fontdue::Font>>>, file: &'static [u8]) -> Self {
        let parse = || fontdue::Font::from_bytes(file, fontdue::FontSettings::default()).ok().map(Arc::new);
        Self { outlines: parsed.get_or_init(parse).clone(), glyphs: BTreeMap::new() }
    }

    /// The width of `text` at `size_px` per em, in pixels, rounded up.
    pub fn width(&self, text: &str, size_px: f32) -> usize {
        let mut end = 0.0;
        self.pens(text, size_px, |_, _, after| end = after);
        usize::try_from(whole(end.ceil())).unwrap_or(0)
    }

    /// How far lines of `size_px` per em reach above and below their baseline.
    pub fn line_height(&self, size_px: f32) -> LineHeight {
        let size_px = within(size_px);
        let metrics = self.outlines.as_ref().and_then(|font| font.horizontal_line_metrics(size_px));
        metrics.map_or(LineHeight { ascent: size_px, descent: 0.0 }, |line| LineHeight {
            ascent: line.ascent,
            descent: -line.descent,
        })
    }

    /// `text`, or its longest beginning that fits into `width_px` with an ellipsis behind it.
    pub fn fitted<'t>(&self, text: &'t str, size_px: f32, width_px: usize) -> Cow<'t, str> {
        if self.width(text, size_px) <= width_px {
            return Cow::Borrowed(text);
        }
        let cuts = text.char_indices().map(|(index, _)| index).collect::<Vec<_>>();
        let shortened = |cut: &usize| format!("{}…", text[..*cut].trim_end());
        let fitting = cuts.partition_point(|cut| self.width(&shortened(cut), size_px) <= width_px);
        Cow::Owned(fitting.checked_sub(1).map(|last| shortened(&cuts[last])).unwrap_or_default())
    }

    /// `text` broken between words into at most `lines` lines of that width; the last one is cut if that is not enough.
    pub fn wrapped(&self, text: &str, size_px: f32, width_px: usize, lines: usize) -> Vec<String> {
        let (mut done, mut line) = (Vec::new(), String::new());
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if line.is_empty() || done.len() + 1 >= lines || self.width(&longer, size_px) <= width_px {
                line = longer;
            } else {
                done.push(std::mem::replace(&mut line, word.to_owned()));
            }
        }
        done.push(line);
        done.iter().map(|line| self.fitted(line, size_px, width_px).into_owned()).collect()
    }

    /// Draws one line of text with its baseline at `y`, starting at column `x`; returns where the next character would stand.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, x: i32, y: i32, size_px: f32, text: &str, colour: u32) -> i32 {
        let mut pens = Vec::new();
        self.pens(text, size_px, |index, pen, after| pens.push((index, pen, after)));
        for &(index, pen, _) in &pens {
            let Some(glyph) = self.glyph(index, within(size_px)) else { continue };
            glyph.draw(canvas, x.saturating_add(whole(pen.round())), y, colour);
        }
        x.saturating_add(pens.last().map_or(0, |&(_, _, after)| whole(after.round())))
    }

    /// Calls `place` with each glyph's index, where its pen stands and where the next one does.
    fn pens(&self, text: &str, size_px: f32, mut place: impl FnMut(u16, f32, f32)) {
        let Some(font) = &self.outlines else { return };
        let size_px = within(size_px);
        let (mut pen, mut before) = (0.0, None);
        for character in text.chars() {
            let index = font.lookup_glyph_index(character);
            let kern = before.and_then(|before| font.horizontal_kern_indexed(before, index, size_px)).unwrap_or(0.0);
            let after = pen + kern + font.metrics_indexed(index, size_px).advance_width;
            place(index, pen + kern, after);
            (pen, before) = (after, Some(index));
        }
    }

    fn glyph(&mut self, index: u16, size_px: f32) -> Option<&Glyph> {
        let font = self.outlines.as_ref()?;
        let key = (index, size_px.to_bits());
        if self.glyphs.len() >= MAX_CACHED_GLYPHS && !self.glyphs.contains_key(&key) {
            self.glyphs.clear();
        }
        Some(self.glyphs.entry(key).or_insert_with(|| {
            let (metrics, coverage) = font.rasterize_indexed(index, size_px);
            let rows = i32::try_from(metrics.height).unwrap_or(0);
            Glyph { left: metrics.xmin, top: -(metrics.ymin + rows), width: metrics.width, coverage }
        }))
    }
}

impl Glyph {
    fn draw(&self, canvas: &mut Canvas<'_>, x: i32, y: i32, colour: u32) {
        if self.width == 0 {
            return;
        }
        let (left, top) = (x.saturating_add(self.left), y.saturating_add(self.top));
        for (row, y) in self.coverage.chunks_exact(self.width).zip(top..i32::MAX) {
            let (clipped, pixels) = canvas.span_mut(left, y, self.width);
            for (pixel, &alpha) in pixels.iter_mut().zip(row.iter().skip(clipped)).filter(|(_, alpha)| **alpha > 0) {
                *pixel = crate::canvas::mix(*pixel, colour, alpha);
            }
        }
    }
}

fn within(size_px: f32) -> f32 {
    if size_px.is_nan() { SIZE_RANGE_PX.0 } else { size_px.clamp(SIZE_RANGE_PX.0, SIZE_RANGE_PX.1) }
}

/// A float without a fraction as an integer; saturates.
#[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate, and the callers have rounded")]
fn whole(value: f32) -> i32 {
    value as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest rectangle around what is not background: left, top, right, bottom.
    fn inked(pixels: &[u32], width: usize) -> Option<(usize, usize, usize, usize)> {
        let at = |index: usize| (index % width, index / width);
        let inked = || (0..pixels.len()).filter(|&index| pixels[index] != 0).map(at);
        let (xs, ys) = (|| inked().map(|(x, _)| x), || inked().map(|(_, y)| y));
        Some((xs().min()?, ys().min()?, xs().max()?, ys().max()?))
    }

    #[test]
    fn both_fonts_draw_letters_that_stand_on_the_baseline() {
        for mut font in [Font::sans(), Font::mono()] {
            let mut pixels = vec![0; 100 * 60];
            let end = font.draw(&mut Canvas::new(&mut pixels, 100, 60), 10, 40, 20.0, "HEH", 0x00FF_FFFF);
            let (left, top, right, bottom) = inked(&pixels, 100).expect("nothing was drawn");
            assert_eq!(bottom, 39, "a capital's foot is the row above the baseline");
            assert!((24..=27).contains(&top) && (10..=14).contains(&left), "{left} {top}");
            assert!(right < usize::try_from(end).unwrap() && usize::try_from(end).unwrap() - 10 <= font.width("HEH", 20.0));
            assert!(pixels.contains(&0x00FF_FFFF), "strokes are solid inside");
        }
    }

    #[test]
    fn every_letter_of_the_monospaced_font_is_equally_wide() {
        let font = Font::mono();
        assert_eq!(font.width("iiiiiiii", 15.0), font.width("WWWWWWWW", 15.0));
        assert_eq!(font.width("", 15.0), 0);
        assert!(Font::sans().width("iiiiiiii", 15.0) < Font::sans().width("WWWWWWWW", 15.0));
    }

    #[test]
    fn text_half_outside_is_the_same_text_cut_off() {
        let mut font = Font::sans();
        let (mut whole, mut part) = (vec![0; 200 * 50], vec![0; 60 * 20]);
        font.draw(&mut Canvas::new(&mut whole, 200, 50), 20, 30, 18.0, "Ångström", 0x00C0_FFEE);
        font.draw(&mut Canvas::new(&mut part, 60, 20), 20 - 25, 30 - 20, 18.0, "Ångström", 0x00C0_FFEE);
        for y in 0..20 {
            assert_eq!(part[y * 60..(y + 1) * 60], whole[(y + 20) * 200 + 25..(y + 20) * 200 + 85], "row {y}");
        }
    }

    #[test]
    fn odd_sizes_places_and_characters_are_harmless() {
        let mut font = Font::sans();
        let mut pixels = vec![0; 30 * 30];
        for size_px in [f32::NAN, f32::INFINITY, -1.0, 0.0, 12.0] {
            for (x, y) in [(i32::MIN, i32::MIN), (i32::MAX, i32::MAX), (0, i32::MIN), (3, 20)] {
                font.draw(&mut Canvas::new(&mut pixels, 30, 30), x, y, size_px, "\0\u{202e}講義 a\n", 1);
            }
        }
        font.draw(&mut Canvas::new(&mut [], 0, 0), 0, 0, 12.0, "a", 1);
    }

    #[test]
    fn a_long_text_is_cut_so_that_it_fits() {
        let font = Font::sans();
        let text = "Connection lost, trying again in 5 s";
        assert_eq!(font.fitted(text, 13.0, 1000), text);
        let cut = font.fitted(text, 13.0, 100);
        assert!(cut.starts_with("Connection") && cut.ends_with('…') && font.width(&cut, 13.0) <= 100, "{cut}");
        assert_eq!(font.fitted(text, 13.0, 0), "");
    }

    #[test]
    fn a_text_is_broken_between_words_and_the_last_line_cut() {
        let font = Font::sans();
        let text = "the quick brown fox jumps over the lazy dog";
        let lines = font.wrapped(text, 13.0, 100, 9);
        assert!(lines.len() > 2 && lines.iter().all(|line| font.width(line, 13.0) <= 100), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        let cut = font.wrapped(text, 13.0, 100, 2);
        assert!(cut.len() == 2 && cut[0] == lines[0] && cut[1].ends_with('…'), "{cut:?}");
        assert_eq!(font.wrapped(text, 13.0, 1000, 9), [text]);
        assert_eq!(font.wrapped("", 13.0, 1000, 9), [""]);
    }

    #[test]
    fn the_cache_stays_bounded() {
        let mut font = Font::mono();
        let mut pixels = vec![0; 64];
        for size_px in 4..60_u16 {
            let text = (' '..='~').collect::<String>();
            font.draw(&mut Canvas::new(&mut pixels, 8, 8), 0, 8, f32::from(size_px), &text, 1);
            assert!(font.glyphs.len() <= MAX_CACHED_GLYPHS);
        }
    }
}
