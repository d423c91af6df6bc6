//! What both sides of the handshake share (RFC 6143 sections 7.1 to 7.3): ServerInit, reasons, errors.

pub(super) mod client;
pub(super) mod login;
pub(super) mod server;

use super::security;
use crate::geometry::{ScreenSizeError, Size};
use crate::pixel::{PixelFormat, PixelFormatError};
use crate::update::{MAX_NAME_BYTES, truncated};

/// Most bytes of a reason that are passed on; what is longer is cut.
pub const MAX_REASON_BYTES: usize = 1024;
/// Most bytes of a server's name that are read; the part beyond [`MAX_NAME_BYTES`] is thrown away.
pub const MAX_SKIPPED_NAME_BYTES: usize = 1 << 20;

/// Bytes of ServerInit before the name.
const SERVER_INIT_BYTES: usize = 24;

/// What the server says of its screen (RFC 6143 section 7.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInit {
    /// The screen's size.
    pub size: Size,
    /// The format pixels have until the client asks for another.
    pub format: PixelFormat,
    /// The screen's name, at most [`MAX_NAME_BYTES`] bytes, without control characters.
    pub name: String,
}

impl ServerInit {
    /// The message's bytes; a name that is too long is cut.
    pub fn encode(&self) -> Vec<u8> {
        let name = truncated(&self.name).as_bytes();
        let mut out = Vec::with_capacity(SERVER_INIT_BYTES + name.len());
        out.extend(self.size.width().to_be_bytes());
        out.extend(self.size.height().to_be_bytes());
        out.extend(self.format.encode());
        out.extend(length(name).to_be_bytes());
        out.extend(name);
        out
    }
}

/// Why a handshake failed. Says what to do where something can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The first bytes are no version, or one before 3.3.
    #[error("not a VNC server of version 3.3 or later: it begins with \"{0}\"")]
    NotRfb(String),
    /// The server refuses the connection.
    #[error("the VNC server refused the connection: {0}")]
    Refused(String),
    /// The server asks for a password and none was given.
    #[error("the VNC server asks for a password: give one")]
    PasswordNeeded,
    /// The server did not accept the password.
    #[error("the VNC server did not accept the password: {0}")]
    WrongPassword(String),
    /// The server asks for a user's name, and none was given.
    #[error("the VNC server asks for a user name and a password: give both")]
    UserNeeded,
    /// The server did not accept the user's name or the password.
    #[error("the VNC server did not accept the user name or the password: {0}")]
    WrongLogin(String),
    /// The user's name or the password does not fit.
    #[error("the user name or the password has more than 63 bytes, which the VNC server has no room for")]
    LoginTooLong,
    /// The server offers nothing that is spoken here.
    #[error(
        "the VNC server offers only the security types {}; None (1), VncAuth (2), VeNCrypt (19) or Apple user name and password (30) \
         is needed",
        security::list(.0)
    )]
    NoCommonSecurity(Vec<u8>),
    /// The server offers VeNCrypt and nothing in it that is spoken here.
    #[error(
        "the VNC server's VeNCrypt offers only {}; X509None, X509Vnc or X509Plain is needed, so the server needs a certificate",
        security::vencrypt_list(.0)
    )]
    NoCommonVencrypt(Vec<u32>),
    /// The server speaks a VeNCrypt before 0.2, or does not speak it after all.
    #[error("the VNC server does not speak VeNCrypt 0.2")]
    VencryptVersion,
    /// The connection has to be encrypted, and the server offers no VeNCrypt.
    #[error("the VNC server offers only the security types {}, which do not encrypt", security::list(.0))]
    EncryptionNeeded(Vec<u8>),
    /// The server cannot begin TLS.
    #[error("the VNC server says that it cannot begin TLS")]
    NoTls,
    /// Bytes in the clear where TLS begins: somebody on the way may have put them there.
    #[error("the VNC server sent bytes in the clear where TLS begins")]
    BytesBeforeTls,
    /// The server's part of a key exchange is of no use.
    #[error("the VNC server's key exchange cannot be used: {0}")]
    KeyExchange(&'static str),
    /// A security type that does not exist.
    #[error("{0} is no security type")]
    SecurityType(u32),
    /// A screen beyond the limits.
    #[error(transparent)]
    ScreenSize(#[from] ScreenSizeError),
    /// An impossible pixel format.
    #[error("the VNC server's pixel format: {0}")]
    PixelFormat(#[from] PixelFormatError),
    /// A name beyond any measure.
    #[error("the screen's name has {0} bytes, the limit is {MAX_SKIPPED_NAME_BYTES}")]
    NameTooLong(u32),
    /// The viewer chose a security type that was not offered.
    #[error("the viewer chose security type {0}, which was not offered")]
    NotOffered(u8),
    /// The viewer's password is wrong.
    #[error("the viewer's password is wrong")]
    ViewerPassword,
    /// The connection ended inside the handshake.
    #[error("the connection ended while waiting for {0}")]
    Ended(&'static str),
}

/// A length field; what we send is always far below its limit.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// A reason as it stands on the wire, cut to [`MAX_REASON_BYTES`].
fn encode_reason(reason: &str, out: &mut Vec<u8>) {
    let cut = &reason[..reason.floor_char_boundary(MAX_REASON_BYTES)];
    out.extend(length(cut.as_bytes()).to_be_bytes());
    out.extend(cut.as_bytes());
}

/// Text from outside for a person's eyes: one line, no control characters, "no reason given" for none.
fn shown(bytes: &[u8]) -> String {
    let text = printable(bytes);
    if text.is_empty() { "no reason given".to_owned() } else { text }
}

/// Text from outside without control characters and without space around it.
fn printable(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}

/// A name from outside: printable, at most [`MAX_NAME_BYTES`] bytes.
fn name(bytes: &[u8]) -> String {
    let text = printable(bytes.get(..MAX_NAME_BYTES).unwrap_or(bytes));
    truncated(&text).to_owned()
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "handshake_login_tests.rs"]
mod login_tests;
