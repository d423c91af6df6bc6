//! The outgoing direction of a link.

use super::LinkError;
use bytes::{Buf, Bytes};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use treevnc_protocol::tree::frame;
use treevnc_protocol::tree::message::Message;
use treevnc_protocol::update::{self, Content, Seq, Update};

/// The outgoing direction of a link. A write that is dropped before it ends may leave half a frame behind: then drop the writer.
#[derive(Debug)]
pub struct LinkWriter {
    half: OwnedWriteHalf,
}

impl LinkWriter {
    pub(super) fn new(half: OwnedWriteHalf) -> Self {
        Self { half }
    }

    /// Writes a control message.
    pub async fn write_message(&mut self, message: &Message) -> Result<(), LinkError> {
        Ok(self.half.write_all(&message.encode()).await?)
    }

    /// Writes an update with this side's stamp. The rectangles go to the kernel from where they are, uncopied.
    pub async fn write_update(&mut self, update: &Update, until: Seq) -> Result<(), LinkError> {
        let head = update::encode_header(update, until);
        let rects = match &update.content {
            Content::Picture(picture) => picture.rects().clone(),
            Content::Screen(_) => Bytes::new(),
        };
        let header = frame::header(frame::kind::FRAMEBUFFER_UPDATE, head.len() + rects.len());
        Ok(self.half.write_all_buf(&mut header.chain(head).chain(rects)).await?)
    }
}
