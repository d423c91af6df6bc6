//! The pointer: what is under it, clicks, drags and the wheel.

use super::{Effect, State, WHEEL_STEP};
use crate::window::controls::{self, Command};

impl State {
    /// What a click at a point would ask for: the topmost layer decides.
    pub(super) fn command_at(&self, at: (i32, i32)) -> Option<Command> {
        if let Some(panel) = &self.presenting.panel {
            return controls::command_at(&panel.spots, at);
        }
        if self.open_menu.is_some() && self.menu.area.contains(at) {
            return controls::command_at(&self.menu.spots, at).filter(|command| self.is_settled(*command));
        }
        if self.bar_shown && self.bar.area.contains(at) {
            return controls::command_at(&self.bar.spots, at).filter(|command| self.is_settled(*command));
        }
        self.presenting_at(at).filter(|command| self.is_settled(*command))
    }

    pub(super) fn over_picture(&self) -> bool {
        let on_bar = |at| self.bar_shown && self.bar.area.contains(at);
        self.pointer.is_some_and(|at| self.window.contains(at) && !on_bar(at) && !self.presenting.cards.contains(at))
    }

    pub(super) fn moved(&mut self, at: (i32, i32)) {
        let before = self.pointer.replace(at);
        if let (true, Some(before)) = (self.dragging, before) {
            self.scroll_by(before.0.saturating_sub(at.0), before.1.saturating_sub(at.1));
        }
        if let (Some(highlight), true) = (&mut self.open_menu, self.menu.area.contains(at) && before != Some(at)) {
            *highlight = controls::command_at(&self.menu.spots, at);
        }
    }

    pub(super) fn press(&mut self) -> Option<Effect> {
        self.pressed = self.pointer.and_then(|at| self.command_at(at));
        if let Some(panel) = &self.presenting.panel {
            let beside = self.pointer.is_some_and(|at| !panel.area.contains(at));
            return beside.then(|| self.carry_out(Command::CloseDisplays)).flatten();
        }
        let on_menu = self.pointer.is_some_and(|at| self.open_menu.is_some() && self.menu.area.contains(at));
        if self.pressed.is_none() && !on_menu {
            let closes = self.open_menu.take().is_some();
            self.dragging = !closes && self.over_picture();
        }
        None
    }

    pub(super) fn release(&mut self) -> Option<Effect> {
        self.dragging = false;
        let pressed = self.pressed.take()?;
        let same = self.pointer.and_then(|at| self.command_at(at)) == Some(pressed);
        same.then(|| self.carry_out(pressed)).flatten()
    }

    pub(super) fn wheel(&mut self, columns: f32, rows: f32) {
        let (columns, rows) = if self.held.shift { (rows, columns) } else { (columns, rows) };
        self.scroll_by(notches(-columns, self.size.px(WHEEL_STEP)), notches(-rows, self.size.px(WHEEL_STEP)));
    }
}

/// Wheel notches in pixels; whatever a device reports, at most ten notches at once.
#[expect(clippy::cast_possible_truncation, reason = "clamped before, and float to integer casts saturate")]
fn notches(notches: f32, step: i32) -> i32 {
    let tenths = (notches.clamp(-10.0, 10.0) * 10.0).round() as i32;
    tenths * step / 10
}
