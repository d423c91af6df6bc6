//! The outgoing direction of a link.

use super::LinkError;
use crate::upload::{Turnstile, Upload};
use bytes::{Buf, Bytes};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use treevnc_protocol::tree::frame;
use treevnc_protocol::tree::message::Message;
use treevnc_protocol::update::{self, Content, Seq, Update};

/// The outgoing direction of a link. A write that is dropped before it ends may leave half a frame behind: then drop the writer.
#[derive(Debug)]
pub struct LinkWriter {
    half: OwnedWriteHalf,
    bytes: Arc<AtomicU64>,
    turns: Turnstile,
}

impl LinkWriter {
    pub(super) fn new(half: OwnedWriteHalf, upload: &Upload) -> Self {
        Self { half, bytes: Arc::default(), turns: upload.turnstile() }
    }

    /// Bytes written since the greeting, also while a write goes on.
    pub(super) fn bytes_written(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    /// Where the bytes go.
    pub(super) fn into_half(self) -> OwnedWriteHalf {
        self.half
    }

    /// Writes a control message, which waits for no turn.
    pub async fn write_message(&mut self, message: &Message) -> Result<(), LinkError> {
        let frame = message.encode();
        self.turns.urgent(frame.remaining());
        self.write(frame).await
    }

    /// Writes an update with this side's stamp, in turns if this side's upload is limited. The rectangles go to the kernel from where they
    /// are, uncopied.
    pub async fn write_update(&mut self, update: &Update, until: Seq) -> Result<(), LinkError> {
        let head = update::encode_header(update, until);
        let rects = match &update.content {
            Content::Picture(picture) => picture.rects().clone(),
            Content::Screen(_) => Bytes::new(),
        };
        let header = frame::header(frame::kind::FRAMEBUFFER_UPDATE, head.len() + rects.len());
        let mut frame = header.chain(head).chain(rects);
        while frame.has_remaining() {
            let turn = self.turns.turn(frame.remaining()).await;
            self.write((&mut frame).take(turn)).await?;
        }
        Ok(())
    }

    /// Nothing more comes; the other side hears that after everything else.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        self.half.shutdown().await
    }

    async fn write(&mut self, mut frame: impl Buf) -> Result<(), LinkError> {
        while frame.has_remaining() {
            match self.half.write_buf(&mut frame).await? {
                0 => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                count => self.bytes.fetch_add(count as u64, Ordering::Relaxed),
            };
        }
        Ok(())
    }
}
