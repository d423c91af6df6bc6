//! The codec on recorded screens: a node that decodes every update, and an ordinary viewer that reads them as one stream, both see
//! every frame as it was.
#![allow(clippy::unwrap_used, reason = "a test")]

use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::tiles::{TileGrid, TileSet};
use treevnc_protocol::update::{MAX_RECTS_BYTES, Picture, RECT_HEADER_BYTES};
use treevnc_protocol::zrle::{Decoder, Effort, Encoder, StreamDecoder, bands, primer};

/// An ordinary viewer.
struct Viewer {
    stream: StreamDecoder,
    fb: Framebuffer,
}

impl Viewer {
    fn new(fb: Framebuffer) -> Self {
        let mut viewer = Self { stream: StreamDecoder::new(), fb };
        viewer.rect(Rect::new(0, 0, 1, 1), &primer(&PixelFormat::NATIVE)[RECT_HEADER_BYTES..]);
        viewer
    }

    fn rect(&mut self, rect: Rect, data: &[u8]) {
        self.stream.decode_rect(rect, data, &PixelFormat::NATIVE, &mut self.fb).unwrap();
    }

    fn update(&mut self, update: &Picture) {
        update.iter().for_each(|(rect, data)| self.rect(rect, &data));
    }
}

#[test]
fn every_frame_reaches_nodes_and_ordinary_viewers_unchanged() {
    for name in treevnc_recording::CLIPS {
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
        let mut screens: Option<(Framebuffer, Viewer)> = None;
        for (number, frame) in treevnc_recording::clip(name).unwrap().take(5).enumerate() {
            let frame = frame.unwrap();
            let (screen, viewer) = screens.get_or_insert_with(|| {
                let black = Framebuffer::new(frame.picture.size());
                (black.clone(), Viewer::new(black))
            });
            let effort = Effort::of(&frame.picture, &frame.changed);
            for band in bands(&frame.changed, 1 + number % 3) {
                encoder.encode_part(&frame.picture, &band, effort, &mut |update| {
                    assert!(update.rects().len() <= MAX_RECTS_BYTES);
                    decoder.decode(&update, screen).unwrap();
                    viewer.update(&update);
                });
            }
            assert!(*screen == frame.picture && viewer.fb == frame.picture, "{name}, frame {number}");
        }
    }
}

#[test]
fn a_screen_of_text_is_a_handful_of_updates_and_a_typed_character_is_one() {
    let updates = |name: &str| {
        let frame = treevnc_recording::clip(name).unwrap().last().unwrap().unwrap();
        let mut encoder = Encoder::new();
        let mut count = |tiles| {
            let mut updates = Vec::new();
            encoder.encode(&frame.picture, tiles, &mut |update| updates.push(update));
            (updates.len(), updates.iter().map(|update| update.rects().len()).sum::<usize>())
        };
        (count(&TileSet::full(TileGrid::new(frame.picture.size()))), count(&frame.changed))
    };
    let ((full, full_bytes), _) = updates("terminal");
    assert!((4..=7).contains(&full) && full_bytes < 200_000, "{full} updates, {full_bytes} bytes");
    let (_, (typed, typed_bytes)) = updates("typing");
    assert!(typed == 1 && typed_bytes < 2000, "{typed} updates, {typed_bytes} bytes");
}
