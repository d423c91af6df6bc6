//! The format: what is written comes back, byte for byte as documented, and nothing a file holds does harm.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

use std::io::Write;
use std::time::Duration;

use proptest::prelude::*;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_recording::{Recording, RecordingError, Writer};

fn noise(size: Size, seed: u32) -> Framebuffer {
    let mut picture = Framebuffer::new(size);
    let mut state = seed;
    for pixel in picture.pixels_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *pixel = state >> 8;
    }
    picture
}

fn smooth(size: Size) -> Framebuffer {
    let mut picture = Framebuffer::new(size);
    let width = u32::from(size.width());
    for (pixel, n) in picture.pixels_mut().iter_mut().zip(0u32..) {
        let (x, y) = (n % width, n / width);
        *pixel = u32::from_be_bytes([0, (x * 3) as u8, (x + y) as u8, (x * y / 7) as u8]);
    }
    picture
}

/// Three frames: a smooth one, one with a noisy corner, one with a flat band.
fn sample() -> (Vec<Framebuffer>, Vec<u8>) {
    let size = Size::new(150, 70).unwrap();
    let first = smooth(size);
    let mut second = first.clone();
    second.copy_rect_from(&noise(size, 7), Rect::new(100, 50, 50, 20));
    let mut third = second.clone();
    third.fill(Rect::new(0, 10, 60, 5), 0x00ff_8000);
    let frames = vec![first, second, third];
    let mut writer = Writer::new(Vec::new(), size, "sample").unwrap();
    for (picture, at) in frames.iter().zip([0, 40, 1000]) {
        assert!(writer.push(Duration::from_millis(at), picture).unwrap());
    }
    (frames, writer.finish())
}

#[test]
fn frames_come_back_with_their_times_and_changes() {
    let (frames, bytes) = sample();
    let recording = Recording::new(bytes.as_slice()).unwrap();
    assert_eq!((recording.name(), recording.size()), ("sample", Size::new(150, 70).unwrap()));
    let read: Vec<_> = recording.map(Result::unwrap).collect();
    assert_eq!(read.iter().map(|f| f.at.as_millis()).collect::<Vec<_>>(), [0, 40, 1000]);
    assert_eq!(
        read.iter().map(|f| f.changed.iter().collect()).collect::<Vec<Vec<_>>>(),
        [vec![0, 1, 2, 3, 4, 5], vec![1, 2, 4, 5], vec![0]]
    );
    assert!(read.iter().map(|f| &f.picture).eq(&frames));
}

#[test]
fn an_unchanged_picture_is_not_written_and_another_size_is_refused() {
    let size = Size::new(64, 64).unwrap();
    let mut writer = Writer::new(Vec::new(), size, "").unwrap();
    assert!(writer.push(Duration::ZERO, &Framebuffer::new(size)).unwrap());
    assert!(!writer.push(Duration::from_millis(1), &Framebuffer::new(size)).unwrap());
    let other = Framebuffer::new(Size::new(64, 65).unwrap());
    assert!(matches!(writer.push(Duration::ZERO, &other), Err(RecordingError::FrameSize { .. })));
    assert_eq!(Recording::new(writer.finish().as_slice()).unwrap().count(), 1);
}

#[test]
fn bytes_made_by_hand_from_the_documentation_are_read() {
    let unpacked = [0, 1, 0, 0, 1, 10, 20, 5, 0, 250, 0]; // one tile 2x1, predicted: G 10 30, R-G 5 5, B-G -6 -6
    let mut zlib = vec![0x78, 0x01, 0x01, 11, 0, 0xf4, 0xff];
    zlib.extend(unpacked);
    let (a, b) =
        unpacked.iter().fold((1u32, 0u32), |(a, b), &byte| ((a + u32::from(byte)) % 65521, (a + b + u32::from(byte)) % 65521));
    zlib.extend((b << 16 | a).to_be_bytes());
    let mut file = b"TVNCREC\x01\x00\x02\x00\x01\x01x\x00\x00\x01\x00\x00\x00\x00".to_vec();
    file.push(zlib.len().try_into().unwrap());
    file.extend(zlib);
    let frame = Recording::new(file.as_slice()).unwrap().next().unwrap().unwrap();
    assert_eq!(frame.at, Duration::from_millis(256));
    assert_eq!(frame.picture.pixels(), [0x000f_0a04, 0x0023_1e18]);
}

#[test]
fn every_truncation_ends_early_or_with_an_error() {
    let (frames, bytes) = sample();
    let mut whole_frames = 0;
    for end in 0..bytes.len() {
        let Ok(recording) = Recording::new(&bytes[..end]) else { continue };
        let read: Vec<_> = recording.collect();
        let good = read.iter().filter(|frame| frame.is_ok()).count();
        assert!(good < frames.len() && read.len() <= good + 1);
        whole_frames += usize::from(good == read.len());
    }
    assert_eq!(whole_frames, 3, "only a cut between two frames goes unnoticed");
}

#[test]
fn hostile_fields_are_named() {
    let header = |width: u16, height: u16| {
        let mut bytes = b"TVNCREC\x01".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.push(0);
        bytes
    };
    assert!(matches!(Recording::new(b"TVNCREC\x02\0\x01\0\x01\0".as_slice()), Err(RecordingError::NotARecording)));
    assert!(matches!(Recording::new(header(16_384, 16_384).as_slice()), Err(RecordingError::Screen(_))));
    let mut long = header(1, 1);
    long.extend([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    let error = Recording::new(long.as_slice()).unwrap().next().unwrap();
    assert!(matches!(error, Err(RecordingError::FrameLength { length: 0xffff_ffff, .. })));
}

#[test]
fn bytes_beyond_the_last_tile_are_an_error() {
    let file = |surplus: usize| {
        let mut unpacked = vec![0, 1, 0, 0];
        unpacked.extend(vec![0; 1 + 3 * 64 * 64 + surplus]);
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(&unpacked).unwrap();
        let packed = zlib.finish().unwrap();
        let mut file = b"TVNCREC\x01\x00\x40\x00\x40\x00\x00\x00\x00\x00".to_vec();
        file.extend(u32::try_from(packed.len()).unwrap().to_be_bytes());
        file.extend(packed);
        Recording::new(file.as_slice()).unwrap().next().unwrap()
    };
    assert!(file(0).is_ok());
    assert!(matches!(file(1), Err(RecordingError::Length)));
    assert!(matches!(file(10_000_000), Err(RecordingError::Length)));
}

proptest! {
    #[test]
    fn flipped_bits_never_panic(at in 0usize..10_000, bit in 0u8..8) {
        let (_, mut bytes) = sample();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(recording) = Recording::new(bytes.as_slice()) {
            prop_assert!(recording.count() <= 4);
        }
    }

    #[test]
    fn any_two_pictures_come_back(width in 1u16..140, height in 1u16..140, seed: u32) {
        let size = Size::new(width, height).unwrap();
        let pictures = [noise(size, seed), smooth(size)];
        let mut writer = Writer::new(Vec::new(), size, "any").unwrap();
        for picture in &pictures {
            writer.push(Duration::ZERO, picture).unwrap();
        }
        let read: Vec<_> = Recording::new(writer.finish().as_slice()).unwrap().map(|f| f.unwrap().picture).collect();
        prop_assert_eq!(&read[..], &pictures[..read.len()]);
        prop_assert!(read.len() == 2 || pictures[0] == pictures[1]);
    }
}
