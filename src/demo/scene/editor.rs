//! An editor in which somebody types, not quite evenly, with a cursor that blinks at rest.

use std::time::Duration;

use treevnc_protocol::geometry::Rect;

use super::backdrop::LIGHT;
use super::code::{Cells, ON_LIGHT};
use super::place::Scale;
use super::surface::Surface;
use super::{Part, scattered};

const TEXT: &str = "\
// Where a node hangs in the tree.
fn parent(slot: u32) -> Option<u32> {
    slot.checked_sub(1).map(|n| n / 2)
}

// How far it is from the root.
fn depth(slot: u32) -> u32 {
    (slot + 1).ilog2()
}

// A hundred viewers: six levels, and
// nobody sends more than two copies.
assert_eq!(depth(99), 6);";
const REST: Duration = Duration::from_secs(4);
const CURSOR: u32 = 0x003b_82c4;

/// The editor's content. The text is typed, rests, and begins anew.
pub(super) struct Editor {
    area: Rect,
    cells: Cells,
    /// When each character stands there.
    typed_at: Vec<Duration>,
    shown: Option<Typed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Typed {
    characters: usize,
    cursor: bool,
}

impl Editor {
    pub(super) fn new(scale: Scale, seed: u64) -> Self {
        let area = scale.inside(scale.editor());
        let mut time = Duration::from_millis(500);
        let typed_at = TEXT.chars().zip(2..).map(|(character, index)| {
            let pause = if character == '\n' { 300 } else { 45 };
            time += Duration::from_millis(pause + scattered(seed, index) % 80);
            time
        });
        Self { area, cells: Cells::new(scale, area, 13.0), typed_at: typed_at.collect(), shown: None }
    }

    fn typed(&self, at: Duration) -> Typed {
        let typing = self.typed_at.last().copied().unwrap_or_default();
        let cycle = (typing + REST).as_millis().max(1);
        let within = Duration::from_millis(u64::try_from(at.as_millis() % cycle).unwrap_or(0));
        let characters = self.typed_at.partition_point(|&time| time <= within);
        Typed { characters, cursor: within < typing || (within.as_millis() / 500).is_multiple_of(2) }
    }

    /// Row and column behind so many characters.
    fn place(characters: usize) -> (u16, u16) {
        TEXT.chars().take(characters).fold((0, 0), |(row, column), c| if c == '\n' { (row + 1, 0) } else { (row, column + 1) })
    }
}

impl Part for Editor {
    fn area(&self) -> Rect {
        self.area
    }

    fn advance(&mut self, at: Duration) -> Vec<Rect> {
        let now = self.typed(at);
        let Some(before) = self.shown.replace(now) else { return vec![self.area] };
        if before == now {
            return Vec::new();
        }
        let (first, last) = (Self::place(before.characters), Self::place(now.characters));
        match now.characters.checked_sub(before.characters) {
            None => vec![self.area],
            Some(0) => vec![self.cells.cell(first.0, first.1)],
            Some(_) => (first.0..=last.0).map(|row| self.cells.around(row)).collect(), // a word's colour changes as it grows
        }
    }

    fn draw(&self, surface: &mut Surface<'_>) {
        surface.fill(self.area, LIGHT);
        let Some(shown) = self.shown else { return };
        let text: String = TEXT.chars().take(shown.characters).collect();
        for (row, line) in (0..).zip(text.lines()) {
            self.cells.draw(surface, row, line, &ON_LIGHT);
        }
        if shown.cursor {
            let (row, column) = Self::place(shown.characters);
            let mut cursor = self.cells.cell(row, column);
            cursor.width = cursor.width.div_ceil(4);
            surface.fill(cursor, CURSOR);
        }
    }
}
