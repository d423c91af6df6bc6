//! A drawing as PNG, with two pixels for each of its own, and the words drawn by the program's own font.

use crate::drawing::{Anchor, Colour, Drawing, Marker, Path, Pen, Point, Shape, Stroke, Text};
use crate::font::Font;
use crate::format::PlotError;
use crate::svg::THIN;
use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Stroke as Brush, StrokeDash, Transform};

/// Pixels for each pixel of the drawing, so that it can be printed.
const DENSITY: u8 = 2;
/// Pixels per metre: 96 pixels of the drawing are an inch.
const PER_METRE: u32 = 7559;

/// The whole file; `None` is a page without pixels, or one that no memory holds.
pub(crate) fn encode(drawing: &Drawing, font: &Font) -> Option<Result<Vec<u8>, PlotError>> {
    let density = u32::from(DENSITY);
    let mut page = Pixmap::new(drawing.width.checked_mul(density)?, drawing.height.checked_mul(density)?)?;
    page.fill(Color::WHITE);
    let mut canvas = Canvas { page, font, scale: Transform::from_scale(f32::from(DENSITY), f32::from(DENSITY)) };
    drawing.shapes.iter().for_each(|shape| canvas.draw(shape));
    Some(compress(&canvas.page).map_err(PlotError::Png))
}

fn compress(page: &Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, page.width(), page.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: PER_METRE, yppu: PER_METRE, unit: png::Unit::Meter }));
    let pixels: Vec<u8> = page.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

struct Canvas<'f> {
    page: Pixmap,
    font: &'f Font,
    scale: Transform,
}

impl Canvas<'_> {
    fn draw(&mut self, shape: &Shape) {
        match shape {
            Shape::Lines { path, pen } => self.stroke(path, *pen, LineCap::Butt, self.scale),
            Shape::Markers { marker, radius, colour, centres } => {
                centres.iter().for_each(|centre| self.marker(*marker, *radius, *colour, *centre));
            }
            Shape::Text(text) => self.words(text),
        }
    }

    fn marker(&mut self, marker: Marker, radius: f64, colour: Colour, at: Point) {
        let (lines, filled) = marker.lines();
        if lines.is_empty() {
            if let Some(circle) = PathBuilder::from_circle(short(at.x), short(at.y), short(radius)) {
                self.page.fill_path(&circle, &paint(colour), FillRule::Winding, self.scale, None);
            }
            return;
        }
        for line in lines {
            let corners: Vec<_> = line.iter().map(|(x, y)| Point { x: at.x + x * radius, y: at.y + y * radius }).collect();
            let path = Path::through(&corners);
            if filled {
                self.fill(&path, colour, self.scale);
            } else {
                self.stroke(&path, Pen { colour, width: radius * THIN, dash: None }, LineCap::Butt, self.scale);
            }
        }
    }

    fn words(&mut self, text: &Text) {
        let width = self.font.width(&text.words, text.size);
        let back = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width / 2.0,
            Anchor::End => width,
        };
        let turned = Transform::from_rotate(if text.upwards { -90.0 } else { 0.0 });
        let place =
            turned.post_translate(short(text.at.x), short(text.at.y)).post_concat(self.scale).pre_translate(-short(back), 0.0);
        let outlines = self.font.outlines(&text.words, text.size);
        if text.halo {
            self.stroke(&outlines, Pen { colour: Colour(255, 255, 255), width: 3.0, dash: None }, LineCap::Round, place);
        }
        self.fill(&outlines, text.colour, place);
    }

    fn fill(&mut self, path: &Path, colour: Colour, place: Transform) {
        if let Some(path) = built(path) {
            self.page.fill_path(&path, &paint(colour), FillRule::Winding, place, None);
        }
    }

    fn stroke(&mut self, path: &Path, pen: Pen, line_cap: LineCap, place: Transform) {
        let dash = pen.dash.and_then(|(on, off)| StrokeDash::new(vec![short(on), short(off)], 0.0));
        let brush = Brush { width: short(pen.width), line_cap, line_join: LineJoin::Round, dash, ..Brush::default() };
        if let Some(path) = built(path) {
            self.page.stroke_path(&path, &paint(pen.colour), &brush, place, None);
        }
    }
}

fn paint(Colour(red, green, blue): Colour) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

fn built(path: &Path) -> Option<tiny_skia::Path> {
    let mut builder = PathBuilder::new();
    for stroke in &path.0 {
        match *stroke {
            Stroke::Start(to) => builder.move_to(short(to.x), short(to.y)),
            Stroke::Line(to) => builder.line_to(short(to.x), short(to.y)),
            Stroke::Bend(by, to) => builder.quad_to(short(by.x), short(by.y), short(to.x), short(to.y)),
            Stroke::Close => builder.close(),
        }
    }
    builder.finish()
}

/// Places on a page of some thousand pixels lose nothing that can be seen.
#[allow(clippy::cast_possible_truncation)]
fn short(value: f64) -> f32 {
    value as f32
}
