//! Displays: each alone, followed when they change, and nothing of the others.

use crate::pictures::{PATIENCE, PROGRAMS, shows};
use crate::x::{Screen, have};
use std::time::Duration;
use tokio::time::timeout;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_screen::capture::{Capture, CaptureError, displays_on};
use treevnc_screen::display::Choice;

const LEFT: Rect = Rect::new(0, 0, 400, 300);
const RIGHT: Rect = Rect::new(400, 0, 240, 300);

fn two_monitors() -> (Screen, Size) {
    let size = Size::new(640, 300).unwrap();
    let screen = Screen::new(size.width(), size.height(), 24);
    screen.split(size, LEFT.width);
    screen.noise(size);
    (screen, size)
}

fn start(screen: &Screen, choice: Choice) -> Capture {
    Capture::start_on(Some(&screen.name), choice).unwrap()
}

/// Nothing is told although it would have come by now: a later change elsewhere has.
async fn is_silent(capture: &mut Capture, other: &mut Capture) {
    timeout(PATIENCE, other.changed()).await.unwrap().unwrap();
    other.grab().await.unwrap();
    assert!(timeout(Duration::from_millis(400), capture.changed()).await.is_err(), "a change of nothing was told");
}

#[tokio::test(flavor = "multi_thread")]
async fn monitors_are_listed_in_the_servers_order() {
    if !have(PROGRAMS) {
        return;
    }
    let (screen, _) = two_monitors();
    let displays = displays_on(Some(&screen.name)).unwrap();
    let known: Vec<_> = displays.iter().map(|display| (display.name.as_str(), display.rect)).collect();
    assert_eq!(known, [("L", LEFT), ("R", RIGHT)]);
    assert_ne!(displays[0].id, displays[1].id);
    let refused = Capture::start_on(Some(&screen.name), Choice::Number(3)).unwrap_err();
    assert_eq!(refused.to_string(), "this machine has no display 3; it has 1: L 400x300+0+0, 2: R 240x300+400+0");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_display_alone_is_its_part_of_the_screen_and_changes_on_the_other_give_nothing() {
    if !have(PROGRAMS) {
        return;
    }
    let (screen, _) = two_monitors();
    let (mut left, mut right) = (start(&screen, Choice::Number(1)), start(&screen, Choice::Number(2)));
    shows(&mut left, "the left display", || screen.imported_with_pointer(LEFT)).await;
    shows(&mut right, "the right display", || screen.imported_with_pointer(RIGHT)).await;
    screen.fill(Rect::new(500, 50, 80, 60), 0x0080_4020);
    is_silent(&mut left, &mut right).await;
    assert_eq!(*right.picture().unwrap(), screen.imported_with_pointer(RIGHT));
    screen.fill(Rect::new(0, 0, 40, 300), 0x0000_00ff);
    is_silent(&mut right, &mut left).await;
    screen.warp_pointer(500, 100);
    shows(&mut right, "the pointer comes", || screen.imported_with_pointer(RIGHT)).await;
    shows(&mut left, "the pointer is gone", || screen.imported(LEFT)).await;
    screen.fill(Rect::new(300, 20, 200, 20), 0x00ff_00ff);
    shows(&mut left, "a change on both, left", || screen.imported_with_pointer(LEFT)).await;
    shows(&mut right, "a change on both, right", || screen.imported_with_pointer(RIGHT)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_area_is_the_part_of_it_that_is_on_the_screen() {
    if !have(PROGRAMS) {
        return;
    }
    let (screen, _) = two_monitors();
    let mut capture = start(&screen, Choice::Area(Rect::new(350, 200, 500, 500)));
    assert_eq!(capture.size(), Size::new(290, 100).unwrap());
    shows(&mut capture, "the area", || screen.imported_with_pointer(Rect::new(350, 200, 290, 100))).await;
    assert!(Capture::start_on(Some(&screen.name), Choice::Area(Rect::new(640, 0, 10, 10))).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_that_moves_or_changes_its_size_is_followed() {
    if !have(PROGRAMS) {
        return;
    }
    let (screen, size) = two_monitors();
    let mut capture = start(&screen, Choice::Number(2));
    shows(&mut capture, "the right display", || screen.imported_with_pointer(RIGHT)).await;
    let moved = Rect::new(100, 0, 540, 300);
    screen.split(size, 100);
    shows(&mut capture, "wider", || screen.imported_with_pointer(moved)).await;
    assert_eq!(capture.size(), Size::new(540, 300).unwrap());
    screen.fill(Rect::new(110, 10, 30, 30), 0x00ff_0000);
    shows(&mut capture, "a change where it is now", || screen.imported_with_pointer(moved)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_that_is_removed_ends_its_capture_and_no_other() {
    if !have(PROGRAMS) {
        return;
    }
    let (screen, size) = two_monitors();
    let (mut right, mut whole) = (start(&screen, Choice::Number(2)), start(&screen, Choice::Whole));
    shows(&mut right, "the right display", || screen.imported_with_pointer(RIGHT)).await;
    shows(&mut whole, "everything", || screen.imported_with_pointer(size.rect())).await;
    screen.run("xrandr", &["--delmonitor", "R"]);
    // A grab while the display is away waits for its end, too.
    assert_eq!(timeout(PATIENCE, right.grab()).await.unwrap().unwrap_err(), CaptureError::DisplayGone);
    assert_eq!(right.changed().await, Err(CaptureError::DisplayGone));
    assert_eq!(right.grab().await.unwrap_err(), CaptureError::DisplayGone);
    screen.fill(Rect::new(500, 50, 80, 60), 0x0080_4020);
    shows(&mut whole, "everything goes on", || screen.imported_with_pointer(size.rect())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_that_is_back_soon_goes_on() {
    if !have(PROGRAMS) {
        return;
    }
    let (screen, size) = two_monitors();
    let mut capture = start(&screen, Choice::Number(2));
    shows(&mut capture, "the right display", || screen.imported_with_pointer(RIGHT)).await;
    screen.run("xrandr", &["--delmonitor", "R"]);
    screen.split(size, LEFT.width);
    screen.fill(Rect::new(500, 50, 80, 60), 0x0080_4020);
    shows(&mut capture, "it is back", || screen.imported_with_pointer(RIGHT)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_is_followed_when_it_becomes_smaller_and_larger() {
    if !have(PROGRAMS) {
        return;
    }
    let screen = Screen::new(640, 480, 24);
    screen.noise(Size::new(640, 480).unwrap());
    let mut capture = start(&screen, Choice::Whole);
    let mode = ["320x200", "0", "320", "320", "320", "320", "200", "200", "200", "200"];
    screen.run("xrandr", &[&["--newmode"], &mode[..]].concat());
    screen.run("xrandr", &["--addmode", "screen", "320x200"]);
    for (mode, rect) in [("320x200", Rect::new(0, 0, 320, 200)), ("640x480", Rect::new(0, 0, 640, 480))] {
        screen.run("xrandr", &["--output", "screen", "--mode", mode]);
        shows(&mut capture, mode, || screen.imported_with_pointer(rect)).await;
    }
}
