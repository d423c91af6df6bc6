//! Why a VNC server could not be reached or does not let us in, in one line that says what to do.

use super::{DIALLING, HANDSHAKE};
use std::path::PathBuf;
use treevnc_protocol::rfb::HandshakeError;

/// Why a server could not be reached, or does not let us in.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing answers at the address.
    #[error("no answer within {} s", DIALLING.as_secs())]
    Unreachable,
    /// The address cannot be dialled.
    #[error("cannot connect: {0}")]
    Dial(#[source] std::io::Error),
    /// The handshake takes too long.
    #[error("the handshake is not over after {} s", HANDSHAKE.as_secs())]
    HandshakeTime,
    /// The handshake failed.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The server shows another certificate than before.
    #[error(
        "the VNC server's certificate is not the one it had: if somebody has changed it, delete line {line} of {}, else somebody \
         stands between (the new one is {fingerprint})",
        file.display()
    )]
    CertificateChanged {
        /// Where the old one is written down.
        file: PathBuf,
        /// In which line, counted from 1.
        line: usize,
        /// The new one.
        fingerprint: String,
    },
    /// The server had a certificate, and now offers nothing that encrypts.
    #[error(
        "the VNC server was encrypted before and is no more: if somebody has changed that, delete line {line} of {}, else somebody \
         stands between",
        file.display()
    )]
    NoLongerEncrypted {
        /// Where its certificate is written down.
        file: PathBuf,
        /// In which line, counted from 1.
        line: usize,
    },
    /// The file of known certificates cannot be read.
    #[error("cannot read the known servers in {}: {source}", file.display())]
    KnownServers {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// TLS failed.
    #[error("TLS with the VNC server failed: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
}

impl ConnectError {
    /// Whether dialling again is of no use until somebody does something.
    pub fn is_final(&self) -> bool {
        use tokio_rustls::rustls::Error::{InvalidCertificate, PeerIncompatible};
        match self {
            Self::Handshake(error) => is_final(error),
            Self::CertificateChanged { .. } | Self::NoLongerEncrypted { .. } | Self::KnownServers { .. } => true,
            Self::Tls(error) => matches!(error, InvalidCertificate(_) | PeerIncompatible(_)),
            Self::Unreachable | Self::Dial(_) | Self::HandshakeTime | Self::Io(_) => false,
        }
    }
}

/// As [`ConnectError::is_final`]: what the server asks for and what is given do not go together.
fn is_final(error: &HandshakeError) -> bool {
    use HandshakeError::{
        EncryptionNeeded, KeyExchange, LoginTooLong, NoCommonSecurity, NoCommonVencrypt, PasswordNeeded, UserNeeded,
        VencryptVersion, WrongLogin, WrongPassword,
    };
    matches!(
        error,
        PasswordNeeded
            | WrongPassword(_)
            | UserNeeded
            | WrongLogin(_)
            | LoginTooLong
            | NoCommonSecurity(_)
            | NoCommonVencrypt(_)
            | VencryptVersion
            | EncryptionNeeded(_)
            | KeyExchange(_)
    )
}
