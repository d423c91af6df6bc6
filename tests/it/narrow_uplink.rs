//! Lines and limits that are too small for the video: who gets how much of them, and that the others do not notice.

use crate::support::painter::{Painter, Video, dithered};
use crate::support::picture::Picture;
use crate::support::site::Site;
use crate::support::tools::Turn;
use crate::support::wait::{PATIENCE, pace_until, poll_until};
use std::time::{Duration, Instant};

const SIZE: (u16, u16) = (640, 480);
/// A frame is 77 KB that nobody can compress: 6 Mbit/s.
const FRAMES_PER_SECOND: u32 = 10;
const FRAME_BYTES: u64 = 77_000;
const LOOKED_AT: Duration = Duration::from_secs(10);

fn video(display: &str) -> Video {
    Video::play(Painter::new(display, (0, 0), SIZE), &dithered(SIZE.0, SIZE.1, 6), FRAMES_PER_SECOND)
}

/// How old the frame is that somebody shows.
fn age(video: &Video, snapshot: impl FnOnce() -> Picture) -> Option<Duration> {
    let asked = Instant::now();
    let painted = video.painted(snapshot().pixel(0, 0))?;
    Some(asked.saturating_duration_since(painted))
}

#[test]
fn a_root_with_a_limit_keeps_it_and_uses_it_and_its_nodes_are_up_to_date() {
    if !Site::is_possible(&[]) {
        return;
    }
    let _turn = Turn::whole();
    let mut site = Site::with(SIZE, 4, &["--max-upload", "4M"]);
    (1..=4).for_each(|_| site.join());
    let video = video(&site.display);
    for host in 1..=4 {
        poll_until("the video", PATIENCE, || age(&video, || site.snapshot(host)));
    }
    let (begun, bytes) = (Instant::now(), site.hosts.bytes_out(0));
    pace_until(begun + LOOKED_AT);
    let (sent, seconds) = (site.hosts.bytes_out(0) - bytes, begun.elapsed().as_secs_f64());
    let limit = seconds * 4e6 / 8.0;
    eprintln!("{sent} bytes in {seconds:.1} s, of {limit:.0}");
    assert!(sent as f64 <= limit * 1.1, "{sent} bytes in {seconds} s");
    assert!(sent as f64 >= limit * 0.7, "{sent} bytes in {seconds} s");
    for host in 1..=4 {
        let age = age(&video, || site.snapshot(host)).expect("a frame of the video");
        assert!(age < Duration::from_secs(5), "host {host} is {age:?} behind");
    }
    let tree = site.must_be_whole(&[1, 2, 3, 4]);
    assert!(tree.nodes.iter().all(|node| node.leaf_only.is_none()), "the root's limit makes nobody slow: {tree:#?}");
    let _last_frame = video.stop();
    for host in 1..=4 {
        let is_equal = || site.snapshot(host).difference(&site.snapshot(0)).is_none();
        poll_until("the last frame", PATIENCE, || is_equal().then_some(()));
    }
}

#[test]
fn a_volunteer_whose_limit_is_too_small_for_the_video_passes_nothing_on_as_long_as_it_plays() {
    if !Site::is_possible(&[]) {
        return;
    }
    let _turn = Turn::whole();
    let mut site = Site::new(SIZE, 4);
    site.join_with(&["--max-upload", "3M"]);
    (2..=4).for_each(|_| site.join());
    let tree = site.must_be_whole(&[1, 2, 3, 4]);
    assert!(!tree.below(tree.node("n1").unwrap().slot).is_empty(), "a quiet screen fits twice: {tree:#?}");
    let video = video(&site.display);
    let is_leaf = || {
        let tree = site.tree()?;
        let node = tree.node("n1")?;
        let is_capped = node.leaf_only.as_ref().is_some_and(|why| why.contains("upload limit"));
        (is_capped && node.attached && tree.below(node.slot).is_empty()).then_some(())
    };
    poll_until("a leaf with a limit", PATIENCE, is_leaf);
    site.must_be_whole(&[1, 2, 3, 4]);
    for host in 1..=4 {
        let fresh = || age(&video, || site.snapshot(host)).filter(|age| *age < Duration::from_secs(2));
        poll_until(&format!("a new frame at host {host}"), PATIENCE, fresh);
    }
    assert!(u64::from(FRAMES_PER_SECOND) * FRAME_BYTES * 2 * 8 > 3_000_000, "or it would fit");
}
