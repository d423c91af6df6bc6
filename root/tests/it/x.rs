//! Real X servers, VNC servers and programs for tests. Each is ended, by its id, when its value is dropped.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{ClientHandshake, ClientMessage, ServerDecoder, ServerEvent, encoding};

/// Whether these programs are here. Without them a test is skipped, but not in CI.
pub(crate) fn have(programs: &[&str]) -> bool {
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

/// How long a program may take to end when it is asked to.
const TERM_PATIENCE: Duration = Duration::from_secs(3);

/// A running program.
pub(crate) struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    /// By TERM first: x11vnc, killed, leaves its shared memory behind, and a machine has room for 4096 pieces.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).stderr(Stdio::null()).status();
        let deadline = Instant::now() + TERM_PATIENCE;
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An X server, also a VNC server if it is Xvnc.
pub(crate) struct Display {
    _server: Program,
    number: u32,
}

impl Display {
    fn start(command: &mut Command) -> Self {
        let mut server = Program::start(command.args(["-displayfd", "1", "-noreset"]).stdout(Stdio::piped()));
        let mut line = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let number = line.trim().parse().unwrap_or_else(|_| panic!("{command:?} did not start"));
        Self { _server: server, number }
    }

    /// TigerVNC's server.
    pub(crate) fn xvnc(port: u16, size: &str, options: &[&str]) -> Self {
        let port = port.to_string();
        let fixed = ["-localhost", "-AlwaysShared", "-BlacklistThreshold", "100000", "-depth", "24"];
        Self::start(Command::new("Xvnc").args(fixed).args(["-rfbport", &port, "-geometry", size]).args(options))
    }

    /// An X server without a screen.
    pub(crate) fn xvfb(size: &str) -> Self {
        Self::start(Command::new("Xvfb").args(["-screen", "0", &format!("{size}x24"), "-nolisten", "tcp"]))
    }

    /// x11vnc for this display.
    pub(crate) fn x11vnc(&self, port: u16) -> Program {
        let (display, port) = (format!(":{}", self.number), port.to_string());
        let fixed = ["-localhost", "-forever", "-shared", "-nocursor", "-nopw", "-q", "-noipv6", "-no6"];
        Program::start(Command::new("x11vnc").args(fixed).args(["-display", &display, "-rfbport", &port]).stdout(Stdio::null()))
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env("DISPLAY", format!(":{}", self.number));
        command
    }

    /// Runs a program to its end and answers its output.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Vec<u8> {
        let output = self.command(program, arguments).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Starts a terminal that shows what is written to it.
    pub(crate) fn terminal(&self, geometry: &str) -> Terminal {
        let fifo = scratch("fifo");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let arguments = ["-geometry", geometry, "-fa", "", "-fn", "fixed", "-e", "cat", fifo.to_str().unwrap()];
        let program = Program::start(self.command("xterm", &arguments).stdout(Stdio::null()));
        // Opened for reading too, it does not wait for the terminal.
        let input = std::fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
        Terminal { _program: program, display: format!(":{}", self.number), input, fifo }
    }

    /// A pattern over the whole background.
    pub(crate) fn background(&self, foreground: &str, background: &str) {
        self.run("xsetroot", &["-mod", "13", "7", "-fg", foreground, "-bg", background]);
    }

    /// The X server's own picture, without the pointer.
    pub(crate) fn picture(&self, size: Size) -> Option<Framebuffer> {
        let pixels = self.run("import", &["-silent", "-window", "root", "-depth", "8", "rgb:-"]);
        let mut fb = Framebuffer::new(size);
        let (bytes, _) = pixels.as_chunks::<3>();
        if bytes.len() != size.area() {
            return None;
        }
        fb.pixels_mut().iter_mut().zip(bytes).for_each(|(pixel, &[r, g, b])| *pixel = u32::from_be_bytes([0, r, g, b]));
        Some(fb)
    }
}

/// A terminal.
pub(crate) struct Terminal {
    _program: Program,
    display: String,
    input: std::fs::File,
    fifo: PathBuf,
}

impl Terminal {
    /// Shows a screenful of text in many colours; all of it is drawn when this returns.
    pub(crate) fn fill(&mut self, seed: u32) {
        let line = |n: u32| {
            let (colour, back, number) = (n % 8, n / 8 % 8, n * 77 + seed);
            format!("\x1b[3{colour};4{back}m line {n:04} of {seed} the quick brown fox\x1b[0m jumps over {number:08x}\r\n")
        };
        let text: String = (0..60).map(line).collect();
        let title = format!("drawn-{seed}-{}", std::process::id());
        self.input.write_all(format!("{text}\x1b]2;{title}\x07").as_bytes()).unwrap();
        let mut waiting = Command::new("timeout");
        waiting.args(["60", "xdotool", "search", "--sync", "--name", &title]).env("DISPLAY", &self.display).stdout(Stdio::null());
        assert!(waiting.status().unwrap().success());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.fifo);
    }
}

/// A path in the temporary directory that no other test uses.
pub(crate) fn scratch(name: &str) -> PathBuf {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    std::env::temp_dir().join(format!("treevnc-root-{}-{count}-{name}", std::process::id()))
}

/// Writes a VNC password file.
pub(crate) fn password_file(path: &Path, password: &str) {
    let mut hashing = Command::new("vncpasswd").arg("-f").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    hashing.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    std::fs::write(path, hashing.wait_with_output().unwrap().stdout).unwrap();
}

/// Another viewer's picture: everything, Raw, from the VNC server on that port.
pub(crate) async fn raw_picture(port: u16) -> Framebuffer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut handshake = ClientHandshake::new(None, true);
    let mut rest = Vec::new();
    while handshake.finished().is_none() {
        rest = read(&mut stream).await;
        let taken = handshake.feed(&rest).unwrap();
        rest.drain(..taken);
        if let Some(output) = handshake.take_output() {
            stream.write_all(&output).await.unwrap();
        }
    }
    let size = handshake.finished().unwrap().size;
    let mut fb = Framebuffer::new(size);
    let mut decoder = ServerDecoder::new(size, PixelFormat::NATIVE);
    let mut hello = ClientMessage::SetPixelFormat(PixelFormat::NATIVE).encode();
    hello.extend(ClientMessage::SetEncodings(vec![encoding::RAW]).encode());
    hello.extend(ClientMessage::FramebufferUpdateRequest { incremental: false, rect: size.rect() }.encode());
    stream.write_all(&hello).await.unwrap();
    loop {
        let (taken, event) = decoder.feed(&rest, &mut fb).unwrap();
        rest.drain(..taken);
        match event {
            Some(ServerEvent::UpdateEnd { damage }) if !damage.is_empty() => return fb,
            Some(_) => {}
            None => rest = read(&mut stream).await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut buffer = vec![0; 1 << 18];
    let count = tokio::io::AsyncReadExt::read(stream, &mut buffer).await.unwrap();
    assert!(count > 0, "the server closed the connection");
    buffer.truncate(count);
    buffer
}
