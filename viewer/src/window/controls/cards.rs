//! The cards of those who ask to present, stacked under the tool bar at the right; the first to ask is at the top.

use super::{Command, ControlSize, Spot};
use crate::picture::Request;
use crate::window::layout::Area;

/// Most cards at once; the others are counted.
const MAX_CARDS: usize = 3;

/// One request: its box, the lines in it, and its two buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) area: Area,
    pub(crate) name: Area,
    pub(crate) detail: Area,
    pub(crate) buttons: [Spot; 2],
}

/// The cards that are shown, and where it says how many more there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cards {
    pub(crate) cards: Vec<Card>,
    /// How many requests have no card, and where that is said.
    pub(crate) more: Option<(usize, Area)>,
}

impl Cards {
    /// Whether a point is on a card.
    pub(crate) fn contains(&self, at: (i32, i32)) -> bool {
        self.cards.iter().any(|card| card.area.contains(at))
    }

    /// The command at a point.
    pub(crate) fn command_at(&self, at: (i32, i32)) -> Option<Command> {
        self.cards.iter().find_map(|card| super::command_at(&card.buttons, at))
    }
}

/// Lays out the cards in a window of that area; one is always shown, more only where there is room.
pub(crate) fn cards(window: Area, size: ControlSize, requests: &[Request], measure: impl Fn(&str) -> i32) -> Cards {
    let (gap, pad, line, button) = (size.px(10), size.px(14), size.px(22), size.px(28));
    let width = size.px(310).min(window.width - 2 * gap);
    let height = pad + 2 * line + size.px(8) + button + pad;
    let mut top = size.bar_height() + gap;
    let fitting = usize::try_from((window.height - top) / (height + gap)).unwrap_or(0);
    let mut laid_out = Cards::default();
    for request in requests.iter().take(fitting.clamp(1, MAX_CARDS)) {
        let area = Area::new(window.width - gap - width, top, width, height);
        let name = Area::new(area.x + pad, area.y + pad - size.px(2), area.width - 2 * pad, line);
        let detail = Area { y: name.bottom(), ..name };
        let row = Area::new(name.x, detail.bottom() + size.px(8), name.width, button);
        let refuse_width = measure(Command::Refuse(0).button()) + 2 * size.px(16);
        let show_width = measure(Command::Approve(0).button()) + 2 * size.px(24);
        let show = Area { x: row.right() - show_width, width: show_width, ..row };
        let refuse = Area { x: show.x - size.px(8) - refuse_width, width: refuse_width, ..row };
        let spot = |command, area| Spot { command, area };
        let buttons = [spot(Command::Approve(request.number), show), spot(Command::Refuse(request.number), refuse)];
        laid_out.cards.push(Card { area, name, detail, buttons });
        top += height + gap;
    }
    let more = requests.len() - laid_out.cards.len();
    laid_out.more = (more > 0).then(|| (more, Area::new(window.width - gap - width, top, width, line)));
    laid_out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::controls::seven_per_letter as measure;

    fn requests(count: u32) -> Vec<Request> {
        (1..=count).map(|number| Request { number, name: "Ada".into(), detail: "".into() }).collect()
    }

    #[test]
    fn buttons_lie_on_their_cards_and_cards_never_overlap() {
        for (width, height, percent) in [(1280, 800, 100), (320, 200, 100), (1000, 600, 200), (600, 900, 150)] {
            let window = Area::new(0, 0, width, height);
            let laid_out = cards(window, ControlSize::percent(percent), &requests(9), measure);
            assert!((1..=MAX_CARDS).contains(&laid_out.cards.len()));
            assert_eq!(laid_out.more.map(|(more, _)| more), Some(9 - laid_out.cards.len()));
            for card in &laid_out.cards {
                assert!(card.area.x >= 0 && card.area.right() < width);
                let [show, refuse] = card.buttons;
                assert!(
                    refuse.area.x >= card.area.x && refuse.area.right() < show.area.x && show.area.right() < card.area.right()
                );
                for spot in card.buttons {
                    assert!(spot.area.y > card.detail.bottom() && spot.area.bottom() < card.area.bottom());
                    assert_eq!(laid_out.command_at((spot.area.x, spot.area.y)), Some(spot.command));
                }
            }
            assert!(laid_out.cards.windows(2).all(|pair| pair[0].area.bottom() < pair[1].area.y));
        }
    }

    #[test]
    fn nobody_asks_nothing_is_there() {
        assert_eq!(cards(Area::new(0, 0, 800, 600), ControlSize::percent(100), &[], measure), Cards::default());
    }
}
