//! Messages of a client (RFC 6143 section 7.5, and SetDesktopSize): their bytes, and the decoder for what viewers send.

use super::extended_desktop_size::{AREA_BYTES, ScreenArea};
use super::gather::{Gather, skip};
use crate::geometry::Rect;
use crate::pixel::{PIXEL_FORMAT_BYTES, PixelFormat, PixelFormatError};
use crate::wire::Reader;

/// Most encodings that a client may list.
pub const MAX_ENCODINGS: usize = 1024;
/// Longest cut text that is reported; what is longer is skipped.
pub const MAX_CUT_TEXT_BYTES: usize = 16 * 1024;

const SET_PIXEL_FORMAT: u8 = 0;
const SET_ENCODINGS: u8 = 2;
const FRAMEBUFFER_UPDATE_REQUEST: u8 = 3;
const KEY_EVENT: u8 = 4;
const POINTER_EVENT: u8 = 5;
const CLIENT_CUT_TEXT: u8 = 6;
const SET_DESKTOP_SIZE: u8 = 251;

/// A message of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// Pixels are wanted in this format from now on.
    SetPixelFormat(PixelFormat),
    /// Encodings that are understood, the best first.
    SetEncodings(Vec<i32>),
    /// A picture is wanted.
    FramebufferUpdateRequest {
        /// Whether what changed since is enough.
        incremental: bool,
        /// The part that is wanted; possibly outside the screen.
        rect: Rect,
    },
    /// A key (an X keysym) went down or up.
    KeyEvent {
        /// Whether it went down.
        down: bool,
        /// The keysym.
        key: u32,
    },
    /// The pointer moved or a button changed.
    PointerEvent {
        /// The buttons that are down, the first in the lowest bit.
        buttons: u8,
        /// Column.
        x: u16,
        /// Row.
        y: u16,
    },
    /// Text (ISO 8859-1) for the other side's clipboard, at most [`MAX_CUT_TEXT_BYTES`].
    CutText(Vec<u8>),
    /// Another screen size is wanted (registered, "SetDesktopSize").
    SetDesktopSize {
        /// Width in pixels, unchecked.
        width: u16,
        /// Height in pixels, unchecked.
        height: u16,
        /// The monitors wanted.
        areas: Vec<ScreenArea>,
    },
}

/// Why a client's message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientMessageError {
    /// A message of an extension that was not offered, or of none.
    #[error("message type {0} is not known here")]
    UnknownType(u8),
    /// An impossible pixel format.
    #[error(transparent)]
    PixelFormat(#[from] PixelFormatError),
    /// A list beyond the limit.
    #[error("{0} encodings, the limit is {MAX_ENCODINGS}")]
    TooManyEncodings(usize),
}

impl ClientMessage {
    /// The message's bytes. Lists and texts longer than their count can say are cut.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(20);
        match self {
            Self::SetPixelFormat(format) => {
                out.extend([SET_PIXEL_FORMAT, 0, 0, 0]);
                out.extend(format.encode());
            }
            Self::SetEncodings(encodings) => {
                let count = u16::try_from(encodings.len()).unwrap_or(u16::MAX);
                out.extend([SET_ENCODINGS, 0]);
                out.extend(count.to_be_bytes());
                out.extend(encodings.iter().take(usize::from(count)).flat_map(|number| number.to_be_bytes()));
            }
            Self::FramebufferUpdateRequest { incremental, rect } => {
                out.extend([FRAMEBUFFER_UPDATE_REQUEST, u8::from(*incremental)]);
                out.extend([rect.x, rect.y, rect.width, rect.height].into_iter().flat_map(u16::to_be_bytes));
            }
            Self::KeyEvent { down, key } => {
                out.extend([KEY_EVENT, u8::from(*down), 0, 0]);
                out.extend(key.to_be_bytes());
            }
            Self::PointerEvent { buttons, x, y } => {
                out.extend([POINTER_EVENT, *buttons]);
                out.extend([*x, *y].into_iter().flat_map(u16::to_be_bytes));
            }
            Self::CutText(text) => {
                let text = &text[..text.len().min(MAX_CUT_TEXT_BYTES)];
                out.extend([CLIENT_CUT_TEXT, 0, 0, 0]);
                out.extend(u32::try_from(text.len()).unwrap_or(0).to_be_bytes());
                out.extend(text);
            }
            Self::SetDesktopSize { width, height, areas } => {
                let count = u8::try_from(areas.len()).unwrap_or(u8::MAX);
                out.extend([SET_DESKTOP_SIZE, 0]);
                out.extend([*width, *height].into_iter().flat_map(u16::to_be_bytes));
                out.extend([count, 0]);
                areas.iter().take(usize::from(count)).for_each(|area| area.encode(&mut out));
            }
        }
        out
    }
}

/// Decodes what a viewer sends after the handshake. Memory is bounded by [`MAX_ENCODINGS`] and [`MAX_CUT_TEXT_BYTES`].
#[derive(Debug, Default)]
pub struct ClientDecoder {
    gather: Gather,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// The fixed part of a message.
    #[default]
    Header,
    Encodings(usize),
    CutText(usize),
    Areas {
        width: u16,
        height: u16,
        count: usize,
    },
    Skip(usize),
}

/// Bytes of a message before its list or text, told by its type; 1 for types that are not known.
fn header_bytes(beginning: &[u8]) -> usize {
    match beginning.first() {
        Some(&SET_PIXEL_FORMAT) => 4 + PIXEL_FORMAT_BYTES,
        Some(&SET_ENCODINGS) => 4,
        Some(&FRAMEBUFFER_UPDATE_REQUEST) => 10,
        Some(&KEY_EVENT | &CLIENT_CUT_TEXT | &SET_DESKTOP_SIZE) => 8,
        Some(&POINTER_EVENT) => 6,
        _ => 1,
    }
}

impl ClientDecoder {
    /// A decoder at the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes of the viewer: all of them, or up to the end of the message that is reported.
    pub fn feed(&mut self, input: &[u8]) -> Result<(usize, Option<ClientMessage>), ClientMessageError> {
        let mut rest = input;
        while let Some(message) = self.step(&mut rest)? {
            if message.is_some() {
                return Ok((input.len() - rest.len(), message));
            }
        }
        Ok((input.len() - rest.len(), None))
    }

    /// One part of a message: `None` when more bytes are needed, `Some(None)` when the message goes on or is skipped.
    fn step(&mut self, input: &mut &[u8]) -> Result<Option<Option<ClientMessage>>, ClientMessageError> {
        let message = match &mut self.state {
            State::Header => return self.header(input),
            State::Skip(left) => return Ok(skip(input, left).then(|| self.end(None))),
            State::Encodings(count) => self.gather.take(input, *count * 4).map(|bytes| {
                let (numbers, _) = bytes.as_chunks::<4>();
                ClientMessage::SetEncodings(numbers.iter().map(|&number| i32::from_be_bytes(number)).collect())
            }),
            State::CutText(count) => self.gather.take(input, *count).map(|text| ClientMessage::CutText(text.to_vec())),
            State::Areas { width, height, count } => self.gather.take(input, *count * AREA_BYTES).map(|bytes| {
                ClientMessage::SetDesktopSize { width: *width, height: *height, areas: ScreenArea::decode_all(bytes) }
            }),
        };
        Ok(message.map(|message| self.end(Some(message))))
    }

    fn end(&mut self, message: Option<ClientMessage>) -> Option<ClientMessage> {
        self.state = State::Header;
        message
    }

    fn header(&mut self, input: &mut &[u8]) -> Result<Option<Option<ClientMessage>>, ClientMessageError> {
        let Some(header) = self.gather.take_measured(input, header_bytes) else { return Ok(None) };
        let mut reader = Reader::new(header);
        let kind = reader.u8().unwrap_or_default();
        let mut fields = || match kind {
            SET_PIXEL_FORMAT => {
                reader.bytes(3)?;
                Some(PixelFormat::read(&mut reader)?.map(ClientMessage::SetPixelFormat).map(Parsed::Whole).map_err(Into::into))
            }
            SET_ENCODINGS => Some(encodings(usize::from((reader.u8()?, reader.u16()?).1))),
            FRAMEBUFFER_UPDATE_REQUEST => {
                let (incremental, rect) = (reader.u8()? != 0, reader.rect()?);
                whole(ClientMessage::FramebufferUpdateRequest { incremental, rect })
            }
            KEY_EVENT => {
                let (down, _, key) = (reader.u8()? != 0, reader.u16()?, reader.u32()?);
                whole(ClientMessage::KeyEvent { down, key })
            }
            POINTER_EVENT => whole(ClientMessage::PointerEvent { buttons: reader.u8()?, x: reader.u16()?, y: reader.u16()? }),
            CLIENT_CUT_TEXT => Some(Ok(Parsed::Begun(cut_text((reader.bytes(3)?, reader.i32()?).1)))),
            SET_DESKTOP_SIZE => {
                let (_, width, height, count) = (reader.u8()?, reader.u16()?, reader.u16()?, reader.u8()?);
                Some(Ok(Parsed::Begun(State::Areas { width, height, count: usize::from(count) })))
            }
            unknown => Some(Err(ClientMessageError::UnknownType(unknown))),
        };
        match fields().transpose()? {
            Some(Parsed::Whole(message)) => Ok(Some(Some(message))),
            Some(Parsed::Begun(state)) => {
                self.state = state;
                Ok(Some(None))
            }
            None => Ok(None),
        }
    }
}

/// A message that is complete with its header, or the state that reads the rest.
enum Parsed {
    Whole(ClientMessage),
    Begun(State),
}

fn whole(message: ClientMessage) -> Option<Result<Parsed, ClientMessageError>> {
    Some(Ok(Parsed::Whole(message)))
}

fn encodings(count: usize) -> Result<Parsed, ClientMessageError> {
    if count > MAX_ENCODINGS {
        Err(ClientMessageError::TooManyEncodings(count))
    } else {
        Ok(Parsed::Begun(State::Encodings(count)))
    }
}

/// A negative length is that of an Extended Clipboard message, which is not offered: skipped, as text that is too long.
fn cut_text(length: i32) -> State {
    match usize::try_from(length) {
        Ok(count) if count <= MAX_CUT_TEXT_BYTES => State::CutText(count),
        _ => State::Skip(usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}

#[cfg(test)]
#[path = "client_message_tests.rs"]
mod tests;
