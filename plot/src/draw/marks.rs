//! Marks: thin dotted lines through the plot, and their labels.

use super::Axes;
use crate::chart::Mark;
use crate::page::{self, Area, Drawn, UNIT};
use crate::trace::{Pixel, rounded};
use plotters::element::{DashedPathElement, Rectangle};
use plotters::prelude::{Color, DrawingBackend, RGBColor, WHITE};
use plotters::style::text_anchor::{HPos, VPos};

const LINE: RGBColor = RGBColor(96, 96, 96);
const SIZE: i32 = 11;
/// From one row of labels to the next.
const ROW: i32 = 13 * UNIT;
/// Labels of moments go further down by turns, as those of neighbours lie on each other otherwise.
const ROWS: i32 = 4;
/// Between a line and its label.
const GAP: i32 = 4 * UNIT;

/// Draws the lines, and above them the labels: a moment's beside the top of its line, a level's at the right, above its line.
pub(super) fn draw<DB: DrawingBackend>(marks: &[Mark], axes: &Axes, page: &Area<DB>) -> Drawn<DB> {
    let [left, right, top, bottom] = [axes.plot.x_min, axes.plot.x_max, axes.plot.y_min, axes.plot.y_max].map(rounded);
    let mut rows = (0..ROWS.min((bottom - top) / ROW).max(1)).cycle();
    let mut labels = Vec::new();
    for mark in marks {
        let (value, Mark::At { label, .. } | Mark::Level { label, .. }) = (point(mark, axes), mark);
        let Some((x, y)) = value.filter(|(x, y)| (left..=right).contains(x) && (top..=bottom).contains(y)) else { continue };
        let words = page::fitted(label, SIZE, right - left - 2 * GAP);
        let width = page::width(&words, SIZE);
        let (line, at) = match mark {
            Mark::At { .. } => {
                let beside = if x + GAP + width <= right { x + GAP } else { (x - GAP - width).max(left) };
                ([(x, top), (x, bottom)], (beside, top + ROW / 2 + ROW * rows.next().unwrap_or(0)))
            }
            Mark::Level { .. } => {
                let above = if y - ROW * 7 / 6 >= top { -ROW } else { ROW };
                ([(left, y), (right, y)], (right - GAP - width, y + above * 2 / 3))
            }
        };
        page.draw(&DashedPathElement::new(line, 2 * UNIT, 3 * UNIT, LINE.stroke_width(5)))?;
        labels.push((words, width, at));
    }
    for (words, width, at) in labels.into_iter().filter(|(words, ..)| !words.is_empty()) {
        let back = [(at.0 - UNIT, at.1 - ROW / 2), (at.0 + width + UNIT, at.1 + ROW / 2)];
        page.draw(&Rectangle::new(back, WHITE.mix(0.7).filled()))?;
        page.draw_text(&words, &page::text(SIZE, HPos::Left, VPos::Center), at)?;
    }
    Ok(())
}

/// Where the line of a mark meets an axis.
fn point(mark: &Mark, axes: &Axes) -> Option<Pixel> {
    let value = match mark {
        Mark::At { x, .. } => (*x, axes.y.from),
        Mark::Level { y, .. } => (axes.x.from, *y),
    };
    axes.place(value).map(|at| (rounded(at.x), rounded(at.y)))
}
