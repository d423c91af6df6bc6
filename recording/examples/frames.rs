//! Writes the frames of a recording as PPM pictures, to look at them: `frames FILE DIRECTORY`.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use treevnc_recording::Recording;

/// Write the frames of a recording as PPM pictures.
#[derive(Debug, Parser)]
struct Options {
    /// The recording.
    file: PathBuf,
    /// Where to put the pictures; only listed without it.
    directory: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let recording = Recording::open(&options.file).with_context(|| options.file.display().to_string())?;
    println!("{}: {}", recording.name(), recording.size());
    for (number, frame) in recording.enumerate() {
        let frame = frame?;
        println!("frame {number:3} at {:5} ms, {:3} tiles", frame.at.as_millis(), frame.changed.len());
        if let Some(directory) = &options.directory {
            let size = frame.picture.size();
            let mut ppm = format!("P6 {} {} 255\n", size.width(), size.height()).into_bytes();
            ppm.extend(frame.picture.pixels().iter().flat_map(|pixel| {
                let [_, red, green, blue] = pixel.to_be_bytes();
                [red, green, blue]
            }));
            let path = directory.join(format!("{number:03}.ppm"));
            std::fs::write(&path, ppm).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}
