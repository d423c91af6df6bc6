//! From points of data to what is drawn of them: cut at the plot's frame, and without what nobody could see apart.

use crate::drawing::Point;
use std::collections::BTreeSet;

/// Shapes of a line stand so many to its length, to tell it from others.
const SHAPES: u32 = 5;

/// More dots than that cover each other.
const VERY_MANY: usize = 20_000;

/// Where a plot is on its page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    pub(crate) fn has(&self, point: &Point) -> bool {
        let near = 0.05;
        (self.left - near..=self.right + near).contains(&point.x) && (self.top - near..=self.bottom + near).contains(&point.y)
    }

    /// The part of a line that is inside (Liang and Barsky).
    fn cut(&self, from: Point, to: Point) -> Option<(Point, Point)> {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let (mut first, mut last) = (0.0_f64, 1.0_f64);
        let sides = [(-dx, from.x - self.left), (dx, self.right - from.x), (-dy, from.y - self.top), (dy, self.bottom - from.y)];
        for (towards, room) in sides {
            if towards == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if towards < 0.0 {
                first = first.max(room / towards);
            } else {
                last = last.min(room / towards);
            }
        }
        let at = |share: f64| Point { x: from.x + share * dx, y: from.y + share * dy };
        (first <= last).then(|| (at(first), at(last)))
    }
}

/// The lines through `points` inside the frame; a gap is where a point has no place. A line of one point is that point.
pub(crate) fn lines(points: impl Iterator<Item = Option<Point>>, frame: &Frame) -> Vec<Vec<Point>> {
    let mut lines: Vec<Vec<Point>> = Vec::new();
    let mut last: Option<Point> = None;
    let mut joined = false;
    for point in points {
        let Some(point) = point else {
            last = None;
            joined = false;
            continue;
        };
        match last.map(|last| frame.cut(last, point)) {
            None if frame.has(&point) => {
                lines.push(vec![point]);
                joined = true;
            }
            None | Some(None) => joined = false,
            Some(Some((from, to))) => {
                match lines.last_mut().filter(|_| joined) {
                    Some(line) => line.push(to),
                    None => lines.push(vec![from, to]),
                }
                joined = frame.has(&point);
            }
        }
        last = Some(point);
    }
    lines.iter().map(|line| thinned(line)).collect()
}

/// Of all points within half a pixel's width the first, the highest, the lowest and the last: the line looks the same.
fn thinned(line: &[Point]) -> Vec<Point> {
    let column = |point: &Point| (point.x * 2.0).floor();
    let mut thin: Vec<Point> = Vec::new();
    for group in line.chunk_by(|a, b| column(a) == column(b)) {
        let by_height = |a: &(usize, &Point), b: &(usize, &Point)| a.1.y.total_cmp(&b.1.y);
        let highest = group.iter().enumerate().min_by(by_height).map(|(at, _)| at);
        let lowest = group.iter().enumerate().max_by(by_height).map(|(at, _)| at);
        let kept: BTreeSet<_> = [Some(0), highest, lowest, group.len().checked_sub(1)].into_iter().flatten().collect();
        thin.extend(kept.into_iter().filter_map(|at| group.get(at)));
    }
    thin
}

/// The corners of steps: each value is kept until the next point.
pub(crate) fn steps(points: impl Iterator<Item = Option<Point>>) -> impl Iterator<Item = Option<Point>> {
    let mut last: Option<Point> = None;
    points.flat_map(move |point| {
        let corner = last.zip(point).map(|(last, point)| Some(Point { x: point.x, y: last.y }));
        last = point;
        corner.into_iter().chain([point])
    })
}

/// The points inside the frame; of those within half a pixel of each other, or within one pixel when there are very many, one.
pub(crate) fn dots(points: impl Iterator<Item = Option<Point>>, frame: &Frame) -> Vec<Point> {
    let fine = apart(points.flatten().filter(|point| frame.has(point)), 2.0);
    if fine.len() > VERY_MANY { apart(fine.into_iter(), 1.0) } else { fine }
}

/// The first point of each cell; so many cells are a pixel wide.
fn apart(points: impl Iterator<Item = Point>, per_pixel: f64) -> Vec<Point> {
    let mut seen = BTreeSet::new();
    // Rounded numbers are equal exactly when their bits are, but for the sign of zero.
    let cell = |at: f64| ((at * per_pixel).round() + 0.0).to_bits();
    points.filter(|point| seen.insert((cell(point.x), cell(point.y)))).collect()
}

/// A few places along the lines, evenly; another `turn` has others.
pub(crate) fn places(lines: &[Vec<Point>], turn: usize) -> Vec<Point> {
    let length = |(a, b): (&Point, &Point)| (b.x - a.x).hypot(b.y - a.y);
    let pieces = || lines.iter().flat_map(|line| line.iter().zip(line.iter().skip(1)));
    let whole: f64 = pieces().map(length).sum();
    let shift = (u32::try_from(turn % 7).map_or(0.0, f64::from) * 3.0 % 7.0 + 0.5) / 7.0;
    let mut wanted = (0..SHAPES).map(|n| (f64::from(n) + shift) / f64::from(SHAPES) * whole).peekable();
    let (mut places, mut before) = (Vec::new(), 0.0);
    for (from, to) in pieces() {
        let long = length((from, to));
        while let Some(at) = wanted.next_if(|at| long > 0.0 && *at <= before + long) {
            let share = ((at - before) / long).clamp(0.0, 1.0);
            places.push(Point { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) });
        }
        before += long;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { left: 0.0, top: 0.0, right: 100.0, bottom: 50.0 };

    fn at(points: &[(f64, f64)]) -> Vec<Option<Point>> {
        points.iter().map(|(x, y)| (!x.is_nan()).then_some(Point { x: *x, y: *y })).collect()
    }

    fn plain(lines: Vec<Vec<Point>>) -> Vec<Vec<(f64, f64)>> {
        lines.into_iter().map(|line| line.into_iter().map(|point| (point.x, point.y)).collect()).collect()
    }

    #[test]
    fn lines_are_cut_at_the_frame_and_end_at_gaps() {
        let inside = at(&[(10.0, 10.0), (20.0, 10.0), (f64::NAN, 0.0), (30.0, 10.0), (f64::NAN, 0.0)]);
        assert_eq!(plain(lines(inside.into_iter(), &FRAME)), [vec![(10.0, 10.0), (20.0, 10.0)], vec![(30.0, 10.0)]]);
        let out_and_back = at(&[(10.0, 40.0), (10.0, 60.0), (20.0, 60.0), (20.0, 40.0), (-20.0, 40.0)]);
        let cut = [vec![(10.0, 40.0), (10.0, 50.0)], vec![(20.0, 50.0), (20.0, 40.0), (0.0, 40.0)]];
        assert_eq!(plain(lines(out_and_back.into_iter(), &FRAME)), cut);
        let across = at(&[(-50.0, 25.0), (150.0, 25.0)]);
        assert_eq!(plain(lines(across.into_iter(), &FRAME)), [[(0.0, 25.0), (100.0, 25.0)]]);
        assert!(lines(at(&[(-5.0, -5.0), (-5.0, 90.0)]).into_iter(), &FRAME).is_empty());
    }

    #[test]
    fn a_line_of_many_points_keeps_its_extremes_and_little_else() {
        let noise = |n: u32| f64::from(n.wrapping_mul(2_654_435_761) >> 16) / 65536.0 * 48.0;
        let points: Vec<_> = (0..100_000_u32).map(|n| Some(Point { x: f64::from(n) / 1000.0, y: noise(n) })).collect();
        let high = points.iter().flatten().map(|point| point.y).fold(f64::MAX, f64::min);
        let drawn = lines(points.into_iter(), &FRAME);
        assert!(drawn.len() == 1 && drawn[0].len() <= 4 * 201, "{}", drawn[0].len());
        assert!(drawn[0].iter().any(|point| point.y == high));
    }

    #[test]
    fn steps_keep_a_value_until_the_next_point() {
        let corners: Vec<_> = steps(at(&[(0.0, 1.0), (2.0, 5.0), (f64::NAN, 0.0), (3.0, 6.0)]).into_iter()).collect();
        assert_eq!(corners, at(&[(0.0, 1.0), (2.0, 1.0), (2.0, 5.0), (f64::NAN, 0.0), (3.0, 6.0)]));
    }

    #[test]
    fn dots_that_nobody_could_tell_apart_are_one() {
        let many = (0..100_000_u32).map(|n| Some(Point { x: f64::from(n % 1000) / 10.0, y: f64::from(n / 1000) / 2.0 }));
        assert!(dots(many, &FRAME).len() <= 101 * 51);
        let drawn = dots(at(&[(1.0, 1.0), (1.1, 1.0), (1.0, 1.6), (101.0, 1.0)]).into_iter(), &FRAME);
        assert_eq!(plain(vec![drawn]), [[(1.0, 1.0), (1.0, 1.6)]]);
    }

    #[test]
    fn places_along_a_line_are_even_and_differ_by_turn() {
        let line = [lines(at(&[(0.0, 0.0), (100.0, 0.0)]).into_iter(), &FRAME).remove(0)];
        let first = places(&line, 0);
        assert_eq!(first.len(), 5);
        assert!(first.windows(2).all(|pair| (pair[1].x - pair[0].x - 20.0).abs() < 1e-9));
        let starts: BTreeSet<_> = (0..7).map(|turn| places(&line, turn)[0].x.to_bits()).collect();
        assert_eq!(starts.len(), 7);
        assert!(places(&[], 0).is_empty() && places(&[vec![Point::default()]], 0).is_empty());
    }
}
