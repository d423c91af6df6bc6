//! What can be clicked: the commands, and where the tool bar's buttons and the menu's rows are. Geometry and labels alone.

use super::layout::Area;

/// Something a person can ask of the window, by button, menu or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Menu,
    Fit,
    OneToOne,
    Quality,
    Speed,
    FullScreen,
    Quit,
}

impl Command {
    /// The words on the tool bar.
    pub(crate) fn button(self) -> &'static str {
        match self {
            Self::Menu => "",
            Self::Fit => "Fit",
            Self::OneToOne => "1:1",
            Self::Quality => "Quality",
            Self::Speed => "Speed",
            Self::FullScreen => "Full screen",
            Self::Quit => "Quit",
        }
    }

    /// The words in the menu.
    pub(crate) fn row(self) -> &'static str {
        match self {
            Self::Menu => "",
            Self::Fit => "Fit to window",
            Self::OneToOne => "Original size 1:1",
            Self::Quality => "Quality: smooth scaling",
            Self::Speed => "Speed: nearest pixel",
            Self::FullScreen => "Full screen",
            Self::Quit => "Quit",
        }
    }

    /// The key that does the same.
    pub(crate) fn shortcut(self) -> &'static str {
        match self {
            Self::Menu => "F8",
            Self::Fit => "F",
            Self::OneToOne => "1",
            Self::Quality => "Q",
            Self::Speed => "S",
            Self::FullScreen => "F11",
            Self::Quit => "Ctrl+Q",
        }
    }
}

/// The menu's rows; an inner list is a group between two lines.
pub(crate) const MENU: [&[Command]; 4] =
    [&[Command::Fit, Command::OneToOne], &[Command::Quality, Command::Speed], &[Command::FullScreen], &[Command::Quit]];

/// The tool bar's groups, the most wanted first: in a narrow window the last ones are left to the menu.
const BAR: [&[Command]; 4] =
    [&[Command::Fit, Command::OneToOne], &[Command::Quality, Command::Speed], &[Command::FullScreen], &[Command::Quit]];

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

/// The tool bar: the menu's button, room for the title, and groups of buttons at the right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bar {
    pub(crate) area: Area,
    pub(crate) title: Area,
    /// The box around each group.
    pub(crate) groups: Vec<Area>,
    pub(crate) spots: Vec<Spot>,
}

/// The menu: a box, its rows, and the heights of the lines between groups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Menu {
    pub(crate) area: Area,
    pub(crate) spots: Vec<Spot>,
    pub(crate) lines: Vec<i32>,
}

/// The command at a point.
pub(crate) fn command_at(spots: &[Spot], at: (i32, i32)) -> Option<Command> {
    spots.iter().find(|spot| spot.area.contains(at)).map(|spot| spot.command)
}

/// Lays out the tool bar of a window; `measure` gives the width of a text.
pub(crate) fn bar(window_width: i32, size: ControlSize, measure: impl Fn(&str) -> i32) -> Bar {
    let area = Area::new(0, 0, window_width, size.bar_height());
    let (gap, inset) = (size.px(8), size.px(6));
    let (top, height) = (inset, area.height - 2 * inset - size.px(1));
    let menu = Area::new(inset, top, size.px(34), height);
    let width_of = |command: &Command| measure(command.button()) + 2 * size.px(11);
    let group_width = |group: &[Command]| group.iter().map(width_of).sum::<i32>();

    let mut room = window_width - menu.right() - 2 * gap;
    let shown = BAR.iter().take_while(|group| {
        room -= group_width(group) + gap;
        room >= 0
    });
    let shown = shown.collect::<Vec<_>>();
    let total = shown.iter().map(|group| group_width(group) + gap).sum::<i32>();
    let mut x = window_width - inset - total + gap;
    let title = Area::new(menu.right() + gap, top, x - menu.right() - 3 * gap, height);
    let mut bar = Bar { area, title, groups: Vec::new(), spots: vec![Spot { command: Command::Menu, area: menu }] };
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

/// Lays out the menu under the tool bar's menu button.
pub(crate) fn menu(size: ControlSize, measure: impl Fn(&str) -> i32) -> Menu {
    let (pad, row, line) = (size.px(6), size.px(30), size.px(9));
    let widest = |text: fn(Command) -> &'static str| MENU.concat().into_iter().map(|c| measure(text(c))).max().unwrap_or(0);
    let width = size.px(34) + widest(Command::row) + size.px(36) + widest(Command::shortcut) + size.px(14);
    let (left, top) = (size.px(6), size.bar_height() + size.px(4));
    let mut menu = Menu::default();
    let mut y = top + pad;
    for (index, group) in MENU.iter().enumerate() {
        if index > 0 {
            menu.lines.push(y + line / 2);
            y += line;
        }
        for command in *group {
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

    fn measure(text: &str) -> i32 {
        7 * i32::try_from(text.len()).unwrap()
    }

    #[test]
    fn buttons_lie_inside_the_bar_and_never_overlap() {
        for percent in [75, 100, 150, 200, 400] {
            for width in (0..2000).step_by(37) {
                let bar = bar(width, ControlSize::percent(percent), measure);
                assert_eq!(bar.spots[0].command, Command::Menu, "the menu is always reachable");
                for pair in bar.spots.windows(2) {
                    assert!(pair[0].area.right() <= pair[1].area.x, "{width}");
                }
                for spot in &bar.spots[1..] {
                    assert!(spot.area.right() <= width && spot.area.y > 0 && spot.area.bottom() < bar.area.height);
                    assert!(bar.groups.iter().any(|group| group.contains((spot.area.x, spot.area.y))));
                }
                assert!(bar.title.right() <= bar.spots.get(1).map_or(width.max(0) + 999, |spot| spot.area.x));
            }
        }
    }

    #[test]
    fn a_wide_bar_has_everything_and_a_narrow_one_the_most_wanted() {
        let commands =
            |width| bar(width, ControlSize::percent(100), measure).spots.into_iter().map(|s| s.command).collect::<Vec<_>>();
        assert_eq!(commands(1280)[1..], MENU.concat());
        assert_eq!(commands(180), [Command::Menu, Command::Fit, Command::OneToOne]);
    }

    #[test]
    fn every_row_of_the_menu_is_found_at_its_centre() {
        let menu = menu(ControlSize::percent(150), measure);
        for spot in &menu.spots {
            let centre = (spot.area.x + spot.area.width / 2, spot.area.y + spot.area.height / 2);
            assert_eq!(command_at(&menu.spots, centre), Some(spot.command));
            assert!(menu.area.contains(centre));
        }
        assert_eq!(command_at(&menu.spots, (menu.area.x, menu.area.y)), None, "the rim is no row");
        assert_eq!((menu.spots.len(), menu.lines.len()), (6, 3));
    }
}
