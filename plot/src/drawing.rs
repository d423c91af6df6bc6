//! A drawing: shapes on a white page, in pixels from its top left corner. What both forms of file are made from.

/// A place on the page.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// One stroke of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stroke {
    Start(Point),
    Line(Point),
    /// A quadratic curve by way of the first point.
    Bend(Point, Point),
    Close,
}

/// Lines and curves.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Path(pub(crate) Vec<Stroke>);

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) u8, pub(crate) u8, pub(crate) u8);

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pen {
    pub(crate) colour: Colour,
    pub(crate) width: f64,
    /// How long it draws and how long it does not; nothing for a whole line.
    pub(crate) dash: Option<(f64, f64)>,
}

/// A small shape that stands for a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Cross,
    Triangle,
    Square,
    Plus,
    Diamond,
    Funnel,
}

/// Which end of the words is at the place they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Words in one line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Text {
    pub(crate) words: String,
    /// On the baseline.
    pub(crate) at: Point,
    pub(crate) anchor: Anchor,
    /// Pixels per em.
    pub(crate) size: f64,
    pub(crate) colour: Colour,
    /// From below upwards.
    pub(crate) upwards: bool,
    /// With white around the letters, to be read above lines.
    pub(crate) halo: bool,
}

/// Something on the page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Lines { path: Path, pen: Pen },
    Markers { marker: Marker, radius: f64, colour: Colour, centres: Vec<Point> },
    Text(Text),
}

/// A page and what is on it, in the order in which it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drawing {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// For programs that read pages to people.
    pub(crate) title: String,
    pub(crate) shapes: Vec<Shape>,
}

impl Path {
    pub(crate) fn between(from: Point, to: Point) -> Self {
        Self(vec![Stroke::Start(from), Stroke::Line(to)])
    }

    pub(crate) fn through(points: &[Point]) -> Self {
        let stroke = |(at, point): (usize, &Point)| if at == 0 { Stroke::Start(*point) } else { Stroke::Line(*point) };
        Self(points.iter().enumerate().map(stroke).collect())
    }

    pub(crate) fn start(&mut self, at: Point) {
        self.0.push(Stroke::Start(at));
    }

    pub(crate) fn line(&mut self, to: Point) {
        self.0.push(Stroke::Line(to));
    }

    pub(crate) fn bend(&mut self, by: Point, to: Point) {
        self.0.push(Stroke::Bend(by, to));
    }

    pub(crate) fn close(&mut self) {
        self.0.push(Stroke::Close);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Marker {
    /// Its lines around the origin, for a radius of one, and whether they are filled; a circle has none.
    pub(crate) fn lines(self) -> (&'static [&'static [(f64, f64)]], bool) {
        match self {
            Self::Circle => (&[], true),
            Self::Cross => (&[&[(-0.9, -0.9), (0.9, 0.9)], &[(-0.9, 0.9), (0.9, -0.9)]], false),
            Self::Plus => (&[&[(-1.2, 0.0), (1.2, 0.0)], &[(0.0, -1.2), (0.0, 1.2)]], false),
            Self::Triangle => (&[&[(-1.1, 0.8), (0.0, -1.2), (1.1, 0.8)]], true),
            Self::Square => (&[&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]], true),
            Self::Diamond => (&[&[(0.0, -1.3), (1.1, 0.0), (0.0, 1.3), (-1.1, 0.0)]], true),
            Self::Funnel => (&[&[(-1.1, -0.8), (0.0, 1.2), (1.1, -0.8)]], true),
        }
    }
}
