//! Forty ordinary viewers straight on the root, against one, and against Xvnc serving the same viewers itself, in one run: a 640x360 video
//! at 30 frames/s (a recorded one) in a 1920x1080 screen.
//!
//! The viewers read and count, and throw the pixels away, in threads of this process, which share the machine's cores with the servers. A
//! frame counts as received when the video's last corner, which every frame changes, has been painted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a measuring program"
)]

#[path = "support/drain.rs"]
#[allow(dead_code, reason = "made for several programs")]
mod drain;
#[path = "support/video.rs"]
mod video;
#[path = "../tests/it"]
#[allow(dead_code, reason = "made for the session tests, and this program uses a part")]
mod it {
    pub(crate) mod support;
}

use drain::Drain;
use it::support;
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::desktop::{Desktop, Server};
use support::kernel::cpu_time;
use support::painter::{Painter, Video};
use support::session::Member;
use support::tools::have;
use support::viewer::{Viewer, Watcher};
use support::wait::{PATIENCE, pace_until, poll_until};

const SIZE: (u16, u16) = (1920, 1080);
const VIDEO: (u16, u16) = (640, 360);
const PLACE: (u16, u16) = (600, 300);
const FRAMES_PER_SECOND: u32 = 30;
const MANY: usize = 40;
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(10);

/// Counts of one viewer: frames and bytes.
type Counts = Arc<Mutex<(u64, u64)>>;

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") || !have(&["Xvnc", "setpriv", "ss"]) {
        return;
    }
    let frames = video::moving_part(VIDEO);
    println!(
        "{:<16}{:>12}{:>12}{:>12}{:>16}{:>24}{:>14}",
        "", "server CPU", "Xvnc CPU", "painted/s", "MB/s a viewer", "frames/s least (mean)", "viewers' CPU"
    );
    for count in [1, MANY] {
        let desktop = Desktop::with_options(Server::Xvnc, SIZE, &[]);
        measure(&format!("Xvnc alone, {count}"), &desktop, desktop.vnc, desktop.vnc_id(), &frames, count);
    }
    let desktop = Desktop::with_options(Server::Xvnc, SIZE, &[]);
    let root = Member::root(&desktop.address(), "measured");
    for count in [1, MANY] {
        measure(&format!("root, {count}"), &desktop, root.address, root.process.id(), &frames, count);
    }
}

fn measure(name: &str, desktop: &Desktop, server: SocketAddr, id: u32, frames: &[Vec<u8>], count: usize) {
    let place = (PLACE.0 as i16, PLACE.1 as i16);
    let video = Video::play(Painter::new(&desktop.display, place, VIDEO), frames, FRAMES_PER_SECOND);
    let viewers: Vec<_> = (0..count).map(|_| drain(server)).collect();
    let start = Instant::now() + WARM_UP;
    pace_until(start);
    let read = || viewers.iter().map(|(counts, ..)| *counts.lock().unwrap()).collect::<Vec<_>>();
    let cpus = || [cpu_time(id), cpu_time(desktop.vnc_id()), cpu_time(std::process::id())];
    let (before, cpu_before, played) = (read(), cpus(), video.frames());
    pace_until(start + MEASURED);
    let (after, cpu_after, elapsed) = (read(), cpus(), start.elapsed().as_secs_f64());
    let played = (video.frames() - played) as f64 / elapsed;
    let cores = |which: usize| format!("{:.3}", (cpu_after[which] - cpu_before[which]).as_secs_f64() / elapsed);
    let rates: Vec<_> = before.iter().zip(&after).map(|(old, new)| (new.0 - old.0) as f64 / elapsed).collect();
    let least = rates.iter().copied().min_by(f64::total_cmp).unwrap();
    let mean = rates.iter().sum::<f64>() / count as f64;
    let bytes: u64 = before.iter().zip(&after).map(|(old, new)| new.1 - old.1).sum();
    let megabytes = bytes as f64 / count as f64 / elapsed / 1e6;
    println!(
        "{name:<16}{:>12}{:>12}{played:>12.1}{megabytes:>16.2}{:>24}{:>14}",
        cores(0),
        cores(1),
        format!("{least:.1} ({mean:.1})"),
        cores(2)
    );
    drop(viewers.into_iter().map(|(_, stop, thread)| (stop(), thread.join()).1).collect::<Vec<_>>());
    let _last_frame = video.stop();
    let truth = desktop.quiet_picture();
    let judge = Watcher::new(Viewer::connect(server).unwrap(), |_| {});
    poll_until("the right picture at the end", PATIENCE, || judge.picture().difference(&truth).is_none().then_some(()));
}

/// A viewer on a thread of its own: its counts, how to end it, and the thread.
fn drain(server: SocketAddr) -> (Counts, Box<dyn FnOnce()>, std::thread::JoinHandle<()>) {
    let mut drain = Drain::connect(server).unwrap();
    drain.place = (usize::from(PLACE.0 + VIDEO.0 - 1), usize::from(PLACE.1 + VIDEO.1 - 1));
    let stream = drain.stream().try_clone().unwrap();
    let counts = Counts::default();
    let shared = counts.clone();
    let thread = std::thread::spawn(move || {
        let mut asked = drain.ask_all();
        while asked.and_then(|()| drain.update()).is_ok() {
            *shared.lock().unwrap() = (drain.painted, drain.bytes);
            asked = drain.ask_changes();
        }
    });
    (counts, Box::new(move || drop(stream.shutdown(Shutdown::Both))), thread)
}
