//! The loop of a capture's thread: hears of changes, says so once, and is silent until somebody grabs. Decides when the pointer is looked
//! for, when a display counts as gone, and which pixels are fetched.

use super::cursor::Sprite;
use super::pixels::{Failure, Reader};
use super::server::{Server, Watching, size};
use crate::capture::{CaptureError, Ends};
use crate::display::{Choice, chosen};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::tiles::{TileGrid, TileSet};
use x11rb::connection::Connection;
use x11rb::protocol::Event;

/// Shortest time between two pictures.
const FRAME: Duration = Duration::from_micros(16_667);
/// How long after the first change others are waited for: programs draw in bursts, and half of one is a picture for nothing.
const BURST: Duration = Duration::from_millis(3);
/// How often the pointer is looked for where the server tells of its motions: programs can move it without a motion.
const POINTER_REST: Duration = Duration::from_millis(250);
/// How often where it does not.
const POINTER_POLL: Duration = Duration::from_millis(33);
/// How long a display may be away while the monitors are being set up anew.
const AWAY: Duration = Duration::from_secs(2);
/// How often a picture is fetched again because the screen changed its form meanwhile.
const ATTEMPTS: usize = 10;

/// Which part of the screen is captured now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Here(Rect),
    /// The display is missing since then.
    Away(Instant),
}

/// The pointer as it was drawn last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Drawn {
    at: (i16, i16),
    place: Rect,
    shape: u64,
}

/// Captures on the thread that calls [`run`](Self::run).
pub(super) struct Watcher {
    server: Server,
    watching: Watching,
    wake: UnixStream,
    choice: Choice,
    place: Place,
    reader: Reader,
    /// The area's size in the last picture; `None` when the next one is new as a whole.
    shown: Option<Size>,
    /// What changed since the last picture, relative to the screen.
    damage: Vec<Rect>,
    /// The server has told that something was drawn, and tells no more until it is asked what.
    is_damaged: bool,
    is_geometry_old: bool,
    sprite: Sprite,
    /// Counts the pointer's pictures.
    shape: u64,
    is_sprite_old: bool,
    has_pointer_moved: bool,
    drawn: Option<Drawn>,
    pointer_seen: Instant,
    /// Nothing is told or looked for before this time.
    rests_until: Instant,
    /// A change has been told and nobody has grabbed since.
    is_told: bool,
    order: Option<Framebuffer>,
}

impl Watcher {
    pub(super) fn new(server: Server, choice: Choice, wake: UnixStream) -> Result<Self, CaptureError> {
        let watching = server.watch()?;
        let geometry = server.geometry()?;
        let choice = chosen(&geometry.displays, choice).map_or(choice, |display| Choice::Id(display.id));
        let area = geometry.area(choice).ok_or_else(|| geometry.lacks(choice))?;
        size(area)?;
        let sprite = server.sprite()?;
        let (reader, now) = (Reader::new(server.layout), Instant::now());
        Ok(Self {
            server,
            watching,
            wake,
            choice,
            place: Place::Here(area),
            reader,
            shown: None,
            damage: Vec::new(),
            is_damaged: false,
            is_geometry_old: false,
            sprite,
            shape: 0,
            is_sprite_old: false,
            has_pointer_moved: false,
            drawn: None,
            pointer_seen: now,
            rests_until: now,
            is_told: false,
            order: None,
        })
    }

    /// The size of the first picture.
    pub(super) fn size(&self) -> Result<Size, CaptureError> {
        match self.place {
            Place::Here(area) => size(area),
            Place::Away(_) => Err(CaptureError::DisplayGone),
        }
    }

    /// What is captured.
    pub(super) fn choice(&self) -> Choice {
        self.choice
    }

    /// Captures until nobody orders any longer.
    pub(super) fn run(&mut self, ends: &Ends) -> Result<(), CaptureError> {
        self.tell(ends)?;
        loop {
            self.hear()?;
            match ends.orders.try_recv() {
                Ok(picture) => self.order = Some(picture),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
            if !self.act(ends)? {
                self.server.connection.flush()?;
                self.wait()?;
            }
        }
    }

    /// Takes in what the server has told.
    fn hear(&mut self) -> Result<(), CaptureError> {
        while let Some(event) = self.server.connection.poll_for_event()? {
            match event {
                Event::DamageNotify(_) => {
                    self.is_damaged = true;
                    self.rests_until = self.rests_until.max(Instant::now() + BURST);
                }
                Event::ConfigureNotify(_) | Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_) => {
                    self.is_geometry_old = true
                }
                Event::XfixesCursorNotify(_) => self.is_sprite_old = true,
                Event::XinputRawMotion(_) => self.has_pointer_moved = true,
                _ => {}
            }
        }
        Ok(())
    }

    /// Does what is due; whether that was something, so that the server may have told more meanwhile.
    fn act(&mut self, ends: &Ends) -> Result<bool, CaptureError> {
        if self.is_geometry_old {
            self.follow()?;
            return Ok(true);
        }
        let area = match self.place {
            Place::Away(since) if since.elapsed() >= AWAY => return Err(CaptureError::DisplayGone),
            Place::Away(_) => return Ok(false),
            Place::Here(area) => area,
        };
        if let Some(picture) = self.order.take() {
            return self.grab(area, picture, ends);
        }
        if self.is_told || Instant::now() < self.rests_until {
            return Ok(false);
        }
        if self.shown.is_none() {
            self.tell(ends)?;
            return Ok(true);
        }
        let looked = [self.look_at_damage(area)?, self.look_at_pointer(area)?];
        if looked.contains(&Some(true)) {
            self.tell(ends)?;
        }
        Ok(looked.iter().any(Option::is_some))
    }

    /// Says that something has changed; nothing more is listened to until somebody grabs.
    fn tell(&mut self, ends: &Ends) -> Result<(), CaptureError> {
        self.is_told = true;
        self.server.listen_to_pointer(false)?;
        ends.state.send_modify(|state| state.is_changed = true);
        Ok(())
    }

    /// Whether something was drawn on the area; `None` when there was nothing to look for. What is captured as a whole needs no question.
    fn look_at_damage(&mut self, area: Rect) -> Result<Option<bool>, CaptureError> {
        if !self.is_damaged {
            return Ok(if self.damage.is_empty() { None } else { Some(true) });
        }
        if self.choice == Choice::Whole {
            return Ok(Some(true));
        }
        self.take_damage(area)?;
        self.rests_until = Instant::now() + FRAME;
        Ok(Some(!self.damage.is_empty()))
    }

    fn take_damage(&mut self, area: Rect) -> Result<(), CaptureError> {
        self.is_damaged = false;
        let drawn = self.server.take_damage(&self.watching)?;
        self.damage.extend(drawn.into_iter().filter_map(|rect| rect.intersection(area)));
        Ok(())
    }

    /// Whether the pointer looks different on the area than it was drawn; `None` when it is not yet time to look.
    fn look_at_pointer(&mut self, area: Rect) -> Result<Option<bool>, CaptureError> {
        if Instant::now() < self.pointer_due() {
            return Ok(None);
        }
        self.rests_until = Instant::now() + FRAME;
        Ok(Some(self.pointer(area)? != self.drawn))
    }

    /// When the pointer is looked for next.
    fn pointer_due(&self) -> Instant {
        if self.has_pointer_moved || self.is_sprite_old {
            return self.rests_until;
        }
        self.pointer_seen + if self.server.has_raw_motion() { POINTER_REST } else { POINTER_POLL }
    }

    /// The pointer as it is now, if it touches the area.
    fn pointer(&mut self, area: Rect) -> Result<Option<Drawn>, CaptureError> {
        if std::mem::take(&mut self.is_sprite_old) {
            let sprite = self.server.sprite()?;
            self.shape += u64::from(sprite != self.sprite);
            self.sprite = sprite;
        }
        self.has_pointer_moved = false;
        self.pointer_seen = Instant::now();
        let at = self.server.pointer()?;
        Ok(at.and_then(|at| Some(Drawn { at, place: self.sprite.place(at, area)?, shape: self.shape })))
    }

    /// Looks where the display is now. Whatever has moved is fetched anew as a whole.
    fn follow(&mut self) -> Result<(), CaptureError> {
        self.is_geometry_old = false;
        let geometry = self.server.geometry()?;
        self.place = match (geometry.area(self.choice), self.place) {
            (Some(area), _) => Place::Here(area),
            (None, Place::Here(_)) => Place::Away(Instant::now()),
            (None, away) => away,
        };
        self.shown = None;
        Ok(())
    }

    /// Brings a picture up to date and hands it over; keeps the order when the screen changed its form meanwhile.
    fn grab(&mut self, area: Rect, mut picture: Framebuffer, ends: &Ends) -> Result<bool, CaptureError> {
        ends.state.send_modify(|state| state.is_changed = false);
        self.is_told = false;
        // Before the pointer is looked for: a motion after that is heard of.
        self.server.listen_to_pointer(true)?;
        for _ in 0..ATTEMPTS {
            let tiles = self.fetch(area, &mut picture);
            self.hear()?;
            match tiles {
                // What was fetched may be another display's: it is not handed out.
                _ if self.is_geometry_old => {
                    self.order = Some(Framebuffer::new(picture.size()));
                    return Ok(true);
                }
                Ok(damage) => {
                    self.rests_until = Instant::now() + FRAME;
                    drop(ends.grabbed.try_send((picture, damage)));
                    return Ok(true);
                }
                Err(Failure::Refused(reason)) => {
                    tracing::debug!(%reason, "the X server refuses a picture");
                    self.shown = None;
                    self.follow()?;
                    if self.place != Place::Here(area) {
                        self.order = Some(Framebuffer::new(picture.size()));
                        return Ok(true);
                    }
                }
                Err(Failure::Lost(error)) => return Err(error),
            }
        }
        Err(CaptureError::Lost("the X server refuses its pixels".into()))
    }

    /// Fetches what has changed of an area; where that was.
    fn fetch(&mut self, area: Rect, picture: &mut Framebuffer) -> Result<Vec<Rect>, Failure> {
        let size = size(area).map_err(Failure::Lost)?;
        self.take_damage(area).map_err(Failure::Lost)?;
        let pointer = self.pointer(area).map_err(Failure::Lost)?;
        let grid = TileGrid::new(size);
        let damage = std::mem::take(&mut self.damage);
        let tiles = if self.shown == Some(size) && picture.size() == size {
            self.touched(grid, area, &damage, pointer)
        } else {
            *picture = Framebuffer::new(size);
            self.drawn = None;
            TileSet::full(grid)
        };
        self.shown = None;
        let blocks: Vec<_> = tiles.blocks().iter().map(|b| grid.block(b.column, b.row, b.columns, b.rows)).collect();
        self.reader.read(&self.server, area, &blocks, picture)?;
        self.shown = Some(size);
        let mut told = blocks;
        if let Some(drawn) = pointer.filter(|drawn| self.drawn != pointer || is_touched(&tiles, grid, drawn.place)) {
            self.sprite.draw(drawn.at, area, picture);
            told.push(drawn.place);
        }
        self.drawn = pointer;
        Ok(told)
    }

    /// The tiles to fetch. Where anything of the pointer's old picture is fetched, all of it is, so that nothing is drawn over itself.
    fn touched(&self, grid: TileGrid, area: Rect, damage: &[Rect], pointer: Option<Drawn>) -> TileSet {
        let mut tiles = TileSet::new(grid);
        for rect in damage.iter().filter_map(|rect| rect.intersection(area)) {
            tiles.extend(grid.touched(Rect::new(rect.x - area.x, rect.y - area.y, rect.width, rect.height)));
        }
        if let Some(drawn) = self.drawn.filter(|drawn| self.drawn != pointer || is_touched(&tiles, grid, drawn.place)) {
            tiles.extend(grid.touched(drawn.place));
        }
        tiles
    }

    /// Sleeps until the server says something, somebody orders, or something is due.
    fn wait(&mut self) -> Result<(), CaptureError> {
        let left = self.due().map(|due| due.saturating_duration_since(Instant::now()));
        let limit = left.and_then(|left| Timespec::try_from(left).ok());
        let connection = self.server.connection.stream();
        let mut sources = [PollFd::new(connection, PollFlags::IN), PollFd::new(&self.wake, PollFlags::IN)];
        match poll(&mut sources, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(CaptureError::Lost(error.to_string())),
        }
        while matches!((&self.wake).read(&mut [0; 64]), Ok(1..)) {}
        Ok(())
    }

    /// When something is to be done even if nobody says anything.
    fn due(&self) -> Option<Instant> {
        match self.place {
            Place::Away(since) => Some(since + AWAY),
            Place::Here(_) if self.is_told => None,
            Place::Here(_) if self.is_damaged || !self.damage.is_empty() || self.shown.is_none() => Some(self.rests_until),
            Place::Here(_) => Some(self.pointer_due().max(self.rests_until)),
        }
    }
}

fn is_touched(tiles: &TileSet, grid: TileGrid, rect: Rect) -> bool {
    grid.touched(rect).any(|tile| tiles.contains(tile))
}
