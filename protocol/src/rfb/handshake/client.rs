//! The client's side of the handshake: None, VncAuth, Apple's type 30, and VeNCrypt 0.2 with a certificate. TLS itself is the caller's.

use super::super::gather::Gather;
use super::super::security::apple_dh;
use super::super::security::{self, CHALLENGE_BYTES};
use super::super::version::{VERSION_BYTES, Version};
use super::login::{Login, Tls, Way};
use super::{
    HandshakeError, MAX_REASON_BYTES, MAX_SKIPPED_NAME_BYTES, SERVER_INIT_BYTES, ServerInit, length, name, printable, shown,
};
use crate::geometry::Size;
use crate::pixel::PixelFormat;
use crate::wire::Reader;

/// The only VeNCrypt that is spoken.
const VENCRYPT_VERSION: [u8; 2] = [0, 2];

/// The client's side: bytes of the server go into [`ClientHandshake::feed`], after each call [`ClientHandshake::take_output`] is
/// sent, until [`ClientHandshake::finished`] answers or an error ends it. The server speaks first.
///
/// When [`ClientHandshake::is_waiting_for_tls`] says so after the output is sent, the caller begins TLS on the connection as its client,
/// calls [`ClientHandshake::tls_is_up`], and goes on with what TLS carries. That never happens with [`Tls::Never`].
pub struct ClientHandshake {
    login: Login,
    shared: bool,
    version: Version,
    way: Way,
    /// What the choice without VeNCrypt came to.
    otherwise: Result<(), HandshakeError>,
    has_other_way: bool,
    state: State,
    gather: Gather,
    output: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Version,
    /// 3.3: the server's decision.
    SecurityType,
    SecurityTypes,
    VencryptVersion,
    VencryptAnswer,
    VencryptKinds,
    TlsReady,
    Tls,
    Challenge,
    KeyExchange,
    SecurityResult,
    ReasonLength(Why),
    Reason(Why, usize),
    Init,
    Name(Size, PixelFormat, usize),
    Finished(ServerInit),
}

/// What a reason explains.
#[derive(Debug, Clone, Copy)]
enum Why {
    NoSecurityType,
    SecurityResult,
}

impl ClientHandshake {
    /// A handshake that has not begun, with a password or nothing, and without TLS. With `shared` the server leaves its other clients
    /// connected.
    pub fn new(password: Option<&str>, shared: bool) -> Self {
        Self::with_login(Login::plain(password), shared)
    }

    /// A handshake that has not begun.
    pub fn with_login(login: Login, shared: bool) -> Self {
        let (state, gather, output) = (State::Version, Gather::default(), Vec::new());
        Self {
            login,
            shared,
            version: Version::V3_8,
            way: Way::Open,
            otherwise: Ok(()),
            has_other_way: false,
            state,
            gather,
            output,
        }
    }

    /// Whether everything waits for the caller to begin TLS.
    pub fn is_waiting_for_tls(&self) -> bool {
        matches!(self.state, State::Tls)
    }

    /// Says that TLS is up; what is fed from now on came out of it.
    pub fn tls_is_up(&mut self) {
        if self.is_waiting_for_tls() {
            self.state = self.after_way();
        }
    }

    /// After a failure: whether the server offers another way in, without TLS, for which it has to be dialled anew with
    /// [`Tls::Never`]. Only what VeNCrypt offers leads to this, never what happens in TLS: nobody on the way can turn
    /// encryption off by disturbing it.
    pub fn has_other_way(&self) -> bool {
        self.has_other_way
    }

    /// Takes bytes of the server and answers how many belong to the handshake: all, unless it finished before their end.
    pub fn feed(&mut self, input: &[u8]) -> Result<usize, HandshakeError> {
        let mut rest = input;
        while self.step(&mut rest)? {}
        if self.is_waiting_for_tls() && !rest.is_empty() {
            return Err(HandshakeError::BytesBeforeTls);
        }
        Ok(input.len() - rest.len())
    }

    /// What is to be sent now, if anything.
    pub fn take_output(&mut self) -> Option<Vec<u8>> {
        (!self.output.is_empty()).then(|| std::mem::take(&mut self.output))
    }

    /// The server's screen, once the handshake is over.
    pub fn finished(&self) -> Option<&ServerInit> {
        if let State::Finished(init) = &self.state { Some(init) } else { None }
    }

    /// The error to report when the connection ends now; a server that closes instead of giving its reason has refused all the same.
    pub fn ended(&self) -> HandshakeError {
        HandshakeError::Ended(match self.state {
            State::Version => "the server's version",
            State::SecurityType | State::SecurityTypes => "the security types",
            State::VencryptVersion | State::VencryptAnswer | State::VencryptKinds => "VeNCrypt's version and kinds",
            State::TlsReady | State::Tls => "TLS",
            State::Challenge => "the password's challenge",
            State::KeyExchange => "the key exchange",
            State::SecurityResult => "the security result",
            State::ReasonLength(why) | State::Reason(why, _) => return self.failure(why, shown(b"")),
            State::Init | State::Name(..) | State::Finished(_) => "the screen's description",
        })
    }

    /// Goes one state on; `false` when more bytes are needed or nothing is left to do.
    fn step(&mut self, input: &mut &[u8]) -> Result<bool, HandshakeError> {
        let next = match self.state {
            State::Version => self.version(input)?,
            State::SecurityType => {
                self.gather.array(input).map(u32::from_be_bytes).map(|chosen| self.decided(chosen)).transpose()?
            }
            State::SecurityTypes => self.security_types(input)?,
            State::VencryptVersion => self.gather.array(input).map(|version| self.vencrypt_version(version)).transpose()?,
            State::VencryptAnswer => self.gather.array(input).map(vencrypt_answer).transpose()?,
            State::VencryptKinds => self.vencrypt_kinds(input)?,
            State::TlsReady => self.gather.array(input).map(tls_ready).transpose()?,
            State::Challenge => self.gather.array(input).map(|challenge| self.answer(&challenge)),
            State::KeyExchange => self.exchange_keys(input)?,
            State::SecurityResult => self.security_result(input)?,
            State::ReasonLength(why) => {
                let count = self.gather.array(input).map(u32::from_be_bytes);
                count.map(|count| State::Reason(why, usize::try_from(count).unwrap_or(usize::MAX).min(MAX_REASON_BYTES)))
            }
            State::Reason(why, count) => match self.gather.take(input, count) {
                Some(reason) => {
                    let reason = shown(reason);
                    return Err(self.failure(why, reason));
                }
                None => None,
            },
            State::Init => self.gather.take(input, SERVER_INIT_BYTES).map(init).transpose()?,
            State::Name(size, format, count) => {
                self.gather.take(input, count).map(|bytes| State::Finished(ServerInit { size, format, name: name(bytes) }))
            }
            State::Tls | State::Finished(_) => None,
        };
        let moved = next.is_some();
        if let Some(next) = next {
            self.state = next;
        }
        Ok(moved)
    }

    fn version(&mut self, input: &mut &[u8]) -> Result<Option<State>, HandshakeError> {
        let Some(bytes) = self.gather.array::<VERSION_BYTES>(input) else { return Ok(None) };
        self.version = Version::parse(&bytes).ok_or_else(|| HandshakeError::NotRfb(printable(&bytes)))?;
        self.output.extend(self.version.encode());
        Ok(Some(if self.version == Version::V3_3 { State::SecurityType } else { State::SecurityTypes }))
    }

    /// 3.3: what the server decided (RFC 6143 section 7.1.2).
    fn decided(&mut self, chosen: u32) -> Result<State, HandshakeError> {
        match u8::try_from(chosen).map_err(|_| HandshakeError::SecurityType(chosen))? {
            0 => Ok(State::ReasonLength(Why::NoSecurityType)),
            decided => self.choose(&[decided]),
        }
    }

    fn security_types(&mut self, input: &mut &[u8]) -> Result<Option<State>, HandshakeError> {
        let measure = |bytes: &[u8]| bytes.first().map_or(1, |&count| 1 + usize::from(count));
        let Some(field) = self.gather.take_measured(input, measure) else { return Ok(None) };
        let Some((_, offered)) = field.split_first().filter(|(_, types)| !types.is_empty()) else {
            return Ok(Some(State::ReasonLength(Why::NoSecurityType)));
        };
        let offered = offered.to_vec();
        self.choose(&offered).map(Some)
    }

    fn choose(&mut self, offered: &[u8]) -> Result<State, HandshakeError> {
        let chosen = self.login.choose(offered)?;
        if self.version != Version::V3_3 {
            self.output.push(chosen);
        }
        if chosen == security::VENCRYPT {
            self.otherwise = self.login.choose_in_the_clear(offered).map(|_| ());
            return Ok(State::VencryptVersion);
        }
        self.way = Way::of_type(chosen);
        Ok(match self.version {
            Version::V3_8 => self.after_way(),
            // Before 3.8 there is no result where nothing is asked.
            Version::V3_3 | Version::V3_7 if self.way == Way::Open => self.enter(),
            Version::V3_3 | Version::V3_7 => self.after_way(),
        })
    }

    /// VeNCrypt's version: the server's highest, and ours, which a later server speaks as well.
    fn vencrypt_version(&mut self, version: [u8; 2]) -> Result<State, HandshakeError> {
        if version < VENCRYPT_VERSION {
            return Err(self.without_vencrypt(HandshakeError::VencryptVersion));
        }
        self.output.extend(VENCRYPT_VERSION);
        Ok(State::VencryptAnswer)
    }

    fn vencrypt_kinds(&mut self, input: &mut &[u8]) -> Result<Option<State>, HandshakeError> {
        let measure = |bytes: &[u8]| bytes.first().map_or(1, |&count| 1 + 4 * usize::from(count));
        let Some(field) = self.gather.take_measured(input, measure) else { return Ok(None) };
        let (kinds, _) = field.get(1..).unwrap_or_default().as_chunks();
        let kinds: Vec<_> = kinds.iter().map(|&kind| u32::from_be_bytes(kind)).collect();
        let kind = self.login.choose_vencrypt(&kinds).map_err(|error| self.without_vencrypt(error))?;
        self.way = Way::of_kind(kind);
        self.output.extend(kind.to_be_bytes());
        Ok(Some(State::TlsReady))
    }

    /// What to report when VeNCrypt is of no use, having noted whether there is another way.
    fn without_vencrypt(&mut self, error: HandshakeError) -> HandshakeError {
        match std::mem::replace(&mut self.otherwise, Ok(())) {
            Ok(()) => {
                self.has_other_way = self.login.tls != Tls::Required;
                error
            }
            Err(HandshakeError::NoCommonSecurity(_)) => error,
            Err(missing) => missing,
        }
    }

    /// The state that follows the choice, or TLS.
    fn after_way(&mut self) -> State {
        match self.way {
            Way::Challenge => State::Challenge,
            Way::Apple => State::KeyExchange,
            Way::Open => State::SecurityResult,
            Way::Plain => {
                let (user, password) = self.login.both().unwrap_or_default();
                self.output.extend(length(user.as_bytes()).to_be_bytes());
                self.output.extend(length(password.as_bytes()).to_be_bytes());
                self.output.extend([user.as_bytes(), password.as_bytes()].concat());
                State::SecurityResult
            }
        }
    }

    fn exchange_keys(&mut self, input: &mut &[u8]) -> Result<Option<State>, HandshakeError> {
        let Some(message) = self.gather.take_measured(input, apple_dh::measure) else { return Ok(None) };
        let (user, password) = self.login.both().unwrap_or_default();
        self.output.extend(apple_dh::answer(message, user, password, &self.login.random)?);
        Ok(Some(State::SecurityResult))
    }

    fn answer(&mut self, challenge: &[u8; CHALLENGE_BYTES]) -> State {
        let password = self.login.password.as_deref().unwrap_or_default();
        self.output.extend(security::vnc_auth_answer(password.as_bytes(), challenge));
        State::SecurityResult
    }

    fn security_result(&mut self, input: &mut &[u8]) -> Result<Option<State>, HandshakeError> {
        match self.gather.array(input).map(u32::from_be_bytes) {
            None => Ok(None),
            Some(0) => Ok(Some(self.enter())),
            Some(_) if self.version == Version::V3_8 => Ok(Some(State::ReasonLength(Why::SecurityResult))),
            Some(_) => Err(self.failure(Why::SecurityResult, shown(b""))),
        }
    }

    fn failure(&self, why: Why, reason: String) -> HandshakeError {
        match why {
            Why::NoSecurityType => HandshakeError::Refused(reason),
            Why::SecurityResult => self.way.failure(reason),
        }
    }

    /// Sends ClientInit (RFC 6143 section 7.3.1).
    fn enter(&mut self) -> State {
        self.output.push(u8::from(self.shared));
        State::Init
    }
}

impl std::fmt::Debug for ClientHandshake {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientHandshake").field("version", &self.version).field("state", &self.state).finish_non_exhaustive()
    }
}

/// VeNCrypt: whether the server agrees to the version.
fn vencrypt_answer([refused]: [u8; 1]) -> Result<State, HandshakeError> {
    if refused == 0 { Ok(State::VencryptKinds) } else { Err(HandshakeError::VencryptVersion) }
}

/// VeNCrypt: whether the server can begin TLS.
fn tls_ready([ready]: [u8; 1]) -> Result<State, HandshakeError> {
    if ready == 0 { Err(HandshakeError::NoTls) } else { Ok(State::Tls) }
}

/// ServerInit up to its name.
fn init(bytes: &[u8]) -> Result<State, HandshakeError> {
    let mut reader = Reader::new(bytes);
    let mut fields = || Some((reader.u16()?, reader.u16()?, PixelFormat::read(&mut reader)?, reader.u32()?));
    let Some((width, height, format, count)) = fields() else { return Ok(State::Init) };
    let bytes = usize::try_from(count).ok().filter(|&bytes| bytes <= MAX_SKIPPED_NAME_BYTES);
    Ok(State::Name(Size::new(width, height)?, format?, bytes.ok_or(HandshakeError::NameTooLong(count))?))
}
