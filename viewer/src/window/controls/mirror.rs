//! The page that takes the picture's place where it would show the window within itself: a card with a heading, words and buttons.

use super::{Command, ControlSize, Spot};
use crate::window::layout::Area;

/// Where the page's parts are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MirrorPage {
    pub(crate) area: Area,
    pub(crate) heading: Area,
    pub(crate) lines: [Area; 2],
    pub(crate) spots: Vec<Spot>,
}

/// Lays out the page; with a button to stop if it is this window that shares. A button without room is left to the menu.
pub(crate) fn mirror(room: Area, size: ControlSize, can_stop: bool, measure: impl Fn(&str) -> i32) -> MirrorPage {
    let (pad, line, button, gap) = (size.px(28), size.px(22), size.px(34), size.px(10));
    let commands = if can_stop { &[Command::StopSharing, Command::Mirror][..] } else { &[Command::Mirror] };
    let width = size.px(500).min(room.width - 2 * gap);
    let area = room.centred(width, pad + size.px(34) + 2 * line + size.px(18) + button + pad);
    let inside = Area::new(area.x + pad, area.y + pad, area.width - 2 * pad, size.px(28));
    let first = Area { y: inside.bottom() + size.px(6), height: line, ..inside };
    let lines = [first, Area { y: first.bottom(), ..first }];
    let y = lines[1].bottom() + size.px(18);
    let mut x = inside.x;
    let spots = commands.iter().map_while(|command| {
        let area = Area::new(x, y, measure(command.button()) + 2 * size.px(16), button);
        x = area.right() + gap;
        (area.right() <= inside.right()).then_some(Spot { command: *command, area })
    });
    MirrorPage { area, heading: inside, lines, spots: spots.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::controls::seven_per_letter as measure;

    #[test]
    fn a_small_page_keeps_the_button_to_stop() {
        let page = mirror(Area::new(0, 38, 320, 162), ControlSize::percent(100), true, measure);
        assert_eq!(page.spots.iter().map(|spot| spot.command).collect::<Vec<_>>(), [Command::StopSharing]);
    }

    #[test]
    fn its_buttons_lie_on_it_one_beside_the_other() {
        for can_stop in [true, false] {
            let page = mirror(Area::new(0, 38, 1280, 762), ControlSize::percent(100), can_stop, measure);
            assert_eq!(page.spots.len(), 1 + usize::from(can_stop));
            assert!(
                page.spots.iter().all(|spot| spot.area.right() < page.area.right() && spot.area.bottom() < page.area.bottom())
            );
            assert!(page.spots.windows(2).all(|pair| pair[0].area.right() < pair[1].area.x));
        }
    }
}
