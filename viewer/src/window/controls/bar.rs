//! The tool bar: the menu's button, room for the title, and groups of buttons at the right.

use super::{Command, ControlSize, Spot};
use crate::window::layout::Area;

/// Where the tool bar's parts are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bar {
    pub(crate) area: Area,
    pub(crate) title: Area,
    /// The box around each group of plain buttons.
    pub(crate) groups: Vec<Area>,
    pub(crate) spots: Vec<Spot>,
}

/// The groups of plain buttons, the most wanted first: in a narrow window the last ones are left to the menu.
const GROUPS: [&[Command]; 4] =
    [&[Command::Fit, Command::OneToOne], &[Command::Quality, Command::Speed], &[Command::FullScreen], &[Command::Quit]];

/// The button for presenting is as wide as the widest of these, so that it stays where it is when it means another thing.
const PRESENTING: [Command; 4] = [Command::Share, Command::StopSharing, Command::CancelSharing, Command::Back];

/// What a tool bar offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offered {
    /// The button for presenting: before all groups, and outlives them.
    pub(crate) presenting: Option<Command>,
    /// Whether there is a picture to look at, for the groups.
    pub(crate) view: bool,
}

/// Lays out the tool bar of a window; `measure` gives the width of a text.
pub(crate) fn bar(window_width: i32, size: ControlSize, offered: Offered, measure: impl Fn(&str) -> i32) -> Bar {
    let area = Area::new(0, 0, window_width, size.bar_height());
    let (gap, inset) = (size.px(8), size.px(6));
    let (top, height) = (inset, area.height - 2 * inset - size.px(1));
    let menu = Area::new(inset, top, size.px(34), height);
    let width_of = |command: &Command| measure(command.button()) + 2 * size.px(11);
    let group_width = |group: &[Command]| group.iter().map(width_of).sum::<i32>();
    let presenting = offered.presenting.map(|command| (command, PRESENTING.iter().map(width_of).max().unwrap_or(0)));

    let mut room = window_width - menu.right() - 2 * gap;
    let presenting = presenting.filter(|(_, width)| {
        let fits = room >= width + gap;
        room -= if fits { width + gap } else { room };
        fits
    });
    let shown = GROUPS.iter().filter(|_| offered.view).take_while(|group| {
        room -= group_width(group) + gap;
        room >= 0
    });
    let shown = shown.collect::<Vec<_>>();
    let groups_width = shown.iter().map(|group| group_width(group) + gap).sum::<i32>();
    let total = groups_width + presenting.map_or(0, |(_, width)| width + gap);
    let mut x = window_width - inset - total + gap;
    let title = Area::new(menu.right() + gap, top, x - menu.right() - 3 * gap, height);
    let mut bar = Bar { area, title, groups: Vec::new(), spots: vec![Spot { command: Command::Menu, area: menu }] };
    if let Some((command, width)) = presenting {
        bar.spots.push(Spot { command, area: Area::new(x, top, width, height) });
        x += width + gap;
    }
    for group in shown {
        bar.groups.push(Area::new(x, top, group_width(group), height));
        for command in *group {
            let area = Area::new(x, top, width_of(command), height);
            bar.spots.push(Spot { command: *command, area });
            x = area.right();
        }
        x += gap;
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::controls::seven_per_letter as measure;

    fn commands(width: i32, presenting: Option<Command>) -> Vec<Command> {
        bar(width, ControlSize::percent(100), Offered { presenting, view: true }, measure)
            .spots
            .into_iter()
            .map(|spot| spot.command)
            .collect()
    }

    #[test]
    fn buttons_lie_inside_the_bar_and_never_overlap() {
        for percent in [75, 100, 150, 200, 400] {
            for (width, presenting) in (0..2000).step_by(37).flat_map(|width| [(width, None), (width, Some(Command::Share))]) {
                let bar = bar(width, ControlSize::percent(percent), Offered { presenting, view: true }, measure);
                assert_eq!(bar.spots[0].command, Command::Menu, "the menu is always reachable");
                for pair in bar.spots.windows(2) {
                    assert!(pair[0].area.right() <= pair[1].area.x, "{width}");
                }
                for spot in &bar.spots[1..] {
                    assert!(spot.area.right() <= width && spot.area.y > 0 && spot.area.bottom() < bar.area.height);
                    let grouped = bar.groups.iter().any(|group| group.contains((spot.area.x, spot.area.y)));
                    assert_eq!(grouped, Some(spot.command) != presenting);
                }
                assert!(bar.title.right() <= bar.spots.get(1).map_or(width.max(0) + 999, |spot| spot.area.x));
            }
        }
    }

    #[test]
    fn a_wide_bar_has_everything_and_a_narrow_one_the_most_wanted() {
        assert_eq!(commands(1280, None)[1..], GROUPS.concat());
        assert_eq!(commands(180, None), [Command::Menu, Command::Fit, Command::OneToOne]);
        assert_eq!(commands(1280, Some(Command::Back))[1..], [[Command::Back].as_slice(), &GROUPS.concat()].concat());
        let page = bar(1280, ControlSize::percent(100), Offered { presenting: Some(Command::StopSharing), view: false }, measure);
        assert_eq!((page.spots.len(), page.spots[1].command), (2, Command::StopSharing), "no picture, no view to change");
        assert_eq!(commands(210, Some(Command::Share)), [Command::Menu, Command::Share], "the smallest window keeps it");
    }

    #[test]
    fn the_button_for_presenting_stays_in_its_place_whatever_it_means() {
        let offered = |command| Offered { presenting: Some(command), view: true };
        let place = |command| bar(900, ControlSize::percent(150), offered(command), measure).spots[1].area;
        assert!(PRESENTING.iter().all(|command| place(*command) == place(Command::Share)));
    }
}
