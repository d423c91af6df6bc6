//! The X server: what a capture needs of it, the form of its pixels, its monitors and how to hear of changes.

use super::cursor::Sprite;
use crate::capture::{CaptureError, elsewhere};
use crate::display::{Choice, Display, chosen};
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::pixel::PixelFormat;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::damage::{self, ConnectionExt as _, ReportLevel};
use x11rb::protocol::randr::{self, ConnectionExt as _, NotifyMask};
use x11rb::protocol::xfixes::{self, ConnectionExt as _, CursorNotifyMask};
use x11rb::protocol::xinput::{self, ConnectionExt as _, XIEventMask};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, EventMask, ImageOrder, Rectangle, Screen, VisualClass, Window,
};
use x11rb::rust_connection::RustConnection;

impl From<ConnectionError> for CaptureError {
    fn from(error: ConnectionError) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<ReplyError> for CaptureError {
    fn from(error: ReplyError) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<ReplyOrIdError> for CaptureError {
    fn from(error: ReplyOrIdError) -> Self {
        Self::Lost(error.to_string())
    }
}

/// How the server writes pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) format: PixelFormat,
    pub(super) bits_per_pixel: usize,
    /// Rows begin at multiples of this many bits.
    pub(super) pad_bits: usize,
}

impl Layout {
    /// Bytes from one row to the next.
    pub(super) fn stride(self, width: u16) -> usize {
        (usize::from(width) * self.bits_per_pixel).div_ceil(self.pad_bits) * self.pad_bits / 8
    }
}

/// The screen's size and its displays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) screen: Rect,
    pub(super) displays: Vec<Display>,
}

impl Geometry {
    /// The part of the screen that is captured; `None` when there is nothing of it.
    pub(super) fn area(&self, choice: Choice) -> Option<Rect> {
        let wanted = match choice {
            Choice::Whole => self.screen,
            Choice::Area(rect) => rect,
            Choice::Number(_) | Choice::Id(_) => chosen(&self.displays, choice)?.rect,
        };
        wanted.intersection(self.screen)
    }

    /// The error for a choice of which there is nothing.
    pub(super) fn lacks(&self, choice: Choice) -> CaptureError {
        let asked = match choice {
            Choice::Whole => "at all".to_owned(),
            Choice::Number(number) => number.to_string(),
            Choice::Id(id) => format!("with the identifier {id}"),
            Choice::Area(rect) => format!("at {rect}"),
        };
        let line = |(number, display): (usize, &Display)| format!("{number}: {} {}", display.name, display.rect);
        let known: Vec<_> = (1..).zip(&self.displays).map(line).collect();
        CaptureError::NoSuchDisplay { asked, known: known.join(", ") }
    }
}

/// The connection, and what is learned of the server once.
pub(super) struct Server {
    pub(super) connection: RustConnection,
    pub(super) root: Window,
    pub(super) layout: Layout,
    has_monitors: bool,
    has_raw_motion: bool,
}

/// What is set up to hear of changes.
pub(super) struct Watching {
    damage: damage::Damage,
    region: xfixes::Region,
}

impl Server {
    /// Connects to an X server by its name, or to the session's, the one that DISPLAY names.
    pub(super) fn connect(name: Option<&str>) -> Result<Self, CaptureError> {
        if name.is_none() && std::env::var_os("DISPLAY").is_none_or(|display| display.is_empty()) {
            let is_wayland = std::env::var_os("WAYLAND_DISPLAY").is_some_and(|display| !display.is_empty());
            return Err(if is_wayland { elsewhere::WAYLAND } else { elsewhere::NO_DESKTOP });
        }
        let (connection, number) = x11rb::connect(name).map_err(|error| CaptureError::Connect(error.to_string()))?;
        let screen = connection.setup().roots.get(number).ok_or_else(|| CaptureError::Connect("it has no screen".into()))?;
        let (root, layout) = (screen.root, layout(&connection, screen)?);
        let has = |name| connection.extension_information(name).map(|found| found.is_some());
        let has_monitors = has(randr::X11_EXTENSION_NAME)? && {
            let version = connection.randr_query_version(1, 5)?.reply()?;
            (version.major_version, version.minor_version) >= (1, 5)
        };
        if is_xwayland(&connection, root, has_monitors)? {
            return Err(elsewhere::WAYLAND);
        }
        for (name, title) in [(damage::X11_EXTENSION_NAME, "DAMAGE"), (xfixes::X11_EXTENSION_NAME, "XFIXES")] {
            if !has(name)? {
                return Err(CaptureError::NoExtension(title));
            }
        }
        connection.damage_query_version(1, 1)?.reply()?;
        connection.xfixes_query_version(5, 0)?.reply()?;
        let has_raw_motion = has(xinput::X11_EXTENSION_NAME)? && {
            let version = connection.xinput_xi_query_version(2, 1)?.reply();
            version.is_ok_and(|version| (version.major_version, version.minor_version) >= (2, 1))
        };
        Ok(Self { connection, root, layout, has_monitors, has_raw_motion })
    }

    /// Whether it tells of every motion of the pointer.
    pub(super) fn has_raw_motion(&self) -> bool {
        self.has_raw_motion
    }

    /// The screen and its displays as they are now.
    pub(super) fn geometry(&self) -> Result<Geometry, CaptureError> {
        let asked = self.connection.get_geometry(self.root)?;
        let monitors = if self.has_monitors { Some(self.connection.randr_get_monitors(self.root, true)?) } else { None };
        let root = asked.reply()?;
        let screen = Rect::new(0, 0, root.width, root.height);
        let mut displays = Vec::new();
        for monitor in monitors.map(|asked| asked.reply()).transpose()?.map_or(Vec::new(), |reply| reply.monitors) {
            // Monitors without a pixel on the screen cannot be shown.
            let Some(rect) = place(monitor.x, monitor.y, monitor.width, monitor.height).intersection(screen) else { continue };
            let name = self.connection.get_atom_name(monitor.name)?.reply();
            let name = name.map_or(String::new(), |reply| String::from_utf8_lossy(&reply.name).into_owned());
            displays.push(Display { id: monitor.name, name, rect, primary: monitor.primary });
        }
        if displays.is_empty() {
            displays.push(Display { id: 0, name: "screen".into(), rect: screen, primary: true });
        }
        Ok(Geometry { screen, displays })
    }

    /// Asks to hear of everything that a capture follows.
    pub(super) fn watch(&self) -> Result<Watching, CaptureError> {
        let connection = &self.connection;
        // Monitors that are only set, without any output, are told by nothing but a ConfigureNotify of the root window.
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        connection.change_window_attributes(self.root, &events)?;
        if self.has_monitors {
            let changes = NotifyMask::SCREEN_CHANGE | NotifyMask::CRTC_CHANGE | NotifyMask::OUTPUT_CHANGE;
            connection.randr_select_input(self.root, changes)?;
        }
        connection.xfixes_select_cursor_input(self.root, CursorNotifyMask::DISPLAY_CURSOR)?;
        let watching = Watching { damage: connection.generate_id()?, region: connection.generate_id()? };
        connection.xfixes_create_region(watching.region, &[])?;
        connection.damage_create(watching.damage, self.root, ReportLevel::NON_EMPTY)?.check()?;
        Ok(watching)
    }

    /// Asks to hear of the pointer's motions, or not to.
    pub(super) fn listen_to_pointer(&self, on: bool) -> Result<(), CaptureError> {
        if self.has_raw_motion {
            let mask = if on { XIEventMask::RAW_MOTION } else { XIEventMask::from(0u8) };
            let masks = [xinput::EventMask { deviceid: xinput::Device::ALL_MASTER.into(), mask: vec![mask] }];
            self.connection.xinput_xi_select_events(self.root, &masks)?;
        }
        Ok(())
    }

    /// What was drawn since the last time this was asked; the server begins to count anew.
    pub(super) fn take_damage(&self, watching: &Watching) -> Result<Vec<Rect>, CaptureError> {
        self.connection.damage_subtract(watching.damage, x11rb::NONE, watching.region)?;
        let region = self.connection.xfixes_fetch_region(watching.region)?.reply()?;
        Ok(region.rectangles.iter().map(|&Rectangle { x, y, width, height }| place(x, y, width, height)).collect())
    }

    /// Where the pointer is; `None` on another screen.
    pub(super) fn pointer(&self) -> Result<Option<(i16, i16)>, CaptureError> {
        let pointer = self.connection.query_pointer(self.root)?.reply()?;
        Ok(pointer.same_screen.then_some((pointer.root_x, pointer.root_y)))
    }

    /// The pointer's picture; empty where the server shows none.
    pub(super) fn sprite(&self) -> Result<Sprite, CaptureError> {
        let image = match self.connection.xfixes_get_cursor_image()?.reply() {
            Ok(image) => image,
            Err(ReplyError::X11Error(_)) => return Ok(Sprite::default()),
            Err(error) => return Err(error.into()),
        };
        Ok(Sprite { width: image.width, height: image.height, hot: (image.xhot, image.yhot), pixels: image.cursor_image })
    }
}

/// A rectangle of the server's; what lies left of or above the screen is cut off.
fn place(x: i16, y: i16, width: u16, height: u16) -> Rect {
    let cut = |start: i16, length: u16| {
        let before = if start < 0 { start.unsigned_abs() } else { 0 };
        (u16::try_from(start).unwrap_or(0), length.saturating_sub(before))
    };
    let ((x, width), (y, height)) = (cut(x, width), cut(y, height));
    Rect::new(x, y, width, height)
}

/// How the root window's pixels are written; only colours that stand in the pixels themselves.
fn layout(connection: &RustConnection, screen: &Screen) -> Result<Layout, CaptureError> {
    let (setup, depth) = (connection.setup(), screen.root_depth);
    let unreadable = || CaptureError::Depth(depth);
    let visuals = screen.allowed_depths.iter().flat_map(|allowed| &allowed.visuals);
    let visual = visuals.into_iter().find(|visual| visual.visual_id == screen.root_visual).ok_or_else(unreadable)?;
    let pixmap = setup.pixmap_formats.iter().find(|format| format.depth == depth).ok_or_else(unreadable)?;
    if visual.class != VisualClass::TRUE_COLOR || !matches!(pixmap.bits_per_pixel, 16 | 32) {
        return Err(unreadable());
    }
    let channel = |mask: u32| {
        let shift = mask.trailing_zeros();
        let max = mask.checked_shr(shift).unwrap_or(0);
        let is_channel = max != 0 && max & max.wrapping_add(1) == 0;
        let fields = (u16::try_from(max).ok()?, u8::try_from(shift).ok()?);
        is_channel.then_some(fields)
    };
    let masks = (channel(visual.red_mask), channel(visual.green_mask), channel(visual.blue_mask));
    let (Some((red_max, red_shift)), Some((green_max, green_shift)), Some((blue_max, blue_shift))) = masks else {
        return Err(unreadable());
    };
    let format = PixelFormat {
        bits_per_pixel: pixmap.bits_per_pixel,
        depth,
        big_endian: setup.image_byte_order == ImageOrder::MSB_FIRST,
        true_colour: true,
        red_max,
        green_max,
        blue_max,
        red_shift,
        green_shift,
        blue_shift,
    };
    let pad_bits = usize::from(pixmap.scanline_pad).max(8);
    Ok(Layout { format, bits_per_pixel: pixmap.bits_per_pixel.into(), pad_bits })
}

/// Whether this is the X server inside a Wayland desktop, which does not see the screen: newer ones say so, older ones name their
/// outputs so.
fn is_xwayland(connection: &RustConnection, root: Window, has_monitors: bool) -> Result<bool, CaptureError> {
    if connection.query_extension(b"XWAYLAND")?.reply()?.present {
        return Ok(true);
    }
    if !has_monitors {
        return Ok(false);
    }
    let monitors = connection.randr_get_monitors(root, true)?.reply()?.monitors;
    for monitor in monitors {
        let name = connection.get_atom_name(monitor.name)?.reply();
        if name.is_ok_and(|reply| reply.name.starts_with(b"XWAYLAND")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The whole screen's size, checked.
pub(super) fn size(area: Rect) -> Result<Size, CaptureError> {
    Ok(Size::new(area.width, area.height)?)
}
