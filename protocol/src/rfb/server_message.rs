//! Messages of a server and rectangles of a FramebufferUpdate, as bytes (RFC 6143 sections 7.6 to 7.8).

use super::encoding::{DESKTOP_NAME, DESKTOP_SIZE, LAST_RECT, RAW};
use crate::framebuffer::Framebuffer;
use crate::geometry::{Rect, Size};
use crate::pixel::PixelFormat;
use crate::update::truncated;

/// Bytes of a rectangle's header.
pub(super) const RECT_HEADER_BYTES: usize = 12;

/// The beginning of a FramebufferUpdate of `count` rectangles.
pub fn framebuffer_update_header(count: u16) -> [u8; 4] {
    let [high, low] = count.to_be_bytes();
    [0, 0, high, low]
}

/// A rectangle's header.
pub fn rect_header(rect: Rect, encoding: i32) -> [u8; RECT_HEADER_BYTES] {
    let [x, y, width, height] = [rect.x, rect.y, rect.width, rect.height].map(u16::to_be_bytes);
    let number = encoding.to_be_bytes();
    [x[0], x[1], y[0], y[1], width[0], width[1], height[0], height[1], number[0], number[1], number[2], number[3]]
}

/// Appends a Raw rectangle with the pixels of `fb`, clipped by it.
pub fn raw_rect(fb: &Framebuffer, rect: Rect, format: &PixelFormat, out: &mut Vec<u8>) {
    let rect = rect.intersection(fb.size().rect()).unwrap_or(Rect::new(0, 0, 0, 0));
    out.reserve(RECT_HEADER_BYTES + rect.area() * format.bytes_per_pixel());
    out.extend(rect_header(rect, RAW));
    for row in 0..rect.height {
        format.write_pixels(fb.row(rect, row), out);
    }
}

/// A DesktopSize rectangle; the last of its update.
pub fn desktop_size_rect(size: Size) -> [u8; RECT_HEADER_BYTES] {
    rect_header(size.rect(), DESKTOP_SIZE)
}

/// A DesktopName rectangle; a name that is too long is cut.
pub fn desktop_name_rect(name: &str) -> Vec<u8> {
    let name = truncated(name).as_bytes();
    let mut out = rect_header(Rect::new(0, 0, 0, 0), DESKTOP_NAME).to_vec();
    out.extend(u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(name);
    out
}

/// The rectangle that ends an update of unknown count (65535 in its header).
pub fn last_rect() -> [u8; RECT_HEADER_BYTES] {
    rect_header(Rect::new(0, 0, 0, 0), LAST_RECT)
}

/// A Bell.
pub fn bell() -> [u8; 1] {
    [2]
}
