//! One session with a presenter's VNC server, over any stream: requests, pictures into the log. Owns the framebuffer as received.
//! Never dials and never tries again (DESIGN.md idea E: the stream may be a bridged one).

use super::coverage::Coverage;
use super::cut::Cut;
use super::pacing::{Ask, Pacer, Turn};
use super::patience::Patience;
use super::state::{encodings, encodings_of_part};
use super::{PresenterState, SessionError, wanted};
use crate::stage::{Part, Role};
use std::convert::Infallible;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::Instant;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{ClientMessage, DecodeError, ServerDecoder, ServerEvent, ServerInit};
use treevnc_protocol::view::{Place, View};
use treevnc_relay::computing::computing;
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

/// What a session shows.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// The part of the screen.
    pub view: View,
    /// The screen's name for viewers; the server's own without it.
    pub name: Option<String>,
}

/// Speaks RFB with a VNC server and publishes its screen, whenever `part` says so, until the session ends, which always has a reason.
///
/// When the future is dropped, the stream is closed and nothing is left behind; the log keeps the last picture. Large pictures are computed
/// under [`tokio::task::block_in_place`]: run it as a task of a multi-thread runtime (on others it works, and blocks), not in a `LocalSet`.
pub async fn run_session(
    connected: Connected,
    options: &SessionOptions,
    part: &Part,
    state: &watch::Sender<PresenterState>,
) -> Result<Infallible, SessionError> {
    let Connected { stream, init, early, distance } = connected;
    tracing::info!(name = %init.name, size = %init.size, "presenter connected");
    let mut session = Session::new(&init, distance, options, part, state);
    session.absorb(&early).await?;
    session.run(stream).await
}

/// SetEncodings.
fn set_encodings(distance: Distance, is_whole: bool) -> Vec<u8> {
    let numbers = if is_whole { encodings(distance).to_vec() } else { encodings_of_part(distance) };
    ClientMessage::SetEncodings(numbers).encode()
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
    part: &'a Part,
    role: Role,
    state: &'a watch::Sender<PresenterState>,
    name: String,
    view: View,
    distance: Distance,
    decoder: ServerDecoder,
    fb: Framebuffer,
    /// The part that is shown; `None` until the server has listed its displays.
    cut: Option<Cut>,
    /// What has arrived of a new screen's first picture; `None` once that was published.
    coverage: Option<Coverage>,
    pacer: Pacer,
    patience: Patience,
    start: Instant,
    /// What is to be sent before anything else.
    setup: Vec<u8>,
}

impl<'a> Session<'a> {
    fn new(
        init: &ServerInit,
        distance: Distance,
        options: &SessionOptions,
        part: &'a Part,
        state: &'a watch::Sender<PresenterState>,
    ) -> Self {
        let mut setup = ClientMessage::SetPixelFormat(PixelFormat::NATIVE).encode();
        setup.extend(set_encodings(distance, options.view.is_all()));
        let mut session = Self {
            role: part.role(),
            part,
            state,
            name: options.name.clone().unwrap_or_else(|| init.name.clone()),
            view: options.view,
            distance,
            decoder: ServerDecoder::new(init.size, PixelFormat::NATIVE),
            fb: part.picture(init.size),
            cut: None,
            coverage: None,
            pacer: Pacer::new(Duration::ZERO),
            patience: Patience::new(init.size, Duration::ZERO),
            start: Instant::now(),
            setup,
        };
        // A display that is known by its place only is found with the server's list.
        if let Place::At(rect) = session.view.place(init.size, &[]) {
            session.begin(rect);
        }
        session
    }

    async fn run<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut stream: S) -> Result<Infallible, SessionError> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if !self.setup.is_empty() {
                send(&mut stream, &std::mem::take(&mut self.setup)).await?;
            }
            let turn = self.pacer.turn().filter(|_| self.role != Role::Paused);
            let (deadline, probe) = (self.patience.deadline(), self.patience.probe_due());
            tokio::select! {
                biased;
                count = stream.read(&mut buffer) => match count? {
                    0 => return Err(SessionError::Ended),
                    count => self.absorb(buffer.get(..count).unwrap_or_default()).await?,
                },
                () = self.part.role_is_not(self.role) => self.play(self.part.role()),
                ask = turn_comes(turn, self.start, self.part) => {
                    self.pacer.asked(self.now());
                    send(&mut stream, &request(ask, self.asked_rect())).await?;
                },
                () = comes(probe, self.start) => {
                    self.patience.probed(self.now());
                    let pixel = Rect { width: 1, height: 1, ..self.asked_rect() };
                    send(&mut stream, &request(Ask::Whole, pixel)).await?;
                },
                late = passes(deadline, self.start) => return Err(late),
            }
        }
    }

    /// Takes another role. After a pause the whole picture is fetched anew.
    fn play(&mut self, role: Role) {
        match (self.role, role) {
            (before, now) if before == now => {}
            (Role::Paused, _) => {
                if let Some(rect) = self.cut.as_ref().map(Cut::rect) {
                    self.begin(rect);
                }
            }
            (_, Role::Paused) => self.patience.paused(),
            _ => {}
        }
        self.role = role;
    }

    /// What is asked for: the part that is shown, or a pixel to make the server list its displays.
    fn asked_rect(&self) -> Rect {
        self.cut.as_ref().map_or(Rect::new(0, 0, 1, 1), Cut::rect)
    }

    /// Begins to fetch a part of the screen, all of it.
    fn begin(&mut self, rect: Rect) {
        let was_whole = self.cut.as_ref().map_or(self.view.is_all(), Cut::is_whole);
        self.cut = Cut::new(rect, self.fb.size());
        let Some(cut) = &self.cut else { return };
        if cut.is_whole() != was_whole {
            self.setup.extend(set_encodings(self.distance, cut.is_whole()));
        }
        self.coverage = Some(Coverage::new(cut.size()));
        self.pacer.new_screen();
        self.patience.new_screen(self.fb.size(), self.start.elapsed());
        self.state.send_replace(PresenterState::Connected { name: self.name.clone(), size: cut.size() });
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
                Some(ServerEvent::Resized(size)) => self.screen_is(size)?,
                Some(ServerEvent::Displays) => self.displays_are()?,
                Some(ServerEvent::Bell) => {}
                None if rest.is_empty() => break,
                None => tokio::task::yield_now().await,
            }
        }
        self.patience.bytes(input.len(), self.decoder.is_inside_message(), self.now())
    }

    fn update(&mut self, damage: &[Rect]) -> Result<(), SessionError> {
        let Some(cut) = &mut self.cut else { return self.not_listed() };
        let damage = cut.take(&self.fb, damage);
        let first = match &mut self.coverage {
            Some(_) if damage.is_empty() => false,
            Some(coverage) => coverage.add(&damage),
            None => false,
        };
        self.patience.update(first || self.coverage.is_none() || self.role == Role::Paused, self.now());
        if damage.is_empty() {
            self.pacer.empty();
        } else if first {
            self.coverage = None;
            self.publish(None)?;
        } else if self.coverage.is_some() {
            self.pacer.partial();
        } else {
            self.publish(Some(&damage))?;
        }
        Ok(())
    }

    /// Publishes what changed, or the whole picture.
    fn publish(&mut self, damage: Option<&[Rect]>) -> Result<(), SessionError> {
        let Some(cut) = &self.cut else { return Ok(()) };
        let (part, picture, name) = (self.part, cut.picture(&self.fb), self.name.as_str());
        let is_large = damage.is_none_or(|damage| damage.iter().map(|rect| rect.area()).sum::<usize>() > SMALL_PX);
        let published = computing(is_large, || match damage {
            Some(damage) => part.publish(picture, damage),
            None => part.show(picture, name),
        })?;
        tracing::trace!(?published, "frame");
        self.pacer.whole();
        self.play(self.part.role());
        Ok(())
    }

    /// An update's end before the server has listed its displays: one that never does has but one.
    fn not_listed(&mut self) -> Result<(), SessionError> {
        if self.view != View::Number(1) {
            return Err(SessionError::DisplayGone(self.view));
        }
        self.begin(self.fb.size().rect());
        Ok(())
    }

    fn screen_is(&mut self, size: Size) -> Result<(), SessionError> {
        tracing::debug!(%size, "the presenter's screen has another size");
        self.cut = None;
        self.place()
    }

    fn displays_are(&mut self) -> Result<(), SessionError> {
        tracing::debug!(displays = self.decoder.screens().len(), "the presenter's displays have changed");
        self.place()
    }

    /// Finds the part that is shown; begins anew if it is another one.
    fn place(&mut self) -> Result<(), SessionError> {
        let displays = self.decoder.screens();
        match self.view.place(self.fb.size(), displays) {
            Place::At(rect) => {
                self.view = self.view.settled(displays);
                if self.cut.as_ref().is_none_or(|cut| cut.rect() != rect) {
                    self.begin(rect);
                }
                Ok(())
            }
            Place::NotListed => Ok(()),
            Place::Gone => Err(SessionError::DisplayGone(self.view)),
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.part.give_back(std::mem::replace(&mut self.fb, Framebuffer::new(Size::SMALLEST)));
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

fn request(ask: Ask, rect: Rect) -> Vec<u8> {
    ClientMessage::FramebufferUpdateRequest { incremental: ask == Ask::Changes, rect }.encode()
}

/// Resolves when the next request is due: a direct reader has caught up, or one has come where none was, or time is up.
async fn turn_comes(turn: Option<Turn>, start: Instant, part: &Part) -> Ask {
    let Some(turn) = turn else { return std::future::pending().await };
    if start + turn.earliest > Instant::now() {
        tokio::time::sleep_until(start + turn.earliest).await;
    }
    if turn.latest > turn.earliest {
        tokio::select! {
            biased;
            () = wanted(part) => {},
            () = tokio::time::sleep_until(start + turn.latest) => {},
        }
    }
    turn.ask
}

async fn comes(due: Option<Duration>, start: Instant) {
    match due {
        Some(at) => tokio::time::sleep_until(start + at).await,
        None => std::future::pending().await,
    }
}

async fn passes(deadline: Option<(Duration, SessionError)>, start: Instant) -> SessionError {
    let Some((at, error)) = deadline else { return std::future::pending().await };
    tokio::time::sleep_until(start + at).await;
    error
}
