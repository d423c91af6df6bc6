//! What a client is let in by, and which of a server's security types that leads to. Pure choice; no bytes.

use super::super::security::{self, APPLE_DH, NONE, VENCRYPT, VNC_AUTH, X509_NONE, X509_PLAIN, X509_VNC};
use super::HandshakeError;

/// Whether the connection is to be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// It cannot be: the caller has no TLS, or has found that the server's is of no use.
    Never,
    /// Only when there is no other way in.
    IfNeeded,
    /// Whenever the server offers it.
    Preferred,
    /// Or the handshake fails.
    Required,
}

/// What a person is let in by, and how; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The account's name.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// About encryption.
    pub tls: Tls,
    /// Fresh random bytes that nobody else knows; needed where there is a user.
    pub random: [u8; 32],
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("tls", &self.tls).finish_non_exhaustive()
    }
}

impl Login {
    /// With a password or nothing, and without TLS.
    pub(super) fn plain(password: Option<&str>) -> Self {
        Self { user: None, password: password.map(str::to_owned), tls: Tls::Never, random: [0; 32] }
    }

    /// The user's name and password, when both are there.
    pub(super) fn both(&self) -> Option<(&str, &str)> {
        Some((self.user.as_deref()?, self.password.as_deref()?))
    }

    /// Chooses from the types that a server offers.
    pub(super) fn choose(&self, offered: &[u8]) -> Result<u8, HandshakeError> {
        let has_tls = offered.contains(&VENCRYPT);
        match self.tls {
            Tls::Preferred | Tls::Required if has_tls => Ok(VENCRYPT),
            Tls::Required => Err(HandshakeError::EncryptionNeeded(offered.to_vec())),
            Tls::IfNeeded if has_tls => self.choose_in_the_clear(offered).or(Ok(VENCRYPT)),
            Tls::Never | Tls::IfNeeded | Tls::Preferred => self.choose_in_the_clear(offered),
        }
    }

    /// Chooses from the types without TLS. What a person has given is used, the most telling first: a server that offers None beside
    /// a password may give less to who comes without one, and who has set a password wants to hear that it is wrong. Apple's
    /// exchange stands before VncAuth: whoever listens to it learns nothing, while VncAuth's answer can be searched for the password.
    pub(super) fn choose_in_the_clear(&self, offered: &[u8]) -> Result<u8, HandshakeError> {
        let is_offered = |wanted| offered.contains(&wanted);
        if is_offered(APPLE_DH) && self.both().is_some() {
            Ok(APPLE_DH)
        } else if is_offered(VNC_AUTH) && self.password.is_some() {
            Ok(VNC_AUTH)
        } else if is_offered(NONE) {
            Ok(NONE)
        } else {
            let otherwise = || HandshakeError::NoCommonSecurity(offered.to_vec());
            Err(self.missing(is_offered(VNC_AUTH), is_offered(APPLE_DH)).unwrap_or_else(otherwise))
        }
    }

    /// Chooses from VeNCrypt's kinds by the same rule.
    pub(super) fn choose_vencrypt(&self, kinds: &[u32]) -> Result<u32, HandshakeError> {
        let is_offered = |wanted| kinds.contains(&wanted);
        if is_offered(X509_PLAIN) && self.both().is_some() {
            Ok(X509_PLAIN)
        } else if is_offered(X509_VNC) && self.password.is_some() {
            Ok(X509_VNC)
        } else if is_offered(X509_NONE) {
            Ok(X509_NONE)
        } else {
            let otherwise = || HandshakeError::NoCommonVencrypt(kinds.to_vec());
            Err(self.missing(is_offered(X509_VNC), is_offered(X509_PLAIN)).unwrap_or_else(otherwise))
        }
    }

    /// What has to be given to be let in by a password alone, or by a user's name and password.
    fn missing(&self, by_password: bool, by_user: bool) -> Option<HandshakeError> {
        match (by_password, by_user) {
            (true, _) => Some(HandshakeError::PasswordNeeded),
            (false, true) if self.user.is_some() => Some(HandshakeError::PasswordNeeded),
            (false, true) => Some(HandshakeError::UserNeeded),
            (false, false) => None,
        }
    }
}

/// What the client is let in by, once it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing is asked.
    Open,
    /// VncAuth's challenge.
    Challenge,
    /// Apple's exchange.
    Apple,
    /// Name and password in the clear, inside TLS.
    Plain,
}

impl Way {
    /// What stands behind a type that is no VeNCrypt.
    pub(super) fn of_type(chosen: u8) -> Self {
        match chosen {
            security::VNC_AUTH => Self::Challenge,
            security::APPLE_DH => Self::Apple,
            _ => Self::Open,
        }
    }

    /// What stands behind VeNCrypt's kind.
    pub(super) fn of_kind(kind: u32) -> Self {
        match kind {
            X509_VNC => Self::Challenge,
            X509_PLAIN => Self::Plain,
            _ => Self::Open,
        }
    }

    /// What a server means that does not let the client in.
    pub(super) fn failure(self, reason: String) -> HandshakeError {
        match self {
            Self::Open => HandshakeError::Refused(reason),
            Self::Challenge => HandshakeError::WrongPassword(reason),
            Self::Apple | Self::Plain => HandshakeError::WrongLogin(reason),
        }
    }
}
