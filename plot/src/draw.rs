//! Lays out one chart and draws it: title and legend above the plot, axes with their ticks, series, marks.

mod marks;

use crate::chart::{Chart, Mark, Series, Style};
use crate::look::Look;
use crate::page::{self, Area, Drawn, INK, UNIT};
use crate::span::Span;
use crate::trace::{self, Pixel};
use line_clipping::{Point, Window};
use plotters::chart::ChartBuilder;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::element::{DashedPathElement, PathElement};
use plotters::prelude::{Color, DrawingBackend, RGBColor, ShapeStyle};
use plotters::style::text_anchor::{HPos, VPos};

const GRID: RGBColor = RGBColor(222, 222, 222);
/// Between the ticks of a logarithmic axis.
const FINE_GRID: RGBColor = RGBColor(240, 240, 240);
const TITLE_SIZE: i32 = 14;
const LABEL_SIZE: i32 = 13;
const TICK_SIZE: i32 = 12;
const LINE_WIDTH: u32 = 7;
/// Space around a chart.
const MARGIN: i32 = 10 * UNIT;
const TITLE_HEIGHT: i32 = 20 * UNIT;
/// A row of the legend.
const ROW: i32 = 18 * UNIT;
const TICK_LENGTH: i32 = 4 * UNIT;
/// The sample before a name in the legend, the space behind it, and the space behind a name.
const SAMPLE: i32 = 21 * UNIT;
const GAP: i32 = 5 * UNIT;
const APART: i32 = 14 * UNIT;
/// Of shapes that stand on lines and before names.
const RADIUS: i32 = 10;
/// Many points are drawn smaller than few.
const MANY: usize = 1000;
/// A line of more dashes than that is so dense that nobody sees them.
const DASHES: i32 = 2500;
/// Dashes of lines, and what is between them.
const DASH: (i32, i32) = (6 * UNIT, 4 * UNIT);

/// A chart and where it is drawn.
pub(crate) struct Plot<'c, DB: DrawingBackend> {
    chart: &'c Chart,
    looks: &'c [Look],
    legend: Vec<Vec<Entry>>,
    area: &'c Area<DB>,
}

/// A series in the legend.
struct Entry {
    look: Look,
    style: Style,
    words: String,
    width: i32,
}

/// Both axes on the page.
struct Axes {
    plot: Window,
    x: Span,
    y: Span,
}

impl Axes {
    fn place(&self, (x, y): (f64, f64)) -> Option<Point> {
        let Window { x_min, x_max, y_min, y_max } = self.plot;
        Some(Point::new(x_min + self.x.place(x)? * (x_max - x_min), y_max - self.y.place(y)? * (y_max - y_min)))
    }
}

impl<'c, DB: DrawingBackend> Plot<'c, DB> {
    /// Lays out the legend, in as many rows as it needs and half of the chart holds.
    pub(crate) fn new(chart: &'c Chart, looks: &'c [Look], area: &'c Area<DB>) -> Self {
        let (width, height) = page::size(area);
        let room = width - 2 * MARGIN;
        let mut legend: Vec<Vec<Entry>> = Vec::new();
        let mut left = 0;
        for (series, look) in chart.series.iter().zip(looks).filter(|(series, _)| !series.name.is_empty()) {
            let words = page::fitted(&series.name, TICK_SIZE, room - SAMPLE - GAP);
            let width = SAMPLE + GAP + page::width(&words, TICK_SIZE);
            let entry = Entry { look: *look, style: series.style, words, width };
            match legend.last_mut().filter(|_| left >= width) {
                Some(row) => row.push(entry),
                None => {
                    legend.push(vec![entry]);
                    left = room;
                }
            }
            left -= width + APART;
        }
        legend.truncate(usize::try_from((height / 2 - MARGIN - TITLE_HEIGHT) / ROW).unwrap_or(0));
        Self { chart, looks, legend, area }
    }

    /// How many rows the legend has.
    pub(crate) fn rows(&self) -> usize {
        self.legend.len()
    }

    /// Draws the chart with this many rows kept for the legend.
    pub(crate) fn draw(&self, rows: usize, page: &Area<DB>) -> Drawn<DB> {
        let title = if self.chart.title.is_empty() { 0 } else { TITLE_HEIGHT };
        let head = MARGIN + title + ROW * i32::try_from(rows).unwrap_or(0);
        let (above, body) = self.area.split_vertically(head);
        let axes = self.axes(&body)?;
        self.head(&above, title, &axes)?;
        for (series, look) in self.chart.series.iter().zip(self.looks) {
            self.series(series, *look, &axes, page)?;
        }
        marks::draw(&self.chart.marks, &axes, page)
    }

    /// Draws the axes. The plot is what the words around it leave.
    fn axes(&self, body: &Area<DB>) -> Drawn<DB, Axes> {
        let Chart { x, y, .. } = self.chart;
        let (across, up) = spans(self.chart);
        let (width, height) = page::size(body);
        let below = 22 * UNIT + if x.label.is_empty() { 0 } else { 17 * UNIT };
        let ticks_up = usize::try_from((height - below) / (26 * UNIT)).unwrap_or(0).max(2);
        let widest = |span: &Span, most| span.ticks(most).iter().map(|tick| tick_width(span, *tick)).max().unwrap_or(0);
        let label = if y.label.is_empty() { 0 } else { 18 * UNIT };
        let left = (widest(&up, ticks_up) + label + 2 * TICK_LENGTH).min(width / 2);
        let right = MARGIN.max(widest(&across, 2) / 2);
        let length = width - left - MARGIN - right;
        let ticks_across = (2..=12).rev().find(|most| side_by_side(&across, *most, length)).unwrap_or(2);

        let mut chart = ChartBuilder::on(body)
            .margin_left(MARGIN)
            .margin_right(right)
            .x_label_area_size(below)
            .y_label_area_size(left)
            .build_cartesian_2d(across, up)?;
        let mut mesh = chart.configure_mesh();
        let thin = |colour: RGBColor| colour.stroke_width(UNIT.unsigned_abs());
        mesh.bold_line_style(thin(GRID)).light_line_style(thin(FINE_GRID)).axis_style(thin(INK));
        mesh.set_all_tick_mark_size(TICK_LENGTH).x_labels(ticks_across).y_labels(ticks_up);
        mesh.label_style(page::text(TICK_SIZE, HPos::Center, VPos::Center));
        mesh.axis_desc_style(page::text(LABEL_SIZE, HPos::Center, VPos::Center));
        if !x.label.is_empty() {
            mesh.x_desc(page::fitted(&x.label, LABEL_SIZE, length + 2 * MARGIN));
        }
        if !y.label.is_empty() {
            mesh.y_desc(page::fitted(&y.label, LABEL_SIZE, height - below + 2 * MARGIN));
        }
        mesh.draw()?;
        let (wide, high) = chart.plotting_area().get_pixel_range();
        let [left, right, top, bottom] = [wide.start, wide.end, high.start, high.end].map(f64::from);
        Ok(Axes { plot: Window::new(left, right, top, bottom), x: across, y: up })
    }

    /// Title and legend, above the middle of the plot.
    fn head(&self, above: &Area<DB>, title: i32, axes: &Axes) -> Drawn<DB> {
        let (width, _) = page::size(above);
        let middle = trace::rounded(f64::midpoint(axes.plot.x_min, axes.plot.x_max)) - above.get_base_pixel().0;
        let inside = |wide: i32| (middle - wide / 2).min(width - MARGIN - wide).max(MARGIN);
        let text = |size| page::text(size, HPos::Left, VPos::Center);
        if title > 0 {
            let words = page::fitted(&self.chart.title, TITLE_SIZE, width - 2 * MARGIN);
            let at = (inside(page::width(&words, TITLE_SIZE)), MARGIN / 2 + title / 2);
            above.draw_text(&words, &text(TITLE_SIZE), at)?;
        }
        let mut y = MARGIN / 2 + title + ROW / 2;
        for row in &self.legend {
            let mut x = inside(row.iter().map(|entry| entry.width + APART).sum::<i32>() - APART);
            for entry in row {
                if entry.style != Style::Dots {
                    line(vec![(x, y), (x + SAMPLE, y)], entry.style, entry.look, above)?;
                }
                above.draw(&entry.look.shape((x + SAMPLE / 2, y), RADIUS))?;
                above.draw_text(&entry.words, &text(TICK_SIZE), (x + SAMPLE + GAP, y))?;
                x += entry.width + APART;
            }
            y += ROW;
        }
        Ok(())
    }

    fn series(&self, series: &Series, look: Look, axes: &Axes, page: &Area<DB>) -> Drawn<DB> {
        let points = || series.points.iter().map(|point| axes.place(*point));
        let lines = match series.style {
            Style::Dots => Vec::new(),
            Style::Steps => trace::lines(trace::steps(points()), axes.plot),
            Style::Line | Style::Dashed | Style::Marked => trace::lines(points(), axes.plot),
        };
        let (lonely, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.len() == 1);
        let dense = trace::length(&lines) / (DASH.0 + DASH.1) > DASHES;
        let style = if dense { Style::Line } else { series.style };
        lines.iter().try_for_each(|points| line(points.clone(), style, look, page))?;
        let several = self.chart.series.iter().filter(|series| series.style != Style::Dots).count() > 1;
        let dots = match series.style {
            Style::Dots | Style::Marked => trace::dots(points(), axes.plot),
            _ if several => [lonely.concat(), trace::places(&lines, look.number)].concat(),
            _ => lonely.concat(),
        };
        let radius = match series.style {
            Style::Dots if dots.len() > MANY => 6,
            Style::Dots => 8,
            _ => RADIUS,
        };
        dots.into_iter().try_for_each(|at| page.draw(&look.shape(at, radius)))
    }
}

fn spans(Chart { x, y, series, marks, .. }: &Chart) -> (Span, Span) {
    let of = |pick: fn(&(f64, f64)) -> f64| series.iter().flat_map(|series| &series.points).map(pick);
    let moments = marks.iter().filter_map(|mark| if let Mark::At { x, .. } = mark { Some(*x) } else { None });
    let levels = marks.iter().filter_map(|mark| if let Mark::Level { y, .. } = mark { Some(*y) } else { None });
    (Span::of(x, of(|point| point.0).chain(moments)), Span::of(y, of(|point| point.1).chain(levels)))
}

fn line<DB: DrawingBackend>(points: Vec<Pixel>, style: Style, look: Look, area: &Area<DB>) -> Drawn<DB> {
    let pen: ShapeStyle = look.colour.stroke_width(LINE_WIDTH);
    match style {
        Style::Dashed => area.draw(&DashedPathElement::new(points, DASH.0, DASH.1, pen)),
        _ => area.draw(&PathElement::new(points, pen)),
    }
}

fn tick_width(span: &Span, tick: f64) -> i32 {
    page::width(&span.format_ext(&tick), TICK_SIZE)
}

/// Whether the words of ticks have room beside each other.
fn side_by_side(span: &Span, most: usize, length: i32) -> bool {
    let ticks = span.ticks(most);
    ticks.iter().zip(ticks.iter().skip(1)).all(|(a, b)| {
        let apart = span.place(*b).zip(span.place(*a)).map_or(0.0, |(b, a)| b - a) * f64::from(length);
        apart >= f64::from((tick_width(span, *a) + tick_width(span, *b)) / 2 + 9 * UNIT)
    })
}
