//! ZRLE as another implementation writes it: captured from TigerVNC's Xvnc (see `data/README.md`).
#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::Read;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::wire::Reader;
use treevnc_protocol::zrle::{StreamDecoder, ZrleError};

struct Capture {
    format: PixelFormat,
    size: Size,
    raw: Vec<u8>,
    rects: Vec<u8>,
}

fn capture(name: &str) -> Capture {
    let path = format!("{}/tests/data/xvnc-{name}.zrle", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap();
    let mut reader = Reader::new(&bytes);
    let format = PixelFormat::decode(&reader.array().unwrap()).unwrap();
    let size = Size::new(reader.u16().unwrap(), reader.u16().unwrap()).unwrap();
    let length = reader.u32().unwrap() as usize;
    let mut raw = Vec::new();
    flate2::read::ZlibDecoder::new(reader.bytes(length).unwrap()).read_to_end(&mut raw).unwrap();
    Capture { format, size, raw, rects: reader.rest().to_vec() }
}

fn play(capture: &Capture, rects: &[u8], fb: &mut Framebuffer) -> Result<usize, ZrleError> {
    let mut stream = StreamDecoder::new();
    let mut reader = Reader::new(rects);
    let mut count = 0;
    while let Some(rect) = reader.rect() {
        assert_eq!(reader.i32(), Some(16));
        let length = reader.u32().unwrap() as usize;
        stream.decode_rect(rect, reader.bytes(length).unwrap(), &capture.format, fb)?;
        count += 1;
    }
    Ok(count)
}

#[test]
fn what_xvnc_sends_shows_the_screen_it_sends_as_raw() {
    for name in ["bgr", "rgb", "high", "sixteen", "eight"] {
        let capture = capture(name);
        let (mut found, mut expected) = (Framebuffer::new(capture.size), Framebuffer::new(capture.size));
        assert!(play(&capture, &capture.rects, &mut found).unwrap() >= 4, "{name}");
        capture.format.read_pixels(&capture.raw, expected.pixels_mut());
        assert!(expected.pixels().iter().any(|&rgb| rgb != expected.pixels()[0]));
        assert!(found == expected, "{name}");
    }
}

#[test]
fn a_damaged_stream_never_panics_and_is_mostly_noticed() {
    let capture = capture("eight");
    let mut noticed = 0;
    for bit in (0..capture.rects.len() * 8).step_by(97) {
        let mut bad = capture.rects.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let mut reader = Reader::new(&bad);
        let (mut stream, mut fb) = (StreamDecoder::new(), Framebuffer::new(capture.size));
        let mut failed = false;
        while let Some(rect) = reader.rect().filter(|_| !failed) {
            let Some(data) = reader.i32().and_then(|_| reader.u32()).and_then(|length| reader.bytes(length as usize)) else {
                break;
            };
            failed = stream.decode_rect(rect, data, &capture.format, &mut fb).is_err();
        }
        noticed += usize::from(failed);
    }
    assert!(noticed > 40, "{noticed}");
}
