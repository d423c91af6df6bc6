//! An X display behind a VNC server: TigerVNC's Xvnc, or x11vnc on Xvfb. Knows the true picture, by asking X itself.

use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::tools::{Scratch, run};
use crate::support::viewer::Viewer;
use crate::support::wait::{PATIENCE, poll_until};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

/// Size of a test's screen unless it says otherwise.
pub(crate) const SIZE: (u16, u16) = (1280, 800);
const START_ATTEMPTS: usize = 5;
const START_PATIENCE: Duration = Duration::from_secs(20);
const X11VNC_OPTIONS: &[&str] =
    &["-forever", "-shared", "-nocursor", "-nopw", "-norc", "-noipv6", "-no6", "-xrandr", "newfbsize"];
/// How long X must have the same picture to be called quiet.
const QUIET: Duration = Duration::from_millis(400);

/// Which VNC server shows the display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// TigerVNC's: X server and VNC server in one.
    Xvnc,
    /// x11vnc, which looks at another X server.
    X11vnc,
}

/// A port that nobody uses at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Asks an X display what it shows.
struct Eye {
    x: RustConnection,
    root: Window,
}

impl Eye {
    /// Opens a display and makes its pointer invisible: viewers that can not draw a pointer get one painted into the picture, which X's own
    /// picture does not show.
    fn open(display: &str) -> Self {
        let (x, screen) = RustConnection::connect(Some(display)).unwrap();
        let root = x.setup().roots[screen].root;
        x.xfixes_query_version(5, 0).unwrap().reply().unwrap();
        x.xfixes_hide_cursor(root).unwrap().check().unwrap();
        Self { x, root }
    }

    /// A picture with the pointer as X would draw it; its colours come multiplied with its alpha.
    fn with_pointer(&self, picture: &Picture) -> Picture {
        let (width, height) = (picture.width, picture.height);
        let mut pixels: Vec<_> = (0..width * height).map(|at| picture.pixel(at % width, at / width)).collect();
        let image = self.x.xfixes_get_cursor_image().unwrap().reply().unwrap();
        let (left, top) = (i32::from(image.x) - i32::from(image.xhot), i32::from(image.y) - i32::from(image.yhot));
        for (at, &over) in (0..).zip(&image.cursor_image) {
            let (x, y) = (left + at % i32::from(image.width), top + at / i32::from(image.width));
            let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { continue };
            let Some(pixel) = pixels.get_mut(y * width + x).filter(|_| x < width) else { continue };
            let rest = 255 - (over >> 24);
            let channel = |shift: u32| ((over >> shift & 0xff) * 255 + (*pixel >> shift & 0xff) * rest + 127) / 255;
            *pixel = channel(16) << 16 | channel(8) << 8 | channel(0);
        }
        Picture::from_pixels(width, height, &pixels)
    }

    fn picture(&self) -> Picture {
        let size = self.x.get_geometry(self.root).unwrap().reply().unwrap();
        let image =
            self.x.get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, size.width, size.height, !0).unwrap().reply().unwrap();
        let pixels = image.data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        Picture::from_rgb(size.width.into(), size.height.into(), pixels)
    }

    /// What X shows once it has not changed for a while.
    fn quiet_picture(&self) -> Picture {
        let mut last = self.picture();
        let mut since = Instant::now();
        poll_until("a quiet screen", PATIENCE, || {
            let now = self.picture();
            if now != last {
                since = Instant::now();
                last = now;
            }
            (since.elapsed() >= QUIET).then(|| last.clone())
        })
    }
}

/// An X display without a VNC server.
pub(crate) struct Screen {
    eye: Eye,
    pub(crate) display: String,
    x: Process,
}

impl Screen {
    /// A display of this size.
    pub(crate) fn new(size: (u16, u16)) -> Self {
        let (x, display) = start_xvfb(size).expect("Xvfb's display");
        Self { eye: Eye::open(&display), display, x }
    }

    /// Its name.
    pub(crate) fn display(&self) -> &str {
        &self.display
    }

    /// Starts an X program on this display.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Process {
        Process::start(Command::new(program).args(args).env("DISPLAY", &self.display)).killed_at_once()
    }

    /// What it shows now.
    pub(crate) fn picture(&self) -> Picture {
        self.eye.picture()
    }

    /// What it shows once it has not changed for a while.
    pub(crate) fn quiet_picture(&self) -> Picture {
        self.eye.quiet_picture()
    }

    /// The same with the pointer.
    pub(crate) fn quiet_with_pointer(&self) -> Picture {
        self.eye.with_pointer(&self.eye.quiet_picture())
    }

    /// Runs `xrandr` with these words.
    pub(crate) fn xrandr(&self, words: &str) {
        run("xrandr", &[&["-display", &self.display], &words.split(' ').collect::<Vec<_>>()[..]].concat());
    }

    /// Changes the size; it must not grow beyond the first one.
    pub(crate) fn resize(&self, (w, h): (u16, u16)) {
        self.xrandr(&format!("--newmode {w}x{h} 0 {w} {w} {w} {w} {h} {h} {h} {h}"));
        self.xrandr(&format!("--addmode screen {w}x{h}"));
        self.xrandr(&format!("--output screen --mode {w}x{h}"));
    }

    /// Two monitors side by side, the left one that wide.
    pub(crate) fn split(&self, (width, height): (u16, u16), left: u16) {
        self.xrandr(&format!("--setmonitor L {left}/300x{height}/200+0+0 screen"));
        self.xrandr(&format!("--setmonitor R {}/300x{height}/200+{left}+0 none", width - left));
    }

    /// Starts x11vnc for it; the process, and where it listens.
    pub(crate) fn x11vnc(&self) -> (Process, SocketAddr) {
        let (process, port) = (0..START_ATTEMPTS).find_map(|_| x11vnc_of(&self.display)).expect("x11vnc");
        (process, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// The X server's process id.
    pub(crate) fn x_id(&self) -> u32 {
        self.x.id()
    }

    /// Ends the X server as a crash would.
    pub(crate) fn crash(&mut self) {
        self.x.kill();
    }
}

/// A display and its VNC server.
pub(crate) struct Desktop {
    pub(crate) display: String,
    pub(crate) vnc: SocketAddr,
    server: Server,
    eye: Eye,
    // Dropped in this order: the VNC server before the X server it looks at.
    vnc_process: Process,
    _x_process: Option<Process>,
    pub(crate) scratch: Scratch,
}

impl Desktop {
    /// A screen of [`SIZE`] that anybody on this machine may watch.
    pub(crate) fn new(server: Server) -> Self {
        Self::with_options(server, SIZE, &[])
    }

    /// Programs that a display of this kind needs.
    pub(crate) fn programs(server: Server) -> &'static [&'static str] {
        match server {
            Server::Xvnc => &["Xvnc", "setpriv", "ss"],
            Server::X11vnc => &["Xvfb", "x11vnc", "setpriv", "ss"],
        }
    }

    /// A screen of another size; `options` are added to Xvnc's.
    pub(crate) fn with_options(server: Server, size: (u16, u16), options: &[&str]) -> Self {
        let started = (0..START_ATTEMPTS).find_map(|_| match server {
            Server::Xvnc => start_xvnc(size, options),
            Server::X11vnc => start_x11vnc(size),
        });
        let (display, port, vnc_process, x_process) = started.unwrap_or_else(|| panic!("{server:?} does not start"));
        let vnc = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self { eye: Eye::open(&display), display, vnc, server, vnc_process, _x_process: x_process, scratch: Scratch::new() }
    }

    /// `HOST::PORT` of the VNC server.
    pub(crate) fn address(&self) -> String {
        format!("{}::{}", self.vnc.ip(), self.vnc.port())
    }

    /// Starts an X program on this display.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Process {
        Process::start(Command::new(program).args(args).env("DISPLAY", &self.display)).killed_at_once()
    }

    /// What X shows now.
    pub(crate) fn picture(&self) -> Picture {
        self.eye.picture()
    }

    /// What X shows once it has not changed for a while.
    pub(crate) fn quiet_picture(&self) -> Picture {
        self.eye.quiet_picture()
    }

    /// Changes the screen's size; Xvfb's must not grow beyond its first size.
    pub(crate) fn resize(&self, width: u16, height: u16) {
        let xrandr =
            |words: &str| run("xrandr", &[&["-display", &self.display], &words.split(' ').collect::<Vec<_>>()[..]].concat());
        match self.server {
            Server::Xvnc => drop(xrandr(&format!("-s {width}x{height}"))),
            Server::X11vnc => {
                let (w, h) = (width, height);
                xrandr(&format!("--newmode {w}x{h} 0 {w} {w} {w} {w} {h} {h} {h} {h}"));
                xrandr(&format!("--addmode screen {w}x{h}"));
                xrandr(&format!("--output screen --mode {w}x{h}"));
            }
        }
    }

    /// Makes Xvnc have two outputs side by side, the left one that wide, as any client may.
    pub(crate) fn split(&self, (width, height): (u16, u16), left: u16) {
        let mut viewer = Viewer::connect(self.vnc).unwrap();
        let mut message = vec![251, 0];
        [width, height].iter().for_each(|side| message.extend(side.to_be_bytes()));
        message.extend([2, 0]);
        for (id, x, width) in [(0u32, 0, left), (1, left, width - left)] {
            message.extend(id.to_be_bytes());
            [x, 0, width, height].iter().for_each(|field: &u16| message.extend(field.to_be_bytes()));
            message.extend([0; 4]);
        }
        viewer.stream().write_all(&message).unwrap();
        poll_until("two outputs", PATIENCE, || {
            viewer.update().unwrap();
            let monitors = run("xrandr", &["-display", &self.display, "--listmonitors"]);
            monitors.starts_with("Monitors: 2").then_some(())
        });
    }

    /// How many connections the VNC server has ever accepted, by its own log.
    pub(crate) fn connections_ever(&self) -> usize {
        self.vnc_process.err().count(|line| match self.server {
            Server::Xvnc => line.contains("accepted:"),
            Server::X11vnc => line.contains("Got connection from client"),
        })
    }

    /// The VNC server's process id.
    pub(crate) fn vnc_id(&self) -> u32 {
        self.vnc_process.id()
    }

    /// The VNC server's process, to stop it.
    pub(crate) fn vnc_process(&mut self) -> &mut Process {
        &mut self.vnc_process
    }
}

type Started = (String, u16, Process, Option<Process>);

/// Starts Xvnc; `None` when the port was taken meanwhile.
fn start_xvnc(size: (u16, u16), options: &[&str]) -> Option<Started> {
    let port = free_port();
    let process = xvnc(&[], &["-displayfd", "1"], port, size, options);
    let display = process.out().wait(START_PATIENCE, |line| line.parse::<u32>().is_ok())?;
    is_listening(&process).then(|| (format!(":{display}"), port, process, None))
}

/// Starts Xvnc inside another program (`ip netns exec ...`); its display and its port. X servers in different network namespaces do not see
/// each other's displays and would take them away from each other, so this one gets a number that no other has.
pub(crate) fn start_xvnc_inside(inside: &[&str], size: (u16, u16)) -> (String, u16, Process) {
    xvnc_inside(inside, size, &[])
}

/// The same that other hosts reach, too.
pub(crate) fn start_open_xvnc_inside(inside: &[&str], size: (u16, u16)) -> (String, u16, Process) {
    xvnc_inside(inside, size, &["-interface", "0.0.0.0"])
}

fn xvnc_inside(inside: &[&str], size: (u16, u16), options: &[&str]) -> (String, u16, Process) {
    let port = free_port();
    let display = unshared_display(port);
    let process = xvnc(inside, &[&display], port, size, options);
    assert!(is_listening(&process), "{}", process.said());
    (display, port, process)
}

/// Starts x11vnc, which other hosts reach, and Xvfb inside another program: the display and the port, x11vnc and Xvfb.
pub(crate) fn start_open_x11vnc_inside(inside: &[&str], size: (u16, u16)) -> (String, u16, Process, Process) {
    let port = free_port();
    let (display, geometry) = (unshared_display(port), format!("{}x{}x24", size.0, size.1));
    let words = [inside, &["Xvfb", &display, "-screen", "0", &geometry, "-noreset", "-nolisten", "tcp"]].concat();
    let x = Process::run(words[0], &words[1..]);
    poll_until("Xvfb", START_PATIENCE, || RustConnection::connect(Some(&display)).ok().map(drop));
    let port_word = port.to_string();
    let words = [inside, &["x11vnc"], X11VNC_OPTIONS, &["-display", &display, "-rfbport", &port_word]].concat();
    let vnc = Process::run(words[0], &words[1..]);
    vnc.line("its port", START_PATIENCE, |line| line == format!("PORT={port}"));
    (display, port, vnc, x)
}

/// A display's name that no other has, in whatever namespace.
fn unshared_display(port: u16) -> String {
    format!(":{}", 1000 + port % 50_000)
}

fn xvnc(inside: &[&str], display: &[&str], port: u16, size: (u16, u16), options: &[&str]) -> Process {
    let (geometry, port) = (format!("{}x{}", size.0, size.1), port.to_string());
    let mut words = [inside, &["Xvnc"], display].concat();
    words.extend(["-geometry", &geometry, "-depth", "24", "-rfbport", &port, "-interface", "127.0.0.1"]);
    words.extend(["-AlwaysShared", "-BlacklistThreshold", "100000", "-Log", "*:stderr:30"]);
    if !options.contains(&"-SecurityTypes") {
        words.extend(["-SecurityTypes", "None"]);
    }
    words.extend(options);
    Process::run(words[0], &words[1..])
}

fn is_listening(xvnc: &Process) -> bool {
    let line = xvnc.err().wait(START_PATIENCE, |line| line.contains("Listening for VNC connections") || line.contains("rror"));
    line.is_some_and(|line| line.contains("Listening"))
}

fn start_x11vnc(size: (u16, u16)) -> Option<Started> {
    let (x, display) = start_xvfb(size)?;
    let (vnc, port) = x11vnc_of(&display)?;
    Some((display, port, vnc, Some(x)))
}

/// Starts x11vnc for a display, and says its port; `None` when that was taken meanwhile.
fn x11vnc_of(display: &str) -> Option<(Process, u16)> {
    let port = free_port().to_string();
    // Ended by TERM: killed, it would leave its shared memory behind, and a machine has room for 4096 pieces.
    let vnc = Process::run("x11vnc", &[&["-localhost"], X11VNC_OPTIONS, &["-display", display, "-rfbport", &port]].concat());
    let told = vnc.out().wait(START_PATIENCE, |line| line.starts_with("PORT="))?;
    (told == format!("PORT={port}")).then(|| (vnc, port.parse().unwrap()))
}

fn start_xvfb(size: (u16, u16)) -> Option<(Process, String)> {
    let geometry = format!("{}x{}x24", size.0, size.1);
    let x = Process::run("Xvfb", &["-displayfd", "1", "-screen", "0", &geometry, "-noreset", "-nolisten", "tcp"]);
    let number = x.out().wait(START_PATIENCE, |line| line.parse::<u32>().is_ok())?;
    Some((x, format!(":{number}")))
}

/// A window of text that has stopped changing: `rows` coloured lines, then silence.
pub(crate) fn terminal(desktop: &Desktop, geometry: &str, lines: usize) -> Process {
    let script = format!(
        "i=0; while [ $i -lt {lines} ]; do printf '\\033[3%dm%05d the quick brown fox jumps over the lazy dog\\033[0m %s\\n' \
         $((i % 8)) $i \"$(echo $i | md5sum)\"; i=$((i+1)); done; touch {}; exec sleep 1000",
        desktop.scratch.file("printed").display()
    );
    let file = desktop.scratch.write("terminal.sh", script);
    let file = file.to_str().unwrap();
    let process = desktop.run("xterm", &["-geometry", geometry, "-bg", "black", "-fg", "white", "-sl", "0", "-e", "sh", file]);
    poll_until("the terminal's text", PATIENCE, || desktop.scratch.file("printed").exists().then_some(()));
    process
}

/// Waits until the display shows more than `colours` different colours.
pub(crate) fn await_colours(desktop: &Desktop, colours: usize) {
    poll_until(&format!("{colours} colours on the screen"), PATIENCE, || (desktop.picture().colours() > colours).then_some(()));
}

/// The present picture of a node or root, by `treevnc snapshot`.
pub(crate) fn snapshot(address: SocketAddr, scratch: &Scratch) -> Picture {
    let file = scratch.file(&format!("{}.png", crate::support::tools::unique()));
    let mut process = Process::start(&mut treevnc(["snapshot".as_ref(), address.to_string().as_ref(), file.as_os_str()]));
    let status = process.end(PATIENCE);
    assert!(status.success(), "snapshot of {address}: {status}\n{}", process.said());
    let picture = Picture::from_png(&file);
    std::fs::remove_file(file).unwrap();
    picture
}
