//! Lines and limits that are too small for the video: who gets how much of them, and that the others do not notice.

use crate::support::desktop::start_xvnc_inside;
use crate::support::halls::Halls;
use crate::support::painter::{Painter, Video, dithered};
use crate::support::picture::Picture;
use crate::support::process::Process;
use crate::support::session::Member;
use crate::support::site::Site;
use crate::support::tools::{Scratch, Turn, unique};
use crate::support::wait::{PATIENCE, pace_until, poll_until};
use std::time::{Duration, Instant};

const SIZE: (u16, u16) = (640, 480);
/// A frame is 77 KB that nobody can compress: 6 Mbit/s, and more than a line of 5 Mbit/s brings to one, let alone to two.
const FRAMES_PER_SECOND: u32 = 10;
const FRAME_BYTES: u64 = 77_000;
const LOOKED_AT: Duration = Duration::from_secs(10);

fn video(display: &str) -> Video {
    Video::play(Painter::new(display, (0, 0), SIZE), &dithered(SIZE.0, SIZE.1, 6), FRAMES_PER_SECOND)
}

/// How old the frame is that somebody shows.
fn age(video: &Video, snapshot: impl FnOnce() -> Option<Picture>) -> Option<Duration> {
    let asked = Instant::now();
    let painted = video.painted(snapshot()?.pixel(0, 0))?;
    Some(asked.saturating_duration_since(painted))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A root that is in the room (network 0) and, by a narrow line, in the world (network 1).
struct Lecture {
    // Dropped in this order.
    nodes: Vec<(usize, usize, Member)>,
    _root: Process,
    display: String,
    _xvnc: Process,
    halls: Halls,
    scratch: Scratch,
}

impl Lecture {
    fn new(rate: &str) -> Self {
        let (halls, scratch) = (Halls::new(2, 3), Scratch::new());
        halls.plug(0, "room");
        halls.plug(1, "world");
        halls.narrow("world", rate);
        let (display, port, xvnc) = start_xvnc_inside(&halls.at_root(), SIZE);
        let root =
            halls.start_at_root(&["root", "--vnc", &format!("127.0.0.1::{port}"), "--listen", "5950", "--name", "physics"]);
        root.line("where it listens", PATIENCE, |line| line.starts_with("listening on "));
        Self { nodes: Vec::new(), _root: root, display, _xvnc: xvnc, halls, scratch }
    }

    fn join(&mut self, network: usize, host: usize, options: &[&str]) {
        let (root, name) = (format!("{}:5950", Halls::address(network, 0)), format!("n{network}{host}"));
        let words = [&["join", &root, "--headless", "--listen", "0", "--name", &name], options].concat();
        let node = Member::started(self.halls.start(network, host, &words).killed_at_once(), &name);
        node.place();
        self.nodes.push((network, host, node));
    }

    /// What it shows; nothing while a site has none yet.
    fn snapshot(&self, network: usize, host: usize) -> Option<Picture> {
        let (.., node) = self.nodes.iter().find(|node| (node.0, node.1) == (network, host)).unwrap();
        let (file, address) = (self.scratch.file(&format!("{}.png", unique())), format!("127.0.0.1:{}", node.address.port()));
        let mut asking = self.halls.start(network, host, &["snapshot", &address, file.to_str().unwrap()]);
        asking.end(PATIENCE).success().then(|| Picture::from_png(&file))
    }

    /// The median age of what the nodes in the room show, looked at so many times.
    fn age_in_the_room(&self, video: &Video, times: usize) -> Duration {
        let looks = (0..times).flat_map(|_| (1..=3).filter_map(|host| age(video, || self.snapshot(0, host))));
        median(looks.collect())
    }
}

#[test]
fn two_sites_behind_a_narrow_line_have_equal_parts_of_it_and_the_room_does_not_notice() {
    if !Site::is_possible(&["tc"]) {
        return;
    }
    let _turn = Turn::whole();
    let mut lecture = Lecture::new("5mbit");
    (1..=3).for_each(|host| lecture.join(0, host, &[]));
    let video = video(&lecture.display);
    poll_until("the video in the room", PATIENCE, || age(&video, || lecture.snapshot(0, 3)));
    let alone = lecture.age_in_the_room(&video, 5);

    (1..=2).for_each(|host| lecture.join(1, host, &["--direct"]));
    for host in 1..=2 {
        poll_until("the video at the site", PATIENCE, || age(&video, || lecture.snapshot(1, host)));
    }
    let (begun, bytes) = (Instant::now(), [1, 2].map(|host| lecture.halls.bytes_in(1, host)));
    let beside = lecture.age_in_the_room(&video, 5);
    let mut ages = Vec::new();
    while begun.elapsed() < LOOKED_AT {
        ages.extend((1..=2).map(|host| age(&video, || lecture.snapshot(1, host)).expect("a frame of the video")));
    }
    let got = [1, 2].map(|host| lecture.halls.bytes_in(1, host) - bytes[host - 1]);
    let seconds = begun.elapsed().as_secs_f64();
    let oldest = ages.iter().max().unwrap();
    eprintln!(
        "room: {alone:?} alone, {beside:?} beside two sites; sites: {got:?} bytes in {seconds:.1} s, at most {oldest:?} behind"
    );
    assert!(got[0] < got[1] * 2 && got[1] < got[0] * 2, "{got:?} bytes");
    let line_bytes = seconds * 5e6 / 8.0;
    assert!((got[0] + got[1]) as f64 > line_bytes * 0.6, "{got:?} bytes in {seconds} s: the line was not used");
    assert!(*oldest < Duration::from_secs(5), "{ages:?}");
    assert!(beside < alone * 2 + Duration::from_millis(200), "{alone:?} alone, {beside:?} beside two sites");

    let _last_frame = video.stop();
    for (network, host) in [(0, 1), (1, 1), (1, 2)] {
        let is_equal = || lecture.snapshot(network, host)?.difference(&lecture.snapshot(0, 3)?).is_none().then_some(());
        poll_until("the last frame", PATIENCE, is_equal);
    }
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
        poll_until("the video", PATIENCE, || age(&video, || Some(site.snapshot(host))));
    }
    let (begun, bytes) = (Instant::now(), site.hosts.bytes_out(0));
    pace_until(begun + LOOKED_AT);
    let (sent, seconds) = (site.hosts.bytes_out(0) - bytes, begun.elapsed().as_secs_f64());
    let limit = seconds * 4e6 / 8.0;
    eprintln!("{sent} bytes in {seconds:.1} s, of {limit:.0}");
    assert!(sent as f64 <= limit * 1.1, "{sent} bytes in {seconds} s");
    assert!(sent as f64 >= limit * 0.7, "{sent} bytes in {seconds} s");
    for host in 1..=4 {
        let age = age(&video, || Some(site.snapshot(host))).expect("a frame of the video");
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
        let fresh = || age(&video, || Some(site.snapshot(host))).filter(|age| *age < Duration::from_secs(2));
        poll_until(&format!("a new frame at host {host}"), PATIENCE, fresh);
    }
    assert!(u64::from(FRAMES_PER_SECOND) * FRAME_BYTES * 2 * 8 > 3_000_000, "or it would fit");
}
