//! A capture's life: at rest, when it is dropped, when its X server goes, and where none can be had.

use crate::pictures::{PATIENCE, PROGRAMS, shows};
use crate::x::{Screen, capture_cpu_since, capture_threads, have};
use std::time::Duration;
use tokio::time::timeout;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_screen::capture::{Capture, CaptureError, displays_on};
use treevnc_screen::display::Choice;

/// How long rest is measured, and the most CPU time of it: one percent.
const REST: Duration = Duration::from_secs(3);
const MOST: Duration = Duration::from_millis(30);

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_screen_costs_nothing_here_nor_at_the_x_server() {
    if !have(PROGRAMS) {
        return;
    }
    let size = Size::new(1920, 1080).unwrap();
    let screen = Screen::new(size.width(), size.height(), 24);
    screen.noise(size);
    let mut capture = Capture::start_on(Some(&screen.name), Choice::Whole).unwrap();
    shows(&mut capture, "everything", || screen.imported_with_pointer(size.rect())).await;
    let before = (capture_threads(), screen.server.cpu_time());
    assert!(timeout(REST, capture.changed()).await.is_err(), "a change of nothing");
    let spent = (capture_cpu_since(&before.0), screen.server.cpu_time() - before.1);
    assert!(spent.0 < MOST && spent.1 <= MOST, "{spent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_screen_that_nobody_grabs_costs_nothing() {
    if !have(PROGRAMS) {
        return;
    }
    let screen = Screen::new(640, 480, 24);
    let mut capture = Capture::start_on(Some(&screen.name), Choice::Whole).unwrap();
    capture.grab().await.unwrap();
    let before = capture_threads();
    for round in 0..2000u16 {
        screen.fill(Rect::new(round % 600, round % 400, 40, 40), u32::from(round) << 8);
        screen.warp_pointer(round.cast_signed() % 640, 5);
    }
    let spent = capture_cpu_since(&before);
    assert!(spent < MOST, "{spent:?} for 2000 changes");
    capture.changed().await.unwrap();
    assert_eq!(*capture.grab().await.unwrap().picture, screen.imported_with_pointer(Rect::new(0, 0, 640, 480)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_given_up_grab_has_found_is_not_lost() {
    if !have(PROGRAMS) {
        return;
    }
    let screen = Screen::new(320, 200, 24);
    let rect = Rect::new(0, 0, 320, 200);
    let mut capture = Capture::start_on(Some(&screen.name), Choice::Whole).unwrap();
    capture.grab().await.unwrap();
    screen.fill(Rect::new(70, 70, 10, 10), 0x00ff_0000);
    capture.changed().await.unwrap();
    let server = screen.server.0.id().to_string();
    screen.run("kill", &["-STOP", &server]);
    assert!(timeout(Duration::ZERO, capture.grab()).await.is_err());
    screen.run("kill", &["-CONT", &server]);
    timeout(PATIENCE, capture.changed()).await.unwrap().unwrap();
    let grabbed = capture.grab().await.unwrap();
    assert_eq!((grabbed.picture, grabbed.damage), (&screen.imported_with_pointer(rect), vec![Rect::new(64, 64, 64, 64)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_capture_leaves_no_thread() {
    if !have(PROGRAMS) {
        return;
    }
    let screen = Screen::new(320, 200, 24);
    for grabs in 0..20 {
        let mut capture = Capture::start_on(Some(&screen.name), Choice::Whole).unwrap();
        for _ in 0..grabs % 3 {
            let _ = timeout(Duration::ZERO, capture.grab()).await;
        }
    }
    let ended = async {
        while !capture_threads().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, ended).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_x_server_that_goes_ends_the_capture() {
    if !have(PROGRAMS) {
        return;
    }
    let mut screen = Screen::new(320, 200, 24);
    let [mut waiting, mut grabbing] = [(); 2].map(|()| Capture::start_on(Some(&screen.name), Choice::Whole).unwrap());
    waiting.grab().await.unwrap();
    screen.server.0.kill().unwrap();
    screen.server.0.wait().unwrap();
    let end = timeout(PATIENCE, waiting.changed()).await.unwrap().unwrap_err();
    assert!(matches!(end, CaptureError::Lost(_)), "{end}");
    assert!(timeout(PATIENCE, grabbing.grab()).await.unwrap().is_err());
    assert!(matches!(displays_on(Some(&screen.name)), Err(CaptureError::Connect(_))));
}

#[test]
fn screens_that_cannot_be_captured_are_refused_in_a_line_that_says_what_to_do() {
    if !have(PROGRAMS) {
        return;
    }
    let refusal = |depth, options: &[&str]| {
        let screen = Screen::with_options(320, 200, depth, options);
        Capture::start_on(Some(&screen.name), Choice::Whole).unwrap_err().to_string()
    };
    assert_eq!(refusal(8, &[]), "cannot read a screen of depth 8; run x11vnc, then share that with --vnc");
    assert_eq!(
        refusal(24, &["-extension", "DAMAGE"]),
        "the X server has no DAMAGE extension, which sharing its screen takes; run x11vnc, then share that with --vnc"
    );
}
