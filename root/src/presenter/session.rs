//! One session with a presenter's VNC server, over any stream: requests, pictures into the log. Owns the framebuffer as received.
//! Never dials and never tries again (DESIGN.md idea E: the stream may be a bridged one).

use super::coverage::Coverage;
use super::pacing::{Ask, Pacer, Turn};
use super::patience::Patience;
use super::state::encodings;
use super::{PresenterState, SessionError};
use std::convert::Infallible;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::Instant;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{ClientMessage, DecodeError, ServerDecoder, ServerEvent, ServerInit};
use treevnc_relay::computing::computing;
use treevnc_relay::publisher::Publisher;
use treevnc_relay::shared_log::SharedLog;
use treevnc_screen::vnc::{Connected, Distance};

/// Longest time a request of a few bytes may take to be sent.
pub(super) const SENDING: Duration = Duration::from_secs(10);
/// Bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;
/// Bytes that are decoded between two looks at the clock, and how long decoding may go on without a chance to be ended.
const PIECE_BYTES: usize = 8 * 1024;
const SLICE: Duration = Duration::from_millis(100);
/// Input and damage up to here are worked off at once: less work than handing it over.
const SMALL_BYTES: usize = 4 * 1024;
const SMALL_PX: usize = 64 * 64 * 16;

/// Speaks RFB with a VNC server and publishes its screen until the session ends, which always has a reason.
///
/// When the future is dropped, the stream is closed and nothing is left behind; the publisher stays usable and the log keeps the last
/// picture. Large pictures are computed under [`tokio::task::block_in_place`]: run it as a task of a multi-thread runtime (on others it
/// works, and blocks), not in a `LocalSet`.
pub async fn run_session(
    connected: Connected,
    publisher: &mut Publisher,
    state: &watch::Sender<PresenterState>,
) -> Result<Infallible, SessionError> {
    let Connected { mut stream, init, early, distance } = connected;
    send(&mut stream, &setup(distance)).await?;
    tracing::info!(name = %init.name, size = %init.size, "presenter connected");
    state.send_replace(PresenterState::Connected { name: init.name.clone(), size: init.size });
    let mut session = Session::new(&init, publisher, state);
    session.absorb(&early).await?;
    session.run(stream).await
}

/// SetPixelFormat and SetEncodings.
fn setup(distance: Distance) -> Vec<u8> {
    let mut out = ClientMessage::SetPixelFormat(PixelFormat::NATIVE).encode();
    out.extend(ClientMessage::SetEncodings(encodings(distance).to_vec()).encode());
    out
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), SessionError> {
    let sending = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    Ok(tokio::time::timeout(SENDING, sending).await.map_err(|_| SessionError::NotReading)??)
}

/// The picture as received, and what is due next.
struct Session<'a> {
    publisher: &'a mut Publisher,
    state: &'a watch::Sender<PresenterState>,
    name: String,
    decoder: ServerDecoder,
    fb: Framebuffer,
    /// What has arrived of a new screen's first picture; `None` once that was published.
    coverage: Option<Coverage>,
    pacer: Pacer,
    patience: Patience,
    start: Instant,
}

impl<'a> Session<'a> {
    fn new(init: &ServerInit, publisher: &'a mut Publisher, state: &'a watch::Sender<PresenterState>) -> Self {
        Self {
            publisher,
            state,
            name: init.name.clone(),
            decoder: ServerDecoder::new(init.size, PixelFormat::NATIVE),
            fb: Framebuffer::new(init.size),
            coverage: Some(Coverage::new(init.size)),
            pacer: Pacer::new(Duration::ZERO),
            patience: Patience::new(init.size, Duration::ZERO),
            start: Instant::now(),
        }
    }

    async fn run<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut stream: S) -> Result<Infallible, SessionError> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let turn = self.pacer.turn();
            let deadline = self.patience.deadline();
            tokio::select! {
                biased;
                count = stream.read(&mut buffer) => match count? {
                    0 => return Err(SessionError::Ended),
                    count => self.absorb(buffer.get(..count).unwrap_or_default()).await?,
                },
                ask = turn_comes(turn, self.start, self.publisher) => {
                    self.pacer.asked(self.now());
                    send(&mut stream, &request(ask, self.fb.size())).await?;
                },
                late = passes(deadline, self.start) => return Err(late),
            }
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Takes bytes of the presenter, whatever they are.
    async fn absorb(&mut self, input: &[u8]) -> Result<(), SessionError> {
        let mut rest = input;
        loop {
            let (decoder, fb) = (&mut self.decoder, &mut self.fb);
            let fed = computing(rest.len() > SMALL_BYTES, || feed(decoder, fb, &mut rest))?;
            self.patience.decoded(fed.took)?;
            match fed.event {
                Some(ServerEvent::UpdateEnd { damage }) => self.update(&damage)?,
                Some(ServerEvent::Resized(size)) => self.resized(size),
                Some(ServerEvent::Bell) => {}
                None if rest.is_empty() => break,
                None => tokio::task::yield_now().await,
            }
        }
        self.patience.bytes(input.len(), self.decoder.is_inside_message(), self.now())
    }

    fn update(&mut self, damage: &[Rect]) -> Result<(), SessionError> {
        let whole = self.fb.size().rect();
        let first = match &mut self.coverage {
            Some(_) if damage.is_empty() => false,
            Some(coverage) => coverage.add(damage),
            None => false,
        };
        self.patience.update(first || self.coverage.is_none(), self.now());
        if damage.is_empty() {
            self.pacer.empty();
        } else if first {
            self.coverage = None;
            self.publisher.begin_screen(self.fb.size(), &self.name);
            self.publish(&[whole])?;
        } else if self.coverage.is_some() {
            self.pacer.partial();
        } else {
            self.publish(damage)?;
        }
        Ok(())
    }

    fn publish(&mut self, damage: &[Rect]) -> Result<(), SessionError> {
        let (publisher, fb) = (&mut *self.publisher, &self.fb);
        let is_large = damage.iter().map(|rect| rect.area()).sum::<usize>() > SMALL_PX;
        let published = computing(is_large, || publisher.publish_frame(fb, damage))?;
        tracing::trace!(?published, "frame");
        self.pacer.whole();
        Ok(())
    }

    fn resized(&mut self, size: Size) {
        tracing::debug!(%size, "the presenter's screen has another size");
        self.coverage = Some(Coverage::new(size));
        self.pacer.new_screen();
        self.patience.new_screen(size, self.now());
        self.state.send_replace(PresenterState::Connected { name: self.name.clone(), size });
    }
}

/// What the decoder came to.
struct Fed {
    event: Option<ServerEvent>,
    took: Duration,
}

/// Feeds the decoder until it reports something, the input is used up, or time is: sixteen bytes of input may paint a whole screen.
fn feed(decoder: &mut ServerDecoder, fb: &mut Framebuffer, rest: &mut &[u8]) -> Result<Fed, DecodeError> {
    let start = std::time::Instant::now();
    loop {
        let (taken, event) = decoder.feed(rest.get(..PIECE_BYTES).unwrap_or(rest), fb)?;
        *rest = rest.get(taken..).unwrap_or_default();
        let took = start.elapsed();
        if event.is_some() || rest.is_empty() || took > SLICE {
            return Ok(Fed { event, took });
        }
    }
}

fn request(ask: Ask, size: Size) -> Vec<u8> {
    ClientMessage::FramebufferUpdateRequest { incremental: ask == Ask::Changes, rect: size.rect() }.encode()
}

/// Resolves when the next request is due: a direct reader has caught up, or one has come where none was, or time is up.
async fn turn_comes(turn: Option<Turn>, start: Instant, publisher: &Publisher) -> Ask {
    let Some(turn) = turn else { return std::future::pending().await };
    if start + turn.earliest > Instant::now() {
        tokio::time::sleep_until(start + turn.earliest).await;
    }
    if turn.latest > turn.earliest {
        tokio::select! {
            biased;
            () = wanted(publisher.log(), publisher) => {},
            () = tokio::time::sleep_until(start + turn.latest) => {},
        }
    }
    turn.ask
}

async fn wanted(log: &SharedLog, publisher: &Publisher) {
    let seq = if log.reader_count() == 0 { treevnc_protocol::update::Seq::NONE } else { publisher.seq() };
    log.caught_up(seq).await;
}

async fn passes(deadline: Option<(Duration, SessionError)>, start: Instant) -> SessionError {
    let Some((at, error)) = deadline else { return std::future::pending().await };
    tokio::time::sleep_until(start + at).await;
    error
}
