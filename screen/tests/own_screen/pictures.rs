//! Pictures of the whole screen: as an independent program sees them.

use crate::x::{Screen, have};
use std::time::Duration;
use tokio::time::timeout;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_screen::capture::Capture;
use treevnc_screen::display::Choice;

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
    for depth in [24, 16] {
        let size = Size::new(333, 217).unwrap();
        let screen = Screen::new(size.width(), size.height(), depth);
        screen.noise(size);
        let mut capture = Capture::start_on(Some(&screen.name), Choice::Whole).unwrap();
        assert_eq!(capture.size(), size);
        shows(&mut capture, "the first picture", || screen.imported_with_pointer(size.rect())).await;
        screen.fill(Rect::new(30, 40, 100, 5), 0x00ff_ff00);
        shows(&mut capture, "a change", || screen.imported_with_pointer(size.rect())).await;
    }
}
