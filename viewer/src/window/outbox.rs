//! The window's commands on their way to the program: none is lost when several come at once, and the window never waits.

use super::WindowCommand;
use std::collections::VecDeque;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

/// Commands that may wait for room; a program that takes none for so long has other troubles.
const MAX_WAITING: usize = 64;

/// Keeps what the channel has no room for.
pub(super) struct Outbox {
    commands: Sender<WindowCommand>,
    waiting: VecDeque<WindowCommand>,
}

impl Outbox {
    pub(super) fn new(commands: Sender<WindowCommand>) -> Self {
        Self { commands, waiting: VecDeque::new() }
    }

    /// Sends a command behind those that wait.
    pub(super) fn send(&mut self, command: WindowCommand) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(command);
        } else {
            tracing::warn!(?command, "the program takes no commands of the window");
        }
        self.flush();
    }

    /// Sends what waits, as far as there is room.
    pub(super) fn flush(&mut self) {
        while let Some(&command) = self.waiting.front() {
            match self.commands.try_send(command) {
                Err(TrySendError::Full(_)) => return,
                Err(TrySendError::Closed(_)) => tracing::debug!(?command, "nobody waits for the window's commands"),
                Ok(()) => {}
            }
            self.waiting.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_without_room_wait_and_come_in_order() {
        let (commands, mut program) = tokio::sync::mpsc::channel(1);
        let mut outbox = Outbox::new(commands);
        for number in 0..3 {
            outbox.send(WindowCommand::Approve(number));
        }
        for number in 0..3 {
            assert_eq!(program.try_recv(), Ok(WindowCommand::Approve(number)));
            outbox.flush();
        }
        assert!(program.try_recv().is_err());
    }

    #[test]
    fn a_program_that_is_gone_or_asleep_costs_no_memory() {
        let (commands, mut program) = tokio::sync::mpsc::channel(1);
        let mut outbox = Outbox::new(commands);
        (0..1000).for_each(|number| outbox.send(WindowCommand::Refuse(number)));
        assert_eq!(outbox.waiting.len(), MAX_WAITING);
        program.close();
        outbox.flush();
        assert!(outbox.waiting.is_empty());
    }
}
