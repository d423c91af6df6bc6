//! A presenter's password: where it is read, and what to say when it is missing or wrong.

use anyhow::{Context, anyhow};
use std::path::Path;
use treevnc_protocol::rfb::HandshakeError::{PasswordNeeded, UserNeeded, WrongLogin, WrongPassword};
use treevnc_screen::vnc::{ConnectError, Credentials};

/// The user's name as given, and the password: the first line of the file, or VNC_PASSWORD.
pub(super) fn read(user: Option<String>, password_file: Option<&Path>) -> anyhow::Result<Credentials> {
    Ok(Credentials { user, password: password(password_file)? })
}

fn password(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    let Some(path) = file else { return Ok(std::env::var("VNC_PASSWORD").ok().filter(|password| !password.is_empty())) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the password file {}", path.display()))?;
    let first = text.lines().next().unwrap_or_default();
    if first.is_empty() { Err(anyhow!("the first line of {} holds no password", path.display())) } else { Ok(Some(first.into())) }
}

/// A failure to get into a VNC server, as `shown`, with the options by which a person can do something about it.
pub(super) fn with_advice(shown: &dyn std::fmt::Display, error: &ConnectError) -> anyhow::Error {
    match error {
        ConnectError::Handshake(PasswordNeeded | WrongPassword(_)) => {
            anyhow!("{shown} (its password comes from --password-file FILE or VNC_PASSWORD)")
        }
        ConnectError::Handshake(UserNeeded | WrongLogin(_)) => {
            anyhow!("{shown} (they come from --user NAME, and --password-file FILE or VNC_PASSWORD)")
        }
        _ => anyhow!("{shown}"),
    }
}
