//! Full pages of about a megabyte, and what they come to when they are encoded.

use crate::lan::SIZE;
use crate::support::painter::{Kept, Painter};
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::tiles::{TileGrid, TileSet};
use treevnc_protocol::zrle::Encoder;

/// Bytes that a page should have.
const AIM_BYTES: usize = 1_000_000;

/// A page of text whose lower part is a photograph, as large as needed to make [`AIM_BYTES`]: the recorded text, and noise for the photograph,
/// which shrinks as little as a photograph does.
fn page(text: &Framebuffer, number: u64) -> (Framebuffer, usize) {
    let (width, height) = (usize::from(SIZE.0), usize::from(SIZE.1));
    let mut encoder = Encoder::new();
    let mut rows = (0_usize, height);
    // Halving finds how many rows of photograph it takes.
    loop {
        let middle = rows.0.midpoint(rows.1);
        let mut page = text.clone();
        photograph(&mut page.pixels_mut()[(height - middle) * width..], number);
        // Nothing of a page is to be where it was on the one before.
        page.pixels_mut().iter_mut().for_each(|pixel| *pixel ^= (number as u32 % 2) * 0x0008_0408);
        let bytes = bytes(&mut encoder, &page);
        if rows.1 - rows.0 <= 1 {
            return (page, bytes);
        }
        rows = if bytes > AIM_BYTES { (rows.0, middle) } else { (middle, rows.1) };
    }
}

/// Slow waves of colour with grain on them.
fn photograph(pixels: &mut [u32], number: u64) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d);
    for (at, pixel) in pixels.iter_mut().enumerate() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (x, y) = (at % usize::from(SIZE.0), at / usize::from(SIZE.0));
        let wave = |scale: usize, phase: usize| {
            100.0 + 60.0 * ((x + phase) as f64 / scale as f64).sin() * ((y + phase) as f64 / 90.0).cos()
        };
        let grain = |shift: u32| (state >> shift & 7) as f64;
        let channel = |scale, phase, shift| (wave(scale, phase) + grain(shift)) as u32;
        *pixel = channel(140, 0, 8) << 16 | channel(170, 300, 24) << 8 | channel(210, 600, 40);
    }
}

fn bytes(encoder: &mut Encoder, page: &Framebuffer) -> usize {
    let mut bytes = 0;
    encoder.encode(page, &TileSet::full(TileGrid::new(page.size())), &mut |picture| bytes += picture.rects().len());
    bytes
}

/// Two pages that differ everywhere, given to X; and the bytes of each.
pub(crate) fn pages(painter: &Painter) -> (Vec<Kept>, Vec<usize>) {
    let text = treevnc_recording::clip("text").unwrap().last().unwrap().unwrap().picture;
    assert_eq!(text.size(), Size::new(SIZE.0, SIZE.1).unwrap());
    let page = |number| {
        let (page, bytes) = page(&text, number);
        let rows: Vec<u8> = page.pixels().iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        (painter.keep(&rows), bytes)
    };
    (0..2).map(page).unzip()
}
