//! Serving a child: control messages before updates, one update at a time (DESIGN idea C).

use super::{Incoming, LinkError, LinkReader, LinkWriter, TreeLink};
use crate::shared_log::LogReader;
use tokio::sync::mpsc;
use treevnc_protocol::tree::message::Message;

/// Why a child is no longer served.
#[derive(Debug, thiserror::Error)]
pub enum LinkEnd {
    /// This side ended it: one of the two channels was closed.
    #[error("closed by this side")]
    Local,
    /// The connection ended, or the child sent what it must not send.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Sends a child what its reader finds in the log, and the messages from `control` before anything else: a message waits for the one
/// update that is being written, never for a second. What the child says goes to `incoming`; when nobody takes it there, the child is
/// not read any further. Ends with the link, or when either channel is closed.
///
/// Dropping the future closes the link.
pub async fn serve_child(
    link: TreeLink,
    mut log: LogReader,
    mut control: mpsc::Receiver<Message>,
    incoming: mpsc::Sender<Message>,
) -> LinkEnd {
    let (mut reader, mut writer) = link.split();
    tokio::select! {
        end = hear(&mut reader, &incoming) => end,
        end = send(&mut writer, &mut log, &mut control) => end,
    }
}

async fn hear(reader: &mut LinkReader, incoming: &mpsc::Sender<Message>) -> LinkEnd {
    loop {
        match reader.read().await {
            Ok(Incoming::Message(message)) => {
                if incoming.send(message).await.is_err() {
                    return LinkEnd::Local;
                }
            }
            Ok(Incoming::Update(..)) => {
                let kind = treevnc_protocol::tree::frame::kind::FRAMEBUFFER_UPDATE;
                return LinkError::Frame(treevnc_protocol::tree::frame::FrameError::Unexpected(kind)).into();
            }
            Err(error) => return error.into(),
        }
    }
}

async fn send(writer: &mut LinkWriter, log: &mut LogReader, control: &mut mpsc::Receiver<Message>) -> LinkEnd {
    loop {
        let batch = tokio::select! {
            biased;
            message = control.recv() => {
                let Some(message) = message else { return LinkEnd::Local };
                if let Err(error) = writer.write_message(&message).await {
                    return error.into();
                }
                continue;
            }
            batch = log.next() => batch,
        };
        for entry in &batch.entries {
            if let Err(end) = drain(writer, control).await {
                return end;
            }
            if let Err(error) = writer.write_update(entry.update(), batch.until(entry)).await {
                return error.into();
            }
        }
        log.sent(&batch);
    }
}

/// Sends the messages that wait.
async fn drain(writer: &mut LinkWriter, control: &mut mpsc::Receiver<Message>) -> Result<(), LinkEnd> {
    loop {
        match control.try_recv() {
            Ok(message) => writer.write_message(&message).await?,
            Err(mpsc::error::TryRecvError::Empty) => return Ok(()),
            Err(mpsc::error::TryRecvError::Disconnected) => return Err(LinkEnd::Local),
        }
    }
}
