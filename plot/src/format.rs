//! The forms of file, and what can go wrong.

use std::path::{Path, PathBuf};

/// A form of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines and text that scale, for papers.
    Svg,
    /// Pixels, two of them for each pixel of the sheet.
    Png,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The file's name says nothing that can be drawn.
    #[error("'{}' ends neither in .svg nor in .png, the two kinds of picture that can be made", .0.display())]
    Extension(PathBuf),
    /// A side, or the whole, is beyond the limits of [`crate::Sheet`].
    #[error(
        "charts of {chart_width}x{chart_height} pixels make no sheet: {width}x{height} (each at least 160x120, altogether at most {most} per side and 16 million)"
    )]
    Size {
        /// Of a chart.
        chart_width: u32,
        /// Of a chart.
        chart_height: u32,
        /// Of the sheet.
        width: u64,
        /// Of the sheet.
        height: u64,
        /// The longest side of a sheet.
        most: u32,
    },
    /// The font that the program carries cannot be read.
    #[error("the font within the program cannot be read")]
    Font,
    /// What plotters says, or who makes its pixels fewer.
    #[error("the picture cannot be drawn: {0}")]
    Draw(String),
    /// The picture cannot be compressed.
    #[error("the picture cannot be compressed: {0}")]
    Png(#[from] png::EncodingError),
    /// The file cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

impl Format {
    /// What the file's extension asks for, in whatever case.
    pub fn of(path: &Path) -> Result<Self, PlotError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(PlotError::Extension(path.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_and_others_are_named() {
        assert_eq!(Format::of(Path::new("a/b.svg")).unwrap(), Format::Svg);
        assert_eq!(Format::of(Path::new("B.PNG")).unwrap(), Format::Png);
        for other in ["a.pdf", "svg", "a.svg.gz", ""] {
            let said = Format::of(Path::new(other)).unwrap_err().to_string();
            assert!(said.contains(&format!("'{other}'")) && said.contains(".svg") && said.contains(".png"), "{said}");
        }
    }
}
