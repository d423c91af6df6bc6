//! A sheet: charts in rows below a title, drawn into a file.

use crate::chart::Chart;
use crate::draw::Plot;
use crate::format::{Format, PlotError};
use crate::look;
use crate::page::{self, Area, Drawn, UNIT};
use plotters::prelude::{DrawingBackend, WHITE};
use plotters::style::text_anchor::{HPos, VPos};
use std::path::Path;

/// The least width and height of a chart.
const LEAST_PX: (u32, u32) = (160, 120);
/// The longest side of a sheet.
const MAX_SIDE_PX: u32 = 16_384;
/// The most pixels of a sheet.
const MAX_AREA_PX: u64 = 16_000_000;
/// The size of a chart unless said otherwise: two of them beside each other, on a page of A4, have letters of 7 points.
const CHART_PX: (u32, u32) = (420, 300);
const TITLE_SIZE: i32 = 16;
const TITLE_HEIGHT_PX: u32 = 34;

/// Charts below a common title.
///
/// A chart is at least 160x120 pixels; a sheet is at most 16,384 pixels long on each side and has at most 16 million. A PNG has two pixels
/// for each pixel here.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Above everything; may be empty.
    pub title: String,
    /// Row by row.
    pub charts: Vec<Chart>,
    /// How many charts stand beside each other.
    pub columns: usize,
    /// Width and height of each chart.
    pub chart_px: (u32, u32),
}

impl Sheet {
    /// A sheet of charts of the usual size.
    pub fn new(title: impl Into<String>, columns: usize, charts: Vec<Chart>) -> Self {
        Self { title: title.into(), charts, columns, chart_px: CHART_PX }
    }

    /// Draws it into a file, whose extension says the form. An earlier file stays as it is when the sheet cannot be drawn.
    pub fn write(&self, path: &Path) -> Result<(), PlotError> {
        let bytes = self.render(Format::of(path)?)?;
        std::fs::write(path, bytes).map_err(|error| PlotError::Write { path: path.to_owned(), error })
    }

    /// Draws it; returns what the file holds.
    pub fn render(&self, format: Format) -> Result<Vec<u8>, PlotError> {
        let columns = self.columns.clamp(1, self.charts.len().max(1));
        let size = self.size(columns)?;
        match format {
            Format::Svg => page::svg(size, |page| self.draw(columns, page)),
            Format::Png => page::png(size, |page| self.draw(columns, page)),
        }
    }

    fn draw<DB: DrawingBackend>(&self, columns: usize, page: &Area<DB>) -> Drawn<DB> {
        page.fill(&WHITE)?;
        let (head, charts) = page.split_vertically(self.title_height() * UNIT.unsigned_abs());
        let (width, height) = page::size(&head);
        if height > 0 {
            let words = page::fitted(&self.title, TITLE_SIZE, width - 20 * UNIT);
            head.draw_text(&words, &page::text(TITLE_SIZE, HPos::Center, VPos::Center), (width / 2, height / 2))?;
        }
        let looks = look::of(&self.charts);
        let areas = charts.split_evenly((self.charts.len().div_ceil(columns).max(1), columns));
        let mut areas = areas.iter();
        for (charts, looks) in self.charts.chunks(columns).zip(looks.chunks(columns)) {
            let beside = charts.iter().zip(looks).zip(&mut areas);
            let plots: Vec<_> = beside.map(|((chart, looks), area)| Plot::new(chart, looks, area)).collect();
            // Plots of a row begin at the same height.
            let rows = plots.iter().map(Plot::rows).max().unwrap_or(0);
            plots.iter().try_for_each(|plot| plot.draw(rows, page))?;
        }
        Ok(())
    }

    fn size(&self, columns: usize) -> Result<(u32, u32), PlotError> {
        let rows = self.charts.len().div_ceil(columns);
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let width = u64::from(self.chart_px.0).saturating_mul(wide(columns));
        let height = u64::from(self.chart_px.1).saturating_mul(wide(rows)).saturating_add(self.title_height().into());
        let short = |side: u64| u32::try_from(side).ok().filter(|side| (1..=MAX_SIDE_PX).contains(side));
        let fits = self.chart_px.0 >= LEAST_PX.0 && self.chart_px.1 >= LEAST_PX.1 && width.saturating_mul(height) <= MAX_AREA_PX;
        short(width).zip(short(height)).filter(|_| fits).ok_or_else(|| self.beyond(width, height))
    }

    fn title_height(&self) -> u32 {
        // A sheet without charts is its title, and never nothing.
        if self.title.is_empty() && !self.charts.is_empty() { 0 } else { TITLE_HEIGHT_PX }
    }

    fn beyond(&self, width: u64, height: u64) -> PlotError {
        let (chart_width, chart_height) = self.chart_px;
        PlotError::Size { chart_width, chart_height, width, height, most: MAX_SIDE_PX }
    }
}
