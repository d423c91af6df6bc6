//! The client's side of the handshake. Security None and VncAuth; a further type is a state here and an arm in `choose`.

use super::super::gather::Gather;
use super::super::security::{self, CHALLENGE_BYTES};
use super::super::version::{VERSION_BYTES, Version};
use super::{HandshakeError, MAX_REASON_BYTES, MAX_SKIPPED_NAME_BYTES, SERVER_INIT_BYTES, ServerInit, name, printable, shown};
use crate::geometry::Size;
use crate::pixel::PixelFormat;
use crate::wire::Reader;

/// The client's side: bytes of the server go into [`ClientHandshake::feed`], after each call [`ClientHandshake::take_output`] is
/// sent, until [`ClientHandshake::finished`] answers or an error ends it. The server speaks first.
pub struct ClientHandshake {
    password: Option<String>,
    shared: bool,
    version: Version,
    security: u8,
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
    Challenge,
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
    /// A handshake that has not begun. With `shared` the server leaves its other clients connected.
    pub fn new(password: Option<&str>, shared: bool) -> Self {
        let password = password.map(str::to_owned);
        let (state, gather, output) = (State::Version, Gather::default(), Vec::new());
        Self { password, shared, version: Version::V3_8, security: security::NONE, state, gather, output }
    }

    /// Takes bytes of the server and answers how many belong to the handshake: all, unless it finished before their end.
    pub fn feed(&mut self, input: &[u8]) -> Result<usize, HandshakeError> {
        let mut rest = input;
        while self.step(&mut rest)? {}
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
            State::Challenge => "the password's challenge",
            State::SecurityResult => "the security result",
            State::ReasonLength(why) | State::Reason(why, _) => return failure(why, self.security, shown(b"")),
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
            State::Challenge => self.gather.array(input).map(|challenge| self.answer(&challenge)),
            State::SecurityResult => self.security_result(input)?,
            State::ReasonLength(why) => {
                let count = self.gather.array(input).map(u32::from_be_bytes);
                count.map(|count| State::Reason(why, usize::try_from(count).unwrap_or(usize::MAX).min(MAX_REASON_BYTES)))
            }
            State::Reason(why, count) => match self.gather.take(input, count) {
                Some(reason) => return Err(failure(why, self.security, shown(reason))),
                None => None,
            },
            State::Init => self.gather.take(input, SERVER_INIT_BYTES).map(init).transpose()?,
            State::Name(size, format, count) => {
                self.gather.take(input, count).map(|bytes| State::Finished(ServerInit { size, format, name: name(bytes) }))
            }
            State::Finished(_) => None,
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
            decided => {
                self.security = self.choose(&[decided])?;
                Ok(self.after_choice())
            }
        }
    }

    fn security_types(&mut self, input: &mut &[u8]) -> Result<Option<State>, HandshakeError> {
        let measure = |bytes: &[u8]| bytes.first().map_or(1, |&count| 1 + usize::from(count));
        let Some(field) = self.gather.take_measured(input, measure) else { return Ok(None) };
        let Some((_, offered)) = field.split_first().filter(|(_, types)| !types.is_empty()) else {
            return Ok(Some(State::ReasonLength(Why::NoSecurityType)));
        };
        let offered = offered.to_vec();
        self.security = self.choose(&offered)?;
        self.output.push(self.security);
        Ok(Some(self.after_choice()))
    }

    /// Chooses from what the server offers: the password's type when there is a password.
    fn choose(&self, offered: &[u8]) -> Result<u8, HandshakeError> {
        let is_offered = |wanted| offered.contains(&wanted);
        match (is_offered(security::VNC_AUTH), is_offered(security::NONE)) {
            (true, _) if self.password.is_some() => Ok(security::VNC_AUTH),
            (_, true) => Ok(security::NONE),
            (true, false) => Err(HandshakeError::PasswordNeeded),
            (false, false) => Err(HandshakeError::NoCommonSecurity(offered.to_vec())),
        }
    }

    fn after_choice(&mut self) -> State {
        match (self.security, self.version) {
            (security::VNC_AUTH, _) => State::Challenge,
            (_, Version::V3_8) => State::SecurityResult,
            _ => self.enter(),
        }
    }

    fn answer(&mut self, challenge: &[u8; CHALLENGE_BYTES]) -> State {
        let password = self.password.as_deref().unwrap_or_default();
        self.output.extend(security::vnc_auth_answer(password.as_bytes(), challenge));
        State::SecurityResult
    }

    fn security_result(&mut self, input: &mut &[u8]) -> Result<Option<State>, HandshakeError> {
        match self.gather.array(input).map(u32::from_be_bytes) {
            None => Ok(None),
            Some(0) => Ok(Some(self.enter())),
            Some(_) if self.version == Version::V3_8 => Ok(Some(State::ReasonLength(Why::SecurityResult))),
            Some(_) => Err(failure(Why::SecurityResult, self.security, shown(b""))),
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

fn failure(why: Why, security: u8, reason: String) -> HandshakeError {
    match (why, security) {
        (Why::SecurityResult, security::VNC_AUTH) => HandshakeError::WrongPassword(reason),
        _ => HandshakeError::Refused(reason),
    }
}

/// ServerInit up to its name.
fn init(bytes: &[u8]) -> Result<State, HandshakeError> {
    let mut reader = Reader::new(bytes);
    let mut fields = || Some((reader.u16()?, reader.u16()?, PixelFormat::read(&mut reader)?, reader.u32()?));
    let Some((width, height, format, count)) = fields() else { return Ok(State::Init) };
    let bytes = usize::try_from(count).ok().filter(|&bytes| bytes <= MAX_SKIPPED_NAME_BYTES);
    Ok(State::Name(Size::new(width, height)?, format?, bytes.ok_or(HandshakeError::NameTooLong(count))?))
}
