//! The report: one file of Markdown, and the figures beside it.

use std::path::PathBuf;
use treevnc_plot::{Chart, Sheet};

const CHART_PX: (u32, u32) = (640, 440);

/// A report that is being written.
pub(crate) struct Report {
    directory: PathBuf,
    text: String,
}

impl Report {
    pub(crate) fn new(directory: PathBuf) -> Self {
        std::fs::create_dir_all(&directory).unwrap();
        Self { directory, text: String::new() }
    }

    /// Begins a section.
    pub(crate) fn head(&mut self, title: &str, text: &str) {
        self.text(&format!("## {title}\n\n{text}"));
    }

    /// Adds a paragraph.
    pub(crate) fn text(&mut self, text: &str) {
        self.text += text;
        self.text += "\n\n";
        self.save();
    }

    /// Adds a table of rows made by [`row`], the first of which says what the columns are.
    pub(crate) fn table(&mut self, rows: &[String]) {
        let columns = rows[0].matches('|').count() - 1;
        self.text += &format!("{}\n|{}\n{}\n\n", rows[0], " --- |".repeat(columns), rows[1..].join("\n"));
        self.save();
    }

    /// Adds a figure of charts side by side.
    pub(crate) fn figure(&mut self, name: &str, title: &str, charts: Vec<Chart>) {
        let mut sheet = Sheet::new(title, charts.len().min(2), charts);
        sheet.chart_px = CHART_PX;
        sheet.write(&self.directory.join(format!("{name}.svg"))).unwrap();
        self.text += &format!("![{title}]({name}.svg)\n\n");
        self.save();
    }

    /// A file beside the report.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// What is there is kept when a later part fails.
    fn save(&self) {
        std::fs::write(self.file("report.md"), &self.text).unwrap();
    }
}

/// A row of a table.
pub(crate) fn row<S: AsRef<str>>(fields: impl IntoIterator<Item = S>) -> String {
    fields.into_iter().fold("|".to_owned(), |row, field| row + " " + field.as_ref() + " |")
}
