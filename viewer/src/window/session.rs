//! An open window: gathers input, lets the state machine decide, draws, and asks of the desktop what minifb has no call for.

use super::aside::{Aside, Step};
use super::chrome::{self, Painter};
use super::compose::Composer;
use super::controls::ControlSize;
use super::desktop::{self, Desktop};
use super::input::InputSource;
use super::layout::{self, Area};
use super::outbox::Outbox;
use super::state::{Effect, Input, State};
use super::{WindowCommand, WindowError, WindowOptions, Zoom};
use crate::picture::{Scene, Shown};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Sender;

/// How often the keyboard and the mouse are looked at.
const POLL: Duration = Duration::from_micros(16_667);
/// The same while the pointer is over something to click: a short click must not fall between two polls.
const POLL_FOR_CLICKS: Duration = Duration::from_millis(4);
/// How often the pixels are handed over again where nobody tells what was uncovered.
const REPEAT: Duration = Duration::from_millis(500);
/// The window before the first picture, without the tool bar, in pixels at 100 percent.
const FIRST_SIZE: (i32, i32) = (1024, 576);
/// The part of a monitor that a window takes at first, in percent.
const MONITOR_SHARE_PERCENT: i32 = 85;
/// The inside of a window that has stepped aside, without the tool bar, and how far it stays from the monitor's right and lower edge, in
/// pixels at 100 percent.
const ASIDE: (i32, i32) = (440, 206);
const ASIDE_MARGIN: (i32, i32) = (24, 72);

/// An open window.
pub(super) struct Session {
    window: minifb::Window,
    desktop: Desktop,
    input: InputSource,
    state: State,
    composer: Composer,
    /// What the person asks of the program.
    pub(super) outbox: Outbox,
    shown: Shown,
    scene: Scene,
    options: WindowOptions,
    size: (usize, usize),
    control_size: ControlSize,
    title: String,
    opened: Instant,
    /// When pixels were last handed over; `None` before the first time.
    pushed: Option<Instant>,
    /// Whether the window has had a picture, and so its size.
    sized: bool,
    aside: Aside,
    /// Where the window was before it stepped aside.
    place_before: Option<Area>,
}

impl Session {
    pub(super) fn open(shown: Shown, options: WindowOptions, commands: Sender<WindowCommand>) -> Result<Self, WindowError> {
        let control_size = ControlSize::percent(desktop::letter_size_percent());
        let first = (control_size.px(FIRST_SIZE.0), control_size.px(FIRST_SIZE.1) + control_size.bar_height());
        let side = |length| usize::try_from(length).unwrap_or(1);
        let scene = shown.scene();
        let title = chrome::title(&scene);
        let look = minifb::WindowOptions { resize: true, scale_mode: minifb::ScaleMode::UpperLeft, ..Default::default() };
        let opened = minifb::Window::new(&title, side(first.0), side(first.1), look);
        let mut window = opened.map_err(|error| WindowError::NoDisplay { reason: reason(error) })?;
        window.set_target_fps(0);
        window.update();
        let desktop = Desktop::of(&window);
        let input = InputSource::new(&mut window, desktop.notch());
        let zoom = if options.one_to_one { Zoom::OneToOne } else { Zoom::Fit };
        let mut session = Self {
            window,
            desktop,
            input,
            state: State::new(control_size, zoom, options.quality),
            composer: Composer::new(Painter::new(control_size)),
            outbox: Outbox::new(commands),
            shown,
            scene,
            options,
            size: (0, 0),
            control_size,
            title,
            opened: Instant::now(),
            pushed: None,
            sized: false,
            aside: Aside::default(),
            place_before: None,
        };
        session.take_scene(session.scene.clone());
        if options.fullscreen {
            session.carry_out(Effect::FullScreen(true));
        }
        Ok(session)
    }

    /// Runs until the window is to close; whether a person closed it.
    pub(super) fn show(&mut self) -> Result<bool, WindowError> {
        loop {
            self.take_size();
            self.state.tick(self.opened.elapsed());
            self.draw()?;
            self.outbox.flush();
            let mut quits = !self.window.is_open();
            for input in self.input.gather(&self.window) {
                let effect = self.state.handle(input, self.opened.elapsed());
                quits |= effect.is_some_and(|effect| self.carry_out(effect));
            }
            if quits || self.scene.closing || (self.options.close_at_end && self.scene.ended()) {
                return Ok(quits);
            }
            self.step_aside();
            self.wait();
        }
    }

    /// Moves the window out of the way while it stands on the screen that others see, and back.
    fn step_aside(&mut self) {
        let look = self.state.look();
        match self.aside.step(look.mirrored, look.full_screen) {
            None => {}
            Some(Step::LeaveFullScreen) => drop(self.carry_out(Effect::FullScreen(false))),
            Some(Step::Aside) => {
                self.place_before = self.desktop.place();
                if let Some(monitor) = self.desktop.monitor() {
                    let px = |length| self.control_size.px(length);
                    let (width, height) = (px(ASIDE.0), px(ASIDE.1) + self.control_size.bar_height());
                    let (x, y) = (monitor.right() - width - px(ASIDE_MARGIN.0), monitor.bottom() - height - px(ASIDE_MARGIN.1));
                    self.desktop.put(Area::new(x.max(monitor.x), y.max(monitor.y), width, height));
                }
            }
            Some(Step::Back { full_screen }) => {
                if let Some(place) = self.place_before.take() {
                    self.desktop.put(place);
                }
                if full_screen {
                    self.carry_out(Effect::FullScreen(true));
                }
            }
        }
    }

    /// Hands over the pixels if they have changed or may have been lost, and lets minifb see to its events.
    fn draw(&mut self) -> Result<(), WindowError> {
        let changes = self.desktop.changes();
        if let Some(full_screen) = changes.and_then(|changes| changes.full_screen) {
            self.state.handle(Input::FullScreen(full_screen), self.opened.elapsed());
        }
        let lost = changes.map_or_else(|| self.pushed.is_none_or(|at| at.elapsed() >= REPEAT), |changes| changes.exposed);
        if self.composer.draw(&self.scene, &self.state) || lost {
            let pushed = self.window.update_with_buffer(self.composer.pixels(), self.size.0, self.size.1);
            self.pushed = Some(Instant::now());
            pushed.map_err(|error| WindowError::Lost { reason: reason(error) })
        } else {
            self.window.update();
            Ok(())
        }
    }

    fn take_size(&mut self) {
        let size = self.window.get_size();
        if size != self.size || self.state.is_out_of_place() {
            self.size = size;
            let side = |length| i32::try_from(length).unwrap_or(0);
            let composer = &self.composer;
            self.state.resized(side(size.0), side(size.1), |text| composer.measure(text));
        }
    }

    /// Waits for the next poll, or for a new scene if the last draw was long enough ago.
    fn wait(&mut self) {
        let poll = if self.state.click_is_near() { POLL_FOR_CLICKS } else { POLL };
        let since = self.pushed.map_or(POLL, |at| at.elapsed());
        if let Some(rest) = POLL.checked_sub(since) {
            std::thread::sleep(poll.min(rest));
        } else {
            self.shown.wait_for_change(self.scene.generation, poll);
        }
        if self.pushed.is_none_or(|at| at.elapsed() >= POLL) && self.shown.generation() != self.scene.generation {
            self.take_scene(self.shown.scene());
        }
    }

    fn take_scene(&mut self, scene: Scene) {
        let size = scene.picture.as_ref().map(|picture| picture.size());
        self.state.picture_is(size.map(|size| (size.width().into(), size.height().into())));
        if let (Some(size), false) = (size, self.sized) {
            self.sized = true;
            self.suit((size.width().into(), size.height().into()));
        }
        let (now, composer) = (self.opened.elapsed(), &self.composer);
        self.state.floor_is(&scene.floor, now, |text| composer.measure(text));
        self.state.hear(scene.said.as_ref(), now);
        let asked = !scene.floor.requests.is_empty();
        if asked == self.scene.floor.requests.is_empty() {
            self.desktop.call(asked);
        }
        let title = chrome::title(&scene);
        if title != self.title {
            self.window.set_title(&title);
            self.title = title;
        }
        self.scene = scene;
    }

    /// Gives the window the first picture's size, or what the monitor has room for.
    fn suit(&mut self, picture: (i32, i32)) {
        let Some(monitor) = self.desktop.monitor().filter(|_| !self.options.fullscreen) else { return };
        let bar = self.control_size.bar_height();
        let share = |side: i32| side * MONITOR_SHARE_PERCENT / 100;
        let room = Area::new(0, 0, share(monitor.width), share(monitor.height) - bar);
        let fits = picture.0 <= room.width && picture.1 <= room.height;
        let fitted = layout::place(picture, room, Zoom::Fit, (0, 0)).target;
        let (width, height) = if fits { picture } else { (fitted.width, fitted.height) };
        let place = monitor.centred(width, height + bar);
        match &mut self.place_before {
            Some(before) => *before = place,
            None => self.desktop.put(place),
        }
    }

    /// Does what only the desktop can; whether the window is to close.
    fn carry_out(&mut self, effect: Effect) -> bool {
        match effect {
            Effect::Quit => return true,
            Effect::FullScreen(on) => {
                if let Err(reason) = self.desktop.set_full_screen(on) {
                    self.state.say(reason, self.opened.elapsed());
                }
            }
            Effect::Send(command) => {
                use WindowCommand::{CloseDisplays, ShareAll, ShareDisplay};
                if matches!(command, ShareDisplay(_) | ShareAll | CloseDisplays) {
                    self.shown.close_displays();
                }
                self.outbox.send(command);
            }
        }
        false
    }
}

/// What the system said, without minifb's own words around it.
fn reason(error: minifb::Error) -> String {
    match error {
        minifb::Error::WindowCreate(reason) | minifb::Error::UpdateFailed(reason) => reason,
        other => other.to_string(),
    }
}
