use super::simulation::{grid_of, picture_of};
use super::*;
use crate::geometry::Size;
use std::time::Duration;

const SESSION: SessionId = SessionId(1);

fn update(seq: u64, content: Content) -> Update {
    Update { seq: Seq(seq), sent: Duration::ZERO, check: false, content }
}

fn screen(seq: u64, columns: u16, rows: u16) -> Update {
    let size = Size::new(columns * 64, rows * 64).unwrap();
    update(seq, Content::Screen(Screen { size, name: "test".into() }))
}

fn paint(seq: u64, log: &ScreenLog, tiles: &[usize]) -> Update {
    let grid = log.tail_screen.unwrap();
    update(seq, Content::Picture(picture_of(grid, tiles.iter().map(|&tile| (tile, seq)), 100)))
}

/// A log of 4x2 tiles whose tiles were all painted by update 2, complete.
fn painted() -> ScreenLog {
    let mut log = ScreenLog::new(SESSION);
    log.append(screen(1, 4, 2), Seq::NONE).unwrap();
    let all = paint(2, &log, &[0, 1, 2, 3, 4, 5, 6, 7]);
    log.append(all, Seq(2)).unwrap();
    log
}

fn add(log: &mut ScreenLog, seq: u64, tiles: &[usize], until: u64) {
    let update = paint(seq, log, tiles);
    assert!(log.append(update, Seq(until)).unwrap());
}

fn seqs(batch: &Batch) -> Vec<(u64, u64)> {
    batch.entries.iter().map(|e| (e.update().seq.0, batch.until(e).0)).collect()
}

fn live(log: &ScreenLog) -> Vec<u64> {
    log.live().map(|e| e.update().seq.0).collect()
}

#[test]
fn an_update_is_kept_until_its_last_tile_is_painted_over() {
    let mut log = painted();
    add(&mut log, 3, &[0, 1, 2, 3], 3);
    assert_eq!(live(&log), [1, 2, 3]);
    add(&mut log, 4, &[4, 5, 6], 4);
    assert_eq!(live(&log), [1, 2, 3, 4]);
    add(&mut log, 5, &[7], 5);
    assert_eq!(live(&log), [1, 3, 4, 5]);
}

#[test]
fn nothing_is_superseded_before_the_next_complete_point() {
    let mut log = painted();
    add(&mut log, 3, &[0, 1, 2, 3], 0);
    add(&mut log, 4, &[4, 5, 6, 7], 0);
    assert_eq!((live(&log), log.complete()), (vec![1, 2], Seq(2)));
    let mut newcomer = Cursor::new(SESSION, Seq::NONE);
    assert_eq!(seqs(&log.take_batch(&mut newcomer).unwrap()), [(1, 2), (2, 2)]);
    assert_eq!(seqs(&log.take_batch(&mut newcomer).unwrap()), [(3, 0), (4, 0)]);
    assert!(log.take_batch(&mut newcomer).is_none());
    add(&mut log, 5, &[0], 5);
    assert_eq!(live(&log), [1, 3, 4, 5]);
    assert_eq!(seqs(&log.take_batch(&mut newcomer).unwrap()), [(5, 5)]);
}

#[test]
fn a_reader_in_the_middle_of_a_frame_gets_the_rest_with_the_stamp() {
    let mut log = painted();
    let mut reader = Cursor::new(SESSION, Seq(2));
    add(&mut log, 3, &[0], 0);
    assert_eq!(seqs(&log.take_batch(&mut reader).unwrap()), [(3, 0)]);
    add(&mut log, 4, &[1], 0);
    add(&mut log, 5, &[2], 5);
    assert_eq!(seqs(&log.take_batch(&mut reader).unwrap()), [(4, 5), (5, 5)]);
}

#[test]
fn a_slow_reader_skips_what_was_painted_over_and_a_lagging_stamp_is_replaced_by_ours() {
    let mut log = painted();
    let mut slow = Cursor::new(SESSION, Seq(2));
    for seq in 3..100 {
        add(&mut log, seq, &[(seq % 2) as usize], seq);
    }
    assert_eq!(seqs(&log.take_batch(&mut slow).unwrap()), [(98, 99), (99, 99)]);
    add(&mut log, 100, &[3], 110);
    assert_eq!(seqs(&log.take_batch(&mut slow).unwrap()), [(100, 110)]);
    add(&mut log, 101, &[4], 101);
    assert_eq!(log.complete(), Seq(99), "a larger stamp was seen");
    add(&mut log, 110, &[5], 110);
    assert_eq!(log.complete(), Seq(110));
}

#[test]
fn a_new_screen_voids_everything_once_it_is_complete() {
    let mut log = painted();
    log.append(screen(3, 2, 1), Seq::NONE).unwrap();
    assert_eq!(log.screen().unwrap().size, Size::new(256, 128).unwrap());
    assert!(log.append(update(4, Content::Picture(picture_of(grid_of(4, 2), [(7, 4)].into_iter(), 9))), Seq::NONE).is_err());
    add(&mut log, 4, &[0, 1], 4);
    assert_eq!((live(&log), log.screen().unwrap().size), (vec![3, 4], Size::new(128, 64).unwrap()));
}

#[test]
fn only_the_newest_check_is_pinned() {
    let mut log = painted();
    for seq in [3, 5] {
        let mut check = paint(seq, &log, &[0]);
        check.check = true;
        log.append(check, Seq(seq)).unwrap();
        add(&mut log, seq + 1, &[0], seq + 1);
        assert_eq!(live(&log), [1, 2, seq, seq + 1]);
    }
}

#[test]
fn cursors_of_another_session_start_again() {
    let mut log = painted();
    let mut reader = Cursor::new(SessionId(9), Seq(1000));
    assert_eq!(seqs(&log.take_batch(&mut reader).unwrap()), [(1, 2), (2, 2)]);
    assert!(log.is_caught_up(reader));
    let mut ahead = Cursor::new(SESSION, Seq(4));
    add(&mut log, 3, &[0], 3);
    add(&mut log, 4, &[0], 0);
    assert!(log.take_batch(&mut ahead).is_none());
    add(&mut log, 5, &[0], 0);
    assert_eq!(seqs(&log.take_batch(&mut ahead).unwrap()), [(5, 0)]);
}

#[test]
fn bad_updates_are_refused_and_change_nothing() {
    let mut log = ScreenLog::new(SESSION);
    let early = update(1, Content::Picture(picture_of(grid_of(1, 1), [(0, 1)].into_iter(), 9)));
    assert_eq!(log.append(early, Seq::NONE), Err(UpdateError::NoScreen));
    log.append(screen(1, 1, 1), Seq::NONE).unwrap();
    let next = paint(5, &log, &[0]);
    assert_eq!(log.append(next.clone(), Seq(4)), Err(UpdateError::Until(Seq(5), Seq(4))));
    assert!(log.append(next.clone(), Seq(5)).unwrap());
    assert!(!log.append(next, Seq(5)).unwrap(), "known already");
}

#[test]
fn logs_that_share_their_updates_are_as_those_that_have_their_own() {
    let (mut parent, mut own, mut sharing) = (painted(), ScreenLog::new(SESSION), ScreenLog::new(SESSION));
    let (mut at, mut stray) = (Cursor::new(SESSION, Seq::NONE), None);
    for seq in 3..20 {
        add(&mut parent, seq, &[(seq % 3) as usize, 7], if seq % 2 == 0 { seq } else { 0 });
        for batch in parent.take_batch(&mut at).iter() {
            for entry in &batch.entries {
                let until = batch.until(entry);
                assert_eq!(sharing.append_shared(entry, until), own.append(entry.update().clone(), until));
                assert_eq!(sharing.append_shared(entry, until), Ok(false), "known already");
                stray = Some(Arc::clone(entry));
            }
        }
        assert_eq!((live(&sharing), sharing.complete()), (live(&own), own.complete()));
        assert!(sharing.live().all(|entry| parent.held.values().any(|held| Arc::ptr_eq(&held.entry, entry))));
    }
    let stray = stray.unwrap();
    assert_eq!(ScreenLog::new(SESSION).append_shared(&stray, Seq::NONE), Err(UpdateError::NoScreen));
    let mut smaller = ScreenLog::new(SESSION);
    smaller.append(screen(1, 2, 1), Seq(1)).unwrap();
    assert!(smaller.append_shared(&stray, Seq::NONE).is_err(), "it does not fit that screen");
    assert_eq!(sharing.append_shared(&stray, Seq(1)), Ok(false));
    let late = ScreenLog::new(SESSION).append_shared(live_entry(&parent, 1), Seq(0));
    assert_eq!(late, Ok(true), "a screen needs no screen before it");
}

fn live_entry(log: &ScreenLog, seq: u64) -> &Arc<Entry> {
    log.live().find(|entry| entry.update().seq == Seq(seq)).unwrap()
}

#[test]
fn one_live_tile_does_not_hold_a_large_update_for_ever() {
    let mut log = ScreenLog::new(SESSION);
    log.append(screen(1, 16, 16), Seq::NONE).unwrap();
    let grid = log.tail_screen.unwrap();
    let mut seq = 1;
    for round in 0..40u64 {
        seq += 1;
        let tiles = (0..256usize).filter(|&t| t as u64 != round).map(|t| (t, seq));
        let big = Content::Picture(picture_of(grid, tiles, 600));
        log.append(update(seq, big), Seq(seq)).unwrap();
        while let Some(again) = log.tiles_to_encode_again() {
            seq += 1;
            let anew = Content::Picture(picture_of(grid, again.iter().map(|t| (t, seq)), 600));
            log.append(update(seq, anew), Seq(seq)).unwrap();
        }
        assert!(log.held_bytes() <= memory::MOST_TIMES_LIVE * log.live_bytes() + memory::SLACK_BYTES);
    }
}

#[test]
fn bytes_that_only_a_batch_holds_are_counted() {
    let mut log = painted();
    let batch = log.take_batch(&mut Cursor::new(SESSION, Seq(1))).unwrap();
    assert_eq!(log.batch_only_bytes(), 0);
    add(&mut log, 3, &[0, 1, 2, 3, 4, 5, 6, 7], 3);
    assert_eq!(log.batch_only_bytes(), batch.cost_bytes());
    drop(batch);
    assert_eq!(log.batch_only_bytes(), 0);
}
