//! Keys: shortcuts, the way through the open menu, and scrolling.

use super::{Effect, Key, State};
use crate::window::controls::Command;

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
            Key::Letter('q') if self.held.ctrl && !self.held.alt => return self.carry_out(Command::Quit),
            Key::F11 => return self.carry_out(Command::FullScreen),
            _ if self.presenting.panel.is_some() => return self.panel_key(key),
            Key::F8 => return self.carry_out(Command::Menu),
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
            (letter, true, false) if self.held.shift => return self.presenting_key(letter),
            ('f', false, false) => Command::Fit,
            ('1', false, false) => Command::OneToOne,
            ('q', false, false) => Command::Quality,
            ('s', false, false) => Command::Speed,
            _ => return None,
        };
        self.carry_out(command)
    }

    fn menu_key(&mut self, key: Key) -> Option<Effect> {
        let rows = self.menu.spots.iter().map(|spot| spot.command).collect::<Vec<_>>();
        let highlighted = self.open_menu.flatten();
        let at = highlighted.and_then(|command| rows.iter().position(|row| *row == command));
        if key == Key::Enter {
            return highlighted.filter(|command| self.is_settled(*command)).and_then(|command| self.carry_out(command));
        }
        self.open_menu = Some(stepped(&rows, at, key == Key::Down));
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

/// The command after or before the one at an index, around the ends.
pub(super) fn stepped(commands: &[Command], at: Option<usize>, forwards: bool) -> Option<Command> {
    let last = commands.len().checked_sub(1)?;
    let next = match (forwards, at) {
        (true, Some(at)) if at < last => at + 1,
        (true, _) => 0,
        (false, at) => at.unwrap_or(0).checked_sub(1).unwrap_or(last),
    };
    commands.get(next).copied()
}
