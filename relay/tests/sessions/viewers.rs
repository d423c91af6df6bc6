//! Ordinary viewers: every pixel right in every format, from the start and midway, and nothing but their own link ends by their fault.

use crate::source::{Serving, Source, append_bulk, size};
use crate::viewer::{PATIENCE, RAW, TestViewer, ZRLE};
use std::time::Duration;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{ClientMessage, ServerEvent, encoding};
use treevnc_protocol::update::SessionId;
use treevnc_relay::port::PortOptions;
use treevnc_relay::shared_log::SharedLog;

const RGB: PixelFormat = PixelFormat { red_shift: 0, blue_shift: 16, ..PixelFormat::NATIVE };
const BIG_ENDIAN: PixelFormat = PixelFormat { big_endian: true, ..PixelFormat::NATIVE };
const BIG_ENDIAN_HIGH: PixelFormat = PixelFormat { red_shift: 24, green_shift: 16, blue_shift: 8, ..BIG_ENDIAN };
const LOW_565: PixelFormat = PixelFormat {
    bits_per_pixel: 16,
    depth: 16,
    red_max: 31,
    green_max: 63,
    blue_max: 31,
    red_shift: 11,
    green_shift: 5,
    ..PixelFormat::NATIVE
};
const BIG_565: PixelFormat = PixelFormat { big_endian: true, ..LOW_565 };
const RGB_332: PixelFormat = PixelFormat {
    bits_per_pixel: 8,
    depth: 8,
    red_max: 7,
    green_max: 7,
    blue_max: 3,
    red_shift: 5,
    green_shift: 2,
    ..PixelFormat::NATIVE
};
const FORMATS: [PixelFormat; 7] = [PixelFormat::NATIVE, RGB, BIG_ENDIAN, BIG_ENDIAN_HIGH, LOW_565, BIG_565, RGB_332];

#[tokio::test]
async fn every_format_is_pixel_equal_from_the_start_and_joining_midway() {
    let mut source = Source::new(size(260, 140));
    let serving = Serving::new(&source.log);
    let mut viewers = Vec::new();
    for half in 0..2 {
        for format in FORMATS {
            viewers.push(TestViewer::connect(serving.addr, format, &ZRLE).await);
            viewers.push(TestViewer::connect(serving.addr, format, &RAW).await);
        }
        for step in 0..3 {
            source.change(Rect::new(step * 70, step * 30 + half * 20, 70, 50));
            for viewer in &mut viewers {
                viewer.show(&source.fb).await;
            }
        }
    }
    assert_eq!(viewers.len(), 4 * FORMATS.len());
}

#[tokio::test]
async fn a_colour_mapped_viewer_gets_a_palette_and_the_nearest_colours() {
    let mut source = Source::new(size(200, 100));
    let serving = Serving::new(&source.log);
    let mapped = PixelFormat { bits_per_pixel: 8, depth: 8, true_colour: false, ..PixelFormat::NATIVE };
    for encodings in [&ZRLE[..], &RAW] {
        let mut viewer = TestViewer::connect(serving.addr, mapped, encodings).await;
        // Its decoder turns indices into the palette's colours: those of the nearest 332 value.
        viewer.format = RGB_332;
        viewer.show(&source.fb).await;
        source.change(Rect::new(0, 0, 90, 90));
        viewer.show(&source.fb).await;
    }
}

#[tokio::test]
async fn a_viewer_is_told_the_screens_name_and_follows_its_size() {
    let mut source = Source::new(size(300, 200));
    let serving = Serving::new(&source.log);
    let mut plain = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    let mut extended = TestViewer::connect(serving.addr, RGB, &[encoding::ZRLE, encoding::EXTENDED_DESKTOP_SIZE]).await;
    let mut raw = TestViewer::connect(serving.addr, LOW_565, &RAW).await;
    assert_eq!((plain.init.size, plain.init.name.as_str()), (size(300, 200), "test"));
    for (width, height) in [(100, 500), (640, 400), (64, 64)] {
        for viewer in [&mut plain, &mut extended, &mut raw] {
            viewer.show(&source.fb).await;
        }
        source.begin_screen(size(width, height), "test");
        for viewer in [&mut plain, &mut extended, &mut raw] {
            viewer.show(&source.fb).await;
        }
        source.change(Rect::new(0, 0, 60, 60));
    }
}

#[tokio::test]
async fn a_viewer_without_desktop_size_keeps_its_size_and_sees_what_fits() {
    let mut source = Source::new(size(300, 200));
    let serving = Serving::new(&source.log);
    let mut fixed = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &[encoding::ZRLE]).await;
    let mut other = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    fixed.show(&source.fb).await;
    source.begin_screen(size(300, 200), "another of the same size");
    fixed.show(&source.fb).await;
    for (width, height) in [(200, 300), (400, 400), (64, 64), (300, 200)] {
        source.begin_screen(size(width, height), "another size");
        fixed.show(&fitted(&source.fb, size(300, 200))).await;
        source.change(Rect::new(10, 10, 60, 60));
        fixed.show(&fitted(&source.fb, size(300, 200))).await;
        other.show(&source.fb).await;
    }
}

/// The top left of a picture at another size, black beyond.
fn fitted(fb: &Framebuffer, size: Size) -> Framebuffer {
    let mut fitted = Framebuffer::new(size);
    for (to, from) in fitted.pixels_mut().chunks_mut(size.width().into()).zip(fb.pixels().chunks(fb.size().width().into())) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
    fitted
}

#[tokio::test]
async fn a_small_region_is_answered_with_what_is_there_now() {
    let mut source = Source::new(size(300, 200));
    let serving = Serving::new(&source.log);
    let mut viewer = TestViewer::connect(serving.addr, RGB, &ZRLE).await;
    viewer.show(&source.fb).await;
    viewer.fb.fill(Rect::new(0, 0, 300, 200), 0x0012_3456);
    let rect = Rect::new(33, 60, 70, 20);
    viewer.say(ClientMessage::FramebufferUpdateRequest { incremental: false, rect }).await;
    assert_eq!(viewer.update().await, [rect]);
    for y in 0..200 {
        for x in 0..300 {
            let inside = Rect::new(x, y, 1, 1).intersection(rect).is_some();
            let at = usize::from(y) * 300 + usize::from(x);
            let expected = if inside { source.fb.pixels()[at] } else { 0x0012_3456 };
            assert_eq!(viewer.fb.pixels()[at], expected, "at {x},{y}");
        }
    }
    viewer.ask(false).await;
    source.change(Rect::new(50, 50, 50, 50));
    viewer.show(&source.fb).await;
}

#[tokio::test]
async fn a_viewer_that_comes_before_the_first_picture_waits_for_it() {
    let log = SharedLog::new(SessionId(1));
    let serving = Serving::new(&log);
    let mut source = None;
    let (mut viewer, ()) = tokio::join!(TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE), async {
        // The connection waits already, or will: both must do.
        tokio::task::yield_now().await;
        source = Some(Source::of(log.clone(), size(100, 100)));
    });
    viewer.show(&source.unwrap().fb).await;
}

#[tokio::test]
async fn a_restarted_root_is_followed() {
    let mut source = Source::new(size(300, 200));
    let serving = Serving::new(&source.log);
    let mut viewer = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    viewer.show(&source.fb).await;
    viewer.ask(true).await;
    source.log.replace(SessionId(99));
    source.begin_screen(size(200, 220), "after the restart");
    assert!(matches!(viewer.hear().await, Some(ServerEvent::Resized(new)) if new == size(200, 220)));
    viewer.show(&source.fb).await;
}

#[tokio::test]
async fn keys_pointer_and_clipboard_go_nowhere_and_hold_nothing_up() {
    let mut source = Source::new(size(300, 200));
    let serving = Serving::new(&source.log);
    let mut viewer = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    for x in 0..2000 {
        viewer.say(ClientMessage::PointerEvent { buttons: 1, x, y: 7 }).await;
        viewer.say(ClientMessage::KeyEvent { down: true, key: 0x61 }).await;
    }
    viewer.say(ClientMessage::CutText(vec![b'x'; 100_000])).await;
    source.change(Rect::new(0, 0, 90, 90));
    viewer.show(&source.fb).await;
}

#[tokio::test]
async fn a_viewer_that_speaks_nonsense_is_closed_and_others_are_not() {
    let source = Source::new(size(300, 200));
    let serving = Serving::new(&source.log);
    let mut good = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    let too_many = ClientMessage::SetEncodings(vec![0; 5000]);
    let three_bits = PixelFormat { bits_per_pixel: 3, ..PixelFormat::NATIVE };
    for hostile in [too_many, ClientMessage::SetPixelFormat(three_bits)] {
        let mut viewer = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
        viewer.say(hostile).await;
        assert_eq!(viewer.hear().await, None);
    }
    good.show(&source.fb).await;
}

#[tokio::test]
async fn a_viewer_that_asks_and_never_reads_is_closed_in_time() {
    let log = SharedLog::new(SessionId(1));
    append_bulk(&log, 200);
    let options = PortOptions { stall_timeout: Duration::from_millis(200), ..PortOptions::default() };
    let serving = Serving::with_options(&log, options);
    let mut viewer = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    tokio::time::timeout(PATIENCE, async {
        // Each request is answered with another part of the picture, until nothing more fits into the connection.
        while viewer.try_ask(true).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(log.reader_count(), 0);
}

#[tokio::test]
async fn a_viewer_that_holds_an_old_picture_is_closed_when_memory_runs_short() {
    let log = SharedLog::with_budget(SessionId(1), 1_000_000);
    append_bulk(&log, 200);
    let serving = Serving::new(&log);
    let mut viewer = TestViewer::connect(serving.addr, PixelFormat::NATIVE, &ZRLE).await;
    viewer.ask(true).await;
    let mut first = [0; 1];
    viewer.read_raw(&mut first).await;
    assert_eq!(log.reader_count(), 1, "it holds a batch of which it asked for a part");
    append_bulk(&log, 200);
    while viewer.read_raw(&mut [0; 65_536]).await > 0 {}
    assert_eq!((log.reader_count(), log.bytes().batches), (0, 0));
}
