//! Inputs and what becomes of them, without a window.

use super::keyboard::ARROW_STEP;
use super::*;
use crate::window::controls;

const NOW: Duration = Duration::from_secs(100);

fn measure(text: &str) -> i32 {
    7 * i32::try_from(text.len()).unwrap()
}

/// A window of 1000x700 with a larger picture.
fn state() -> State {
    let mut state = State::new(ControlSize::percent(100), Zoom::Fit, true);
    state.resized(1000, 700, measure);
    state.picture_is(Some((1920, 1080)));
    state.tick(NOW);
    state
}

fn one_to_one() -> State {
    let mut state = state();
    assert_eq!(tap(&mut state, Key::Letter('1')), None);
    state
}

fn tap(state: &mut State, key: Key) -> Option<Effect> {
    let effect = state.handle(Input::Key { key, down: true }, NOW);
    assert_eq!(state.handle(Input::Key { key, down: false }, NOW), None);
    effect
}

fn point(state: &mut State, x: i32, y: i32) {
    assert_eq!(state.handle(Input::Pointer { x, y }, NOW), None);
}

fn click(state: &mut State, x: i32, y: i32) -> Option<Effect> {
    point(state, x, y);
    assert_eq!(state.handle(Input::LeftButton { down: true }, NOW), None);
    state.handle(Input::LeftButton { down: false }, NOW)
}

fn centre(spots: &[controls::Spot], command: Command) -> (i32, i32) {
    let area = spots.iter().find(|spot| spot.command == command).unwrap().area;
    (area.x + area.width / 2, area.y + area.height / 2)
}

fn click_bar(state: &mut State, command: Command) -> Option<Effect> {
    let (x, y) = centre(&state.bar().spots.clone(), command);
    click(state, x, y)
}

fn click_menu(state: &mut State, command: Command) -> Option<Effect> {
    let (x, y) = centre(&state.menu().spots.clone(), command);
    click(state, x, y)
}

fn source(state: &State) -> (i32, i32) {
    let source = state.look().placement.unwrap().source;
    (source.x, source.y)
}

#[test]
fn every_button_of_the_bar_and_every_row_of_the_menu_does_its_work() {
    for by_menu in [false, true] {
        let mut state = state();
        let mut ask = |command| {
            if by_menu {
                tap(&mut state, Key::F8);
                let effect = click_menu(&mut state, command);
                assert_eq!(state.look().menu, None, "a choice closes the menu");
                (effect, state.look())
            } else {
                (click_bar(&mut state, command), state.look())
            }
        };
        assert_eq!(ask(Command::OneToOne).1.zoom, Zoom::OneToOne);
        assert_eq!(ask(Command::Fit).1.zoom, Zoom::Fit);
        assert!(!ask(Command::Speed).1.smooth);
        assert!(ask(Command::Quality).1.smooth);
        assert_eq!(ask(Command::FullScreen).0, Some(Effect::FullScreen(true)));
        assert_eq!(ask(Command::Quit).0, Some(Effect::Quit));
    }
}

#[test]
fn a_button_acts_on_release_and_only_on_the_same_button() {
    let mut state = state();
    let spots = state.bar().spots.clone();
    let (quit, speed) = (centre(&spots, Command::Quit), centre(&spots, Command::Speed));
    point(&mut state, quit.0, quit.1);
    state.handle(Input::LeftButton { down: true }, NOW);
    assert_eq!(state.look().pressed, Some(Command::Quit));
    point(&mut state, speed.0, speed.1);
    assert_eq!(state.handle(Input::LeftButton { down: false }, NOW), None);
    assert!(state.look().smooth);
}

#[test]
fn the_menu_opens_by_three_ways_and_closes_by_four() {
    let mut state = state();
    let open = |state: &State| state.look().menu.is_some();
    tap(&mut state, Key::F8);
    assert!(open(&state));
    tap(&mut state, Key::F8);
    assert!(!open(&state));
    state.handle(Input::Key { key: Key::Ctrl, down: true }, NOW);
    state.handle(Input::Key { key: Key::Alt, down: true }, NOW);
    tap(&mut state, Key::Letter('m'));
    assert!(open(&state));
    state.handle(Input::FocusLost, NOW);
    tap(&mut state, Key::Letter('m'));
    assert!(open(&state), "a plain m is no shortcut, and lost focus forgets held keys");
    tap(&mut state, Key::Escape);
    assert!(!open(&state));
    click_bar(&mut state, Command::Menu);
    assert!(open(&state));
    click_bar(&mut state, Command::Menu);
    assert!(!open(&state));
    tap(&mut state, Key::F8);
    click(&mut state, 900, 600);
    assert!(!open(&state), "a click beside it");
}

#[test]
fn the_menu_is_walked_with_arrows_and_the_picture_stays() {
    let mut state = one_to_one();
    tap(&mut state, Key::F8);
    let highlighted = |state: &State| state.look().menu.flatten();
    assert_eq!(tap(&mut state, Key::Enter), None, "nothing is highlighted yet");
    tap(&mut state, Key::Down);
    assert_eq!(highlighted(&state), Some(Command::Fit));
    tap(&mut state, Key::Up);
    assert_eq!(highlighted(&state), Some(Command::Quit));
    tap(&mut state, Key::Up);
    assert_eq!(highlighted(&state), Some(Command::FullScreen));
    assert_eq!(source(&state), (0, 0));
    assert_eq!(tap(&mut state, Key::Enter), Some(Effect::FullScreen(true)));
}

#[test]
fn keys_scroll_and_bump_at_the_edges() {
    let mut state = one_to_one();
    let limit = (1920 - 1000, 1080 - (700 - state.bar().area.height));
    tap(&mut state, Key::Left);
    assert_eq!(source(&state), (0, 0));
    tap(&mut state, Key::Right);
    tap(&mut state, Key::Down);
    assert_eq!(source(&state), (ARROW_STEP, ARROW_STEP));
    tap(&mut state, Key::End);
    assert_eq!(source(&state), limit);
    tap(&mut state, Key::Right);
    tap(&mut state, Key::PageDown);
    assert_eq!(source(&state), limit);
    tap(&mut state, Key::PageUp);
    assert_eq!(source(&state), (limit.0, 0));
    tap(&mut state, Key::Home);
    assert_eq!(source(&state), (0, 0));
}

#[test]
fn dragging_moves_the_picture_with_the_pointer() {
    for button in [(|down| Input::LeftButton { down }) as fn(bool) -> Input, |down| Input::MiddleButton { down }] {
        let mut state = one_to_one();
        point(&mut state, 500, 400);
        state.handle(button(true), NOW);
        point(&mut state, 400, 370);
        assert_eq!(source(&state), (100, 30));
        point(&mut state, 5000, 300);
        assert_eq!(source(&state), (0, 100), "bumps left, beyond the window too");
        state.handle(button(false), NOW);
        point(&mut state, 0, 0);
        assert_eq!(source(&state), (0, 100));
    }
}

#[test]
fn a_drag_does_not_begin_on_the_bar_nor_in_a_fitted_picture() {
    let mut state = one_to_one();
    point(&mut state, 60, 10);
    state.handle(Input::MiddleButton { down: true }, NOW);
    point(&mut state, 10, 5);
    assert_eq!(source(&state), (0, 0));
    let mut fitted = super::tests::state();
    point(&mut fitted, 500, 400);
    fitted.handle(Input::LeftButton { down: true }, NOW);
    point(&mut fitted, 100, 100);
    assert_eq!(source(&fitted), (0, 0));
}

#[test]
fn the_wheel_scrolls_down_and_with_shift_sideways() {
    let mut state = one_to_one();
    state.handle(Input::Wheel { columns: 0.0, rows: -1.0 }, NOW);
    assert_eq!(source(&state), (0, WHEEL_STEP));
    state.handle(Input::Key { key: Key::Shift, down: true }, NOW);
    state.handle(Input::Wheel { columns: 0.0, rows: -2.0 }, NOW);
    assert_eq!(source(&state), (2 * WHEEL_STEP, WHEEL_STEP));
    state.handle(Input::Wheel { columns: f32::NAN, rows: f32::INFINITY }, NOW);
    assert_eq!(source(&state), (0, WHEEL_STEP));
}

#[test]
fn a_smaller_picture_or_larger_window_pulls_the_scroll_back() {
    let mut state = one_to_one();
    tap(&mut state, Key::End);
    state.picture_is(Some((1100, 750)));
    assert_eq!(source(&state), (100, 750 - 662));
    state.resized(1050, 2000, measure);
    assert_eq!(source(&state), (50, 0));
    state.picture_is(None);
    assert_eq!(state.look().placement, None);
}

#[test]
fn in_full_screen_the_picture_has_it_all_and_the_bar_comes_when_called() {
    let mut state = state();
    point(&mut state, 500, 400);
    assert_eq!(tap(&mut state, Key::F11), Some(Effect::FullScreen(true)));
    assert!(!state.look().full_screen, "not before the desktop has done it");
    state.handle(Input::FullScreen(true), NOW);
    state.tick(NOW);
    assert_eq!(state.look().room, Area::new(0, 0, 1000, 700));
    assert!(state.look().bar && state.look().message.is_some(), "it shows itself at first");
    let mut now = NOW + BAR_GREETS;
    state.tick(now);
    assert!(!state.look().bar);
    state.tick(NOW + MESSAGE_STAYS + LETTER_STAYS * 100);
    assert_eq!(state.look().message, None);
    assert_eq!(click_bar(&mut state, Command::Quit), None, "hidden buttons cannot be clicked");
    point(&mut state, 500, 10);
    state.tick(now);
    assert!(!state.look().bar, "only the very top calls it");
    point(&mut state, 500, 0);
    state.tick(now);
    assert!(state.look().bar);
    point(&mut state, 500, 30);
    now += BAR_LINGERS * 3;
    state.tick(now);
    state.tick(now + BAR_LINGERS / 2);
    assert!(state.look().bar, "it stays under the pointer");
    point(&mut state, 500, 400);
    state.tick(now + BAR_LINGERS * 2);
    assert!(!state.look().bar);
    tap(&mut state, Key::F8);
    state.tick(now + BAR_LINGERS * 2);
    assert!(state.look().bar, "the menu brings it");
    tap(&mut state, Key::Escape);
    assert_eq!(tap(&mut state, Key::Escape), Some(Effect::FullScreen(false)));
    state.handle(Input::FullScreen(false), now);
    state.tick(now + Duration::from_secs(60));
    assert!(state.look().bar && state.look().room.y > 0);
}

#[test]
fn control_keys_do_not_trigger_plain_letters() {
    let mut state = state();
    state.handle(Input::Key { key: Key::Ctrl, down: true }, NOW);
    tap(&mut state, Key::Letter('1'));
    tap(&mut state, Key::Letter('s'));
    assert!(state.look().zoom == Zoom::Fit && state.look().smooth);
    assert_eq!(tap(&mut state, Key::Letter('q')), Some(Effect::Quit));
    assert_eq!(tap(&mut state, Key::Escape), None, "Escape does not quit");
}
