//! One message for an ordinary viewer: chosen by the machine at once, turned into bytes when it is sent, where pixels have to be
//! converted off the async threads.

use super::fitted::{self, Fit};
use crate::picture::paint_within;
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::log::{Batch, Entry};
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{framebuffer_update_header, raw_rect};
use treevnc_protocol::tiles::{TileGrid, TileSet};
use treevnc_protocol::update::{Content, Picture};
use treevnc_protocol::zrle::{Decoder, Encoder, ZrleError, recode};

/// How a viewer gets pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// The log's bytes.
    Verbatim,
    /// ZRLE in the RGB form, made once for all who want it.
    Rgb,
    /// ZRLE in the viewer's own format.
    Recoded,
    /// Raw.
    Raw,
}

/// What a message carries.
#[derive(Debug)]
pub(super) enum Body {
    /// A whole message, which is no FramebufferUpdate.
    Message,
    /// Nothing but the rectangles in front.
    Front,
    /// Updates of the log, all of one screen of that size, and how they are fitted into a viewer of another.
    Entries { entries: Vec<Arc<Entry>>, coding: Coding, format: PixelFormat, size: Size, fit: Option<Fit> },
    /// The present content of a rectangle of a viewer of that size, painted by these updates.
    Region { rect: Rect, entries: Vec<Arc<Entry>>, format: PixelFormat, canvas: Size },
}

/// A message for an ordinary viewer.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// Bytes that come first: a message, or rectangles of an update.
    pub(super) front: Vec<u8>,
    pub(super) front_rects: u16,
    pub(super) body: Body,
    /// The batch whose last part this is.
    pub(crate) finishes: Option<Arc<Batch>>,
}

impl Outgoing {
    /// A message that is no update.
    pub(super) fn message(front: Vec<u8>) -> Self {
        Self { front, front_rects: 0, body: Body::Message, finishes: None }
    }

    /// An update of one rectangle that has no pixels.
    pub(super) fn rect(front: Vec<u8>, finishes: Option<Arc<Batch>>) -> Self {
        Self { front, front_rects: 1, body: Body::Front, finishes }
    }

    /// Whether [`encode`](Self::encode) takes milliseconds, so that it has no place on an async thread.
    pub(crate) fn is_heavy(&self) -> bool {
        match &self.body {
            Body::Message | Body::Front => false,
            Body::Entries { coding, fit, .. } => *coding != Coding::Verbatim || fit.is_some(),
            Body::Region { .. } => true,
        }
    }

    /// The message's bytes. Fails when an update in the log cannot be decoded.
    pub(crate) fn encode(&mut self) -> Result<Pieces, ZrleError> {
        let front = std::mem::take(&mut self.front);
        let mut pieces = VecDeque::new();
        let rects = match &self.body {
            Body::Message => return Ok(Pieces(VecDeque::from([front.into()]))),
            Body::Front => 0,
            Body::Entries { entries, coding, format, size, fit: Some(fit) } => {
                let (fb, tiles) = fit.paint(entries, *size)?;
                match coding {
                    Coding::Raw => raw_tiles(&fb, &tiles, format, &mut pieces),
                    Coding::Verbatim => zrle_tiles(&fb, &tiles, None, &mut pieces)?,
                    Coding::Rgb | Coding::Recoded => zrle_tiles(&fb, &tiles, Some(format), &mut pieces)?,
                }
            }
            Body::Entries { entries, coding: Coding::Raw, format, size, fit: None } => raw(entries, *size, format, &mut pieces)?,
            Body::Entries { entries, coding, format, size, fit: None } => zrle(entries, *coding, *size, format, &mut pieces)?,
            Body::Region { rect, entries, format, canvas } => region(*rect, entries, format, *canvas, &mut pieces)?,
        };
        let mut head = framebuffer_update_header(self.front_rects.saturating_add(rects)).to_vec();
        head.extend(front);
        pieces.push_front(head.into());
        Ok(Pieces(pieces))
    }
}

fn pictures(entries: &[Arc<Entry>]) -> impl Iterator<Item = (&Entry, &Picture)> {
    entries.iter().filter_map(|entry| match &entry.update().content {
        Content::Picture(picture) => Some((&**entry, picture)),
        Content::Screen(_) => None,
    })
}

/// Updates as ZRLE rectangles; the number of these.
fn zrle(
    entries: &[Arc<Entry>],
    coding: Coding,
    size: Size,
    format: &PixelFormat,
    pieces: &mut VecDeque<Bytes>,
) -> Result<u16, ZrleError> {
    let mut rects = 0u16;
    for (entry, picture) in pictures(entries) {
        let mut failed = None;
        let made;
        let picture = match coding {
            Coding::Rgb => match entry.rgb(|| recode(picture, size, format).map_err(|error| failed = Some(error)).ok()) {
                Some(rgb) => rgb,
                None => return Err(failed.unwrap_or(ZrleError::Corrupt)),
            },
            Coding::Recoded => {
                made = recode(picture, size, format)?;
                &made
            }
            Coding::Verbatim | Coding::Raw => picture,
        };
        rects = rects.saturating_add(picture.count());
        pieces.push_back(picture.rects().clone());
    }
    Ok(rects)
}

/// The tiles that updates paint, each once, as Raw rectangles; the number of these.
fn raw(entries: &[Arc<Entry>], size: Size, format: &PixelFormat, pieces: &mut VecDeque<Bytes>) -> Result<u16, ZrleError> {
    let (fb, tiles) = decoded(entries, size)?;
    Ok(raw_tiles(&fb, &tiles, format, pieces))
}

/// What updates paint on a screen, and which tiles of it.
pub(super) fn decoded(entries: &[Arc<Entry>], size: Size) -> Result<(Framebuffer, TileSet), ZrleError> {
    let (mut fb, mut tiles, mut decoder) = (Framebuffer::new(size), TileSet::new(TileGrid::new(size)), Decoder::new());
    for (entry, picture) in pictures(entries) {
        decoder.decode(picture, &mut fb)?;
        tiles.extend(entry.tiles().iter());
    }
    Ok((fb, tiles))
}

/// Tiles as Raw rectangles; the number of these.
fn raw_tiles(fb: &Framebuffer, tiles: &TileSet, format: &PixelFormat, pieces: &mut VecDeque<Bytes>) -> u16 {
    let mut rects = 0u16;
    for block in tiles.blocks() {
        let mut out = Vec::new();
        raw_rect(fb, tiles.grid().block(block.column, block.row, block.columns, block.rows), format, &mut out);
        pieces.push_back(out.into());
        rects = rects.saturating_add(1);
    }
    rects
}

/// Tiles encoded anew as ZRLE rectangles, in another format than ours where one is given; the number of these.
fn zrle_tiles(
    fb: &Framebuffer,
    tiles: &TileSet,
    format: Option<&PixelFormat>,
    pieces: &mut VecDeque<Bytes>,
) -> Result<u16, ZrleError> {
    let mut pictures = Vec::new();
    Encoder::new().encode(fb, tiles, &mut |picture| pictures.push(picture));
    let mut rects = 0u16;
    for picture in pictures {
        let picture = format.map_or(Ok(picture.clone()), |format| recode(&picture, fb.size(), format))?;
        rects = rects.saturating_add(picture.count());
        pieces.push_back(picture.rects().clone());
    }
    Ok(rects)
}

fn region(
    rect: Rect,
    entries: &[Arc<Entry>],
    format: &PixelFormat,
    canvas: Size,
    pieces: &mut VecDeque<Bytes>,
) -> Result<u16, ZrleError> {
    let Some(fb) = paint_within(entries, rect)? else { return Ok(0) };
    let mut out = Vec::new();
    raw_rect(&fitted::onto(canvas, fb), rect, format, &mut out);
    pieces.push_back(out.into());
    Ok(1)
}

/// Bytes in several places, written as one.
#[derive(Debug)]
pub(crate) struct Pieces(VecDeque<Bytes>);

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn has_remaining(&self) -> bool {
        !self.0.is_empty()
    }

    fn chunk(&self) -> &[u8] {
        self.0.front().map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pairs = slices.iter_mut().zip(&self.0);
        pairs.map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, count: usize) {
        let mut left = count;
        while let Some(piece) = self.0.front_mut() {
            let now = left.min(piece.len());
            piece.advance(now);
            left -= now;
            if !piece.is_empty() {
                return;
            }
            self.0.pop_front();
        }
    }
}
