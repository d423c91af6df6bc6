//! `treevnc snapshot`: the present picture of a node as a PNG file.

use super::look_up;
use crate::cli::SnapshotArgs;
use anyhow::Context;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_relay::snapshot::take_snapshot;

pub(super) async fn run(args: SnapshotArgs) -> anyhow::Result<()> {
    let mut last = None;
    for node in look_up(&args.node).await? {
        match take_snapshot(node, args.timeout).await {
            Ok(picture) => return save(&picture, &args.file),
            Err(error) => last = Some(anyhow::Error::new(error).context(format!("no picture from {node}"))),
        }
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("'{}' has no address", args.node)))
}

fn save(picture: &Framebuffer, path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let size = picture.size();
    let mut encoder = png::Encoder::new(BufWriter::new(file), size.width().into(), size.height().into());
    encoder.set_color(png::ColorType::Rgb);
    let bytes: Vec<u8> = picture.pixels().iter().flat_map(|pixel| pixel.to_be_bytes().into_iter().skip(1)).collect();
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&bytes)?;
        writer.finish()
    });
    written.with_context(|| format!("cannot write {}", path.display()))
}
