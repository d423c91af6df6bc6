//! How long a change of presenter takes: from pressing Share Screen until the deepest leaf shows the new presenter's first complete frame. A
//! root and eleven nodes as processes, and three more nodes at depth 3 in this program: two presenters, each with an Xvnc of its own full of
//! text, who take the screen from each other, and a leaf that decodes what it gets.
//!
//! `cargo bench --bench switching`. Everything shares the machine's cores, the three X servers included.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a measuring program"
)]

#[path = "../tests/it"]
#[allow(dead_code, reason = "made for the session tests, and this program uses a part")]
mod it {
    pub(crate) mod support;
}

use it::support;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use support::desktop::{Desktop, Server};
use support::kernel::{open_files, resident_bytes};
use support::painter::Painter;
use support::session::Member;
use support::tools::have;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::update::SessionId;
use treevnc_relay::port::Port;
use treevnc_relay::shared_log::SharedLog;
use treevnc_relay::upload::Upload;
use treevnc_screen::display::Choice;
use treevnc_screen::vnc::{Credentials, VncServer};
use treevnc_viewer::node::{Node, NodeHandle, NodeOptions, NodeState};
use treevnc_viewer::picture::Shown;
use treevnc_viewer::playback::play;
use treevnc_viewer::share::{ShareEnd, ShareOptions, ShareSource, Sharing, share};

const SIZE: (u16, u16) = (1920, 1080);
const SWITCHES: usize = 50;
const PATIENCE: Duration = Duration::from_secs(30);

/// A presenter's desk, and the colour by which it is told from the other.
struct Desk {
    desktop: Desktop,
    _painter: Painter,
    colour: u32,
    name: &'static str,
}

impl Desk {
    /// A page of text with a mark in two corners.
    fn new(name: &'static str, page: usize, colour: u32) -> Self {
        let desktop = Desktop::with_options(Server::Xvnc, SIZE, &[]);
        let painter = Painter::new(&desktop.display, (0, 0), SIZE);
        let frame = treevnc_recording::clip("text").unwrap().nth(page).unwrap().unwrap();
        let pixels: Vec<u8> = frame.picture.pixels().iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        painter.show_marked(&painter.keep(&pixels), colour);
        desktop.quiet_picture();
        Self { desktop, _painter: painter, colour, name }
    }

    fn options(&self) -> ShareOptions {
        let server = VncServer { address: self.desktop.address().parse().unwrap(), credentials: Credentials::default() };
        ShareOptions { source: ShareSource::Vnc(server), choice: Choice::Whole }
    }
}

/// A node of this program.
fn node(runtime: &Runtime, root: SocketAddr, name: &str, id: u64) -> (NodeHandle, SharedLog) {
    let _inside = runtime.enter();
    let log = SharedLog::new(SessionId(0));
    let port = Port::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let options = NodeOptions {
        root,
        name: name.into(),
        relay: true,
        id: NodeId(id),
        seed: id,
        give_up: PATIENCE,
        upload: Upload::unlimited(),
    };
    let node = Node::new(options, port, log.clone()).unwrap();
    let handle = node.handle();
    runtime.spawn(node.run());
    let mut state = handle.state();
    let placed = runtime.block_on(async {
        let attached = state.wait_for(|state| matches!(state, NodeState::Attached { .. })).await.unwrap().clone();
        let NodeState::Attached { slot, .. } = attached else { panic!("not attached") };
        slot.depth()
    });
    assert_eq!(placed, 3, "{name}");
    (handle, log)
}

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") || !have(&["Xvnc", "setpriv", "ss"]) {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let lecturer = Desk::new("the lecturer", 0, 0x0010_1010);
    let desks = [Desk::new("Ada", 1, 0x0020_2020), Desk::new("Bob", 2, 0x0030_3030)];
    let root = Member::root(&lecturer.desktop.address(), "measured");
    let nodes: Vec<_> = (1..=11).map(|number| Member::join(root.address, &format!("n{number}"))).collect();
    let presenters = [("Ada", 101), ("Bob", 102)].map(|(name, id)| node(&runtime, root.address, name, id).0);
    let (_leaf, log) = node(&runtime, root.address, "leaf", 103);
    let shown = Shown::new();
    runtime.spawn(play(log, shown.clone()));

    let show = |turn: usize| -> (Duration, JoinHandle<ShareEnd>) {
        let (desk, presenter) = (&desks[turn % 2], presenters[turn % 2].clone());
        let state = watch::Sender::new(Sharing::No);
        let options = desk.options();
        let begun = Instant::now();
        let sharing = runtime.spawn(async move { share(&presenter, &options, &state).await });
        let mut seen = shown.generation();
        loop {
            let scene = shown.scene();
            let is_shown = |picture: &treevnc_protocol::framebuffer::Framebuffer| {
                picture.pixels().first() == Some(&desk.colour) && picture.pixels().last() == Some(&desk.colour)
            };
            if scene.picture.as_deref().is_some_and(is_shown) {
                return (begun.elapsed(), sharing);
            }
            assert!(begun.elapsed() < PATIENCE && !sharing.is_finished(), "{} is not shown", desk.name);
            seen = shown.wait_for_change(seen, Duration::from_millis(5));
        }
    };
    // Both once, so that the memory measured afterwards is that of a root that has done it all.
    let mut shares: Vec<_> = (0..2).map(|turn| show(turn).1).collect();
    let before = (resident_bytes(root.process.id()), open_files(root.process.id()));
    let mut times = Vec::new();
    for turn in 0..SWITCHES {
        let (time, share) = show(turn);
        times.push(time);
        shares.push(share);
        // Until those who lag behind the deepest leaf are through, too.
        std::thread::sleep(Duration::from_millis(200));
    }
    let after = (resident_bytes(root.process.id()), open_files(root.process.id()));
    times.sort();
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
    println!("{SWITCHES} switches, 14 nodes, {}x{}: until the first complete frame at depth 3", SIZE.0, SIZE.1);
    println!("median {:?}, p90 {:?}, p99 {:?}, most {:?}", at(50), at(90), at(99), times.last().unwrap());
    println!("root: {} KiB and {} files before, {} KiB and {} after", before.0 / 1024, before.1, after.0 / 1024, after.1);
    drop(nodes);
}
