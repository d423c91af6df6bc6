//! The machine alone: a log, a viewer that believes every byte, and any order of events.

use super::*;
use crate::shared_log::{LogReader, ReaderKind, SharedLog};
use bytes::Buf;
use std::future::Future;
use std::task::{Context, Waker};
use std::time::Duration;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::log::Cursor;
use treevnc_protocol::tiles::{TileGrid, TileSet};
use treevnc_protocol::update::{Picture, Screen, SessionId, Update};
use treevnc_protocol::wire::Reader;
use treevnc_protocol::zrle::{Encoder, StreamDecoder};

const RGB: PixelFormat = PixelFormat { red_shift: 0, blue_shift: 16, ..PixelFormat::NATIVE };
const BIG_ENDIAN: PixelFormat = PixelFormat { big_endian: true, ..PixelFormat::NATIVE };
const HIGH_565: PixelFormat = PixelFormat {
    bits_per_pixel: 16,
    depth: 16,
    red_max: 31,
    green_max: 63,
    blue_max: 31,
    red_shift: 11,
    green_shift: 5,
    ..PixelFormat::NATIVE
};
const LOW_222: PixelFormat = PixelFormat {
    bits_per_pixel: 8,
    depth: 6,
    red_max: 3,
    green_max: 3,
    blue_max: 3,
    red_shift: 4,
    green_shift: 2,
    ..PixelFormat::NATIVE
};
const MAPPED: PixelFormat = PixelFormat { bits_per_pixel: 8, depth: 8, true_colour: false, ..PixelFormat::NATIVE };
const MAPPED_32: PixelFormat = PixelFormat { true_colour: false, ..PixelFormat::NATIVE };

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u16) -> u16 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u16::try_from((self.0 >> 33) % u64::from(bound)).unwrap()
    }
}

/// Publishes pictures; a frame may be left half published.
struct Painter {
    log: SharedLog,
    session: u64,
    fb: Framebuffer,
    encoder: Encoder,
    rest_of_frame: Vec<Picture>,
}

impl Painter {
    fn new(size: Size) -> Self {
        let log = SharedLog::new(SessionId(1));
        let mut painter =
            Self { log, session: 1, fb: Framebuffer::new(size), encoder: Encoder::new(), rest_of_frame: Vec::new() };
        painter.begin_screen(size);
        painter.finish_frame();
        painter
    }

    fn append(&self, content: Content, is_last: bool) {
        let seq = Seq(self.log.with(|log| log.head()).0 + 1);
        let update = Update { seq, sent: Duration::ZERO, check: false, content };
        assert!(self.log.append(update, if is_last { seq } else { Seq::NONE }).unwrap());
    }

    fn begin_screen(&mut self, size: Size) {
        self.rest_of_frame.clear();
        self.fb = Framebuffer::new(size);
        self.append(Content::Screen(Screen { size, name: String::new() }), false);
        self.prepare(&TileSet::full(TileGrid::new(size)));
    }

    fn restart(&mut self, size: Size) {
        self.session += 1;
        self.log.replace(SessionId(self.session));
        self.begin_screen(size);
    }

    /// Makes the pictures of a frame, one per tile row at most, so that there are several.
    fn prepare(&mut self, tiles: &TileSet) {
        for band in treevnc_protocol::zrle::bands(tiles, 4) {
            let rest = &mut self.rest_of_frame;
            self.encoder.encode(&self.fb, &band, &mut |picture| rest.push(picture));
        }
        self.rest_of_frame.reverse();
    }

    fn change(&mut self, rect: Rect, random: &mut Random) {
        self.finish_frame();
        let inside = rect.intersection(self.fb.size().rect()).unwrap_or(Rect::new(0, 0, 1, 1));
        let colours = [0x00ff_0000, 0x0000_ff00, 0x0000_00ff, 0x00ff_ffff, u32::from(random.below(u16::MAX))];
        for row in 0..inside.height {
            self.fb.row_mut(inside, row).fill_with(|| colours[usize::from(random.below(5))]);
        }
        let grid = TileGrid::new(self.fb.size());
        let mut tiles = TileSet::new(grid);
        tiles.extend(grid.touched(inside));
        self.prepare(&tiles);
    }

    fn publish_one(&mut self) {
        if let Some(picture) = self.rest_of_frame.pop() {
            self.append(Content::Picture(picture), self.rest_of_frame.is_empty());
        }
    }

    fn finish_frame(&mut self) {
        while !self.rest_of_frame.is_empty() {
            self.publish_one();
        }
    }
}

/// An RFB viewer of the simplest kind: one zlib stream for ever, and it shows what it is told.
struct Shown {
    fb: Framebuffer,
    format: PixelFormat,
    stream: StreamDecoder,
    updates: usize,
    palettes: usize,
    painted_px: usize,
    rects: Vec<(i32, Rect)>,
}

impl Shown {
    fn new(size: Size) -> Self {
        let (fb, stream) = (Framebuffer::new(size), StreamDecoder::new());
        Self { fb, format: PixelFormat::NATIVE, stream, updates: 0, palettes: 0, painted_px: 0, rects: Vec::new() }
    }

    fn apply(&mut self, bytes: &[u8]) {
        let mut reader = Reader::new(bytes);
        self.rects.clear();
        match reader.u8().unwrap() {
            0 => {
                let count = reader.bytes(1).and_then(|_| reader.u16()).unwrap();
                assert!(count > 0, "an empty update");
                (0..count).for_each(|_| self.rect(&mut reader));
                self.updates += 1;
            }
            1 => {
                assert_eq!(reader.bytes(5 + 256 * 6).unwrap()[..5], [0, 0, 0, 1, 0]);
                self.palettes += 1;
            }
            other => panic!("message {other}"),
        }
        assert!(reader.rest().is_empty());
    }

    fn rect(&mut self, reader: &mut Reader<'_>) {
        let (rect, number) = (reader.rect().unwrap(), reader.i32().unwrap());
        self.rects.push((number, rect));
        match number {
            encoding::RAW => {
                assert!(rect.is_within(self.fb.size()));
                for row in 0..rect.height {
                    let bytes = reader.bytes(usize::from(rect.width) * self.format.bytes_per_pixel()).unwrap();
                    self.format.read_pixels(bytes, self.fb.row_mut(rect, row));
                }
            }
            encoding::ZRLE => {
                self.painted_px += rect.area();
                let length = reader.u32().unwrap();
                let data = reader.bytes(length as usize).unwrap();
                self.stream.decode_rect(rect, data, &self.format, &mut self.fb).unwrap();
            }
            encoding::DESKTOP_SIZE => self.fb = Framebuffer::new(Size::new(rect.width, rect.height).unwrap()),
            encoding::EXTENDED_DESKTOP_SIZE => {
                assert_eq!(reader.bytes(20).unwrap()[0], 1);
                let size = Size::new(rect.width, rect.height).unwrap();
                if size != self.fb.size() {
                    self.fb = Framebuffer::new(size);
                }
            }
            other => panic!("encoding {other}"),
        }
    }

    /// How many pixels differ from a picture, in this viewer's precision; where it is smaller than the viewer, that must be black.
    fn differing(&self, fb: &Framebuffer) -> usize {
        if self.fb.size() != fb.size() {
            let mut inside = Framebuffer::new(self.fb.size());
            for y in 0..self.fb.size().height() {
                let (from, to) = (Rect::new(0, y, fb.size().width(), 1), Rect::new(0, y, self.fb.size().width(), 1));
                inside.row_mut(to, 0).iter_mut().zip(fb.row(from, 0)).for_each(|(to, from)| *to = *from);
            }
            return self.differing(&inside);
        }
        let same = |(&shown, &is): (&u32, &u32)| shown == self.format.to_rgb(self.format.from_rgb(is));
        self.fb.pixels().iter().zip(fb.pixels()).filter(|&pair| !same(pair)).count()
    }
}

/// The machine between a log and what a viewer shows.
struct Session {
    painter: Painter,
    reader: LogReader,
    machine: OrdinaryViewer,
    shown: Shown,
}

impl Session {
    fn new(size: Size) -> Self {
        let painter = Painter::new(size);
        let reader = painter.log.reader(ReaderKind::Viewer, Cursor::new(SessionId(1), Seq::NONE));
        Self { painter, reader, machine: OrdinaryViewer::new(size), shown: Shown::new(size) }
    }

    fn hear(&mut self, encodings: &[i32]) {
        self.machine.handle_message(ClientMessage::SetEncodings(encodings.to_vec()));
    }

    fn set_format(&mut self, format: PixelFormat) {
        self.machine.handle_message(ClientMessage::SetPixelFormat(format));
        self.shown.format = if format.true_colour { format } else { palette::stand_in(&format) };
    }

    fn ask(&mut self, incremental: bool, rect: Rect) {
        self.machine.handle_message(ClientMessage::FramebufferUpdateRequest { incremental, rect });
    }

    fn ask_all(&mut self, incremental: bool) {
        let rect = self.shown.fb.size().rect();
        self.ask(incremental, rect);
    }

    /// Carries out one step; whether something was sent.
    fn step(&mut self) -> bool {
        let Step::Send(mut outgoing) = self.machine.poll(&mut self.reader) else { return false };
        let mut pieces = outgoing.encode().unwrap();
        let length = pieces.remaining();
        let bytes = pieces.copy_to_bytes(length);
        self.shown.apply(&bytes);
        true
    }

    /// Asks for what is new until nothing is.
    fn settle(&mut self) {
        self.painter.finish_frame();
        loop {
            self.ask_all(true);
            if !self.step() {
                return;
            }
        }
    }

    /// The viewer shows the screen, at the screen's size.
    fn assert_equal(&self) {
        assert_eq!(self.shown.fb.size(), self.painter.fb.size());
        assert_eq!(self.shown.differing(&self.painter.fb), 0, "pixels differ");
    }
}

fn size(width: u16, height: u16) -> Size {
    Size::new(width, height).unwrap()
}

const ALL_FORMATS: [PixelFormat; 7] = [PixelFormat::NATIVE, RGB, BIG_ENDIAN, HIGH_565, LOW_222, MAPPED, MAPPED_32];
const ZRLE: [i32; 3] = [encoding::RAW, encoding::ZRLE, encoding::DESKTOP_SIZE];
const RAW: [i32; 1] = [encoding::DESKTOP_SIZE];
const CAPABILITIES: [&[i32]; 5] = [&ZRLE, &RAW, &[encoding::ZRLE, encoding::EXTENDED_DESKTOP_SIZE], &[encoding::ZRLE], &[]];

#[test]
fn whatever_happens_in_whatever_order_the_viewer_ends_with_the_right_picture() {
    let sizes = [size(200, 130), size(130, 200), size(64, 64), size(300, 70)];
    for seed in 0..100 {
        let mut random = Random(seed);
        let mut session = Session::new(sizes[usize::from(random.below(4))]);
        session.machine.limits = Limits { bytes: 1500, converted_tiles: 3, rects: 10 };
        session.hear(if random.below(2) == 0 { &ZRLE } else { &RAW });
        for _ in 0..60 {
            let rect = Rect::new(random.below(300), random.below(300), 1 + random.below(200), 1 + random.below(200));
            match random.below(24) {
                0..6 => session.painter.publish_one(),
                6..9 => session.painter.change(rect, &mut random),
                9 if random.below(3) == 0 => session.painter.begin_screen(sizes[usize::from(random.below(4))]),
                10 if random.below(6) == 0 => session.painter.restart(sizes[usize::from(random.below(4))]),
                11 => {
                    session.set_format(ALL_FORMATS[usize::from(random.below(7))]);
                    session.ask_all(false);
                }
                12 => session.hear(CAPABILITIES[usize::from(random.below(5))]),
                13 => session.ask(false, rect),
                14 => session.ask_all(false),
                15..18 => session.ask_all(true),
                _ => drop(session.step()),
            }
        }
        session.settle();
        assert_eq!(session.shown.differing(&session.painter.fb), 0, "seed {seed}");
    }
}

#[test]
fn every_format_shows_the_picture_in_zrle_and_raw() {
    for format in ALL_FORMATS {
        for encodings in [&ZRLE[..], &RAW] {
            let mut session = Session::new(size(300, 200));
            session.set_format(format);
            session.hear(encodings);
            session.ask_all(false);
            session.settle();
            session.assert_equal();
            session.painter.change(Rect::new(10, 70, 200, 80), &mut Random(1));
            session.settle();
            session.assert_equal();
            assert_eq!(session.shown.palettes, usize::from(!format.true_colour));
        }
    }
}

#[test]
fn nothing_is_sent_that_was_not_asked_for_and_a_request_waits_for_news() {
    let mut session = Session::new(size(200, 100));
    session.hear(&ZRLE);
    assert!(matches!(session.machine.poll(&mut session.reader), Step::WaitForViewer));
    session.ask_all(false);
    session.ask_all(true);
    assert!(session.step());
    assert!(!session.step(), "two requests at once are one");
    session.ask_all(true);
    assert!(matches!(session.machine.poll(&mut session.reader), Step::WaitForLog));
    session.painter.change(Rect::new(0, 0, 10, 10), &mut Random(1));
    session.painter.finish_frame();
    assert!(session.step() && !session.step());
    session.assert_equal();
}

#[test]
fn the_primer_comes_once_and_first_in_the_viewers_format() {
    let mut session = Session::new(size(200, 100));
    session.set_format(HIGH_565);
    session.hear(&ZRLE);
    session.ask_all(false);
    assert!(session.step());
    assert_eq!(session.shown.rects[0], (encoding::ZRLE, Rect::new(0, 0, 1, 1)));
    session.set_format(PixelFormat::NATIVE);
    session.ask_all(false);
    assert!(session.step());
    assert!(!session.shown.rects.contains(&(encoding::ZRLE, Rect::new(0, 0, 1, 1))));
    session.assert_equal();
}

#[test]
fn a_viewer_that_turns_to_zrle_late_gets_everything_again_after_the_primer() {
    let mut session = Session::new(size(200, 100));
    session.hear(&RAW);
    session.painter.change(Rect::new(0, 0, 200, 100), &mut Random(1));
    session.ask_all(false);
    session.settle();
    session.hear(&ZRLE);
    session.painter.change(Rect::new(100, 70, 5, 5), &mut Random(2));
    session.settle();
    session.assert_equal();
}

#[test]
fn an_update_ends_at_its_limit_and_the_batch_goes_on_in_the_next() {
    let mut session = Session::new(size(300, 300));
    session.machine.limits.bytes = 1;
    session.hear(&ZRLE);
    session.painter.change(Rect::new(0, 0, 300, 300), &mut Random(1));
    session.painter.finish_frame();
    session.ask_all(false);
    while session.shown.updates < 4 {
        assert!(session.step());
        let pictures = session.shown.rects.iter().filter(|(_, rect)| rect.width > 1).count();
        assert!(pictures <= 2, "one update of the log at a time");
        session.ask_all(true);
    }
    session.settle();
    session.assert_equal();
}

#[test]
fn a_viewer_that_asks_for_everything_every_time_sees_the_bottom_too() {
    let mut session = Session::new(size(200, 300));
    session.machine.limits.bytes = 1;
    session.hear(&ZRLE);
    for step in 0..40 {
        session.painter.change(Rect::new(0, 0, 200, 300), &mut Random(step));
        session.painter.finish_frame();
        session.ask_all(false);
        session.step();
    }
    let bottom = Rect::new(0, 256, 200, 44);
    assert!((0..44).any(|row| session.shown.fb.row(bottom, row).iter().any(|&pixel| pixel != 0)));
}

#[test]
fn a_small_region_is_raw_and_takes_nothing_back_that_came_after_the_complete_point() {
    let mut session = Session::new(size(300, 300));
    session.hear(&ZRLE);
    session.ask_all(false);
    session.settle();
    session.painter.change(Rect::new(0, 0, 300, 300), &mut Random(1));
    session.painter.publish_one();
    session.ask_all(true);
    assert!(session.step(), "the first part of a frame");
    let region = Rect::new(10, 10, 50, 60);
    session.ask(false, region);
    assert!(session.step());
    assert_eq!(session.shown.rects, [(encoding::RAW, region)]);
    session.settle();
    session.assert_equal();
}

#[test]
fn regions_join_and_a_large_one_means_the_whole_screen() {
    let mut session = Session::new(size(1000, 600));
    session.hear(&ZRLE);
    session.ask_all(false);
    session.settle();
    session.ask(false, Rect::new(10, 10, 10, 10));
    session.ask(false, Rect::new(40, 30, 10, 10));
    assert!(session.step() && !session.step());
    assert_eq!(session.shown.rects, [(encoding::RAW, Rect::new(10, 10, 40, 30))]);
    session.ask(false, Rect::new(10, 10, 10, 10));
    session.ask(false, Rect::new(900, 500, 65_000, 65_000));
    assert!(session.step());
    assert!(session.shown.rects.iter().all(|(number, _)| *number == encoding::ZRLE));
    session.ask(false, Rect::new(5000, 0, 10, 10));
    session.settle();
    session.assert_equal();
}

#[test]
fn another_size_is_told_alone() {
    let mut session = Session::new(size(200, 100));
    session.hear(&[encoding::ZRLE, encoding::EXTENDED_DESKTOP_SIZE]);
    session.ask_all(false);
    assert!(session.step());
    assert_eq!(session.shown.rects[0], (encoding::EXTENDED_DESKTOP_SIZE, Rect::new(0, 0, 200, 100)));
    session.settle();
    session.painter.begin_screen(size(100, 300));
    session.painter.finish_frame();
    session.ask_all(true);
    assert!(session.step());
    assert_eq!(session.shown.rects, [(encoding::EXTENDED_DESKTOP_SIZE, Rect::new(0, 0, 100, 300))]);
    session.settle();
    session.assert_equal();
    session.hear(&ZRLE);
    session.painter.begin_screen(size(300, 100));
    session.ask_all(true);
    assert!(session.step());
    assert_eq!(session.shown.rects, [(encoding::DESKTOP_SIZE, Rect::new(0, 0, 300, 100))]);
}

#[test]
fn after_a_resize_the_request_for_everything_sends_everything_once() {
    let mut session = Session::new(size(200, 100));
    session.hear(&ZRLE);
    session.ask_all(false);
    session.settle();
    session.shown.painted_px = 0;
    session.painter.begin_screen(size(300, 300));
    session.painter.publish_one();
    session.ask_all(true);
    assert!(session.step(), "the new size comes before the new picture is whole");
    session.ask_all(false);
    assert!(session.step());
    session.settle();
    session.assert_equal();
    assert_eq!(session.shown.painted_px, 300 * 300);
}

#[test]
fn a_request_for_everything_before_a_new_screen_is_whole_does_not_bring_the_old_one_back() {
    let mut session = Session::new(size(200, 100));
    session.hear(&ZRLE);
    session.ask_all(false);
    session.settle();
    session.painter.begin_screen(size(300, 300));
    session.painter.publish_one();
    session.ask_all(true);
    assert!(session.step(), "the new size");
    for _ in 0..6 {
        session.ask_all(false);
        session.step();
    }
    assert_eq!(session.shown.fb.size(), size(300, 300));
    session.settle();
    session.assert_equal();
}

#[test]
fn a_region_of_a_screen_that_is_gone_is_answered_by_the_new_size() {
    let mut session = Session::new(size(200, 100));
    session.hear(&ZRLE);
    session.ask_all(false);
    session.settle();
    session.painter.begin_screen(size(100, 300));
    session.painter.finish_frame();
    session.ask(false, Rect::new(150, 20, 10, 10));
    assert!(session.step());
    assert_eq!(session.shown.rects, [(encoding::DESKTOP_SIZE, Rect::new(0, 0, 100, 300))]);
}

#[test]
fn a_batch_that_holds_nothing_for_the_viewer_counts_as_sent() {
    let mut session = Session::new(size(200, 100));
    session.hear(&ZRLE);
    session.ask_all(false);
    session.settle();
    session.painter.append(Content::Screen(Screen { size: size(200, 100), name: "another".to_owned() }), true);
    session.ask_all(true);
    assert!(!session.step());
    let head = session.painter.log.with(|log| log.head());
    let mut caught_up = std::pin::pin!(session.painter.log.caught_up(head));
    assert!(caught_up.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn a_request_to_resize_the_presenters_screen_is_declined() {
    let mut session = Session::new(size(200, 100));
    session.hear(&[encoding::ZRLE, encoding::EXTENDED_DESKTOP_SIZE]);
    session.ask_all(false);
    session.settle();
    session.machine.handle_message(ClientMessage::SetDesktopSize { width: 10, height: 10, areas: Vec::new() });
    session.painter.change(Rect::new(0, 0, 9, 9), &mut Random(1));
    session.settle();
    assert_eq!(session.shown.rects[0], (encoding::EXTENDED_DESKTOP_SIZE, Rect::new(1, 1, 200, 100)));
}

#[test]
fn a_finished_batch_is_reported_with_its_last_update() {
    let mut session = Session::new(size(200, 100));
    session.hear(&ZRLE);
    session.ask_all(false);
    let Step::Send(outgoing) = session.machine.poll(&mut session.reader) else { panic!("nothing to send") };
    assert_eq!(outgoing.finishes.unwrap().entries.len(), 1 + session.painter.log.with(|log| log.live().count()) - 1);
}

#[test]
fn a_viewer_that_cannot_be_resized_gets_what_fits_and_black_beyond() {
    for format in [PixelFormat::NATIVE, RGB, HIGH_565] {
        for encodings in [&[encoding::ZRLE][..], &[]] {
            let mut session = Session::new(size(200, 130));
            session.set_format(format);
            session.hear(encodings);
            session.painter.change(Rect::new(0, 0, 200, 130), &mut Random(1));
            session.ask_all(false);
            session.settle();
            for (width, height) in [(100, 70), (300, 260), (64, 300), (300, 20), (200, 130)] {
                session.painter.begin_screen(size(width, height));
                session.painter.change(Rect::new(0, 0, width, height), &mut Random(2));
                session.settle();
                assert_eq!(
                    (session.shown.fb.size(), session.shown.differing(&session.painter.fb)),
                    (size(200, 130), 0),
                    "{width}"
                );
                session.painter.change(Rect::new(width - 9, height - 9, 9, 9), &mut Random(3));
                session.painter.change(Rect::new(0, 0, 9, 9), &mut Random(4));
                session.settle();
                assert_eq!(session.shown.differing(&session.painter.fb), 0, "{width}");
                session.ask(false, Rect::new(60, 60, 80, 60));
                session.settle();
                session.ask_all(false);
                session.settle();
                assert_eq!(session.shown.differing(&session.painter.fb), 0, "{width}");
            }
        }
    }
}

#[test]
fn changes_that_such_a_viewer_cannot_see_send_nothing() {
    let mut session = Session::new(size(100, 100));
    session.hear(&[encoding::ZRLE]);
    session.painter.begin_screen(size(400, 400));
    session.painter.finish_frame();
    session.ask_all(false);
    session.settle();
    session.painter.change(Rect::new(130, 0, 270, 400), &mut Random(1));
    session.painter.finish_frame();
    session.ask_all(true);
    assert!(!session.step());
    session.painter.change(Rect::new(0, 0, 270, 400), &mut Random(1));
    session.painter.finish_frame();
    assert!(session.step());
    assert_eq!(session.shown.differing(&session.painter.fb), 0);
    assert!(session.shown.rects.iter().all(|(_, rect)| rect.is_within(size(100, 100))));
}

#[test]
fn a_viewer_that_learns_to_be_resized_is_told_and_gets_everything() {
    let mut session = Session::new(size(200, 100));
    session.hear(&[encoding::ZRLE]);
    session.painter.begin_screen(size(300, 70));
    session.ask_all(false);
    session.settle();
    assert_eq!(session.shown.fb.size(), size(200, 100));
    session.hear(&ZRLE);
    session.ask_all(true);
    assert!(session.step());
    assert_eq!(session.shown.rects, [(encoding::DESKTOP_SIZE, Rect::new(0, 0, 300, 70))]);
    session.settle();
    session.assert_equal();
}
