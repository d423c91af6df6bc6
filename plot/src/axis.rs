//! What an axis of a chart says of itself.

/// An axis: its label with the unit, and how values lie on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What is counted, and in which unit.
    pub label: String,
    /// How values lie on it.
    pub scale: Scale,
    /// From where to where; nothing means: what the data needs. A range that the scale cannot show is as none.
    pub range: Option<(f64, f64)>,
}

/// How values lie on an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equally long.
    Linear,
    /// The same, with ticks at whole numbers only.
    Whole,
    /// Equal ratios are equally long; zero and less have no place on it.
    Log,
}

impl Axis {
    /// An axis of equal differences.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Linear, range: None }
    }

    /// An axis of equal differences that counts.
    pub fn whole(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Whole, range: None }
    }

    /// An axis of equal ratios.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Log, range: None }
    }

    /// The same, showing only what lies in this range.
    #[must_use]
    pub fn within(self, from: f64, to: f64) -> Self {
        Self { range: Some((from, to)), ..self }
    }
}
