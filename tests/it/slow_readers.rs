//! Slow readers cost the others nothing: one viewer that never reads and one behind a line of 1 Mbit/s, while a video fills the screen.
//!
//! A queue per reader in place of the log would grow by the whole video for each of them; a queue with a bound would hold up the others.

use crate::support::desktop::{Desktop, SIZE, Server, start_xvnc_inside};
use crate::support::kernel::resident_bytes;
use crate::support::namespaces::Hosts;
use crate::support::painter::{MARK, Painter, Video, dithered};
use crate::support::process::treevnc;
use crate::support::session::Session;
use crate::support::tools::{Scratch, Turn, have, is_root, skip};
use crate::support::viewer::{Viewer, Watcher, greet, request};
use crate::support::wait::{PATIENCE, pace_until, poll_until};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const FRAMES_PER_SECOND: u32 = 12;
/// 1 Mbit/s.
const SLOW_BYTES_PER_SECOND: u32 = 125_000;
const ALONE: Duration = Duration::from_secs(4);
const TOGETHER: Duration = Duration::from_secs(8);
/// What two slow readers may make a process hold: a few times the picture (some 300 KB compressed), not the video (some 30 MB).
const MORE_MEMORY_BYTES: u64 = 8 << 20;

/// When frames arrived: their number, the moment, and the bytes received until then, in order of arrival.
type Arrivals = Arc<Mutex<Vec<(u32, Instant, u64)>>>;

/// A viewer that notes when it shows each frame as a whole.
fn noting(address: SocketAddr) -> (Watcher, Arrivals) {
    let arrivals = Arrivals::default();
    let notes = arrivals.clone();
    let corner = (usize::from(SIZE.0 - MARK), usize::from(SIZE.1 - MARK));
    let watcher = Watcher::new(Viewer::connect(address).unwrap(), move |viewer| {
        let (first, last) = (viewer.pixel(0, 0), viewer.pixel(corner.0, corner.1));
        let mut notes = notes.lock().unwrap();
        if first == last && first != 0 && notes.last().is_none_or(|&(newest, ..)| newest != first) {
            notes.push((first, Instant::now(), viewer.bytes));
        }
    });
    (watcher, arrivals)
}

/// The median delay from painting to showing, of the frames that arrived since a moment.
fn median_delay(arrivals: &Arrivals, video: &Video, since: Instant) -> Duration {
    let arrivals = arrivals.lock().unwrap();
    let fresh = arrivals.iter().filter(|(_, at, _)| *at >= since);
    let mut delays: Vec<_> = fresh.map(|&(frame, at, _)| at - video.painted(frame).unwrap()).collect();
    assert!(delays.len() >= 10, "only {} frames arrived", delays.len());
    delays.sort();
    delays[delays.len() / 2]
}

/// How many bytes of pixels came since a moment.
fn volume(arrivals: &Arrivals, since: Instant) -> u64 {
    let arrivals = arrivals.lock().unwrap();
    let fresh: Vec<_> = arrivals.iter().filter(|(_, at, _)| *at >= since).map(|(.., bytes)| *bytes).collect();
    fresh.last().unwrap() - fresh.first().unwrap()
}

/// Asks for everything, again and again, and never reads an answer.
fn never_reading(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let (width, height) = greet(address, &mut stream).unwrap();
    (0..100).for_each(|number| stream.write_all(&request(number % 10 != 0, width, height)).unwrap());
    stream
}

#[test]
fn slow_readers_cost_the_others_no_time_and_the_root_no_memory() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::whole();
    let desktop = Desktop::new(Server::Xvnc);
    let session = Session::new(&desktop.address(), 1);
    let (root, node) = (&session.root, &session.nodes[0]);
    let good = [noting(root.address), noting(node.address)];
    let painter = Painter::new(&desktop.display, (0, 0), SIZE);
    let video = Video::play(painter, &dithered(SIZE.0, SIZE.1, 6), FRAMES_PER_SECOND);
    poll_until("the video at both viewers", PATIENCE, || {
        good.iter().all(|(_, arrivals)| arrivals.lock().unwrap().len() > 3).then_some(())
    });

    let begin = Instant::now();
    pace_until(begin + ALONE);
    let alone = good.each_ref().map(|(_, arrivals)| median_delay(arrivals, &video, begin));
    let memory = [root, node].map(|member| resident_bytes(member.process.id()));

    let slow: Vec<_> =
        [root, node].map(|member| Viewer::connect_throttled(member.address, SLOW_BYTES_PER_SECOND).unwrap()).into();
    let slow: Vec<_> = slow.into_iter().map(|viewer| Watcher::new(viewer, |_| {})).collect();
    let _never = [root, node].map(|member| never_reading(member.address));
    let middle = Instant::now();
    pace_until(middle + TOGETHER);
    let together = good.each_ref().map(|(_, arrivals)| median_delay(arrivals, &video, middle));
    let video_bytes = good.each_ref().map(|(_, arrivals)| volume(arrivals, middle));
    assert!(
        video_bytes.iter().all(|bytes| *bytes > MORE_MEMORY_BYTES),
        "a queue would not be noticed: {video_bytes:?} bytes of video"
    );
    for (member, before) in [root, node].into_iter().zip(memory) {
        let more = resident_bytes(member.process.id()).saturating_sub(before);
        eprintln!("{more} more bytes in memory, {video_bytes:?} bytes of video");
        assert!(more < MORE_MEMORY_BYTES, "{} more bytes in memory\n{}", more, member.process.said());
    }
    for (alone, together) in alone.into_iter().zip(together) {
        eprintln!("median delay: {alone:?} alone, {together:?} beside slow readers");
        assert!(together < alone * 2 + Duration::from_millis(50), "{together:?} beside slow readers, {alone:?} alone");
    }

    let _last_frame = video.stop();
    let truth = desktop.quiet_picture();
    for watcher in good.iter().map(|(watcher, _)| watcher).chain(&slow) {
        poll_until("the right picture at the end", PATIENCE, || watcher.picture().difference(&truth).is_none().then_some(()));
    }
}

#[test]
fn nobody_shows_a_torn_picture() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let session = Session::new(&desktop.address(), 3);
    let painter = Painter::new(&desktop.display, (0, 0), SIZE);
    let video = Video::play(painter, &dithered(SIZE.0, SIZE.1, 4), 10);
    let corner = (usize::from(SIZE.0 - 1), usize::from(SIZE.1 - 1));
    let mut seen = std::collections::BTreeSet::new();
    poll_until("different frames at every node", PATIENCE * 2, || {
        for (number, node) in session.nodes.iter().enumerate() {
            let shown = node.snapshot(&desktop.scratch);
            let (first, last) = (shown.pixel(0, 0), shown.pixel(corner.0, corner.1));
            assert_eq!(first, last, "frame {first} above, frame {last} below");
            seen.insert((number, first));
        }
        (seen.len() >= 20).then_some(())
    });
    drop(video);
}

#[test]
fn a_node_behind_a_narrow_line_shows_whole_pictures_only_and_comes_to_the_right_one() {
    if !have(&["Xvnc", "ip", "tc", "setpriv"]) {
        return;
    }
    if !is_root() {
        return skip("network namespaces need the superuser");
    }
    let _turn = Turn::half();
    let (hosts, scratch) = (Hosts::new(2), Scratch::new());
    let (display, port, _xvnc) = start_xvnc_inside(&hosts.inside(0), SIZE);
    let vnc = format!("127.0.0.1::{port}");
    let root = hosts.start(0, &treevnc(["root", "--vnc", &vnc, "--listen", "5950", "--name", "physics"]));
    root.line("where it listens", PATIENCE, |line| line.starts_with("listening on "));
    hosts.narrow(1, "1mbit");
    let node = hosts.start(1, &treevnc(["join", "10.77.0.1:5950", "--headless", "--listen", "5951", "--name", "far"]));
    node.line("its place", PATIENCE, |line| line.starts_with("attached at "));

    let video = Video::play(Painter::new(&display, (0, 0), SIZE), &dithered(SIZE.0, SIZE.1, 4), FRAMES_PER_SECOND);
    let mut seen = std::collections::BTreeSet::new();
    poll_until("three frames at the far node", PATIENCE, || {
        let shown = hosts.snapshot(1, 5951, &scratch);
        let (first, last) = (shown.pixel(0, 0), shown.pixel(usize::from(SIZE.0 - 1), usize::from(SIZE.1 - 1)));
        assert_eq!(first, last, "frame {first} above, frame {last} below");
        seen.insert(first);
        (seen.len() > 3).then_some(())
    });
    let _last_frame = video.stop();
    poll_until("the right picture at the end", PATIENCE, || {
        let (there, here) = (hosts.snapshot(1, 5951, &scratch), hosts.snapshot(0, 5950, &scratch));
        (there.difference(&here).is_none() && there.pixel(0, 0) >= *seen.last().unwrap()).then_some(())
    });
}
