//! Where a presenter's VNC server listens, as people write it. Owns the text form; never looks a name up.
//!
//! The rules are those of TigerVNC's viewer, so that an address that works there works here:
//!
//! | written | means |
//! | --- | --- |
//! | `HOST` | display 0, port 5900 |
//! | `HOST:N` | display N, port 5900 + N, when N is below 100; else port N |
//! | `HOST::N` | port N |
//! | `[V6]`, `[V6]:N`, `[V6]::N` | the same for an IPv6 address, which may carry a `%zone` |
//! | `V6` with two or more separate colons | that IPv6 address, display 0 |
//!
//! An empty HOST is this machine.

/// Port of display 0 (RFC 6143 section 5).
pub const BASE_PORT: u16 = 5900;
/// Numbers after one colon below this are displays, others are ports.
const DISPLAYS: u16 = 100;

/// Host and port of a VNC server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenterAddress {
    /// Name or IP address, without brackets; never empty.
    pub host: String,
    /// TCP port, never 0.
    pub port: u16,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// An opening bracket without a closing one.
    #[error("`{0}` lacks the closing bracket of its IPv6 address")]
    Bracket(String),
    /// Something after the host that is no display and no port.
    #[error("`{0}` does not end in a display (`:1`) or a port (`::5901`, at most 65535)")]
    Port(String),
    /// A name that no host can have.
    #[error("`{0}` holds a blank or a control character")]
    Host(String),
}

impl std::str::FromStr for PresenterAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (host, number) = split(text)?;
        let host = if host.is_empty() { "localhost" } else { host };
        if host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(AddressError::Host(text.to_owned()));
        }
        let port = port(number).ok_or_else(|| AddressError::Port(text.to_owned()))?;
        Ok(Self { host: host.to_owned(), port })
    }
}

/// Separates the host from what stands after it, the colons included.
fn split(text: &str) -> Result<(&str, &str), AddressError> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or_else(|| AddressError::Bracket(text.to_owned()))?;
        return Ok((host, rest));
    }
    let host_end = text.find(':').unwrap_or(text.len());
    let (host, rest) = text.split_at(host_end);
    let digits = rest.strip_prefix("::").or_else(|| rest.strip_prefix(':')).unwrap_or(rest);
    if digits.contains(':') { Ok((text, "")) } else { Ok((host, rest)) }
}

fn port(number: &str) -> Option<u16> {
    if number.is_empty() {
        return Some(BASE_PORT);
    }
    let (digits, is_port) = match number.strip_prefix("::") {
        Some(digits) => (digits, true),
        None => (number.strip_prefix(':')?, false),
    };
    let value = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u16>().ok()).flatten()?;
    let port = if !is_port && value < DISPLAYS { BASE_PORT + value } else { value };
    (port != 0).then_some(port)
}

impl std::fmt::Display for PresenterAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]::{}", self.host, self.port)
        } else {
            write!(f, "{}::{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, u16) {
        let address: PresenterAddress = text.parse().unwrap();
        (address.host, address.port)
    }

    #[test]
    fn every_form_means_what_it_means_in_tigervnc() {
        for (text, host, port) in [
            ("lab7", "lab7", 5900),
            (" lab7.example.org ", "lab7.example.org", 5900),
            ("lab7:1", "lab7", 5901),
            ("lab7:99", "lab7", 5999),
            ("lab7:100", "lab7", 100),
            ("lab7:5907", "lab7", 5907),
            ("lab7::1", "lab7", 1),
            ("lab7::5901", "lab7", 5901),
            ("lab7::65535", "lab7", 65535),
            (":1", "localhost", 5901),
            ("::5901", "localhost", 5901),
            ("", "localhost", 5900),
            ("192.0.2.7:2", "192.0.2.7", 5902),
            ("[::1]", "::1", 5900),
            ("[::1]:1", "::1", 5901),
            ("[::1]::5901", "::1", 5901),
            ("[fe80::1%eth0]:3", "fe80::1%eth0", 5903),
            ("2001:db8::7", "2001:db8::7", 5900),
            ("fe80::1:2", "fe80::1:2", 5900),
        ] {
            assert_eq!(parsed(text), (host.to_owned(), port), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_quoted() {
        for text in
            ["[::1", "[::1]5901", "[::1]:", "lab7:", "lab7::", "lab7:x", "lab7:+1", "lab7::0", "lab7:65536", "lab7::99999", "a b"]
        {
            let refused = text.parse::<PresenterAddress>().expect_err(text);
            assert!(refused.to_string().contains(text), "{refused}");
        }
    }

    #[test]
    fn an_address_reads_back_as_it_is_shown() {
        for text in ["lab7:3", "[2001:db8::7]::80", "::7"] {
            let address: PresenterAddress = text.parse().unwrap();
            assert_eq!(address.to_string().parse::<PresenterAddress>().unwrap(), address);
        }
    }
}
