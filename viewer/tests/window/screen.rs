//! A screen of its own for each test (Xvfb, with or without openbox), the example on it, and what can be seen and done there.

use crate::card;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use treevnc_protocol::framebuffer::Framebuffer;
use x11rb::connection::Connection;
use x11rb::properties::WmHints;
use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt, EventMask, ImageFormat};
use x11rb::rust_connection::RustConnection;

/// How long anything may take on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(30);
/// The tool bar: its colour and its height at 100 percent.
const BAR: u32 = 0x0020_242C;
const BAR_HEIGHT: usize = 38;

/// An X server that dies with this value.
pub(crate) struct Screen {
    server: Child,
    manager: Option<Child>,
    display: String,
    connection: RustConnection,
}

/// What was on the screen at one moment.
#[derive(Clone)]
pub(crate) struct Shot {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<u32>,
}

/// The example under test.
pub(crate) struct Window {
    child: Child,
    orders: ChildStdin,
    asked: BufReader<ChildStdout>,
}

/// Whether the tools are there. In CI they must be.
pub(crate) fn tools_are_there() -> bool {
    let missing = ["Xvfb", "xdotool", "openbox"].into_iter().find(|tool| {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        !std::env::split_paths(&paths).any(|folder| folder.join(tool).is_file())
    });
    if let Some(tool) = missing {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{tool} is missing");
        eprintln!("skipped: {tool} is missing (Debian: apt-get install xvfb xdotool openbox)");
    }
    missing.is_none()
}

/// Looks again and again until there is an answer.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    eventually(&mut look).unwrap_or_else(|| panic!("never came: {what}"))
}

fn eventually<T>(look: &mut dyn FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(seen) = look() {
            return Some(seen);
        }
        std::thread::yield_now();
    }
    None
}

impl Screen {
    /// A screen of that size; `managed` by a window manager or not.
    pub(crate) fn start(width: u16, height: u16, managed: bool) -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &format!("{width}x{height}x24"), "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut number).expect("Xvfb names its display");
        let display = format!(":{}", number.trim());
        let (connection, _) = x11rb::connect(Some(&display)).expect("Xvfb accepts");
        let mut screen = Self { server, manager: None, display, connection };
        if managed {
            // Openbox runs this command when it is ready; before, it loses windows.
            let ready = format!("{}/openbox-ready-{}", env!("CARGO_TARGET_TMPDIR"), screen.server.id());
            let mut manager = Command::new("openbox");
            manager
                .args(["--startup", &format!("touch {ready}")])
                .env("DISPLAY", &screen.display)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            screen.manager = Some(manager.spawn().expect("openbox starts"));
            until("a window manager", || std::fs::remove_file(&ready).ok());
        }
        screen
    }

    /// Starts the example here.
    pub(crate) fn show(&self, options: &[&str]) -> Window {
        let mut example = example();
        example.args(options).env("DISPLAY", &self.display).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = example.spawn().expect("the example starts");
        let orders = child.stdin.take().expect("piped");
        let asked = BufReader::new(child.stdout.take().expect("piped"));
        Window { child, orders, asked }
    }

    /// The whole screen now.
    pub(crate) fn shot(&self) -> Shot {
        let root = &self.connection.setup().roots[0];
        let (width, height) = (root.width_in_pixels, root.height_in_pixels);
        let asked = self.connection.get_image(ImageFormat::Z_PIXMAP, root.root, 0, 0, width, height, u32::MAX);
        let image = asked.unwrap().reply().unwrap().data;
        let mut pixels = vec![0_u32; image.len() / 4];
        bytemuck::cast_slice_mut(&mut pixels).copy_from_slice(&image);
        Shot { width: width.into(), height: height.into(), pixels }
    }

    /// Waits for a screen on which `look` finds something; if it never does, the screen is left as a file to look at.
    pub(crate) fn see<T>(&self, what: &str, mut look: impl FnMut(&Shot) -> Option<T>) -> T {
        eventually(&mut || look(&self.shot()))
            .unwrap_or_else(|| panic!("never seen: {what}; the screen is in {}", self.shot().kept(what)))
    }

    /// Waits for the picture, pixel by pixel, right under the tool bar of a window.
    pub(crate) fn see_exactly(&self, what: &str, picture: &Framebuffer) {
        self.see(what, |shot| shot.shows(picture, shot.under_bar()?, (0, 0)).then_some(()));
    }

    /// Runs xdotool and returns what it says.
    pub(crate) fn xdotool(&self, arguments: &[&str]) -> String {
        let output = Command::new("xdotool").args(arguments).env("DISPLAY", &self.display).output().expect("xdotool runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The window's number for xdotool.
    pub(crate) fn window(&self) -> String {
        until("a window of class treevnc", || self.xdotool(&["search", "--class", "treevnc"]).lines().last().map(str::to_owned))
    }

    /// Gives the window the keyboard where no window manager does, and presses a key for no longer than the server takes.
    pub(crate) fn key(&self, key: &str) {
        self.xdotool(&["windowfocus", "--sync", &self.window(), "key", key]);
    }

    /// Whether the window asks for attention.
    pub(crate) fn is_urgent(&self) -> bool {
        let window = self.window().parse().expect("a number");
        let hints = WmHints::get(&self.connection, window).ok().and_then(|asked| asked.reply().ok());
        hints.flatten().is_some_and(|hints| hints.urgent)
    }

    /// Asks the window to close, as a window manager does when its cross is clicked.
    pub(crate) fn ask_to_close(&self) {
        let atom = |name: &[u8]| self.connection.intern_atom(false, name).unwrap().reply().unwrap().atom;
        let window = self.window().parse().expect("a number");
        let data = [atom(b"WM_DELETE_WINDOW"), 0, 0, 0, 0];
        let event = ClientMessageEvent::new(32, window, atom(b"WM_PROTOCOLS"), data);
        self.connection.send_event(false, window, EventMask::NO_EVENT, event).unwrap().check().expect("sent");
    }

    /// Clicks button `index` of the tool bar, counted from the left after the menu's, seeing each step done.
    pub(crate) fn click_button(&self, index: usize) {
        self.xdotool(&["mousemove", "1", "1"]);
        let (x, y) = self.see("the buttons", |shot| shot.buttons().get(index).copied());
        self.see("a button at rest", |shot| (shot.buttons().get(index) == Some(&(x, y))).then_some(()));
        self.click_at((x, y));
    }

    /// Clicks what lights up at a point under the pointer and goes down, seeing each step done.
    pub(crate) fn click_at(&self, (x, y): (usize, usize)) {
        let colour = |shot: &Shot| shot.at(x, y);
        let rest = colour(&self.shot());
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
        let hovered = if rest == CHOSEN {
            rest
        } else {
            self.see("the button lights up", |shot| Some(colour(shot)).filter(|now| *now != rest))
        };
        self.xdotool(&["mousedown", "1"]);
        self.see("the button goes down", |shot| (colour(shot) != hovered).then_some(()));
        self.xdotool(&["mouseup", "1"]);
    }
}

/// The fill of a button that is chosen.
const CHOSEN: u32 = 0x0036_5C8F;

impl Drop for Screen {
    fn drop(&mut self) {
        for child in self.manager.iter_mut().chain([&mut self.server]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Window {
    /// Gives the example one order.
    pub(crate) fn tell(&mut self, order: &str) {
        writeln!(self.orders, "{order}").expect("the example still listens");
    }

    /// Shows a card and returns what it looks like.
    pub(crate) fn card(&mut self, number: u16, width: u16, height: u16) -> Framebuffer {
        self.tell(&format!("card {number} {width} {height}"));
        card::card(width, height, number.into()).expect("a size within limits")
    }

    /// Waits for the next thing that the person asks for.
    pub(crate) fn asked(&mut self) -> String {
        let mut line = String::new();
        self.asked.read_line(&mut line).expect("the example says what it was asked for");
        line.trim().to_owned()
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self, way: &str, screen: &Screen) -> ExitStatus {
        screen.see(&format!("the end by {way}"), |_| self.child.try_wait().expect("it can be waited for"))
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Shot {
    /// Keeps the screen as a picture file and returns its name.
    fn kept(&self, what: &str) -> String {
        let name = format!("{}/{}.ppm", env!("CARGO_TARGET_TMPDIR"), what.replace(' ', "-"));
        let mut file = format!("P6 {} {} 255\n", self.width, self.height).into_bytes();
        file.extend(self.pixels.iter().flat_map(|pixel| pixel.to_be_bytes().into_iter().skip(1)));
        std::fs::write(&name, file).map_or_else(|error| error.to_string(), |()| name)
    }

    /// One pixel.
    pub(crate) fn at(&self, x: usize, y: usize) -> u32 {
        self.pixels[y * self.width + x]
    }

    /// The pixels of a rectangle, row by row.
    pub(crate) fn part(&self, (left, top): (usize, usize), (width, height): (usize, usize)) -> Vec<u32> {
        (top..top + height).flat_map(|y| self.pixels[y * self.width + left..][..width].iter().copied()).collect()
    }

    /// The top left corner of the window's tool bar.
    pub(crate) fn bar(&self) -> Option<(usize, usize)> {
        (0..self.height).find_map(|y| {
            let row = &self.pixels[y * self.width..(y + 1) * self.width];
            let inside = (0..self.width).step_by(20).find(|&x| row[x..].len() >= 40 && row[x..x + 40] == [BAR; 40])?;
            Some((inside - row[..inside].iter().rev().take_while(|&&pixel| pixel == BAR).count(), y))
        })
    }

    /// The corner under the tool bar, where the picture's room begins.
    pub(crate) fn under_bar(&self) -> Option<(usize, usize)> {
        self.bar().map(|(x, y)| (x, y + BAR_HEIGHT))
    }

    /// Points inside the tool bar's buttons, from the left: runs of one colour that are not the bar's, beside the words.
    pub(crate) fn buttons(&self) -> Vec<(usize, usize)> {
        let Some((left, top)) = self.bar() else { return Vec::new() };
        let y = top + 9;
        let row = &self.pixels[y * self.width + left..(y + 1) * self.width];
        let mut buttons = Vec::new();
        let mut start = 0;
        for end in 1..=row.len() {
            if end == row.len() || row[end] != row[start] {
                if row[start] != BAR && end - start >= 24 {
                    buttons.push((left + (start + end) / 2, y));
                }
                start = end;
            }
        }
        buttons.truncate(6);
        buttons
    }

    /// A point in the uppermost place, from row `top` on, where a row has a run of one colour as long as a button.
    pub(crate) fn button_of(&self, colour: u32, top: usize) -> Option<(usize, usize)> {
        (top..self.height).find_map(|y| {
            let row = &self.pixels[y * self.width..(y + 1) * self.width];
            let mut start = 0;
            row.chunk_by(|a, b| (*a == colour) == (*b == colour)).find_map(|run| {
                let begin = start;
                start += run.len();
                ((40..300).contains(&run.len()) && run[0] == colour).then_some((begin + run.len() / 2, y + 2))
            })
        })
    }

    /// Whether the picture's part from `source` on is at `place`, as far as the screen goes.
    pub(crate) fn shows(&self, picture: &Framebuffer, place: (usize, usize), source: (usize, usize)) -> bool {
        let (width, height) = (usize::from(picture.size().width()), usize::from(picture.size().height()));
        let shown = (width - source.0).min(self.width - place.0);
        let rows = (height - source.1).min(self.height - place.1);
        (0..rows).all(|row| {
            let from = (row + source.1) * width + source.0;
            let at = (row + place.1) * self.width + place.0;
            self.pixels[at..at + shown] == picture.pixels()[from..from + shown]
        })
    }
}

/// The example, built as it is now: a run of these tests alone does not build it.
pub(crate) fn example() -> Command {
    static BUILT: std::sync::Once = std::sync::Once::new();
    let tests = std::env::current_exe().expect("this program has a path");
    let folder = tests.ancestors().nth(2).expect("a test lies two folders below its profile").to_owned();
    BUILT.call_once(|| {
        let profile = folder.file_name().and_then(|name| name.to_str()).filter(|name| *name != "debug").unwrap_or("dev");
        // With the features of the whole workspace, as the test command builds it: nothing is compiled a second time.
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--profile", profile, "--workspace", "--example", "show_picture"]);
        assert!(build.status().is_ok_and(|status| status.success()), "the example cannot be built");
    });
    Command::new(folder.join("examples").join("show_picture"))
}
