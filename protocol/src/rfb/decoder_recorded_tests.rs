//! What real servers sent (tests/data/rfb/README.md), decoded and compared with the Raw picture of the same moment.

use super::super::encoding::*;
use super::tests::decode_all;
use super::*;
use proptest::prelude::*;
use std::io::Read;

/// A recorded session: what a server sent after the handshake, and what it sent to a client that asked for Raw at its end.
struct Recording {
    name: &'static str,
    format: PixelFormat,
    encoding: i32,
    session: &'static [u8],
    picture: &'static [u8],
}

macro_rules! recording {
    ($name:literal, $picture:literal, $format:expr, $encoding:expr) => {
        Recording {
            name: $name,
            format: $format,
            encoding: $encoding,
            session: include_bytes!(concat!("../../tests/data/rfb/", $name, ".rfb.z")),
            picture: include_bytes!(concat!("../../tests/data/rfb/", $picture, ".raw.z")),
        }
    };
}

const RGBX: PixelFormat = PixelFormat { red_shift: 0, blue_shift: 16, ..PixelFormat::NATIVE };
const RGB565_BIG_ENDIAN: PixelFormat = PixelFormat {
    bits_per_pixel: 16,
    depth: 16,
    big_endian: true,
    red_max: 31,
    green_max: 63,
    blue_max: 31,
    red_shift: 11,
    green_shift: 5,
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
const MAPPED: PixelFormat = PixelFormat { true_colour: false, ..BGR233 };

fn recordings() -> Vec<Recording> {
    let native = PixelFormat::NATIVE;
    vec![
        recording!("xvnc-hextile", "xvnc", native, HEXTILE),
        recording!("xvnc-hextile565", "xvnc565", RGB565_BIG_ENDIAN, HEXTILE),
        recording!("xvnc-tight", "xvnc", native, TIGHT),
        recording!("xvnc-tight-rgbx", "xvnc", RGBX, TIGHT),
        recording!("xvnc-tight8", "xvnc-tight8", BGR233, TIGHT),
        recording!("xvnc-zrle", "xvnc", native, ZRLE),
        recording!("xvnc-zrle565", "xvnc565", RGB565_BIG_ENDIAN, ZRLE),
        recording!("xvnc-copyrect", "xvnc-copyrect", native, ZRLE),
        recording!("xvnc-resize", "xvnc-resize", native, EXTENDED_DESKTOP_SIZE),
        recording!("x11vnc-hextile", "x11vnc", native, HEXTILE),
        recording!("x11vnc-tight", "x11vnc", native, TIGHT),
        recording!("x11vnc-tight565", "x11vnc-tight565", RGB565_BIG_ENDIAN, TIGHT),
        recording!("x11vnc-zrle", "x11vnc", native, ZRLE),
        recording!("x11vnc-mapped-hextile", "x11vnc-mapped", MAPPED, HEXTILE),
        recording!("x11vnc-mapped-zrle", "x11vnc-mapped", MAPPED, ZRLE),
        recording!("tightvnc-tight-gradient", "tightvnc-tight-gradient", native, TIGHT),
        recording!("tightvnc-hextile", "tightvnc-hextile", native, HEXTILE),
    ]
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

/// The size all recordings begin with.
fn first_size() -> Size {
    Size::new(208, 131).unwrap()
}

/// The picture that the server sent as Raw. Only the same shades of a 24-bit screen can be compared in another order of channels.
fn picture(recording: &Recording, size: Size) -> Framebuffer {
    let format = if recording.format == RGBX { PixelFormat::NATIVE } else { recording.format };
    let decoded = decode_all(&unpacked(recording.picture), size, format, usize::MAX);
    assert_eq!(decoded.error, None);
    decoded.fb
}

#[test]
fn every_recorded_session_ends_in_the_servers_own_picture() {
    for recording in recordings() {
        let session = unpacked(recording.session);
        let whole = decode_all(&session, first_size(), recording.format, usize::MAX);
        assert_eq!(whole.error, None, "{}", recording.name);
        assert!(whole.fb == picture(&recording, whole.fb.size()), "{}", recording.name);
        assert!(matches!(whole.events.last(), Some(ServerEvent::UpdateEnd { damage }) if !damage.is_empty()));
        assert!(whole.fb.pixels().iter().any(|&pixel| pixel != 0));
        for size in [1, 3, 1448] {
            assert!(
                decode_all(&session, first_size(), recording.format, size) == whole,
                "{} in pieces of {size}",
                recording.name
            );
        }
    }
}

#[test]
fn the_recordings_hold_the_encodings_that_they_are_named_after() {
    for recording in recordings() {
        let session = unpacked(recording.session);
        let number = |at: usize| session.get(at..at + 4).map(|bytes| i32::from_be_bytes(bytes.try_into().unwrap()));
        // The colour map comes first: 256 entries of 6 bytes.
        let update = if recording.format == MAPPED { 6 + 256 * 6 } else { 0 };
        assert_eq!(number(update + 12), Some(recording.encoding), "{}", recording.name);
    }
    let copied = unpacked(recordings().iter().find(|recording| recording.name == "xvnc-copyrect").unwrap().session);
    assert!(zrle_session_encodings(&copied).contains(&COPY_RECT));
}

/// The encodings of all rectangles in a session of ZRLE and CopyRect.
fn zrle_session_encodings(session: &[u8]) -> Vec<i32> {
    let mut reader = Reader::new(session);
    let mut encodings = Vec::new();
    while let Some(header) = reader.u32() {
        for _ in 0..header & 0xffff {
            let encoding = reader.rect().and_then(|_| reader.i32()).unwrap();
            let data = if encoding == ZRLE { reader.u32().unwrap() } else { 4 };
            reader.bytes(usize::try_from(data).unwrap()).unwrap();
            encodings.push(encoding);
        }
    }
    encodings
}

#[test]
fn a_servers_resize_is_reported_with_its_monitors() {
    let recording = recordings().into_iter().find(|recording| recording.name == "xvnc-resize").unwrap();
    let mut decoder = ServerDecoder::new(first_size(), recording.format);
    let mut fb = Framebuffer::new(first_size());
    let session = unpacked(recording.session);
    let mut rest = &session[..];
    let mut sizes = Vec::new();
    while !rest.is_empty() {
        let (taken, event) = decoder.feed(rest, &mut fb).unwrap();
        rest = &rest[taken..];
        if let Some(ServerEvent::Resized(size)) = event {
            assert_eq!((fb.size(), fb.pixels().iter().max()), (size, Some(&0)), "a black picture of the new size");
            sizes.push(size);
        }
    }
    assert_eq!(sizes, [Size::new(180, 120).unwrap()]);
    let places: Vec<Rect> = decoder.screens().iter().map(|screen| screen.rect).collect();
    assert_eq!(places, [Rect::new(0, 0, 90, 120), Rect::new(90, 0, 90, 120)]);
}

#[test]
fn recordings_cut_short_are_waited_for() {
    for recording in recordings() {
        let session = unpacked(recording.session);
        let events = decode_all(&session, first_size(), recording.format, usize::MAX).events;
        for cut in (0..session.len()).step_by(session.len() / 41).chain([session.len() - 1]) {
            let short = decode_all(&session[..cut], first_size(), recording.format, usize::MAX);
            assert_eq!(short.error, None);
            assert!(short.events.len() < events.len() && events.starts_with(&short.events), "{} cut at {cut}", recording.name);
        }
    }
}

proptest! {
    #[test]
    fn flipped_bits_in_recordings_never_panic_and_pieces_do_not_matter(
        which in 0usize..17, flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..4), piece in 1usize..2000
    ) {
        let recording = &recordings()[which];
        let mut session = unpacked(recording.session);
        for (at, bit) in flips {
            let length = session.len();
            session[at.index(length)] ^= 1 << bit;
        }
        let whole = decode_all(&session, first_size(), recording.format, usize::MAX);
        let pieces = decode_all(&session, first_size(), recording.format, piece);
        prop_assert!(whole.fb.pixels().iter().all(|pixel| pixel >> 24 == 0));
        prop_assert_eq!(whole.events, pieces.events);
        prop_assert_eq!(whole.error, pieces.error);
    }
}
