//! Lays out one chart and draws it: title, legend, axes with their ticks, series, marks.

mod marks;

use crate::axis::Axis;
use crate::chart::{Chart, Mark, Series, Style};
use crate::drawing::{Anchor, Colour, Path, Pen, Point, Shape, Text};
use crate::font::Font;
use crate::look::Look;
use crate::span::{Span, Tick};
use crate::trace::{self, Frame};

/// Of words and axes.
pub(crate) const INK: Colour = Colour(32, 32, 32);
const GRID: Colour = Colour(226, 226, 226);
const TITLE_SIZE: f64 = 14.0;
const LABEL_SIZE: f64 = 13.0;
const TICK_SIZE: f64 = 12.0;
const LINE_WIDTH: f64 = 1.7;
/// A row of the legend.
const ROW: f64 = 18.0;
/// Space around a chart.
const MARGIN: f64 = 10.0;
const TICK_LENGTH: f64 = 4.0;
/// The sample before a name in the legend, with the space behind it.
const SAMPLE: f64 = 26.0;
/// Many points are drawn smaller than few.
const MANY: usize = 1000;

/// A chart and where it is drawn.
pub(crate) struct Plot<'c> {
    pub(crate) chart: &'c Chart,
    pub(crate) looks: &'c [Look],
    pub(crate) legend: Vec<Vec<Entry>>,
    /// Rows that are kept for the legend.
    pub(crate) rows: usize,
    pub(crate) corner: Point,
    pub(crate) size: (f64, f64),
    pub(crate) font: &'c Font,
}

/// A series in the legend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    look: Look,
    style: Style,
    words: String,
    width: f64,
}

/// Both axes on the page.
struct Axes {
    frame: Frame,
    x: Span,
    y: Span,
    across: Vec<Tick>,
    up: Vec<Tick>,
}

impl Axes {
    fn place(&self, (x, y): (f64, f64)) -> Option<Point> {
        Some(Point { x: self.at_x(self.x.place(x)?), y: self.at_y(self.y.place(y)?) })
    }

    fn at_x(&self, share: f64) -> f64 {
        self.frame.left + share * (self.frame.right - self.frame.left)
    }

    fn at_y(&self, share: f64) -> f64 {
        self.frame.bottom - share * (self.frame.bottom - self.frame.top)
    }
}

/// Words without what would break a line.
pub(crate) fn clean(words: &str) -> String {
    let fit = |letter: char| if letter.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&letter) { ' ' } else { letter };
    words.chars().map(fit).collect()
}

/// The legend of a chart, in as many rows as it needs.
pub(crate) fn legend(chart: &Chart, looks: &[Look], font: &Font, width: f64) -> Vec<Vec<Entry>> {
    let room = width - 2.0 * MARGIN;
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    let mut left = 0.0;
    for (series, look) in chart.series.iter().zip(looks).filter(|(series, _)| !series.name.is_empty()) {
        let words = font.fitted(&clean(&series.name), TICK_SIZE, room - SAMPLE);
        let width = SAMPLE + font.width(&words, TICK_SIZE) + 14.0;
        let entry = Entry { look: *look, style: series.style, words, width };
        match rows.last_mut().filter(|_| left >= width - 14.0) {
            Some(row) => row.push(entry),
            None => {
                rows.push(vec![entry]);
                left = room;
            }
        }
        left -= width;
    }
    rows
}

impl Plot<'_> {
    pub(crate) fn draw(self, shapes: &mut Vec<Shape>) {
        let axes = self.axes();
        self.head(&axes, shapes);
        self.grid(&axes, shapes);
        // Values of zero lie on the axis, and are seen there.
        self.edges(&axes, shapes);
        for (series, look) in self.chart.series.iter().zip(self.looks) {
            self.series(series, *look, &axes, shapes);
        }
        marks::lines(&self, &axes, shapes);
        marks::labels(&self, &axes, shapes);
    }

    /// The plot is what the words around it leave.
    fn axes(&self) -> Axes {
        let Chart { title, x, y, series, marks } = self.chart;
        let head = if title.is_empty() { 0.0 } else { 20.0 };
        let top = self.corner.y + MARGIN + head + self.rows_height();
        let below = 22.0 + if x.label.is_empty() { 0.0 } else { 17.0 };
        let bottom = (self.corner.y + self.size.1 - below).max(top + 1.0);
        let room_up = room((bottom - top) / 30.0);
        let of = |pick: fn(&(f64, f64)) -> f64| series.iter().flat_map(|series| &series.points).map(pick);
        let levels = marks.iter().filter_map(|mark| if let Mark::Level { y, .. } = mark { Some(*y) } else { None });
        let moments = marks.iter().filter_map(|mark| if let Mark::At { x, .. } = mark { Some(*x) } else { None });
        let up = Span::of(y, of(|point| point.1).chain(levels), room_up);
        let ticks_up = up.ticks(room_up);
        let widest = ticks_up.iter().map(|tick| self.font.width(&tick.label, TICK_SIZE)).fold(0.0, f64::max);
        let label = if y.label.is_empty() { 0.0 } else { 18.0 };
        let left = self.corner.x + MARGIN + label + widest + TICK_LENGTH + 3.0;
        let edge = self.corner.x + self.size.0 - MARGIN;
        let moments: Vec<_> = of(|point| point.0).chain(moments).collect();
        let (_, ticks) = self.across(x, &moments, edge - left);
        let right = (edge - self.beyond(&ticks, edge - left)).max(left + 1.0);
        let (across, ticks_across) = self.across(x, &moments, right - left);
        Axes { frame: Frame { left, top, right, bottom }, x: across, y: up, across: ticks_across, up: ticks_up }
    }

    /// How far the words of ticks reach beyond the axis.
    fn beyond(&self, ticks: &[Tick], length: f64) -> f64 {
        let end = |tick: &Tick| self.font.width(&tick.label, TICK_SIZE) / 2.0 - (1.0 - tick.at) * length;
        ticks.iter().map(end).fold(4.0, f64::max)
    }

    /// As many ticks as there is room for beside each other.
    fn across(&self, axis: &Axis, values: &[f64], length: f64) -> (Span, Vec<Tick>) {
        let rooms = (2..=room(length / 34.0)).rev();
        let mut least = None;
        for room in rooms {
            let span = Span::of(axis, values.iter().copied(), room);
            let ticks = span.ticks(room);
            let fits = self.fit(&ticks, length);
            least = Some((span, ticks));
            if fits {
                break;
            }
        }
        least.unwrap_or_else(|| (Span::of(axis, values.iter().copied(), 2), Vec::new()))
    }

    fn fit(&self, ticks: &[Tick], length: f64) -> bool {
        let mut places: Vec<_> = ticks.iter().filter(|tick| !tick.label.is_empty()).collect();
        places.sort_by(|a, b| a.at.total_cmp(&b.at));
        let half = |tick: &Tick| self.font.width(&tick.label, TICK_SIZE) / 2.0;
        places.windows(2).all(|pair| match pair {
            [a, b] => (b.at - a.at) * length >= half(a) + half(b) + 9.0,
            _ => true,
        })
    }

    fn rows_height(&self) -> f64 {
        u32::try_from(self.rows).map_or(0.0, f64::from) * ROW + if self.rows > 0 { 4.0 } else { 0.0 }
    }

    fn head(&self, axes: &Axes, shapes: &mut Vec<Shape>) {
        let middle = f64::midpoint(axes.frame.left, axes.frame.right);
        let mut base = self.corner.y + MARGIN;
        if !self.chart.title.is_empty() {
            base += 20.0;
            let words = self.font.fitted(&clean(&self.chart.title), TITLE_SIZE, self.size.0 - 2.0 * MARGIN);
            let half = self.font.width(&words, TITLE_SIZE) / 2.0;
            shapes.push(text(words, Point { x: self.inside(middle, half), y: base - 7.0 }, Anchor::Middle, TITLE_SIZE));
        }
        for row in &self.legend {
            base += ROW;
            let width = row.iter().map(|entry| entry.width).sum::<f64>() - 14.0;
            let mut left = self.inside(middle, width / 2.0) - width / 2.0;
            for entry in row {
                sample(entry, Point { x: left, y: base - 9.0 }, shapes);
                shapes.push(text(entry.words.clone(), Point { x: left + SAMPLE, y: base - 4.5 }, Anchor::Start, TICK_SIZE));
                left += entry.width;
            }
        }
    }

    /// The middle of something so wide that stays inside the chart.
    fn inside(&self, middle: f64, half: f64) -> f64 {
        let (left, right) = (self.corner.x + MARGIN + half, self.corner.x + self.size.0 - MARGIN - half);
        middle.min(right).max(left)
    }

    fn grid(&self, axes: &Axes, shapes: &mut Vec<Shape>) {
        let Frame { left, top, right, bottom } = axes.frame;
        let mut lines = Path::default();
        for tick in axes.across.iter().filter(|tick| !tick.label.is_empty()) {
            lines.0.extend(Path::between(Point { x: axes.at_x(tick.at), y: top }, Point { x: axes.at_x(tick.at), y: bottom }).0);
        }
        for tick in axes.up.iter().filter(|tick| !tick.label.is_empty()) {
            lines.0.extend(Path::between(Point { x: left, y: axes.at_y(tick.at) }, Point { x: right, y: axes.at_y(tick.at) }).0);
        }
        shapes.push(Shape::Lines { path: lines, pen: Pen { colour: GRID, width: 1.0, dash: None } });
    }

    /// Both axes, their ticks and what they say.
    fn edges(&self, axes: &Axes, shapes: &mut Vec<Shape>) {
        let Frame { left, top, right, bottom } = axes.frame;
        let corners = [(left, top), (left, bottom), (right, bottom)].map(|(x, y)| Point { x, y });
        let mut lines = Path::through(&corners);
        for tick in &axes.across {
            let x = axes.at_x(tick.at);
            let long = if tick.label.is_empty() { TICK_LENGTH / 2.0 } else { TICK_LENGTH };
            lines.0.extend(Path::between(Point { x, y: bottom }, Point { x, y: bottom + long }).0);
            if !tick.label.is_empty() {
                shapes.push(text(tick.label.clone(), Point { x, y: bottom + 17.0 }, Anchor::Middle, TICK_SIZE));
            }
        }
        for tick in &axes.up {
            let y = axes.at_y(tick.at);
            let long = if tick.label.is_empty() { TICK_LENGTH / 2.0 } else { TICK_LENGTH };
            lines.0.extend(Path::between(Point { x: left - long, y }, Point { x: left, y }).0);
            if !tick.label.is_empty() {
                shapes.push(text(tick.label.clone(), Point { x: left - TICK_LENGTH - 3.0, y: y + 4.3 }, Anchor::End, TICK_SIZE));
            }
        }
        shapes.push(Shape::Lines { path: lines, pen: Pen { colour: INK, width: 1.0, dash: None } });
        let words = self.font.fitted(&clean(&self.chart.x.label), LABEL_SIZE, self.size.0 - 2.0 * MARGIN);
        let half = self.font.width(&words, LABEL_SIZE) / 2.0;
        let middle = self.inside(f64::midpoint(left, right), half);
        shapes.push(text(words, Point { x: middle, y: self.corner.y + self.size.1 - 6.0 }, Anchor::Middle, LABEL_SIZE));
        shapes.push(self.label_up(f64::midpoint(top, bottom)));
    }

    fn label_up(&self, middle: f64) -> Shape {
        let words = self.font.fitted(&clean(&self.chart.y.label), LABEL_SIZE, self.size.1 - 2.0 * MARGIN);
        let half = self.font.width(&words, LABEL_SIZE) / 2.0;
        let low = self.corner.y + self.size.1 - MARGIN - half;
        let at = Point { x: self.corner.x + MARGIN + 11.0, y: middle.min(low).max(self.corner.y + MARGIN + half) };
        Shape::Text(Text { words, at, anchor: Anchor::Middle, size: LABEL_SIZE, colour: INK, upwards: true, halo: false })
    }

    fn series(&self, series: &Series, look: Look, axes: &Axes, shapes: &mut Vec<Shape>) {
        let points = || series.points.iter().map(|point| axes.place(*point));
        let lines = match series.style {
            Style::Dots => Vec::new(),
            Style::Steps => trace::lines(trace::steps(points()), &axes.frame),
            Style::Line | Style::Dashed | Style::Marked => trace::lines(points(), &axes.frame),
        };
        let path = Path(lines.iter().filter(|line| line.len() > 1).flat_map(|line| Path::through(line).0).collect());
        if !path.is_empty() {
            shapes.push(Shape::Lines { path, pen: pen(series.style, look) });
        }
        let centres = match series.style {
            Style::Dots | Style::Marked => trace::dots(points(), &axes.frame),
            _ => {
                let several = self.chart.series.iter().filter(|series| series.style != Style::Dots).count() > 1;
                let lonely = lines.iter().filter(|line| line.len() == 1).flatten().copied();
                lonely.chain(if several { trace::places(&lines, look.number) } else { Vec::new() }).collect()
            }
        };
        if !centres.is_empty() {
            let radius = match series.style {
                Style::Dots if centres.len() > MANY => 1.5,
                Style::Dots => 2.0,
                _ => 2.6,
            };
            shapes.push(Shape::Markers { marker: look.marker, radius, colour: look.colour, centres });
        }
    }
}

/// What stands before a name in the legend.
fn sample(entry: &Entry, at: Point, shapes: &mut Vec<Shape>) {
    let (colour, marker) = (entry.look.colour, entry.look.marker);
    if entry.style != Style::Dots {
        let path = Path::between(at, Point { x: at.x + SAMPLE - 5.0, y: at.y });
        shapes.push(Shape::Lines { path, pen: pen(entry.style, entry.look) });
    }
    let centres = vec![Point { x: at.x + (SAMPLE - 5.0) / 2.0, y: at.y }];
    shapes.push(Shape::Markers { marker, radius: 2.6, colour, centres });
}

fn pen(style: Style, look: Look) -> Pen {
    Pen { colour: look.colour, width: LINE_WIDTH, dash: (style == Style::Dashed).then_some((6.0, 3.5)) }
}

fn text(words: String, at: Point, anchor: Anchor, size: f64) -> Shape {
    Shape::Text(Text { words, at, anchor, size, colour: INK, upwards: false, halo: false })
}

/// How often something fits, at least twice.
fn room(times: f64) -> usize {
    (2..=40_u16).rev().find(|count| f64::from(*count) <= times).unwrap_or(2).into()
}
