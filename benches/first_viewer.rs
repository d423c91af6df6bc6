//! What the tree adds in front of its first viewer: the time from painting on the presenter's screen until an ordinary viewer shows it,
//! once with the viewer on the root and once with the same viewer on Xvnc itself, in turns, in one run.
//!
//! A `letter` is a small rectangle in a new colour; a `page` is a full screen of text (recorded frames) with a new colour in two corners.
//! The viewer decodes; the clock starts before painting and stops when the update that shows the new colour has been decoded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a measuring program"
)]

#[path = "../tests/it"]
#[allow(dead_code, reason = "made for the session tests, and this program uses a part")]
mod it {
    pub(crate) mod support;
}

use it::support;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use support::desktop::{Desktop, Server};
use support::painter::{MARK, Painter};
use support::session::Member;
use support::tools::have;
use support::viewer::Viewer;
use support::wait::pace_until;
use x11rb::protocol::xproto::Rectangle;

const SIZE: (u16, u16) = (1920, 1080);
const TURNS: usize = 10;
const SAMPLES_PER_TURN: usize = 30;
/// Shown and thrown away after a viewer has connected.
const WARM_UP: usize = 5;

/// What is painted and when it counts as shown.
struct Change<'a> {
    name: &'static str,
    paint: &'a dyn Fn(u32),
    places: &'a [(usize, usize)],
}

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") || !have(&["Xvnc", "setpriv", "ss"]) {
        return;
    }
    let desktop = Desktop::with_options(Server::Xvnc, SIZE, &[]);
    let painter = Painter::new(&desktop.display, (0, 0), SIZE);
    let root = Member::root(&desktop.address(), "measured");
    let pages: Vec<Vec<u8>> = treevnc_recording::clip("text")
        .unwrap()
        .map(|frame| frame.unwrap().picture.pixels().iter().flat_map(|pixel| pixel.to_le_bytes()).collect())
        .collect();
    let pages = [pages.first().unwrap(), pages.last().unwrap()].map(|rows| painter.keep(rows));
    let letter = Rectangle { x: 640, y: 480, width: 12, height: 20 };
    let corners = [(0, 0), (usize::from(SIZE.0) - 1, usize::from(SIZE.1) - 1)];
    let changes = [
        Change { name: "letter", paint: &|colour| painter.fill(&[letter], colour), places: &[(645, 490)] },
        Change { name: "page", paint: &|colour| painter.show_marked(&pages[colour as usize % 2], colour), places: &corners },
    ];
    assert!(corners[1].0 + 1 > usize::from(MARK));
    println!("{:<8}{:>20}{:>20}{:>18}{:>18}", "", "Xvnc median (p95)", "root median (p95)", "median added", "p95 added");
    changes.iter().for_each(|change| measure(change, desktop.vnc, root.address));
}

fn measure(change: &Change<'_>, direct: SocketAddr, root: SocketAddr) {
    let mut colour = 0x0010_0000;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for (server, times) in [direct, root].into_iter().zip(&mut times) {
            let mut viewer = Viewer::connect(server).unwrap();
            for sample in 0..SAMPLES_PER_TURN + WARM_UP {
                colour += 1;
                let time = shown(change, &mut viewer, colour);
                if sample >= WARM_UP {
                    times.push(time.as_secs_f64() * 1e3);
                }
                // Neither in step with a server's own clock nor a burst.
                pace_until(Instant::now() + Duration::from_millis(25 + u64::from(colour) * 7 % 17));
            }
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    let at = |which: usize, share: f64| times[which][(times[which].len() as f64 * share) as usize];
    let show = |which: usize| format!("{:.1} ms ({:.1} ms)", at(which, 0.5), at(which, 0.95));
    let added = |share: f64| format!("{:+.1} ms", at(1, share) - at(0, share));
    println!("{:<8}{:>20}{:>20}{:>18}{:>18}", change.name, show(0), show(1), added(0.5), added(0.95));
}

/// Paints, and reads until the viewer shows it.
fn shown(change: &Change<'_>, viewer: &mut Viewer, colour: u32) -> Duration {
    let start = Instant::now();
    (change.paint)(colour);
    while change.places.iter().any(|&(x, y)| viewer.pixel(x, y) != colour) {
        viewer.update().unwrap();
    }
    start.elapsed()
}
