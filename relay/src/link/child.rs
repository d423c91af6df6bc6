//! Serving a child: heartbeats and control messages before updates, one update at a time (DESIGN idea C).

use super::{Gauge, Incoming, LinkError, LinkReader, LinkWriter, TreeLink};
use crate::shared_log::LogReader;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use treevnc_protocol::tree::frame::{FrameError, kind};
use treevnc_protocol::tree::message::{Fault, Message};

/// The longest that one update holds the next one back.
const HOLD: Duration = Duration::from_secs(1);
/// How long a child that was told everything may take to close the link.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why a link between a parent and a child ended.
#[derive(Debug, thiserror::Error)]
pub enum LinkEnd {
    /// This side ended it.
    #[error("closed by this side")]
    Local,
    /// This side had nothing more to say.
    #[error("everything was said")]
    Told,
    /// The other side gives no sign of life, or takes nothing.
    #[error("the other side is lost: {0:?}")]
    Lost(Fault),
    /// What was being written held too much memory.
    #[error("it took too long for too much, and memory runs short")]
    Evicted,
    /// The connection ended, or the other side sent what it must not send.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl LinkEnd {
    /// What is said of it to the root.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Lost(fault) => *fault,
            Self::Link(error) if error.is_fault() => Fault::BadData,
            Self::Evicted => Fault::NoProgress,
            Self::Local | Self::Told | Self::Link(_) => Fault::Closed,
        }
    }
}

/// Sends a child what its reader finds in the log, and heartbeats and the messages from `control` before anything else: a message
/// waits for the one update that is being written, never for a second. What the child says goes to `incoming`, its heartbeats
/// excepted; when nobody takes it there, the child is not read any further, and will seem silent. Ends with the link, when either
/// channel is closed, when memory runs short, when the log begins another session, or when `gauge`, which is this link's, finds the child
/// lost, even while a write waits. After the end of `control` the child gets what was said, and a moment to close the link itself.
///
/// Dropping the future closes the link.
pub async fn serve_child(
    link: TreeLink,
    mut log: LogReader,
    gauge: &Gauge,
    control: mpsc::Receiver<Message>,
    incoming: mpsc::Sender<Message>,
) -> LinkEnd {
    let (mut reader, writer) = link.split();
    let mut eviction = log.eviction();
    let mut mouth = Mouth { writer, gauge, control, free: Instant::now() };
    let Err(end) = tokio::select! {
        heard = hear(&mut reader, gauge, &incoming) => heard,
        sent = mouth.send(&mut log) => sent,
        () = eviction.told() => Err(LinkEnd::Evicted),
        fault = gauge.vitals().fault() => Err(LinkEnd::Lost(fault)),
    };
    if matches!(end, LinkEnd::Told) {
        // A connection that is closed with something unread is reset, and may take the last words with it.
        let closed = async {
            if mouth.writer.finish().await.is_ok() {
                while reader.read().await.is_ok() {}
            }
        };
        let _ = timeout(LAST_WORDS, closed).await;
    }
    end
}

async fn hear(reader: &mut LinkReader, gauge: &Gauge, incoming: &mpsc::Sender<Message>) -> Result<Infallible, LinkEnd> {
    loop {
        let heard = reader.read().await?;
        gauge.heard(&heard);
        match heard {
            Incoming::Message(Message::Heartbeat(_)) => {}
            Incoming::Message(message) => incoming.send(message).await.map_err(|_| LinkEnd::Local)?,
            Incoming::Update(..) => return Err(LinkError::Frame(FrameError::Unexpected(kind::FRAMEBUFFER_UPDATE)).into()),
        }
    }
}

/// The outgoing direction.
struct Mouth<'a> {
    writer: LinkWriter,
    gauge: &'a Gauge,
    control: mpsc::Receiver<Message>,
    /// When the next update may be written.
    free: Instant,
}

impl Mouth<'_> {
    async fn send(&mut self, log: &mut LogReader) -> Result<Infallible, LinkEnd> {
        loop {
            let Some(batch) = log.try_next() else {
                if log.is_over() {
                    return Err(LinkEnd::Local);
                }
                self.gauge.has_all(true);
                self.wait(log).await?;
                self.gauge.has_all(false);
                continue;
            };
            for entry in &batch.entries {
                self.hold().await?;
                self.send_waiting().await?;
                let begun = Instant::now();
                self.gauge.write_begins();
                self.writer.write_update(entry.update(), batch.until(entry)).await?;
                self.gauge.write_ends();
                let bytes = entry.update().cost_bytes() as u64;
                log.count_sent(bytes);
                let time = self.gauge.time_for(bytes).min(HOLD);
                self.free = if time.is_zero() { begun } else { self.free.max(begun) + time };
            }
            log.sent(&batch);
        }
    }

    /// Waits until the next update may be written, and sends what is to be sent meanwhile.
    async fn hold(&mut self) -> Result<(), LinkEnd> {
        while self.free > Instant::now() {
            let message = tokio::select! {
                biased;
                heartbeat = self.gauge.vitals().heartbeat() => heartbeat,
                message = self.control.recv() => message.ok_or(LinkEnd::Told)?,
                () = sleep_until(self.free) => return Ok(()),
            };
            self.writer.write_message(&message).await?;
        }
        Ok(())
    }

    /// Waits for the log to change, and sends what is to be sent meanwhile.
    async fn wait(&mut self, log: &mut LogReader) -> Result<(), LinkEnd> {
        loop {
            let message = tokio::select! {
                biased;
                heartbeat = self.gauge.vitals().heartbeat() => heartbeat,
                message = self.control.recv() => message.ok_or(LinkEnd::Told)?,
                () = log.log_changed() => return Ok(()),
            };
            self.writer.write_message(&message).await?;
        }
    }

    /// Sends the heartbeat if one is due, and the messages that wait.
    async fn send_waiting(&mut self) -> Result<(), LinkEnd> {
        if let Some(heartbeat) = self.gauge.vitals().due_heartbeat() {
            self.writer.write_message(&heartbeat).await?;
        }
        loop {
            match self.control.try_recv() {
                Ok(message) => self.writer.write_message(&message).await?,
                Err(mpsc::error::TryRecvError::Empty) => return Ok(()),
                Err(mpsc::error::TryRecvError::Disconnected) => return Err(LinkEnd::Told),
            }
        }
    }
}
