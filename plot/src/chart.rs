//! What is to be drawn: a chart, its series, and marks.

use crate::axis::Axis;

/// One plot with two axes and a legend above it, which takes less than half of the height: of very many series the last are not in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Above the plot; may be empty.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// Drawn in this order, later ones above earlier ones.
    pub series: Vec<Series>,
    /// Lines with a label.
    pub marks: Vec<Mark>,
}

/// Points that belong together.
///
/// A name looks the same in all charts of a sheet. A series without a name is not in the legend, and looks like the one with a name before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// In the legend.
    pub name: String,
    /// How it is drawn.
    pub style: Style,
    /// In the order in which lines go. One that is no number, or has no place on its axis, leaves a gap.
    pub points: Vec<(f64, f64)>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A line; among others it carries a few shapes, which are no points of the data.
    Line,
    /// The same, dashed.
    Dashed,
    /// A small shape at each point.
    Dots,
    /// A line with a shape at each point.
    Marked,
    /// A line that keeps a value until the next point.
    Steps,
}

/// A line through the whole plot, with a label.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A moment: a vertical line.
    At {
        /// Where.
        x: f64,
        /// What.
        label: String,
    },
    /// A level, such as a floor: a horizontal line.
    Level {
        /// Where.
        y: f64,
        /// What.
        label: String,
    },
}

impl Chart {
    /// A chart with nothing in it yet.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, series: Vec::new(), marks: Vec::new() }
    }

    /// The same with one more series.
    #[must_use]
    pub fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// The same with one more mark.
    #[must_use]
    pub fn mark(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }
}

impl Series {
    /// A line.
    pub fn line(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), style: Style::Line, points }
    }

    /// A dashed line.
    pub fn dashed(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), style: Style::Dashed, points }
    }

    /// A small shape at each point.
    pub fn dots(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), style: Style::Dots, points }
    }

    /// A line with a shape at each point.
    pub fn marked(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), style: Style::Marked, points }
    }

    /// A line that keeps a value until the next point.
    pub fn steps(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), style: Style::Steps, points }
    }
}
