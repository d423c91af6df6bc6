//! Keys: shortcuts, the way through the open menu, and scrolling.

use super::{Effect, Key, State};
use crate::window::controls::{Command, MENU};

/// One step of an arrow key, in pixels at 100 percent.
pub(super) const ARROW_STEP: i32 = 48;

impl State {
    /// Takes a key; answers with what the desktop has to do for it.
    pub(super) fn key(&mut self, key: Key, down: bool) -> Option<Effect> {
        match key {
            Key::Ctrl => self.held.ctrl = down,
            Key::Alt => self.held.alt = down,
            Key::Shift => self.held.shift = down,
            _ if !down => {}
            Key::F8 => return self.carry_out(Command::Menu),
            Key::F11 => return self.carry_out(Command::FullScreen),
            Key::Letter(letter) => return self.letter(letter),
            Key::Escape if self.open_menu.is_some() => self.open_menu = None,
            Key::Escape if self.full_screen => return Some(Effect::FullScreen(false)),
            Key::Up | Key::Down | Key::Enter if self.open_menu.is_some() => return self.menu_key(key),
            _ => self.scroll_key(key),
        }
        None
    }

    fn letter(&mut self, letter: char) -> Option<Effect> {
        let command = match (letter, self.held.ctrl, self.held.alt) {
            ('m', true, true) => Command::Menu,
            ('q', true, false) => Command::Quit,
            ('f', false, false) => Command::Fit,
            ('1', false, false) => Command::OneToOne,
            ('q', false, false) => Command::Quality,
            ('s', false, false) => Command::Speed,
            _ => return None,
        };
        self.carry_out(command)
    }

    fn menu_key(&mut self, key: Key) -> Option<Effect> {
        let rows = MENU.concat();
        let highlighted = self.open_menu.flatten();
        let at = highlighted.and_then(|command| rows.iter().position(|row| *row == command));
        if key == Key::Enter {
            return highlighted.and_then(|command| self.carry_out(command));
        }
        let next = match (key, at) {
            (Key::Down, Some(at)) => (at + 1) % rows.len(),
            (Key::Down, None) => 0,
            (_, at) => at.unwrap_or(0).checked_sub(1).unwrap_or(rows.len() - 1),
        };
        self.open_menu = Some(rows.get(next).copied());
        None
    }

    fn scroll_key(&mut self, key: Key) {
        let step = self.size.px(ARROW_STEP);
        let page = (self.room().height - step).max(step);
        match key {
            Key::Left => self.scroll_by(-step, 0),
            Key::Right => self.scroll_by(step, 0),
            Key::Up => self.scroll_by(0, -step),
            Key::Down => self.scroll_by(0, step),
            Key::PageUp => self.scroll_by(0, -page),
            Key::PageDown => self.scroll_by(0, page),
            Key::Home => self.scroll_by(i32::MIN, i32::MIN),
            Key::End => self.scroll_by(i32::MAX, i32::MAX),
            _ => {}
        }
    }
}
