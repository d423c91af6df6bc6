//! Paints on an X display from this process, so that the moment of painting is known: numbered video frames, single colours.

use crate::support::wait::pace_until;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::xproto::{
    ChangeGCAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, Gcontext, ImageFormat, Pixmap, Rectangle, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Side of the squares in a video's top left and bottom right corners whose colour is the frame's number.
pub(crate) const MARK: u16 = 16;

/// A picture that X keeps as long as its painter lives.
pub(crate) struct Kept(Pixmap);

/// A window without a frame, above all others, that this process paints.
pub(crate) struct Painter {
    x: RustConnection,
    window: Window,
    gc: Gcontext,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

impl Painter {
    /// Opens a window of this size at this place.
    pub(crate) fn new(display: &str, (x, y): (i16, i16), (width, height): (u16, u16)) -> Self {
        let (connection, screen) = RustConnection::connect(Some(display)).unwrap();
        let root = &connection.setup().roots[screen];
        let (window, gc) = (connection.generate_id().unwrap(), connection.generate_id().unwrap());
        let how = CreateWindowAux::new().override_redirect(1).background_pixel(0);
        let (parent, visual) = (root.root, root.root_visual);
        connection.create_window(24, window, parent, x, y, width, height, 0, WindowClass::INPUT_OUTPUT, visual, &how).unwrap();
        connection.map_window(window).unwrap();
        connection.create_gc(gc, window, &CreateGCAux::new().graphics_exposures(0)).unwrap();
        let painter = Self { x: connection, window, gc, width, height };
        painter.painted();
        painter
    }

    /// Fills rectangles of the window at one moment; X has them when this returns.
    pub(crate) fn fill(&self, rectangles: &[Rectangle], colour: u32) {
        self.x.change_gc(self.gc, &ChangeGCAux::new().foreground(colour)).unwrap();
        self.x.poly_fill_rectangle(self.window, self.gc, rectangles).unwrap();
        self.painted();
    }

    /// Gives X a picture to be shown later: rows of pixels as wide as the window (B, G, R, unused).
    pub(crate) fn keep(&self, rows: &[u8]) -> Kept {
        let pixmap = self.x.generate_id().unwrap();
        self.x.create_pixmap(24, pixmap, self.window, self.width, self.height).unwrap();
        let row_bytes = usize::from(self.width) * 4;
        let most = self.x.maximum_request_bytes() / row_bytes - 1;
        let mut y = 0;
        for part in rows.chunks(most * row_bytes) {
            let height = (part.len() / row_bytes) as u16;
            self.x.put_image(ImageFormat::Z_PIXMAP, pixmap, self.gc, self.width, height, 0, y, 0, 24, part).unwrap();
            y += height as i16;
        }
        self.painted();
        Kept(pixmap)
    }

    /// Shows a picture; X has painted it when this returns.
    pub(crate) fn show(&self, picture: &Kept) {
        self.copy(picture);
        self.painted();
    }

    /// Shows a picture, then both marks in this colour at one moment; X has painted all when this returns.
    pub(crate) fn show_marked(&self, picture: &Kept, mark: u32) {
        self.copy(picture);
        let corner = |x: u16, y: u16| Rectangle { x: x as i16, y: y as i16, width: MARK, height: MARK };
        self.fill(&[corner(0, 0), corner(self.width - MARK, self.height - MARK)], mark);
    }

    fn copy(&self, picture: &Kept) {
        self.x.copy_area(picture.0, self.window, self.gc, 0, 0, 0, 0, self.width, self.height).unwrap();
    }

    fn painted(&self) {
        self.x.sync().unwrap();
    }
}

/// Frames that are hard to compress well but cheap to encode: every tile has four colours at random. Each is `width` times `height` times 4 bytes.
pub(crate) fn dithered(width: u16, height: u16, count: usize) -> Vec<Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let colours: [[u8; 4]; 4] = [[0x20, 0x20, 0x20, 0], [0xe0, 0x40, 0x30, 0], [0x50, 0xc0, 0x60, 0], [0xf0, 0xe0, 0xd0, 0]];
    let area = usize::from(width) * usize::from(height);
    (0..count)
        .map(|_| {
            let mut frame = Vec::with_capacity(area * 4 + 128);
            while frame.len() < area * 4 {
                let bits = next();
                (0..32).for_each(|at| frame.extend(colours[(bits >> (2 * at) & 3) as usize]));
            }
            frame.truncate(area * 4);
            frame
        })
        .collect()
}

/// A video that plays until it is stopped; the colour of its marks is the number of the frame, from 1.
pub(crate) struct Video {
    playing: Arc<AtomicBool>,
    painted: Arc<Mutex<Vec<Instant>>>,
    player: Option<JoinHandle<Painter>>,
}

impl Video {
    /// Plays `frames` round and round at a steady rate.
    pub(crate) fn play(painter: Painter, frames: &[Vec<u8>], per_second: u32) -> Self {
        let kept: Vec<_> = frames.iter().map(|frame| painter.keep(frame)).collect();
        let playing = Arc::new(AtomicBool::new(true));
        let painted = Arc::new(Mutex::new(Vec::new()));
        let (go_on, moments) = (playing.clone(), painted.clone());
        let player = std::thread::spawn(move || {
            let mut next = Instant::now();
            let mut number = 0;
            for frame in kept.iter().cycle() {
                if !go_on.load(Ordering::Relaxed) {
                    break;
                }
                number += 1;
                moments.lock().unwrap().push(Instant::now());
                painter.show_marked(frame, number);
                next = (next + Duration::from_secs(1) / per_second).max(Instant::now() - Duration::from_millis(200));
                pace_until(next);
            }
            painter
        });
        Self { playing, painted, player: Some(player) }
    }

    /// When frame `number` was painted (just before X got it).
    pub(crate) fn painted(&self, number: u32) -> Option<Instant> {
        let at = (number as usize).checked_sub(1)?;
        self.painted.lock().unwrap().get(at).copied()
    }

    /// Number of frames so far.
    pub(crate) fn frames(&self) -> usize {
        self.painted.lock().unwrap().len()
    }

    /// Ends the video; its last frame stays on the screen as long as the painter lives.
    pub(crate) fn stop(mut self) -> Painter {
        self.playing.store(false, Ordering::Relaxed);
        self.player.take().unwrap().join().unwrap()
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        self.playing.store(false, Ordering::Relaxed);
        if let Some(player) = self.player.take() {
            let _ = player.join();
        }
    }
}
