//! A screen that changes steadily, and viewers that note when they show which change.

use crate::support::painter::Painter;
use crate::support::viewer::{Viewer, Watcher};
use crate::support::wait::{PATIENCE, pace_until, poll_until};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use x11rb::protocol::xproto::Rectangle;

/// Changes per second.
pub(crate) const RATE: u32 = 20;
/// Side of a tile.
const TILE: u16 = 64;
/// Squares painted in the tile that changes: enough that all tiles together are far more bytes than a few changes.
const SQUARES: u64 = 120;

#[derive(Default)]
struct State {
    is_paused: bool,
    has_ended: bool,
    /// When each change was painted (just before X got it); its number is the place in here, from 1.
    painted: Vec<Instant>,
}

/// Paints until dropped: each change is a pattern in another tile, and the change's number as the colour of the first tile.
pub(crate) struct Changes {
    state: Arc<(Mutex<State>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Changes {
    pub(crate) fn begin(painter: Painter) -> Self {
        let state = Arc::<(Mutex<State>, Condvar)>::default();
        let shared = state.clone();
        let thread = std::thread::spawn(move || {
            let mut next = Instant::now();
            while let Some(number) = begun(&shared) {
                painter.fill(&change(number, painter.width, painter.height), number);
                next = (next + Duration::from_secs(1) / RATE).max(Instant::now());
                pace_until(next);
            }
        });
        Self { state, thread: Some(thread) }
    }

    /// Paints no more; returns the last change's number.
    pub(crate) fn pause(&self) -> u32 {
        let mut state = self.state.0.lock().unwrap();
        state.is_paused = true;
        state.painted.len() as u32
    }

    /// Goes on.
    pub(crate) fn resume(&self) {
        self.state.0.lock().unwrap().is_paused = false;
        self.state.1.notify_all();
    }

    /// The first change that was painted after a moment; waits for it.
    pub(crate) fn first_after(&self, moment: Instant) -> u32 {
        let state = self.state.0.lock().unwrap();
        let known = |state: &State| state.painted.iter().position(|painted| *painted > moment);
        let state = self.state.1.wait_while(state, |state| known(state).is_none()).unwrap();
        known(&state).unwrap() as u32 + 1
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.state.0.lock().unwrap().has_ended = true;
        self.state.1.notify_all();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The next change's number, once it is time; `None` at the end.
fn begun((state, changed): &(Mutex<State>, Condvar)) -> Option<u32> {
    let state = state.lock().unwrap();
    let mut state = changed.wait_while(state, |state| state.is_paused && !state.has_ended).unwrap();
    state.painted.push(Instant::now());
    changed.notify_all();
    (!state.has_ended).then_some(state.painted.len() as u32)
}

fn change(number: u32, width: u16, height: u16) -> Vec<Rectangle> {
    let (columns, rows) = (u32::from(width / TILE), u32::from(height / TILE));
    let tile = 1 + number % (columns * rows - 1);
    let place = |at: u32| (at * u32::from(TILE)) as i16;
    let (left, top) = (place(tile % columns), place(tile / columns));
    let mut random = u64::from(number);
    let squares = (0..SQUARES).map(|_| {
        random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let at = |shift: u32| ((random >> shift) % 16 * 4) as i16;
        Rectangle { x: left + at(40), y: top + at(50), width: 4, height: 4 }
    });
    squares.chain([Rectangle { x: 0, y: 0, width: TILE, height: TILE }]).collect()
}

/// A viewer on one node, and when it showed which change first.
pub(crate) struct Sight {
    seen: Arc<Mutex<Vec<(u32, Instant)>>>,
    _watcher: Watcher,
}

impl Sight {
    pub(crate) fn of(node: SocketAddr) -> Self {
        let seen = Arc::<Mutex<Vec<(u32, Instant)>>>::default();
        let notes = seen.clone();
        let viewer = poll_until("a viewer's connection", PATIENCE, || Viewer::connect(node).ok());
        let watcher = Watcher::new(viewer, move |viewer| {
            let number = viewer.pixel(1, 1);
            let mut notes = notes.lock().unwrap();
            if notes.last().is_none_or(|(last, _)| *last < number) {
                notes.push((number, Instant::now()));
            }
        });
        Self { seen, _watcher: watcher }
    }

    /// When it first showed this change or a later one; waits for it.
    pub(crate) fn showed(&self, number: u32, whom: &str) -> Instant {
        poll_until(&format!("change {number} at {whom}"), PATIENCE, || {
            let seen = self.seen.lock().unwrap();
            seen.iter().find(|(shown, _)| *shown >= number).map(|(_, at)| *at)
        })
    }
}
