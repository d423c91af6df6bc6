//! A terminal in which source code scrolls: in bursts, with rests between them.

use std::time::Duration;

use treevnc_protocol::geometry::Rect;

use super::backdrop::DARK;
use super::code::{Cells, ON_DARK};
use super::place::Scale;
use super::surface::Surface;
use super::{Part, scattered};

const SOURCE: &str = include_str!("../scene.rs");
/// Lines of one burst and the time of each, then the time to the next burst.
const BURST_LINES: u128 = 36;
const LINE_MS: u128 = 100;
const CYCLE_MS: u128 = 5_000;

/// The terminal's content.
pub(super) struct Terminal {
    area: Rect,
    cells: Cells,
    lines: Vec<&'static str>,
    first: usize,
    scrolled: Option<usize>,
}

impl Terminal {
    pub(super) fn new(scale: Scale, seed: u64) -> Self {
        let area = scale.inside(scale.terminal());
        let lines: Vec<_> = SOURCE.lines().collect();
        let first = usize::try_from(scattered(seed, 1) % 64).unwrap_or(0);
        Self { area, cells: Cells::new(scale, area, 10.0), lines, first, scrolled: None }
    }
}

impl Part for Terminal {
    fn area(&self) -> Rect {
        self.area
    }

    fn advance(&mut self, at: Duration) -> Vec<Rect> {
        let (cycle, within) = (at.as_millis() / CYCLE_MS, at.as_millis() % CYCLE_MS);
        let lines = cycle * BURST_LINES + (within / LINE_MS).min(BURST_LINES);
        let now = usize::try_from(lines).unwrap_or(0);
        if self.scrolled.replace(now) == Some(now) { Vec::new() } else { vec![self.area] }
    }

    fn draw(&self, surface: &mut Surface<'_>) {
        surface.fill(self.area, DARK);
        let start = self.first + self.scrolled.unwrap_or(0);
        let lines = self.lines.iter().cycle().skip(start % self.lines.len().max(1));
        for (row, line) in (0..self.cells.rows()).zip(lines) {
            self.cells.draw(surface, row, line, &ON_DARK);
        }
    }
}
