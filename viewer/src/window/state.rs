//! The window's state machine: keys, clicks and the wheel go in, what to show and what to ask of the desktop come out.
//! Time is an argument. Input ends here: nothing of it is ever sent to a presenter.

use super::controls::{Bar, Command, ControlSize, Menu};
use super::layout::{Area, Placement, place, scroll_limit};
use super::state::presenting::Presenting;
use super::{WindowCommand, Zoom};
use std::borrow::Cow;
use std::time::Duration;

mod keyboard;
mod pointer;
mod presenting;

/// How long the tool bar stays in full screen after the pointer has left it.
const BAR_LINGERS: Duration = Duration::from_millis(700);
/// How long the tool bar shows itself when full screen begins.
const BAR_GREETS: Duration = Duration::from_millis(2500);
/// How long a passing message stays: a moment to see it, and its letters' reading time.
const MESSAGE_STAYS: Duration = Duration::from_millis(2500);
const LETTER_STAYS: Duration = Duration::from_millis(45);
/// One notch of the wheel, in pixels at 100 percent.
const WHEEL_STEP: i32 = 72;

/// A key the window knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Left,
    Right,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    F8,
    F11,
    Escape,
    Enter,
    Ctrl,
    Alt,
    Shift,
    /// A letter or digit, lower case.
    Letter(char),
}

/// Something that happened to the window. Places are window pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Input {
    Key {
        key: Key,
        down: bool,
    },
    Pointer {
        x: i32,
        y: i32,
    },
    LeftButton {
        down: bool,
    },
    MiddleButton {
        down: bool,
    },
    /// Notches of the wheel; positive is up and left.
    Wheel {
        columns: f32,
        rows: f32,
    },
    FocusLost,
    /// The window has become, or is no longer, full screen.
    FullScreen(bool),
}

/// What only the desktop or the program can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Quit,
    FullScreen(bool),
    /// The program is to hear of it.
    Send(WindowCommand),
}

/// What is to be painted; equal looks of an equal scene are equal pixels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    pub(crate) window: Area,
    /// Where the picture goes.
    pub(crate) room: Area,
    pub(crate) placement: Option<Placement>,
    pub(crate) zoom: Zoom,
    pub(crate) smooth: bool,
    pub(crate) full_screen: bool,
    pub(crate) bar: bool,
    /// The open menu, with its highlighted row.
    pub(crate) menu: Option<Option<Command>>,
    /// The tool bar's buttons under the pointer and held down.
    pub(crate) hover: Option<Command>,
    pub(crate) pressed: Option<Command>,
    pub(crate) message: Option<Cow<'static, str>>,
    /// Whether a page takes the picture's place.
    pub(crate) mirrored: bool,
    /// The open panel of displays, with what is highlighted.
    pub(crate) panel: Option<Option<Command>>,
}

#[derive(Debug, Default)]
struct Held {
    ctrl: bool,
    alt: bool,
    shift: bool,
}

/// The state machine. `resized`, `picture_is` and `floor_is` tell it what there is, `handle` what happened, `tick` the time; `look` is
/// what to show now.
#[derive(Debug)]
pub(crate) struct State {
    size: ControlSize,
    window: Area,
    picture: Option<(i32, i32)>,
    bar: Bar,
    menu: Menu,
    zoom: Zoom,
    smooth: bool,
    scroll: (i32, i32),
    full_screen: bool,
    open_menu: Option<Option<Command>>,
    bar_until: Duration,
    bar_shown: bool,
    pointer: Option<(i32, i32)>,
    pressed: Option<Command>,
    dragging: bool,
    held: Held,
    message: Option<(Cow<'static, str>, Duration)>,
    presenting: Presenting,
}

impl State {
    /// A window in a window, nothing open.
    pub(crate) fn new(size: ControlSize, zoom: Zoom, smooth: bool) -> Self {
        Self {
            size,
            window: Area::default(),
            picture: None,
            bar: Bar::default(),
            menu: Menu::default(),
            zoom,
            smooth,
            scroll: (0, 0),
            full_screen: false,
            open_menu: None,
            bar_until: Duration::ZERO,
            bar_shown: true,
            pointer: None,
            pressed: None,
            dragging: false,
            held: Held::default(),
            message: None,
            presenting: Presenting::default(),
        }
    }

    /// The window has this size now; `measure` gives the width of a text of the controls.
    pub(crate) fn resized(&mut self, width: i32, height: i32, measure: impl Fn(&str) -> i32) {
        self.window = Area::new(0, 0, width, height);
        self.lay_out(measure);
        self.scroll_by(0, 0);
    }

    /// The picture has this size now.
    pub(crate) fn picture_is(&mut self, size: Option<(i32, i32)>) {
        self.picture = size;
        self.scroll_by(0, 0);
    }

    /// The tool bar's places.
    pub(crate) fn bar(&self) -> &Bar {
        &self.bar
    }

    /// The menu's places.
    pub(crate) fn menu(&self) -> &Menu {
        &self.menu
    }

    /// Whether the pointer is where a click would do something: then short clicks must not be missed.
    pub(crate) fn click_is_near(&self) -> bool {
        let on_bar = |at| self.bar_shown && self.bar.area.contains(at);
        self.open_menu.is_some() || self.pointer.is_some_and(|at| on_bar(at) || self.near_presenting(at))
    }

    /// Shows a passing message.
    pub(crate) fn say(&mut self, message: impl Into<Cow<'static, str>>, now: Duration) {
        let message = message.into();
        let letters = u32::try_from(message.chars().count()).unwrap_or(0);
        self.message = Some((message, now + MESSAGE_STAYS + LETTER_STAYS * letters));
    }

    /// Time has passed: the tool bar of a full screen and messages come and go.
    pub(crate) fn tick(&mut self, now: Duration) {
        self.message.take_if(|(_, until)| now >= *until);
        self.presenting.now = now;
        let reach = if self.bar_shown { self.bar.area.height * 3 / 2 } else { self.size.px(3) };
        let wanted = self.pointer.is_some_and(|at| Area { height: reach, ..self.window }.contains(at));
        if wanted || self.open_menu.is_some() {
            self.bar_until = self.bar_until.max(now + BAR_LINGERS);
        }
        self.bar_shown = !self.full_screen || now < self.bar_until;
    }

    /// What to show now.
    pub(crate) fn look(&self) -> Look {
        let under = self.pointer.filter(|_| !self.dragging).and_then(|at| self.command_at(at));
        let on_menu = self.open_menu.is_some() && self.pointer.is_some_and(|at| self.menu.area.contains(at));
        Look {
            window: self.window,
            room: self.room(),
            placement: self.placement(),
            zoom: self.zoom,
            smooth: self.smooth,
            full_screen: self.full_screen,
            bar: self.bar_shown,
            menu: self.open_menu,
            hover: under.filter(|_| !on_menu),
            pressed: self.pressed.filter(|pressed| under == Some(*pressed) && !on_menu),
            message: self.message.as_ref().map(|(text, _)| text.clone()),
            mirrored: self.mirrored(),
            panel: self.panel_look(under),
        }
    }

    /// Takes one input; answers with what the desktop has to do for it.
    pub(crate) fn handle(&mut self, input: Input, now: Duration) -> Option<Effect> {
        self.presenting.now = now;
        match input {
            Input::Key { key, down } => return self.key(key, down),
            Input::Pointer { x, y } => self.moved((x, y)),
            Input::LeftButton { down: true } => return self.press(),
            Input::LeftButton { down: false } => return self.release(),
            Input::MiddleButton { down } => self.dragging = down && self.open_menu.is_none() && self.over_picture(),
            Input::Wheel { columns, rows } => self.wheel(columns, rows),
            Input::FocusLost => self.held = Held::default(),
            Input::FullScreen(on) if on != self.full_screen => self.entered(on, now),
            Input::FullScreen(_) => {}
        }
        None
    }

    /// Where the picture may be drawn.
    fn room(&self) -> Area {
        let top = if self.full_screen { 0 } else { self.bar.area.height };
        Area::new(0, top, self.window.width, self.window.height - top)
    }

    fn entered(&mut self, full_screen: bool, now: Duration) {
        self.full_screen = full_screen;
        self.bar_until = now + BAR_GREETS;
        self.dragging = false;
        self.scroll_by(0, 0);
        if full_screen {
            self.say("F11 or Esc leaves full screen · F8 opens the menu", now);
        } else {
            self.message = None;
        }
    }

    /// Where the picture goes, if it is shown.
    fn placement(&self) -> Option<Placement> {
        let picture = self.picture.filter(|_| !self.mirrored())?;
        Some(place(picture, self.room(), self.zoom, self.scroll))
    }

    fn scroll_by(&mut self, x: i32, y: i32) {
        let limit = self.picture.map_or((0, 0), |picture| scroll_limit(picture, self.room()));
        if self.zoom == Zoom::OneToOne {
            self.scroll = (self.scroll.0.saturating_add(x).clamp(0, limit.0), self.scroll.1.saturating_add(y).clamp(0, limit.1));
        }
    }

    fn carry_out(&mut self, command: Command) -> Option<Effect> {
        let toggles_menu = command == Command::Menu && self.open_menu.is_none();
        self.open_menu = toggles_menu.then_some(None);
        match command {
            Command::Menu => {}
            Command::Fit => self.zoom = Zoom::Fit,
            Command::OneToOne => {
                self.zoom = Zoom::OneToOne;
                self.scroll_by(0, 0);
            }
            Command::Quality => self.smooth = true,
            Command::Speed => self.smooth = false,
            Command::FullScreen => return Some(Effect::FullScreen(!self.full_screen)),
            Command::Quit => return Some(Effect::Quit),
            presenting => return self.present(presenting),
        }
        None
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
