//! What the root's machine does for audiences of different sizes, beside servers that serve every viewer themselves.

use crate::drain::Drain;
use crate::report::{Report, row};
use crate::support::desktop::{start_open_x11vnc_inside, start_open_xvnc_inside};
use crate::support::kernel::cpu_time;
use crate::support::namespaces::Hosts;
use crate::support::painter::{Painter, Video};
use crate::support::process::{Process, treevnc};
use crate::support::session::Member;
use crate::support::wait::{PATIENCE, pace_until};
use std::io::BufRead;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use treevnc_plot::{Axis, Chart, Series};

/// The word that makes this program a crowd of viewers: an address follows, how many, and the place on the screen that counts frames.
pub(crate) const CROWD: &str = "crowd";
const SIZE: (u16, u16) = (1920, 1080);
const VIDEO: (u16, u16) = (640, 360);
const PLACE: (u16, u16) = (600, 300);
const FRAMES_PER_SECOND: u32 = 10;
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(10);
const COUNTS: [usize; 5] = [2, 6, 14, 30, 62];
/// The hosts.
const SERVER: usize = 0;
const AUDIENCE: usize = 1;
const ROOT_PORT: u16 = 5950;

/// Who serves the audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Server {
    Tree,
    Star,
    Xvnc,
    X11vnc,
}

impl Server {
    const ALL: [Self; 4] = [Self::Tree, Self::Star, Self::Xvnc, Self::X11vnc];

    fn name(self) -> &'static str {
        match self {
            Self::Tree => "our root, a tree",
            Self::Star => "our root, a star",
            Self::Xvnc => "Xvnc",
            Self::X11vnc => "x11vnc",
        }
    }
}

/// What was measured.
struct Figures {
    server: Server,
    viewers: usize,
    /// Cores.
    cpu: f64,
    /// Megabits per second.
    out: f64,
    painted: f64,
    /// Frames per second at the slowest viewer that was looked at.
    slowest: f64,
}

/// Measures, and writes the section.
pub(crate) fn measure(report: &mut Report, most: Option<usize>) {
    let frames = crate::video::moving_part(VIDEO);
    let mut all = Vec::new();
    for viewers in COUNTS.into_iter().filter(|viewers| most.is_none_or(|most| *viewers <= most)) {
        for server in Server::ALL {
            let Some(figures) = one(server, viewers, &frames) else {
                println!("{viewers} on {}: not all were let in within {PATIENCE:?}", server.name());
                continue;
            };
            println!(
                "{viewers} on {}: {:.3} cores, {:.1} Mbit/s, {:.1} frames/s",
                server.name(),
                figures.cpu,
                figures.out,
                figures.slowest
            );
            all.push(figures);
        }
    }
    write(report, &all);
}

/// The programs on the server's host, dropped in this order.
struct Stage {
    served: Process,
    _behind: Vec<Process>,
    display: String,
    port: u16,
}

fn stage(hosts: &Hosts, server: Server) -> Stage {
    let inside = hosts.inside(SERVER);
    if server == Server::X11vnc {
        let (display, port, served, x) = start_open_x11vnc_inside(&inside, SIZE);
        return Stage { served, _behind: vec![x], display, port };
    }
    let (display, port, xvnc) = start_open_xvnc_inside(&inside, SIZE);
    if server == Server::Xvnc {
        return Stage { served: xvnc, _behind: Vec::new(), display, port };
    }
    let (vnc, listen) = (format!("127.0.0.1::{port}"), ROOT_PORT.to_string());
    let root = hosts.start(SERVER, &treevnc(["root", "--vnc", &vnc, "--listen", &listen, "--name", "measured"]));
    root.line("where it listens", PATIENCE, |line| line.starts_with("listening on "));
    Stage { served: root, _behind: vec![xvnc], display, port: ROOT_PORT }
}

/// Nothing for a server that does not let so many in.
fn one(server: Server, viewers: usize, frames: &[Vec<u8>]) -> Option<Figures> {
    let hosts = Hosts::new(2);
    let stage = stage(&hosts, server);
    let address = format!("{}:{}", Hosts::address(SERVER), stage.port);
    let node = |number: usize| {
        let name = format!("n{number}");
        let command = treevnc(["join", &address, "--headless", "--listen", "0", "--name", &name]);
        let node = Member::started(hosts.start(AUDIENCE, &command).killed_at_once(), &name);
        node.place();
        node
    };
    let nodes: Vec<_> = (1..=viewers).filter(|_| server == Server::Tree).map(node).collect();
    // Of a tree one viewer is looked at, at the deepest node.
    let (watched, crowd) = match nodes.last() {
        Some(node) => (format!("127.0.0.1:{}", node.address.port()), 1),
        None => (address, viewers),
    };
    let place = [PLACE.0 + VIDEO.0 - 1, PLACE.1 + VIDEO.1 - 1].map(|at| at.to_string());
    let words = [CROWD.to_owned(), watched, crowd.to_string(), place[0].clone(), place[1].clone()];
    let mut crowd = hosts.start(AUDIENCE, Command::new(std::env::current_exe().unwrap()).args(words)).killed_at_once();
    crowd.out().wait(PATIENCE, |line| line == "connected")?;
    let painter = Painter::new(&stage.display, (PLACE.0 as i16, PLACE.1 as i16), VIDEO);
    let video = Video::play(painter, frames, FRAMES_PER_SECOND);
    let start = Instant::now() + WARM_UP;
    pace_until(start);
    let mut asked = 0;
    let mut read = || {
        asked += 1;
        crowd.say("counts");
        let line = crowd.out().wait_nth(asked, PATIENCE, |line| line.starts_with("frames")).unwrap();
        let counts = line.split(' ').skip(1).map(|count| count.parse::<u64>().unwrap()).collect::<Vec<_>>();
        (counts, cpu_time(stage.served.id()), hosts.bytes_out(SERVER), video.frames(), Instant::now())
    };
    let before = read();
    pace_until(start + MEASURED);
    let after = read();
    let elapsed = (after.4 - before.4).as_secs_f64();
    let slowest = before.0.iter().zip(&after.0).map(|(old, new)| new - old).min().unwrap();
    Some(Figures {
        server,
        viewers,
        cpu: (after.1 - before.1).as_secs_f64() / elapsed,
        out: (after.2 - before.2) as f64 * 8.0 / elapsed / 1e6,
        painted: (after.3 - before.3) as f64 / elapsed,
        slowest: slowest as f64 / elapsed,
    })
}

/// Viewers in threads, which read, count and throw away; prints how many frames each has had for each line of its input.
pub(crate) fn crowd(words: &[String]) {
    let [address, count, x, y] = words else { panic!("{words:?}") };
    let place = (x.parse().unwrap(), y.parse().unwrap());
    let counts: Vec<_> = (0..count.parse().unwrap()).map(|_| viewer(address.parse().unwrap(), place)).collect();
    println!("connected");
    for line in std::io::stdin().lock().lines() {
        line.unwrap();
        let counts = counts.iter().map(|count| count.lock().unwrap().to_string());
        println!("frames {}", counts.collect::<Vec<_>>().join(" "));
    }
}

fn viewer(server: std::net::SocketAddr, place: (usize, usize)) -> Arc<Mutex<u64>> {
    let mut drain = Drain::connect(server).unwrap();
    drain.place = place;
    let frames = Arc::new(Mutex::new(0));
    let shared = Arc::clone(&frames);
    std::thread::spawn(move || {
        let mut asked = drain.ask_all();
        while asked.and_then(|()| drain.update()).is_ok() {
            *shared.lock().unwrap() = drain.painted;
            asked = drain.ask_changes();
        }
    });
    frames
}

fn write(report: &mut Report, all: &[Figures]) {
    report.head(
        "What an audience costs the root",
        &format!(
            "A recorded video of {}x{} pixels, {FRAMES_PER_SECOND} frames a second, in a screen of {}x{}; server and audience on two hosts, joined by a line \
             without a limit, on the same processor cores. *A tree*: every viewer a process of its own, which relays. *A star*: our own root with all viewers \
             attached to it as ordinary viewers, encoded once. *Xvnc* and *x11vnc* serve every viewer themselves. Cores of CPU are those of the serving process \
             (of x11vnc without its X server, of the roots without the Xvnc that they pull from), bytes out are those of its host, frames are those of the slowest \
             viewer (of the tree: of one at the deepest node).",
            VIDEO.0, VIDEO.1, SIZE.0, SIZE.1
        ),
    );
    let mut lines = vec![row([
        "viewers",
        "server",
        "cores",
        "CPU ms per frame painted",
        "Mbit/s out",
        "frames painted/s",
        "frames/s, slowest viewer",
    ])];
    for figures in all {
        lines.push(row([
            figures.viewers.to_string(),
            figures.server.name().to_owned(),
            format!("{:.3}", figures.cpu),
            format!("{:.1}", figures.cpu / figures.painted * 1e3),
            format!("{:.1}", figures.out),
            format!("{:.1}", figures.painted),
            format!("{:.1}", figures.slowest),
        ]));
    }
    report.table(&lines);
    growth(report, all);
    let chart = |title: &str, y: &str, of: fn(&Figures) -> f64| {
        Server::ALL.iter().fold(Chart::new(title, Axis::log("viewers"), Axis::linear(y)), |chart, server| {
            let points =
                all.iter().filter(|figures| figures.server == *server).map(|figures| (figures.viewers as f64, of(figures)));
            chart.with(Series::marked(server.name(), points.collect()))
        })
    };
    report.figure(
        "audience",
        "What an audience costs the serving machine",
        vec![
            chart("CPU of the serving process", "cores", |figures| figures.cpu),
            chart("Bytes out of the serving host", "Mbit/s", |figures| figures.out),
            chart("Frames at the slowest viewer", "frames/s", |figures| figures.slowest),
        ],
    );
}

/// How much each server's cost grows from 6 viewers to the most.
fn growth(report: &mut Report, all: &[Figures]) {
    let of = |server: Server, viewers: usize| all.iter().find(|figures| figures.server == server && figures.viewers == viewers);
    let most = all.iter().map(|figures| figures.viewers).max().unwrap();
    let mut lines = vec![row(vec![
        format!("from 6 to {most} viewers"),
        "CPU per frame painted".into(),
        "bytes out per frame painted".into(),
    ])];
    for server in Server::ALL {
        let (Some(few), Some(many)) = (of(server, 6), of(server, most)) else { continue };
        let times = |of: fn(&Figures) -> f64| format!("{:.2} times", of(many) / many.painted / (of(few) / few.painted));
        lines.push(row([server.name().to_owned(), times(|figures| figures.cpu), times(|figures| figures.out)]));
    }
    report.table(&lines);
}
