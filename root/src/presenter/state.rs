//! What others may know of a presenter's connection, and why a session ends.

use super::{patience, session};
use std::time::Duration;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::rfb::{DecodeError, encoding};
use treevnc_protocol::view::View;
use treevnc_relay::publisher::PublishError;
use treevnc_screen::capture::CaptureError;
use treevnc_screen::vnc::{ConnectError, Distance};

/// What is known of the presenter; the log keeps its last picture in every state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenterState {
    /// Being dialled for the first time.
    Connecting,
    /// Its screen is shown.
    Connected {
        /// The screen's name.
        name: String,
        /// The screen's size.
        size: Size,
    },
    /// Gone, and dialled again; stays so until it is connected.
    Lost {
        /// What ended the last attempt, one line.
        why: String,
        /// How long from the loss to the next attempt.
        retry_in: Duration,
    },
    /// It will not have us, and waiting does not change that.
    Refused {
        /// What to do about it, one line.
        why: String,
    },
}

/// The encodings that are asked for when all of a screen is shown, the best first. No Cursor: the server is to draw the pointer.
pub(super) fn encodings(distance: Distance) -> &'static [i32] {
    use encoding::*;
    match distance {
        Distance::SameMachine => &[RAW, COPY_RECT, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, LAST_RECT],
        Distance::Network => &[ZRLE, TIGHT, HEXTILE, COPY_RECT, RAW, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, LAST_RECT],
    }
}

/// The same for a part of the screen: what CopyRect copies may lie outside of it, where nothing was ever asked for.
pub(super) fn encodings_of_part(distance: Distance) -> Vec<i32> {
    encodings(distance).iter().copied().filter(|&number| number != encoding::COPY_RECT).collect()
}

/// Why a session with a presenter ended, or could not begin.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// It cannot be reached, or does not let us in.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// This machine's own screen cannot be captured.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// What was sent is no RFB, or beyond a limit.
    #[error("what it sends cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// The presenter closed the connection.
    #[error("it closed the connection")]
    Ended,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
    /// Nothing more came inside a message.
    #[error("it fell silent inside a message for {} s", patience::SILENCE.as_secs())]
    Silent,
    /// A message that trickles in.
    #[error("a message is not complete after {} s", .0.as_secs())]
    TooSlow(Duration),
    /// No update although the whole picture was asked for.
    #[error("it sent no picture for {} s", patience::FIRST_UPDATE.as_secs())]
    NoPicture,
    /// It shows no sign of life.
    #[error("it has not answered for {} s", patience::SIGN_OF_LIFE.as_secs())]
    NoAnswer,
    /// The display that is to be shown is not there.
    #[error("{0} is not there (any more)")]
    DisplayGone(View),
    /// An endless update, or endless other messages.
    #[error("more than {0} bytes without the end of an update")]
    TooMuch(u64),
    /// An update that takes too long to decode.
    #[error("an update takes more than {} s to decode", patience::DECODING.as_secs())]
    TooDear,
    /// The presenter does not read.
    #[error("it takes no request for {} s", session::SENDING.as_secs())]
    NotReading,
    /// The picture could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl SessionError {
    /// Whether dialling again is of no use until somebody does something.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Connect(error) if error.is_final())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pointer_is_left_to_the_server_and_nothing_lossy_is_asked_for() {
        for distance in [Distance::SameMachine, Distance::Network] {
            let lossy_or_cursor = |number: &i32| (-32..=-23).contains(number) || [-239, -240, -314, -232].contains(number);
            assert!(!encodings(distance).iter().any(lossy_or_cursor));
        }
    }
}
