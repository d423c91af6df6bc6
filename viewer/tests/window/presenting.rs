//! The buttons, cards and panels of presenting, clicked and typed at.

use crate::screen::{self, Screen, Shot, Window, tools_are_there};
use treevnc_protocol::framebuffer::Framebuffer;

/// Fills of buttons: to go ahead, to wait, to stop what everybody sees, and quiet ones.
const GO: u32 = 0x0027_6B4B;
const WAIT: u32 = 0x0079_5A1E;
const LIVE: u32 = 0x00C8_3434;
const QUIET: u32 = 0x0017_1A20;
/// A display on the panel's map.
const TILE: u32 = 0x0032_4258;

/// The size of the picture here.
const WIDTH: u16 = 800;
const HEIGHT: u16 = 500;

/// A window with a picture.
fn show(screen: &Screen) -> (Window, Framebuffer) {
    let mut window = screen.show(&[]);
    let card = window.card(1, WIDTH, HEIGHT);
    screen.see_exactly("the card", &card);
    (window, card)
}

/// Clicks the uppermost button of a colour, on the tool bar or below it.
fn click(screen: &Screen, what: &str, colour: u32, below_bar: bool) {
    screen.xdotool(&["mousemove", "1", "1"]);
    let at = screen.see(what, |shot| shot.button_of(colour, top(shot, below_bar)?));
    screen.click_at(at);
}

/// Where to look from: the window's tool bar, or below it.
fn top(shot: &Shot, below_bar: bool) -> Option<usize> {
    Some(if below_bar { shot.under_bar()?.1 } else { shot.bar()?.1 })
}

/// How much of the picture's rim has the colour of what is live.
fn framed(shot: &Shot) -> bool {
    let (width, height) = (usize::from(WIDTH), usize::from(HEIGHT));
    let rim = |(left, top): (usize, usize)| {
        (0..height).all(|y| shot.at(left, top + y) == LIVE && shot.at(left + width - 1, top + y) == LIVE)
            && (0..width).all(|x| shot.at(left + x, top) == LIVE && shot.at(left + x, top + height - 1) == LIVE)
    };
    shot.under_bar().is_some_and(rim)
}

#[test]
fn one_button_shares_cancels_and_stops_and_shows_how_it_stands() {
    if !tools_are_there() {
        return;
    }
    let screen = Screen::start(1280, 800, true);
    let (mut window, card) = show(&screen);
    window.tell("sharing ready");
    click(&screen, "the button to share", GO, false);
    assert_eq!(window.asked(), "Share");
    screen.see_exactly("the picture is left alone", &card);
    window.tell("sharing asking");
    click(&screen, "the button to cancel", WAIT, false);
    assert_eq!(window.asked(), "StopSharing");
    window.tell("sharing live");
    screen.see("a frame around the picture", |shot| framed(shot).then_some(()));
    let title = || screen.xdotool(&["getwindowname", &screen.window()]).starts_with("You are sharing");
    assert!(title());
    click(&screen, "the button to stop", LIVE, false);
    assert_eq!(window.asked(), "StopSharing");
    screen.key("ctrl+shift+s");
    assert_eq!(window.asked(), "StopSharing");
    window.tell("sharing ready");
    screen.see_exactly("the picture without its frame", &card);
    screen.see("the button after its pause", |shot| shot.button_of(GO, top(shot, false)?));
    assert!(!title());
}

#[test]
fn a_display_is_chosen_on_the_map_and_the_panel_goes() {
    if !tools_are_there() {
        return;
    }
    let screen = Screen::start(1280, 800, true);
    let (mut window, card) = show(&screen);
    let displays = "displays HDMI-1,0,0,1920,1080,main;DP-2,1920,0,1080,1920";
    // DP-2 is taller than HDMI-1 is, and both begin at the top: the second run of the map's colour in a row is DP-2.
    let second = |shot: &Shot| {
        let (x, y) = shot.button_of(TILE, 0)?;
        let row = (x..shot.width).skip_while(|&x| shot.at(x, y) == TILE).skip_while(|&x| shot.at(x, y) != TILE);
        row.map(|x| (x + 20, y)).next()
    };
    for by_key in [false, true] {
        window.tell(displays);
        screen.xdotool(&["mousemove", "1", "1"]);
        let at = screen.see("two displays", second);
        if by_key {
            screen.key("2")
        } else {
            screen.click_at(at)
        }
        assert_eq!(window.asked(), "ShareDisplay(1)");
        screen.see_exactly("the picture without the panel", &card);
    }
    window.tell(displays);
    screen.see("two displays", second);
    screen.key("0");
    assert_eq!(window.asked(), "ShareAll");
    window.tell(displays);
    screen.see("two displays", second);
    screen.key("Escape");
    assert_eq!(window.asked(), "CloseDisplays");
    screen.see_exactly("the picture without the panel", &card);
}

#[test]
fn at_the_root_cards_are_shown_and_refused_and_the_lecturer_comes_back() {
    if !tools_are_there() {
        return;
    }
    let screen = Screen::start(1280, 800, true);
    let (mut window, card) = show(&screen);
    window.tell("policy ask");
    let calls = |urgently: bool| {
        screen::until("a call for the person, or its end", || (screen.is_urgent() == urgently).then_some(()));
    };
    calls(false);
    window.tell("requests 4,Ada,1920×1080;9,Bob,all displays");
    calls(true);
    click(&screen, "Show on the first card", GO, true);
    assert_eq!(window.asked(), "Approve(4)");
    // A button under the pointer has another colour, and would be missed when the cards are counted.
    screen.xdotool(&["mousemove", "640", "700"]);
    screen.see("two cards", |shot| {
        let first = shot.button_of(GO, top(shot, true)?)?;
        shot.button_of(GO, first.1 + 60).map(drop)
    });
    window.tell("requests 9,Bob,all displays");
    screen.see("one card only", |shot| {
        let first = shot.button_of(GO, top(shot, true)?)?;
        shot.button_of(GO, first.1 + 60).is_none().then_some(())
    });
    click(&screen, "Refuse on the card", QUIET, true);
    assert_eq!(window.asked(), "Refuse(9)");
    screen.key("ctrl+shift+y");
    assert_eq!(window.asked(), "Approve(9)");
    window.tell("requests");
    calls(false);
    window.tell("presenting Ada");
    click(&screen, "the button back to the lecturer", WAIT, false);
    assert_eq!(window.asked(), "BackToLecturer");
    screen.see_exactly("the picture, once the messages have gone", &card);
    for (key, rows) in [("free", 2), ("locked", 4)] {
        screen.key("F8");
        (0..rows).for_each(|_| screen.key("Down"));
        screen.key("Return");
        assert_eq!(window.asked().to_lowercase(), format!("policy({key})"));
    }
}

#[test]
fn a_screen_that_would_show_itself_is_a_small_page_with_a_button_to_stop() {
    if !tools_are_there() {
        return;
    }
    let place = |screen: &Screen| screen.xdotool(&["getwindowgeometry", &screen.window()]);
    for managed in [true, false] {
        let screen = Screen::start(1280, 800, managed);
        let (mut window, card) = show(&screen);
        let before = place(&screen);
        window.tell("sharing live");
        window.tell("mirror on");
        screen::until("a small window", || place(&screen).contains("Geometry: 440x244").then_some(()));
        click(&screen, "the page's button to stop", LIVE, true);
        assert_eq!(window.asked(), "StopSharing");
        window.tell("mirror off");
        window.tell("sharing ready");
        screen.see_exactly("the picture again", &card);
        screen::until("the window where it was", || (place(&screen) == before).then_some(()));
    }
}

#[test]
fn a_full_screen_steps_aside_and_returns() {
    if !tools_are_there() {
        return;
    }
    let screen = Screen::start(1024, 768, true);
    let mut window = screen.show(&["--fullscreen"]);
    let card = window.card(1, 1024, 768);
    screen.xdotool(&["mousemove", "500", "500"]);
    let covers = |shot: &Shot| shot.shows(&card, (0, 0), (0, 0)).then_some(());
    screen.see("the card on the whole screen", covers);
    window.tell("mirror on");
    screen.see("a small page", |shot| (shot.bar()?.0 > 500 && shot.at(200, 200) == 0).then_some(()));
    window.tell("mirror off");
    screen.see("the card on the whole screen again", covers);
}

#[test]
fn in_full_screen_a_live_share_is_seen_without_the_tool_bar() {
    if !tools_are_there() {
        return;
    }
    let screen = Screen::start(1024, 768, true);
    let mut window = screen.show(&["--fullscreen"]);
    let card = window.card(1, 1024, 768);
    screen.xdotool(&["mousemove", "500", "500"]);
    screen.see("the card on the whole screen", |shot| shot.shows(&card, (0, 0), (0, 0)).then_some(()));
    window.tell("sharing live");
    screen.see("a frame and a badge", |shot| {
        let rim = (0..768).all(|y| shot.at(0, y) == LIVE && shot.at(1023, y) == LIVE);
        (rim && shot.button_of(LIVE, 5).is_some_and(|(x, y)| y < 12 && x.abs_diff(512) < 20)).then_some(())
    });
}
