//! Marks: thin dotted lines through the plot, and their labels.

use super::{Axes, INK, Plot, clean};
use crate::chart::Mark;
use crate::drawing::{Anchor, Colour, Path, Pen, Point, Shape, Text};

const LINE: Colour = Colour(96, 96, 96);
const SIZE: f64 = 11.0;
/// From one row of labels to the next.
const ROW: f64 = 13.0;
/// Labels that would lie on each other go further down; after so many rows they lie on each other all the same.
const ROWS: usize = 8;

pub(super) fn lines(plot: &Plot, axes: &Axes, shapes: &mut Vec<Shape>) {
    let mut path = Path::default();
    for mark in &plot.chart.marks {
        if let Some((from, to)) = line(mark, axes) {
            path.0.extend(Path::between(from, to).0);
        }
    }
    if !path.is_empty() {
        shapes.push(Shape::Lines { path, pen: Pen { colour: LINE, width: 1.2, dash: Some((2.0, 3.0)) } });
    }
}

/// A moment's label stands beside the top of its line, a level's at the right, above its line.
pub(super) fn labels(plot: &Plot, axes: &Axes, shapes: &mut Vec<Shape>) {
    let mut taken: Vec<(f64, f64, usize)> = Vec::new();
    for mark in &plot.chart.marks {
        let Some((from, _)) = line(mark, axes) else { continue };
        let (Mark::At { label, .. } | Mark::Level { label, .. }) = mark;
        let words = plot.font.fitted(&clean(label), SIZE, axes.frame.right - axes.frame.left - 8.0);
        let width = plot.font.width(&words, SIZE);
        let (left, base) = match mark {
            Mark::At { .. } => {
                let right_of = from.x + 4.0;
                let left =
                    if right_of + width <= axes.frame.right { right_of } else { (from.x - 4.0 - width).max(axes.frame.left) };
                let free = |row: &usize| taken.iter().all(|(a, b, at)| at != row || left > b + 4.0 || left + width < a - 4.0);
                let row = (0..ROWS).find(free).unwrap_or(0);
                taken.push((left, left + width, row));
                (left, axes.frame.top + 11.0 + u32::try_from(row).map_or(0.0, f64::from) * ROW)
            }
            Mark::Level { .. } => {
                let above = from.y - 4.0;
                (axes.frame.right - 4.0 - width, if above - SIZE >= axes.frame.top { above } else { from.y + SIZE + 2.0 })
            }
        };
        let at = Point { x: left, y: base };
        shapes.push(Shape::Text(Text { words, at, anchor: Anchor::Start, size: SIZE, colour: INK, upwards: false, halo: true }));
    }
}

fn line(mark: &Mark, axes: &Axes) -> Option<(Point, Point)> {
    let shown = |share: &f64| (0.0..=1.0).contains(share);
    match mark {
        Mark::At { x, .. } => {
            let x = axes.at_x(axes.x.place(*x).filter(shown)?);
            Some((Point { x, y: axes.frame.top }, Point { x, y: axes.frame.bottom }))
        }
        Mark::Level { y, .. } => {
            let y = axes.at_y(axes.y.place(*y).filter(shown)?);
            Some((Point { x: axes.frame.left, y }, Point { x: axes.frame.right, y }))
        }
    }
}
