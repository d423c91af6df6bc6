//! Mends two things in the way plotters draws pixels: lines with sharp corners, which it tears, and the height of words.

use plotters::backend::BitMapBackend;
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};

/// So much of their size plotters writes words higher as pixels than as SVG.
const HIGHER: f64 = 0.11;

/// Pixels of a page.
pub(crate) struct Pixels<'p>(pub(crate) BitMapBackend<'p>);

type Result<'p> = std::result::Result<(), DrawingErrorKind<<BitMapBackend<'p> as DrawingBackend>::ErrorType>>;

impl<'p> DrawingBackend for Pixels<'p> {
    type ErrorType = <BitMapBackend<'p> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.0.get_size()
    }

    fn ensure_prepared(&mut self) -> Result<'p> {
        self.0.ensure_prepared()
    }

    fn present(&mut self) -> Result<'p> {
        self.0.present()
    }

    fn draw_pixel(&mut self, at: BackendCoord, colour: BackendColor) -> Result<'p> {
        self.0.draw_pixel(at, colour)
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Result<'p> {
        self.0.draw_rect(from, to, style, fill)
    }

    /// Piece by piece, with a dot at each corner: of a whole line plotters makes one polygon, with points far off the line.
    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Result<'p> {
        let mut last = None;
        for to in path {
            if let Some(from) = last.replace(to) {
                self.0.draw_line(from, to, style)?;
                self.0.draw_circle(to, style.stroke_width() / 2, style, true)?;
            }
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, words: &str, style: &S, at: BackendCoord) -> Result<'p> {
        let (x, y) = style.transform().transform(0, crate::trace::rounded(style.size() * HIGHER));
        self.0.draw_text(words, style, (at.0 + x, at.1 + y))
    }
}
