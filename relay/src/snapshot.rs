//! The present picture, once (PROTOCOL.md, SNAPSHOT_REQUEST): both sides of it. A tree link and not RFB, because its stamps tell when
//! the picture is whole.

use crate::link::{Incoming, LinkError, LinkWriter, dial};
use crate::shared_log::{LogReader, ReaderKind, SharedLog};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::log::{Cursor, ScreenLog};
use treevnc_protocol::tree::message::Message;
use treevnc_protocol::update::{Content, Seq, SessionId, UpdateError};
use treevnc_protocol::zrle::{Decoder, ZrleError};

/// How long a node that has no picture yet keeps the one who asked, and one who takes nothing of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why no picture was taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The link failed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// An update does not fit the screen.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// An update cannot be decoded.
    #[error(transparent)]
    Pixels(#[from] ZrleError),
    /// The node answered with something else.
    #[error("{0}")]
    Refused(String),
    /// No whole picture came in time.
    #[error("no picture within {} s; has the presenter been reached yet?", .0.as_secs())]
    TimedOut(Duration),
}

/// Answers SNAPSHOT_REQUEST: waits for the first whole picture if need be, sends it, and ends the link. Who asks counts as a viewer of
/// the log meanwhile: one that does not take its picture is let go when that takes too long, or when memory runs short.
pub async fn serve_snapshot(log: &SharedLog, writer: LinkWriter) -> Result<(), LinkError> {
    let mut reader = log.reader(ReaderKind::Viewer, Cursor::new(log.with(|log| log.session()), Seq::NONE));
    let mut eviction = reader.eviction();
    tokio::select! {
        sent = send_picture(&mut reader, writer) => sent,
        () = eviction.told() => Ok(()),
    }
}

async fn send_picture(reader: &mut LogReader, mut writer: LinkWriter) -> Result<(), LinkError> {
    let late = |_| LinkError::TimedOut(PATIENCE);
    let first = async {
        while reader.log().with(|log| log.complete()) == Seq::NONE {
            reader.log_changed().await;
        }
        reader.next().await
    };
    let batch = timeout(PATIENCE, first).await.map_err(late)?;
    for entry in &batch.entries {
        timeout(PATIENCE, writer.write_update(entry.update(), batch.until(entry))).await.map_err(late)??;
    }
    Ok(())
}

/// Asks a node for its picture. Gives up after `limit`.
pub async fn take_snapshot(node: SocketAddr, limit: Duration) -> Result<Framebuffer, SnapshotError> {
    let log = timeout(limit, receive(node, limit)).await.map_err(|_| SnapshotError::TimedOut(limit))??;
    let (Some(screen), mut decoder) = (log.screen(), Decoder::new()) else { return Err(SnapshotError::TimedOut(limit)) };
    let mut picture = Framebuffer::new(screen.size);
    for entry in log.live() {
        if let Content::Picture(piece) = &entry.update().content {
            decoder.decode(piece, &mut picture)?;
        }
    }
    Ok(picture)
}

async fn receive(node: SocketAddr, limit: Duration) -> Result<ScreenLog, SnapshotError> {
    let mut link = dial(node, limit).await?;
    link.write_message(&Message::SnapshotRequest).await?;
    // The numbers count within this answer only, so any session will do.
    let mut log = ScreenLog::new(SessionId(0));
    while log.complete() == Seq::NONE {
        match link.read().await? {
            Incoming::Update(update, until) => drop(log.append(update, until)?),
            Incoming::Message(Message::Refused(refused)) => return Err(SnapshotError::Refused(refused.reason.to_string())),
            Incoming::Message(_) => {}
        }
    }
    Ok(log)
}
