//! A VNC server of our own that lies on its first connection and is honest on all later ones: a screen of one colour.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// The colour of the honest screen.
pub(crate) const COLOUR: u32 = 0x0031_4159;
const WIDTH: u16 = 160;
const HEIGHT: u16 = 120;

/// How the first connection goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// 16384 x 16384 pixels.
    HugeScreen,
    /// Half an update, then the end.
    Truncated,
    /// A rectangle in an encoding that nobody asked for.
    UnknownEncoding,
    /// A rectangle that leaves the screen.
    OutsideTheScreen,
    /// Not a VNC server at all.
    WrongGreeting,
    /// ZRLE data that is no zlib stream.
    BadZrle,
    /// A name of 4 GB.
    LongName,
}

/// The server; ends with its owner.
pub(crate) struct Presenter {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<TcpStream>>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Presenter {
    /// One that never lies.
    pub(crate) fn honest() -> Self {
        Self::start(None)
    }

    /// One that lies once.
    pub(crate) fn lying_first(lie: Lie) -> Self {
        Self::start(Some(lie))
    }

    fn start(mut lie: Option<Lie>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (calls, ended) = (Arc::<Mutex<Vec<TcpStream>>>::default(), Arc::<AtomicBool>::default());
        let (taken, end) = (calls.clone(), ended.clone());
        let thread = std::thread::spawn(move || {
            let mut serving = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if end.load(Ordering::Relaxed) {
                    break;
                }
                taken.lock().unwrap().push(stream.try_clone().unwrap());
                let lie = lie.take();
                serving.push(std::thread::spawn(move || drop(serve(stream, lie))));
            }
            hang_up(&taken);
            serving.into_iter().for_each(|thread| thread.join().unwrap());
        });
        Self { address, calls, ended, thread: Some(thread) }
    }

    /// `HOST::PORT`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1::{}", self.address.port())
    }

    /// How often it was called.
    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// Ends the connections it has.
    pub(crate) fn hang_up(&self) {
        hang_up(&self.calls);
    }
}

impl Drop for Presenter {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn hang_up(calls: &Mutex<Vec<TcpStream>>) {
    calls.lock().unwrap().iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
}

/// Serves one viewer until it goes.
fn serve(mut stream: TcpStream, lie: Option<Lie>) -> io::Result<()> {
    if lie == Some(Lie::WrongGreeting) {
        stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n")?;
        return read::<1000>(&mut stream).map(drop);
    }
    stream.write_all(b"RFB 003.008\n")?;
    read::<12>(&mut stream)?;
    stream.write_all(&[1, 1])?;
    read::<1>(&mut stream)?;
    stream.write_all(&[0; 4])?;
    read::<1>(&mut stream)?;
    stream.write_all(&server_init(lie))?;
    loop {
        match read::<1>(&mut stream)? {
            [0] => drop(read::<19>(&mut stream)?),
            [2] => {
                let [_, high, low] = read(&mut stream)?;
                (0..u16::from_be_bytes([high, low])).try_for_each(|_| read::<4>(&mut stream).map(drop))?;
            }
            [3] => {
                let [incremental, ..] = read::<9>(&mut stream)?;
                if incremental == 0 {
                    stream.write_all(&update(lie))?;
                }
                if lie == Some(Lie::Truncated) {
                    return stream.shutdown(Shutdown::Both);
                }
            }
            other => return Err(io::Error::other(format!("message {other:?}"))),
        }
    }
}

fn read<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn server_init(lie: Option<Lie>) -> Vec<u8> {
    let (width, height) = if lie == Some(Lie::HugeScreen) { (16_384, 16_384) } else { (WIDTH, HEIGHT) };
    let name_length = if lie == Some(Lie::LongName) { u32::MAX } else { 4 };
    let mut bytes = [u16::to_be_bytes(width), u16::to_be_bytes(height)].concat();
    bytes.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
    bytes.extend(name_length.to_be_bytes());
    bytes.extend(b"room");
    bytes
}

fn update(lie: Option<Lie>) -> Vec<u8> {
    let (x, encoding, length) = match lie {
        Some(Lie::UnknownEncoding) => (0, 9999_i32, 100),
        Some(Lie::OutsideTheScreen) => (WIDTH / 2, 0, 100_000),
        Some(Lie::BadZrle) => (0, 16, 100),
        Some(Lie::Truncated) => (0, 0, 1000),
        _ => (0, 0, usize::from(WIDTH) * usize::from(HEIGHT) * 4),
    };
    let mut bytes = vec![0, 0, 0, 1];
    [x, 0, WIDTH, HEIGHT].iter().for_each(|field: &u16| bytes.extend(field.to_be_bytes()));
    bytes.extend(encoding.to_be_bytes());
    if lie == Some(Lie::BadZrle) {
        bytes.extend(96_u32.to_be_bytes());
    }
    let end = bytes.len() + length;
    while bytes.len() < end {
        bytes.extend(COLOUR.to_le_bytes());
    }
    bytes
}
