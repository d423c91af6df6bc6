//! Why a link ended.

use std::io;
use std::time::Duration;
use treevnc_protocol::tree::frame::FrameError;
use treevnc_protocol::tree::message::MessageError;
use treevnc_protocol::update::UpdateError;

/// Why a link could not be made or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The other side closed the connection, between two frames.
    #[error("the other side closed the link")]
    Closed,
    /// The other side closed the connection inside a frame.
    #[error("the link broke inside a frame")]
    Broken,
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The other side did not answer in time.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// What listens there is not of this program.
    #[error("not a TreeVNC port: it begins with \"{0}\"")]
    NotTreeVnc(String),
    /// A frame that is too long or does not belong here.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A control message that cannot be read.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// An update that cannot be read.
    #[error(transparent)]
    Update(#[from] UpdateError),
}

impl LinkError {
    /// Whether the other side sent something it must not send, so that trying again is of no use.
    pub fn is_fault(&self) -> bool {
        matches!(self, Self::NotTreeVnc(_) | Self::Frame(_) | Self::Message(_) | Self::Update(_))
    }
}
