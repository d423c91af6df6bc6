//! The pointer over a screen on which nothing else changes.

use crate::pictures::{PROGRAMS, shows};
use crate::x::{Screen, have};
use treevnc_protocol::geometry::Size;
use treevnc_screen::capture::Capture;
use treevnc_screen::display::Choice;
use x11rb::protocol::xproto::MOTION_NOTIFY_EVENT;
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::wrapper::ConnectionExt as _;

/// Letters of the cursor font.
const GUMBY: u16 = 56;
const PIRATE: u16 = 88;

#[tokio::test(flavor = "multi_thread")]
async fn the_pointer_shows_wherever_it_goes_and_whatever_it_looks_like() {
    if !have(PROGRAMS) {
        return;
    }
    let size = Size::new(320, 200).unwrap();
    let screen = Screen::new(320, 200, 24);
    screen.noise(size);
    let mut capture = Capture::start_on(Some(&screen.name), Choice::Whole).unwrap();
    shows(&mut capture, "at first", || screen.imported_with_pointer(size.rect())).await;
    for (x, y) in [(10, 10), (64, 64), (66, 65), (0, 0), (319, 199), (319, 0)] {
        screen.warp_pointer(x, y);
        shows(&mut capture, "moved by a program", || screen.imported_with_pointer(size.rect())).await;
        let (x, y) = (320 - x, 200 - y);
        screen.x.xtest_fake_input(MOTION_NOTIFY_EVENT, 0, 0, screen.root, x, y, 0).unwrap();
        screen.x.sync().unwrap();
        shows(&mut capture, "moved by a mouse", || screen.imported_with_pointer(size.rect())).await;
    }
    for glyph in [GUMBY, PIRATE] {
        screen.set_cursor(glyph);
        shows(&mut capture, "another picture", || screen.imported_with_pointer(size.rect())).await;
    }
}
