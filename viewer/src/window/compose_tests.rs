//! What is drawn when, and where the layers lie, without a window.

use super::*;
use crate::picture::{Offer, Request, Sharing, Shown};
use crate::window::Zoom;
use crate::window::controls::ControlSize;
use crate::window::state::{Input, Key};
use std::time::Duration;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::tree::message::Policy;

const NOW: Duration = Duration::from_secs(10);

struct Desk {
    shown: Shown,
    state: State,
    composer: Composer,
}

impl Desk {
    fn new(width: i32, height: i32) -> Self {
        let size = ControlSize::percent(100);
        let composer = Composer::new(Painter::new(size));
        let mut state = State::new(size, Zoom::OneToOne, true);
        state.resized(width, height, |text| composer.measure(text));
        Self { shown: Shown::new(), state, composer }
    }

    fn present(&mut self, width: u16, height: u16, colour: u32) {
        let mut picture = Framebuffer::new(Size::new(width, height).unwrap());
        picture.pixels_mut().fill(colour);
        self.shown.present(Arc::new(picture));
        self.state.picture_is(Some((width.into(), height.into())));
    }

    fn draw(&mut self) -> bool {
        self.state.tick(NOW);
        let composer = &self.composer;
        self.state.floor_is(&self.shown.scene().floor, NOW, |text| composer.measure(text));
        self.composer.draw(&self.shown.scene(), &self.state)
    }

    fn tap(&mut self, key: Key) {
        self.state.handle(Input::Key { key, down: true }, NOW);
    }

    fn at(&self, x: usize, y: usize) -> u32 {
        self.composer.pixels()[y * usize::try_from(self.state.look().window.width).unwrap() + x]
    }

    fn count(&self, colour: u32) -> usize {
        self.composer.pixels().iter().filter(|&&pixel| pixel == colour).count()
    }
}

#[test]
fn nothing_is_drawn_twice() {
    let mut desk = Desk::new(640, 480);
    assert!(desk.draw() && !desk.draw());
    desk.present(300, 200, 0x0011_2233);
    assert!(desk.draw() && !desk.draw());
    let pictures = desk.composer.pictures_drawn;
    desk.tap(Key::F8);
    assert!(desk.draw() && !desk.draw());
    desk.shown.set_note(Note::PresenterGone { why: String::new() });
    assert!(desk.draw() && !desk.draw());
    desk.state.handle(Input::Pointer { x: 20, y: 20 }, NOW);
    assert!(desk.draw(), "the button under the pointer lights up");
    assert_eq!(desk.composer.pictures_drawn, pictures, "the picture was left alone");
}

#[test]
fn an_uncovered_picture_is_exact_and_the_rest_is_background() {
    let mut desk = Desk::new(640, 480);
    desk.present(300, 200, 0x0011_2233);
    desk.draw();
    assert_eq!(desk.count(0x0011_2233), 300 * 200);
    let placed = desk.state.look().placement.unwrap().target;
    assert_eq!((desk.at(0, 60), desk.at(639, 479)), (chrome::BACKGROUND, chrome::BACKGROUND));
    assert_eq!(desk.at(placed.x as usize, placed.y as usize), 0x0011_2233);
}

#[test]
fn closing_the_menu_and_a_note_gives_the_picture_back() {
    let mut desk = Desk::new(640, 480);
    desk.present(640, 442, 0x0011_2233);
    desk.draw();
    let plain = desk.composer.pixels().to_vec();
    desk.tap(Key::F8);
    desk.shown.set_note(Note::ConnectionLost { retry: "Trying again.".into() });
    desk.draw();
    assert!(desk.count(0x0011_2233) < 640 * 442 - 20_000);
    desk.tap(Key::Escape);
    desk.shown.set_note(Note::None);
    desk.draw();
    assert!(desk.composer.pixels() == plain);
}

#[test]
fn a_smaller_picture_after_a_larger_one_leaves_no_trace() {
    let mut desk = Desk::new(640, 480);
    desk.present(640, 442, 0x0011_2233);
    desk.draw();
    desk.present(100, 50, 0x0044_5566);
    desk.draw();
    assert_eq!((desk.count(0x0011_2233), desk.count(0x0044_5566)), (0, 100 * 50));
}

#[test]
fn every_window_size_is_filled_whatever_was_there_before() {
    let mut desk = Desk::new(640, 480);
    desk.present(200, 100, 0x0011_2233);
    for (width, height) in [(300, 500), (1, 1), (900, 20), (640, 480), (50, 39)] {
        let composer = &desk.composer;
        desk.state.resized(width, height, |text| composer.measure(text));
        desk.draw();
        let drawn = desk.composer.pixels().to_vec();
        let mut fresh = Desk::new(width, height);
        fresh.present(200, 100, 0x0011_2233);
        fresh.draw();
        assert!(drawn == fresh.composer.pixels(), "{width}x{height}");
    }
}

#[test]
fn before_the_first_picture_the_window_is_never_one_colour() {
    for note in [Note::None, Note::Searching, Note::Connecting { to: "192.0.2.1".into() }, Note::Waiting] {
        let mut desk = Desk::new(640, 480);
        desk.shown.set_note(note);
        desk.draw();
        assert!(desk.count(chrome::BACKGROUND) < 640 * 442 * 9 / 10);
    }
}

#[test]
fn a_live_share_is_framed_and_the_rest_of_the_picture_is_exact() {
    let mut desk = Desk::new(640, 480);
    desk.present(640, 442, 0x0011_2233);
    desk.shown.set_sharing(Sharing::Ready);
    desk.draw();
    assert_eq!(desk.count(0x0011_2233), 640 * 442, "a button alone covers nothing");
    desk.shown.set_sharing(Sharing::Live);
    assert!(desk.draw() && !desk.draw());
    assert_eq!(desk.count(0x0011_2233), 632 * 434);
    desk.shown.set_sharing(Sharing::Ready);
    desk.draw();
    assert_eq!(desk.count(0x0011_2233), 640 * 442);
}

#[test]
fn a_screen_that_shows_itself_comes_to_rest() {
    let mut desk = Desk::new(640, 480);
    desk.present(640, 442, 0x0011_2233);
    desk.shown.set_sharing(Sharing::Live);
    desk.shown.set_mirror(true);
    assert!(desk.draw());
    assert_eq!(desk.count(0x0011_2233), 0);
    for colour in 0..5 {
        desk.present(640, 442, colour);
        assert!(!desk.draw(), "another picture is another picture of this very window");
    }
    desk.shown.set_mirror(false);
    assert!(desk.draw());
    assert_eq!(desk.count(4), 632 * 434, "the newest picture");
}

#[test]
fn every_state_of_presenting_is_another_picture_and_goes_without_a_trace() {
    let mut desk = Desk::new(800, 600);
    desk.present(800, 562, 0x0011_2233);
    desk.draw();
    let plain = desk.composer.pixels().to_vec();
    let request = |number| Request { number, name: "Ada".into(), detail: "all displays".into() };
    let offer = |x| Offer { name: "HDMI-1".into(), rect: Rect::new(x, 0, 1920, 1080), primary: false };
    let states: [&dyn Fn(&Shown); 12] = [
        &|shown| shown.set_sharing(Sharing::Ready),
        &|shown| shown.set_sharing(Sharing::Locked),
        &|shown| shown.set_sharing(Sharing::Preparing),
        &|shown| shown.set_sharing(Sharing::Asking),
        &|shown| shown.set_sharing(Sharing::Starting),
        &|shown| shown.set_sharing(Sharing::Live),
        &|shown| shown.set_sharing(Sharing::Paused { by: "Bob".into() }),
        &|shown| shown.offer_displays([offer(0), offer(1920)]),
        &|shown| shown.set_requests([request(1)]),
        &|shown| shown.set_requests((1..9).map(request)),
        &|shown| shown.set_mirror(true),
        &|shown| {
            shown.set_policy(Policy::Free);
            shown.set_presenting("Ada");
        },
    ];
    let mut seen = vec![plain.clone()];
    for state in states {
        state(&desk.shown);
        assert!(desk.draw() && !desk.draw());
        assert!(!seen.iter().any(|seen| seen == desk.composer.pixels()), "state {} looks like another", seen.len());
        seen.push(desk.composer.pixels().to_vec());
        desk.shown.set_sharing(Sharing::Unavailable);
        desk.shown.close_displays();
        desk.shown.set_requests([]);
        desk.shown.set_mirror(false);
        desk.shown.set_presenting("");
        desk.draw();
        desk.state.tick(NOW + Duration::from_secs(60));
        desk.composer.draw(&desk.shown.scene(), &desk.state);
        assert!(desk.composer.pixels() == plain, "state {} left a trace", seen.len() - 1);
    }
}
