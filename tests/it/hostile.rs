//! Hostile peers: floods, garbage, ghosts and presenters that lie. Each costs one clear line and its own connection, nothing else.

mod presenter;

use crate::support::desktop::{Desktop, Server};
use crate::support::painter::Painter;
use crate::support::process::{Process, treevnc};
use crate::support::session::{Member, Session};
use crate::support::tools::{Scratch, Turn, have};
use crate::support::viewer::{Viewer, Watcher, greet};
use crate::support::wait::{PATIENCE, pace_until, poll_until};
use presenter::{COLOUR, Lie, Presenter};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use x11rb::protocol::xproto::Rectangle;

const FLOOD: usize = 500;
/// Lines that a flood of connections may cost: some per second, not one per connection.
const FLOOD_LINES: usize = 40;
/// The log has one line per second about refused viewers, so that nobody can fill a disk with it.
const BETWEEN_LINES: Duration = Duration::from_millis(1100);

/// A connection from another address of this machine than the good viewers'.
fn stranger(target: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, 9), 0)).into())?;
    socket.connect_timeout(&target.into(), PATIENCE)?;
    Ok(socket.into())
}

/// Paints new colours; viewers of root and node must show each of them.
struct Life {
    painter: Painter,
    watchers: Vec<Watcher>,
    colour: u32,
}

impl Life {
    fn new(desktop: &Desktop, session: &Session) -> Self {
        let painter = Painter::new(&desktop.display, (100, 100), (200, 200));
        let members = std::iter::once(&session.root).chain(&session.nodes);
        let watchers = members.map(|member| Watcher::new(Viewer::connect(member.address).unwrap(), |_| {})).collect();
        Self { painter, watchers, colour: 0x0020_4060 }
    }

    fn goes_on(&mut self) {
        self.colour += 0x0001_0203;
        self.painter.fill(&[Rectangle { x: 0, y: 0, width: 200, height: 200 }], self.colour);
        for watcher in &self.watchers {
            let shown = || watcher.picture().pixel(200, 200) == self.colour;
            poll_until("a new colour at every viewer", PATIENCE, || shown().then_some(()));
        }
    }
}

#[test]
fn floods_of_connections_do_not_disturb_the_session() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let session = Session::new(&desktop.address(), 1);
    let mut life = Life::new(&desktop, &session);
    life.goes_on();
    for target in [&session.root, &session.nodes[0]] {
        let idle: Vec<_> = (0..FLOOD).map(|_| stranger(target.address)).collect();
        assert!(idle.iter().all(Result::is_ok), "the kernel takes all connections");
        (0..5).for_each(|_| life.goes_on());
        let newcomer = Member::join(session.root.address, "newcomer");
        newcomer.must_show(&desktop.quiet_picture(), &desktop.scratch);
        assert!((1..FLOOD_LINES).contains(&target.complaints("127.0.0.9")), "{}", target.process.said());
    }
    life.goes_on();
}

/// What strangers say, some of them after a viewer's handshake; the answer must be the end of the connection.
fn garbage() -> Vec<(bool, &'static str, Vec<u8>)> {
    let tree = |bytes: &[u8]| [b"TREEVNC 001\n", bytes].concat();
    vec![
        (false, "another protocol", b"GET / HTTP/1.1\r\nHost: lecture\r\n\r\n".to_vec()),
        (false, "noise", (0..200_u8).map(|at| at.wrapping_mul(181) ^ 0x5a).collect()),
        (false, "no version", b"RFB abc.def\n".to_vec()),
        (false, "a frame of 4 GB", tree(&[0xff, 0xff, 0xff, 0xff, 0x01])),
        (false, "WHERE_TO_CONNECT that ends early", tree(&[0, 0, 0, 2, 0x01, 0, 0x80])),
        (false, "WHERE_TO_CONNECT of noise", tree(&[&[0, 0, 0, 40, 0x01][..], &[0xee; 40]].concat())),
        (false, "an update from below", tree(&[&[0, 0, 0, 27, 0x20][..], &[0; 27]].concat())),
        (false, "STATUS from below", tree(&[0, 0, 0, 1, 0x0d, 0])),
        (true, "an unknown message", vec![0x77; 32]),
        (true, "pixels of 7 bits", vec![0, 0, 0, 0, 7, 7, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 2, 0, 0, 0]),
    ]
}

fn must_be_closed(what: &str, mut stream: TcpStream, member: &Member) {
    let from = stream.local_addr().unwrap().to_string();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let end = stream.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
    assert!(!matches!(end, Err(ErrorKind::WouldBlock)), "{what} is not answered by closing\n{}", member.process.said());
    // The end of the connection may be seen here before its line is.
    let is_about = |line: &str| line.contains(&from) && !line.contains("is here");
    let line = member.process.err().wait(PATIENCE, is_about);
    assert!(line.is_some(), "{what} leaves no line\n{}", member.process.said());
    assert_eq!(member.process.err().count(is_about), 1, "{what} is worth one line\n{}", member.process.said());
}

#[test]
fn garbage_ends_its_own_connection_with_one_line() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let start = |args: &[&str], name: &str| Member::started(Process::start(treevnc(["-v"]).args(args)), name);
    let root = start(&["root", "--vnc", &desktop.address(), "--listen", "127.0.0.1:0"], "root");
    let node = start(&["join", &root.address.to_string(), "--headless", "--listen", "127.0.0.1:0"], "node");
    node.place();
    let session = Session { root, nodes: vec![node] };
    let mut life = Life::new(&desktop, &session);
    for (shakes_hands, what, bytes) in garbage() {
        life.goes_on();
        let start = Instant::now();
        let strangers = [&session.root, &session.nodes[0]].map(|member| {
            let mut stream = stranger(member.address).unwrap();
            if shakes_hands {
                greet(member.address, &mut stream).unwrap();
            }
            stream.write_all(&bytes).unwrap();
            (member, stream)
        });
        strangers.into_iter().for_each(|(member, stream)| must_be_closed(what, stream, member));
        pace_until(start + BETWEEN_LINES);
    }
    life.goes_on();
}

#[test]
fn ghosts_that_ask_for_a_place_and_vanish_do_not_keep_others_out() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let root = Member::root(&desktop.address(), "lecture");
    for number in 0..20 {
        let mut stream = stranger(root.address).unwrap();
        let mut greeting = [0; 12];
        stream.read_exact(&mut greeting).unwrap();
        // WHERE_TO_CONNECT of a new node that says it can have children (PROTOCOL.md, test vector), each with its own id.
        stream.write_all(b"TREEVNC 001\n").unwrap();
        stream.write_all(&[0, 0, 0, 20, 1, 0, 0x80 | number, 0x8e, 0x98, 0xa8, 0xc0, 0xe0, 0x80, 0x81, 1]).unwrap();
        stream.write_all(&[0, 0, 1, 0xc0, 0xb8, 2, 3, b'A', b'd', b'a']).unwrap();
    }
    let nodes: Vec<_> = (0..3).map(|number| Member::join(root.address, &format!("real{number}"))).collect();
    nodes.iter().for_each(|node| node.must_show(&desktop.quiet_picture(), &desktop.scratch));
}

#[test]
fn a_presenter_that_lies_costs_one_line_and_is_dialled_again() {
    let _turn = Turn::half();
    let scratch = Scratch::new();
    let lies = [
        Lie::HugeScreen,
        Lie::Truncated,
        Lie::UnknownEncoding,
        Lie::OutsideTheScreen,
        Lie::WrongGreeting,
        Lie::BadZrle,
        Lie::LongName,
    ];
    let sessions: Vec<_> = lies.map(|lie| (lie, Presenter::lying_first(lie))).into();
    let roots: Vec<_> = sessions.iter().map(|(lie, presenter)| (lie, Member::root(&presenter.address(), "lecture"))).collect();
    for (lie, root) in roots {
        root.process
            .err()
            .wait(PATIENCE, |line| line.contains("presenter lost"))
            .unwrap_or_else(|| panic!("{lie:?}\n{}", root.process.said()));
        poll_until("the truth after the lie", PATIENCE, || (root.snapshot(&scratch).pixel(30, 30) == COLOUR).then_some(()));
        assert_eq!(root.complaints("presenter"), 1, "{lie:?}\n{}", root.process.said());
    }
}

#[test]
fn a_lost_presenter_leaves_the_last_picture_and_is_found_again() {
    let _turn = Turn::half();
    let scratch = Scratch::new();
    let presenter = Presenter::honest();
    let root = Member::root(&presenter.address(), "lecture");
    let node = Member::join(root.address, "seat");
    let shows = |member: &Member| member.snapshot(&scratch).pixel(30, 30) == COLOUR;
    poll_until("the picture", PATIENCE, || shows(&node).then_some(()));
    presenter.hang_up();
    root.process.err().wait(PATIENCE, |line| line.contains("presenter lost")).expect("a line about the lost presenter");
    assert!(shows(&root) && shows(&node), "the last picture stays");
    poll_until("another call", Duration::from_secs(10), || (presenter.calls() >= 2).then_some(()));
    assert!(shows(&root) && shows(&node));
}
