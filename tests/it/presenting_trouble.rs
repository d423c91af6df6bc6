//! Presenters in trouble: killed, suspended, resized, without the display that they show, and fifty switches in a row. Whatever happens,
//! everybody ends with the right picture, byte for byte, and nothing is left behind.

use crate::support::desktop::{Desktop, Server};
use crate::support::kernel::{cpu_time, established_to, open_files, resident_bytes, threads};
use crate::support::painter::Painter;
use crate::support::process::{Process, treevnc};
use crate::support::session::{Member, Session};
use crate::support::tools::{Turn, have, run};
use crate::support::viewer::greet;
use crate::support::wait::{PATIENCE, poll_until};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use x11rb::protocol::xproto::Rectangle;

const LECTURER: (u16, u16) = (640, 480);
const STUDENT: (u16, u16) = (800, 600);
/// How long a server may hang before it is given up, and what that takes on a busy machine.
const HANGING: Duration = Duration::from_secs(25);
/// How long a suspended machine may be waited for: 0.6 s, and what that takes on a busy machine.
const SUSPENDED: Duration = Duration::from_secs(8);

/// A lecturer, a student, a root and two nodes; small, so that many processes in a debug build keep up.
struct Lesson {
    // Dropped in this order: those who look before what they look at.
    session: Session,
    painters: [Painter; 2],
    colour: u32,
    lecturer: Desktop,
    student: Desktop,
}

impl Lesson {
    /// `None` where programs are missing.
    fn new() -> Option<Self> {
        if !have(Desktop::programs(Server::Xvnc)) || !have(&["xrandr"]) {
            return None;
        }
        let (lecturer, student) = (desktop(LECTURER), desktop(STUDENT));
        let painter = |desktop: &Desktop| Painter::new(&desktop.display, (40, 40), (300, 200));
        let painters = [painter(&lecturer), painter(&student)];
        let session = session(&lecturer);
        let mut lesson = Self { session, painters, colour: 0x0010_2030, lecturer, student };
        lesson.must_show_lecturer();
        Some(lesson)
    }

    fn share(&self, options: &[&str]) -> Process {
        let (root, vnc) = (self.session.root.address.to_string(), self.student.address());
        let fixed = ["share", &root, "--vnc", &vnc, "--name", "ada", "--listen", "127.0.0.1:0"];
        Process::start(&mut treevnc([&fixed, options].concat()))
    }

    /// A share that everybody sees.
    fn share_live(&mut self, options: &[&str]) -> Process {
        let share = self.share(options);
        must_be_live(&share);
        share
    }

    /// Paints both screens with colours that were not there before.
    fn paint(&mut self) {
        for painter in &self.painters {
            self.colour += 0x0001_0203;
            painter.fill(&[Rectangle { x: 0, y: 0, width: painter.width, height: painter.height }], self.colour);
        }
    }

    fn must_show_lecturer(&mut self) {
        self.paint();
        self.session.must_show(&self.lecturer.picture(), &self.lecturer.scratch);
    }

    fn must_show_student(&mut self) {
        self.paint();
        self.session.must_show(&self.student.picture(), &self.student.scratch);
    }

    /// Waits until nobody presents but the lecturer.
    fn must_end_within(&self, patience: Duration) {
        poll_until("the lecturer to present", patience, || (self.presents() == serde_json::Value::Null).then_some(()));
    }

    /// Waits until nobody presents but the lecturer, and until everybody shows the lecturer's screen.
    fn must_be_back(&mut self) {
        self.must_end_within(HANGING);
        self.must_show_lecturer();
        for member in std::iter::once(&mut self.session.root).chain(&mut self.session.nodes) {
            assert!(member.process.is_running(), "{}", member.process.said());
            assert_eq!(member.process.err().count(|line| line.contains("panicked")), 0, "{}", member.process.said());
        }
    }

    /// CPU time of the root and the nodes so far.
    fn spent(&self) -> Duration {
        std::iter::once(&self.session.root).chain(&self.session.nodes).map(|member| cpu_time(member.process.id())).sum()
    }

    /// Who presents, as the root says.
    fn presents(&self) -> serde_json::Value {
        self.floor(&["show", "--json"])["presents"].clone()
    }

    fn floor(&self, words: &[&str]) -> serde_json::Value {
        let root = self.session.root.address.to_string();
        let mut asking = Process::start(&mut treevnc([&["floor", "--root", &root], words].concat()));
        assert!(asking.end(PATIENCE).success(), "{}", asking.said());
        serde_json::from_str(&asking.out().all().join("\n")).unwrap_or_default()
    }
}

/// A root and two nodes. With one arena for all threads memory says what is held, not how many threads have ever held something.
fn session(lecturer: &Desktop) -> Session {
    let start = |words: &[&str], name: &str| {
        let fixed = ["--listen", "127.0.0.1:0", "--name", name];
        Member::started(Process::start(treevnc([words, &fixed].concat()).env("MALLOC_ARENA_MAX", "1")), name)
    };
    let root = start(&["root", "--vnc", &lecturer.address()], "lecture");
    let address = root.address.to_string();
    let nodes: Vec<_> = ["n1", "n2"].map(|name| start(&["join", &address, "--headless"], name)).into();
    for node in &nodes {
        node.place();
    }
    Session { root, nodes }
}

fn desktop(size: (u16, u16)) -> Desktop {
    Desktop::with_options(Server::Xvnc, size, &[])
}

fn must_be_live(share: &Process) {
    share.line("that it is live", PATIENCE, |line| line.starts_with("live:"));
}

/// Waits until a share has said that it is over and has ended; what it said.
fn over(share: &mut Process, patience: Duration) -> String {
    share.end(patience);
    let said = share.out().all().into_iter().chain(share.err().all());
    said.filter(|line| line.contains("over: ") || line.contains("treevnc: ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_lecturer_returns_when_the_presenters_server_is_killed() {
    let Some(mut lesson) = Lesson::new() else { return };
    let _turn = Turn::half();
    let mut share = lesson.share_live(&[]);
    lesson.must_show_student();
    lesson.student.vnc_process().kill();
    let said = over(&mut share, PATIENCE);
    assert!(!said.is_empty(), "{}", share.said());
    lesson.painters[1] = Painter::new(&lesson.lecturer.display, (400, 300), (50, 50));
    lesson.must_be_back();
}

#[test]
fn the_lecturer_returns_when_the_presenting_node_is_killed() {
    let Some(mut lesson) = Lesson::new() else { return };
    let _turn = Turn::half();
    let mut share = lesson.share_live(&[]);
    lesson.must_show_student();
    share.kill();
    lesson.must_be_back();
    poll_until("the student's server to be left", PATIENCE, || (established_to(lesson.student.vnc.port()) == 0).then_some(()));
    // Whoever comes next is shown.
    let _share = lesson.share_live(&[]);
    lesson.must_show_student();
}

#[test]
fn the_lecturer_returns_when_the_presenters_server_hangs() {
    let Some(mut lesson) = Lesson::new() else { return };
    let _turn = Turn::half();
    let mut share = lesson.share_live(&[]);
    lesson.must_show_student();
    lesson.student.vnc_process().signal("STOP");
    let (begun, spent) = (Instant::now(), lesson.spent());
    let said = over(&mut share, HANGING);
    assert!(lesson.spent() - spent < begun.elapsed() / 10, "waiting costs {:?} of CPU", lesson.spent() - spent);
    lesson.student.vnc_process().signal("CONT");
    assert!(said.contains("over: "), "{said}");
    lesson.must_be_back();
    let _share = lesson.share_live(&[]);
    lesson.must_show_student();
}

#[test]
fn the_lecturer_returns_when_the_presenting_node_is_suspended_and_it_hears_of_it_when_it_wakes() {
    let Some(mut lesson) = Lesson::new() else { return };
    let _turn = Turn::half();
    let mut share = lesson.share_live(&[]);
    lesson.must_show_student();
    share.signal("STOP");
    let begun = Instant::now();
    lesson.must_end_within(SUSPENDED);
    eprintln!("a suspended presenter was given up after {:?}", begun.elapsed());
    lesson.must_be_back();
    share.signal("CONT");
    let said = over(&mut share, PATIENCE);
    assert!(!said.is_empty(), "{}", share.said());
    lesson.must_be_back();
}

#[test]
fn a_presenter_that_dies_while_another_is_shown_is_not_returned_to() {
    let Some(mut lesson) = Lesson::new() else { return };
    let _turn = Turn::half();
    let mut ada = lesson.share_live(&[]);
    lesson.must_show_student();
    let third = desktop((320, 240));
    let root = lesson.session.root.address.to_string();
    let mut bob =
        Process::start(&mut treevnc(["share", &root, "--vnc", &third.address(), "--name", "bob", "--listen", "127.0.0.1:0"]));
    must_be_live(&bob);
    ada.line("that it is paused", PATIENCE, |line| line.starts_with("paused: bob is shown"));
    lesson.student.vnc_process().kill();
    assert!(!over(&mut ada, PATIENCE).is_empty(), "{}", ada.said());
    let painter = Painter::new(&third.display, (10, 10), (100, 100));
    painter.fill(&[Rectangle { x: 0, y: 0, width: 100, height: 100 }], 0x0012_ab34);
    lesson.session.must_show(&third.picture(), &third.scratch);
    lesson.painters[1] = Painter::new(&lesson.lecturer.display, (400, 300), (50, 50));
    bob.signal("TERM");
    assert!(bob.end(PATIENCE).success(), "{}", bob.said());
    lesson.must_be_back();
}

#[test]
fn a_shared_screen_that_is_resized_is_followed() {
    let Some(mut lesson) = Lesson::new() else { return };
    let _turn = Turn::half();
    let mut share = lesson.share_live(&[]);
    for (width, height) in [(1024, 768), (640, 480), STUDENT] {
        lesson.student.resize(width, height);
        lesson.must_show_student();
        let shown = lesson.session.root.snapshot(&lesson.student.scratch);
        assert_eq!((shown.width, shown.height), (width.into(), height.into()));
    }
    share.signal("TERM");
    assert!(share.end(PATIENCE).success(), "{}", share.said());
    lesson.must_be_back();
}

/// Gives Xvnc a second output to the right of the first, as a viewer may ask for it (SetDesktopSize).
fn add_output(desktop: &Desktop, (first, second): (u16, u16), height: u16) {
    let mut stream = TcpStream::connect(desktop.vnc).unwrap();
    greet(desktop.vnc, &mut stream).unwrap();
    let words = |words: &[u16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
    let mut message = [&[251, 0][..], &words(&[first + second, height]), &[2, 0]].concat();
    for (id, x, width) in [(0u32, 0, first), (7, first, second)] {
        message.extend([&id.to_be_bytes()[..], &words(&[x, 0, width, height]), &[0; 4]].concat());
    }
    stream.write_all(&message).unwrap();
    let listed = || run("xrandr", &["-display", &desktop.display]).contains("VNC-1 connected");
    poll_until("the second output", PATIENCE, || listed().then_some(()));
}

#[test]
fn a_share_ends_with_the_display_that_it_shows() {
    let Some(mut lesson) = Lesson::new() else { return };
    let _turn = Turn::half();
    add_output(&lesson.student, (500, 300), 600);
    let second = Painter::new(&lesson.student.display, (500, 0), (300, 600));
    let mut share = lesson.share_live(&["--display", "2"]);
    second.fill(&[Rectangle { x: 0, y: 0, width: 300, height: 600 }], 0x0033_6699);
    let shown = |lesson: &Lesson| lesson.session.nodes[1].snapshot(&lesson.student.scratch);
    poll_until("the second display", PATIENCE, || {
        let shown = shown(&lesson);
        ((shown.width, shown.height, shown.pixel(150, 300)) == (300, 600, 0x0033_6699)).then_some(())
    });
    run("xrandr", &["-display", &lesson.student.display, "--output", "VNC-1", "--off"]);
    let said = over(&mut share, PATIENCE);
    assert!(said.contains("over: ") && said.contains("is not there"), "{said}");
    lesson.must_be_back();
}

/// What a process holds.
#[derive(Debug)]
struct Held {
    files: usize,
    threads: usize,
    bytes: u64,
}

impl Held {
    fn by(member: &Member) -> Self {
        let id = member.process.id();
        Self { files: open_files(id), threads: threads(id), bytes: resident_bytes(id) }
    }
}

const SWITCHES: usize = 50;
/// Switches before the first look: by then everything that is kept on purpose is there.
const WARMING_UP: usize = 10;
/// What memory may grow by in forty switches: a fifth of the student's picture for each.
const GROWTH_BYTES: u64 = 16 << 20;
/// Threads that the runtime keeps for 10 s after they were of use.
const PASSING_THREADS: usize = 20;

#[test]
fn fifty_switches_leave_no_stale_pixel_and_nothing_behind() {
    let Some(mut lesson) = Lesson::new() else { return };
    let _turn = Turn::whole();
    let mut before = Vec::new();
    let everybody = |lesson: &Lesson| std::iter::once(&lesson.session.root).chain(&lesson.session.nodes).map(Held::by).collect();
    let begun = Instant::now();
    for switch in (0..SWITCHES).step_by(2) {
        if switch == WARMING_UP {
            before = everybody(&lesson);
        }
        // Both screens change while they are not shown.
        lesson.paint();
        let mut share = lesson.share_live(&[]);
        lesson.session.must_show(&lesson.student.picture(), &lesson.student.scratch);
        lesson.paint();
        if switch % 4 == 0 {
            share.signal("TERM");
        } else {
            lesson.floor(&["back", "--json"]);
        }
        assert!(share.end(PATIENCE).success(), "{}", share.said());
        lesson.must_end_within(PATIENCE);
        lesson.session.must_show(&lesson.lecturer.picture(), &lesson.lecturer.scratch);
    }
    eprintln!("{SWITCHES} switches in {:?}", begun.elapsed());
    poll_until("the student's server to be left", PATIENCE, || (established_to(lesson.student.vnc.port()) == 0).then_some(()));
    assert_eq!(established_to(lesson.lecturer.vnc.port()), 1);
    assert_eq!(lesson.lecturer.connections_ever(), 1, "the lecturer's server is dialled once");
    for (at, before) in before.iter().enumerate() {
        let look = || Some(everybody(&lesson).swap_remove(at));
        let now = poll_until("files to be closed", PATIENCE, || look().filter(|now: &Held| now.files <= before.files));
        assert!(now.threads <= before.threads + PASSING_THREADS, "{at}: {before:?} {now:?}");
        assert!(now.bytes <= before.bytes + GROWTH_BYTES, "{at}: {before:?} {now:?}");
        eprintln!("{at}: {before:?} {now:?}");
    }
    lesson.must_be_back();
}

#[test]
fn a_picture_that_stops_in_the_middle_does_not_stay() {
    let Some(mut lesson) = Lesson::new() else { return };
    let _turn = Turn::half();
    // A server that lets the node in and never sends a picture.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let vnc = format!("127.0.0.1::{}", listener.local_addr().unwrap().port());
    let silent = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let init = [&[0, 64, 0, 48, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0][..], &[0, 0, 0, 1, b'x']].concat();
        stream.write_all(b"RFB 003.008\n\x01\x01\0\0\0\0").unwrap();
        stream.write_all(&init).unwrap();
        // What the node says, until it hangs up.
        drop(stream.read_to_end(&mut Vec::new()));
    });
    let root = lesson.session.root.address.to_string();
    let options = ["--display", "64x48+0+0", "--name", "ada", "--listen", "127.0.0.1:0"];
    let mut share = Process::start(&mut treevnc([&["share", &root, "--vnc", &vnc][..], &options].concat()));
    share.line("that it is accepted", PATIENCE, |line| line == "accepted");
    lesson.must_show_lecturer();
    let said = over(&mut share, Duration::from_secs(60));
    assert!(said.contains("over: "), "{said}");
    lesson.must_be_back();
    silent.join().unwrap();
}
