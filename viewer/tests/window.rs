//! The real window on a real X server: looked at pixel by pixel, clicked and typed at by xdotool.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop where it stands"
)]

#[path = "../examples/show_picture/card.rs"]
mod card;
#[path = "window/presenting.rs"]
mod presenting;
#[path = "window/screen.rs"]
mod screen;

use screen::{Screen, Shot, example, tools_are_there};
use std::process::Stdio;
use treevnc_protocol::framebuffer::Framebuffer;

/// Buttons of the tool bar after the menu's.
const FIT: usize = 0;
const ONE_TO_ONE: usize = 1;
const QUALITY: usize = 2;
const SPEED: usize = 3;
const FULL_SCREEN: usize = 4;
const QUIT: usize = 5;

/// The fill of the menu and of notes.
const BOX: u32 = 0x0026_2B34;

/// How many pixels of a part of the screen are the fill of menus and notes.
fn boxed(shot: &Shot, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> usize {
    rows.map(|y| columns.clone().filter(|&x| shot.at(x, y) == BOX).count()).sum()
}

/// The mean difference of a channel between the screen's part and a picture scaled to it, in blocks of 16 pixels of the screen:
/// small if the same things are in the same places, however they were scaled.
fn difference(shot: &Shot, place: (usize, usize), size: (usize, usize), picture: &Framebuffer) -> f64 {
    let (width, height) = (usize::from(picture.size().width()), usize::from(picture.size().height()));
    let mean = |sum: &mut dyn Iterator<Item = u32>| {
        let (mut total, mut count) = (0.0, 0.0);
        sum.for_each(|pixel| {
            total += f64::from(pixel >> 8 & 0xFF);
            count += 1.0;
        });
        total / count
    };
    let (mut total, mut count) = (0.0, 0.0);
    for y in (0..size.1 - 16).step_by(16) {
        for x in (0..size.0 - 16).step_by(16) {
            let seen = mean(&mut (0..256).map(|n| shot.at(place.0 + x + n % 16, place.1 + y + n / 16)));
            let columns = x * width / size.0..(x + 16) * width / size.0;
            let rows = y * height / size.1..(y + 16) * height / size.1;
            let meant = mean(&mut rows.flat_map(|y| columns.clone().map(move |x| picture.pixels()[y * width + x])));
            total += (seen - meant).abs();
            count += 1.0;
        }
    }
    total / count
}

#[test]
fn the_window_takes_the_first_pictures_size_and_shows_its_exact_pixels() {
    if !tools_are_there() {
        return;
    }
    for managed in [true, false] {
        let screen = Screen::start(1280, 800, managed);
        let mut window = screen.show(&[]);
        let first = window.card(1, 800, 500);
        screen.see_exactly("the first card", &first);
        let second = window.card(2, 800, 500);
        screen.see_exactly("the second card", &second);
        window.tell("name Lecture 4");
        window.tell("presenter kono");
        screen::until("the title", || {
            (screen.xdotool(&["getwindowname", &screen.window()]) == "Lecture 4 (kono) - TreeVNC").then_some(())
        });
        screen.xdotool(&["windowunmap", "--sync", &screen.window(), "windowmap", &screen.window()]);
        screen.see_exactly("the card after the window was hidden", &second);
    }
}

#[test]
fn one_to_one_scrolls_by_keys_wheel_and_drag_and_fit_shows_all() {
    if !tools_are_there() {
        return;
    }
    let screen = Screen::start(1280, 800, true);
    let mut window = screen.show(&["--one-to-one"]);
    let small = window.card(1, 800, 500);
    screen.see_exactly("the small card", &small);
    let (left, top) = screen.shot().under_bar().expect("a tool bar");
    let card = window.card(2, 1600, 1000);
    let at = |what: &str, x: usize, y: usize| {
        let part = crop(&card, x, y, 800, 500);
        screen.see(what, |shot| shot.shows(&part, (left, top), (0, 0)).then_some(()));
    };
    at("the upper left", 0, 0);
    screen.key("End");
    at("the lower right", 800, 500);
    screen.key("Home");
    at("the upper left again", 0, 0);
    screen.key("Right");
    at("a step to the right", 48, 0);
    screen.xdotool(&["mousemove", &(left + 400).to_string(), &(top + 300).to_string(), "click", "5"]);
    at("a notch down", 48, 72);
    screen.xdotool(&["mousedown", "2"]);
    screen.key("Left");
    at("the button is seen before the next key", 0, 72);
    screen.xdotool(&["mousemove", &(left + 300).to_string(), &(top + 250).to_string()]);
    at("dragged", 100, 122);
    screen.xdotool(&["mouseup", "2"]);

    screen.click_button(FIT);
    screen.see("the whole card", |shot| (difference(shot, (left, top), (800, 500), &card) < 3.0).then_some(()));
    screen.click_button(ONE_TO_ONE);
    at("one to one again, where it was", 100, 122);
}

#[test]
fn quality_and_speed_are_different_scalings_of_the_same_picture() {
    if !tools_are_there() {
        return;
    }
    let screen = Screen::start(1280, 800, true);
    let mut window = screen.show(&[]);
    let first = window.card(0, 800, 500);
    screen.see_exactly("the window's first size", &first);
    let card = window.card(1, 1440, 900);
    let part = |shot: &Shot| shot.under_bar().map(|place| shot.part(place, (800, 500)));
    let seen = |what: &str, other: Option<&Shot>| {
        let mut before = None;
        screen.see(what, |shot| {
            let seen = part(shot)?;
            let another = other.is_none_or(|other| part(other).as_ref() != Some(&seen));
            let still = before.replace(seen.clone()) == Some(seen);
            (another && still && difference(shot, shot.under_bar()?, (800, 500), &card) < 4.0).then(|| shot.clone())
        })
    };
    let smooth = seen("the card, smooth", None);
    screen.click_button(SPEED);
    let fast = seen("the card, nearest pixels", Some(&smooth));
    let greys = |shot: &Shot| {
        let (left, top) = shot.under_bar().expect("a tool bar");
        shot.part((left + 600, top + 62), (106, 174)).into_iter().collect::<std::collections::BTreeSet<_>>().len()
    };
    assert!(greys(&fast) == 2 && greys(&smooth) > 10, "only QUALITY mixes colours: {} and {}", greys(&smooth), greys(&fast));
    screen.click_button(QUALITY);
    screen.see("smooth again", |shot| (part(shot) == part(&smooth)).then_some(()));
}

#[test]
fn the_menu_and_the_notes_come_and_go_and_leave_the_picture_as_it_was() {
    if !tools_are_there() {
        return;
    }
    let screen = Screen::start(1280, 800, true);
    let mut window = screen.show(&[]);
    let card = window.card(1, 900, 600);
    screen.see_exactly("the card", &card);
    let (left, top) = screen.shot().under_bar().expect("a tool bar");
    let menu = |shot: &Shot| boxed(shot, left..left + 300, top..top + 260) > 20_000;
    for keys in ["F8", "ctrl+alt+m"] {
        screen.key(keys);
        screen.see("the menu", |shot| menu(shot).then_some(()));
        screen.key("Escape");
        screen.see_exactly("the card without the menu", &card);
    }
    for order in ["gone", "lost Trying another parent.", "end The root has left."] {
        window.tell(order);
        screen.see("a note at the lower edge", |shot| {
            let note = boxed(shot, left..left + 900, top + 530..top + 600) > 4_000;
            let centre = crop(&card, 0, 0, 900, 500);
            (note && shot.shows(&centre, (left, top), (0, 0))).then_some(())
        });
        if order == "gone" {
            window.tell("live");
            screen.see_exactly("the card without a note", &card);
        }
    }
}

#[test]
fn full_screen_covers_the_screen_with_and_without_a_window_manager() {
    if !tools_are_there() {
        return;
    }
    for managed in [true, false] {
        let screen = Screen::start(1024, 768, managed);
        let mut window = screen.show(&[]);
        let small = window.card(1, 400, 300);
        screen.see_exactly("the window", &small);
        let before = screen.shot().bar();
        let card = window.card(2, 1024, 768);
        screen.click_button(FULL_SCREEN);
        screen.xdotool(&["mousemove", "500", "500"]);
        let covers = |shot: &Shot| shot.shows(&card, (0, 0), (0, 0)).then_some(());
        screen.see("the card on the whole screen", covers);
        screen.xdotool(&["mousemove", "500", "0"]);
        screen.see("the tool bar at the top", |shot| (shot.bar() == Some((0, 0))).then_some(()));
        screen.xdotool(&["mousemove", "500", "400"]);
        screen.see("the tool bar hidden again", covers);
        screen.key("F11");
        window.card(1, 400, 300);
        screen.see("the window where it was", |shot| {
            (shot.bar() == before && shot.shows(&small, shot.under_bar()?, (0, 0))).then_some(())
        });
    }
}

#[test]
fn it_starts_in_full_screen_when_told_to() {
    if !tools_are_there() {
        return;
    }
    for managed in [true, false] {
        let screen = Screen::start(1024, 768, managed);
        let mut window = screen.show(&["--fullscreen"]);
        screen.xdotool(&["mousemove", "500", "500"]);
        let card = window.card(2, 1024, 768);
        screen.see("the card on the whole screen", |shot| shot.shows(&card, (0, 0), (0, 0)).then_some(()));
    }
}

#[test]
fn before_the_first_picture_it_says_which_step_it_is_at() {
    if !tools_are_there() {
        return;
    }
    let screen = Screen::start(1280, 800, true);
    let mut window = screen.show(&[]);
    let mut pages = Vec::new();
    for order in ["searching", "connecting 192.0.2.7", "waiting"] {
        window.tell(order);
        let page = screen.see(order, |shot| {
            let (left, top) = shot.under_bar()?;
            let page = (0..576).map(|y| shot.pixels[(top + y) * shot.width + left..][..1024].to_vec()).collect::<Vec<_>>();
            (boxed(shot, left..left + 1024, top..top + 576) > 60_000 && !pages.contains(&page)).then_some(page)
        });
        pages.push(page);
    }
}

#[test]
fn it_ends_by_key_button_window_manager_and_program() {
    if !tools_are_there() {
        return;
    }
    let screen = Screen::start(1280, 800, true);
    for (number, way) in (0..).zip(["key", "button", "window manager", "program"]) {
        let mut window = screen.show(&[]);
        let card = window.card(number, 800, 500);
        screen.see_exactly(way, &card);
        match way {
            "key" => screen.key("ctrl+q"),
            "button" => screen.click_button(QUIT),
            "window manager" => screen.ask_to_close(),
            _ => window.tell("close"),
        }
        assert!(window.ended(way, &screen).success(), "{way}");
    }
}

#[test]
fn without_a_display_one_line_says_what_to_do() {
    let output =
        example().env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").stdin(Stdio::null()).output().expect("the example starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("--headless"), "{said}");
}

/// A part of a picture.
fn crop(picture: &Framebuffer, x: usize, y: usize, width: u16, height: u16) -> Framebuffer {
    let mut part = Framebuffer::new(treevnc_protocol::geometry::Size::new(width, height).expect("not empty"));
    let stride = usize::from(picture.size().width());
    for (row, line) in part.pixels_mut().chunks_exact_mut(width.into()).enumerate() {
        line.copy_from_slice(&picture.pixels()[(y + row) * stride + x..][..width.into()]);
    }
    part
}
