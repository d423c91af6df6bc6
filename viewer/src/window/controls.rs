//! What can be clicked: the commands, their words and keys, and where they are. Geometry and labels alone.

mod bar;
mod cards;
mod menu;
mod mirror;
mod panel;

use super::layout::Area;
use crate::picture::{Floor, Sharing};
use treevnc_protocol::tree::message::Policy;

pub(crate) use bar::{Bar, Offered, bar};
pub(crate) use cards::{Cards, cards};
pub(crate) use menu::{Extras, Menu, menu};
pub(crate) use mirror::{MirrorPage, mirror};
pub(crate) use panel::{Panel, Tile, panel};

/// Something a person can ask of the window, by button, menu or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Menu,
    Share,
    StopSharing,
    /// Takes back the question whether this machine may present.
    CancelSharing,
    /// The lecturer presents again.
    Back,
    Fit,
    OneToOne,
    Quality,
    Speed,
    FullScreen,
    /// Shows the picture although it is the screen that the window stands on, or no longer.
    Mirror,
    Policy(Policy),
    Quit,
    /// A display of the panel, counted from 0, or all of them.
    Display(usize),
    AllDisplays,
    CloseDisplays,
    /// Lets the request of this number pass, or not.
    Approve(u32),
    Refuse(u32),
}

impl Command {
    /// The words on a button.
    pub(crate) fn button(self) -> &'static str {
        match self {
            Self::Menu | Self::Display(_) => "",
            Self::Share => "Share screen",
            Self::StopSharing => "Stop sharing",
            Self::CancelSharing | Self::CloseDisplays => "Cancel",
            Self::Back => "Back to lecturer",
            Self::Fit => "Fit",
            Self::OneToOne => "1:1",
            Self::Quality => "Quality",
            Self::Speed => "Speed",
            Self::FullScreen => "Full screen",
            Self::Mirror => "Show the picture here",
            Self::Policy(_) => self.row(),
            Self::Quit => "Quit",
            Self::AllDisplays => "All displays",
            Self::Approve(_) => "Show",
            Self::Refuse(_) => "Refuse",
        }
    }

    /// The words in the menu.
    pub(crate) fn row(self) -> &'static str {
        match self {
            Self::Share => "Share this screen",
            Self::CancelSharing => "Cancel the request to share",
            Self::Back => "Back to the lecturer's screen",
            Self::Fit => "Fit to window",
            Self::OneToOne => "Original size 1:1",
            Self::Quality => "Quality: smooth scaling",
            Self::Speed => "Speed: nearest pixel",
            Self::Mirror => "Show the picture within itself",
            Self::Policy(Policy::Free) => "Anybody may share",
            Self::Policy(Policy::Ask) => "Ask me before somebody shares",
            Self::Policy(Policy::Locked) => "Nobody may share",
            other => other.button(),
        }
    }

    /// The key that does the same.
    pub(crate) fn shortcut(self) -> &'static str {
        match self {
            Self::Menu => "F8",
            Self::Share | Self::StopSharing | Self::CancelSharing => "Ctrl+Shift+S",
            Self::Back => "Ctrl+Shift+B",
            Self::Fit => "F",
            Self::OneToOne => "1",
            Self::Quality => "Q",
            Self::Speed => "S",
            Self::FullScreen => "F11",
            Self::Quit => "Ctrl+Q",
            Self::AllDisplays => "0",
            Self::CloseDisplays => "Esc",
            Self::Approve(_) => "Ctrl+Shift+Y",
            Self::Refuse(_) => "Ctrl+Shift+N",
            Self::Mirror | Self::Policy(_) | Self::Display(_) => "",
        }
    }
}

/// The button for presenting that a window has now: the first on the tool bar after the menu's, and the last to go.
pub(crate) fn presenting(floor: &Floor) -> Option<Command> {
    match floor.sharing {
        Sharing::Unavailable => (floor.policy.is_some() && !floor.presenter.is_empty()).then_some(Command::Back),
        Sharing::Ready | Sharing::Locked => Some(Command::Share),
        Sharing::Preparing | Sharing::Asking | Sharing::Starting => Some(Command::CancelSharing),
        Sharing::Live | Sharing::Paused { .. } => Some(Command::StopSharing),
    }
}

/// How large the controls are drawn, in percent; 100 is meant for 96 dots per inch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ControlSize(i32);

impl ControlSize {
    /// A size in percent, held between 75 and 400.
    pub(crate) fn percent(percent: i32) -> Self {
        Self(percent.clamp(75, 400))
    }

    /// A length given for 96 dots per inch, in window pixels.
    pub(crate) fn px(self, length: i32) -> i32 {
        (length * self.0 + 50) / 100
    }

    /// The size of the controls' text, in pixels per em.
    pub(crate) fn text(self) -> f32 {
        f32::from(u16::try_from(self.0).unwrap_or(100)) * 0.13
    }

    /// The tool bar's height.
    pub(crate) fn bar_height(self) -> i32 {
        self.px(38)
    }
}

/// One thing to click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) command: Command,
    pub(crate) area: Area,
}

/// The command at a point.
pub(crate) fn command_at(spots: &[Spot], at: (i32, i32)) -> Option<Command> {
    spots.iter().find(|spot| spot.area.contains(at)).map(|spot| spot.command)
}

/// What the tests measure texts with.
#[cfg(test)]
pub(crate) fn seven_per_letter(text: &str) -> i32 {
    7 * i32::try_from(text.chars().count()).unwrap()
}
