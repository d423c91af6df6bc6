//! The menu under the tool bar's menu button: a box, its rows, and lines between groups.

use super::{Command, ControlSize, Spot};
use crate::window::layout::Area;
use treevnc_protocol::tree::message::Policy;

/// Where the menu's parts are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Menu {
    pub(crate) area: Area,
    pub(crate) spots: Vec<Spot>,
    /// The heights of the lines between groups.
    pub(crate) lines: Vec<i32>,
}

/// What the menu offers beside the view's commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Extras {
    /// The button for presenting.
    pub(crate) presenting: Option<Command>,
    /// Whether the picture is the screen that the window stands on.
    pub(crate) mirror: bool,
    /// Whether the floor is controlled here.
    pub(crate) policies: bool,
}

/// The rows; each inner list is a group between two lines.
fn groups(extras: Extras) -> Vec<Vec<Command>> {
    let mirror = extras.mirror.then_some(Command::Mirror);
    let presenting = extras.presenting.into_iter().chain(mirror).collect::<Vec<_>>();
    let policies = [Policy::Free, Policy::Ask, Policy::Locked].map(Command::Policy);
    let mut groups = vec![
        presenting,
        if extras.policies { policies.to_vec() } else { Vec::new() },
        vec![Command::Fit, Command::OneToOne],
        vec![Command::Quality, Command::Speed],
        vec![Command::FullScreen],
        vec![Command::Quit],
    ];
    groups.retain(|group| !group.is_empty());
    groups
}

/// Lays out the menu.
pub(crate) fn menu(size: ControlSize, extras: Extras, measure: impl Fn(&str) -> i32) -> Menu {
    let groups = groups(extras);
    let (pad, row, line) = (size.px(6), size.px(30), size.px(9));
    let widest = |text: fn(Command) -> &'static str| groups.iter().flatten().map(|c| measure(text(*c))).max().unwrap_or(0);
    let width = size.px(34) + widest(Command::row) + size.px(36) + widest(Command::shortcut) + size.px(14);
    let (left, top) = (size.px(6), size.bar_height() + size.px(4));
    let mut menu = Menu::default();
    let mut y = top + pad;
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            menu.lines.push(y + line / 2);
            y += line;
        }
        for command in group {
            menu.spots.push(Spot { command: *command, area: Area::new(left + pad, y, width, row) });
            y += row;
        }
    }
    menu.area = Area::new(left, top, width + 2 * pad, y + pad - top);
    menu
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::controls::{command_at, seven_per_letter as measure};

    #[test]
    fn every_row_of_the_menu_is_found_at_its_centre() {
        let all = Extras { presenting: Some(Command::Back), mirror: true, policies: true };
        for (extras, rows, lines) in [(Extras::default(), 6, 3), (all, 11, 5)] {
            let menu = menu(ControlSize::percent(150), extras, measure);
            for spot in &menu.spots {
                let centre = (spot.area.x + spot.area.width / 2, spot.area.y + spot.area.height / 2);
                assert_eq!(command_at(&menu.spots, centre), Some(spot.command));
                assert!(menu.area.contains(centre));
            }
            assert_eq!(command_at(&menu.spots, (menu.area.x, menu.area.y)), None, "the rim is no row");
            assert_eq!((menu.spots.len(), menu.lines.len()), (rows, lines));
        }
    }
}
