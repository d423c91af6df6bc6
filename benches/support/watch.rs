//! A viewer on another host, as a process of its own: which frames of a video it shows, and when.

use crate::support::namespaces::Hosts;
use crate::support::painter::{MARK, Video};
use crate::support::process::Process;
use crate::support::viewer::Viewer;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The word that makes a measuring program such a viewer: the node's address follows, and the width and height of the video.
pub(crate) const WATCH: &str = "watch";

/// Prints the number of each frame and the moment at which it was shown, until the connection or this process ends.
pub(crate) fn watch(words: &[String]) {
    let [node, width, height] = words else { panic!("{words:?}") };
    let side = |word: &String| word.parse::<usize>().unwrap() - usize::from(MARK);
    let (corner, mut last) = ((side(width), side(height)), 0);
    let mut viewer = Viewer::connect(node.parse().unwrap()).unwrap();
    while viewer.update().is_ok() {
        let number = viewer.pixel(0, 0);
        if number != last && viewer.pixel(corner.0, corner.1) == number {
            println!("{number} {}", nanos(SystemTime::now()));
            last = number;
        }
    }
}

/// One such viewer.
pub(crate) struct Watch {
    process: Process,
    /// The same moment on both clocks.
    clocks: (Instant, SystemTime),
}

impl Watch {
    /// Of the node at this address of a host; the video is in the top left corner, that wide and high.
    pub(crate) fn begin(hosts: &Hosts, host: usize, node: SocketAddr, (width, height): (u16, u16)) -> Self {
        let words = [WATCH.to_owned(), format!("127.0.0.1:{}", node.port()), width.to_string(), height.to_string()];
        let process = hosts.start(host, Command::new(std::env::current_exe().unwrap()).args(words));
        Self { process, clocks: (Instant::now(), SystemTime::now()) }
    }

    /// The frames that it has shown, and when, by this program's clock.
    pub(crate) fn shown(&self) -> Vec<(u32, Instant)> {
        let (here, there) = (self.clocks.0, nanos(self.clocks.1));
        let parse = |line: String| {
            let (number, at) = line.split_once(' ')?;
            let since = at.parse::<u128>().ok()?.checked_sub(there)?;
            Some((number.parse().ok()?, here + Duration::from_nanos(since as u64)))
        };
        self.process.out().all().into_iter().filter_map(parse).collect()
    }

    /// From painting to showing, of the frames that were shown between two moments.
    pub(crate) fn delays(&self, video: &Video, from: Instant, to: Instant) -> Vec<Duration> {
        let shown = self.shown().into_iter().filter(|(_, at)| (from..to).contains(at));
        shown.filter_map(|(number, at)| Some(at - video.painted(number)?)).collect()
    }
}

fn nanos(at: SystemTime) -> u128 {
    at.duration_since(UNIX_EPOCH).unwrap().as_nanos()
}
