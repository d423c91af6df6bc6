//! The servers whose certificates are known, as ssh knows hosts: a file with a line for each, written when a server is first seen.
//!
//! A line is `HOST::PORT SHA256:HEX`, the digest of the whole certificate (what `openssl x509 -fingerprint -sha256` shows, without its
//! colons); what begins with `#` is a comment. A server may have several lines.

use crate::address::PresenterAddress;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The variable that names another file.
pub const FILE_VARIABLE: &str = "TREEVNC_KNOWN_SERVERS";

/// The file of known servers. It need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownServers {
    file: Option<PathBuf>,
}

/// A line about a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from 1.
    pub(super) line: usize,
    /// As [`fingerprint`] writes it.
    pub(super) fingerprint: String,
}

impl KnownServers {
    /// The user's: the file that [`FILE_VARIABLE`] names, or `treevnc/known_servers` in the directory where the system keeps a user's
    /// settings. Without either nothing can be remembered.
    pub fn of_user() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let settings = || {
            if cfg!(windows) {
                set("APPDATA")
            } else if cfg!(target_os = "macos") {
                set("HOME").map(|home| home.join("Library/Application Support"))
            } else {
                set("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(|| set("HOME").map(|home| home.join(".config")))
            }
        };
        Self { file: set(FILE_VARIABLE).or_else(|| settings().map(|settings| settings.join("treevnc").join("known_servers"))) }
    }

    /// Those in this file.
    pub fn in_file(file: impl Into<PathBuf>) -> Self {
        Self { file: Some(file.into()) }
    }

    /// The file, empty where there is none.
    pub(super) fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new(""))
    }

    /// What is known of a server.
    pub(super) fn find(&self, server: &PresenterAddress) -> std::io::Result<Vec<Line>> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let text = match std::fs::read_to_string(file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let name = name(server);
        let pin = |(line, text): (usize, &str)| {
            let (server, fingerprint) = text.trim().split_once(char::is_whitespace)?;
            (server == name).then(|| Line { line, fingerprint: fingerprint.trim().to_owned() })
        };
        Ok((1..).zip(text.lines()).filter_map(pin).collect())
    }

    /// Writes a server down.
    pub(super) fn add(&self, server: &PresenterAddress, fingerprint: &str) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Err(std::io::Error::other("there is no directory for a user's settings")) };
        if let Some(directory) = file.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
        file.write_all(format!("{} {fingerprint}\n", name(server)).as_bytes())
    }
}

/// A server as the file names it.
fn name(server: &PresenterAddress) -> String {
    server.to_string().to_lowercase()
}

/// A certificate's digest as the file holds it.
pub(super) fn fingerprint(certificate: &[u8]) -> String {
    Sha256::digest(certificate).iter().fold("SHA256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own, removed at the end.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("treevnc-known-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn server(text: &str) -> PresenterAddress {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_written_down_is_found_again_and_only_for_that_server() {
        let directory = Directory::new("found");
        let known = KnownServers::in_file(directory.0.join("of/no/name").join("known_servers"));
        assert_eq!(known.find(&server("lab7")).unwrap(), []);
        known.add(&server("Lab7"), "SHA256:aa").unwrap();
        known.add(&server("[2001:db8::7]:1"), "SHA256:bb").unwrap();
        known.add(&server("lab7"), "SHA256:cc").unwrap();
        let pins = |text: &str| {
            known.find(&server(text)).unwrap().into_iter().map(|pin| (pin.line, pin.fingerprint)).collect::<Vec<_>>()
        };
        assert_eq!(pins("LAB7:0"), [(1, "SHA256:aa".to_owned()), (3, "SHA256:cc".to_owned())]);
        assert_eq!(pins("[2001:db8::7]::5901"), [(2, "SHA256:bb".to_owned())]);
        assert_eq!(pins("lab7:1"), []);
    }

    #[test]
    fn comments_blanks_and_crlf_are_read_as_people_leave_them() {
        let directory = Directory::new("comments");
        let file = directory.0.join("known_servers");
        std::fs::write(&file, "# mine\r\n\r\n  lab7::5900 \t SHA256:aa  \r\nlab7::5900\n#lab7::5900 SHA256:bb").unwrap();
        let pins = KnownServers::in_file(file).find(&server("lab7")).unwrap();
        assert_eq!(pins, [Line { line: 3, fingerprint: "SHA256:aa".into() }]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_empty_file() {
        let directory = Directory::new("unreadable");
        assert!(KnownServers::in_file(&directory.0).find(&server("lab7")).is_err());
        assert!(KnownServers::in_file(&directory.0).add(&server("lab7"), "SHA256:aa").is_err());
        assert!(KnownServers { file: None }.add(&server("lab7"), "SHA256:aa").is_err());
    }

    #[test]
    fn a_fingerprint_is_what_sha256sum_says() {
        assert_eq!(fingerprint(b"abc"), "SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
