//! Which part of a presenter's screen is shown, and where that is now. Pure.

use crate::geometry::{Rect, Size};
use crate::rfb::ScreenArea;
use serde::{Deserialize, Serialize};

/// The part of a presenter's screen that is shown. What is shown has its origin at 0,0, wherever the part lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum View {
    /// All of it.
    #[default]
    Whole,
    /// One display; followed when it moves or changes its size.
    Display {
        /// Its number in the server's list (ExtendedDesktopSize), or how the presenter's system calls it.
        id: u32,
        /// Its place when it was chosen, in pixels; what counts is the server's list, where it has one.
        rect: Rect,
    },
    /// One display, counted from 1 in the order of the server's list.
    Number(u16),
    /// A rectangle; the part of it that is on the screen.
    Area(Rect),
    /// All of what is served, which is this part of the presenter's machine: cut out there, and told for people.
    CutOut(Rect),
}

/// Where a view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// There: not empty and within the screen.
    At(Rect),
    /// The server has not listed its displays (yet).
    NotListed,
    /// The display is not there (any more), or the rectangle is off the screen.
    Gone,
}

impl View {
    /// Whether it is all of what the server shows.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::Whole | Self::CutOut(_))
    }

    /// Where it is on a screen of that size with those displays.
    pub fn place(&self, size: Size, displays: &[ScreenArea]) -> Place {
        let on_screen = |rect: Rect| match rect.intersection(size.rect()) {
            Some(part) if !part.is_empty() => Place::At(part),
            _ => Place::Gone,
        };
        let listed = |found: Option<&ScreenArea>| found.map_or(Place::Gone, |area| on_screen(area.rect));
        match *self {
            Self::Whole | Self::CutOut(_) => Place::At(size.rect()),
            Self::Area(rect) => on_screen(rect),
            Self::Display { rect, .. } if displays.is_empty() => on_screen(rect),
            Self::Display { id, .. } => listed(displays.iter().find(|area| area.id == id)),
            Self::Number(_) if displays.is_empty() => Place::NotListed,
            Self::Number(number) => listed(usize::from(number).checked_sub(1).and_then(|at| displays.get(at))),
        }
    }

    /// The same view, held on to the display it means now: the first of a list may be another one tomorrow.
    pub fn settled(&self, displays: &[ScreenArea]) -> View {
        let Self::Number(number) = *self else { return *self };
        let found = usize::from(number).checked_sub(1).and_then(|at| displays.get(at));
        found.map_or(*self, |area| Self::Display { id: area.id, rect: area.rect })
    }
}

impl std::fmt::Display for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole => f.write_str("the whole screen"),
            Self::Display { rect, .. } | Self::Area(rect) | Self::CutOut(rect) => write!(f, "{rect}"),
            Self::Number(number) => write!(f, "display {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (u16, u16) = (1920, 1080);

    fn place(view: View, displays: &[ScreenArea]) -> Place {
        view.place(Size::new(SIZE.0, SIZE.1).unwrap(), displays)
    }

    fn area(id: u32, rect: Rect) -> ScreenArea {
        ScreenArea { id, rect, flags: 0 }
    }

    #[test]
    fn a_display_is_found_by_its_number_wherever_it_went() {
        let (left, right) = (Rect::new(0, 200, 800, 600), Rect::new(800, 0, 1120, 1080));
        let list = [area(7, right), area(3, left)];
        let chosen = View::Display { id: 3, rect: Rect::new(0, 0, 640, 480) };
        assert_eq!(place(chosen, &list), Place::At(left));
        assert_eq!(place(chosen, &list[..1]), Place::Gone);
        assert_eq!(place(chosen, &[]), Place::At(Rect::new(0, 0, 640, 480)), "without a list its place was told");
        assert_eq!(place(View::Number(1), &list), Place::At(right));
        assert_eq!([place(View::Number(3), &list), place(View::Number(0), &list)], [Place::Gone; 2]);
        assert_eq!(place(View::Number(1), &[]), Place::NotListed);
        assert_eq!(View::Number(1).settled(&list), View::Display { id: 7, rect: right });
    }

    #[test]
    fn what_lies_off_the_screen_is_cut_off_or_gone() {
        let list =
            [area(0, Rect::new(1900, 1000, 500, 500)), area(1, Rect::new(1920, 0, 10, 10)), area(2, Rect::new(5, 5, 0, 9))];
        assert_eq!(place(View::Number(1), &list), Place::At(Rect::new(1900, 1000, 20, 80)));
        assert_eq!([2, 3].map(|number| place(View::Number(number), &list)), [Place::Gone; 2]);
        assert_eq!(place(View::Area(Rect::new(u16::MAX, u16::MAX, u16::MAX, u16::MAX)), &[]), Place::Gone);
        assert_eq!(place(View::Area(Rect::new(100, 0, 9000, 1)), &[]), Place::At(Rect::new(100, 0, 1820, 1)));
        for all in [View::Whole, View::CutOut(Rect::new(5000, 0, 7, 7))] {
            assert_eq!(place(all, &list), Place::At(Rect::new(0, 0, SIZE.0, SIZE.1)));
        }
    }
}
