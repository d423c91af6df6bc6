//! Serves one ordinary VNC viewer over its connection: handshake, then what the machine in `ordinary` says. Owns the stream and
//! every limit on waiting; which bytes are sent is decided there. The stream is a port's socket, or any other that a presenter
//! serves its own screen over.

use crate::ordinary::{OrdinaryViewer, Outgoing, Pieces, Source, Step};
use crate::port::PortOptions;
use crate::shared_log::{LogReader, ReaderKind, SharedLog};
use crate::upload::Turnstile;
use bytes::Buf;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use treevnc_protocol::log::{Batch, Cursor, Entry};
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{
    ClientDecoder, ClientMessageError, HandshakeError, ServerHandshake, ServerInit, ServerSecurity, VERSION_BYTES, Version,
};
use treevnc_protocol::update::{Screen, Seq};
use treevnc_protocol::zrle::ZrleError;

/// Bytes read from a viewer at a time.
const READ_BYTES: usize = 4096;

/// Why a viewer is no longer served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ViewerEnd {
    #[error("it left")]
    Left,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it sent \"{0}\" where its RFB version belongs")]
    Version(String),
    #[error("its handshake took more than {} s", .0.as_secs())]
    Slow(Duration),
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error(transparent)]
    Message(#[from] ClientMessageError),
    #[error("it took nothing for {} s", .0.as_secs())]
    Stalled(Duration),
    #[error("it held the oldest of too many pictures in memory")]
    Evicted,
    #[error("an update cannot be decoded: {0}")]
    Undecodable(#[from] ZrleError),
}

impl ViewerEnd {
    /// Whether a person should hear of it.
    pub(crate) fn is_remarkable(&self) -> bool {
        !matches!(self, Self::Left | Self::Io(_))
    }
}

/// Why the other side of [`serve_over`] is no longer served.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Served(ViewerEnd);

impl Served {
    /// Whether it just closed the connection.
    pub fn has_left(&self) -> bool {
        matches!(self.0, ViewerEnd::Left)
    }
}

/// Serves one RFB client over any stream from a log that has a screen, the server (this side) speaking first, without a password. Ends
/// when the client leaves, stalls, or breaks the protocol. `is_waiting` tells whether the client has asked and has everything that
/// there is. Dropping the future closes the stream.
pub async fn serve_over<S: AsyncRead + AsyncWrite>(stream: S, log: &SharedLog, is_waiting: watch::Sender<bool>) -> Served {
    let (mut read, mut write) = tokio::io::split(stream);
    let viewers = Viewers::new(log.clone(), PortOptions::default());
    let served = async {
        let limit = viewers.options.handshake_timeout;
        let greeting = async {
            write.write_all(Version::V3_8.encode()).await?;
            write.flush().await?;
            let mut answer = [0; VERSION_BYTES];
            read.read_exact(&mut answer).await?;
            Version::parse(&answer).ok_or_else(|| ViewerEnd::Version(answer.escape_ascii().to_string()))
        };
        let version = timeout(limit, greeting).await.unwrap_or(Err(ViewerEnd::Slow(limit)))?;
        let screen = log.with(|log| log.screen().cloned()).ok_or(ViewerEnd::Left)?;
        let early = viewers.shake_hands(&mut read, &mut write, version, &screen).await?;
        Ok((screen, early))
    };
    match served.await {
        Ok((screen, early)) => Served(viewers.serve((read, write), &screen, &early, Some(is_waiting)).await),
        Err(end) => Served(end),
    }
}

/// What serving viewers takes besides the connection.
#[derive(Debug, Clone)]
pub(crate) struct Viewers {
    pub(crate) log: SharedLog,
    pub(crate) options: Arc<PortOptions>,
    /// Permits for converting pixels, so that viewers with odd formats do not take every core.
    pub(crate) conversions: Arc<Semaphore>,
}

impl Viewers {
    pub(crate) fn new(log: SharedLog, options: PortOptions) -> Self {
        let conversions = Arc::new(Semaphore::new(available_parallelism().map_or(1, NonZero::get)));
        Self { log, options: Arc::new(options), conversions }
    }

    /// Waits until there is something to show; notices a viewer that leaves meanwhile.
    pub(crate) async fn first_screen(&self, stream: &TcpStream) -> Result<Screen, ViewerEnd> {
        let mut changed = self.log.changed();
        let mut speaks = false;
        loop {
            changed.borrow_and_update();
            if let Some(screen) = self.log.with(|log| log.screen().cloned()) {
                return Ok(screen);
            }
            let mut byte = [0];
            tokio::select! {
                _ = changed.changed() => {}
                peeked = stream.peek(&mut byte), if !speaks => match peeked? {
                    0 => return Err(ViewerEnd::Left),
                    _ => speaks = true,
                },
            }
        }
    }

    /// The handshake after the versions, within the time a port allows; what the viewer has sent beyond it.
    pub(crate) async fn shake_hands(
        &self,
        read: &mut (impl AsyncRead + Unpin),
        write: &mut (impl AsyncWrite + Unpin),
        version: Version,
        screen: &Screen,
    ) -> Result<Vec<u8>, ViewerEnd> {
        let init = ServerInit { size: screen.size, format: PixelFormat::NATIVE, name: screen.name.clone() };
        let mut handshake = ServerHandshake::new(version, ServerSecurity::None, init);
        let limit = self.options.handshake_timeout;
        timeout(limit, talk(read, write, &mut handshake)).await.unwrap_or(Err(ViewerEnd::Slow(limit)))
    }

    /// Serves a viewer whose handshake is over, from `screen` on, until it leaves or must go. Dropping the future closes the connection.
    pub(crate) async fn serve<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &self,
        (read, write): (R, W),
        screen: &Screen,
        early: &[u8],
        is_waiting: Option<watch::Sender<bool>>,
    ) -> ViewerEnd {
        let newcomer = Cursor::new(self.log.with(|log| log.session()), Seq::NONE);
        // Dropped in reverse: first the batch in the machine, then the place in the log, last the connection.
        let PortOptions { stall_timeout: stall_limit, ref upload, .. } = *self.options;
        let mut mouth = Mouth { write, turns: upload.turnstile(), conversions: Arc::clone(&self.conversions), stall_limit };
        let mut reader = self.log.reader(ReaderKind::Viewer, newcomer);
        let mut ear = Ear { read, decoder: ClientDecoder::new(), machine: OrdinaryViewer::new(screen.size) };
        let served = async {
            ear.take_in(early)?;
            follow(&mut ear, &mut mouth, &mut reader, is_waiting.as_ref()).await
        };
        match served.await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }
}

async fn talk(
    read: &mut (impl AsyncRead + Unpin),
    write: &mut (impl AsyncWrite + Unpin),
    handshake: &mut ServerHandshake,
) -> Result<Vec<u8>, ViewerEnd> {
    let mut buffer = [0; 64];
    let mut early = Vec::new();
    loop {
        if let Some(output) = handshake.take_output() {
            write.write_all(&output).await?;
            write.flush().await?;
        }
        if handshake.finished().is_some() {
            return Ok(early);
        }
        let count = read.read(&mut buffer).await?;
        if count == 0 {
            return Err(ViewerEnd::Left);
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        match handshake.feed(bytes) {
            Ok(used) => early.extend_from_slice(bytes.get(used..).unwrap_or_default()),
            Err(error) => {
                if let Some(reason) = handshake.take_output() {
                    write.write_all(&reason).await?;
                    write.flush().await?;
                }
                return Err(error.into());
            }
        }
    }
}

/// Does what the machine says until something ends it.
async fn follow<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    ear: &mut Ear<R>,
    mouth: &mut Mouth<W>,
    reader: &mut LogReader,
    is_waiting: Option<&watch::Sender<bool>>,
) -> Result<std::convert::Infallible, ViewerEnd> {
    let mut eviction = reader.eviction();
    loop {
        let step = ear.machine.poll(reader);
        if let Some(is_waiting) = is_waiting {
            is_waiting.send_if_modified(|was| std::mem::replace(was, matches!(step, Step::WaitForLog)) != *was);
        }
        match step {
            Step::Send(mut outgoing) => {
                let finishes = outgoing.finishes.take();
                let sending = mouth.send(outgoing, reader);
                tokio::pin!(sending);
                loop {
                    tokio::select! {
                        sent = &mut sending => break sent?,
                        heard = ear.hear() => heard?,
                        () = eviction.told() => return Err(ViewerEnd::Evicted),
                    }
                }
                if let Some(batch) = finishes {
                    LogReader::sent(reader, &batch);
                }
            }
            Step::WaitForViewer => tokio::select! {
                heard = ear.hear() => heard?,
                () = eviction.told() => return Err(ViewerEnd::Evicted),
            },
            Step::WaitForLog => tokio::select! {
                heard = ear.hear() => heard?,
                () = reader.log_changed() => {}
                () = eviction.told() => return Err(ViewerEnd::Evicted),
            },
        }
    }
}

/// The incoming direction: what a viewer says goes into its machine at once, so nothing piles up.
struct Ear<R> {
    read: R,
    decoder: ClientDecoder,
    machine: OrdinaryViewer,
}

impl<R: AsyncRead + Unpin> Ear<R> {
    /// Reads once. Cancel safe.
    async fn hear(&mut self) -> Result<(), ViewerEnd> {
        let mut buffer = [0; READ_BYTES];
        match self.read.read(&mut buffer).await? {
            0 => Err(ViewerEnd::Left),
            count => self.take_in(buffer.get(..count).unwrap_or_default()),
        }
    }

    fn take_in(&mut self, mut bytes: &[u8]) -> Result<(), ViewerEnd> {
        while !bytes.is_empty() {
            let (used, message) = self.decoder.feed(bytes)?;
            bytes = bytes.get(used..).unwrap_or_default();
            if let Some(message) = message {
                self.machine.handle_message(message);
            }
        }
        Ok(())
    }
}

/// The outgoing direction.
struct Mouth<W> {
    write: W,
    turns: Turnstile,
    conversions: Arc<Semaphore>,
    stall_limit: Duration,
}

impl<W: AsyncWrite + Unpin> Mouth<W> {
    async fn send(&mut self, mut outgoing: Outgoing, reader: &LogReader) -> Result<(), ViewerEnd> {
        let mut pieces = if outgoing.is_heavy() { self.convert(outgoing).await? } else { outgoing.encode()? };
        while pieces.has_remaining() {
            let mut turn = self.turns.turn(pieces.remaining()).await;
            while turn > 0 {
                let mut now = (&mut pieces).take(turn);
                let writing = timeout(self.stall_limit, self.write.write_buf(&mut now));
                let written = writing.await.map_err(|_| ViewerEnd::Stalled(self.stall_limit))??;
                reader.count_sent(written as u64);
                turn -= written;
            }
        }
        // Sockets send at once; a stream that collects bytes is told that there are no more for now.
        timeout(self.stall_limit, self.write.flush()).await.map_err(|_| ViewerEnd::Stalled(self.stall_limit))??;
        Ok(())
    }

    /// Encodes off the async threads. When this is dropped, the work that has begun ends by itself within milliseconds.
    async fn convert(&self, mut outgoing: Outgoing) -> Result<Pieces, ViewerEnd> {
        let permit = Arc::clone(&self.conversions).acquire_owned().await.map_err(io::Error::other)?;
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            outgoing.encode()
        });
        Ok(work.await.map_err(io::Error::other)??)
    }
}

impl Source for LogReader {
    fn next_batch(&mut self) -> Option<Arc<Batch>> {
        self.try_next()
    }

    fn rewind(&mut self, seq: Seq) {
        LogReader::rewind(self, seq);
    }

    fn sent(&mut self, batch: &Batch) {
        LogReader::sent(self, batch);
    }

    fn all_entries(&self) -> Vec<Arc<Entry>> {
        self.log().all_entries()
    }
}
