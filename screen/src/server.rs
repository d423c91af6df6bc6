//! Our own VNC server over one stream: this machine's screen for somebody who is not on it, such as the root behind a share's bridge.
//! Fetches a picture only when the client has asked for one and something has changed. Listens nowhere.

use crate::capture::{Capture, CaptureError};
use crate::vnc::Stream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use treevnc_protocol::update::SessionId;
use treevnc_relay::clock::SessionClock;
use treevnc_relay::computing::computing;
use treevnc_relay::publisher::{PublishError, Publisher};
use treevnc_relay::shared_log::SharedLog;
use treevnc_relay::viewer::{Served, serve_over};

/// Damage up to here is encoded at once: less work than handing it over.
const SMALL_PX: usize = 64 * 64 * 16;

/// Why a screen is no longer served.
#[derive(Debug, thiserror::Error)]
pub enum ServerEnd {
    /// The client has left, or is at fault.
    #[error(transparent)]
    Client(#[from] Served),
    /// The screen cannot be captured any longer.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The picture cannot be encoded.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// Serves what is captured under that name, by RFB 3.8 without a password, until the stream or the capture ends. Take care whom the
/// stream leads to. Dropping the future closes the stream and ends the capture. Needs a tokio runtime of several threads for its
/// computing not to be in the way of others.
pub async fn serve(capture: Capture, name: &str, stream: impl Stream) -> ServerEnd {
    let log = SharedLog::new(SessionId(0));
    let mut pump = Pump { capture, publisher: Publisher::new(log.clone(), SessionClock::start()), name: name.to_owned() };
    // The handshake says the screen's size, so the first picture comes first.
    if let Err(end) = pump.publish().await {
        return end;
    }
    let (waiting, is_waiting) = watch::channel(false);
    // A task of its own: while a large picture is being encoded, its first parts are on their way already.
    let mut pumping = JoinSet::new();
    pumping.spawn(pump.run(is_waiting));
    tokio::select! {
        served = serve_over(stream, &log, waiting) => served.into(),
        Some(Ok(end)) = pumping.join_next() => end,
        else => CaptureError::Lost("its task has failed".into()).into(),
    }
}

/// From the capture into the log.
struct Pump {
    capture: Capture,
    publisher: Publisher,
    name: String,
}

impl Pump {
    async fn run(mut self, mut is_waiting: watch::Receiver<bool>) -> ServerEnd {
        loop {
            if let Err(error) = self.capture.changed().await {
                return error.into();
            }
            // Whoever has sent everything and waits is the client that has asked again.
            self.publisher.log().caught_up(self.publisher.seq()).await;
            if is_waiting.wait_for(|&is_waiting| is_waiting).await.is_err() {
                return std::future::pending().await;
            }
            if let Err(end) = self.publish().await {
                return end;
            }
        }
    }

    async fn publish(&mut self) -> Result<(), ServerEnd> {
        let grabbed = self.capture.grab().await?;
        let is_large = grabbed.damage.iter().map(|rect| rect.area()).sum::<usize>() > SMALL_PX;
        let (publisher, name) = (&mut self.publisher, &self.name);
        let published = computing(is_large, || {
            publisher.begin_screen(grabbed.picture.size(), name);
            publisher.publish_frame(grabbed.picture, &grabbed.damage)
        })?;
        tracing::trace!(?published, "frame");
        Ok(())
    }
}
