//! How series look, so that they are told apart by people who see few colours, and in prints that have none.

use crate::chart::Chart;
use crate::page::UNIT;
use plotters::element::{Circle, Cross, DynElement, IntoDynElement, PathElement, Polygon, TriangleMarker};
use plotters::prelude::{Color, DrawingBackend, RGBColor};
use std::collections::{BTreeMap, BTreeSet};

/// Okabe and Ito's colours without their yellow, which is too pale on paper; neighbours differ in lightness.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(0, 158, 115),
];
/// How many shapes there are.
const SHAPES: usize = 7;

/// How one series looks. With the number of a look the colours begin anew after seven, and the shapes are others then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) number: usize,
    pub(crate) colour: RGBColor,
    shape: usize,
}

impl Look {
    fn numbered(number: usize) -> Self {
        let colour = COLOURS.into_iter().cycle().nth(number % COLOURS.len()).unwrap_or(RGBColor(0, 0, 0));
        Self { number, colour, shape: (number + number / COLOURS.len()) % SHAPES }
    }

    /// The shape at a place, of about this radius.
    pub(crate) fn shape<DB: DrawingBackend>(self, at: (i32, i32), radius: i32) -> DynElement<'static, DB, (i32, i32)> {
        let (fill, thin) = (self.colour.filled(), self.colour.stroke_width(UNIT.unsigned_abs() * 5 / 4));
        let through = |tenths: &[(i32, i32)]| -> Vec<_> {
            tenths.iter().map(|(x, y)| (at.0 + x * radius / 10, at.1 + y * radius / 10)).collect()
        };
        let filled = |corners: &[(i32, i32)]| Polygon::new(through(corners), fill).into_dyn();
        match self.shape {
            0 => Circle::new(at, radius, fill).into_dyn(),
            1 => Cross::new(at, radius * 9 / 10, thin).into_dyn(),
            2 => TriangleMarker::new(at, radius * 13 / 10, fill).into_dyn(),
            3 => filled(&[(-9, -9), (9, -9), (9, 9), (-9, 9)]),
            4 => PathElement::new(through(&[(-12, 0), (12, 0), (0, 0), (0, -12), (0, 12)]), thin).into_dyn(),
            5 => filled(&[(0, -13), (11, 0), (0, 13), (-11, 0)]),
            _ => filled(&[(-11, -8), (0, 12), (11, -8)]),
        }
    }
}

/// The looks of a sheet's series, chart by chart. A name keeps its look; names that share a chart differ.
pub(crate) fn of(charts: &[Chart]) -> Vec<Vec<Look>> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for name in charts.iter().flat_map(names).filter(|name| !name.is_empty()) {
        if !numbers.contains_key(name) {
            let beside = charts.iter().filter(|chart| names(chart).any(|other| other == name)).flat_map(names);
            let used: BTreeSet<_> = beside.filter_map(|other| numbers.get(other)).collect();
            let free = (0..).find(|number| !used.contains(number)).unwrap_or(0);
            numbers.insert(name, free);
        }
    }
    charts.iter().map(|chart| of_chart(chart, &numbers)).collect()
}

fn names(chart: &Chart) -> impl Iterator<Item = &str> {
    chart.series.iter().map(|series| series.name.as_str())
}

fn of_chart(chart: &Chart, numbers: &BTreeMap<&str, usize>) -> Vec<Look> {
    let mut last = None;
    let look = |(at, name): (usize, &str)| {
        last = numbers.get(name).copied().or(last);
        Look::numbered(last.unwrap_or(at))
    };
    names(chart).enumerate().map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Axis, Series};

    fn chart(names: &[&str]) -> Chart {
        let empty = Chart::new("", Axis::linear(""), Axis::linear(""));
        names.iter().fold(empty, |chart, name| chart.with(Series::line(*name, Vec::new())))
    }

    fn numbers(charts: &[Chart]) -> Vec<Vec<usize>> {
        of(charts).into_iter().map(|looks| looks.into_iter().map(|look| look.number).collect()).collect()
    }

    #[test]
    fn a_name_looks_the_same_in_all_charts_and_no_two_of_a_chart_look_alike() {
        let charts = [chart(&["a", "b"]), chart(&["c", "b"]), chart(&["c", "a"]), chart(&["d"])];
        assert_eq!(numbers(&charts), [vec![0, 1], vec![2, 1], vec![2, 0], vec![0]]);
    }

    #[test]
    fn what_has_no_name_looks_like_the_one_before_it() {
        assert_eq!(numbers(&[chart(&["a", "", "b", "", ""]), chart(&["", ""])]), [vec![0, 0, 1, 1, 1], vec![0, 1]]);
    }

    #[test]
    fn forty_looks_are_forty() {
        let looks: Vec<_> = (0..40).map(Look::numbered).collect();
        let same = |a: &Look, b: &Look| (a.colour, a.shape) == (b.colour, b.shape);
        assert!((0..40).all(|n| (0..n).all(|m| !same(&looks[n], &looks[m]))));
    }
}
