//! A display with a window manager, on which this project's window is looked at and clicked.

use crate::support::desktop::Screen;
use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::tools::{Scratch, run};
use crate::support::wait::{PATIENCE, poll_for, poll_until};
use std::process::Command;
use std::time::{Duration, Instant};

/// The tool bar: its colour, and its height.
const BAR: u32 = 0x0020_242C;
const BAR_HEIGHT: usize = 38;

/// How long a button must have been in its place, and how long it may take to light up or to go down.
const STANDING: Duration = Duration::from_millis(300);
const LIGHTING: Duration = Duration::from_secs(2);

/// What a button looks like at rest.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Button {
    /// Share screen; on a card: Show.
    Go,
    /// Cancel, Back to lecturer, or Stop sharing while another one is shown.
    Wait,
    /// Stop sharing.
    Live,
    /// On a card: Refuse.
    Quiet,
    /// A display on the map.
    Display,
}

impl Button {
    /// Its fill at rest, and under the pointer.
    fn fills(self) -> (u32, u32) {
        match self {
            Self::Go => (0x0027_6B4B, 0x0030_8059),
            Self::Wait => (0x0079_5A1E, 0x008F_6B26),
            Self::Live => (0x00C8_3434, 0x00DC_4545),
            Self::Quiet => (0x0017_1A20, 0x002F_3540),
            Self::Display => (0x0032_4258, 0x0036_5C8F),
        }
    }
}

/// Which part of the window a button is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// The tool bar.
    Bar,
    /// Below it.
    Room,
    /// Anywhere on the display.
    Display,
}

/// The display.
pub(crate) struct Desk {
    pub(crate) screen: Screen,
    _manager: Process,
    scratch: Scratch,
}

impl Desk {
    /// Programs it needs.
    pub(crate) const PROGRAMS: &'static [&'static str] = &["Xvfb", "openbox", "xdotool", "setpriv"];

    /// A display of that size whose window manager is ready.
    pub(crate) fn new(size: (u16, u16)) -> Self {
        let (screen, scratch) = (Screen::new(size), Scratch::new());
        let ready = scratch.file("ready");
        let manager = screen.run("openbox", &["--startup", &format!("touch {}", ready.display())]);
        poll_until("a window manager", PATIENCE, || ready.exists().then_some(()));
        Self { screen, _manager: manager, scratch }
    }

    /// Starts this project's program here.
    pub(crate) fn start(&self, args: &[&str]) -> Process {
        Process::start(treevnc(args).env("DISPLAY", self.screen.display()))
    }

    /// Runs xdotool and returns what it says.
    pub(crate) fn xdotool(&self, args: &[&str]) -> String {
        let output = Command::new("xdotool").args(args).env("DISPLAY", self.screen.display()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs a program to its end here.
    pub(crate) fn command(&self, program: &str, args: &[&str]) {
        run("env", &[&[&format!("DISPLAY={}", self.screen.display()), program], args].concat());
    }

    /// Where a button is now.
    pub(crate) fn find(&self, button: Button, on: On) -> Option<(usize, usize)> {
        let shot = self.screen.picture();
        let rows = match on {
            On::Display => 0..shot.height,
            On::Bar => top(&shot).map(|top| top..top + BAR_HEIGHT)?,
            On::Room => top(&shot).map(|top| top + BAR_HEIGHT..shot.height)?,
        };
        runs(&shot, rows, button.fills().0).next()
    }

    /// Waits for a button.
    pub(crate) fn see(&self, what: &str, button: Button, on: On) -> (usize, usize) {
        let mut seen = None;
        let found = poll_for(PATIENCE, || {
            seen = self.find(button, on);
            seen
        });
        found.unwrap_or_else(|| panic!("never seen: {what}; the display is in {}", self.keep(what)))
    }

    /// Waits for a button that stands still and clicks it. One that moves nevertheless is looked for again.
    pub(crate) fn click(&self, what: &str, button: Button, on: On) {
        let mut last = None;
        let mut since = Instant::now();
        let clicked = poll_for(PATIENCE, || {
            let now = self.find(button, on);
            if now != last {
                (last, since) = (now, Instant::now());
            }
            now.filter(|_| since.elapsed() >= STANDING).and_then(|at| self.click_at(button, at))
        });
        clicked.unwrap_or_else(|| panic!("never clicked: {what}; the display is in {}", self.keep(what)));
    }

    /// Clicks the button at a place, once it lights up; `None` when it does not, or does not go down.
    pub(crate) fn click_at(&self, button: Button, (x, y): (usize, usize)) -> Option<()> {
        let is_lit = || self.screen.picture().pixel(x, y) == button.fills().1;
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
        poll_for(LIGHTING, || is_lit().then_some(()))?;
        self.xdotool(&["mousedown", "1"]);
        let went_down = poll_for(LIGHTING, || (!is_lit()).then_some(()));
        // Beside it, a release does nothing.
        if went_down.is_none() {
            self.xdotool(&["mousemove", "1", "1"]);
        }
        self.xdotool(&["mouseup", "1", "mousemove", "1", "1"]);
        went_down
    }

    /// Presses a key where the keyboard is.
    pub(crate) fn key(&self, key: &str) {
        self.xdotool(&["key", key]);
    }

    /// The inner size of the window, once there is one.
    pub(crate) fn size_of_window(&self) -> Option<(u32, u32)> {
        let window = self.xdotool(&["search", "--class", "treevnc"]);
        let geometry = self.xdotool(&["getwindowgeometry", window.lines().last()?]);
        let (_, size) = geometry.split_once("Geometry: ")?;
        let (width, height) = size.lines().next()?.split_once('x')?;
        Some((width.parse().ok()?, height.parse().ok()?))
    }

    /// Waits until the window's title begins like this.
    pub(crate) fn titled(&self, beginning: &str) {
        let title = || {
            let window = self.xdotool(&["search", "--class", "treevnc"]);
            self.xdotool(&["getwindowname", window.lines().last()?]).starts_with(beginning).then_some(())
        };
        poll_until(&format!("a window titled {beginning}"), PATIENCE, title);
    }

    /// Keeps what the display shows as a picture file, and returns its name.
    pub(crate) fn keep(&self, what: &str) -> String {
        let name = format!("{}/../{}.ppm", self.scratch.path().display(), what.replace([' ', '/'], "-"));
        std::fs::write(&name, self.screen.picture().to_ppm()).unwrap();
        name
    }
}

/// The tool bar's first row.
fn top(shot: &Picture) -> Option<usize> {
    runs(shot, 0..shot.height, BAR).next().map(|(_, y)| y - 2)
}

/// Places in the rows where a run of one colour is as long as a button, or as a tool bar is free.
fn runs(shot: &Picture, rows: std::ops::Range<usize>, colour: u32) -> impl Iterator<Item = (usize, usize)> + '_ {
    rows.flat_map(move |y| {
        let mut found = Vec::new();
        let mut start = 0;
        for x in 0..=shot.width {
            if x == shot.width || shot.pixel(x, y) != colour {
                if x - start >= 40 && (colour == BAR || x - start < 300) {
                    found.push(((start + x) / 2, y + 2));
                }
                start = x + 1;
            }
        }
        found
    })
}
