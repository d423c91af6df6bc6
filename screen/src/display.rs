//! Displays: the monitors of a presenter's machine, and which part of its screen is to be shown. Pure.

use treevnc_protocol::geometry::Rect;

/// One monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Display {
    /// Its number where it came from (the atom of a RandR monitor, the id of a VNC server's screen); stays while the monitor does.
    pub id: u32,
    /// Its name for people, `HDMI-1` for example; empty where it has none.
    pub name: String,
    /// Its place on the whole screen, in pixels.
    pub rect: Rect,
    /// Whether the system calls it the first.
    pub primary: bool,
}

/// Which part of a screen is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// All displays as one picture.
    #[default]
    Whole,
    /// One display, counted from 1 in the order of the list.
    Number(u16),
    /// The display with this number of its own ([`Display::id`]).
    Id(u32),
    /// A part of the screen, wherever displays are.
    Area(Rect),
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole => f.write_str("whole screen"),
            Self::Number(number) => write!(f, "display {number}"),
            Self::Id(id) => write!(f, "display with id {id}"),
            Self::Area(rect) => write!(f, "part {rect}"),
        }
    }
}

/// Why a text is no choice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no display: give its number (1 is the first), WIDTHxHEIGHT+X+Y, or all")]
pub struct ChoiceError(String);

impl std::str::FromStr for Choice {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, ChoiceError> {
        let bad = || ChoiceError(text.to_owned());
        if text.eq_ignore_ascii_case("all") {
            return Ok(Self::Whole);
        }
        if let Ok(number) = text.parse::<u16>() {
            return if number == 0 { Err(bad()) } else { Ok(Self::Number(number)) };
        }
        let mut fields = text.split(['x', '+']).map(|field| field.parse::<u16>().ok());
        let mut next = || fields.next().flatten().ok_or_else(bad);
        let (width, height, x, y) = (next()?, next()?, next()?, next()?);
        let rect = Rect::new(x, y, width, height);
        if fields.next().is_some() || rect.is_empty() { Err(bad()) } else { Ok(Self::Area(rect)) }
    }
}

/// The display that is chosen; `None` for a choice that needs no list, or that the list has not.
pub fn chosen(displays: &[Display], choice: Choice) -> Option<&Display> {
    match choice {
        Choice::Whole | Choice::Area(_) => None,
        Choice::Number(number) => displays.get(usize::from(number).checked_sub(1)?),
        Choice::Id(id) => displays.iter().find(|display| display.id == id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_people_write_them() {
        for (text, choice) in
            [("all", Choice::Whole), ("2", Choice::Number(2)), ("640x480+1280+0", Choice::Area(Rect::new(1280, 0, 640, 480)))]
        {
            assert_eq!(text.parse(), Ok(choice), "{text}");
        }
        for text in ["", "0", "-1", "70000", "640x480", "640x480+1", "640x480+1+2+3", "0x480+1+2", "640x480+-1+2", "two"] {
            assert!(text.parse::<Choice>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_display_is_chosen_by_its_place_in_the_list_or_its_own_number() {
        let display = |id, x| Display { id, name: String::new(), rect: Rect::new(x, 0, 10, 10), primary: id == 7 };
        let list = [display(7, 0), display(9, 10)];
        let id = |choice| chosen(&list, choice).map(|display| display.id);
        assert_eq!([Choice::Number(2), Choice::Id(7)].map(id), [Some(9), Some(7)]);
        assert_eq!([Choice::Number(3), Choice::Id(8), Choice::Whole].map(id), [None; 3]);
    }
}
