//! The incoming direction of a link.

use super::LinkError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use treevnc_protocol::tree::frame::{Accept, Frame, FrameDecoder, kind};
use treevnc_protocol::tree::message::Message;
use treevnc_protocol::update::{self, Seq, Update};

/// Bytes read at a time on a link that carries updates: about two of them.
const UPDATES_BUFFER_BYTES: usize = 64 * 1024;
/// Bytes read at a time on a link that carries control only.
const CONTROL_BUFFER_BYTES: usize = 2 * 1024;

/// What comes in on a link.
#[derive(Debug)]
pub enum Incoming {
    /// A control message.
    Message(Message),
    /// An update and its sender's stamp, in memory of exactly its size. Not yet checked against a screen: the log does that.
    Update(Update, Seq),
}

/// The incoming direction of a link.
#[derive(Debug)]
pub struct LinkReader {
    half: OwnedReadHalf,
    decoder: FrameDecoder,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    bytes: Arc<AtomicU64>,
}

impl LinkReader {
    pub(super) fn new(half: OwnedReadHalf, accept: Accept) -> Self {
        let bytes = if accept == Accept::Everything { UPDATES_BUFFER_BYTES } else { CONTROL_BUFFER_BYTES };
        Self { half, decoder: FrameDecoder::new(accept), buffer: vec![0; bytes].into(), start: 0, end: 0, bytes: Arc::default() }
    }

    /// Bytes read since the greeting, also while a read goes on.
    pub(super) fn bytes_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    /// The bytes behind the last message, and where more come from.
    pub(super) fn into_rest(self) -> (Vec<u8>, OwnedReadHalf) {
        (self.buffer.get(self.start..self.end).unwrap_or_default().to_vec(), self.half)
    }

    /// The next message or update. Cancel safe: what has come in stays here. After an error the link is to be dropped.
    pub async fn read(&mut self) -> Result<Incoming, LinkError> {
        loop {
            while self.start < self.end {
                let (taken, frame) = self.decoder.feed(self.buffer.get(self.start..self.end).unwrap_or_default())?;
                self.start += taken;
                if let Some(frame) = frame {
                    return decode(frame);
                }
            }
            let count = self.half.read(&mut self.buffer).await?;
            if count == 0 {
                return Err(if self.decoder.is_between_frames() { LinkError::Closed } else { LinkError::Broken });
            }
            self.bytes.fetch_add(count as u64, Ordering::Relaxed);
            (self.start, self.end) = (0, count);
        }
    }
}

fn decode(frame: Frame) -> Result<Incoming, LinkError> {
    if frame.kind == kind::FRAMEBUFFER_UPDATE {
        let (update, until) = update::decode(frame.body)?;
        return Ok(Incoming::Update(update, until));
    }
    Ok(Incoming::Message(Message::decode(frame.kind, &frame.body)?))
}
