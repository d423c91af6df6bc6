//! This machine's own screen, without a VNC server: through the tree as it is, each display alone (a VNC server's, too), and what is said where
//! there is none.

use crate::support::desktop::{Desktop, SIZE, Screen, Server};
use crate::support::kernel::sockets;
use crate::support::painter::Painter;
use crate::support::picture::{Picture, photograph};
use crate::support::process::{Process, treevnc};
use crate::support::session::{Member, Session};
use crate::support::tools::{Scratch, Turn, have, skip};
use crate::support::viewer::{Viewer, Watcher};
use crate::support::wait::{PATIENCE, poll_until};
use std::net::{Ipv4Addr, TcpListener};
use x11rb::protocol::xproto::Rectangle;

const PROGRAMS: &[&str] = &["Xvfb", "xrandr", "setpriv", "ss"];
const NODES: usize = 7;
/// Width of the left one of two displays.
const LEFT: u16 = 800;

#[test]
fn every_node_shows_this_machine_s_own_screen_and_after_a_resize() {
    if !have(PROGRAMS) || !have(&["xterm", "feh"]) {
        return;
    }
    let _turn = Turn::half();
    let (screen, scratch) = (Screen::new(SIZE), Scratch::new());
    let session = Session::below(Member::own(&screen.display, "lecture", &[]), NODES);
    let script =
        "for i in $(seq 500); do printf '\\033[3%dm%05d the quick brown fox\\033[0m\\n' $((i % 8)) $i; done; exec sleep 1000";
    let _terminal = screen.run("xterm", &["-geometry", "100x40+10+10", "-e", "sh", "-c", script]);
    let file = scratch.write("photograph.ppm", photograph(900, 700).to_ppm());
    let _page = screen.run("feh", &["--geometry", "900x700+300+60", file.to_str().unwrap()]);
    poll_until("the page", PATIENCE, || (screen.picture().colours() > 10_000).then_some(()));
    session.must_show(&screen.quiet_with_pointer(), &scratch);
    screen.resize((800, 600));
    session.must_show(&screen.quiet_with_pointer(), &scratch);
    for member in std::iter::once(&session.root).chain(&session.nodes) {
        assert_eq!(member.complaints(""), 0, "{}", member.process.said());
    }
}

#[test]
fn each_display_alone_is_its_part_and_a_change_on_the_other_sends_no_byte() {
    if !have(PROGRAMS) {
        return;
    }
    let _turn = Turn::half();
    let screen = Screen::new(SIZE);
    screen.split(SIZE, LEFT);
    let root = |number: &str| Member::own(&screen.display, "lecture", &["--display", number]);
    each_alone(&screen.display, root, || screen.quiet_with_pointer());
}

#[test]
fn each_display_of_a_vnc_server_alone_is_its_part_and_a_change_on_the_other_sends_no_byte() {
    if !have(Desktop::programs(Server::Xvnc)) || !have(&["xrandr"]) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    desktop.split(SIZE, LEFT);
    let root = |number: &str| Member::root_with(&desktop.address(), "lecture", &["--display", number]);
    each_alone(&desktop.display, root, || desktop.quiet_picture());
}

/// Two displays, each shown by a root of its own with a node and a viewer.
fn each_alone(display: &str, root: impl Fn(&str) -> Member, whole: impl Fn() -> Picture) {
    let (width, height, left) = (usize::from(SIZE.0), usize::from(SIZE.1), usize::from(LEFT));
    let scratch = Scratch::new();
    let painter = Painter::new(display, (0, 0), SIZE);
    let square = |x: i16| [Rectangle { x, y: 200, width: 150, height: 90 }];
    painter.fill(&square(40), 0x00aa_5500);
    painter.fill(&square(1000), 0x0000_55aa);
    let shown = [("1", (0, 0, left, height)), ("2", (left, 0, width - left, height))].map(|(number, part)| {
        let session = Session::below(root(number), 1);
        let viewer = Viewer::connect(session.root.address).unwrap();
        let port = viewer.stream().local_addr().unwrap().port();
        (session, part, Watcher::new(viewer, |_| {}), port)
    });
    let all_show = || {
        let whole = whole();
        for (session, part, viewer, _) in &shown {
            let truth = whole.part(*part);
            session.must_show(&truth, &scratch);
            poll_until("the picture at a viewer", PATIENCE, || viewer.picture().difference(&truth).is_none().then_some(()));
        }
    };
    // An ordinary viewer gets nothing but pictures, so all bytes count.
    let sent = |at: usize| -> u64 {
        let (session, _, _, port) = &shown[at];
        sockets(session.root.process.id()).into_iter().filter(|socket| socket.remote == *port).map(|socket| socket.sent).sum()
    };
    all_show();
    for (painted, other, x) in [(0, 1, 100), (1, 0, 1100)] {
        let before = (sent(painted), sent(other));
        painter.fill(&square(x), 0x0012_3456);
        // When the change has arrived where it belongs, the screen has been quiet for a while, too.
        all_show();
        assert!(sent(painted) > before.0 && before.1 > 0);
        assert_eq!(sent(other), before.1, "bytes for a change on the other display");
    }
}

#[test]
fn a_student_shows_one_display_of_a_machine_without_a_vnc_server_until_it_is_unplugged() {
    if !have(PROGRAMS) {
        return;
    }
    if TcpListener::bind((Ipv4Addr::LOCALHOST, 5900)).is_err() {
        return skip("a server on port 5900 would be shared instead");
    }
    let _turn = Turn::half();
    let (lecturer, student, scratch) = (Screen::new(SIZE), Screen::new((900, 500)), Scratch::new());
    let lecturing = Painter::new(&lecturer.display, (0, 0), SIZE);
    lecturing.fill(&[Rectangle { x: 100, y: 100, width: 300, height: 200 }], 0x0040_8020);
    let drawing = Painter::new(&student.display, (0, 0), (900, 500));
    student.split((900, 500), 600);
    let session = Session::below(Member::own(&lecturer.display, "lecture", &[]), 3);
    session.must_show(&lecturer.quiet_with_pointer(), &scratch);

    let root = session.root.address.to_string();
    let mut command = treevnc(["share", &root, "--listen", "127.0.0.1:0", "--name", "Ada", "--display", "2"]);
    let mut share = Process::start(command.env("DISPLAY", &student.display)).killed_at_once();
    share.line("that it is shown", PATIENCE, |line| line.starts_with("live"));
    let asked = |line: &str| line.contains("asks to share 300x500+600+0");
    assert_eq!(session.root.process.err().count(asked), 1, "{}", session.root.process.said());
    for colour in [0x0080_2040, 0x0020_4080] {
        let everywhere = Rectangle { x: 500, y: 50, width: 300, height: 400 };
        drawing.fill(&[everywhere], colour);
        session.must_show(&student.quiet_with_pointer().part((600, 0, 300, 500)), &scratch);
    }
    student.xrandr("--delmonitor R");
    assert_eq!(share.end(PATIENCE).code(), Some(1), "{}", share.said());
    assert_eq!(share.err().count(|line| line.contains("the display is gone")), 1, "{}", share.said());
    session.must_show(&lecturer.quiet_with_pointer(), &scratch);
}

#[test]
fn an_x_server_that_ends_leaves_the_last_picture_and_a_note() {
    if !have(PROGRAMS) {
        return;
    }
    let _turn = Turn::half();
    let (mut screen, scratch) = (Screen::new(SIZE), Scratch::new());
    let mut session = Session::below(Member::own(&screen.display, "lecture", &[]), 1);
    let truth = screen.quiet_with_pointer();
    session.must_show(&truth, &scratch);
    screen.crash();
    session.root.process.err().wait(PATIENCE, |line| line.contains("WARN") && line.contains("screen")).expect("a warning");
    session.must_show(&truth, &scratch);
    assert!(session.root.process.is_running());
}

#[test]
fn where_no_screen_can_be_captured_one_line_says_what_to_do() {
    let complaint = |display: Option<&str>, wayland: Option<&str>, options: &[&str]| {
        let mut command = treevnc([&["root", "--listen", "127.0.0.1:0"], options].concat());
        for (name, value) in [("DISPLAY", display), ("WAYLAND_DISPLAY", wayland)] {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut root = Process::start(&mut command);
        assert_eq!(root.end(PATIENCE).code(), Some(1), "{}", root.said());
        let lines = root.err().all();
        assert_eq!(lines.len(), 1, "{}", root.said());
        lines[0].clone()
    };
    let says = |line: String, words: &[&str]| assert!(words.iter().all(|word| line.contains(word)), "{line} says {words:?}");
    says(complaint(None, None, &[]), &["DISPLAY", "Xvnc", "--vnc"]);
    says(complaint(None, Some("wayland-0"), &[]), &["Wayland", "wayvnc", "--vnc"]);
    says(complaint(Some(":54321"), None, &[]), &["cannot open this machine's screen"]);
    if have(PROGRAMS) {
        let screen = Screen::new(SIZE);
        says(complaint(Some(&screen.display), None, &["--display", "3"]), &["no display 3", "1: screen 1280x800+0+0"]);
    }
}
