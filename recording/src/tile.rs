//! One tile as bytes: three planes (green, and red and blue as their difference to green), plain or predicted.
//!
//! The prediction is LOCO-I's median of left, above and left + above - corner; it makes photographs small, while text
//! and flat areas are smaller plain.

use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;

use crate::RecordingError;

/// How a tile's planes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    Plain = 0,
    Predicted = 1,
}

/// The bytes of a tile with that filter, the filter's own byte first.
pub(crate) fn pack(picture: &Framebuffer, rect: Rect, filter: Filter) -> Vec<u8> {
    let area = rect.area();
    let mut planes = vec![0; 1 + 3 * area];
    let (head, body) = planes.split_at_mut(1);
    head.fill(filter as u8);
    let pixels = (0..rect.height).flat_map(|row| picture.row(rect, row));
    for (at, pixel) in pixels.enumerate() {
        let [blue, green, red, _] = pixel.to_le_bytes();
        body[at] = green;
        body[area + at] = red.wrapping_sub(green);
        body[2 * area + at] = blue.wrapping_sub(green);
    }
    if filter == Filter::Predicted {
        for plane in body.chunks_exact_mut(area) {
            for at in (0..area).rev() {
                plane[at] = plane[at].wrapping_sub(prediction(plane, at, usize::from(rect.width)));
            }
        }
    }
    planes
}

/// Paints a tile from its `3 * area` bytes, which are used as scratch space.
pub(crate) fn unpack(picture: &mut Framebuffer, rect: Rect, filter: u8, body: &mut [u8]) -> Result<(), RecordingError> {
    let area = rect.area();
    if body.len() != 3 * area {
        return Err(RecordingError::Length);
    }
    match filter {
        f if f == Filter::Plain as u8 => {}
        f if f == Filter::Predicted as u8 => {
            for plane in body.chunks_exact_mut(area) {
                for at in 0..area {
                    plane[at] = plane[at].wrapping_add(prediction(plane, at, usize::from(rect.width)));
                }
            }
        }
        other => return Err(RecordingError::Filter(other)),
    }
    let (green, rest) = body.split_at(area);
    let (red, blue) = rest.split_at(area);
    let mut colours = green.iter().zip(red).zip(blue);
    for row in 0..rect.height {
        for (pixel, ((&green, red), blue)) in picture.row_mut(rect, row).iter_mut().zip(&mut colours) {
            *pixel = u32::from_be_bytes([0, red.wrapping_add(green), green, blue.wrapping_add(green)]);
        }
    }
    Ok(())
}

/// What the pixels before `at` let expect there; `plane[at..]` is not looked at.
fn prediction(plane: &[u8], at: usize, width: usize) -> u8 {
    let first_column = at.is_multiple_of(width);
    match (at >= width, first_column) {
        (false, true) => 0,
        (false, false) => plane[at - 1],
        (true, true) => plane[at - width],
        (true, false) => {
            let (left, above, corner) = (plane[at - 1], plane[at - width], plane[at - width - 1]);
            if corner >= left.max(above) {
                left.min(above)
            } else if corner <= left.min(above) {
                left.max(above)
            } else {
                left.wrapping_add(above).wrapping_sub(corner)
            }
        }
    }
}
