//! Share screen, Stop, the cards at the root and Back, clicked in real windows: what everybody sees follows.

use crate::support::desk::{Button, Desk, On};
use crate::support::desktop::{Desktop, Screen, Server, free_port, terminal};
use crate::support::kernel::sockets;
use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::session::Member;
use crate::support::tools::{Scratch, Turn, have, skip};
use crate::support::wait::{PATIENCE, poll_until};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

/// The most that heartbeats come to in a second, in bytes; a picture of a changed window is more.
const HEARTBEATS: u64 = 1_500;

const PROGRAMS: &[&str] = &["Xvnc", "ss", "xterm", "xrandr"];

/// A lecturer's and a student's screen behind VNC servers; the root's window and the student's, each on its own display; and somebody
/// who only watches.
struct Room {
    lecturer: Desktop,
    student: Desktop,
    _programs: [Process; 2],
    root_desk: Desk,
    node_desk: Desk,
    _root: Member,
    _node: Member,
    watcher: Member,
}

impl Room {
    fn new() -> Self {
        let desktop = |size| Desktop::with_options(Server::Xvnc, size, &[]);
        let (lecturer, student) = (desktop((640, 480)), desktop((560, 420)));
        let programs = [terminal(&lecturer, "60x24+10+10", 300), terminal(&student, "70x20+5+30", 200)];
        let (root_desk, node_desk) = (Desk::new((1040, 680)), Desk::new((1040, 680)));
        let root = ["root", "--vnc", &lecturer.address(), "--listen", "127.0.0.1:0", "--name", "lecture"];
        let root = Member::started(root_desk.start(&[&root[..], &["--window", "--share", "ask"]].concat()), "lecture");
        let node = ["join", &root.address.to_string(), "--listen", "127.0.0.1:0", "--name", "Ada", "--vnc", &student.address()];
        let node = Member::started(node_desk.start(&node), "Ada");
        let watcher = Member::join(root.address, "watcher");
        Self { lecturer, student, _programs: programs, root_desk, node_desk, _root: root, _node: node, watcher }
    }

    fn everybody_sees(&self, whose: &Desktop) {
        self.watcher.must_show(&whose.quiet_picture(), &whose.scratch);
    }

    /// The student asks by the button, and a card appears.
    fn ask(&self) {
        self.node_desk.click("Share screen", Button::Go, On::Bar);
        self.node_desk.see("Cancel", Button::Wait, On::Bar);
        self.root_desk.see("a card", Button::Go, On::Room);
        self.root_desk.titled("1 request - ");
    }

    fn approve(&self) {
        self.root_desk.click("Show", Button::Go, On::Room);
        self.node_desk.see("Stop sharing", Button::Live, On::Bar);
        self.node_desk.titled("You are sharing - ");
        self.root_desk.see("Back to lecturer", Button::Wait, On::Bar);
        self.everybody_sees(&self.student);
    }
}

#[test]
fn a_student_asks_is_shown_stops_is_refused_and_gives_the_screen_back() {
    if !have(Desk::PROGRAMS) || !have(PROGRAMS) {
        return;
    }
    let _turn = Turn::whole();
    let room = Room::new();
    room.everybody_sees(&room.lecturer);

    room.ask();
    room.everybody_sees(&room.lecturer);
    room.approve();
    room.node_desk.click("Stop sharing", Button::Live, On::Bar);
    room.everybody_sees(&room.lecturer);

    room.ask();
    room.root_desk.click("Refuse", Button::Quiet, On::Room);
    room.node_desk.see("Share screen again", Button::Go, On::Bar);
    room.everybody_sees(&room.lecturer);

    room.ask();
    room.approve();
    room.root_desk.click("Back to lecturer", Button::Wait, On::Bar);
    room.everybody_sees(&room.lecturer);

    // Back, the three policies: the third is "nobody".
    room.node_desk.see("Share screen again", Button::Go, On::Bar);
    room.root_desk.key("F8");
    (0..3).for_each(|_| room.root_desk.key("Down"));
    room.root_desk.key("Return");
    let locked = || room.node_desk.find(Button::Go, On::Bar).is_none().then_some(());
    poll_until("a button that shares nothing", PATIENCE, locked);
    room.root_desk.key("F8");
    (0..2).for_each(|_| room.root_desk.key("Down"));
    room.root_desk.key("Return");

    room.ask();
    room.approve();
    room.node_desk.key("ctrl+q");
    room.everybody_sees(&room.lecturer);
}

#[test]
fn a_window_on_the_screen_it_shows_steps_aside_and_the_screen_comes_to_rest() {
    if !have(Desk::PROGRAMS) || !have(&["xterm", "ss"]) {
        return;
    }
    let _turn = Turn::half();
    let desk = Desk::new((1280, 900));
    let _page = desk.screen.run("xterm", &["-geometry", "80x40+20+20", "-e", "seq 1 500; exec sleep 1000"]);
    let root = ["root", "--window", "--listen", "127.0.0.1:0", "--name", "lecture"];
    let root = Member::started(desk.start(&root), "lecture");
    let watcher = Member::join(root.address, "watcher");
    poll_until("a small window", PATIENCE, || (desk.size_of_window()? == (440, 244)).then_some(()));
    let sent = || sockets(root.process.id()).iter().map(|socket| socket.sent).sum::<u64>();
    poll_until("the first picture at the watcher", PATIENCE, || (sent() > 1_000).then_some(()));
    let (mut before, mut since) = (sent(), Instant::now());
    poll_until("a second in which no picture is sent", PATIENCE, || {
        let now = sent();
        if now > before + HEARTBEATS {
            (before, since) = (now, Instant::now());
        }
        (since.elapsed() > Duration::from_secs(1)).then_some(())
    });
    assert_eq!(watcher.complaints(""), 0);
}

#[test]
fn one_of_two_displays_is_chosen_on_the_map_and_nothing_else_is_shown() {
    if !have(Desk::PROGRAMS) || !have(PROGRAMS) {
        return;
    }
    if TcpStream::connect((Ipv4Addr::LOCALHOST, 5900)).is_ok() {
        return skip("a VNC server listens on this machine's port 5900 and would be shared");
    }
    let _turn = Turn::half();
    let lecturer = Desktop::new(Server::Xvnc);
    let _terminal = terminal(&lecturer, "100x40+10+10", 300);
    let root = Member::root(&lecturer.address(), "lecture");
    let desk = Desk::new((1600, 800));
    desk.command("xrandr", &["--setmonitor", "L", "960/254x800/212+0+0", "screen"]);
    desk.command("xrandr", &["--setmonitor", "R", "640/170x800/212+960+0", "none"]);
    let _page = desk.screen.run("xterm", &["-geometry", "80x40+1000+100", "-bg", "#102040", "-e", "seq 1 500; exec sleep 1000"]);
    let node = desk.start(&["join", &root.address.to_string(), "--listen", "127.0.0.1:0", "--name", "Ada"]);
    let _node = Member::started(node, "Ada");
    let watcher = Member::join(root.address, "watcher");

    desk.click("Share screen", Button::Go, On::Bar);
    let (x, y) = desk.see("the displays", Button::Display, On::Display);
    // The second run of the map's colour in this row is the display on the right.
    let shot = desk.screen.picture();
    let colour = shot.pixel(x, y);
    let right = (x..shot.width).skip_while(|&x| shot.pixel(x, y) == colour).find(|&x| shot.pixel(x, y) == colour);
    desk.click_at(Button::Display, (right.expect("two displays") + 20, y)).expect("the display on the right lights up");
    desk.see("Stop sharing", Button::Live, On::Bar);
    shows_part(&watcher, &desk, (960, 0), (640, 800));
    desk.click("Stop sharing", Button::Live, On::Bar);
    watcher.must_show(&lecturer.quiet_picture(), &lecturer.scratch);
}

#[test]
fn a_server_that_ends_with_its_first_client_can_be_shared() {
    if !have(&["Xvnc", "Xvfb", "x11vnc", "setpriv", "ss", "xterm"]) {
        return;
    }
    let _turn = Turn::half();
    let (lecturer, student) = (Desktop::new(Server::Xvnc), Screen::new((800, 600)));
    let _page = student.run("xterm", &["-geometry", "80x30+20+20", "-bg", "#102040", "-e", "seq 1 500; exec sleep 1000"]);
    let port = free_port().to_string();
    let once = ["-localhost", "-once", "-nocursor", "-nopw", "-norc", "-noipv6", "-no6", "-rfbport", &port];
    let x11vnc = Process::run("x11vnc", &[&once[..], &["-display", student.display()]].concat()).killed_at_once();
    let told = x11vnc.line("its port", PATIENCE, |line| line.starts_with("PORT="));
    let root = Member::root(&lecturer.address(), "lecture");
    let server = format!("127.0.0.1::{}", told.trim_start_matches("PORT="));
    let share = ["share", &root.address.to_string(), "--vnc", &server, "--listen", "127.0.0.1:0", "--name", "Ada"];
    let share = Process::start(&mut treevnc(share));
    share.line("that it is live", PATIENCE, |line| line.starts_with("live"));
    let scratch = Scratch::new();
    let equal = || root.snapshot(&scratch).difference(&student.picture()).is_none().then_some(());
    poll_until("the student's screen", PATIENCE, equal);
}

/// Waits until a node shows that part of a display, pixel by pixel.
fn shows_part(node: &Member, desk: &Desk, (x, y): (usize, usize), (width, height): (usize, usize)) {
    let scratch = Scratch::new();
    let part = || {
        let shot = desk.screen.picture();
        let rows = (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y)));
        Picture::from_pixels(width, height, &rows.map(|(x, y)| shot.pixel(x, y)).collect::<Vec<_>>())
    };
    poll_until("the display alone", PATIENCE, || node.snapshot(&scratch).difference(&part()).is_none().then_some(()));
}
