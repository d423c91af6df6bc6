//! The X11 side of the window, over a connection of its own: EWMH full screen where a window manager offers it, else the
//! window laid over its monitor; Expose events; the letters' size from the resource database.

use super::Changes;
use crate::window::chrome::BACKGROUND;
use crate::window::layout::Area;
use x11rb::connection::Connection;
use x11rb::errors::{ConnectError, ConnectionError, ReplyError};
use x11rb::properties::{WmHints, WmSizeHints};
use x11rb::protocol::Event;
use x11rb::protocol::randr::ConnectionExt as _;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, Gravity,
    InputFocus, PropMode, StackMode, Window,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        UTF8_STRING,
        _NET_SUPPORTED,
        _NET_SUPPORTING_WM_CHECK,
        _NET_WM_STATE,
        _NET_WM_STATE_FULLSCREEN,
    }
}

/// The smallest window that is still of use.
const SMALLEST: (i32, i32) = (320, 200);
/// `_NET_WM_STATE` actions of the EWMH, and the mark of an ordinary application.
const STATE_REMOVE: u32 = 0;
const STATE_ADD: u32 = 1;
const SOURCE_APPLICATION: u32 = 1;

/// The X server has gone, or has refused.
#[derive(Debug, thiserror::Error)]
pub(in crate::window) enum X11Error {
    #[error("{0}")]
    Connect(#[from] ConnectError),
    #[error("{0}")]
    Connection(#[from] ConnectionError),
    #[error("{0}")]
    Reply(#[from] ReplyError),
}

/// One window of minifb's, seen from a second connection.
pub(in crate::window) struct X11 {
    connection: RustConnection,
    window: Window,
    root: Window,
    atoms: Atoms,
    /// Where the window was before it was laid over the monitor without a window manager.
    before: Option<Area>,
    /// What was done without a window manager and not yet told.
    done: Option<bool>,
}

impl X11 {
    /// Listens to the window, and names it to the window manager.
    pub(super) fn attach(window: Window) -> Result<Self, X11Error> {
        let (connection, screen) = x11rb::connect(None)?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let root = connection.setup().roots.get(screen).map_or(x11rb::NONE, |screen| screen.root);
        let this = Self { connection, window, root, atoms, before: None, done: None };
        let events = EventMask::EXPOSURE | EventMask::PROPERTY_CHANGE;
        let attributes =
            ChangeWindowAttributesAux::new().event_mask(events).background_pixel(BACKGROUND).bit_gravity(Gravity::NORTH_WEST);
        this.connection.change_window_attributes(window, &attributes)?;
        let class = b"treevnc\0TreeVNC\0";
        this.connection.change_property8(PropMode::REPLACE, window, AtomEnum::WM_CLASS, AtomEnum::STRING, class)?;
        // Places that are asked for are the picture's own, whatever frame is around it: the window returns exactly.
        let hints = WmSizeHints { min_size: Some(SMALLEST), win_gravity: Some(Gravity::STATIC), ..WmSizeHints::new() };
        hints.set_normal_hints(&this.connection, window)?;
        if !this.is_managed() {
            this.connection.set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME)?;
        }
        this.connection.flush()?;
        Ok(this)
    }

    /// Full screen or a window, by the window manager if it can, else by hand.
    pub(super) fn set_full_screen(&mut self, on: bool) -> Result<(), X11Error> {
        if self.is_managed() && self.manager_offers_full_screen() {
            self.ask_manager(on)?;
        } else if on && self.before.is_none() {
            self.lay_over_monitor()?;
        } else if !on {
            self.before.take().map_or(Ok(()), |before| self.configure(before))?;
            self.done = Some(false);
        }
        self.connection.flush()?;
        Ok(())
    }

    /// Asks for another place and inner size; the window manager may refuse.
    pub(super) fn put(&mut self, place: Area) {
        let asked = self.configure(place).and_then(|()| Ok(self.connection.flush()?));
        if let Err(error) = asked {
            tracing::debug!(%error, "the window could not be resized");
        }
    }

    /// The monitor under the window's centre, else the whole screen.
    pub(super) fn monitor(&self) -> Option<Area> {
        let window = self.place().ok()?;
        let centre = (window.x + window.width / 2, window.y + window.height / 2);
        let monitors = self.connection.randr_get_monitors(self.root, true).ok().and_then(|cookie| cookie.reply().ok());
        let areas = monitors
            .into_iter()
            .flat_map(|reply| reply.monitors)
            .map(|monitor| Area::new(monitor.x.into(), monitor.y.into(), monitor.width.into(), monitor.height.into()));
        let under = areas.filter(|area| !area.is_empty()).find(|area| area.contains(centre));
        under.or_else(|| {
            let screen = self.connection.get_geometry(self.root).ok()?.reply().ok()?;
            Some(Area::new(0, 0, screen.width.into(), screen.height.into()))
        })
    }

    /// Sets or takes back the urgency of ICCCM 4.1.2.4.
    pub(super) fn call(&self, urgently: bool) {
        let hints = WmHints { urgent: urgently, ..WmHints::new() };
        let asked = hints.set(&self.connection, self.window).map(drop).and_then(|()| self.connection.flush());
        if let Err(error) = asked {
            tracing::debug!(%error, "nobody could be called");
        }
    }

    /// What the X server has told since the last call.
    pub(super) fn changes(&mut self) -> Changes {
        let mut changes = Changes { full_screen: self.done.take(), ..Changes::default() };
        let mut state_changed = false;
        while let Ok(Some(event)) = self.connection.poll_for_event() {
            match event {
                Event::Expose(_) => changes.exposed = true,
                Event::PropertyNotify(event) => state_changed |= event.atom == self.atoms._NET_WM_STATE,
                _ => {}
            }
        }
        if state_changed && self.before.is_none() {
            let state = self.property(self.window, self.atoms._NET_WM_STATE, AtomEnum::ATOM.into());
            changes.full_screen = Some(state.contains(&self.atoms._NET_WM_STATE_FULLSCREEN));
        }
        changes
    }

    fn ask_manager(&self, on: bool) -> Result<(), X11Error> {
        let action = if on { STATE_ADD } else { STATE_REMOVE };
        let data = [action, self.atoms._NET_WM_STATE_FULLSCREEN, 0, SOURCE_APPLICATION, 0];
        let event = ClientMessageEvent::new(32, self.window, self.atoms._NET_WM_STATE, data);
        let to = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        self.connection.send_event(false, self.root, to, event)?;
        Ok(())
    }

    fn lay_over_monitor(&mut self) -> Result<(), X11Error> {
        let before = self.place()?;
        if let Some(monitor) = self.monitor() {
            self.configure(monitor)?;
            self.connection.set_input_focus(InputFocus::PARENT, self.window, x11rb::CURRENT_TIME)?;
            self.before = Some(before);
            self.done = Some(true);
        }
        Ok(())
    }

    fn configure(&self, area: Area) -> Result<(), X11Error> {
        let place = ConfigureWindowAux::new().x(area.x).y(area.y).width(length(area.width)).height(length(area.height));
        self.connection.configure_window(self.window, &place.stack_mode(StackMode::ABOVE))?;
        Ok(())
    }

    /// The window's place on the screen.
    pub(super) fn place(&self) -> Result<Area, X11Error> {
        let size = self.connection.get_geometry(self.window)?.reply()?;
        let corner = self.connection.translate_coordinates(self.window, self.root, 0, 0)?.reply()?;
        Ok(Area::new(corner.dst_x.into(), corner.dst_y.into(), size.width.into(), size.height.into()))
    }

    /// Whether a window manager lives: the window it names must name itself (EWMH `_NET_SUPPORTING_WM_CHECK`).
    fn is_managed(&self) -> bool {
        let named = |window| self.property(window, self.atoms._NET_SUPPORTING_WM_CHECK, AtomEnum::WINDOW.into()).first().copied();
        named(self.root).is_some_and(|check| named(check) == Some(check))
    }

    fn manager_offers_full_screen(&self) -> bool {
        let offered = self.property(self.root, self.atoms._NET_SUPPORTED, AtomEnum::ATOM.into());
        offered.contains(&self.atoms._NET_WM_STATE_FULLSCREEN)
    }

    /// A property of 32-bit values; empty if it is not there.
    fn property(&self, window: Window, name: u32, kind: u32) -> Vec<u32> {
        let asked = self.connection.get_property(false, window, name, kind, 0, 1024);
        let reply = asked.ok().and_then(|cookie| cookie.reply().ok());
        reply.and_then(|reply| reply.value32().map(Iterator::collect)).unwrap_or_default()
    }
}

/// The desktop's letter size, `Xft.dpi` of the resource database.
pub(super) fn letter_size_percent() -> Option<i32> {
    let (connection, _) = x11rb::connect(None).ok()?;
    let database = x11rb::resource_manager::new_from_default(&connection).ok()?;
    let dots_per_inch = database.get_value::<i32>("Xft.dpi", "").ok()??;
    Some(dots_per_inch.clamp(48, 960) * 100 / 96)
}

fn length(side: i32) -> u32 {
    u32::try_from(side.clamp(1, 32_767)).unwrap_or(1)
}
