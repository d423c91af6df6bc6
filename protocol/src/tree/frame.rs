//! Frames of a tree link: u32 length of the body, u8 type, body; big-endian (PROTOCOL.md, Frames). Owns the type numbers and
//! the limit of each. Never looks into a body.

use crate::update;
use bytes::Bytes;

/// Bytes in front of every body.
pub const HEADER_BYTES: usize = 5;
/// Most bytes of a control message's body.
pub const MAX_CONTROL_BYTES: usize = 1024;
/// Most bytes of a STATUS body, which is one page of a list.
pub const MAX_STATUS_BYTES: usize = 64 * 1024;
/// Most bytes of a CHECK_DELAY_REPLY or DELAY body, which are lists.
pub const MAX_DELAY_BYTES: usize = 40 * 1024;
/// Most bytes of a frame of unknown type, which is skipped.
pub const MAX_UNKNOWN_BYTES: usize = 64 * 1024;

/// The type numbers of frames.
pub mod kind {
    /// A node asks the root for a place.
    pub const WHERE_TO_CONNECT: u8 = 0x01;
    /// The root gives a place that is the left child of a pair.
    pub const CONNECT_TO_AS_LEADER: u8 = 0x02;
    /// The root gives a place that is the right child of a pair.
    pub const CONNECT_TO: u8 = 0x03;
    /// A node has attached; the root's echo confirms it.
    pub const ATTACHED: u8 = 0x04;
    /// A node could not attach.
    pub const FAILED: u8 = 0x05;
    /// A parent lost a child.
    pub const LOST_CHILD: u8 = 0x06;
    /// A node leaves.
    pub const LEAVE: u8 = 0x07;
    /// Is the program alive?
    pub const ARE_YOU_THERE: u8 = 0x08;
    /// It is.
    pub const I_AM_HERE: u8 = 0x09;
    /// A question is answered by no.
    pub const REFUSED: u8 = 0x0a;
    /// The root is elsewhere.
    pub const REDIRECT: u8 = 0x0b;
    /// What does the tree look like?
    pub const STATUS_REQUEST: u8 = 0x0c;
    /// One page of what the tree looks like.
    pub const STATUS: u8 = 0x0d;
    /// The present picture, once, please.
    pub const SNAPSHOT_REQUEST: u8 = 0x0e;
    /// A node cannot keep up.
    pub const SLOW_NODE: u8 = 0x0f;
    /// A child asks its parent for the picture.
    pub const ATTACH: u8 = 0x10;
    /// The parent's answer.
    pub const ATTACH_REPLY: u8 = 0x11;
    /// The link lives, and this is the root's newest beat.
    pub const HEARTBEAT: u8 = 0x12;
    /// How it stands with the presenter.
    pub const PRESENTER: u8 = 0x13;
    /// What is behind a site.
    pub const SITE: u8 = 0x14;
    /// Pixels or a new screen ([`crate::update`]).
    pub const FRAMEBUFFER_UPDATE: u8 = 0x20;
    /// A node wants to present.
    pub const SERVER_CHANGE_REQUEST: u8 = 0x30;
    /// Nodes answer a CHECK_DELAY.
    pub const CHECK_DELAY_REPLY: u8 = 0x31;
    /// How it stands with a node's share.
    pub const SERVER_CHANGE_REPLY: u8 = 0x32;
    /// A node brings its screen.
    pub const PRESENT: u8 = 0x33;
    /// It may; RFB follows.
    pub const PRESENT_REPLY: u8 = 0x34;
    /// A person at the root's machine decides who presents.
    pub const FLOOR_REQUEST: u8 = 0x35;
    /// Who presents, and who wants to.
    pub const FLOOR: u8 = 0x36;
    /// Delays are to be measured.
    pub const DELAY_REQUEST: u8 = 0x37;
    /// What was measured.
    pub const DELAY: u8 = 0x38;
}

/// Which frames a side of a link is ready to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// Control messages only: what root and parents take. FRAMEBUFFER_UPDATE and the answers that are lists are errors.
    Control,
    /// STATUS, DELAY and FRAMEBUFFER_UPDATE too: what children, and those who asked, take.
    Everything,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its type, one of [`kind`].
    pub kind: u8,
    /// Its body, in memory of exactly this size.
    pub body: Bytes,
}

/// A frame that a peer must not send; the link is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than its type allows.
    #[error("a frame of type {kind:#04x} with {length} bytes is over the limit of {max}")]
    TooLong {
        /// The frame's type.
        kind: u8,
        /// The announced length of the body in bytes.
        length: u32,
        /// The limit for this type in bytes.
        max: usize,
    },
    /// A type that this side of a link does not take.
    #[error("a frame of type {0:#04x} does not belong here")]
    Unexpected(u8),
}

/// The limit of a type in bytes of body; none for a type that is not known (or only reserved).
pub fn max_body_bytes(kind: u8) -> Option<usize> {
    match kind {
        kind::FRAMEBUFFER_UPDATE => Some(update::MAX_BODY_BYTES),
        kind::STATUS => Some(MAX_STATUS_BYTES),
        kind::CHECK_DELAY_REPLY | kind::DELAY => Some(MAX_DELAY_BYTES),
        kind::WHERE_TO_CONNECT..=kind::SLOW_NODE
        | kind::ATTACH..=kind::SITE
        | kind::SERVER_CHANGE_REQUEST
        | kind::SERVER_CHANGE_REPLY..=kind::DELAY_REQUEST => Some(MAX_CONTROL_BYTES),
        _ => None,
    }
}

/// The bytes in front of a body of that length. The sender keeps `length` within [`max_body_bytes`].
pub fn header(kind: u8, length: usize) -> [u8; HEADER_BYTES] {
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [a, b, c, d, kind]
}

#[derive(Debug)]
enum State {
    /// So many bytes of a header are here.
    Header { bytes: [u8; HEADER_BYTES], have: usize },
    /// So many bytes of a known frame's body are still to come.
    Body { kind: u8, body: Vec<u8>, missing: usize },
    /// So many bytes of an unknown frame are still to come.
    Skip { missing: usize },
}

const START: State = State::Header { bytes: [0; HEADER_BYTES], have: 0 };

/// Cuts a byte stream into frames. Bytes go in as they come, in pieces of any size; frames come out in order. Frames of unknown
/// type are passed over. A length is compared with its limit before memory is taken; after an error the link is to be closed.
#[derive(Debug)]
pub struct FrameDecoder {
    accept: Accept,
    state: State,
}

impl FrameDecoder {
    /// A decoder at the start of a stream (after the greeting).
    pub fn new(accept: Accept) -> Self {
        Self { accept, state: START }
    }

    /// Whether the stream may end here: nothing of a frame has come yet.
    pub fn is_between_frames(&self) -> bool {
        matches!(self.state, State::Header { have: 0, .. })
    }

    /// Takes bytes from the front of `input` until a frame is complete or the input ends: (bytes taken, frame). Without a frame
    /// all of the input has been taken.
    pub fn feed(&mut self, input: &[u8]) -> Result<(usize, Option<Frame>), FrameError> {
        let mut rest = input;
        loop {
            match &mut self.state {
                State::Header { bytes, have } => {
                    let (now, later) = rest.split_at(rest.len().min(HEADER_BYTES - *have));
                    bytes[*have..*have + now.len()].copy_from_slice(now);
                    *have += now.len();
                    rest = later;
                    if *have < HEADER_BYTES {
                        return Ok((input.len(), None));
                    }
                    let [a, b, c, d, kind] = *bytes;
                    self.state = self.begin(kind, u32::from_be_bytes([a, b, c, d]))?;
                }
                State::Body { kind, body, missing } => {
                    let (now, later) = rest.split_at(rest.len().min(*missing));
                    body.extend_from_slice(now);
                    *missing -= now.len();
                    rest = later;
                    if *missing > 0 {
                        return Ok((input.len(), None));
                    }
                    let frame = Frame { kind: *kind, body: std::mem::take(body).into() };
                    self.state = START;
                    return Ok((input.len() - rest.len(), Some(frame)));
                }
                State::Skip { missing } => {
                    let now = rest.len().min(*missing);
                    *missing -= now;
                    rest = &rest[now..];
                    if *missing > 0 {
                        return Ok((input.len(), None));
                    }
                    self.state = START;
                }
            }
        }
    }

    fn begin(&self, kind: u8, length: u32) -> Result<State, FrameError> {
        let known = max_body_bytes(kind);
        let max = known.unwrap_or(MAX_UNKNOWN_BYTES);
        let is_answer = matches!(kind, kind::FRAMEBUFFER_UPDATE | kind::STATUS | kind::DELAY);
        if self.accept == Accept::Control && is_answer {
            return Err(FrameError::Unexpected(kind));
        }
        let missing = usize::try_from(length).ok().filter(|&length| length <= max);
        let missing = missing.ok_or(FrameError::TooLong { kind, length, max })?;
        Ok(match known {
            Some(_) => State::Body { kind, body: Vec::with_capacity(missing), missing },
            None => State::Skip { missing },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
        [&header(kind, body.len())[..], body].concat()
    }

    /// Everything that comes out when the stream arrives in pieces of `step` bytes.
    fn frames(stream: &[u8], step: usize) -> Result<Vec<Frame>, FrameError> {
        let mut decoder = FrameDecoder::new(Accept::Everything);
        let mut out = Vec::new();
        for piece in stream.chunks(step) {
            let mut rest = piece;
            while !rest.is_empty() {
                let (taken, frame) = decoder.feed(rest)?;
                assert!(taken == rest.len() || frame.is_some());
                rest = &rest[taken..];
                out.extend(frame);
            }
        }
        Ok(out)
    }

    #[test]
    fn a_header_is_length_then_type() {
        assert_eq!(header(kind::FRAMEBUFFER_UPDATE, 0x0102), [0, 0, 1, 2, 0x20]);
    }

    #[test]
    fn frames_come_out_whole_however_the_bytes_arrive() {
        let update = vec![9; 3000];
        let stream = [
            frame(kind::HEARTBEAT, b"abc"),
            frame(kind::LEAVE, b""),
            frame(0x21, b"skipped"),
            frame(0xff, b""),
            frame(kind::FRAMEBUFFER_UPDATE, &update),
        ]
        .concat();
        let expected = [(kind::HEARTBEAT, &b"abc"[..]), (kind::LEAVE, b""), (kind::FRAMEBUFFER_UPDATE, &update)];
        let expected = expected.map(|(kind, body)| Frame { kind, body: Bytes::copy_from_slice(body) });
        for step in [1, 2, 3, 4, 5, 6, 7, 100, 10_000] {
            assert_eq!(frames(&stream, step).unwrap(), expected, "in pieces of {step}");
        }
    }

    #[test]
    fn each_type_is_limited_before_its_body_comes() {
        for (kind, max) in [
            (kind::WHERE_TO_CONNECT, MAX_CONTROL_BYTES),
            (kind::STATUS_REQUEST, MAX_CONTROL_BYTES),
            (kind::STATUS, MAX_STATUS_BYTES),
            (kind::CHECK_DELAY_REPLY, MAX_DELAY_BYTES),
            (kind::FRAMEBUFFER_UPDATE, update::MAX_BODY_BYTES),
            (0x77, MAX_UNKNOWN_BYTES),
        ] {
            assert_eq!(frames(&header(kind, max), 5), Ok(vec![]));
            let length = u32::try_from(max + 1).unwrap();
            assert_eq!(frames(&header(kind, max + 1), 5), Err(FrameError::TooLong { kind, length, max }));
            assert!(frames(&header(kind, u32::MAX as usize), 5).is_err());
        }
    }

    #[test]
    fn a_side_that_takes_control_only_refuses_the_large_types_at_the_header() {
        for kind in [kind::FRAMEBUFFER_UPDATE, kind::STATUS, kind::DELAY] {
            let mut decoder = FrameDecoder::new(Accept::Control);
            assert_eq!(decoder.feed(&header(kind, 10)), Err(FrameError::Unexpected(kind)));
        }
        let mut decoder = FrameDecoder::new(Accept::Control);
        assert!(matches!(decoder.feed(&frame(kind::LEAVE, b"x")), Ok((6, Some(_)))));
        assert!(decoder.is_between_frames());
        assert_eq!(decoder.feed(&[0]), Ok((1, None)));
        assert!(!decoder.is_between_frames());
    }

    #[test]
    fn a_body_takes_no_more_memory_than_its_length() {
        let mut decoder = FrameDecoder::new(Accept::Everything);
        let stream = frame(kind::FRAMEBUFFER_UPDATE, &[1; 1001]);
        let (_, frame) = decoder.feed(&stream).unwrap();
        let memory = frame.unwrap().body.try_into_mut().unwrap().capacity();
        assert_eq!(memory, 1001);
    }
}
