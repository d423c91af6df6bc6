//! Pictures of the whole screen: as an independent program sees them.

use crate::x::{Screen, have};
use std::time::Duration;
use tokio::time::timeout;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_screen::capture::Capture;
use treevnc_screen::display::Choice;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::ConnectionExt as _;

pub const PATIENCE: Duration = Duration::from_secs(30);
pub const PROGRAMS: &[&str] = &["Xvfb", "xrandr", "import"];

/// Grabs whenever something changes until the picture is that one; it may be that already.
pub async fn shows(capture: &mut Capture, what: &str, wanted: impl Fn() -> Framebuffer) {
    let comparing = async {
        while capture.picture().is_none_or(|shown| *shown != wanted()) {
            capture.changed().await.unwrap();
            capture.grab().await.unwrap();
        }
    };
    if timeout(PATIENCE, comparing).await.is_err() {
        let (wanted, shown) = (wanted(), capture.picture());
        let differing = shown.map(|shown| shown.pixels().iter().zip(wanted.pixels()).filter(|(a, b)| a != b).count());
        panic!("{what}: {wanted:?} wanted, {shown:?} captured, {differing:?} pixels differ");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pixel_and_the_pointer_are_as_the_x_server_has_them() {
    if !have(PROGRAMS) {
        return;
    }
    // With shared memory, in the replies, without monitors; other depths.
    for (depth, options) in
        [(24, &[][..]), (24, &["-extension", "MIT-SHM"]), (24, &["-extension", "RANDR"]), (16, &[]), (30, &[])]
    {
        let size = Size::new(333, 217).unwrap();
        let screen = Screen::with_options(size.width(), size.height(), depth, options);
        screen.noise(size);
        let mut capture = Capture::start_on(Some(&screen.name), Choice::Whole).unwrap();
        assert_eq!(capture.size(), size);
        shows(&mut capture, "the first picture", || screen.imported_with_pointer(size.rect())).await;
        screen.fill(Rect::new(30, 40, 100, 5), 0x00ff_ff00);
        shows(&mut capture, "a change", || screen.imported_with_pointer(size.rect())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_show_as_they_are_while_they_draw_move_and_go() {
    if !have(PROGRAMS) || !have(&["xterm", "xdotool", "xsetroot"]) {
        return;
    }
    let size = Size::new(1280, 720).unwrap();
    let screen = Screen::new(size.width(), size.height(), 24);
    screen.x.unmap_window(screen.window).unwrap();
    screen.x.flush().unwrap();
    screen.run("xsetroot", &["-mod", "13", "7", "-fg", "steelblue", "-bg", "wheat"]);
    let mut capture = Capture::start_on(Some(&screen.name), Choice::Whole).unwrap();
    let script =
        "for i in $(seq 300); do printf '\\033[3%dm%05d the quick brown fox\\033[0m\\n' $((i % 8)) $i; done; exec sleep 1000";
    let terminals = [("first", "80x24+200+100"), ("second", "80x24+500+300")]
        .map(|(title, place)| screen.start("xterm", &["-geometry", place, "-title", title, "-e", "sh", "-c", script]));
    for (title, to) in [("first", ["700", "20"]), ("second", ["0", "400"])] {
        let window = String::from_utf8(screen.run("timeout", &["60", "xdotool", "search", "--sync", "--name", title])).unwrap();
        screen.run("xdotool", &[&["windowmove", window.trim()], &to[..]].concat());
        shows(&mut capture, "a terminal has moved", || screen.imported_with_pointer(size.rect())).await;
    }
    drop(terminals);
    shows(&mut capture, "the terminals are gone", || screen.imported_with_pointer(size.rect())).await;
}
