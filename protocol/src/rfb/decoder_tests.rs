//! A server's messages made by hand: each encoding as its specification draws it, the oddities of servers, hostile bytes.

use super::super::encoding::*;
use super::super::server_message::*;
use super::super::{bell, extended_desktop_size_rect};
use super::*;
use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;

/// What a stream came to.
#[derive(Debug, PartialEq)]
pub(super) struct Decoded {
    pub(super) fb: Framebuffer,
    pub(super) events: Vec<ServerEvent>,
    pub(super) error: Option<DecodeError>,
}

/// Decodes a stream in pieces until it or the connection ends.
pub(super) fn decode_all(stream: &[u8], size: Size, format: PixelFormat, piece: usize) -> Decoded {
    let mut decoder = ServerDecoder::new(size, format);
    let mut decoded = Decoded { fb: Framebuffer::new(size), events: Vec::new(), error: None };
    for piece in stream.chunks(piece) {
        let mut rest = piece;
        loop {
            match decoder.feed(rest, &mut decoded.fb) {
                Ok((taken, Some(event))) => {
                    rest = &rest[taken..];
                    decoded.events.push(event);
                }
                Ok((taken, None)) => {
                    assert_eq!(taken, rest.len());
                    break;
                }
                Err(error) => return Decoded { error: Some(error), ..decoded },
            }
        }
    }
    decoded
}

fn screen() -> Size {
    Size::new(40, 20).unwrap()
}

fn decode(stream: &[u8]) -> Decoded {
    let whole = decode_all(stream, screen(), PixelFormat::NATIVE, usize::MAX);
    assert_eq!(decode_all(stream, screen(), PixelFormat::NATIVE, 1), whole, "byte by byte");
    whole
}

/// A FramebufferUpdate of one rectangle.
fn update(rect: Rect, encoding: i32, data: &[u8]) -> Vec<u8> {
    [&framebuffer_update_header(1)[..], &rect_header(rect, encoding), data].concat()
}

fn end(damage: &[Rect]) -> ServerEvent {
    ServerEvent::UpdateEnd { damage: damage.to_vec() }
}

/// The pixels of a rectangle that a one-rectangle update painted.
fn painted(rect: Rect, encoding: i32, data: &[u8]) -> Vec<u32> {
    let decoded = decode(&update(rect, encoding, data));
    assert_eq!((decoded.error, &decoded.events[..]), (None, &[end(&[rect])][..]));
    let outside = decoded.fb.pixels().iter().filter(|&&pixel| pixel != 0).count();
    let pixels: Vec<u32> = (0..rect.height).flat_map(|row| decoded.fb.row(rect, row).to_vec()).collect();
    assert_eq!(pixels.iter().filter(|&&pixel| pixel != 0).count(), outside, "nothing is painted outside");
    pixels
}

/// The error that a one-rectangle update ends in.
fn refused(rect: Rect, encoding: i32, data: &[u8]) -> DecodeError {
    decode(&update(rect, encoding, data)).error.unwrap()
}

/// zlib data that ends with a sync flush, and the compressor to go on with.
fn deflated(zlib: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 100);
    zlib.compress_vec(bytes, &mut out, FlushCompress::Sync).unwrap();
    out
}

fn zlib() -> Compress {
    Compress::new(Compression::new(6), true)
}

/// Tight's compact length.
fn compact_length(length: usize) -> Vec<u8> {
    let bits = |shift: usize, mask: usize| u8::try_from(length >> shift & mask).unwrap();
    match length {
        0..0x80 => vec![bits(0, 0x7f)],
        0x80..0x4000 => vec![bits(0, 0x7f) | 0x80, bits(7, 0x7f)],
        _ => vec![bits(0, 0x7f) | 0x80, bits(7, 0x7f) | 0x80, bits(14, 0xff)],
    }
}

/// Tight data behind a control byte and filter: length and zlib stream.
fn tight(head: &[u8], zlib: &mut Compress, pixels: &[u8]) -> Vec<u8> {
    let data = deflated(zlib, pixels);
    [head, &compact_length(data.len()), &data].concat()
}

const RED: u32 = 0x00ff_0000;
const GREEN: u32 = 0x0000_ff00;
const BLUE: u32 = 0x0000_00ff;

#[test]
fn raw_pixels_lose_their_unused_byte() {
    let pixels = painted(Rect::new(3, 2, 2, 1), RAW, &[1, 2, 3, 0xff, 4, 5, 6, 0xee]);
    assert_eq!(pixels, [0x0003_0201, 0x0006_0504]);
}

#[test]
fn raw_rectangles_are_never_held() {
    let mut decoder = ServerDecoder::new(screen(), PixelFormat::NATIVE);
    let mut fb = Framebuffer::new(screen());
    let stream = update(screen().rect(), RAW, &vec![7; 40 * 20 * 4]);
    for byte in stream.chunks(7) {
        decoder.feed(byte, &mut fb).unwrap();
        assert!(decoder.gather.held_bytes() < RECT_HEADER_BYTES);
    }
    assert!(fb.pixels().iter().all(|&pixel| pixel == 0x0007_0707));
}

#[test]
fn our_own_raw_rectangles_and_copies_are_understood() {
    let mut fb = Framebuffer::new(screen());
    fb.pixels_mut().iter_mut().zip(1..).for_each(|(pixel, number)| *pixel = number);
    let mut stream = framebuffer_update_header(2).to_vec();
    raw_rect(&fb, Rect::new(30, 10, 100, 100), &PixelFormat::NATIVE, &mut stream);
    stream.extend(rect_header(Rect::new(0, 0, 5, 5), COPY_RECT));
    stream.extend([0, 31, 0, 11]);
    let decoded = decode(&stream);
    assert_eq!(decoded.events, [end(&[Rect::new(30, 10, 10, 10), Rect::new(0, 0, 5, 5)])]);
    for row in 0..5 {
        assert_eq!(decoded.fb.row(Rect::new(0, 0, 5, 5), row), fb.row(Rect::new(31, 11, 5, 5), row));
    }
}

#[test]
fn hextiles_keep_their_colours_from_tile_to_tile() {
    let (red, green, blue) = (RED.to_le_bytes(), GREEN.to_le_bytes(), BLUE.to_le_bytes());
    let first = [&[0x02 | 0x04 | 0x08][..], &red, &blue, &[1, 0x12, 0x10]].concat();
    let second = [0x08, 1, 0xff, 0x00];
    let coloured = [&[0x08 | 0x10, 2][..], &green, &[0x00, 0x1f], &blue, &[0x01, 0x00]].concat();
    let pixels = painted(Rect::new(1, 3, 34, 16), HEXTILE, &[&first[..], &second, &coloured].concat());
    let mut expected = vec![RED; 34 * 16];
    for (x, y) in [(1, 2), (2, 2), (16 + 15, 15), (32, 1)] {
        expected[y * 34 + x] = BLUE;
    }
    for (x, y) in (0..16).flat_map(|y| [(32, y), (33, y)]).filter(|&place| place != (32, 1)) {
        expected[y * 34 + x] = GREEN;
    }
    assert_eq!(pixels, expected);
}

#[test]
fn raw_hextiles_are_clipped_by_their_rectangle() {
    let data =
        [&[0x02][..], &RED.to_le_bytes(), &[0x01], &[9, 0, 0, 0].repeat(2 * 16), &[0], &[0x01], &[8, 0, 0, 0].repeat(2)].concat();
    let pixels = painted(Rect::new(1, 3, 18, 17), HEXTILE, &data);
    let expected = |at: usize| match (at % 18, at / 18) {
        (16.., 16) => 8,
        (16.., _) => 9,
        _ => RED,
    };
    assert_eq!(pixels, (0..18 * 17).map(expected).collect::<Vec<_>>());
}

#[test]
fn a_tight_fill_has_its_colour_as_red_green_blue() {
    assert_eq!(painted(Rect::new(2, 2, 3, 2), TIGHT, &[0x80, 0xff, 0, 0]), [RED; 6]);
}

#[test]
fn short_tight_data_is_not_compressed() {
    assert_eq!(painted(Rect::new(0, 0, 3, 1), TIGHT, &[0x00, 0xff, 0, 0, 0, 0, 0xff, 0, 0xff, 0]), [RED, BLUE, GREEN]);
    // Two colours: a bit for each pixel, rows of whole bytes.
    let data = [0x40, 1, 1, 0xff, 0, 0, 0, 0, 0xff, 0b0100_0000, 0b1000_0000, 0xff, 0x80];
    assert_eq!(painted(Rect::new(0, 0, 2, 2), TIGHT, &data[..11]), [RED, BLUE, BLUE, RED]);
    assert_eq!(painted(Rect::new(0, 0, 9, 1), TIGHT, &[&data[..9], &data[11..]].concat()), [BLUE; 9]);
    let three = [0x40, 1, 2, 0xff, 0, 0, 0, 0, 0xff, 0, 0xff, 0, 2, 1, 0, 1];
    assert_eq!(painted(Rect::new(0, 0, 2, 2), TIGHT, &three), [GREEN, BLUE, RED, BLUE]);
}

#[test]
fn tight_streams_go_on_are_separate_and_are_reset() {
    let (mut first, mut second) = (zlib(), zlib());
    let all = |colour: [u8; 3]| colour.repeat(40 * 20);
    let full = screen().rect();
    let rect = |encoded: Vec<u8>| [&rect_header(full, TIGHT)[..], &encoded].concat();
    let stream = [
        framebuffer_update_header(5).to_vec(),
        rect(tight(&[0x00], &mut first, &all([1, 1, 1]))),
        rect(tight(&[0x10], &mut second, &all([2, 2, 2]))),
        rect(tight(&[0x00], &mut first, &all([3, 3, 3]))),
        // Stream 0 begins anew, on a rectangle that itself uses stream 1.
        rect(tight(&[0x11], &mut second, &all([4, 4, 4]))),
        rect(tight(&[0x00], &mut zlib(), &all([5, 6, 7]))),
    ]
    .concat();
    let decoded = decode(&stream);
    assert_eq!((decoded.error, decoded.events), (None, vec![end(&[full; 5])]));
    assert!(decoded.fb.pixels().iter().all(|&pixel| pixel == 0x0005_0607));
    let not_reset = [update(full, TIGHT, &tight(&[0x00], &mut first, &[])), vec![]].concat();
    assert!(matches!(decode(&not_reset).error, Some(DecodeError::Zlib(_) | DecodeError::TooFewPixels(_))));
}

#[test]
fn the_tight_gradient_adds_to_what_the_neighbours_foretell() {
    // By channel. First pixel: foretold 0. Second: its left. Third: its upper. Fourth: left + upper - upper left, here
    // 0 + 250 - 250, 10 + 0 - 10, 0 + 6 - 0 and, in a second rectangle, sums that are cut at 0 and at 255.
    let data = [250, 10, 0, 0, 246, 6, 6, 0, 0, 0, 0, 255];
    let pixels = painted(Rect::new(0, 0, 2, 2), TIGHT, &tight(&[0x40, 2], &mut zlib(), &data));
    assert_eq!(pixels, [0x00fa_0a00, 0x00fa_0006, 0x0000_0a00, 0x0000_0005]);
    let data = [100, 10, 1, 100, 250, 1, 100, 251, 1, 1, 7, 3];
    let pixels = painted(Rect::new(0, 0, 2, 2), TIGHT, &tight(&[0x40, 2], &mut zlib(), &data));
    assert_eq!(pixels, [0x0064_0a01, 0x00c8_0402, 0x00c8_0502, 0x0000_0706]);
}

#[test]
fn tight_that_is_not_lossless_or_not_possible_is_refused() {
    let rect = Rect::new(0, 0, 8, 4);
    assert_eq!(refused(rect, TIGHT, &[0x90]), DecodeError::TightControl(0x90));
    assert_eq!(refused(rect, TIGHT, &[0xaf]), DecodeError::TightControl(0xaf));
    assert_eq!(refused(rect, TIGHT, &[0x40, 3]), DecodeError::TightFilter(3));
    let palette = [0x40, 1, 2, 0, 0, 0, 1, 1, 1, 2, 2, 2];
    let wrong = refused(rect, TIGHT, &tight(&palette, &mut zlib(), &[3; 32]));
    assert_eq!(wrong, DecodeError::TightPalette { index: 3, colours: 3 });
    assert_eq!(
        refused(Rect::new(0, 0, 2, 1), TIGHT, &[0x40, 1, 0, 0, 0, 0, 0x40]),
        DecodeError::TightPalette { index: 1, colours: 1 }
    );
    let rgb565 = PixelFormat {
        bits_per_pixel: 16,
        depth: 16,
        red_max: 31,
        green_max: 31,
        blue_max: 31,
        red_shift: 10,
        green_shift: 5,
        ..PixelFormat::NATIVE
    };
    let gradient = decode_all(&update(rect, TIGHT, &[0x40, 2]), screen(), rgb565, usize::MAX);
    assert_eq!(gradient.error, Some(DecodeError::TightGradient));
}

#[test]
fn compressed_data_must_be_exactly_the_rectangle() {
    let rect = Rect::new(0, 0, 8, 4);
    let tight_of = |bytes: usize| refused(rect, TIGHT, &tight(&[0x00], &mut zlib(), &vec![1; bytes]));
    assert_eq!(tight_of(8 * 4 * 3 - 1), DecodeError::TooFewPixels(rect));
    assert_eq!(tight_of(8 * 4 * 3 + 1), DecodeError::TooManyPixels(rect));
    assert_eq!(tight_of(1 << 20), DecodeError::TooManyPixels(rect));
    assert_eq!(refused(rect, TIGHT, &[&[0x00, 9][..], &[0xff; 9]].concat()), DecodeError::Zlib(rect));
    assert!(matches!(refused(rect, ZRLE, &[&[0, 0, 0, 9][..], &[0xff; 9]].concat()), DecodeError::Zrle { .. }));
}

#[test]
fn lengths_beyond_what_a_rectangle_can_need_are_refused_before_the_data_comes() {
    let rect = Rect::new(0, 0, 8, 4);
    let limit = max_compressed_bytes(rect);
    let too_long = refused(rect, ZRLE, &[0xff; 4]);
    assert_eq!(too_long, DecodeError::CompressedTooLong { announced: u32::MAX, rect, limit });
    assert!(too_long.to_string().contains("4294967295") && too_long.to_string().contains(&limit.to_string()));
    assert_eq!(
        refused(rect, TIGHT, &[0x00, 0xff, 0xff, 0xff]),
        DecodeError::CompressedTooLong { announced: (1 << 22) - 1, rect, limit }
    );
    // A length within the limit takes memory only as its bytes come.
    let mut decoder = ServerDecoder::new(screen(), PixelFormat::NATIVE);
    let announced = u32::try_from(limit).unwrap();
    decoder.feed(&update(rect, ZRLE, &announced.to_be_bytes()), &mut Framebuffer::new(screen())).unwrap();
    assert_eq!(decoder.gather.held_bytes(), 0);
}

#[test]
fn rectangles_outside_the_screen_are_refused() {
    for encoding in [RAW, COPY_RECT, HEXTILE, TIGHT, ZRLE] {
        for rect in [Rect::new(39, 0, 2, 1), Rect::new(0, 20, 1, 1), Rect::new(65_535, 65_535, 65_535, 65_535)] {
            assert_eq!(refused(rect, encoding, &[0; 4]), DecodeError::OutsideScreen { rect, size: screen() });
        }
    }
    let source = Rect::new(39, 0, 2, 2);
    assert_eq!(
        refused(Rect::new(0, 0, 2, 2), COPY_RECT, &[0, 39, 0, 0]),
        DecodeError::OutsideScreen { rect: source, size: screen() }
    );
    assert_eq!(
        refused(Rect::new(0, 0, 16, 16), HEXTILE, &[0x08, 1, 0xf0, 0x10]),
        DecodeError::HextileSubrect(Rect::new(0, 0, 16, 16))
    );
}

#[test]
fn what_was_not_asked_for_is_refused_by_number() {
    let rect = Rect::new(0, 0, 1, 1);
    for encoding in [-239, 2, 6, 21, 0x574d_5664, i32::MIN] {
        assert_eq!(refused(rect, encoding, &[]), DecodeError::UnknownEncoding { encoding, rect });
    }
    assert_eq!(decode(&[150]).error, Some(DecodeError::UnknownMessage(150)));
}

#[test]
fn empty_rectangles_paint_nothing_wherever_they_are_and_their_data_is_read() {
    let rect = Rect::new(65_535, 7, 0, 9);
    let empty_tight = [0x00];
    let mut stream = framebuffer_update_header(6).to_vec();
    for (encoding, data) in
        [(RAW, &[][..]), (COPY_RECT, &[255, 255, 0, 0]), (HEXTILE, &[]), (TIGHT, &empty_tight), (ZRLE, &[0; 4])]
    {
        stream.extend(rect_header(rect, encoding));
        stream.extend(data);
    }
    stream.extend(rect_header(Rect::new(0, 0, 1, 1), TIGHT));
    stream.extend([0x80, 0, 0, 0xff]);
    let decoded = decode(&stream);
    assert_eq!((decoded.error, decoded.events), (None, vec![end(&[Rect::new(0, 0, 1, 1)])]));
    assert_eq!(decoded.fb.pixels().iter().sum::<u32>(), BLUE);
}

#[test]
fn an_update_may_have_no_rectangle_or_65535() {
    assert_eq!(decode(&framebuffer_update_header(0)).events, [end(&[])]);
    let fill = [&rect_header(Rect::new(5, 5, 1, 1), TIGHT)[..], &[0x80, 0, 0, 0xff]].concat();
    let stream = [&framebuffer_update_header(65_535)[..], &fill.repeat(65_535), &bell()].concat();
    let decoded = decode(&stream);
    assert_eq!(decoded.events, [end(&vec![Rect::new(5, 5, 1, 1); 65_535]), ServerEvent::Bell]);
}

#[test]
fn the_last_rectangle_ends_an_update_of_unknown_count() {
    let fill = [&rect_header(Rect::new(5, 5, 1, 1), TIGHT)[..], &[0x80, 0, 0, 0xff]].concat();
    let stream = [&framebuffer_update_header(65_535)[..], &fill, &last_rect(), &bell()].concat();
    assert_eq!(decode(&stream).events, [end(&[Rect::new(5, 5, 1, 1)]), ServerEvent::Bell]);
}

#[test]
fn a_new_size_makes_a_black_picture_and_forgets_earlier_damage() {
    let size = Size::new(50, 4).unwrap();
    let mut stream = framebuffer_update_header(3).to_vec();
    stream.extend([&rect_header(Rect::new(0, 0, 1, 1), TIGHT)[..], &[0x80, 0, 0, 0xff]].concat());
    stream.extend(desktop_size_rect(size));
    stream.extend([&rect_header(Rect::new(49, 3, 1, 1), TIGHT)[..], &[0x80, 0xff, 0, 0]].concat());
    let decoded = decode(&stream);
    assert_eq!(decoded.events, [ServerEvent::Resized(size), end(&[Rect::new(49, 3, 1, 1)])]);
    assert_eq!((decoded.fb.size(), decoded.fb.pixels().iter().sum::<u32>()), (size, RED));
    let same = decode(&[&framebuffer_update_header(1)[..], &desktop_size_rect(screen())].concat());
    assert_eq!(same.events, [end(&[])], "the same size is no news");
}

#[test]
fn extended_sizes_bring_monitors_and_a_failed_request_of_ours_changes_nothing() {
    let monitors = [
        ScreenArea { id: 1, rect: Rect::new(0, 0, 30, 9), flags: 0 },
        ScreenArea { id: 9, rect: Rect::new(30, 0, 30, 9), flags: 4 },
    ];
    let (size, wide) = (Size::new(60, 9).unwrap(), Size::new(7, 7).unwrap());
    let mut decoder = ServerDecoder::new(screen(), PixelFormat::NATIVE);
    let mut fb = Framebuffer::new(screen());
    let stream = [&framebuffer_update_header(2)[..], &extended_desktop_size_rect(2, 0, size, &monitors)].concat();
    assert_eq!(decoder.feed(&stream, &mut fb), Ok((stream.len(), Some(ServerEvent::Resized(size)))));
    let refused = extended_desktop_size_rect(1, 3, wide, &[]);
    assert_eq!(decoder.feed(&refused, &mut fb), Ok((refused.len(), Some(end(&[])))));
    assert_eq!((decoder.size(), decoder.screens(), fb.size()), (size, &monitors[..], size));
}

#[test]
fn screens_beyond_the_limits_are_refused() {
    for (width, height) in [(0, 5), (5, 0), (16_384, 16_384), (65_535, 1)] {
        let place = Rect::new(0, 0, width, height);
        assert!(matches!(refused(place, DESKTOP_SIZE, &[]), DecodeError::ScreenSize(_)));
        assert!(matches!(refused(place, EXTENDED_DESKTOP_SIZE, &[0; 4]), DecodeError::ScreenSize(_)));
    }
}

#[test]
fn cut_text_and_colour_maps_are_skipped_by_their_length() {
    let text = |length: u32, count: usize| [&[3, 0, 0, 0][..], &length.to_be_bytes(), &vec![2; count]].concat();
    let colours = [&[1, 0, 0, 250, 0, 20][..], &[2; 20 * 6]].concat();
    let stream = [text(0, 0), text(70_000, 70_000), text(5u32.wrapping_neg(), 5), colours, bell().to_vec()].concat();
    let decoded = decode(&stream);
    assert_eq!((decoded.error, decoded.events), (None, vec![ServerEvent::Bell]));
}

#[test]
fn a_colour_map_gives_indices_their_colours_and_later_entries_leave_what_stands() {
    let mapped = PixelFormat { bits_per_pixel: 8, depth: 8, true_colour: false, ..PixelFormat::NATIVE };
    let entries = |first: u8, red: u8| vec![1, 0, 0, first, 0, 2, red, 0, 0, 0, 0, 0, 0, 0, red, 0, 0, 0];
    let stream = [
        entries(254, 0xff),
        update(Rect::new(0, 0, 3, 1), RAW, &[255, 254, 0]),
        entries(255, 0x80),
        update(Rect::new(1, 0, 2, 1), COPY_RECT, &[0, 0, 0, 0]),
        update(Rect::new(0, 0, 1, 1), TIGHT, &[0x80, 255]),
    ]
    .concat();
    for piece in [1, 5, usize::MAX] {
        let decoded = decode_all(&stream, screen(), mapped, piece);
        assert_eq!(decoded.error, None);
        assert_eq!(decoded.fb.pixels()[..4], [0x0080_0000, GREEN, RED, 0]);
    }
}

#[test]
fn a_resize_in_the_last_rectangle_and_the_end_of_its_update_come_from_the_same_byte() {
    let mut decoder = ServerDecoder::new(screen(), PixelFormat::NATIVE);
    let mut fb = Framebuffer::new(screen());
    let size = Size::new(8, 8).unwrap();
    let stream = [&framebuffer_update_header(1)[..], &desktop_size_rect(size)].concat();
    assert_eq!(decoder.feed(&stream, &mut fb), Ok((stream.len(), Some(ServerEvent::Resized(size)))));
    assert_eq!(decoder.feed(&[], &mut fb), Ok((0, Some(end(&[])))));
    assert_eq!(decoder.feed(&[], &mut fb), Ok((0, None)));
}

#[test]
fn the_decoder_knows_whether_a_message_has_begun() {
    let mut decoder = ServerDecoder::new(screen(), PixelFormat::NATIVE);
    let mut fb = Framebuffer::new(screen());
    let stream = update(Rect::new(0, 0, 2, 1), RAW, &[0; 8]);
    for (at, byte) in stream.iter().enumerate() {
        assert_eq!(decoder.is_inside_message(), at > 0);
        decoder.feed(&[*byte], &mut fb).unwrap();
    }
    assert!(!decoder.is_inside_message());
}

#[test]
fn a_framebuffer_of_another_size_is_replaced() {
    let mut fb = Framebuffer::new(Size::new(3, 3).unwrap());
    let stream = update(Rect::new(39, 19, 1, 1), RAW, &[1, 0, 0, 0]);
    ServerDecoder::new(screen(), PixelFormat::NATIVE).feed(&stream, &mut fb).unwrap();
    assert_eq!((fb.size(), fb.pixels().last()), (screen(), Some(&1)));
}

/// Bytes that often are messages and rectangles, with anything in between.
fn nearly_valid() -> impl Strategy<Value = Vec<u8>> {
    let encoding = prop_oneof![
        Just(RAW),
        Just(COPY_RECT),
        Just(HEXTILE),
        Just(TIGHT),
        Just(ZRLE),
        Just(DESKTOP_SIZE),
        Just(EXTENDED_DESKTOP_SIZE)
    ];
    let rect = (0u16..30, 0u16..12, 0u16..12, 0u16..12, encoding)
        .prop_map(|(x, y, width, height, encoding)| rect_header(Rect::new(x, y, width, height), encoding).to_vec());
    let header = (0u16..4).prop_map(|count| framebuffer_update_header(count).to_vec());
    let noise = prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..60);
    prop::collection::vec(prop_oneof![3 => rect, 2 => header, 3 => noise], 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_bytes_end_in_an_error_or_a_wait_and_pieces_do_not_matter(bytes in nearly_valid(), piece in 1usize..40, mapped: bool) {
        let format = PixelFormat { true_colour: !mapped, ..PixelFormat::NATIVE };
        let whole = decode_all(&bytes, screen(), format, usize::MAX);
        let pieces = decode_all(&bytes, screen(), format, piece);
        prop_assert_eq!(whole.events, pieces.events);
        prop_assert_eq!(whole.error, pieces.error);
    }
}
