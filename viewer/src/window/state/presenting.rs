//! Presenting: the button for it, the panel of displays, the cards of those who ask, and the page in place of a mirrored picture.
//! INVARIANT: whatever has just changed its meaning or its place under the pointer takes no click for [`SETTLES`], so that the second
//! half of a double click never stops what the first began, and nobody is shown for a click that was meant for somebody else.

use super::keyboard::stepped;
use super::{Command, Effect, Key, State};
use crate::picture::{Floor, Sharing};
use crate::window::WindowCommand;
use crate::window::controls::{self, Cards, Extras, MirrorPage, Offered, Panel};
use crate::window::layout::Area;
use std::sync::Arc;
use std::time::Duration;

/// How long what has changed under the pointer takes no click.
pub(super) const SETTLES: Duration = Duration::from_millis(500);

/// What the window knows of presenting, and where its parts are.
#[derive(Debug, Default)]
pub(super) struct Presenting {
    pub(super) now: Duration,
    pub(super) floor: Floor,
    pub(super) cards: Cards,
    /// The panel while it is open.
    pub(super) panel: Option<Panel>,
    highlight: Option<Command>,
    page: MirrorPage,
    /// Whether the person wants the picture although it mirrors the window.
    unmirrored: bool,
    /// Whether the controls are where they are for the page.
    page_is_laid_out: bool,
    button_settles: Duration,
    cards_settle: Duration,
    heard: u64,
}

impl State {
    /// Who presents, who may and who asks is this now; `measure` gives the width of a text of the controls.
    pub(crate) fn floor_is(&mut self, floor: &Floor, now: Duration, measure: impl Fn(&str) -> i32) {
        if self.presenting.floor == *floor {
            return;
        }
        let before = std::mem::replace(&mut self.presenting.floor, floor.clone());
        if controls::presenting(&before) != controls::presenting(floor) {
            self.presenting.button_settles = now + SETTLES;
        }
        self.presenting.unmirrored &= before.mirror;
        if before.displays != floor.displays {
            self.presenting.highlight = None;
            self.open_menu = None;
            (self.pressed, self.dragging) = (None, false);
        }
        if before.presenter != floor.presenter && !matches!(floor.sharing, Sharing::Live | Sharing::Paused { .. }) {
            match &*floor.presenter {
                "" => self.say("The lecturer presents again", now),
                name => self.say(format!("{name} presents now"), now),
            }
        }
        let cards = self.presenting.cards.clone();
        self.lay_out(measure);
        if self.presenting.cards.cards != cards.cards {
            self.presenting.cards_settle = now + SETTLES;
        }
        self.scroll_by(0, 0);
    }

    /// Shows the program's newest passing message, once.
    pub(crate) fn hear(&mut self, said: Option<&(u64, Arc<str>)>, now: Duration) {
        if let Some((number, message)) = said.filter(|(number, _)| *number > self.presenting.heard) {
            self.presenting.heard = *number;
            self.say(message.to_string(), now);
        }
    }

    /// The cards' places.
    pub(crate) fn cards(&self) -> &Cards {
        &self.presenting.cards
    }

    /// The open panel's places.
    pub(crate) fn panel(&self) -> Option<&Panel> {
        self.presenting.panel.as_ref()
    }

    /// The places of the page that takes a mirrored picture's place.
    pub(crate) fn mirror_page(&self) -> &MirrorPage {
        &self.presenting.page
    }

    /// Whether the page takes the picture's place.
    pub(super) fn mirrored(&self) -> bool {
        self.presenting.floor.mirror && !self.presenting.unmirrored
    }

    /// Whether controls have to be laid out again although the window has its size: the page has come or gone.
    pub(crate) fn is_out_of_place(&self) -> bool {
        self.presenting.page_is_laid_out != self.mirrored()
    }

    /// Finds every control's place in the window as it is now.
    pub(super) fn lay_out(&mut self, measure: impl Fn(&str) -> i32) {
        let floor = &self.presenting.floor;
        let (button, policies) = (controls::presenting(floor), floor.policy.is_some());
        let extras = Extras { presenting: button, mirror: floor.mirror, policies };
        self.presenting.page_is_laid_out = self.mirrored();
        let offered = Offered { presenting: button, view: !self.mirrored() };
        self.bar = controls::bar(self.window.width, self.size, offered, &measure);
        self.menu = controls::menu(self.size, extras, &measure);
        self.presenting.cards = controls::cards(self.window, self.size, &floor.requests, &measure);
        let offers = Some(&*floor.displays).filter(|offers| !offers.is_empty());
        self.presenting.panel = offers.map(|offers| controls::panel(self.window, self.size, offers, &measure));
        let room = Area { y: self.size.bar_height(), height: self.window.height - self.size.bar_height(), ..self.window };
        self.presenting.page = controls::mirror(room, self.size, floor.sharing.is_going_on(), &measure);
    }

    /// What is highlighted in the open panel: what the pointer is on, else what the keys chose.
    pub(super) fn panel_look(&self, under: Option<Command>) -> Option<Option<Command>> {
        self.presenting.panel.as_ref().map(|_| under.or(self.presenting.highlight))
    }

    /// Whether a click at a point would do something about presenting, beside the tool bar.
    pub(super) fn near_presenting(&self, at: (i32, i32)) -> bool {
        let on_page = self.mirrored() && self.presenting.page.area.contains(at);
        self.presenting.panel.is_some() || self.presenting.cards.contains(at) || on_page
    }

    /// The command of a card or of the page at a point.
    pub(super) fn presenting_at(&self, at: (i32, i32)) -> Option<Command> {
        if self.presenting.cards.contains(at) {
            return self.presenting.cards.command_at(at);
        }
        self.mirrored().then(|| controls::command_at(&self.presenting.page.spots, at)).flatten()
    }

    /// Whether a command has meant this in this place for long enough.
    pub(super) fn is_settled(&self, command: Command) -> bool {
        let Presenting { now, button_settles, cards_settle, .. } = self.presenting;
        match command {
            Command::Share | Command::StopSharing | Command::CancelSharing | Command::Back => now >= button_settles,
            Command::Approve(_) | Command::Refuse(_) => now >= cards_settle,
            _ => true,
        }
    }

    /// Ctrl and Shift with a letter.
    pub(super) fn presenting_key(&mut self, letter: char) -> Option<Effect> {
        let button = controls::presenting(&self.presenting.floor);
        let first = self.presenting.floor.requests.first().map(|request| request.number);
        let command = match letter {
            's' => button.filter(|button| *button != Command::Back),
            'b' => button.filter(|button| *button == Command::Back),
            'y' => first.map(Command::Approve),
            'n' => first.map(Command::Refuse),
            _ => None,
        };
        command.filter(|command| self.is_settled(*command)).and_then(|command| self.carry_out(command))
    }

    /// A key while the panel is open.
    pub(super) fn panel_key(&mut self, key: Key) -> Option<Effect> {
        let panel = self.presenting.panel.as_ref()?;
        let commands = panel.spots.iter().map(|spot| spot.command).collect::<Vec<_>>();
        let at = self.presenting.highlight.and_then(|command| commands.iter().position(|other| *other == command));
        match key {
            Key::Escape => return self.carry_out(Command::CloseDisplays),
            Key::Enter => return self.presenting.highlight.and_then(|command| self.carry_out(command)),
            Key::Letter('0') => return self.carry_out(Command::AllDisplays),
            Key::Letter(digit) => {
                let index = digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()?.checked_sub(1))?;
                let command = Command::Display(index);
                return commands.contains(&command).then(|| self.carry_out(command)).flatten();
            }
            Key::Right | Key::Down => self.presenting.highlight = stepped(&commands, at, true),
            Key::Left | Key::Up => self.presenting.highlight = stepped(&commands, at, false),
            _ => {}
        }
        None
    }

    /// Carries out a command about presenting; the program does the rest.
    pub(super) fn present(&mut self, command: Command) -> Option<Effect> {
        let asked = match command {
            Command::Share if self.presenting.floor.sharing == Sharing::Locked => {
                self.say("The lecturer lets nobody share now", self.presenting.now);
                return None;
            }
            Command::Share => WindowCommand::Share,
            Command::StopSharing | Command::CancelSharing => WindowCommand::StopSharing,
            Command::Back => WindowCommand::BackToLecturer,
            Command::Policy(policy) => WindowCommand::Policy(policy),
            Command::Approve(number) => WindowCommand::Approve(number),
            Command::Refuse(number) => WindowCommand::Refuse(number),
            Command::Display(index) => WindowCommand::ShareDisplay(index),
            Command::AllDisplays => WindowCommand::ShareAll,
            Command::CloseDisplays => WindowCommand::CloseDisplays,
            Command::Mirror => {
                self.presenting.unmirrored ^= true;
                self.scroll_by(0, 0);
                return None;
            }
            _ => return None,
        };
        if matches!(command, Command::Display(_) | Command::AllDisplays | Command::CloseDisplays) {
            self.presenting.panel = None;
        }
        Some(Effect::Send(asked))
    }
}

#[cfg(test)]
#[path = "presenting_tests.rs"]
mod tests;
