//! What sharing this machine's own screen costs, at rest and beside the way by x11vnc (`treevnc root --vnc`), on the same X server in one run, by turns:
//! CPU time of the programs that the presenter must run, with one ordinary ZRLE viewer that reads and counts.
//!
//! `rest`: nothing changes. `typing`: a letter 8 times a second. `terminal`: an xterm of 160x50 that scrolls 20 times a second. `video`: a recorded one,
//! 640x360 at 30 frames/s. The screen is Xvfb's, 1920x1080. The viewer's picture is compared with the screen before and after each measurement.
//!
//! A frame counts when a place that every frame changes has been painted at the viewer; when nothing is typed or moves, every update counts. x11vnc
//! leaves frames out, so the cost of a frame is what compares. At the end: the time from painting a letter until an ordinary viewer of the root shows it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
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
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use support::desktop::Screen;
use support::kernel::cpu_time;
use support::painter::{Painter, Video};
use support::process::Process;
use support::session::Member;
use support::tools::have;
use support::viewer::{Viewer, Watcher};
use support::wait::{PATIENCE, pace_until, poll_until};
use x11rb::protocol::xproto::Rectangle;

const SIZE: (u16, u16) = (1920, 1080);
const VIDEO: (u16, u16) = (640, 360);
const PLACE: (u16, u16) = (600, 300);
const TURNS: usize = 2;
const LETTERS: u32 = 200;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(10);
const SCROLLING: &str = "i=0; while :; do i=$((i+1)); printf '\\033[3%dm%06d the quick brown fox jumps over the lazy dog\\033[0m %s\\n' $((i % 8)) $i \
    \"$(printf '%x' $((i * 2654435761)))\"; sleep 0.05; done";

/// What happens on the screen; it ends with this value.
enum Content {
    Nothing,
    Typing(Typing),
    Terminal { _xterm: Process },
    Video(Video),
}

/// A way to share the screen: the root, and what else it takes.
struct Way {
    // Dropped in this order: those who look before what they look at.
    root: Member,
    x11vnc: Option<Process>,
    screen: Screen,
}

type Start = fn() -> Way;

const WAYS: [(&str, Start); 2] = [("own screen", Way::own), ("x11vnc and root", Way::by_x11vnc)];

/// CPU time in cores, frames at the viewer per second, MB/s to it.
#[derive(Clone, Copy, Default)]
struct Cost {
    root: f64,
    x11vnc: f64,
    x: f64,
    frames: f64,
    megabytes: f64,
}

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") || !have(&["Xvfb", "x11vnc", "xterm", "setpriv", "ss"]) {
        return;
    }
    let frames = video::moving_part(VIDEO);
    println!("{:<10}{:<20}{:>8}{:>8}{:>8}{:>8}{:>12}{:>8}", "", "cores:", "root", "x11vnc", "sum", "Xvfb", "frames/s", "MB/s");
    for workload in ["rest", "typing", "terminal", "video"] {
        let mut sums = [Cost::default(); 2];
        for _ in 0..TURNS {
            for (sum, (name, way)) in sums.iter_mut().zip(WAYS) {
                let cost = way().measure(workload, &frames);
                let both = cost.root + cost.x11vnc;
                sum.root += both;
                sum.frames += cost.frames;
                println!(
                    "{workload:<10}{:<20}{:>8.4}{:>8.4}{both:>8.4}{:>8.4}{:>12.1}{:>8.2}",
                    name, cost.root, cost.x11vnc, cost.x, cost.frames, cost.megabytes
                );
            }
        }
        let [own, other] = sums;
        let per_frame = if own.frames * other.frames > 0.0 {
            format!(", per frame {:.2}", own.root / own.frames / (other.root / other.frames))
        } else {
            String::new()
        };
        println!("{workload:<10}own / by x11vnc: {:.2}{per_frame}", own.root / other.root);
    }
    for (name, way) in WAYS {
        let mut times = way().letters();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[(times.len() as f64 * share) as usize];
        println!("{:<10}{name:<20}{:>8.1} ms median{:>8.1} ms p95", "a letter", at(0.5), at(0.95));
    }
}

impl Way {
    fn own() -> Self {
        let screen = Screen::new(SIZE);
        Self { root: Member::own(&screen.display, "measured", &[]), x11vnc: None, screen }
    }

    fn by_x11vnc() -> Self {
        let screen = Screen::new(SIZE);
        let (x11vnc, address) = screen.x11vnc();
        let root = Member::root(&format!("{}::{}", address.ip(), address.port()), "measured");
        Self { root, x11vnc: Some(x11vnc), screen }
    }

    fn measure(&self, workload: &str, frames: &[Vec<u8>]) -> Cost {
        self.must_show_the_screen();
        let content = Content::new(workload, &self.screen, frames);
        let viewer = Counting::new(self.root.address, content.place());
        let start = Instant::now() + WARM_UP;
        pace_until(start);
        let cpus = || {
            let x11vnc = self.x11vnc.as_ref().map_or(Duration::ZERO, |process| cpu_time(process.id()));
            [cpu_time(self.root.process.id()), x11vnc, cpu_time(self.screen.x_id())]
        };
        let (before, read) = (cpus(), viewer.read());
        pace_until(start + MEASURED);
        let (after, read_then, elapsed) = (cpus(), viewer.read(), start.elapsed().as_secs_f64());
        let [root, x11vnc, x] = [0, 1, 2].map(|which: usize| (after[which] - before[which]).as_secs_f64() / elapsed);
        let _last = content.stop();
        self.must_show_the_screen();
        let frames = (read_then.0 - read.0) as f64 / elapsed;
        Cost { root, x11vnc, x, frames, megabytes: (read_then.1 - read.1) as f64 / elapsed / 1e6 }
    }

    /// Milliseconds from painting a letter until a viewer of the root shows it.
    fn letters(&self) -> Vec<f64> {
        let painter = Painter::new(&self.screen.display, (PLACE.0 as i16, PLACE.1 as i16), VIDEO);
        self.must_show_the_screen();
        let mut viewer = Viewer::connect(self.root.address).unwrap();
        let mut time = |number: u32| {
            let (start, colour) = (Instant::now(), 0x0040_0000 + number);
            painter.fill(&[Rectangle { x: 100, y: 100, width: 12, height: 20 }], colour);
            while viewer.pixel(usize::from(PLACE.0) + 105, usize::from(PLACE.1) + 110) != colour {
                viewer.update().unwrap();
            }
            let shown = start.elapsed().as_secs_f64() * 1e3;
            // Neither in step with a server's own clock nor a burst.
            pace_until(Instant::now() + Duration::from_millis(50 + u64::from(number) * 7 % 17));
            shown
        };
        (0..LETTERS).map(&mut time).collect()
    }

    /// Once the screen is quiet, a viewer shows it byte for byte; x11vnc is told to leave the pointer out.
    fn must_show_the_screen(&self) {
        let truth = match self.x11vnc {
            None => self.screen.quiet_with_pointer(),
            Some(_) => self.screen.quiet_picture(),
        };
        let judge = Watcher::new(Viewer::connect(self.root.address).unwrap(), |_| {});
        poll_until("the right picture", PATIENCE, || judge.picture().difference(&truth).is_none().then_some(()));
    }
}

impl Content {
    fn new(workload: &str, screen: &Screen, frames: &[Vec<u8>]) -> Self {
        let place = (PLACE.0 as i16, PLACE.1 as i16);
        match workload {
            "typing" => Self::Typing(Typing::new(Painter::new(&screen.display, place, VIDEO))),
            "terminal" => {
                let colours = ["-geometry", "160x50+200+100", "-bg", "black", "-fg", "white", "-sl", "0"];
                Self::Terminal { _xterm: screen.run("xterm", &[&colours[..], &["-e", "sh", "-c", SCROLLING]].concat()) }
            }
            "video" => Self::Video(Video::play(Painter::new(&screen.display, place, VIDEO), frames, 30)),
            _ => Self::Nothing,
        }
    }

    /// A place on the screen that every frame changes, if there is one.
    fn place(&self) -> Option<(usize, usize)> {
        match self {
            Self::Nothing | Self::Typing(_) => None,
            Self::Terminal { .. } => Some((260, 130)),
            Self::Video(_) => Some((usize::from(PLACE.0 + VIDEO.0 - 1), usize::from(PLACE.1 + VIDEO.1 - 1))),
        }
    }

    /// Ends it; what keeps the last picture on the screen is answered.
    fn stop(self) -> Option<Painter> {
        match self {
            Self::Nothing | Self::Terminal { .. } => None,
            Self::Typing(typing) => Some(typing.stop()),
            Self::Video(video) => Some(video.stop()),
        }
    }
}

/// A letter here and there, 8 times a second.
struct Typing {
    goes_on: Arc<Mutex<bool>>,
    thread: JoinHandle<Painter>,
}

impl Typing {
    fn new(painter: Painter) -> Self {
        let goes_on = Arc::new(Mutex::new(true));
        let flag = Arc::clone(&goes_on);
        let thread = std::thread::spawn(move || {
            let mut next = Instant::now();
            for number in 0u32.. {
                if !*flag.lock().unwrap() {
                    break;
                }
                let place = Rectangle { x: (number % 50 * 12) as i16, y: (number / 50 % 17 * 20) as i16, width: 10, height: 18 };
                painter.fill(&[place], 0x0010_2030 + number);
                next += Duration::from_millis(125);
                pace_until(next);
            }
            painter
        });
        Self { goes_on, thread }
    }

    fn stop(self) -> Painter {
        *self.goes_on.lock().unwrap() = false;
        self.thread.join().unwrap()
    }
}

/// A viewer on a thread of its own that counts frames and bytes.
struct Counting {
    counts: Arc<Mutex<(u64, u64)>>,
    stream: TcpStream,
    thread: Option<JoinHandle<()>>,
}

impl Counting {
    fn new(server: SocketAddr, place: Option<(usize, usize)>) -> Self {
        let mut drain = Drain::connect(server).unwrap();
        drain.place = place.unwrap_or_default();
        let stream = drain.stream().try_clone().unwrap();
        let counts = Arc::<Mutex<(u64, u64)>>::default();
        let shared = Arc::clone(&counts);
        let thread = std::thread::spawn(move || {
            let mut asked = drain.ask_all();
            while asked.and_then(|()| drain.update()).is_ok() {
                let mut counts = shared.lock().unwrap();
                *counts = (if place.is_some() { drain.painted } else { counts.0 + 1 }, drain.bytes);
                drop(counts);
                asked = drain.ask_changes();
            }
        });
        Self { counts, stream, thread: Some(thread) }
    }

    fn read(&self) -> (u64, u64) {
        *self.counts.lock().unwrap()
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
