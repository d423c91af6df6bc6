//! The picture's pixels onto the canvas: copied, by nearest neighbour (SPEED) or filtered (QUALITY). Draws nothing else.

use super::layout::{Area, Placement};
use fast_image_resize as fir;
use treevnc_protocol::framebuffer::Framebuffer;

/// Draws placed pictures; keeps the filter's scratch memory.
#[derive(Default)]
pub(crate) struct Scaler {
    resizer: fir::Resizer,
}

/// The pixels that are drawn on: rows of `width`.
pub(crate) struct Target<'a> {
    pub(crate) pixels: &'a mut [u32],
    pub(crate) width: usize,
}

impl Scaler {
    /// Draws the placed part of the picture; a placement that leaves the picture or the target draws nothing.
    pub(crate) fn draw(&mut self, picture: &Framebuffer, target: &mut Target<'_>, placed: Placement, smooth: bool) {
        let Some(spans) = Spans::of(picture, target, placed) else { return };
        if placed.is_copy() {
            spans.copy(picture, target);
        } else if !smooth || self.filter(picture, target, placed).is_none() {
            spans.nearest(picture, target);
        }
    }

    /// Filters into the target; nothing if the library refuses.
    fn filter(&mut self, picture: &Framebuffer, target: &mut Target<'_>, placed: Placement) -> Option<()> {
        let size = picture.size();
        let (from, to) = (placed.source, placed.target);
        let kind = fir::PixelType::U8x4;
        let bytes = bytemuck::cast_slice(picture.pixels());
        let source = fir::images::ImageRef::new(size.width().into(), size.height().into(), bytes, kind).ok()?;
        let (width, rows) = (u32::try_from(target.width).ok()?, target.pixels.len() / target.width);
        let whole = bytemuck::cast_slice_mut(&mut target.pixels[..target.width * rows]);
        let mut whole = fir::images::Image::from_slice_u8(width, u32::try_from(rows).ok()?, whole, kind).ok()?;
        let side = |value: i32| u32::try_from(value).ok();
        let mut part =
            fir::images::CroppedImageMut::new(&mut whole, side(to.x)?, side(to.y)?, side(to.width)?, side(to.height)?).ok()?;
        let options = fir::ResizeOptions::new()
            .resize_alg(fir::ResizeAlg::Convolution(filter_for(from, to)))
            .use_alpha(false)
            .crop(from.x.into(), from.y.into(), from.width.into(), from.height.into());
        self.resizer.resize(&source, &mut part, &options).ok()
    }
}

/// Whole multiples and parts need no more than a mean of whole pixels; other sizes get a kernel that keeps text crisp
/// without the halos of a wider one.
fn filter_for(from: Area, to: Area) -> fir::FilterType {
    let whole = |a: i32, b: i32| a % b == 0 || b % a == 0;
    if whole(from.width, to.width) && whole(from.height, to.height) { fir::FilterType::Box } else { fir::FilterType::CatmullRom }
}

/// A placement as checked indices.
struct Spans {
    source: [usize; 4],
    target: [usize; 4],
}

impl Spans {
    fn of(picture: &Framebuffer, target: &Target<'_>, placed: Placement) -> Option<Self> {
        let rows = target.pixels.len().checked_div(target.width)?;
        let within = |area: Area, width: usize, height: usize| {
            let [x, y, w, h] = [area.x, area.y, area.width, area.height].map(|side| usize::try_from(side).ok());
            let (x, y, w, h) = (x?, y?, w?, h?);
            (w > 0 && h > 0 && x + w <= width && y + h <= height).then_some([x, y, w, h])
        };
        let size = picture.size();
        Some(Self {
            source: within(placed.source, size.width().into(), size.height().into())?,
            target: within(placed.target, target.width, rows)?,
        })
    }

    /// Row `row` of the placed part, counted from its top.
    fn source_row<'p>(&self, picture: &'p Framebuffer, row: usize) -> &'p [u32] {
        let [x, y, width, _] = self.source;
        let start = (y + row) * usize::from(picture.size().width()) + x;
        &picture.pixels()[start..start + width]
    }

    /// Where row `row` of the target begins.
    fn target_start(&self, target: &Target<'_>, row: usize) -> usize {
        (self.target[1] + row) * target.width + self.target[0]
    }

    fn copy(&self, picture: &Framebuffer, target: &mut Target<'_>) {
        let [_, _, width, height] = self.target;
        if width == target.width && self.source[0] == 0 && width == usize::from(picture.size().width()) {
            let start = self.target_start(target, 0);
            let from = self.source[1] * width;
            target.pixels[start..start + width * height].copy_from_slice(&picture.pixels()[from..from + width * height]);
            return;
        }
        for row in 0..height {
            let start = self.target_start(target, row);
            target.pixels[start..start + width].copy_from_slice(self.source_row(picture, row));
        }
    }

    /// Each pixel is the source pixel under its centre; equal rows are copied.
    fn nearest(&self, picture: &Framebuffer, target: &mut Target<'_>) {
        let [_, _, width, height] = self.target;
        let [_, _, source_width, source_height] = self.source;
        let columns = (0..width).map(|x| under_centre(x, width, source_width)).collect::<Vec<_>>();
        let mut before = None;
        for row in 0..height {
            let from = under_centre(row, height, source_height);
            let start = self.target_start(target, row);
            if before == Some(from) {
                target.pixels.copy_within(start - target.width..start - target.width + width, start);
                continue;
            }
            let source = self.source_row(picture, from);
            for (pixel, &column) in target.pixels[start..start + width].iter_mut().zip(&columns) {
                *pixel = source[column];
            }
            before = Some(from);
        }
    }
}

/// The source index whose pixel covers the centre of pixel `at` of `length`.
fn under_centre(at: usize, length: usize, source: usize) -> usize {
    (2 * at + 1) * source / (2 * length)
}

#[cfg(test)]
#[path = "scale_tests.rs"]
mod tests;
