//! Our ZRLE encoder against TigerVNC's, on the same recorded frames, in one run.
//!
//! Theirs: Xvnc shows the frame in a window that fills the screen; a viewer that throws the pixels away asks for the whole screen again and
//! again. Its cost is the CPU time of the Xvnc process, less that of as many requests for a single pixel. Ours: `protocol::zrle::Encoder`
//! on one thread over all tiles of the same frame; its cost is the CPU time of that thread. Theirs includes writing the bytes to the
//! socket, which is small beside encoding. Both pictures are decoded and compared with the frame before anything is measured.
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
#[path = "../tests/it"]
#[allow(dead_code, reason = "made for the session tests, and this program uses a part")]
mod it {
    pub(crate) mod support;
}

use drain::Drain;
use it::support;
use std::time::Duration;
use support::desktop::{Desktop, Server};
use support::kernel::{cpu_time, cpu_time_here};
use support::painter::Painter;
use support::picture::Picture;
use support::tools::have;
use support::viewer::Viewer;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::tiles::{TileGrid, TileSet};
use treevnc_protocol::zrle::{Decoder, Effort, Encoder};

const CLIPS: [&str; 4] = ["terminal", "text", "slides", "video"];
const FRAMES_PER_CLIP: usize = 3;
const ROUNDS: u32 = 20;

/// What is compared: zlib's level in Xvnc (its default is 6), and our effort (by default what the encoder chooses for the frame).
struct Contest {
    title: &'static str,
    xvnc: &'static [&'static str],
    effort: Option<Effort>,
}

const CONTESTS: [Contest; 3] = [
    Contest { title: "both as they come", xvnc: &[], effort: None },
    Contest { title: "ours at its smallest (Effort::Small)", xvnc: &[], effort: Some(Effort::Small) },
    Contest { title: "Xvnc at its fastest (-ZlibLevel 1)", xvnc: &["-ZlibLevel", "1"], effort: None },
];

/// CPU time and bytes of a frame.
#[derive(Clone, Copy, Default)]
struct Cost {
    cpu: Duration,
    bytes: u64,
}

impl Cost {
    fn add(&mut self, other: Cost) {
        self.cpu += other.cpu;
        self.bytes += other.bytes;
    }
}

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") || !have(&["Xvnc", "setpriv", "ss"]) {
        return;
    }
    println!(
        "{:<10}{:>14}{:>14}{:>9}{:>12}{:>12}{:>9}",
        "clip", "Xvnc MPix/s", "ours MPix/s", "ratio", "Xvnc KB", "ours KB", "ratio"
    );
    for contest in &CONTESTS {
        println!("{}:", contest.title);
        CLIPS.iter().for_each(|name| compare(name, contest));
    }
}

fn compare(name: &str, contest: &Contest) {
    let frames: Vec<_> = treevnc_recording::clip(name).unwrap().map(|frame| frame.unwrap().picture).collect();
    let size = frames[0].size();
    let desktop = Desktop::with_options(Server::Xvnc, size.into(), contest.xvnc);
    let painter = Painter::new(&desktop.display, (0, 0), size.into());
    let (mut theirs, mut ours, mut pixels) = (Cost::default(), Cost::default(), 0);
    for at in 0..FRAMES_PER_CLIP {
        let frame = &frames[at * (frames.len() - 1) / (FRAMES_PER_CLIP - 1)];
        let rows: Vec<_> = frame.pixels().iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        painter.show(&painter.keep(&rows));
        theirs.add(of_xvnc(&desktop, frame));
        ours.add(of_ours(frame, contest.effort));
        pixels += frame.size().area();
    }
    let speed = |cost: Cost| pixels as f64 * f64::from(ROUNDS) / cost.cpu.as_secs_f64() / 1e6;
    let kb = |cost: Cost| cost.bytes as f64 / 1024.0 / FRAMES_PER_CLIP as f64;
    println!(
        "{name:<10}{:>14.0}{:>14.0}{:>9.1}{:>12.0}{:>12.0}{:>9.2}",
        speed(theirs),
        speed(ours),
        speed(ours) / speed(theirs),
        kb(theirs),
        kb(ours),
        kb(ours) / kb(theirs)
    );
}

/// What `ROUNDS` full updates cost Xvnc; the bytes are those of one.
fn of_xvnc(desktop: &Desktop, frame: &Framebuffer) -> Cost {
    let mut viewer = Viewer::connect(desktop.vnc).unwrap();
    viewer.update().unwrap();
    assert_eq!(viewer.picture().difference(&picture(frame)), None, "Xvnc shows the frame");
    drop(viewer);

    let mut drain = Drain::connect(desktop.vnc).unwrap();
    let mut cost_of = |ask: fn(&mut Drain) -> std::io::Result<()>| {
        ask(&mut drain).and_then(|()| drain.update()).unwrap();
        let before = (cpu_time(desktop.vnc_id()), drain.bytes);
        for _ in 0..ROUNDS {
            ask(&mut drain).and_then(|()| drain.update()).unwrap();
        }
        Cost { cpu: cpu_time(desktop.vnc_id()) - before.0, bytes: (drain.bytes - before.1) / u64::from(ROUNDS) }
    };
    let whole = cost_of(Drain::ask_all);
    let nothing = cost_of(Drain::ask_pixel);
    Cost { cpu: whole.cpu.saturating_sub(nothing.cpu), bytes: whole.bytes }
}

/// What encoding a frame `ROUNDS` times costs us; the bytes are those of one.
fn of_ours(frame: &Framebuffer, effort: Option<Effort>) -> Cost {
    let tiles = TileSet::full(TileGrid::new(frame.size()));
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
    let mut shown = Framebuffer::new(frame.size());
    let mut bytes = 0;
    let chosen = || effort.unwrap_or_else(|| Effort::of(frame, &tiles));
    encoder.encode_part(frame, &tiles, chosen(), &mut |update| {
        decoder.decode(&update, &mut shown).unwrap();
        bytes += 4 + update.rects().len() as u64;
    });
    assert_eq!(picture(&shown).difference(&picture(frame)), None, "our updates show the frame");
    let before = cpu_time_here();
    for _ in 0..ROUNDS {
        encoder.encode_part(frame, &tiles, chosen(), &mut |update| {
            std::hint::black_box(update);
        });
    }
    Cost { cpu: cpu_time_here() - before, bytes }
}

fn picture(frame: &Framebuffer) -> Picture {
    Picture::from_pixels(frame.size().width().into(), frame.size().height().into(), frame.pixels())
}
