//! Presenting: what a person asks for by click and key in every state, without a window.

use super::*;
use crate::picture::{Offer, Request};
use crate::window::Zoom;
use crate::window::controls::{ControlSize, Spot, seven_per_letter as measure};
use crate::window::state::Input;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::tree::message::Policy;

/// A window with a picture, and a clock of its own.
struct Desk {
    state: State,
    floor: Floor,
    now: Duration,
}

impl Desk {
    fn new() -> Self {
        let mut state = State::new(ControlSize::percent(100), Zoom::Fit, true);
        state.resized(1000, 700, measure);
        state.picture_is(Some((800, 600)));
        state.tick(SETTLES);
        Self { state, floor: Floor::default(), now: SETTLES }
    }

    fn change(&mut self, change: impl FnOnce(&mut Floor)) {
        change(&mut self.floor);
        self.state.floor_is(&self.floor, self.now, measure);
    }

    /// Changes the floor and waits until every button means what it means.
    fn settle(&mut self, change: impl FnOnce(&mut Floor)) {
        self.change(change);
        self.pass(SETTLES);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.state.tick(self.now);
    }

    fn take(&mut self, input: Input) -> Option<Effect> {
        self.state.handle(input, self.now)
    }

    fn key(&mut self, key: Key) -> Option<Effect> {
        let effect = self.take(Input::Key { key, down: true });
        assert_eq!(self.take(Input::Key { key, down: false }), None);
        effect
    }

    /// A letter with Ctrl and Shift.
    fn chord(&mut self, letter: char) -> Option<Effect> {
        let hold = |desk: &mut Self, down| {
            [Key::Ctrl, Key::Shift].into_iter().for_each(|key| assert_eq!(desk.take(Input::Key { key, down }), None));
        };
        hold(self, true);
        let effect = self.key(Key::Letter(letter));
        hold(self, false);
        effect
    }

    fn click_at(&mut self, (x, y): (i32, i32)) -> Option<Effect> {
        self.take(Input::Pointer { x, y });
        let pressed = self.take(Input::LeftButton { down: true });
        pressed.or(self.take(Input::LeftButton { down: false }))
    }

    /// Clicks a command, wherever it is.
    fn click(&mut self, command: Command) -> Option<Effect> {
        let at = self.place(command).unwrap_or_else(|| panic!("{command:?} is nowhere"));
        self.click_at(at)
    }

    fn place(&self, command: Command) -> Option<(i32, i32)> {
        let panel = self.state.panel().map(|panel| panel.spots.clone()).unwrap_or_default();
        let cards = self.state.cards().cards.iter().flat_map(|card| card.buttons);
        let menu = self.state.menu().spots.iter().copied().filter(|_| self.state.open_menu.is_some());
        let page = self.state.mirror_page().spots.iter().copied().filter(|_| self.state.mirrored());
        let bar = self.state.bar().spots.iter().copied();
        let mut all = panel.into_iter().chain(cards).chain(menu).chain(page).chain(bar);
        all.find(|spot: &Spot| spot.command == command)
            .map(|spot| (spot.area.x + spot.area.width / 2, spot.area.y + spot.area.height / 2))
    }

    fn message(&self) -> Option<String> {
        self.state.look().message.map(|message| message.to_string())
    }
}

fn sends(command: WindowCommand) -> Option<Effect> {
    Some(Effect::Send(command))
}

fn offers(count: u16) -> Arc<[Offer]> {
    (0..count).map(|x| Offer { name: "".into(), rect: Rect::new(x * 800, 0, 800, 600), primary: x == 0 }).collect()
}

fn requests(numbers: &[u32]) -> Arc<[Request]> {
    numbers.iter().map(|&number| Request { number, name: "Ada".into(), detail: "".into() }).collect()
}

#[test]
fn the_button_and_its_key_share_cancel_and_stop_in_one_place() {
    let mut desk = Desk::new();
    assert_eq!((desk.place(Command::Share), desk.chord('s')), (None, None), "unavailable: no button, no key");
    let paused = Sharing::Paused { by: "Bob".into() };
    let mut places = Vec::new();
    for (sharing, command, asked) in [
        (Sharing::Ready, Command::Share, WindowCommand::Share),
        (Sharing::Preparing, Command::CancelSharing, WindowCommand::StopSharing),
        (Sharing::Asking, Command::CancelSharing, WindowCommand::StopSharing),
        (Sharing::Starting, Command::CancelSharing, WindowCommand::StopSharing),
        (Sharing::Live, Command::StopSharing, WindowCommand::StopSharing),
        (paused, Command::StopSharing, WindowCommand::StopSharing),
    ] {
        desk.settle(|floor| floor.sharing = sharing);
        assert_eq!(desk.click(command), sends(asked));
        assert_eq!(desk.chord('s'), sends(asked));
        desk.key(Key::F8);
        assert_eq!(desk.click(command), sends(asked), "in the menu");
        places.push(desk.place(command));
        assert_eq!(desk.key(Key::Letter('s')), None, "a letter alone shares nothing");
    }
    assert!(places.iter().all(|place| *place == places[0]));
}

#[test]
fn a_double_click_does_not_stop_what_it_began_nor_begin_what_it_stopped() {
    let mut desk = Desk::new();
    desk.settle(|floor| floor.sharing = Sharing::Ready);
    assert_eq!(desk.click(Command::Share), sends(WindowCommand::Share));
    desk.change(|floor| floor.sharing = Sharing::Asking);
    assert_eq!((desk.click(Command::CancelSharing), desk.chord('s')), (None, None));
    desk.settle(|floor| floor.sharing = Sharing::Live);
    assert_eq!(desk.click(Command::StopSharing), sends(WindowCommand::StopSharing));
    desk.change(|floor| floor.sharing = Sharing::Ready);
    desk.pass(SETTLES / 2);
    assert_eq!((desk.click(Command::Share), desk.chord('s')), (None, None));
    assert_eq!(desk.state.look().hover, None, "what takes no click does not light up");
    desk.pass(SETTLES);
    assert_eq!(desk.state.look().hover, Some(Command::Share));
}

#[test]
fn where_nobody_may_share_the_button_says_so_and_asks_for_nothing() {
    let mut desk = Desk::new();
    desk.settle(|floor| floor.sharing = Sharing::Locked);
    assert_eq!(desk.click(Command::Share), None);
    assert!(desk.message().is_some_and(|message| message.contains("nobody")));
}

#[test]
fn a_display_is_chosen_by_click_number_and_arrows() {
    let chosen = |choose: fn(&mut Desk) -> Option<Effect>| {
        let mut desk = Desk::new();
        desk.settle(|floor| (floor.sharing, floor.displays) = (Sharing::Ready, offers(3)));
        assert_eq!(desk.state.look().panel, Some(None), "nothing is chosen beforehand");
        let effect = choose(&mut desk);
        (effect, desk.state.look().panel.is_some())
    };
    assert_eq!(chosen(|desk| desk.click(Command::Display(1))), (sends(WindowCommand::ShareDisplay(1)), false));
    assert_eq!(chosen(|desk| desk.click(Command::AllDisplays)), (sends(WindowCommand::ShareAll), false));
    assert_eq!(chosen(|desk| desk.key(Key::Letter('3'))), (sends(WindowCommand::ShareDisplay(2)), false));
    assert_eq!(chosen(|desk| desk.key(Key::Letter('0'))), (sends(WindowCommand::ShareAll), false));
    assert_eq!(chosen(|desk| desk.key(Key::Letter('4'))), (None, true), "there is no fourth");
    assert_eq!(chosen(|desk| desk.key(Key::Enter)), (None, true), "nothing is highlighted");
    let by_arrows = |desk: &mut Desk| {
        [Key::Right, Key::Right, Key::Left].into_iter().for_each(|key| assert_eq!(desk.key(key), None));
        desk.key(Key::Enter)
    };
    assert_eq!(chosen(by_arrows), (sends(WindowCommand::ShareDisplay(0)), false));
    let leaves: [fn(&mut Desk) -> Option<Effect>; 3] =
        [|desk| desk.key(Key::Escape), |desk| desk.click(Command::CloseDisplays), |desk| desk.click_at((3, 690))];
    for leave in leaves {
        assert_eq!(chosen(leave), (sends(WindowCommand::CloseDisplays), false));
    }
}

#[test]
fn the_open_panel_takes_all_keys_and_clicks_but_those_that_quit() {
    let mut desk = Desk::new();
    desk.settle(|floor| (floor.sharing, floor.requests) = (Sharing::Ready, requests(&[1])));
    desk.key(Key::F8);
    let (share, approve) = (desk.place(Command::Share).unwrap(), desk.place(Command::Approve(1)).unwrap());
    desk.settle(|floor| floor.displays = offers(2));
    assert_eq!(desk.state.look().menu, None, "it closes the menu");
    for key in [Key::F8, Key::Letter('f'), Key::Letter('q'), Key::Home] {
        assert_eq!(desk.key(key), None);
    }
    assert!(desk.state.look().menu.is_none() && desk.state.look().panel.is_some());
    desk.take(Input::Pointer { x: approve.0, y: approve.1 });
    assert_eq!(desk.state.look().hover, None);
    assert_eq!(desk.click_at(share), sends(WindowCommand::CloseDisplays), "beside it is cancel");
    desk.change(|floor| floor.displays = offers(0));
    desk.settle(|floor| floor.displays = offers(2));
    desk.take(Input::Key { key: Key::Ctrl, down: true });
    assert_eq!(desk.key(Key::Letter('q')), Some(Effect::Quit));
}

#[test]
fn cards_are_answered_by_click_and_the_first_by_keys() {
    let mut desk = Desk::new();
    desk.settle(|floor| floor.requests = requests(&[7, 9]));
    assert_eq!(desk.click(Command::Approve(9)), sends(WindowCommand::Approve(9)));
    assert_eq!(desk.click(Command::Refuse(7)), sends(WindowCommand::Refuse(7)));
    assert_eq!(desk.chord('y'), sends(WindowCommand::Approve(7)));
    assert_eq!(desk.chord('n'), sends(WindowCommand::Refuse(7)));
    desk.settle(|floor| floor.requests = requests(&[]));
    assert_eq!((desk.chord('y'), desk.chord('n')), (None, None));
}

#[test]
fn a_card_that_moved_under_the_pointer_takes_no_click_meant_for_another() {
    let mut desk = Desk::new();
    desk.settle(|floor| floor.requests = requests(&[1, 2]));
    let first = desk.place(Command::Approve(1)).unwrap();
    desk.take(Input::Pointer { x: first.0, y: first.1 });
    desk.take(Input::LeftButton { down: true });
    desk.change(|floor| floor.requests = requests(&[2]));
    assert_eq!(desk.take(Input::LeftButton { down: false }), None, "between press and release");
    assert_eq!(desk.click_at(first), None, "just before the press");
    desk.pass(SETTLES);
    assert_eq!(desk.click_at(first), sends(WindowCommand::Approve(2)));
    desk.settle(|floor| floor.requests = requests(&[2, 3, 4]));
    desk.change(|floor| floor.requests = requests(&[2, 3, 4, 5]));
    assert_eq!(desk.click_at(first), sends(WindowCommand::Approve(2)), "a fourth has no card and moves none");
}

#[test]
fn the_roots_window_has_the_floors_controls_and_the_way_back() {
    let mut desk = Desk::new();
    desk.settle(|floor| floor.policy = Some(Policy::Ask));
    assert_eq!((desk.place(Command::Back), desk.chord('b')), (None, None), "the lecturer presents");
    for policy in [Policy::Free, Policy::Ask, Policy::Locked] {
        desk.key(Key::F8);
        assert_eq!(desk.click(Command::Policy(policy)), sends(WindowCommand::Policy(policy)));
    }
    desk.settle(|floor| floor.presenter = "Ada".into());
    assert_eq!(desk.message().as_deref(), Some("Ada presents now"));
    assert_eq!(desk.click(Command::Back), sends(WindowCommand::BackToLecturer));
    assert_eq!(desk.chord('b'), sends(WindowCommand::BackToLecturer));
    assert_eq!(desk.chord('s'), None, "it is no share that could be stopped");
    desk.settle(|floor| floor.presenter = "".into());
    assert_eq!(desk.message().as_deref(), Some("The lecturer presents again"));
}

#[test]
fn a_mirrored_picture_gives_way_to_a_page_until_it_is_wanted() {
    let mut desk = Desk::new();
    desk.settle(|floor| (floor.sharing, floor.mirror) = (Sharing::Live, true));
    let shown = |desk: &Desk| (desk.state.look().mirrored, desk.state.look().placement.is_some());
    assert_eq!(shown(&desk), (true, false));
    assert_eq!(desk.click(Command::StopSharing), sends(WindowCommand::StopSharing));
    assert_eq!(desk.click(Command::Mirror), None);
    assert_eq!(shown(&desk), (false, true));
    assert!(desk.state.is_out_of_place(), "now there is a view to change");
    desk.state.resized(1000, 700, measure);
    assert!(desk.place(Command::Fit).is_some() && !desk.state.is_out_of_place());
    desk.key(Key::F8);
    desk.click(Command::Mirror);
    assert_eq!(shown(&desk), (true, false), "the menu takes it back");
    desk.state.resized(1000, 700, measure);
    assert_eq!(desk.place(Command::Fit), None);
    desk.click(Command::Mirror);
    desk.settle(|floor| floor.mirror = false);
    desk.settle(|floor| floor.mirror = true);
    assert_eq!(shown(&desk), (true, false), "the next share begins with the page");
}

#[test]
fn a_passing_message_of_the_program_is_shown_once() {
    let mut desk = Desk::new();
    let said = (3, "refused".into());
    desk.state.hear(Some(&said), desk.now);
    assert_eq!(desk.message().as_deref(), Some("refused"));
    desk.pass(Duration::from_secs(60));
    desk.state.hear(Some(&said), desk.now);
    assert_eq!(desk.message(), None);
}
