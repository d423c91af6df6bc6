//! Pixels from the X server into a picture: by shared memory that the server gives us as a file (MIT-SHM 1.2), or in its replies where it
//! gives none, on another machine for example. The file is read, not mapped: a few hundred microseconds more for a whole screen, and
//! neither `unsafe` nor a signal when the server shrinks it.

use super::server::{Layout, Server};
use crate::capture::CaptureError;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::ReplyError;
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

/// Bytes converted at a time: they stay in the processor's cache.
const CHUNK_BYTES: usize = 128 * 1024;
/// Most bytes of one reply where there is no shared memory.
const REPLY_BYTES: usize = 1 << 20;

/// Why pixels could not be read.
#[derive(Debug)]
pub(super) enum Failure {
    /// The screen is another one now.
    Refused(String),
    /// For good.
    Lost(CaptureError),
}

impl From<ReplyError> for Failure {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::X11Error(_) => Self::Refused(error.to_string()),
            ReplyError::ConnectionError(error) => Self::Lost(error.into()),
        }
    }
}

impl From<x11rb::errors::ConnectionError> for Failure {
    fn from(error: x11rb::errors::ConnectionError) -> Self {
        Self::Lost(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Lost(CaptureError::Lost(format!("its shared memory cannot be read: {error}")))
    }
}

/// Reads pixels; keeps the memory for it.
pub(super) struct Reader {
    layout: Layout,
    sharing: Sharing,
    buffer: Vec<u8>,
}

enum Sharing {
    Untried,
    Impossible,
    Shared(Segment),
}

struct Segment {
    id: shm::Seg,
    file: File,
    bytes: usize,
}

impl Reader {
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout, sharing: Sharing::Untried, buffer: Vec::new() }
    }

    /// Copies rectangles of an area of the screen, given relative to the area's corner and within it, into the area's picture.
    pub(super) fn read(&mut self, server: &Server, area: Rect, rects: &[Rect], picture: &mut Framebuffer) -> Result<(), Failure> {
        let needed: usize = rects.iter().map(|rect| self.layout.stride(rect.width) * usize::from(rect.height)).sum();
        self.share(server, needed.max(self.layout.stride(area.width) * usize::from(area.height)))?;
        match &self.sharing {
            Sharing::Shared(segment) => read_shared(server, segment, self.layout, area, rects, picture, &mut self.buffer),
            Sharing::Untried | Sharing::Impossible => read_replies(server, self.layout, area, rects, picture),
        }
    }

    /// Sees to a segment of at least that many bytes, if the server gives one.
    fn share(&mut self, server: &Server, bytes: usize) -> Result<(), Failure> {
        match &self.sharing {
            Sharing::Impossible => return Ok(()),
            Sharing::Shared(segment) if segment.bytes >= bytes => return Ok(()),
            Sharing::Shared(segment) => server.connection.shm_detach(segment.id)?.ignore_error(),
            Sharing::Untried => {}
        }
        self.sharing = match Segment::new(server, bytes) {
            Ok(segment) => Sharing::Shared(segment),
            Err(reason) => {
                tracing::debug!(%reason, "the X server shares no memory: pixels come in its replies");
                Sharing::Impossible
            }
        };
        Ok(())
    }
}

impl Segment {
    fn new(server: &Server, bytes: usize) -> Result<Self, String> {
        let connection = &server.connection;
        let told = |error: &dyn std::fmt::Display| error.to_string();
        if connection.extension_information(shm::X11_EXTENSION_NAME).map_err(|error| told(&error))?.is_none() {
            return Err("it has no MIT-SHM".into());
        }
        let version = connection.shm_query_version().map_err(|error| told(&error))?.reply().map_err(|error| told(&error))?;
        if (version.major_version, version.minor_version) < (1, 2) {
            return Err(format!("MIT-SHM {}.{} hands out no files", version.major_version, version.minor_version));
        }
        let id = connection.generate_id().map_err(|error| told(&error))?;
        let size = u32::try_from(bytes).map_err(|error| told(&error))?;
        let asked = connection.shm_create_segment(id, size, false).map_err(|error| told(&error))?;
        let file = File::from(asked.reply().map_err(|error| told(&error))?.shm_fd);
        Ok(Self { id, file, bytes })
    }
}

fn read_shared(
    server: &Server,
    segment: &Segment,
    layout: Layout,
    area: Rect,
    rects: &[Rect],
    picture: &mut Framebuffer,
    buffer: &mut Vec<u8>,
) -> Result<(), Failure> {
    let mut asked = Vec::with_capacity(rects.len());
    let mut offset = 0;
    for &rect in rects {
        let (x, y) = corner(area, rect);
        let at = u32::try_from(offset).unwrap_or(u32::MAX);
        let (format, all_planes) = (u8::from(ImageFormat::Z_PIXMAP), !0);
        let image =
            server.connection.shm_get_image(server.root, x, y, rect.width, rect.height, all_planes, format, segment.id, at)?;
        asked.push((rect, offset, image));
        offset += layout.stride(rect.width) * usize::from(rect.height);
    }
    for (rect, mut offset, image) in asked {
        image.reply()?;
        let stride = layout.stride(rect.width);
        let at_once = (CHUNK_BYTES / stride.max(1)).clamp(1, usize::from(rect.height));
        for first in (0..rect.height).step_by(at_once) {
            let rows = at_once.min(usize::from(rect.height - first));
            buffer.resize(rows * stride, 0);
            segment.file.read_exact_at(buffer, offset as u64)?;
            offset += buffer.len();
            paint(layout, rect, first, buffer, picture);
        }
    }
    Ok(())
}

fn read_replies(server: &Server, layout: Layout, area: Rect, rects: &[Rect], picture: &mut Framebuffer) -> Result<(), Failure> {
    for &rect in rects {
        let rows = u16::try_from(REPLY_BYTES / layout.stride(rect.width).max(1)).unwrap_or(u16::MAX).max(1);
        for first in (0..rect.height).step_by(rows.into()) {
            let strip = Rect::new(rect.x, rect.y + first, rect.width, rows.min(rect.height - first));
            let (x, y) = corner(area, strip);
            let asked = server.connection.get_image(ImageFormat::Z_PIXMAP, server.root, x, y, strip.width, strip.height, !0)?;
            paint(layout, strip, 0, &asked.reply()?.data, picture);
        }
    }
    Ok(())
}

/// A rectangle's place on the screen. Screens are not larger than what fits.
fn corner(area: Rect, rect: Rect) -> (i16, i16) {
    let sum = |start: u16, further: u16| i16::try_from(u32::from(start) + u32::from(further)).unwrap_or(i16::MAX);
    (sum(area.x, rect.x), sum(area.y, rect.y))
}

/// Paints rows of a rectangle, from its row `first` on.
fn paint(layout: Layout, rect: Rect, first: u16, bytes: &[u8], picture: &mut Framebuffer) {
    for (row, bytes) in (first..rect.height).zip(bytes.chunks_exact(layout.stride(rect.width).max(1))) {
        layout.format.read_pixels(bytes, picture.row_mut(rect, row));
    }
}
