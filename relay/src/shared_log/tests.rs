use super::*;
use bytes::{BufMut, BytesMut};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::tiles::{TILE_PX, TileGrid};
use treevnc_protocol::update::{Content, ENCODING_ZRLE, Picture, Screen};

const SESSION: SessionId = SessionId(7);

fn grid() -> TileGrid {
    TileGrid::new(Size::new(4 * TILE_PX, TILE_PX).unwrap())
}

fn screen(seq: u64) -> Update {
    let content = Content::Screen(Screen { size: grid().size(), name: String::new() });
    Update { seq: Seq(seq), sent: Duration::ZERO, check: false, content }
}

fn picture(seq: u64, tiles: std::ops::Range<usize>, bytes_per_tile: u32) -> Update {
    let mut out = BytesMut::new();
    for tile in tiles.clone() {
        let rect = grid().tile(tile);
        [rect.x, rect.y, rect.width, rect.height].into_iter().for_each(|field| out.put_u16(field));
        out.put_i32(ENCODING_ZRLE);
        out.put_u32(bytes_per_tile);
        out.put_bytes(0, bytes_per_tile as usize);
    }
    let content = Content::Picture(Picture::new(u16::try_from(tiles.len()).unwrap(), out.freeze()));
    Update { seq: Seq(seq), sent: Duration::ZERO, check: false, content }
}

/// Appends a frame that paints everything with so many bytes per tile.
fn publish(log: &SharedLog, bytes_per_tile: u32) -> Seq {
    let head = log.with(|log| log.head());
    let first = if head == Seq::NONE {
        log.append(screen(1), Seq::NONE).unwrap();
        2
    } else {
        head.0 + 1
    };
    log.append(picture(first, 0..4, bytes_per_tile), Seq(first)).unwrap();
    Seq(first)
}

fn is_ready<F: Future>(future: F) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn newcomer() -> Cursor {
    Cursor::new(SESSION, Seq::NONE)
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_an_update_and_by_another_session() {
    let log = SharedLog::new(SESSION);
    let mut reader = log.reader(ReaderKind::Viewer, newcomer());
    let mut child = log.reader(ReaderKind::Child, newcomer());
    let (batch, seq) = tokio::join!(reader.next(), async { publish(&log, 10) });
    assert_eq!(batch.entries.last().unwrap().update().seq, seq);
    drop(batch);
    let (batch, ()) = tokio::join!(reader.next(), async {
        log.replace(SessionId(8));
        publish(&log, 10);
    });
    assert_eq!((batch.session, batch.entries.len()), (SessionId(8), 2));
    // A child's own log is of the session before.
    assert!(!child.is_over() && child.try_next().is_none() && child.is_over());
}

#[test]
fn a_wait_that_is_given_up_takes_nothing() {
    let log = SharedLog::new(SESSION);
    let mut reader = log.reader(ReaderKind::Local, newcomer());
    assert!(!is_ready(reader.next()));
    let seq = publish(&log, 10);
    assert_eq!(reader.try_next().unwrap().entries.last().unwrap().update().seq, seq);
    assert!(reader.try_next().is_none() && !is_ready(reader.log_changed()));
    publish(&log, 10);
    assert!(is_ready(reader.log_changed()));
}

#[test]
fn readers_are_counted_while_they_live() {
    let log = SharedLog::new(SESSION);
    let readers = [log.reader(ReaderKind::Child, newcomer()), log.reader(ReaderKind::Viewer, newcomer())];
    assert_eq!(log.reader_count(), 2);
    drop(readers);
    assert_eq!(log.reader_count(), 0);
}

#[test]
fn a_reader_that_was_rewound_takes_everything_after_that_place_again() {
    let log = SharedLog::new(SESSION);
    let mut reader = log.reader(ReaderKind::Viewer, newcomer());
    publish(&log, 10);
    assert_eq!(reader.try_next().unwrap().entries.len(), 2);
    reader.rewind(Seq(1));
    assert_eq!(reader.try_next().unwrap().entries[0].update().seq, Seq(2));
    reader.rewind(Seq(99));
    assert!(reader.try_next().is_none());
    log.replace(SessionId(8));
    assert!(reader.try_next().is_none());
    reader.rewind(Seq(1));
    publish(&log, 10);
    assert_eq!(reader.try_next().unwrap().entries.len(), 2, "an old place means nothing in a new session");
}

#[test]
fn caught_up_waits_for_one_reader_to_have_sent_not_only_taken() {
    let log = SharedLog::new(SESSION);
    let seq = publish(&log, 10);
    assert!(!is_ready(log.caught_up(seq)), "nobody reads");
    let mut fast = log.reader(ReaderKind::Viewer, newcomer());
    let _slow = log.reader(ReaderKind::Child, newcomer());
    let batch = fast.try_next().unwrap();
    assert!(!is_ready(log.caught_up(seq)));
    fast.sent(&batch);
    assert!(is_ready(log.caught_up(seq)));
    let next = publish(&log, 10);
    assert!(!is_ready(log.caught_up(next)) && is_ready(log.caught_up(seq)));
    log.replace(SessionId(8));
    assert!(!is_ready(log.caught_up(Seq(1))), "numbers of another session do not count");
}

#[test]
fn a_reader_that_comes_with_everything_counts_as_caught_up() {
    let log = SharedLog::new(SESSION);
    let seq = publish(&log, 10);
    let _reader = log.reader(ReaderKind::Child, Cursor::new(SESSION, seq));
    assert!(is_ready(log.caught_up(seq)));
    let other = SharedLog::new(SessionId(8));
    publish(&other, 10);
    let mut reader = other.reader(ReaderKind::Child, Cursor::new(SESSION, seq));
    assert!(!is_ready(other.caught_up(seq)));
    assert_eq!(reader.try_next().unwrap().entries.len(), 2);
}

#[tokio::test]
async fn caught_up_is_woken_by_a_reader_that_has_sent() {
    let log = SharedLog::new(SESSION);
    let seq = publish(&log, 10);
    let mut reader = log.reader(ReaderKind::Child, newcomer());
    tokio::join!(log.caught_up(seq), async {
        let batch = reader.next().await;
        reader.sent(&batch);
    });
}

#[test]
fn all_entries_are_the_live_ones_and_those_that_wait_behind_them() {
    let log = SharedLog::new(SESSION);
    let seq = publish(&log, 10);
    log.append(picture(seq.0 + 1, 0..1, 10), Seq::NONE).unwrap();
    assert_eq!(log.all_entries().iter().map(|entry| entry.update().seq.0).collect::<Vec<_>>(), [1, 2, 3]);
}

/// Takes a batch that the log soon drops; the reader and what it holds.
fn stuck(log: &SharedLog, kind: ReaderKind) -> (LogReader, Arc<treevnc_protocol::log::Batch>) {
    publish(log, 1000);
    let mut reader = log.reader(kind, newcomer());
    let batch = reader.try_next().unwrap();
    (reader, batch)
}

#[test]
fn above_the_budget_the_viewer_with_the_oldest_batch_is_told_to_close_and_nobody_else() {
    let log = SharedLog::with_budget(SESSION, 10_000);
    let (_child, _batch) = stuck(&log, ReaderKind::Child);
    let mut viewers = VecDeque::from([stuck(&log, ReaderKind::Viewer)]);
    publish(&log, 1000);
    let mut told = vec![viewers[0].0.eviction()];
    let told_now = |told: &mut Vec<Eviction>| told.iter_mut().map(|e| is_ready(e.told())).collect::<Vec<_>>();
    assert_eq!(told_now(&mut told), [false], "two batches of 4 kB are below the budget");
    for _ in 0..2 {
        viewers.push_back(stuck(&log, ReaderKind::Viewer));
        told.push(viewers.back().unwrap().0.eviction());
    }
    publish(&log, 1000);
    publish(&log, 1000);
    assert!(log.bytes().batches > 16_000);
    assert_eq!(told_now(&mut told), [true, false, false], "one at a time");
    let (reader, batch) = viewers.pop_front().unwrap();
    drop(batch);
    drop(reader);
    assert_eq!(told_now(&mut told), [true, true, false], "still above, so the next goes");
    let (reader, batch) = viewers.pop_front().unwrap();
    drop(batch);
    drop(reader);
    assert!(log.bytes().batches <= 10_000);
    assert!(!told_now(&mut told)[2]);
}

#[test]
fn the_child_with_the_oldest_batch_is_told_to_close_when_no_viewer_holds_one() {
    let log = SharedLog::with_budget(SESSION, 100);
    let local = stuck(&log, ReaderKind::Local);
    let mut children: VecDeque<_> = (0..2).map(|_| stuck(&log, ReaderKind::Child)).collect();
    let viewer = stuck(&log, ReaderKind::Viewer);
    publish(&log, 1000);
    let told = |reader: &LogReader| is_ready(reader.eviction().told());
    let children_told = |children: &VecDeque<(LogReader, _)>| children.iter().map(|(reader, _)| told(reader)).collect::<Vec<_>>();
    assert!(children_told(&children)[0], "it was alone when the budget was passed");
    assert_eq!((children_told(&children), told(&viewer.0)), (vec![true, false], false));
    let let_go = |(reader, batch): (LogReader, Arc<treevnc_protocol::log::Batch>)| {
        drop(batch);
        drop(reader);
    };
    children.pop_front().map(let_go);
    assert_eq!((children_told(&children), told(&viewer.0)), (vec![false], true), "a viewer goes before a child");
    let_go(viewer);
    assert_eq!(children_told(&children), [true]);
    children.pop_front().map(let_go);
    assert!(!told(&local.0));
}

#[test]
fn batches_of_an_earlier_session_still_count() {
    let log = SharedLog::with_budget(SESSION, 10_000);
    let held: Vec<_> = (0..2).map(|_| stuck(&log, ReaderKind::Viewer)).collect();
    log.replace(SessionId(8));
    let bytes = log.bytes();
    assert!(bytes.held == 0 && (8_000..10_000).contains(&bytes.batches), "{bytes:?}");
    let (third, _batch) = stuck(&log, ReaderKind::Viewer);
    log.replace(SessionId(9));
    let told = |reader: &LogReader| is_ready(reader.eviction().told());
    assert_eq!((told(&held[0].0), told(&held[1].0), told(&third)), (true, false, false));
}
