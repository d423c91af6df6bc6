//! Records a VNC session to a file, losslessly: `record HOST::PORT FILE --seconds S --fps F`.
//!
//! Security type None, Raw encoding only: what is recorded went through no codec.
#![allow(clippy::print_stderr, reason = "a command-line tool")]

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::wire::Reader;
use treevnc_recording::Writer;

/// Record a VNC session (security type None) without loss.
#[derive(Debug, Parser)]
struct Options {
    /// The VNC server: HOST::PORT.
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

/// A connection after the handshake, asked for 32-bit little-endian pixels.
struct Session {
    input: BufReader<TcpStream>,
    output: TcpStream,
    picture: Framebuffer,
}

impl Session {
    fn open(address: &str) -> anyhow::Result<Self> {
        let mut output = TcpStream::connect(address)?;
        let mut input = BufReader::with_capacity(1 << 20, output.try_clone()?);
        let _version: [u8; 12] = array(&mut input)?;
        output.write_all(b"RFB 003.008\n")?;
        let [count] = array(&mut input)?;
        let mut types = vec![0; count.into()];
        input.read_exact(&mut types)?;
        ensure!(types.contains(&1), "the server does not offer security type None, but {types:?}");
        output.write_all(&[1])?;
        ensure!(array(&mut input)? == [0; 4], "the server refuses");
        output.write_all(&[1])?;
        let [w0, w1, h0, h1] = array(&mut input)?;
        let size = Size::new(u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1]))?;
        let _format: [u8; 16] = array(&mut input)?;
        let name_bytes = u32::from_be_bytes(array(&mut input)?);
        std::io::copy(&mut (&mut input).take(name_bytes.into()), &mut std::io::sink())?;
        output.write_all(&[0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0])?;
        output.write_all(&[2, 0, 0, 1, 0, 0, 0, 0])?;
        Ok(Self { input, output, picture: Framebuffer::new(size) })
    }

    fn ask(&mut self, incremental: bool) -> anyhow::Result<()> {
        let [w0, w1] = self.picture.size().width().to_be_bytes();
        let [h0, h1] = self.picture.size().height().to_be_bytes();
        Ok(self.output.write_all(&[3, incremental.into(), 0, 0, 0, 0, w0, w1, h0, h1])?)
    }

    /// Waits for an update for that time and paints it; says whether one came.
    fn update(&mut self, patience: Duration) -> anyhow::Result<bool> {
        self.output.set_read_timeout(Some(patience.max(Duration::from_millis(1))))?;
        let mut kind = [0; 2];
        match self.input.read_exact(&mut kind) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            other => other?,
        }
        self.output.set_read_timeout(None)?;
        ensure!(kind == [0, 0], "a message of type {}", kind[0]);
        let count = u16::from_be_bytes(array(&mut self.input)?);
        for _ in 0..count {
            let header: [u8; 12] = array(&mut self.input)?;
            let rect = Reader::new(&header).rect().filter(|rect| rect.is_within(self.picture.size()));
            let rect = rect.context("a rectangle outside the screen")?;
            ensure!(header.ends_with(&[0; 4]), "an encoding that is not Raw");
            for row in 0..rect.height {
                for pixel in self.picture.row_mut(rect, row) {
                    *pixel = u32::from_le_bytes(array(&mut self.input)?) & 0x00ff_ffff;
                }
            }
        }
        Ok(true)
    }
}

fn array<const N: usize>(input: &mut impl Read) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
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
    let address = options.server.replace("::", ":");
    let mut session = Session::open(&address).with_context(|| address.clone())?;
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
