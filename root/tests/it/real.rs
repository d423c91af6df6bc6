//! The root against TigerVNC's Xvnc and x11vnc with real X programs: the log's picture is the presenter's, byte for byte.

use crate::watching::{PATIENCE, from_the_start, painted, part, server_at, session_over, state_is, until};
use crate::x::{Display, free_port, have, password_file, raw_picture, scratch};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Size;
use treevnc_relay::shared_log::{ReaderKind, SharedLog};
use treevnc_root::presenter::{PresenterState, SessionError, SessionOptions, run};
use treevnc_screen::vnc::Distance;

/// A root's presenter part with a reader that always keeps up; all of it ends with this value.
struct Root {
    log: SharedLog,
    state: watch::Receiver<PresenterState>,
    presenter: JoinHandle<SessionError>,
    reading: JoinHandle<()>,
    /// The picture that was compared last.
    last: Option<Framebuffer>,
}

impl Drop for Root {
    fn drop(&mut self) {
        self.presenter.abort();
        self.reading.abort();
    }
}

fn reading(log: &SharedLog) -> JoinHandle<()> {
    let mut reader = log.reader(ReaderKind::Local, from_the_start(log));
    tokio::spawn(async move {
        loop {
            let batch = reader.next().await;
            reader.sent(&batch);
        }
    })
}

fn root(port: u16, password: Option<&str>) -> Root {
    let part = part();
    let log = part.log().clone();
    let (sender, state) = watch::channel(PresenterState::Connecting);
    let options = server_at(port, password);
    let presenter = tokio::spawn(async move { run(&options, &SessionOptions::default(), &part, &sender).await });
    Root { reading: reading(&log), log, state, presenter, last: None }
}

/// The same over one connection that asks for what is asked for over a network.
async fn distant_root(port: u16) -> Root {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let part = part();
    let log = part.log().clone();
    let (sender, state) = watch::channel(PresenterState::Connecting);
    let presenter = tokio::spawn(async move { session_over(stream, None, Distance::Network, &part, &sender).await });
    Root { reading: reading(&log), log, state, presenter, last: None }
}

/// Waits until the log's picture is what `presenter` answers, asked anew until then, and is not the one it was last time.
async fn equals(root: &mut Root, what: &str, mut presenter: impl AsyncFnMut() -> Option<Framebuffer>) {
    let comparing = async {
        loop {
            let wanted = presenter().await;
            if wanted.is_some() && wanted != root.last && painted(&root.log) == wanted {
                return wanted;
            }
            tokio::task::yield_now().await;
        }
    };
    if let Ok(found) = tokio::time::timeout(PATIENCE, comparing).await {
        root.last = found;
        return;
    }
    let (wanted, shown) = (presenter().await, painted(&root.log));
    let differing = wanted.iter().zip(&shown).map(|(a, b)| a.pixels().iter().zip(b.pixels()).filter(|(a, b)| a != b).count());
    panic!("{what}: {wanted:?} at the presenter, {shown:?} here, {} pixels differ", differing.sum::<usize>());
}

const PROGRAMS: &[&str] = &["Xvnc", "xterm", "xsetroot", "xrandr", "xdotool", "mkfifo"];

#[tokio::test(flavor = "multi_thread")]
async fn xvncs_picture_is_followed_through_text_background_and_resize() {
    if !have(PROGRAMS) {
        return;
    }
    let port = free_port();
    let display = Display::xvnc(port, "1000x700", &["-SecurityTypes", "None"]);
    let mut root = root(port, None);
    let presenter = async || Some(raw_picture(port).await);
    equals(&mut root, "an empty screen", presenter).await;
    let mut terminal = display.terminal("100x40+30+20");
    terminal.fill(1);
    equals(&mut root, "a terminal", presenter).await;
    display.background("orange", "navy");
    terminal.fill(2);
    equals(&mut root, "a terminal on a pattern", presenter).await;
    for (mode, size) in [("1280x720", (1280, 720)), ("800x600", (800, 600))] {
        display.run("xrandr", &["-s", mode]);
        let size = Size::new(size.0, size.1).unwrap();
        until(&root.log, "the new size", |fb| fb.size() == size).await;
        terminal.fill(3);
        equals(&mut root, mode, presenter).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_encodings_of_a_network_give_the_same_picture() {
    if !have(PROGRAMS) {
        return;
    }
    let port = free_port();
    let display = Display::xvnc(port, "1000x700", &["-SecurityTypes", "None"]);
    let mut root = distant_root(port).await;
    let presenter = async || Some(raw_picture(port).await);
    let mut terminal = display.terminal("120x48+30+20");
    for seed in 0..4 {
        display.background(if seed % 2 == 0 { "orange" } else { "green" }, "navy");
        terminal.fill(seed);
        equals(&mut root, "a terminal on a pattern", presenter).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x11vncs_picture_is_the_x_servers() {
    if !have(PROGRAMS) || !have(&["Xvfb", "x11vnc", "import"]) {
        return;
    }
    let display = Display::xvfb("900x600");
    let port = free_port();
    let _x11vnc = display.x11vnc(port);
    let mut terminal = display.terminal("100x40+30+20");
    let mut root = root(port, None);
    for seed in 0..2 {
        display.background("red", if seed % 2 == 0 { "black" } else { "white" });
        terminal.fill(seed);
        equals(&mut root, "a terminal on a pattern", async || display.picture(Size::new(900, 600).unwrap())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presenter_that_is_killed_leaves_its_picture_and_is_followed_when_it_is_back() {
    if !have(PROGRAMS) {
        return;
    }
    let port = free_port();
    let display = Display::xvnc(port, "640x480", &["-SecurityTypes", "None"]);
    display.background("red", "yellow");
    let mut root = root(port, None);
    let presenter = async || Some(raw_picture(port).await);
    equals(&mut root, "before", presenter).await;
    let before = painted(&root.log);
    drop(display);
    state_is(&mut root.state, "lost", |state| matches!(state, PresenterState::Lost { .. })).await;
    assert!(painted(&root.log) == before);
    let display = Display::xvnc(port, "800x600", &["-SecurityTypes", "None"]);
    display.background("blue", "yellow");
    state_is(&mut root.state, "connected", |state| matches!(state, PresenterState::Connected { .. })).await;
    equals(&mut root, "after", presenter).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_password_opens_xvnc() {
    if !have(PROGRAMS) || !have(&["vncpasswd"]) {
        return;
    }
    let port = free_port();
    let file = scratch("passwd");
    password_file(&file, "geheim12");
    let display = Display::xvnc(port, "640x480", &["-SecurityTypes", "VncAuth", "-PasswordFile", file.to_str().unwrap()]);
    for (password, reason) in [(None, "password"), (Some("falsch"), "password")] {
        let mut root = root(port, password);
        let refused = state_is(&mut root.state, "refused", |state| matches!(state, PresenterState::Refused { .. })).await;
        assert!(matches!(&refused, PresenterState::Refused { why } if why.contains(reason)), "{refused:?}");
    }
    let root = root(port, Some("geheim12"));
    until(&root.log, "the picture", |fb| fb.size() == Size::new(640, 480).unwrap()).await;
    drop(display);
    std::fs::remove_file(file).unwrap();
}
