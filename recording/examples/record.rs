//! Records a VNC session to a file, losslessly: `record HOST::PORT FILE --seconds S --fps F`.
//!
//! Only the Raw encoding is asked for: what is recorded went through no codec.
#![allow(clippy::print_stderr, reason = "a command-line tool")]

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{ClientHandshake, ClientMessage, ServerDecoder, ServerEvent, encoding};
use treevnc_recording::Writer;

/// Record a VNC session without loss. A password is taken from VNC_PASSWORD.
#[derive(Debug, Parser)]
struct Options {
    /// The VNC server: HOST, HOST:DISPLAY or HOST::PORT.
    server: String,
    /// The file to write.
    file: PathBuf,
    /// How long to record.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// At most so many frames in a second.
    #[arg(long, default_value_t = 5.0)]
    fps: f64,
    /// What is recorded, in a few words.
    #[arg(long, default_value = "")]
    name: String,
}

/// A connection after the handshake.
struct Session {
    stream: TcpStream,
    decoder: ServerDecoder,
    buffer: Vec<u8>,
    /// Which bytes of the buffer were read and not yet decoded.
    unread: std::ops::Range<usize>,
    picture: Framebuffer,
}

impl Session {
    fn open(address: (&str, u16)) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        let mut handshake = ClientHandshake::new(std::env::var("VNC_PASSWORD").ok().as_deref(), true);
        let mut buffer = vec![0; 1 << 20];
        let mut unread = 0..0;
        let size = loop {
            if let Some(output) = handshake.take_output() {
                stream.write_all(&output)?;
            }
            if let Some(init) = handshake.finished() {
                break init.size;
            }
            let read = stream.read(&mut buffer)?;
            ensure!(read > 0, handshake.ended());
            unread = handshake.feed(&buffer[..read])?..read;
        };
        stream.write_all(&ClientMessage::SetPixelFormat(PixelFormat::NATIVE).encode())?;
        stream.write_all(&ClientMessage::SetEncodings(vec![encoding::RAW]).encode())?;
        let decoder = ServerDecoder::new(size, PixelFormat::NATIVE);
        Ok(Self { stream, decoder, buffer, unread, picture: Framebuffer::new(size) })
    }

    fn ask(&mut self, incremental: bool) -> anyhow::Result<()> {
        let rect = self.picture.size().rect();
        Ok(self.stream.write_all(&ClientMessage::FramebufferUpdateRequest { incremental, rect }.encode())?)
    }

    /// Waits until an update is complete, and at most that time for anything to come; says whether it is.
    fn update(&mut self, patience: Duration) -> anyhow::Result<bool> {
        self.stream.set_read_timeout(Some(patience.max(Duration::from_millis(1))))?;
        loop {
            while !self.unread.is_empty() {
                let (taken, event) = self.decoder.feed(&self.buffer[self.unread.clone()], &mut self.picture)?;
                self.unread.start += taken;
                if let Some(ServerEvent::UpdateEnd { .. }) = event {
                    return Ok(true);
                }
            }
            self.unread = match self.stream.read(&mut self.buffer) {
                Ok(0) => anyhow::bail!("the VNC server closed the connection"),
                Ok(read) => 0..read,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
        }
    }
}

/// Host and port of HOST, HOST:DISPLAY or HOST::PORT.
fn address(server: &str) -> anyhow::Result<(&str, u16)> {
    if let Some((host, port)) = server.split_once("::") {
        return Ok((host, port.parse().context("the port is no number up to 65535")?));
    }
    let (host, display) = server.split_once(':').unwrap_or((server, "0"));
    let display: u16 = display.parse().context("the display is no number")?;
    Ok((host, display.checked_add(5900).context("the display is too large")?))
}

/// All pictures of the session with their times; they are packed afterwards, because that takes longer than a frame.
fn watch(session: &mut Session, length: Duration, pause: Duration) -> anyhow::Result<Vec<(Duration, Framebuffer)>> {
    session.ask(false)?;
    ensure!(session.update(Duration::from_secs(10))?, "no picture within 10 seconds");
    let begin = Instant::now();
    let mut frames = vec![(Duration::ZERO, session.picture.clone())];
    loop {
        std::thread::sleep(pause);
        session.ask(true)?;
        let rest = length.saturating_sub(begin.elapsed());
        if rest.is_zero() || !session.update(rest)? {
            return Ok(frames);
        }
        frames.push((begin.elapsed(), session.picture.clone()));
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut session = Session::open(address(&options.server)?).with_context(|| options.server.clone())?;
    let pause = Duration::from_secs_f64(1.0 / options.fps);
    let frames = watch(&mut session, Duration::from_secs_f64(options.seconds), pause)?;
    let file = File::create(&options.file).with_context(|| options.file.display().to_string())?;
    let mut writer = Writer::new(BufWriter::new(file), session.picture.size(), &options.name)?;
    let mut written = 0;
    for (at, picture) in &frames {
        written += u32::from(writer.push(*at, picture)?);
    }
    writer.finish().flush()?;
    eprintln!("{written} frames in {}", options.file.display());
    Ok(())
}
