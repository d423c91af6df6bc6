//! Real X servers and programs for tests, ended by their ids when their values are dropped; and what the X server itself says of its screen.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use x11rb::connection::Connection;
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, Gcontext, ImageFormat, Rectangle, Window,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Whether these programs are here. Without them a test is skipped, but not in CI.
pub fn have(programs: &[&str]) -> bool {
    let is_here = |program: &&str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|dir| dir.join(program).exists())
    };
    let missing: Vec<_> = programs.iter().filter(|program| !is_here(program)).collect();
    assert!(missing.is_empty() || std::env::var("CI").as_deref() != Ok("true"), "not installed: {missing:?}");
    if !missing.is_empty() {
        eprintln!("skipped, not installed: {missing:?}");
    }
    missing.is_empty()
}

/// This program's capture threads by number, and the CPU time of each so far. Other tests of the program have some, too.
pub fn capture_threads() -> BTreeMap<u64, Duration> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    let read = |file: std::path::PathBuf| std::fs::read_to_string(file).unwrap_or_default();
    let captures = tasks.filter(|task| read(task.path().join("comm")).trim() == "capture");
    let nanos = |task: &std::fs::DirEntry| {
        read(task.path().join("schedstat")).split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0)
    };
    let number = |task: &std::fs::DirEntry| task.file_name().to_str().unwrap().parse().unwrap();
    captures.map(|task| (number(&task), Duration::from_nanos(nanos(&task)))).collect()
}

/// CPU time since `before` of the capture threads that were there then and still are: a test's own one is.
pub fn capture_cpu_since(before: &BTreeMap<u64, Duration>) -> Duration {
    let now = capture_threads();
    before.iter().filter_map(|(number, then)| now.get(number).map(|now| now.saturating_sub(*then))).sum()
}

/// A running program.
pub struct Program(pub Child);

impl Program {
    /// CPU time so far, to 10 ms.
    pub fn cpu_time(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let fields: Vec<_> = text.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11..=12].iter().map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An X server, and a connection by which a test draws and looks.
pub struct Screen {
    pub name: String,
    pub server: Program,
    pub x: RustConnection,
    pub root: Window,
    pub window: Window,
    gc: Gcontext,
}

impl Screen {
    /// Xvfb of that size and depth. The pointer stands in the middle; our window covers everything.
    pub fn new(width: u16, height: u16, depth: u8) -> Self {
        Self::with_options(width, height, depth, &[])
    }

    /// The same with more options for Xvfb.
    pub fn with_options(width: u16, height: u16, depth: u8, options: &[&str]) -> Self {
        let screen = format!("{width}x{height}x{depth}");
        let mut command = Command::new("Xvfb");
        command
            .args(["-displayfd", "1", "-noreset", "-nolisten", "tcp", "-screen", "0", &screen])
            .args(options)
            .stdout(Stdio::piped());
        let mut server = Program::start(&mut command);
        let mut line = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let number: u32 = line.trim().parse().unwrap_or_else(|_| panic!("{command:?} did not start"));
        let name = format!(":{number}");
        let (x, screen) = RustConnection::connect(Some(&name)).unwrap();
        x.xfixes_query_version(5, 0).unwrap().reply().unwrap();
        let root = x.setup().roots[screen].root;
        let [window, gc] = [(); 2].map(|()| x.generate_id().unwrap());
        let black = CreateWindowAux::new().background_pixel(0).override_redirect(1);
        x.create_window(0, window, root, 0, 0, width, height, 0, WindowClass::INPUT_OUTPUT, 0, &black).unwrap();
        x.create_gc(gc, window, &CreateGCAux::new()).unwrap();
        x.map_window(window).unwrap();
        x.sync().unwrap();
        Self { name, server, x, root, window, gc }
    }

    /// Paints a rectangle of our window; it is painted when this returns.
    pub fn fill(&self, rect: Rect, pixel: u32) {
        let Rect { x, y, width, height } = rect;
        let rectangle = Rectangle { x: x.cast_signed(), y: y.cast_signed(), width, height };
        self.x.change_gc(self.gc, &x11rb::protocol::xproto::ChangeGCAux::new().foreground(pixel)).unwrap();
        self.x.poly_fill_rectangle(self.window, self.gc, &[rectangle]).unwrap();
        self.x.sync().unwrap();
    }

    /// Paints every pixel of our window in a colour of its own, cut off by the screen's depth.
    pub fn noise(&self, size: Size) {
        let row = |y: u16| (0..size.width()).map(move |x| (u32::from(x) * 7919) ^ (u32::from(y) * 104_729));
        for y in 0..size.height() {
            let setup = self.x.setup();
            let depth = setup.roots[0].root_depth;
            let bits = setup.pixmap_formats.iter().find(|format| format.depth == depth).unwrap().bits_per_pixel;
            let data: Vec<u8> = match bits {
                16 => row(y).flat_map(|pixel| [(pixel & 0xff) as u8, (pixel >> 8 & 0xff) as u8]).collect(),
                _ => row(y).flat_map(|pixel| (pixel & 0x00ff_ffff).to_le_bytes()).collect(),
            };
            let padded = [data.as_slice(), &[0; 2][..(4 - data.len() % 4) % 4]].concat();
            let (width, at) = (size.width(), y.cast_signed());
            self.x.put_image(ImageFormat::Z_PIXMAP, self.window, self.gc, width, 1, 0, at, 0, depth, &padded).unwrap();
        }
        self.x.sync().unwrap();
    }

    /// Moves the pointer without a motion of a mouse.
    pub fn warp_pointer(&self, x: i16, y: i16) {
        self.x.warp_pointer(x11rb::NONE, self.root, 0, 0, 0, 0, x, y).unwrap();
        self.x.sync().unwrap();
    }

    /// Gives our window another pointer, a letter of the cursor font.
    pub fn set_cursor(&self, glyph: u16) {
        let [font, cursor] = [(); 2].map(|()| self.x.generate_id().unwrap());
        self.x.open_font(font, b"cursor").unwrap();
        let (ink, paper) = ((65_535, 0, 0), (65_535, 65_535, 65_535));
        self.x.create_glyph_cursor(cursor, font, font, glyph, glyph + 1, ink.0, ink.1, ink.2, paper.0, paper.1, paper.2).unwrap();
        self.x.change_window_attributes(self.window, &ChangeWindowAttributesAux::new().cursor(cursor)).unwrap();
        self.x.sync().unwrap();
    }

    /// Starts a program on this screen.
    pub fn start(&self, program: &str, arguments: &[&str]) -> Program {
        Program::start(Command::new(program).args(arguments).env("DISPLAY", &self.name).stdout(Stdio::null()))
    }

    /// Runs a program on this screen to its end and answers its output.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new(program).args(arguments).env("DISPLAY", &self.name).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Two monitors side by side, which cover `left` and the rest; those that were there are taken away first.
    pub fn split(&self, size: Size, left: u16) {
        let (height, right) = (size.height(), size.width() - left);
        let known = String::from_utf8(self.run("xrandr", &["--listmonitors"])).unwrap();
        for name in ["L", "R"].into_iter().filter(|name| known.contains(&format!(" {name} "))) {
            self.run("xrandr", &["--delmonitor", name]);
        }
        self.run("xrandr", &["--setmonitor", "L", &format!("{left}/300x{height}/200+0+0"), "screen"]);
        self.run("xrandr", &["--setmonitor", "R", &format!("{right}/300x{height}/200+{left}+0"), "none"]);
    }

    /// A rectangle as another program sees it, without the pointer: ImageMagick's import, which scales other depths its own way; at those we
    /// ask the X server and scale here.
    pub fn imported(&self, rect: Rect) -> Framebuffer {
        let mut fb = Framebuffer::new(Size::new(rect.width, rect.height).unwrap());
        if self.x.setup().roots[0].root_depth == 24 {
            let pixels = self.run("import", &["-silent", "-window", "root", "-crop", &rect.to_string(), "-depth", "8", "rgb:-"]);
            let (bytes, _) = pixels.as_chunks::<3>();
            assert_eq!(bytes.len(), rect.area());
            fb.pixels_mut().iter_mut().zip(bytes).for_each(|(pixel, &[r, g, b])| *pixel = u32::from_be_bytes([0, r, g, b]));
            return fb;
        }
        let (x, y) = (rect.x.cast_signed(), rect.y.cast_signed());
        let (bytes_per_pixel, bits) = if self.x.setup().roots[0].root_depth == 16 { (2, [5, 6, 5]) } else { (4, [10, 10, 10]) };
        for row in 0..rect.height {
            let asked = self.x.get_image(ImageFormat::Z_PIXMAP, self.root, x, y + row.cast_signed(), rect.width, 1, !0).unwrap();
            let data = asked.reply().unwrap().data;
            for (pixel, bytes) in
                fb.row_mut(Size::new(rect.width, rect.height).unwrap().rect(), row).iter_mut().zip(data.chunks(bytes_per_pixel))
            {
                let value = bytes.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
                let (mut rest, mut rgb) = (value, 0);
                // From blue, the lowest bits, up to red; each rounded to the nearest of 256.
                for (at, bits) in (0..).zip(bits.into_iter().rev()) {
                    let max = (1 << bits) - 1;
                    rgb |= (((rest & max) * 510 + max) / (2 * max)) << (8 * at);
                    rest >>= bits;
                }
                *pixel = rgb;
            }
        }
        fb
    }

    /// The same with the pointer, drawn by this test's own arithmetic.
    pub fn imported_with_pointer(&self, rect: Rect) -> Framebuffer {
        let mut fb = self.imported(rect);
        let image = self.x.xfixes_get_cursor_image().unwrap().reply().unwrap();
        let (left, top) = (i32::from(image.x) - i32::from(image.xhot), i32::from(image.y) - i32::from(image.yhot));
        for (at, &over) in (0..).zip(&image.cursor_image) {
            let (x, y) = (left + at % i32::from(image.width), top + at / i32::from(image.width));
            let inside = (i32::from(rect.x)..i32::from(rect.x) + i32::from(rect.width)).contains(&x)
                && (i32::from(rect.y)..i32::from(rect.y) + i32::from(rect.height)).contains(&y);
            if inside {
                let place = (y - i32::from(rect.y)) * i32::from(rect.width) + x - i32::from(rect.x);
                let pixel = &mut fb.pixels_mut()[usize::try_from(place).unwrap()];
                let (under, rest) = (*pixel, 255 - (over >> 24));
                let channel = |shift: u32| ((over >> shift & 0xff) * 255 + (under >> shift & 0xff) * rest + 127) / 255;
                *pixel = channel(16) << 16 | channel(8) << 8 | channel(0);
            }
        }
        fb
    }
}
