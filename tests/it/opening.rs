//! `treevnc root --open-port` behind a router that opens ports (a real miniupnpd) and behind one that does not.

use crate::support::desktop::start_xvnc_inside;
use crate::support::home::Home;
use crate::support::painter::Painter;
use crate::support::process::{Process, treevnc};
use crate::support::session::Member;
use crate::support::tools::{Scratch, Turn, have, is_root, skip};
use crate::support::wait::{PATIENCE, poll_until};
use std::process::Command;
use std::time::{Duration, Instant};
use x11rb::protocol::xproto::Rectangle;

const SIZE: (u16, u16) = (640, 480);
const COLOUR: u32 = 0x0010_2030;
/// A root that ends closes the port within 4 s; the rest is for a busy machine.
const CLOSING: Duration = Duration::from_secs(10);
/// A router that has forgotten the port is asked again every 30 s.
const REMEMBERING: Duration = Duration::from_secs(60);

fn is_possible(programs: &[&str]) -> bool {
    if !have(&["Xvnc", "ip", "nft", "setpriv"]) || !have(programs) {
        return false;
    }
    if !is_root() {
        skip("network namespaces need the superuser");
    }
    is_root()
}

/// A root at home with something on its screen.
struct Lecture {
    root: Process,
    _xvnc: Process,
    _painter: Painter,
}

impl Lecture {
    fn begin(home: &Home) -> Self {
        Self::begin_with(home, &["--open-port"])
    }

    fn begin_with(home: &Home, options: &[&str]) -> Self {
        let (display, port, xvnc) = start_xvnc_inside(&home.at_home(), SIZE);
        let painter = Painter::new(&display, (0, 0), SIZE);
        painter.fill(&[Rectangle { x: 20, y: 30, width: 400, height: 300 }], COLOUR);
        let vnc = format!("127.0.0.1::{port}");
        let command = ["root", "--vnc", &vnc, "--name", "physics"];
        let root = home.start_at_home(&treevnc(command.iter().chain(options)));
        Self { root, _xvnc: xvnc, _painter: painter }
    }

    fn must_be_open_at(&self, address: &str, start: &str) {
        let line = format!("{start}open to the world at {address} (join there with: treevnc join {address})");
        self.root.line(&line, REMEMBERING, |said| said == line);
    }

    /// Ends as by Ctrl+C or TERM, in time, and leaves the router closed.
    fn must_close_with(&mut self, signal: &str, home: &Home) {
        assert!(home.is_open());
        let asked = Instant::now();
        self.root.signal(signal);
        assert!(self.root.end(PATIENCE).success(), "{}", self.root.said());
        assert!(asked.elapsed() < CLOSING, "{:?}", asked.elapsed());
        assert!(!home.is_open(), "{}", self.root.said());
    }
}

/// Somebody in the world joins there, and a site joins directly; both see what is shown.
fn must_be_seen_outside(home: &Home, address: &str) {
    for (name, options) in [("remote", &[][..]), ("campus", &["--direct"])] {
        let words = [&["join", address, "--headless", "--listen", "0", "--name", name], options].concat();
        let node = Member::started(home.start_outside(&treevnc(words)).killed_at_once(), name);
        node.place();
        let shown = poll_until("the picture out there", PATIENCE, || {
            let picture = home.snapshot_outside(([127, 0, 0, 1], node.address.port()).into());
            (picture.width == usize::from(SIZE.0) && picture.pixel(200, 200) == COLOUR).then_some(picture)
        });
        assert_eq!(shown.difference(&home.snapshot_at_home(5950)), None);
    }
}

#[test]
fn a_port_opened_by_pcp_lets_the_world_in_and_is_gone_after_the_session() {
    if !is_possible(&["miniupnpd"]) {
        return;
    }
    let _turn = Turn::half();
    let home = Home::new();
    let _daemon = home.open_ports(false);
    let mut lecture = Lecture::begin(&home);
    lecture.must_be_open_at("5.9.0.1:5950", "");
    must_be_seen_outside(&home, "5.9.0.1:5950");
    lecture.must_close_with("TERM", &home);
}

#[test]
fn a_port_opened_by_upnp_lets_the_world_in_and_is_gone_after_the_session() {
    if !is_possible(&["miniupnpd"]) {
        return;
    }
    let _turn = Turn::half();
    let home = Home::new();
    let _daemon = home.open_ports(true);
    let mut lecture = Lecture::begin(&home);
    lecture.must_be_open_at("5.9.0.1:5950", "");
    must_be_seen_outside(&home, "5.9.0.1:5950");
    lecture.must_close_with("INT", &home);
}

#[test]
fn a_router_that_comes_back_with_another_address_is_asked_again_and_the_address_told() {
    if !is_possible(&["miniupnpd"]) {
        return;
    }
    let _turn = Turn::half();
    let home = Home::new();
    let daemon = home.open_ports(true);
    let mut lecture = Lecture::begin(&home);
    lecture.must_be_open_at("5.9.0.1:5950", "");
    drop(daemon);
    home.forget_ports();
    assert!(!home.is_open());
    home.change_address("5.9.0.1", "5.9.0.7");
    let _daemon = home.open_ports(true);
    lecture.must_be_open_at("5.9.0.7:5950", "the router's address has changed: ");
    must_be_seen_outside(&home, "5.9.0.7:5950");
    lecture.must_close_with("TERM", &home);
}

#[test]
fn a_port_opened_by_nat_pmp_alone_lets_the_world_in_and_is_gone_after_the_session() {
    if !is_possible(&["miniupnpd"]) {
        return;
    }
    let _turn = Turn::half();
    let home = Home::new();
    home.lose_pcp();
    let _daemon = home.open_ports(false);
    let mut lecture = Lecture::begin(&home);
    lecture.must_be_open_at("5.9.0.1:5950", "");
    must_be_seen_outside(&home, "5.9.0.1:5950");
    lecture.must_close_with("TERM", &home);
}

/// What is said of a router that opens nothing, once; meanwhile the session works, and it ends in time.
fn must_tell_what_to_forward(home: &Home) {
    let mut lecture = Lecture::begin(home);
    let is_line = |line: &str| line.starts_with("treevnc: the router opens no port (");
    let line = lecture.root.err().wait(PATIENCE, is_line).unwrap_or_else(|| panic!("{}", lecture.root.said()));
    assert!(line.contains("forward TCP port 5950 to 192.168.7.2:5950 in the router's settings"), "{line}");
    assert!(line.chars().all(|c| !c.is_control()) && line.len() < 800, "{line:?}");
    poll_until("the picture at home", PATIENCE, || (home.snapshot_at_home(5950).pixel(200, 200) == COLOUR).then_some(()));
    let asked = Instant::now();
    lecture.root.signal("TERM");
    assert!(lecture.root.end(PATIENCE).success(), "{}", lecture.root.said());
    assert!(asked.elapsed() < CLOSING, "{:?}", asked.elapsed());
    assert_eq!(lecture.root.err().count(is_line), 1);
    assert_eq!(lecture.root.out().count(|line| line.contains("open to the world")), 0);
}

#[test]
fn behind_a_router_that_opens_nothing_a_line_says_what_to_forward_and_the_session_goes_on() {
    if is_possible(&[]) {
        let _turn = Turn::half();
        must_tell_what_to_forward(&Home::new());
    }
}

#[test]
fn behind_a_router_that_never_answers_a_line_says_so_and_the_session_ends_in_time() {
    if is_possible(&[]) {
        let _turn = Turn::half();
        let home = Home::new();
        home.lose_all();
        must_tell_what_to_forward(&home);
    }
}

#[test]
fn a_hostile_router_gets_neither_a_port_nor_the_session() {
    if !is_possible(&["python3"]) {
        return;
    }
    let _turn = Turn::half();
    let home = Home::new();
    let program = Scratch::new();
    let program = program.write("router.py", include_str!("opening/hostile_router.py"));
    let mut command = Command::new("python3");
    command.arg(program);
    let router = home.start_on_router(&command).killed_at_once();
    router.line("that it is ready", PATIENCE, |line| line == "ready");
    must_tell_what_to_forward(&home);
    for asked in ["pcp", "nat-pmp", "search", "page"] {
        assert!(router.out().count(|line| line == asked) > 0, "never asked for {asked}: {}", router.said());
    }
}

#[test]
fn a_root_that_asks_no_router_says_in_one_line_what_people_elsewhere_need() {
    if !is_possible(&[]) {
        return;
    }
    let _turn = Turn::half();
    let home = Home::new();
    let lecture = Lecture::begin_with(&home, &[]);
    let is_line = |line: &str| line.contains("forward TCP port 5950 to 192.168.7.2:5950") && line.contains("--open-port");
    lecture.root.line("what people elsewhere need", PATIENCE, is_line);
    assert!(!home.is_open());
}
