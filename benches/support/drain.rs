//! An ordinary viewer that takes updates as fast as they come and throws the pixels away: as cheap as a viewer can be, so that what is
//! measured is the server.

use crate::support::viewer::{greet, request};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

const BUFFER_BYTES: usize = 256 * 1024;

/// A connection that counts.
pub(crate) struct Drain {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    width: u16,
    height: u16,
    /// Bytes of all updates so far.
    pub(crate) bytes: u64,
    /// A place on the screen, and how many times it has been painted.
    pub(crate) place: (usize, usize),
    pub(crate) painted: u64,
}

impl Drain {
    /// Connects; asks for nothing yet.
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        let (width, height) = greet(address, &mut stream)?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES], start: 0, end: 0, width, height, bytes: 0, place: (0, 0), painted: 0 })
    }

    /// The connection, to end it from outside.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Asks for the whole screen.
    pub(crate) fn ask_all(&mut self) -> io::Result<()> {
        self.stream.write_all(&request(false, self.width, self.height))
    }

    /// Asks for one pixel.
    pub(crate) fn ask_pixel(&mut self) -> io::Result<()> {
        self.stream.write_all(&request(false, 1, 1))
    }

    /// Asks for what changes.
    pub(crate) fn ask_changes(&mut self) -> io::Result<()> {
        self.stream.write_all(&request(true, self.width, self.height))
    }

    /// Reads one FramebufferUpdate to its end.
    pub(crate) fn update(&mut self) -> io::Result<()> {
        loop {
            match self.bytes::<1>()? {
                [0] => break,
                [2] => {}
                [3] => {
                    let [.., a, b, c, d] = self.bytes::<7>()?;
                    self.skip(u32::from_be_bytes([a, b, c, d]) as usize)?;
                }
                [other] => return Err(io::Error::other(format!("message {other}"))),
            }
        }
        let [_, high, low] = self.bytes()?;
        self.bytes += 4;
        for _ in 0..u16::from_be_bytes([high, low]) {
            let head = self.bytes::<12>()?;
            let field = |at: usize| usize::from(u16::from_be_bytes([head[at], head[at + 1]]));
            let within = |place: usize, at: usize| (field(at)..field(at) + field(at + 4)).contains(&place);
            let painted = within(self.place.0, 0) && within(self.place.1, 2);
            let length = match i32::from_be_bytes([head[8], head[9], head[10], head[11]]) {
                0 => field(4) * field(6) * 4,
                16 => 4 + u32::from_be_bytes(self.peek()?) as usize,
                other => return Err(io::Error::other(format!("encoding {other}"))),
            };
            self.skip(length)?;
            self.bytes += 12 + length as u64;
            self.painted += u64::from(painted);
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let count = self.stream.read(&mut self.buffer[self.end..])?;
        self.end += count;
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn peek<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        while self.end - self.start < N {
            self.fill()?;
        }
        Ok(self.buffer[self.start..self.start + N].try_into().unwrap())
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let bytes = self.peek()?;
        self.start += N;
        Ok(bytes)
    }

    fn skip(&mut self, mut length: usize) -> io::Result<()> {
        loop {
            let here = length.min(self.end - self.start);
            self.start += here;
            length -= here;
            if length == 0 {
                return Ok(());
            }
            self.fill()?;
        }
    }
}
