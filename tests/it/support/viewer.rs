//! An ordinary VNC viewer of our own: RFB 3.8, no password, ZRLE in BGR form, DesktopSize. Shares no code with the product, so that
//! a mistake in both roles of the product can not hide here.

use crate::support::picture::Picture;
use crate::support::wait::{PATIENCE, pace_until};
use flate2::{Decompress, FlushDecompress, Status};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const RAW: i32 = 0;
const ZRLE: i32 = 16;
const DESKTOP_SIZE: i32 = -223;

/// A rectangle that an update has painted.
pub(crate) type Painted = (u16, u16, u16, u16);

/// What a viewer shows; may be in the middle of an update.
struct Shown {
    width: usize,
    height: usize,
    pixels: Vec<u32>,
}

impl Shown {
    fn black(width: u16, height: u16) -> Self {
        let (width, height) = (width.into(), height.into());
        Self { width, height, pixels: vec![0; width * height] }
    }

    fn put(&mut self, x: usize, y: usize, width: usize, pixels: &[u32]) {
        for (row, line) in pixels.chunks_exact(width).enumerate() {
            let at = (y + row) * self.width + x;
            self.pixels[at..at + width].copy_from_slice(line);
        }
    }

    fn picture(&self) -> Picture {
        Picture::from_pixels(self.width, self.height, &self.pixels)
    }
}

/// A viewer with its picture.
pub(crate) struct Viewer {
    input: Box<dyn Read + Send>,
    stream: TcpStream,
    inflate: Decompress,
    shown: Arc<Mutex<Shown>>,
    /// Bytes of pixels received, as they came.
    pub(crate) bytes: u64,
}

/// Connects and shakes hands: the stream after ServerInit, the screen's size.
pub(crate) fn greet(address: SocketAddr, stream: &mut TcpStream) -> io::Result<(u16, u16)> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut version = [0; 12];
    stream.read_exact(&mut version)?;
    if &version[..4] != b"RFB " {
        return Err(io::Error::other(format!("{address} says {version:?}")));
    }
    stream.write_all(b"RFB 003.008\n")?;
    let mut count = [0];
    stream.read_exact(&mut count)?;
    let mut types = vec![0; count[0].into()];
    stream.read_exact(&mut types)?;
    if !types.contains(&1) {
        return Err(io::Error::other(format!("{address} offers {types:?}")));
    }
    stream.write_all(&[1])?;
    let mut result = [0; 4];
    stream.read_exact(&mut result)?;
    stream.write_all(&[1])?;
    let mut init = [0; 24];
    stream.read_exact(&mut init)?;
    let mut name = vec![0; u32::from_be_bytes([init[20], init[21], init[22], init[23]]) as usize];
    stream.read_exact(&mut name)?;
    // SetPixelFormat: 32 bits, depth 24, little-endian, shifts 16, 8, 0; SetEncodings: ZRLE, DesktopSize.
    stream.write_all(&[0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0])?;
    let mut encodings = vec![2, 0, 0, 2];
    encodings.extend(ZRLE.to_be_bytes());
    encodings.extend(DESKTOP_SIZE.to_be_bytes());
    stream.write_all(&encodings)?;
    Ok((u16::from_be_bytes([init[0], init[1]]), u16::from_be_bytes([init[2], init[3]])))
}

/// The bytes of a FramebufferUpdateRequest.
pub(crate) fn request(incremental: bool, width: u16, height: u16) -> [u8; 10] {
    let ([w1, w0], [h1, h0]) = (width.to_be_bytes(), height.to_be_bytes());
    [3, incremental.into(), 0, 0, 0, 0, w1, w0, h1, h0]
}

impl Viewer {
    /// A viewer that reads as fast as it can, and has asked for the whole picture.
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        let input = io::BufReader::with_capacity(256 * 1024, stream.try_clone()?);
        Self::on(address, stream, Box::new(input))
    }

    /// A viewer behind a narrow line, with little room in the kernel on its side.
    pub(crate) fn connect_throttled(address: SocketAddr, bytes_per_second: u32) -> io::Result<Self> {
        let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
        socket.set_recv_buffer_size(16 * 1024)?;
        socket.connect(&address.into())?;
        let stream = TcpStream::from(socket);
        let input = Throttled { stream: stream.try_clone()?, bytes_per_second, free_at: Instant::now() };
        Self::on(address, stream, Box::new(input))
    }

    fn on(address: SocketAddr, mut stream: TcpStream, input: Box<dyn Read + Send>) -> io::Result<Self> {
        let (width, height) = greet(address, &mut stream)?;
        stream.write_all(&request(false, width, height))?;
        let shown = Arc::new(Mutex::new(Shown::black(width, height)));
        Ok(Self { input, stream, inflate: Decompress::new(true), shown, bytes: 0 })
    }

    /// The connection, to end it from outside.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Asks for what changes.
    pub(crate) fn ask(&mut self) -> io::Result<()> {
        let (width, height) = self.size();
        self.stream.write_all(&request(true, width, height))
    }

    /// Reads one FramebufferUpdate to its end (skipping what else the server says) and asks for the next.
    pub(crate) fn update(&mut self) -> io::Result<Vec<Painted>> {
        loop {
            match self.bytes::<1>()? {
                [0] => break,
                [2] => {}
                [3] => {
                    let [.., a, b, c, d] = self.bytes::<7>()?;
                    self.data(u32::from_be_bytes([a, b, c, d]) as usize)?;
                }
                [other] => return Err(io::Error::other(format!("message {other}"))),
            }
        }
        let [_, high, low] = self.bytes()?;
        let count = u16::from_be_bytes([high, low]);
        let painted = (0..count).map(|_| self.rectangle()).collect::<io::Result<_>>()?;
        self.ask()?;
        Ok(painted)
    }

    fn rectangle(&mut self) -> io::Result<Painted> {
        let head = self.bytes::<12>()?;
        let field = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let (x, y, width, height) = (field(0), field(2), field(4), field(6));
        match i32::from_be_bytes([head[8], head[9], head[10], head[11]]) {
            RAW => {
                let data = self.data(usize::from(width) * usize::from(height) * 4)?;
                let pixels: Vec<_> = data.chunks_exact(4).map(|p| u32::from_le_bytes([p[0], p[1], p[2], 0])).collect();
                self.shown.lock().unwrap().put(x.into(), y.into(), width.into(), &pixels);
            }
            ZRLE => {
                let length = u32::from_be_bytes(self.bytes()?);
                let data = self.data(length as usize)?;
                let tiles = self.inflated(&data)?;
                self.tiles(usize::from(x), usize::from(y), width.into(), height.into(), &tiles)?;
            }
            DESKTOP_SIZE => *self.shown.lock().unwrap() = Shown::black(width, height),
            other => return Err(io::Error::other(format!("encoding {other}"))),
        }
        Ok((x, y, width, height))
    }

    fn inflated(&mut self, mut data: &[u8]) -> io::Result<Vec<u8>> {
        let mut tiles = Vec::with_capacity(64 * 1024);
        loop {
            let before = self.inflate.total_in();
            let status = self.inflate.decompress_vec(data, &mut tiles, FlushDecompress::Sync);
            let status = status.map_err(|error| io::Error::other(format!("inflate: {error}")))?;
            data = &data[(self.inflate.total_in() - before) as usize..];
            if status == Status::StreamEnd {
                return Err(io::Error::other("the zlib stream ends"));
            }
            if data.is_empty() && tiles.len() < tiles.capacity() {
                return Ok(tiles);
            }
            tiles.reserve(tiles.capacity());
        }
    }

    fn tiles(&mut self, x: usize, y: usize, width: usize, height: usize, data: &[u8]) -> io::Result<()> {
        let mut data = Tiles { data };
        let mut shown = self.shown.lock().unwrap();
        for top in (0..height).step_by(64) {
            for left in (0..width).step_by(64) {
                let (w, h) = (64.min(width - left), 64.min(height - top));
                let pixels = data.tile(w, h).ok_or_else(|| io::Error::other("a tile is wrong"))?;
                shown.put(x + left, y + top, w, &pixels);
            }
        }
        if data.data.is_empty() { Ok(()) } else { Err(io::Error::other(format!("{} bytes after the tiles", data.data.len()))) }
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn data(&mut self, length: usize) -> io::Result<Vec<u8>> {
        self.bytes += length as u64;
        let mut data = Vec::with_capacity(length.min(1 << 24));
        (&mut self.input).take(length as u64).read_to_end(&mut data)?;
        if data.len() == length { Ok(data) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// The screen's width and height.
    pub(crate) fn size(&self) -> (u16, u16) {
        let shown = self.shown.lock().unwrap();
        (shown.width as u16, shown.height as u16)
    }

    /// The pixel at a place, 0x00RRGGBB; black outside the screen.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> u32 {
        let shown = self.shown.lock().unwrap();
        if x < shown.width && y < shown.height { shown.pixels[y * shown.width + x] } else { 0 }
    }

    /// What it shows.
    pub(crate) fn picture(&self) -> Picture {
        self.shown.lock().unwrap().picture()
    }
}

/// A viewer that reads on a thread of its own, until dropped.
pub(crate) struct Watcher {
    stream: TcpStream,
    shown: Arc<Mutex<Shown>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Reads on and on; `look` sees the picture after every update.
    pub(crate) fn new(mut viewer: Viewer, mut look: impl FnMut(&Viewer) + Send + 'static) -> Self {
        let (stream, shown) = (viewer.stream.try_clone().unwrap(), viewer.shown.clone());
        let read = move || {
            while viewer.update().is_ok() {
                look(&viewer);
            }
        };
        Self { stream, shown, thread: Some(std::thread::spawn(read)) }
    }

    /// What it shows now.
    pub(crate) fn picture(&self) -> Picture {
        self.shown.lock().unwrap().picture()
    }

    /// Whether the connection has come to its end.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_some_and(JoinHandle::is_finished)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Decodes the tiles of a ZRLE rectangle (RFC 6143 section 7.7.6).
struct Tiles<'a> {
    data: &'a [u8],
}

impl Tiles<'_> {
    fn tile(&mut self, width: usize, height: usize) -> Option<Vec<u32>> {
        let area = width * height;
        let kind = self.byte()?;
        let palette: Vec<u32> = match kind {
            0 | 128 => Vec::new(),
            1..=16 => (0..kind).map(|_| self.pixel()).collect::<Option<_>>()?,
            130..=255 => (0..kind - 128).map(|_| self.pixel()).collect::<Option<_>>()?,
            _ => return None,
        };
        match kind {
            0 => (0..area).map(|_| self.pixel()).collect(),
            1 => Some(vec![palette[0]; area]),
            2..=16 => self.packed(&palette, width, height),
            _ => self.runs(&palette, area),
        }
    }

    fn packed(&mut self, palette: &[u32], width: usize, height: usize) -> Option<Vec<u32>> {
        let bits = match palette.len() {
            2 => 1,
            3 | 4 => 2,
            _ => 4,
        };
        let mut pixels = Vec::with_capacity(width * height);
        for _ in 0..height {
            let row = self.take((width * bits).div_ceil(8))?;
            for x in 0..width {
                let at = x * bits;
                let index = row[at / 8] >> (8 - bits - at % 8) & ((1 << bits) - 1);
                pixels.push(*palette.get(usize::from(index))?);
            }
        }
        Some(pixels)
    }

    fn runs(&mut self, palette: &[u32], area: usize) -> Option<Vec<u32>> {
        let mut pixels = Vec::with_capacity(area);
        while pixels.len() < area {
            let (colour, long) = if palette.is_empty() {
                (self.pixel()?, true)
            } else {
                let index = self.byte()?;
                (*palette.get(usize::from(index & 0x7f))?, index & 0x80 != 0)
            };
            let length = if long { self.run_length()? } else { 1 };
            if pixels.len() + length > area {
                return None;
            }
            pixels.resize(pixels.len() + length, colour);
        }
        Some(pixels)
    }

    fn run_length(&mut self) -> Option<usize> {
        let mut length = 1;
        loop {
            let more = self.byte()?;
            length += usize::from(more);
            if more != 255 {
                return Some(length);
            }
        }
    }

    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.data.split_at_checked(length)?;
        self.data = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn pixel(&mut self) -> Option<u32> {
        self.take(3).map(|pixel| u32::from_le_bytes([pixel[0], pixel[1], pixel[2], 0]))
    }
}

/// Reads at most so many bytes per second, evenly.
struct Throttled {
    stream: TcpStream,
    bytes_per_second: u32,
    free_at: Instant,
}

impl Read for Throttled {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        pace_until(self.free_at);
        let portion = buffer.len().min(2048);
        let count = self.stream.read(&mut buffer[..portion])?;
        let cost = Duration::from_secs_f64(count as f64 / f64::from(self.bytes_per_second));
        self.free_at = self.free_at.max(Instant::now() - Duration::from_millis(20)) + cost;
        Ok(count)
    }
}
