//! Pixel formats as servers and viewers send them, hostile ones, and conversion against plain arithmetic.

use super::*;
use proptest::prelude::*;

const RGBX: PixelFormat = PixelFormat { red_shift: 0, green_shift: 8, blue_shift: 16, ..PixelFormat::NATIVE };
const RGB565: PixelFormat = PixelFormat {
    bits_per_pixel: 16,
    depth: 16,
    red_max: 31,
    green_max: 63,
    blue_max: 31,
    red_shift: 11,
    green_shift: 5,
    blue_shift: 0,
    ..PixelFormat::NATIVE
};
const BGR233: PixelFormat = PixelFormat {
    bits_per_pixel: 8,
    depth: 8,
    red_max: 7,
    green_max: 7,
    blue_max: 3,
    red_shift: 0,
    green_shift: 3,
    blue_shift: 6,
    ..PixelFormat::NATIVE
};

/// Any format that [`PixelFormat::decode`] accepts as true colour.
fn true_colour() -> impl Strategy<Value = PixelFormat> {
    let channel = |bits: u8| (1..=bits.min(16)).prop_flat_map(move |n| (Just(n), 0..=bits - n));
    (prop_oneof![Just(8u8), Just(16), Just(32)], any::<bool>())
        .prop_flat_map(move |(bits, big_endian)| {
            (Just((bits, big_endian)), 1..=bits, [channel(bits), channel(bits), channel(bits)])
        })
        .prop_map(|((bits_per_pixel, big_endian), depth, [r, g, b])| {
            let max = |bits: u8| u16::MAX >> (16 - bits);
            PixelFormat {
                bits_per_pixel,
                depth,
                big_endian,
                true_colour: true,
                red_max: max(r.0),
                green_max: max(g.0),
                blue_max: max(b.0),
                red_shift: r.1,
                green_shift: g.1,
                blue_shift: b.1,
            }
        })
}

#[test]
fn the_native_format_has_the_bytes_that_servers_announce() {
    let bytes = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
    assert_eq!(PixelFormat::decode(&bytes), Ok(PixelFormat::NATIVE));
    assert_eq!(PixelFormat::NATIVE.encode(), bytes);
    let padded = [32, 24, 0, 7, 0, 255, 0, 255, 0, 255, 16, 8, 0, 9, 9, 9];
    assert_eq!(PixelFormat::decode(&padded), Ok(PixelFormat::NATIVE), "any non-zero flag is true, padding is nothing");
}

#[test]
fn impossible_formats_are_refused_with_the_bad_value() {
    let refused = |change: fn(&mut PixelFormat)| {
        let mut format = PixelFormat::NATIVE;
        change(&mut format);
        PixelFormat::decode(&format.encode()).unwrap_err()
    };
    assert_eq!(refused(|f| f.bits_per_pixel = 24), PixelFormatError::BitsPerPixel(24));
    assert_eq!(refused(|f| f.depth = 33), PixelFormatError::Depth { depth: 33, bits_per_pixel: 32 });
    assert_eq!(refused(|f| f.green_max = 254), PixelFormatError::Max(254));
    assert_eq!(refused(|f| f.green_max = 0), PixelFormatError::Max(0));
    assert_eq!(refused(|f| f.red_shift = 25), PixelFormatError::Shift { max: 255, shift: 25, bits_per_pixel: 32 });
    assert_eq!(refused(|f| f.red_shift = 255), PixelFormatError::Shift { max: 255, shift: 255, bits_per_pixel: 32 });
}

#[test]
fn colour_mapped_formats_are_decoded_and_their_values_are_indices() {
    let mapped =
        PixelFormat { bits_per_pixel: 8, depth: 8, true_colour: false, red_max: 0, red_shift: 99, ..PixelFormat::NATIVE };
    assert_eq!(PixelFormat::decode(&mapped.encode()), Ok(mapped));
    let mut out = [0; 3];
    mapped.read_pixels(&[0, 7, 255], &mut out);
    assert_eq!(out, [0, 7, 255]);
    assert_eq!((mapped.cpixel(), mapped.form()), (CPixel { bytes: 1, first: 0 }, Form::Other));
}

#[test]
fn compact_pixels_and_forms_are_those_of_rfc_6143() {
    let big = |format: PixelFormat| PixelFormat { big_endian: true, ..format };
    let high = |format: PixelFormat| PixelFormat {
        red_shift: format.red_shift + 8,
        green_shift: format.green_shift + 8,
        blue_shift: format.blue_shift + 8,
        ..format
    };
    let native = PixelFormat::NATIVE;
    let three = |first| CPixel { bytes: 3, first };
    let four = CPixel { bytes: 4, first: 0 };
    for (format, cpixel, form) in [
        (native, three(0), Form::Bgr),
        (RGBX, three(0), Form::Rgb),
        (high(native), three(1), Form::Bgr),
        (high(RGBX), three(1), Form::Rgb),
        (big(native), three(1), Form::Rgb),
        (big(RGBX), three(1), Form::Bgr),
        (big(high(native)), three(0), Form::Rgb),
        (big(high(RGBX)), three(0), Form::Bgr),
        (PixelFormat { depth: 32, ..native }, four, Form::Other),
        (PixelFormat { red_shift: 24, ..native }, four, Form::Other),
        (PixelFormat { green_shift: 4, ..native }, three(0), Form::Other),
        (PixelFormat { red_shift: 8, green_shift: 16, ..native }, three(0), Form::Other),
        (RGB565, CPixel { bytes: 2, first: 0 }, Form::Other),
        (BGR233, CPixel { bytes: 1, first: 0 }, Form::Other),
        (PixelFormat { bits_per_pixel: 32, red_shift: 19, green_shift: 13, blue_shift: 8, ..RGB565 }, three(0), Form::Other),
    ] {
        assert_eq!((format.cpixel(), format.form()), (cpixel, form), "{format:?}");
    }
}

#[test]
fn small_channels_reach_full_black_and_full_white() {
    assert_eq!((RGB565.to_rgb(0xffff), RGB565.to_rgb(0), RGB565.to_rgb(0xf800)), (0x00ff_ffff, 0, 0x00ff_0000));
    assert_eq!(BGR233.from_rgb(0x00ff_0000), 0b0000_0111);
    assert_eq!(BGR233.from_rgb(0x0000_00ff), 0b1100_0000);
    assert_eq!(BGR233.to_rgb(0b01_000_000), 85);
    let deep = PixelFormat { red_max: 1023, green_max: 1023, blue_max: 1023, red_shift: 20, green_shift: 10, depth: 30, ..RGBX };
    let deep = PixelFormat { blue_shift: 0, ..deep };
    assert_eq!(deep.to_rgb(0x3fff_ffff), 0x00ff_ffff);
    assert_eq!(deep.from_rgb(0x00ff_00ff), 0x3ff0_03ff);
}

#[test]
fn pixels_keep_their_upper_byte_zero_and_short_input_leaves_the_rest() {
    let mut out = [1, 1, 1];
    PixelFormat::NATIVE.read_pixels(&[0x33, 0x22, 0x11, 0xff, 1, 2, 3, 4, 5], &mut out);
    assert_eq!(out, [0x0011_2233, 0x0003_0201, 1]);
}

proptest! {
    #[test]
    fn decoding_any_bytes_never_panics_and_what_is_accepted_round_trips(bytes: [u8; 16]) {
        if let Ok(format) = PixelFormat::decode(&bytes) {
            prop_assert_eq!(PixelFormat::decode(&format.encode()), Ok(format));
        }
    }

    #[test]
    fn conversion_is_rounding_to_the_nearest(format in true_colour(), value: u32) {
        let nearest = |(max, shift): (u16, u8)| {
            let channel = u64::from(value >> shift) & u64::from(max);
            u32::try_from((channel * 510 + u64::from(max)) / (2 * u64::from(max))).unwrap()
        };
        let [red, green, blue] = format.channels().map(nearest);
        prop_assert_eq!(format.to_rgb(value), red << 16 | green << 8 | blue);
    }

    #[test]
    fn pixels_in_bytes_equal_values_one_by_one(format in true_colour(), rgb in prop::collection::vec(0u32..0x0100_0000, 0..40)) {
        prop_assert_eq!(PixelFormat::decode(&format.encode()), Ok(format));
        let mut bytes = vec![0xee];
        format.write_pixels(&rgb, &mut bytes);
        prop_assert_eq!(bytes.len(), 1 + rgb.len() * format.bytes_per_pixel());
        let mut back = vec![0; rgb.len()];
        format.read_pixels(&bytes[1..], &mut back);
        let overlapping = format.channels().iter().fold(0u32, |sum, (max, _)| sum + max.count_ones())
            != format.channels().iter().fold(0u32, |bits, &(max, shift)| bits | u32::from(max) << shift).count_ones();
        for (&before, after) in rgb.iter().zip(back) {
            prop_assert_eq!(after, format.to_rgb(format.from_rgb(before)));
            if !overlapping && format.is_exact() {
                prop_assert_eq!(after, before);
            }
        }
    }
}
