//! The page that plotters draws on, as SVG or as pixels, and words in the font that the program carries.
//!
//! plotters counts in whole pixels, too coarse for a paper: a page has [`UNIT`] of its pixels for each of the sheet.

use crate::format::PlotError;
use crate::pixels::Pixels;
use fast_image_resize as fir;
use plotters::coord::Shift;
use plotters::prelude::{
    BitMapBackend, DrawingArea, DrawingAreaErrorKind, DrawingBackend, FontDesc, FontFamily, FontStyle, IntoDrawingArea,
    IntoTextStyle, RGBColor, SVGBackend, TextStyle,
};
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The page's pixels for one of the sheet, along each side.
pub(crate) const UNIT: i32 = 4;
/// Of words and axes.
pub(crate) const INK: RGBColor = RGBColor(32, 32, 32);
/// The page's pixels for one of a PNG, along each side: their mean makes edges smooth.
const SHRINK: u32 = 2;
/// Pixels of a PNG per metre: 96 pixels of the sheet are an inch.
const PER_METRE: u32 = 7559;
/// DejaVu Sans: Latin, Greek, Cyrillic and a few symbols; others show as a box in a PNG. Who reads an SVG may have another.
const FONT: FontFamily = FontFamily::Name("DejaVu Sans, Verdana, sans-serif");
/// What plotters calls a size, for each pixel of an em.
const SIZE_PER_EM: f64 = 1.24;

/// A part of the page.
pub(crate) type Area<DB> = DrawingArea<DB, Shift>;
/// What comes of drawing, if it can be drawn.
pub(crate) type Drawn<DB, T = ()> = Result<T, DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// A file of lines and words; `size` in pixels of the sheet.
pub(crate) fn svg(
    size: (u32, u32),
    draw: impl for<'p> FnOnce(&Area<SVGBackend<'p>>) -> Drawn<SVGBackend<'p>>,
) -> Result<Vec<u8>, PlotError> {
    let large = prepared(size)?;
    let mut file = String::new();
    {
        let page = SVGBackend::with_string(&mut file, large).into_drawing_area();
        draw(&page).and_then(|()| page.present()).map_err(failed)?;
    }
    let sides = |(width, height)| format!("width=\"{width}\" height=\"{height}\"");
    let file = file.replacen(&sides(large), &(sides(size) + " stroke-linejoin=\"round\""), 1);
    // What holds without being said.
    Ok(file.replace(" opacity=\"1\"", "").replace(" stroke=\"none\" stroke-width=\"1\"", "").into_bytes())
}

/// A file of pixels; while it is drawn it takes 48 bytes for each pixel of the sheet.
pub(crate) fn png(
    size: (u32, u32),
    draw: impl for<'p> FnOnce(&Area<Pixels<'p>>) -> Drawn<Pixels<'p>>,
) -> Result<Vec<u8>, PlotError> {
    let large = prepared(size)?;
    let bytes = u64::from(large.0) * u64::from(large.1) * 3;
    let mut pixels = vec![0; usize::try_from(bytes).map_err(failed)?];
    {
        let page = Pixels(BitMapBackend::with_buffer(&mut pixels, large)).into_drawing_area();
        draw(&page).and_then(|()| page.present()).map_err(failed)?;
    }
    let large = fir::images::Image::from_vec_u8(large.0, large.1, pixels, fir::PixelType::U8x3).map_err(failed)?;
    let mut small = fir::images::Image::new(large.width() / SHRINK, large.height() / SHRINK, fir::PixelType::U8x3);
    let mean = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Box));
    fir::Resizer::new().resize(&large, &mut small, &mean).map_err(failed)?;
    Ok(compress(&small)?)
}

fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError::Draw(error.to_string())
}

/// The size of the page, when there are letters to write on it.
fn prepared((width, height): (u32, u32)) -> Result<(u32, u32), PlotError> {
    let carried = include_bytes!("../../fonts/DejaVuSans.ttf");
    register_font(FONT.as_str(), FontStyle::Normal, carried).map_err(|_| PlotError::Font)?;
    Ok((width * UNIT.unsigned_abs(), height * UNIT.unsigned_abs()))
}

fn compress(picture: &fir::images::Image) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: PER_METRE, yppu: PER_METRE, unit: png::Unit::Meter }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.buffer())?;
    writer.finish()?;
    Ok(file)
}

/// Width and height of an area.
pub(crate) fn size<DB: DrawingBackend>(area: &Area<DB>) -> (i32, i32) {
    let (width, height) = area.dim_in_pixel();
    (width.cast_signed(), height.cast_signed())
}

/// How words of so many pixels of the sheet per em are written, and which of their ends is at their place.
pub(crate) fn text(size: i32, across: HPos, up: VPos) -> TextStyle<'static> {
    font(size).with_color(INK).with_anchor::<RGBColor>(Pos::new(across, up)).into_text_style(&(0, 0))
}

fn font(size: i32) -> FontDesc<'static> {
    FontDesc::new(FONT, f64::from(size * UNIT) * SIZE_PER_EM, FontStyle::Normal)
}

/// How wide words are.
pub(crate) fn width(words: &str, size: i32) -> i32 {
    font(size).box_size(words).map_or(0, |(width, _)| width.cast_signed())
}

/// `words` in one line, or their longest beginning that fits into `room` with an ellipsis behind it.
pub(crate) fn fitted(words: &str, size: i32, room: i32) -> String {
    let fit = |letter: char| if letter.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&letter) { ' ' } else { letter };
    let mut words: String = words.chars().map(fit).collect();
    if width(&words, size) <= room {
        return words;
    }
    // No letter is narrower than a quarter of an em.
    let most = usize::try_from(room / size).unwrap_or(0);
    words = words.chars().take(most).collect();
    while !words.is_empty() && width(&format!("{words}…"), size) > room {
        words.pop();
    }
    words.trim_end().to_owned() + "…"
}
