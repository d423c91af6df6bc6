//! A borrowed grid of pixels to draw on. Owns no memory; whatever falls outside is clipped, nothing here can fail.

/// Pixels as `0x00RRGGBB`, rows from the top, in somebody's buffer.
pub struct Canvas<'a> {
    pixels: &'a mut [u32],
    width: usize,
    height: usize,
}

impl<'a> Canvas<'a> {
    /// Draws on `pixels` in rows of `width`. Rows that the slice does not hold completely are not part of the canvas.
    pub fn new(pixels: &'a mut [u32], width: usize, height: usize) -> Self {
        let height = pixels.len().checked_div(width).unwrap_or(0).min(height);
        Self { pixels, width, height }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row by row.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels[..self.width * self.height]
    }

    /// The pixels of row `y` from column `x` on, at most `width` of them, and the number of columns clipped on the left;
    /// empty outside.
    pub fn span_mut(&mut self, x: i32, y: i32, width: usize) -> (usize, &mut [u32]) {
        let (Ok(y), Ok(start)) = (usize::try_from(y), usize::try_from(x.max(0))) else { return (0, &mut []) };
        let clipped = usize::try_from(x.min(0).unsigned_abs()).unwrap_or(usize::MAX);
        let end = start.saturating_add(width.saturating_sub(clipped)).min(self.width);
        if y >= self.height || start >= end {
            return (0, &mut []);
        }
        (clipped, &mut self.pixels[y * self.width + start..y * self.width + end])
    }

    /// Paints a rectangle with one colour.
    pub fn fill(&mut self, x: i32, y: i32, width: usize, height: usize, colour: u32) {
        self.rows(y, height).for_each(|y| self.span_mut(x, y, width).1.fill(colour));
    }

    /// Mixes a colour into a rectangle; `alpha` 255 is [`Canvas::fill`].
    pub fn tint(&mut self, x: i32, y: i32, width: usize, height: usize, colour: u32, alpha: u8) {
        for y in self.rows(y, height) {
            self.span_mut(x, y, width).1.iter_mut().for_each(|pixel| *pixel = mix(*pixel, colour, alpha));
        }
    }

    /// Mixes a colour into one pixel.
    pub fn blend(&mut self, x: i32, y: i32, colour: u32, alpha: u8) {
        if let (_, [pixel]) = self.span_mut(x, y, 1) {
            *pixel = mix(*pixel, colour, alpha);
        }
    }

    /// The rows of a rectangle that are on the canvas.
    fn rows(&self, y: i32, height: usize) -> std::ops::Range<i32> {
        let end = y.saturating_add(i32::try_from(height).unwrap_or(i32::MAX));
        y.max(0)..end.min(i32::try_from(self.height).unwrap_or(i32::MAX))
    }
}

/// `over` on top of `under`, weighted by `alpha` of 255, rounded to the nearest.
pub fn mix(under: u32, over: u32, alpha: u8) -> u32 {
    let alpha = u32::from(alpha);
    let channel = |shift: u32| {
        let (under, over) = (under >> shift & 0xFF, over >> shift & 0xFF);
        ((under * (255 - alpha) + over * alpha + 127) / 255) << shift
    };
    channel(16) | channel(8) | channel(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_is_exact_at_both_ends_and_in_the_middle() {
        assert_eq!(mix(0x0012_3456, 0x00AB_CDEF, 0), 0x0012_3456);
        assert_eq!(mix(0x0012_3456, 0x00AB_CDEF, 255), 0x00AB_CDEF);
        assert_eq!(mix(0x0000_0000, 0x00FF_FF00, 128), 0x0080_8000);
    }

    #[test]
    fn whatever_leaves_the_canvas_is_clipped() {
        let mut pixels = [0; 12];
        let mut canvas = Canvas::new(&mut pixels, 4, 3);
        canvas.fill(-2, -1, 3, 2, 7);
        canvas.fill(3, 2, 100, 100, 8);
        canvas.tint(2, 0, usize::MAX, 1, 9, 255);
        canvas.blend(4, 0, 1, 255);
        canvas.blend(0, -1, 1, 255);
        canvas.fill(i32::MIN, i32::MIN, usize::MAX, 10, 5);
        canvas.fill(i32::MAX, i32::MAX, usize::MAX, usize::MAX, 5);
        assert_eq!(pixels, [7, 0, 9, 9, 0, 0, 0, 0, 0, 0, 0, 8]);
    }

    #[test]
    fn a_buffer_that_is_too_short_makes_a_lower_canvas() {
        let mut pixels = [0; 7];
        assert_eq!(Canvas::new(&mut pixels, 3, 5).height(), 2);
        assert_eq!(Canvas::new(&mut pixels, 0, 5).height(), 0);
    }
}
