use super::*;

const BUSY: u64 = 2_500_000;
const FAST: Child = Child { received: BUSY, behind: false };
const LAGS: Child = Child { received: BUSY / 20, behind: true };

#[derive(Clone, Copy)]
struct Child {
    received: u64,
    behind: bool,
}

const fn link(number: u64) -> Link {
    Link(number)
}

fn slow(number: u64, alone: bool) -> Vec<Slow> {
    vec![Slow { child: Some(link(number)), alone }]
}

const ITSELF: Slow = Slow { child: None, alone: false };

/// Windows in which the children 1, 2... do this; everything that is said.
fn windows(pace: &mut Pace, count: usize, appended: u64, children: &[Child]) -> Vec<Slow> {
    let child = |(number, child): (u64, &Child)| ChildWindow {
        link: link(number),
        received: child.received,
        behind: child.behind,
        waited: Duration::ZERO,
    };
    let children: Vec<_> = (1..).zip(children).map(child).collect();
    (0..count).flat_map(|_| pace.handle_window(WINDOW, appended, &children)).collect()
}

#[test]
fn a_child_that_lags_beside_a_fast_one_is_slow_after_three_windows_and_is_named_once() {
    let mut pace = Pace::new();
    assert_eq!(windows(&mut pace, 2, BUSY, &[FAST, LAGS]), []);
    assert_eq!(windows(&mut pace, 1, BUSY, &[FAST, LAGS]), slow(2, false));
    assert_eq!(windows(&mut pace, 50, BUSY, &[FAST, LAGS]), []);
}

#[test]
fn it_is_named_again_only_after_ten_fine_windows() {
    for (fine, again) in [(9, vec![]), (10, slow(2, false))] {
        let mut pace = Pace::new();
        windows(&mut pace, 5, BUSY, &[FAST, LAGS]);
        assert_eq!(windows(&mut pace, fine, BUSY, &[FAST, FAST]), []);
        assert_eq!(windows(&mut pace, 5, BUSY, &[FAST, LAGS]), again, "after {fine} windows");
    }
}

#[test]
fn pauses_of_two_windows_are_no_reason() {
    let mut pace = Pace::new();
    for _ in 0..20 {
        assert_eq!(windows(&mut pace, 2, BUSY, &[FAST, LAGS]), []);
        assert_eq!(windows(&mut pace, 1, BUSY, &[FAST, FAST]), []);
    }
}

#[test]
fn a_child_that_gets_three_quarters_or_catches_up_once_does_not_lag() {
    let mut pace = Pace::new();
    let fair = Child { received: BUSY / 4 * 3, behind: true };
    let bursts = Child { received: 0, behind: false };
    assert_eq!(windows(&mut pace, 50, BUSY, &[FAST, fair, bursts]), []);
}

const FALLS_SHORT: Child = Child { received: BUSY / 4, behind: true };

#[test]
fn a_child_that_gets_a_quarter_beside_a_fast_one_is_slow_after_ten_windows_and_is_named_once() {
    let mut pace = Pace::new();
    assert_eq!(windows(&mut pace, 9, BUSY, &[FAST, FALLS_SHORT]), []);
    assert_eq!(windows(&mut pace, 1, BUSY, &[FAST, FALLS_SHORT]), slow(2, false));
    assert_eq!(windows(&mut pace, 50, BUSY, &[FAST, FALLS_SHORT]), []);
    assert_eq!(windows(&mut pace, 1, BUSY, &[FAST, FAST]), []);
    assert_eq!(windows(&mut pace, 20, BUSY, &[FAST, FALLS_SHORT]), [], "one fine window does not make it a new case");
}

#[test]
fn when_all_get_a_quarter_there_is_just_not_enough_for_all() {
    let mut pace = Pace::new();
    assert_eq!(windows(&mut pace, 50, BUSY, &[FALLS_SHORT, FALLS_SHORT]), []);
    let mut alone = Pace::new();
    assert_eq!(windows(&mut alone, 50, BUSY, &[FALLS_SHORT]), []);
}

#[test]
fn quiet_windows_show_nothing() {
    let mut pace = Pace::new();
    let nothing = Child { received: 0, behind: true };
    assert_eq!(windows(&mut pace, 50, WORTH_BYTES - 1, &[FAST, nothing]), []);
    assert_eq!(windows(&mut pace, 2, BUSY, &[FAST, LAGS]), []);
    assert_eq!(windows(&mut pace, 50, WORTH_BYTES - 1, &[FAST, nothing]), []);
    assert_eq!(windows(&mut pace, 1, BUSY, &[FAST, LAGS]), slow(2, false), "it was behind all the time");
    let mut pace = Pace::new();
    windows(&mut pace, 2, BUSY, &[FAST, LAGS]);
    windows(&mut pace, 1, 0, &[FAST, FAST]);
    assert_eq!(windows(&mut pace, 2, BUSY, &[FAST, LAGS]), [], "it has caught up in between");
}

#[test]
fn when_all_children_lag_it_is_the_node_itself() {
    let mut pace = Pace::new();
    assert_eq!(windows(&mut pace, 30, BUSY, &[LAGS, LAGS]), [ITSELF]);
    assert_eq!(windows(&mut pace, 10, BUSY, &[FAST, LAGS]), slow(2, false), "one has recovered, the other not");
    assert_eq!(windows(&mut pace, 5, BUSY, &[LAGS, LAGS]), [ITSELF]);
    let mut staggered = Pace::new();
    windows(&mut staggered, 1, BUSY, &[LAGS, FAST]);
    assert_eq!(windows(&mut staggered, 20, BUSY, &[LAGS, LAGS]), [ITSELF]);
}

#[test]
fn an_only_child_is_named_with_the_doubt() {
    let mut pace = Pace::new();
    assert_eq!(windows(&mut pace, 20, BUSY, &[LAGS]), slow(1, true));
}

#[test]
fn a_sibling_that_has_just_come_and_lags_too_is_no_witness() {
    let mut pace = Pace::new();
    assert_eq!(windows(&mut pace, 2, BUSY, &[LAGS]), []);
    assert_eq!(windows(&mut pace, 1, BUSY, &[LAGS, LAGS]), slow(1, true));
}

#[test]
fn a_link_that_is_gone_is_forgotten_and_a_window_without_us_says_nothing() {
    let mut pace = Pace::new();
    windows(&mut pace, 2, BUSY, &[FAST, LAGS]);
    windows(&mut pace, 1, BUSY, &[FAST]);
    assert_eq!(windows(&mut pace, 2, BUSY, &[FAST, LAGS]), []);
    let lags = ChildWindow { link: link(1), received: 0, behind: true, waited: Duration::ZERO };
    assert!((0..20).all(|_| pace.handle_window(WINDOW * 3, BUSY, &[lags]).is_empty()));
    assert_eq!(pace.children.len(), 1, "no state left of links that are gone");
}

fn room_with(children: u64, waited_ms: u64, appended: u64) -> u8 {
    let mut pace = Pace::new();
    let waited = Duration::from_millis(waited_ms);
    let children: Vec<_> =
        (0..children).map(|number| ChildWindow { link: link(number), received: BUSY, behind: false, waited }).collect();
    for _ in 0..20 {
        assert_eq!(pace.handle_window(WINDOW, appended, &children), []);
    }
    pace.room()
}

#[test]
fn room_is_what_fits_until_writes_wait_half_the_time() {
    for (children, waited_ms, room) in [
        (2, 500, 0),
        (2, 400, 0),
        (2, 250, 2),
        (2, 100, 8),
        (2, 20, 48),
        (2, 0, 48),
        (1, 50, 9),
        (10, 100, 40),
        (10, 0, 62),
        (4, 900, 0),
    ] {
        assert_eq!(room_with(children, waited_ms, BUSY), room, "{children} children, {waited_ms} ms of each second");
    }
    assert_eq!(room_with(2, 0, 100), 2, "an idle line says nothing");
    assert_eq!(room_with(0, 0, BUSY), 2);
}

#[test]
fn room_is_two_before_the_first_window_and_none_beside_a_child_that_lags() {
    let mut pace = Pace::new();
    assert_eq!(pace.room(), 2);
    windows(&mut pace, 5, BUSY, &[FAST, FAST]);
    assert_eq!(pace.room(), 48);
    windows(&mut pace, 1, BUSY, &[FAST, LAGS]);
    assert_eq!(pace.room(), 0);
}
