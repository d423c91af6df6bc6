use super::*;
use crate::picture::paint;
use bytes::Bytes;
use treevnc_protocol::log::memory::{MOST_TIMES_LIVE, SLACK_BYTES};
use treevnc_protocol::update::{Picture, SessionId};

fn publisher(threads: usize) -> Publisher {
    Publisher::with_threads(SharedLog::new(SessionId(7)), SessionClock::start(), threads)
}

fn size(width: u16, height: u16) -> Size {
    Size::new(width, height).unwrap()
}

/// The picture that the log's updates paint.
fn painted(log: &SharedLog) -> Framebuffer {
    paint(&log.all_entries()).unwrap().expect("a screen")
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn side(&mut self, below: u16) -> u16 {
        u16::try_from(self.next(u64::from(below))).unwrap()
    }

    /// Paints noise or a plain colour somewhere, and answers where.
    fn paint(&mut self, fb: &mut Framebuffer) -> Rect {
        let size = fb.size();
        let (x, y) = (self.side(size.width()), self.side(size.height()));
        let rect = Rect::new(x, y, 1 + self.side(size.width() - x), 1 + self.side(size.height() - y));
        let colour = u32::try_from(self.next(1 << 24)).unwrap();
        fb.fill(rect, colour);
        if self.next(2) == 0 {
            for row in 0..rect.height {
                fb.row_mut(rect, row).iter_mut().for_each(|pixel| *pixel = u32::try_from(self.next(1 << 24)).unwrap());
            }
        }
        rect
    }
}

#[test]
fn the_logs_picture_is_the_frame_after_every_frame_and_on_any_number_of_threads() {
    for threads in [1, 3] {
        let mut publisher = publisher(threads);
        let mut random = Random(0x1234_5678_9abc_def1);
        for (width, height) in [(1100, 1000), (200, 130), (1, 1), (1920, 900)] {
            let mut fb = Framebuffer::new(size(width, height));
            for _ in 0..5 {
                let damage = [random.paint(&mut fb), random.paint(&mut fb)];
                publisher.publish_frame(&fb, &damage).unwrap();
                assert!(painted(publisher.log()) == fb, "{width}x{height} on {threads} threads");
                let (complete, head) = publisher.log().with(|log| (log.complete(), log.head()));
                assert!(complete == head && head == publisher.seq());
            }
        }
    }
}

#[test]
fn a_small_change_is_one_update_and_an_unchanged_picture_is_none() {
    let mut publisher = publisher(2);
    let mut fb = Framebuffer::new(size(1920, 1080));
    publisher.publish_frame(&fb, &[]).unwrap();
    fb.fill(Rect::new(650, 460, 9, 16), 0xff_ff_ff);
    let published = publisher.publish_frame(&fb, &[Rect::new(641, 449, 20, 30)]).unwrap();
    assert_eq!((published.tiles, published.updates), (1, 1));
    assert!(published.bytes < 200, "{published:?}");
    let seq = publisher.seq();
    assert_eq!(publisher.publish_frame(&fb, &[fb.size().rect()]).unwrap(), Published::default());
    assert_eq!(publisher.seq(), seq);
}

#[test]
fn a_screen_appears_together_with_its_first_picture_and_once() {
    let mut publisher = publisher(1);
    let mut fb = Framebuffer::new(size(300, 200));
    publisher.begin_screen(fb.size(), "lab7");
    assert_eq!(publisher.log().with(|log| log.head()), Seq::NONE);
    publisher.publish_frame(&fb, &[]).unwrap();
    assert_eq!(publisher.log().with(|log| log.screen().unwrap().name.clone()), "lab7");
    let seq = publisher.seq();
    publisher.begin_screen(fb.size(), "lab7");
    assert_eq!(publisher.publish_frame(&fb, &[fb.size().rect()]).unwrap().updates, 0);
    fb.fill(Rect::new(0, 0, 300, 200), 9);
    publisher.begin_screen(fb.size(), "lab8");
    assert_eq!(
        publisher.log().with(|log| log.screen().unwrap().name.clone()),
        "lab7",
        "the old picture stays until the new one is there"
    );
    assert_eq!(publisher.publish_frame(&fb, &[]).unwrap().updates, 2);
    assert_eq!(publisher.seq(), Seq(seq.0 + 2));
    assert!(painted(publisher.log()) == fb);
}

#[test]
fn a_large_frame_is_in_the_log_before_it_is_complete() {
    let log = SharedLog::new(SessionId(1));
    let outbox = Outbox::new(&log, SessionClock::start(), Seq::NONE);
    let screen = |name: &str| Content::Screen(Screen { size: size(64, 64), name: name.to_owned() });
    outbox.put(screen("first"));
    assert_eq!(log.with(|log| log.head()), Seq::NONE, "one is held back");
    outbox.put(screen("second"));
    assert_eq!(log.with(|log| (log.head(), log.complete())), (Seq(1), Seq::NONE));
    let sent = outbox.finish(None);
    assert_eq!(log.with(|log| (log.head(), log.complete())), (Seq(2), Seq(2)));
    assert_eq!((sent.seq, sent.updates), (Seq(2), 2));
}

#[test]
fn after_a_refusal_nothing_more_of_the_frame_is_sent() {
    let log = SharedLog::new(SessionId(1));
    let outbox = Outbox::new(&log, SessionClock::start(), Seq::NONE);
    outbox.put(Content::Picture(Picture::new(1, Bytes::from_static(b"pixels before any screen"))));
    outbox.put(Content::Screen(Screen { size: size(64, 64), name: String::new() }));
    let sent = outbox.finish(None);
    assert!(sent.result.is_err());
    assert_eq!((sent.seq, log.with(|log| log.head())), (Seq::NONE, Seq::NONE));
}

#[test]
fn the_log_stays_small_when_all_but_a_few_tiles_are_painted_over() {
    let mut publisher = publisher(2);
    let mut random = Random(0xfeed_beef_0bad_cafe);
    let mut fb = Framebuffer::new(size(1100, 900));
    let grid = TileGrid::new(fb.size());
    let mut again = 0;
    let mut publish = |fb: &Framebuffer| {
        again += publisher.publish_frame(fb, &[fb.size().rect()]).unwrap().tiles_again;
        let (held, live) = publisher.log().with(|log| (log.held_bytes(), log.live_bytes()));
        assert!(held <= MOST_TIMES_LIVE * live + SLACK_BYTES, "{held} held for {live} live");
        assert!(painted(publisher.log()) == *fb);
    };
    for round in 0..4 {
        fb.pixels_mut().iter_mut().for_each(|pixel| *pixel = u32::try_from(random.next(16)).unwrap());
        publish(&fb);
        (0..grid.tile_count()).filter(|tile| tile % 9 != round).for_each(|tile| fb.fill(grid.tile(tile), 5));
        publish(&fb);
    }
    assert!(again > 0, "the test never came to the bound");
}

/// What a log of checks was told.
#[derive(Debug, Default)]
struct Told(std::sync::Mutex<Vec<(Seq, u64)>>);

impl CheckLog for Told {
    fn sent(&self, seq: Seq, began: Duration, bytes: u64) {
        assert!(began < Duration::from_secs(600));
        self.0.lock().unwrap().push((seq, bytes));
    }
}

#[test]
fn a_check_is_the_last_update_of_a_frame_and_is_told_of_once() {
    let mut publisher = publisher(1);
    let mut fb = Framebuffer::new(size(1000, 700));
    let (told, mut random) = (Arc::new(Told::default()), Random(77));
    publisher.check_next();
    publisher.publish_frame(&fb, &[]).unwrap();
    assert!(publisher.log().all_entries().iter().all(|entry| !entry.update().check), "nobody is told");
    publisher.set_check_log(Arc::clone(&told) as Arc<dyn CheckLog>);
    let (mut seqs, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        publisher.check_next();
        let damage = [random.paint(&mut fb)];
        bytes.push(publisher.publish_frame(&fb, &damage).unwrap().bytes as u64);
        seqs.push(publisher.log().with(|log| log.complete()));
        let damage = [random.paint(&mut fb)];
        publisher.publish_frame(&fb, &damage).unwrap();
    }
    assert_eq!(*told.0.lock().unwrap(), seqs.into_iter().zip(bytes).collect::<Vec<_>>());
    let last = told.0.lock().unwrap().last().unwrap().0;
    assert!(publisher.log().all_entries().iter().any(|entry| entry.update().seq == last), "the newest is kept");
}

#[test]
fn a_probe_sends_about_so_much_of_the_present_picture_again() {
    let mut publisher = publisher(2);
    let told = Arc::new(Told::default());
    publisher.set_check_log(Arc::clone(&told) as Arc<dyn CheckLog>);
    assert_eq!(publisher.probe(1000).unwrap(), Published::default(), "there is nothing to send yet");
    let mut fb = Framebuffer::new(size(1280, 1024));
    let mut random = Random(5);
    // Everywhere as hard to compress: what a part costs is known as an average only.
    fb.pixels_mut().iter_mut().for_each(|pixel| *pixel = u32::try_from(random.next(1 << 24)).unwrap() & 0x000f_0f0f);
    let whole = publisher.publish_frame(&fb, &[]).unwrap().bytes;
    for wanted in [1, 20_000, 200_000] {
        let sent = publisher.probe(wanted).unwrap().bytes;
        assert!(sent >= wanted / 2 && sent < wanted * 2 + 40_000, "{sent} bytes for {wanted}");
        assert!(painted(publisher.log()) == fb);
    }
    let all = publisher.probe(usize::MAX).unwrap();
    assert!(all.bytes > whole / 2 && all.tiles == 320, "{all:?}, {whole} bytes at first");
    assert_eq!(told.0.lock().unwrap().len(), 4);
}
