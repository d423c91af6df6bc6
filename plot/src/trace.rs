//! From points of data to what is drawn of them: cut at the plot's edges, which plotters does not, and without what nobody could see apart.

use crate::page::UNIT;
use line_clipping::{LineSegment, Point, Window, cohen_sutherland::clip_line};
use std::collections::BTreeSet;

/// So near to each other, dots and parts of lines are one: half a pixel of the sheet.
const NEAR: i32 = UNIT / 2;
/// Of more dots those are one that are further apart, up to two pixels of the sheet: dots as near cover each other.
const MANY: usize = 8000;
/// Shapes of a line, to tell it from others.
const SHAPES: usize = 5;

/// A place on the page.
pub(crate) type Pixel = (i32, i32);

fn cut(from: Point, to: Point, plot: Window) -> Option<(Pixel, Pixel)> {
    let inside = clip_line(LineSegment::new(from, to), plot)?;
    Some(((rounded(inside.p1.x), rounded(inside.p1.y)), (rounded(inside.p2.x), rounded(inside.p2.y))))
}

/// The lines through `points` inside the plot; a gap is where a point has no place. A line of one point is that point.
pub(crate) fn lines(points: impl Iterator<Item = Option<Point>>, plot: Window) -> Vec<Vec<Pixel>> {
    let mut lines: Vec<Vec<Pixel>> = Vec::new();
    let mut last = None;
    for point in points {
        if let Some((from, to)) = point.and_then(|point| cut(last.unwrap_or(point), point, plot)) {
            match lines.last_mut().filter(|line| last.is_some() && line.last() == Some(&from)) {
                Some(line) => line.push(to),
                None => lines.push(vec![from, to]),
            }
        }
        last = point;
    }
    lines.iter().map(|line| thinned(line)).collect()
}

/// Of all points within half a pixel's width the first, the highest, the lowest and the last: the line looks the same.
fn thinned(line: &[Pixel]) -> Vec<Pixel> {
    let mut thin = Vec::new();
    for group in line.chunk_by(|a, b| a.0 / NEAR == b.0 / NEAR) {
        let height = |point: &&Pixel| point.1;
        let kept = [group.first(), group.iter().min_by_key(height), group.iter().max_by_key(height), group.last()];
        if group.len() > kept.len() { thin.extend(kept.into_iter().flatten()) } else { thin.extend(group) }
    }
    thin.dedup();
    thin
}

/// The corners of steps: each value is kept until the next point.
pub(crate) fn steps(points: impl Iterator<Item = Option<Point>>) -> impl Iterator<Item = Option<Point>> {
    let mut last: Option<Point> = None;
    points.flat_map(move |point| {
        let corner = last.zip(point).map(|(last, point)| Some(Point::new(point.x, last.y)));
        last = point;
        corner.into_iter().chain([point])
    })
}

/// The points inside the plot, without those so near to another that nobody could tell them apart.
pub(crate) fn dots(points: impl Iterator<Item = Option<Point>>, plot: Window) -> Vec<Pixel> {
    let mut dots: Vec<_> = points.flatten().filter_map(|point| Some(cut(point, point, plot)?.0)).collect();
    for near in [NEAR, 2 * NEAR, 4 * NEAR] {
        if near == NEAR || dots.len() > MANY {
            let mut seen = BTreeSet::new();
            dots.retain(|(x, y)| seen.insert((x / near, y / near)));
        }
    }
    dots
}

/// A few places on lines; another `turn` has others.
pub(crate) fn places(lines: &[Vec<Pixel>], turn: usize) -> Vec<Pixel> {
    let pairs = lines.iter().flat_map(|line| line.iter().zip(line.iter().skip(1)));
    let along = pairs.flat_map(|(from, to)| {
        let steps = ((to.0 - from.0).abs().max((to.1 - from.1).abs()) / UNIT).max(1);
        (0..steps).map(move |step| (from.0 + (to.0 - from.0) * step / steps, from.1 + (to.1 - from.1) * step / steps))
    });
    let apart = (along.clone().count() / SHAPES).max(1);
    along.skip(apart * (turn * 6 % 14 + 1) / 14).step_by(apart).take(SHAPES).collect()
}

/// How long lines are together, along both axes.
pub(crate) fn length(lines: &[Vec<Pixel>]) -> i32 {
    let pairs = lines.iter().flat_map(|line| line.iter().zip(line.iter().skip(1)));
    pairs.fold(0, |sum, (from, to)| sum.saturating_add((to.0 - from.0).abs() + (to.1 - from.1).abs()))
}

/// To a whole number; one beyond 32 bits is the last within.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn rounded(value: f64) -> i32 {
    value.round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLOT: Window = Window::new(0.0, 400.0, 0.0, 200.0);

    fn at(points: &[(f64, f64)]) -> impl Iterator<Item = Option<Point>> {
        points.iter().map(|(x, y)| (!x.is_nan()).then_some(Point::new(*x, *y)))
    }

    #[test]
    fn lines_are_cut_at_the_frame_and_end_at_gaps() {
        let inside = [(10.0, 10.0), (20.0, 10.0), (f64::NAN, 0.0), (20.0, 10.0), (f64::NAN, 0.0)];
        assert_eq!(lines(at(&inside), PLOT), [vec![(10, 10), (20, 10)], vec![(20, 10)]]);
        let out_and_back = [(10.0, 190.0), (10.0, 210.0), (20.0, 210.0), (20.0, 190.0), (-20.0, 190.0)];
        assert_eq!(lines(at(&out_and_back), PLOT), [vec![(10, 190), (10, 200)], vec![(20, 200), (20, 190), (0, 190)]]);
        assert_eq!(lines(at(&[(-50.0, 25.0), (450.0, 25.0)]), PLOT), [[(0, 25), (400, 25)]]);
        assert!(lines(at(&[(-5.0, -5.0), (-5.0, 90.0)]), PLOT).is_empty());
    }

    #[test]
    fn a_line_of_many_points_keeps_its_extremes_and_little_else() {
        let noise = |n: u32| f64::from(n.wrapping_mul(2_654_435_761) >> 16) / 65536.0 * 198.0;
        let points: Vec<_> = (0..100_000_u32).map(|n| (f64::from(n) / 250.0, noise(n))).collect();
        let high = points.iter().map(|point| rounded(point.1)).min();
        let drawn = lines(at(&points), PLOT);
        assert!(drawn.len() == 1 && drawn[0].len() <= 4 * 201, "{}", drawn[0].len());
        assert_eq!(drawn[0].iter().map(|point| point.1).min(), high);
    }

    #[test]
    fn steps_keep_a_value_until_the_next_point() {
        let corners = steps(at(&[(0.0, 1.0), (2.0, 5.0), (f64::NAN, 0.0), (3.0, 6.0)]));
        assert!(corners.eq(at(&[(0.0, 1.0), (2.0, 1.0), (2.0, 5.0), (f64::NAN, 0.0), (3.0, 6.0)])));
    }

    #[test]
    fn dots_that_nobody_could_tell_apart_are_one() {
        let many: Vec<_> = (0..100_000_u32).map(|n| (f64::from(n % 1000) / 2.5, f64::from(n / 1000) * 2.0)).collect();
        assert!(dots(at(&many), PLOT).len() <= 101 * 51);
        assert_eq!(dots(at(&[(4.0, 4.0), (4.4, 4.0), (4.0, 6.4), (401.0, 4.0)]), PLOT), [(4, 4), (4, 6)]);
    }

    #[test]
    fn places_along_a_line_are_even_and_differ_by_turn() {
        let line = [vec![(0, 0), (30, 0)], vec![(30, 0), (280, 0)]];
        let first = places(&line, 0);
        assert_eq!(first.len(), 5);
        assert!(first.windows(2).all(|pair| (52..=60).contains(&(pair[1].0 - pair[0].0))), "{first:?}");
        let starts: BTreeSet<_> = (0..7).map(|turn| places(&line, turn)[0].0).collect();
        assert_eq!(starts.len(), 7);
        assert!(places(&[], 0).is_empty() && places(&[vec![(1, 1)]], 0).is_empty());
    }
}
