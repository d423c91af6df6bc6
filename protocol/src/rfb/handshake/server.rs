//! The server's side of the handshake, from the viewer's version on: our port sends its version and reads the answer itself,
//! because the answer decides whether the peer is an ordinary viewer at all.

use super::super::gather::Gather;
use super::super::security::{self, CHALLENGE_BYTES};
use super::super::version::Version;
use super::{HandshakeError, ServerInit, encode_reason};

/// What a viewer has to do to be let in.
#[derive(Clone, PartialEq, Eq)]
pub enum ServerSecurity {
    /// Nothing.
    None,
    /// Encrypt a challenge with the password.
    VncAuth {
        /// The password; only its first 8 bytes count.
        password: String,
        /// Fresh random bytes.
        challenge: [u8; CHALLENGE_BYTES],
    },
}

impl std::fmt::Debug for ServerSecurity {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::VncAuth { .. } => "VncAuth",
        })
    }
}

/// The server's side: [`ServerHandshake::take_output`] is sent after `new` and after each [`ServerHandshake::feed`], also after one
/// that failed (it then holds the reason for the viewer), until [`ServerHandshake::finished`] answers.
#[derive(Debug)]
pub struct ServerHandshake {
    version: Version,
    security: ServerSecurity,
    init: ServerInit,
    state: State,
    gather: Gather,
    output: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Choice,
    Answer,
    ClientInit,
    Finished { shared: bool },
}

impl ServerHandshake {
    /// A handshake with a viewer that answered `version`.
    pub fn new(version: Version, security: ServerSecurity, init: ServerInit) -> Self {
        let mut handshake = Self { version, security, init, state: State::Choice, gather: Gather::default(), output: Vec::new() };
        let offered = handshake.offered();
        if version == Version::V3_3 {
            handshake.output.extend(u32::from(offered).to_be_bytes());
            handshake.state = handshake.chosen();
        } else {
            handshake.output.extend([1, offered]);
        }
        handshake
    }

    /// Takes bytes of the viewer and answers how many belong to the handshake: all, unless it finished before their end.
    pub fn feed(&mut self, input: &[u8]) -> Result<usize, HandshakeError> {
        let mut rest = input;
        while self.step(&mut rest)? {}
        Ok(input.len() - rest.len())
    }

    /// What is to be sent now, if anything.
    pub fn take_output(&mut self) -> Option<Vec<u8>> {
        (!self.output.is_empty()).then(|| std::mem::take(&mut self.output))
    }

    /// Once the handshake is over: whether the viewer lets others stay connected.
    pub fn finished(&self) -> Option<bool> {
        if let State::Finished { shared } = self.state { Some(shared) } else { None }
    }

    fn offered(&self) -> u8 {
        match self.security {
            ServerSecurity::None => security::NONE,
            ServerSecurity::VncAuth { .. } => security::VNC_AUTH,
        }
    }

    /// Goes one state on; `false` when more bytes are needed or nothing is left to do.
    fn step(&mut self, input: &mut &[u8]) -> Result<bool, HandshakeError> {
        let next = match self.state {
            State::Choice => match self.gather.array(input) {
                Some([choice]) if choice == self.offered() => Some(self.chosen()),
                Some([choice]) => return Err(self.fail("this security type was not offered", HandshakeError::NotOffered(choice))),
                None => None,
            },
            State::Answer => match self.gather.array(input) {
                Some(answer) if self.is_right(&answer) => {
                    self.output.extend(0u32.to_be_bytes());
                    Some(State::ClientInit)
                }
                Some(_) => return Err(self.fail("wrong password", HandshakeError::ViewerPassword)),
                None => None,
            },
            State::ClientInit => self.gather.array(input).map(|[shared]| {
                self.output.extend(self.init.encode());
                State::Finished { shared: shared != 0 }
            }),
            State::Finished { .. } => None,
        };
        self.state = next.unwrap_or(self.state);
        Ok(next.is_some())
    }

    /// What follows the choice of a security type (RFC 6143 sections 7.1.3 and 7.2).
    fn chosen(&mut self) -> State {
        match &self.security {
            ServerSecurity::None => {
                if self.version == Version::V3_8 {
                    self.output.extend(0u32.to_be_bytes());
                }
                State::ClientInit
            }
            ServerSecurity::VncAuth { challenge, .. } => {
                self.output.extend(challenge);
                State::Answer
            }
        }
    }

    fn is_right(&self, answer: &[u8; CHALLENGE_BYTES]) -> bool {
        match &self.security {
            ServerSecurity::None => true,
            ServerSecurity::VncAuth { password, challenge } => {
                security::is_same_answer(&security::vnc_auth_answer(password.as_bytes(), challenge), answer)
            }
        }
    }

    /// Tells the viewer that it failed, with a reason where the version has room for one.
    fn fail(&mut self, reason: &str, error: HandshakeError) -> HandshakeError {
        self.output.extend(1u32.to_be_bytes());
        if self.version == Version::V3_8 {
            encode_reason(reason, &mut self.output);
        }
        error
    }
}

/// What is sent in place of the security types to a viewer that cannot be served (RFC 6143 section 7.1.2); then the connection is
/// closed.
pub fn refusal(version: Version, reason: &str) -> Vec<u8> {
    let mut out = if version == Version::V3_3 { vec![0; 4] } else { vec![0] };
    encode_reason(reason, &mut out);
    out
}
