//! A node that does nothing but hand on: it takes units of a size that is agreed beforehand from its parent, and sends each to its
//! children when it has it whole. With units as large as a frame this is how TreeVNC's nodes forwarded; with small ones it is the least that
//! any relay must do. A frame begins with the moment at which the first node began to send it.

use std::io::{self, BufRead, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The word that makes this program such a node: the words after it are its port, the bytes of a frame and of a unit, and its children.
pub(crate) const FORWARD: &str = "forward";
/// What the node says when it listens and has reached its children.
pub(crate) const READY: &str = "ready";
/// Units that may wait for a child.
const LANE: usize = 4;
/// How often a child that does not listen yet is tried.
const RETRY: Duration = Duration::from_millis(20);

type Unit = Arc<[u8]>;

/// Forwards until its parent, or its standard input, ends. The topmost one has no parent: each line of its input sends a frame. Prints the
/// microseconds from the beginning of each frame until it is here whole.
pub(crate) fn forward(words: &[String]) -> io::Result<()> {
    let number = |at: usize| words[at].parse::<usize>().map_err(io::Error::other);
    let (port, frame, unit) = (number(0)?, number(1)?, number(2)?);
    let children =
        words[3..].iter().map(|word| word.parse().map_err(io::Error::other)).collect::<io::Result<Vec<SocketAddr>>>()?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port as u16))?;
    let lanes = children.into_iter().map(lane).collect::<io::Result<Vec<_>>>()?;
    println!("{READY}");
    if port == 0 { send(frame, unit, &lanes) } else { pass_on(listener.accept()?.0, frame, unit, &lanes) }
}

/// A thread of its own writes to a child, so that children do not wait for each other.
fn lane(child: SocketAddr) -> io::Result<SyncSender<Unit>> {
    let stream = loop {
        match TcpStream::connect(child) {
            Ok(stream) => break stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::thread::sleep(RETRY),
            Err(error) => return Err(error),
        }
    };
    stream.set_nodelay(true)?;
    let (lane, units) = sync_channel(LANE);
    std::thread::spawn(move || write_all(stream, &units));
    Ok(lane)
}

fn write_all(mut stream: TcpStream, units: &Receiver<Unit>) -> io::Result<()> {
    units.iter().try_for_each(|unit| stream.write_all(&unit))
}

fn send(frame: usize, unit: usize, lanes: &[SyncSender<Unit>]) -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        line?;
        let mut bytes = vec![0x5a; frame];
        bytes[..8].copy_from_slice(&now().to_be_bytes());
        bytes.chunks(unit).for_each(|part| hand_on(lanes, part.into()));
    }
    Ok(())
}

fn pass_on(mut parent: TcpStream, frame: usize, unit: usize, lanes: &[SyncSender<Unit>]) -> io::Result<()> {
    loop {
        let (mut left, mut began) = (frame, 0);
        while left > 0 {
            let mut bytes = vec![0; unit.min(left)];
            parent.read_exact(&mut bytes)?;
            if left == frame {
                began = u64::from_be_bytes(bytes[..8].try_into().unwrap());
            }
            left -= bytes.len();
            hand_on(lanes, bytes.into());
        }
        println!("{}", now().saturating_sub(began));
    }
}

fn hand_on(lanes: &[SyncSender<Unit>], unit: Unit) {
    // A child that is gone gets nothing more.
    lanes.iter().for_each(|lane| drop(lane.send(unit.clone())));
}

/// Microseconds on the machine's clock, which all its network namespaces share.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64
}
