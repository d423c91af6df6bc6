use super::cpixel::{Bgr, CPixels, WithCPixels, with_cpixels};
use super::test_pictures::{Content, Random, paint};
use super::tile_decoder::TileDecoder;
use super::tile_encoder::TileEncoder;
use super::tile_swap::swap_tile;
use super::{ZrleError, max_tile_bytes};
use crate::framebuffer::Framebuffer;
use crate::geometry::{Rect, Size};
use crate::pixel::PixelFormat;

/// A tile with its right and lower neighbours, so that reading too far shows.
fn tile(width: u16, height: u16, content: Content, seed: u64) -> (Framebuffer, Rect) {
    let mut fb = Framebuffer::new(Size::new(width + 3, height + 3).unwrap());
    let rect = Rect::new(1, 2, width, height);
    paint(&mut fb, rect, content, &mut Random::new(seed));
    (fb, rect)
}

fn pixels(fb: &Framebuffer, rect: Rect) -> Vec<u32> {
    (0..rect.height).flat_map(|row| fb.row(rect, row).iter().copied()).collect()
}

fn encoded(fb: &Framebuffer, rect: Rect) -> Vec<u8> {
    let mut out = Vec::new();
    TileEncoder::new().encode(fb, rect, &Bgr, &mut out);
    out
}

fn sizes() -> impl Iterator<Item = (u16, u16)> {
    let sides = [1, 2, 3, 7, 8, 9, 31, 63, 64];
    sides.into_iter().flat_map(move |w| sides.into_iter().map(move |h| (w, h)))
}

#[test]
fn every_kind_of_tile_comes_back_in_every_size_and_never_longer_than_raw() {
    let (mut encoder, mut decoder) = (TileEncoder::new(), TileDecoder::new());
    for (width, height) in sizes() {
        for (content, seed) in Content::ALL.into_iter().zip(1..) {
            let (fb, rect) = tile(width, height, content, seed);
            let mut out = vec![0xee];
            encoder.encode(&fb, rect, &Bgr, &mut out);
            assert!(out.len() <= 2 + 3 * rect.area().max(1), "{rect} {content:?} took {}", out.len());
            let (found, used) = decoder.decode(&out[1..], (width.into(), height.into()), &Bgr).unwrap();
            assert_eq!(used, out.len() - 1);
            assert_eq!(found, pixels(&fb, rect), "{rect} {content:?}");
        }
    }
}

#[test]
fn what_compresses_best_is_chosen() {
    let first = |content| {
        let (fb, rect) = tile(64, 64, content, 3);
        let bytes = encoded(&fb, rect);
        (bytes[0], bytes.len())
    };
    assert_eq!(first(Content::Solid), (1, 4));
    assert_eq!(first(Content::Colours(2, 256)), (2, 1 + 6 + 512));
    assert_eq!(first(Content::Colours(4, 256)), (4, 1 + 12 + 1024));
    assert_eq!(first(Content::Colours(16, 256)), (16, 1 + 48 + 2048));
    assert_eq!(first(Content::Noise), (0, 1 + 3 * 4096));
    assert_eq!(first(Content::Colours(17, 5)).0, 128 + 17);
    assert_eq!(first(Content::Runs(400)).0, 128);
    assert_eq!(first(Content::Colours(127, 256)).0, 128 + 127);
    assert_eq!(first(Content::Colours(128, 256)).0, 0);
}

/// A tile's size, bytes and pixels.
type ByHand = ((usize, usize), Vec<u8>, Vec<u32>);

/// Tiles written by hand after RFC 6143 section 7.7.6.
fn by_hand() -> Vec<ByHand> {
    let (r, g, b) = (0x00ff_0000, 0x0000_ff00, 0x0000_00ff);
    let (red, green, blue) = ([0, 0, 255], [0, 255, 0], [255, 0, 0]);
    let with = |head: u8, colours: &[[u8; 3]], tail: &[u8]| [&[head], colours.as_flattened(), tail].concat();
    vec![
        ((2, 1), with(0, &[red, blue], &[]), vec![r, b]),
        ((2, 2), with(1, &[green], &[]), vec![g; 4]),
        // Rows of one bit each begin at a byte; unused bits may be anything.
        ((3, 2), with(2, &[red, green], &[0b0101_1111, 0b1000_0000]), vec![r, g, r, g, r, r]),
        ((3, 1), with(3, &[red, green, blue], &[0b1001_0011]), vec![b, g, r]),
        ((5, 1), with(4, &[red, green, blue, red], &[0b1101_0010, 0b0100_0000]), vec![r, g, r, b, g]),
        ((3, 1), with(5, &[red, green, blue, red, red], &[0x12, 0x00]), vec![g, b, r]),
        ((20, 20), with(128, &[green], &[255, 144]), vec![g; 400]),
        ((3, 1), with(128, &[green], &[1, 0, 0, 0, 0]), vec![g, g, 0]),
        ((4, 1), with(130, &[red, blue], &[1, 0x80, 1, 1]), vec![b, r, r, b]),
        ((16, 17), with(130, &[red, blue], &[0x81, 255, 15, 0]), [vec![b; 271], vec![r]].concat()),
    ]
}

#[test]
fn tiles_written_by_hand_are_read() {
    for (size, bytes, expected) in by_hand() {
        let mut decoder = TileDecoder::new();
        assert_eq!(decoder.decode(&bytes, size, &Bgr), Ok((&expected[..], bytes.len())), "{bytes:?}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    let mut decoder = TileDecoder::new();
    let mut cut = |bytes: &[u8], size| {
        for end in 0..bytes.len() {
            assert_eq!(decoder.decode(&bytes[..end], size, &Bgr), Err(ZrleError::Truncated), "{:?}", &bytes[..end]);
            assert_eq!(swap_tile(&bytes[..end], size, &mut Vec::new()), Err(ZrleError::Truncated));
        }
    };
    for (content, seed) in Content::ALL.into_iter().zip(1..) {
        let (fb, rect) = tile(13, 9, content, seed);
        cut(&encoded(&fb, rect), (13, 9));
    }
}

#[test]
fn what_no_encoder_may_write_is_refused() {
    let mut decoder = TileDecoder::new();
    let mut refused = |bytes: &[u8], expected: ZrleError| {
        assert_eq!(decoder.decode(bytes, (4, 1), &Bgr), Err(expected.clone()), "{bytes:?}");
    };
    for subencoding in (17..=127).chain([129]) {
        refused(&[subencoding; 600], ZrleError::Subencoding(subencoding));
    }
    refused(&[3, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0b0000_1100], ZrleError::PaletteIndex(3));
    refused(&[5, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0, 0x04, 0x50], ZrleError::PaletteIndex(5));
    refused(&[130, 0, 0, 0, 1, 0, 0, 0x02], ZrleError::PaletteIndex(2));
    refused(&[130, 0, 0, 0, 1, 0, 0, 0x82, 1], ZrleError::PaletteIndex(2));
    refused(&[130, 0, 0, 0, 1, 0, 0, 0x01, 0x80, 3], ZrleError::Run { run: 4, left: 3 });
    refused(&[128, 0, 0, 0, 4], ZrleError::Run { run: 5, left: 4 });
    refused(&[128, 0, 0, 0, 255, 255, 255], ZrleError::Run { run: 256, left: 4 });
}

#[test]
fn flipped_bits_never_panic() {
    let mut decoder = TileDecoder::new();
    for (content, seed) in Content::ALL.into_iter().zip(1..) {
        let (fb, rect) = tile(17, 11, content, seed);
        let good = encoded(&fb, rect);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            if let Ok((pixels, used)) = decoder.decode(&bad, (17, 11), &Bgr) {
                assert!(pixels.len() == 187 && used <= max_tile_bytes(187, 3) && pixels.iter().all(|&p| p <= 0x00ff_ffff));
            }
            let _ = swap_tile(&bad, (17, 11), &mut Vec::new());
        }
    }
}

/// Encodes and decodes a tile in the compact pixels of some format.
struct RoundTrip<'a>(&'a Framebuffer, Rect, PixelFormat);

impl WithCPixels for RoundTrip<'_> {
    type Output = ();
    fn with<P: CPixels>(self, cpixels: &P) {
        let Self(fb, rect, format) = self;
        assert_eq!(P::BYTES, format.cpixel().bytes);
        let (mut direct, mut through_pixels) = (Vec::new(), Vec::new());
        TileEncoder::new().encode(fb, rect, cpixels, &mut direct);
        TileEncoder::new().encode_pixels(&pixels(fb, rect), rect.width.into(), cpixels, &mut through_pixels);
        assert_eq!(direct, through_pixels);
        let expected: Vec<u32> = pixels(fb, rect).iter().map(|&rgb| format.to_rgb(format.from_rgb(rgb))).collect();
        let mut decoder = TileDecoder::new();
        let found = decoder.decode(&direct, (rect.width.into(), rect.height.into()), cpixels);
        assert_eq!(found, Ok((&expected[..], direct.len())), "{format:?}");
    }
}

/// Formats of 1, 2, 3 and 4 bytes per compact pixel, of either byte order.
pub(super) fn formats() -> Vec<PixelFormat> {
    let native = PixelFormat::NATIVE;
    let rgb = PixelFormat { red_shift: 0, blue_shift: 16, ..native };
    let high = PixelFormat { red_shift: 24, green_shift: 16, blue_shift: 8, ..native };
    let odd = PixelFormat { red_shift: 8, green_shift: 0, blue_shift: 16, ..native };
    let deep =
        PixelFormat { depth: 30, red_max: 1023, green_max: 1023, blue_max: 1023, red_shift: 20, green_shift: 10, ..native };
    let sixteen = PixelFormat {
        bits_per_pixel: 16,
        depth: 16,
        red_max: 31,
        green_max: 63,
        blue_max: 31,
        red_shift: 11,
        green_shift: 5,
        ..native
    };
    let eight = PixelFormat {
        bits_per_pixel: 8,
        depth: 8,
        red_max: 7,
        green_max: 7,
        blue_max: 3,
        red_shift: 0,
        green_shift: 3,
        blue_shift: 6,
        ..native
    };
    let formats = [native, rgb, high, odd, deep, sixteen, eight];
    formats.into_iter().flat_map(|format| [format, PixelFormat { big_endian: true, ..format }]).collect()
}

#[test]
fn tiles_of_any_pixel_format_hold_the_nearest_colours() {
    for format in formats() {
        for (content, seed) in Content::ALL.into_iter().zip(1..) {
            let (fb, rect) = tile(21, 10, content, seed);
            with_cpixels(&format, RoundTrip(&fb, rect, format));
        }
    }
}

/// A pixel's CPIXEL is a part of what `write_pixels` makes of it.
struct Bytes(PixelFormat);

impl WithCPixels for Bytes {
    type Output = ();
    fn with<P: CPixels>(self, cpixels: &P) {
        let mut whole = Vec::new();
        self.0.write_pixels(&[0x0012_5699], &mut whole);
        let first = self.0.cpixel().first;
        assert_eq!(cpixels.wire(0x0012_5699).to_le_bytes()[..P::BYTES], whole[first..first + P::BYTES], "{:?}", self.0);
    }
}

#[test]
fn compact_pixels_are_part_of_the_whole_ones() {
    formats().into_iter().for_each(|format| with_cpixels(&format, Bytes(format)));
}

#[test]
fn exchanging_red_and_blue_in_the_bytes_equals_encoding_in_the_other_form() {
    for (content, seed) in Content::ALL.into_iter().zip(1..) {
        let (fb, rect) = tile(40, 30, content, seed);
        let bgr = encoded(&fb, rect);
        let (mut rgb, mut swapped) = (Vec::new(), Vec::new());
        TileEncoder::new().encode(&fb, rect, &super::cpixel::Rgb, &mut rgb);
        assert_eq!(swap_tile(&bgr, (40, 30), &mut swapped), Ok(bgr.len()));
        assert_eq!(swapped, rgb, "{content:?}");
    }
}
