//! The decoder of what a server sends after the handshake (RFC 6143 sections 7.6 to 7.8). Owns the order of messages and
//! rectangles; each encoding stands in a file of its own. Works in one pass: no byte is looked at twice but those of a field that
//! was cut by the end of the input.

mod colour_map;
mod error;
mod hextile;
mod raw;
mod tight;
mod zrle;

pub use error::{DecodeError, max_compressed_bytes};

use super::encoding;
use super::extended_desktop_size::{AREA_BYTES, AREAS_HEADER_BYTES, ScreenArea};
use super::gather::{Gather, skip};
use super::server_message::RECT_HEADER_BYTES;
use crate::framebuffer::Framebuffer;
use crate::geometry::{Rect, Size};
use crate::pixel::PixelFormat;
use crate::wire::Reader;

/// What a server said that its client has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerEvent {
    /// A FramebufferUpdate is complete; the next request may go out.
    UpdateEnd {
        /// The rectangles that were painted, in order, none empty; after a change of size only those since.
        damage: Vec<Rect>,
    },
    /// The screen has another size from here on; the framebuffer was replaced by a black one.
    Resized(Size),
    /// The list of displays is another one, the screen's size is not.
    Displays,
    /// The bell rings.
    Bell,
}

/// Decodes a server's messages into a framebuffer.
///
/// [`ServerDecoder::feed`] is called with the bytes as they come and always with the same framebuffer. It stops behind the one
/// thing it reports and is called again with the rest, even an empty one, until it reports nothing: the last byte of an update can
/// bring a new size and the update's end. After an error the connection is to be closed. The pixel format is what was asked for with
/// SetPixelFormat; encodings are recognised whether asked for or not, JPEG and all that is unknown is an error. Memory: the
/// compressed data of one rectangle ([`max_compressed_bytes`]), the zlib windows, the damage.
#[derive(Debug)]
pub struct ServerDecoder {
    size: Size,
    format: PixelFormat,
    colours: colour_map::ColourMap,
    screens: Vec<ScreenArea>,
    damage: Vec<Rect>,
    rects_left: u16,
    state: State,
    gather: Gather,
    zrle: zrle::Zrle,
    tight: tight::Tight,
}

#[derive(Debug)]
enum State {
    Message,
    Rect,
    Raw(Rect, raw::Raw),
    CopyRect(Rect),
    Hextile(Rect, hextile::Hextile),
    ZrleLength(Rect),
    ZrleData(Rect, usize),
    Tight(Rect, tight::Phase),
    /// ExtendedDesktopSize: the header's rectangle, which says why and how large.
    Areas(Rect),
    Colours {
        next: usize,
        left: usize,
    },
    Skip(usize),
}

/// What one step came to.
enum Step {
    MoreBytes,
    On(State),
    Painted(Rect),
    Event(ServerEvent, State),
}

const FRAMEBUFFER_UPDATE: u8 = 0;
const SET_COLOUR_MAP_ENTRIES: u8 = 1;
const BELL: u8 = 2;
const SERVER_CUT_TEXT: u8 = 3;

/// Bytes of a message before its list or text, told by its type; 1 for types that are not known.
fn header_bytes(beginning: &[u8]) -> usize {
    match beginning.first() {
        Some(&FRAMEBUFFER_UPDATE) => 4,
        Some(&SET_COLOUR_MAP_ENTRIES) => 6,
        Some(&SERVER_CUT_TEXT) => 8,
        _ => 1,
    }
}

/// Bytes of the areas of an ExtendedDesktopSize rectangle, told by their count.
fn areas_bytes(beginning: &[u8]) -> usize {
    AREAS_HEADER_BYTES + beginning.first().map_or(0, |&count| usize::from(count) * AREA_BYTES)
}

impl ServerDecoder {
    /// A decoder for a server whose screen has that size and that was asked for that format.
    pub fn new(size: Size, format: PixelFormat) -> Self {
        Self {
            size,
            format,
            colours: colour_map::ColourMap::new(&format),
            screens: Vec::new(),
            damage: Vec::new(),
            rects_left: 0,
            state: State::Message,
            gather: Gather::default(),
            zrle: zrle::Zrle::new(),
            tight: tight::Tight::default(),
        }
    }

    /// The screen's size as the server last said it.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The monitors as the server last listed them; empty when it never did.
    pub fn screens(&self) -> &[ScreenArea] {
        &self.screens
    }

    /// Whether a message has begun and is not complete.
    pub fn is_inside_message(&self) -> bool {
        !matches!(self.state, State::Message) || self.gather.is_holding()
    }

    /// Takes bytes of the server and paints into `fb`, which gets the screen's size if it has another. Answers how many bytes were
    /// taken (all of them when nothing is reported) and what they came to.
    pub fn feed(&mut self, input: &[u8], fb: &mut Framebuffer) -> Result<(usize, Option<ServerEvent>), DecodeError> {
        self.fit(fb);
        let mut rest = input;
        loop {
            match self.step(&mut rest, fb)? {
                Step::MoreBytes => return Ok((input.len() - rest.len(), None)),
                Step::On(state) => self.state = state,
                Step::Painted(rect) => {
                    self.damage.extend(Some(rect).filter(|rect| !rect.is_empty()));
                    self.state = State::Rect;
                }
                Step::Event(event, state) => {
                    self.state = state;
                    self.fit(fb);
                    return Ok((input.len() - rest.len(), Some(event)));
                }
            }
        }
    }

    fn fit(&self, fb: &mut Framebuffer) {
        if fb.size() != self.size {
            *fb = Framebuffer::new(self.size);
        }
    }

    fn step(&mut self, input: &mut &[u8], fb: &mut Framebuffer) -> Result<Step, DecodeError> {
        let (gather, format) = (&mut self.gather, &self.format);
        let painted = match &mut self.state {
            State::Message => return self.message(input),
            State::Rect => return self.rect(input),
            State::Areas(place) => {
                let place = *place;
                return self.areas(place, input);
            }
            State::Skip(left) => return Ok(if skip(input, left) { Step::On(State::Message) } else { Step::MoreBytes }),
            State::Colours { next, left } => {
                let is_done = self.colours.set_entries(next, left, gather, input);
                return Ok(if is_done { Step::On(State::Message) } else { Step::MoreBytes });
            }
            State::CopyRect(to) => {
                let to = *to;
                return self.copy_rect(to, input, fb);
            }
            State::ZrleLength(rect) => {
                let Some(length) = gather.array(input).map(u32::from_be_bytes) else { return Ok(Step::MoreBytes) };
                return Ok(Step::On(State::ZrleData(*rect, error::checked_length(length, *rect)?)));
            }
            State::ZrleData(rect, length) => match gather.take(input, *length) {
                Some(data) => self.zrle.decode(*rect, data, format, fb).map(|()| Some(*rect))?,
                None => None,
            },
            State::Raw(rect, raw) => raw.step(*rect, format, gather, input, fb).then_some(*rect),
            State::Hextile(rect, tiles) => tiles.step(*rect, format, gather, input, fb)?.then_some(*rect),
            State::Tight(rect, phase) => self.tight.step(phase, *rect, format, gather, input, fb)?.then_some(*rect),
        };
        let Some(rect) = painted else { return Ok(Step::MoreBytes) };
        self.colours.apply(rect, fb);
        Ok(Step::Painted(rect))
    }

    fn message(&mut self, input: &mut &[u8]) -> Result<Step, DecodeError> {
        let Some(header) = self.gather.take_measured(input, header_bytes) else { return Ok(Step::MoreBytes) };
        let mut reader = Reader::new(header);
        let (kind, _) = (reader.u8().unwrap_or_default(), reader.u8());
        let (first, second) = (reader.u16().unwrap_or_default(), reader.u16().unwrap_or_default());
        match kind {
            FRAMEBUFFER_UPDATE => {
                self.rects_left = first;
                Ok(Step::On(State::Rect))
            }
            SET_COLOUR_MAP_ENTRIES => Ok(Step::On(State::Colours { next: usize::from(first), left: usize::from(second) })),
            BELL => Ok(Step::Event(ServerEvent::Bell, State::Message)),
            SERVER_CUT_TEXT => Ok(Step::On(State::Skip(cut_text_bytes(header)))),
            unknown => Err(DecodeError::UnknownMessage(unknown)),
        }
    }

    fn rect(&mut self, input: &mut &[u8]) -> Result<Step, DecodeError> {
        if self.rects_left == 0 {
            return Ok(self.update_end());
        }
        let Some(header) = self.gather.array::<RECT_HEADER_BYTES>(input) else { return Ok(Step::MoreBytes) };
        self.rects_left -= 1;
        let mut reader = Reader::new(&header);
        let (Some(rect), Some(number)) = (reader.rect(), reader.i32()) else { return Ok(Step::MoreBytes) };
        match number {
            encoding::LAST_RECT => return Ok(self.update_end()),
            encoding::DESKTOP_SIZE => return self.desktop_size(rect),
            encoding::EXTENDED_DESKTOP_SIZE => return Ok(Step::On(State::Areas(rect))),
            _ => {}
        }
        // Nothing is painted by an empty rectangle, wherever it is; its data is still read.
        let rect = if rect.is_empty() { Rect::new(0, 0, 0, 0) } else { rect };
        if !rect.is_within(self.size) {
            return Err(DecodeError::OutsideScreen { rect, size: self.size });
        }
        Ok(Step::On(match number {
            encoding::RAW => State::Raw(rect, raw::Raw::default()),
            encoding::COPY_RECT => State::CopyRect(rect),
            encoding::HEXTILE => State::Hextile(rect, hextile::Hextile::default()),
            encoding::TIGHT => State::Tight(rect, tight::Phase::Header),
            encoding::ZRLE => State::ZrleLength(rect),
            encoding => return Err(DecodeError::UnknownEncoding { encoding, rect }),
        }))
    }

    fn update_end(&mut self) -> Step {
        Step::Event(ServerEvent::UpdateEnd { damage: std::mem::take(&mut self.damage) }, State::Message)
    }

    fn copy_rect(&mut self, to: Rect, input: &mut &[u8], fb: &mut Framebuffer) -> Result<Step, DecodeError> {
        let Some([x1, x0, y1, y0]) = self.gather.array(input) else { return Ok(Step::MoreBytes) };
        let from = Rect { x: u16::from_be_bytes([x1, x0]), y: u16::from_be_bytes([y1, y0]), ..to };
        if !to.is_empty() && !from.is_within(self.size) {
            return Err(DecodeError::OutsideScreen { rect: from, size: self.size });
        }
        fb.copy(from, to.x, to.y);
        Ok(Step::Painted(to))
    }

    fn desktop_size(&mut self, place: Rect) -> Result<Step, DecodeError> {
        self.screens.clear();
        self.resize(Size::new(place.width, place.height)?)
    }

    /// ExtendedDesktopSize: x is the reason, y the status; an answer to a request of ours that failed changes nothing.
    fn areas(&mut self, place: Rect, input: &mut &[u8]) -> Result<Step, DecodeError> {
        const REASON_CLIENT: u16 = 1;
        let Some(bytes) = self.gather.take_measured(input, areas_bytes) else { return Ok(Step::MoreBytes) };
        if place.x == REASON_CLIENT && place.y != 0 {
            return Ok(Step::On(State::Rect));
        }
        let screens = ScreenArea::decode_all(bytes.get(AREAS_HEADER_BYTES..).unwrap_or_default());
        let is_new = screens != self.screens;
        self.screens = screens;
        match self.resize(Size::new(place.width, place.height)?)? {
            Step::On(state) if is_new => Ok(Step::Event(ServerEvent::Displays, state)),
            step => Ok(step),
        }
    }

    fn resize(&mut self, size: Size) -> Result<Step, DecodeError> {
        if size == self.size {
            return Ok(Step::On(State::Rect));
        }
        self.size = size;
        self.damage.clear();
        Ok(Step::Event(ServerEvent::Resized(size), State::Rect))
    }
}

/// The length of a ServerCutText; one that is negative is an Extended Clipboard message's, which is not offered.
fn cut_text_bytes(header: &[u8]) -> usize {
    let length = header.last_chunk().map_or(0, |&bytes| i32::from_be_bytes(bytes));
    usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "decoder_recorded_tests.rs"]
mod recorded_tests;
