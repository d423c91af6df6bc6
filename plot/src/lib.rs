//! Sheets of charts as SVG or PNG, fit for a paper, drawn by plotters with the program's own font.
//!
//! Series differ by colour, by shape and by lightness, so colour-blind readers and prints without colour tell them apart. Files stay
//! small however many points there are: what cannot be seen apart is drawn once. The same sheet gives the same bytes.
//! Knows nothing of TreeVNC.

mod axis;
mod chart;
mod draw;
mod format;
mod look;
mod page;
mod pixels;
mod sheet;
mod span;
mod trace;

pub use axis::{Axis, Scale};
pub use chart::{Chart, Mark, Series, Style};
pub use format::{Format, PlotError};
pub use sheet::Sheet;
