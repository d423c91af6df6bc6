//! A recorded video to be played by a painter.

/// The moving part of the recorded video, that wide and high: a frame's rows of pixels (B, G, R, unused), frame by frame.
pub(crate) fn moving_part((part_width, part_height): (u16, u16)) -> Vec<Vec<u8>> {
    let pictures: Vec<_> = treevnc_recording::clip("video").unwrap().map(|frame| frame.unwrap().picture).collect();
    let size = pictures[0].size();
    let width = usize::from(size.width());
    let moved = |at: &usize| {
        pictures.windows(2).filter(|pair| pair[0].pixels()[*at] != pair[1].pixels()[*at]).count() > pictures.len() / 4
    };
    let moving: Vec<_> = (0..size.area()).filter(moved).collect();
    let left = moving.iter().map(|at| at % width).min().unwrap().min(width - usize::from(part_width));
    let top = (moving[0] / width).min(usize::from(size.height() - part_height));
    let part = |pixels: &[u32]| {
        let rows = pixels.chunks_exact(width).skip(top).take(part_height.into());
        rows.flat_map(|row| &row[left..left + usize::from(part_width)]).flat_map(|pixel| pixel.to_le_bytes()).collect()
    };
    pictures.iter().map(|picture| part(picture.pixels())).collect()
}
