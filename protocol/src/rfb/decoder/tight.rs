//! Lossless Tight rectangles (the registered encoding 7; the RFB community's specification, "Tight encoding"): fill, and basic
//! compression with its three filters. JPEG is an error, since no quality level is ever offered.

mod filter;
mod inflate;

use super::super::gather::Gather;
use super::DecodeError;
use crate::framebuffer::Framebuffer;
use crate::geometry::Rect;
use crate::pixel::PixelFormat;
use filter::Filter;
use inflate::Stream;

/// Data of fewer bytes is sent as it is.
const MIN_BYTES_TO_COMPRESS: usize = 12;
/// Inflated rows are painted in pieces of about this size.
const PIECE_BYTES: usize = 32 * 1024;

const STREAM_RESETS: u8 = 0x0f;
const FILL: u8 = 0x80;
const HAS_FILTER: u8 = 0x40;
const FILTER_COPY: u8 = 0;
const FILTER_PALETTE: u8 = 1;
const FILTER_GRADIENT: u8 = 2;

/// The four zlib streams of a connection and room to inflate into.
#[derive(Debug, Default)]
pub(super) struct Tight {
    streams: [Stream; 4],
    piece: Vec<u8>,
}

/// Where in a rectangle the bytes are.
#[derive(Debug)]
pub(super) enum Phase {
    /// Control byte, and what stands before the data: filter, palette, colour.
    Header,
    /// Data too short to be compressed.
    Plain(Filter),
    Length(Filter, usize),
    Compressed(Filter, usize, usize),
    Done,
}

/// The whole length of a header, as far as its beginning tells.
fn header_bytes(beginning: &[u8], tpixel_bytes: usize) -> usize {
    match *beginning {
        [] => 1,
        [control, ..] if control & 0xf0 == FILL => 1 + tpixel_bytes,
        [control, ..] if control & 0xf0 > FILL || control & HAS_FILTER == 0 => 1,
        [_, FILTER_PALETTE, last, ..] => 3 + (usize::from(last) + 1) * tpixel_bytes,
        [_, FILTER_PALETTE] => 3,
        _ => 2,
    }
}

/// The whole length of a compact length, as far as its beginning tells.
fn compact_bytes(beginning: &[u8]) -> usize {
    match *beginning {
        [] => 1,
        [low, ..] if low < 0x80 => 1,
        [_] => 2,
        [_, middle, ..] if middle < 0x80 => 2,
        _ => 3,
    }
}

/// A compact length: 7 bits, 7 bits, 8 bits, the lowest first.
fn compact(bytes: &[u8]) -> u32 {
    match *bytes {
        [low] => u32::from(low),
        [low, middle] => u32::from(low & 0x7f) | u32::from(middle) << 7,
        [low, middle, high, ..] => u32::from(low & 0x7f) | u32::from(middle & 0x7f) << 7 | u32::from(high) << 14,
        [] => 0,
    }
}

impl Tight {
    /// Goes on with a rectangle; whether it is complete.
    pub(super) fn step(
        &mut self,
        phase: &mut Phase,
        rect: Rect,
        format: &PixelFormat,
        gather: &mut Gather,
        input: &mut &[u8],
        fb: &mut Framebuffer,
    ) -> Result<bool, DecodeError> {
        loop {
            let next = match phase {
                Phase::Header => {
                    let tpixel_bytes = filter::tpixel_bytes(format);
                    let Some(header) = gather.take_measured(input, |bytes| header_bytes(bytes, tpixel_bytes)) else { break };
                    self.header(header, rect, format, fb)?
                }
                Phase::Plain(filter) => {
                    let Some(data) = gather.take(input, filter.data_bytes(rect, format)) else { break };
                    filter.paint_rows(data, rect, 0, format, fb)?;
                    Phase::Done
                }
                Phase::Length(filter, stream) => {
                    let Some(length) = gather.take_measured(input, compact_bytes).map(compact) else { break };
                    Phase::Compressed(std::mem::take(filter), *stream, super::error::checked_length(length, rect)?)
                }
                Phase::Compressed(filter, stream, length) => {
                    let Some(data) = gather.take(input, *length) else { break };
                    if let Some(stream) = self.streams.get_mut(*stream) {
                        inflate_rows(stream, &mut self.piece, data, filter, rect, format, fb)?;
                    }
                    Phase::Done
                }
                Phase::Done => return Ok(true),
            };
            *phase = next;
        }
        Ok(false)
    }

    fn header(&mut self, header: &[u8], rect: Rect, format: &PixelFormat, fb: &mut Framebuffer) -> Result<Phase, DecodeError> {
        let Some((&control, rest)) = header.split_first() else { return Ok(Phase::Header) };
        for (number, stream) in self.streams.iter_mut().enumerate() {
            if control & STREAM_RESETS & 1 << number != 0 {
                stream.reset();
            }
        }
        if control & 0xf0 == FILL {
            fb.fill(rect, filter::tpixel(rest, format));
            return Ok(Phase::Done);
        }
        if control & 0xf0 > FILL {
            return Err(DecodeError::TightControl(control));
        }
        let filter = match *rest {
            [] | [FILTER_COPY] => Filter::Copy,
            [FILTER_PALETTE, _, ref colours @ ..] => Filter::palette(colours, format),
            [FILTER_GRADIENT] if filter::has_byte_channels(format) => Filter::Gradient,
            [FILTER_GRADIENT] => return Err(DecodeError::TightGradient),
            [unknown, ..] => return Err(DecodeError::TightFilter(unknown)),
        };
        if filter.data_bytes(rect, format) < MIN_BYTES_TO_COMPRESS {
            return Ok(Phase::Plain(filter));
        }
        Ok(Phase::Length(filter, usize::from(control >> 4 & 0x03)))
    }
}

/// Inflates exactly the rectangle's data, some rows at a time, and paints them.
fn inflate_rows(
    stream: &mut Stream,
    piece: &mut Vec<u8>,
    data: &[u8],
    filter: &Filter,
    rect: Rect,
    format: &PixelFormat,
    fb: &mut Framebuffer,
) -> Result<(), DecodeError> {
    let row_bytes = filter.row_bytes(rect, format).max(1);
    let rows = u16::try_from(PIECE_BYTES / row_bytes).unwrap_or(u16::MAX).max(1);
    let mut rest = data;
    let mut first = 0;
    while first < rect.height {
        let rows = rows.min(rect.height - first);
        piece.resize(row_bytes * usize::from(rows), 0);
        stream.inflate(&mut rest, piece, rect)?;
        filter.paint_rows(piece, rect, first, format, fb)?;
        first += rows;
    }
    stream.finish(rest, rect)
}
