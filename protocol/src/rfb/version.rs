//! The protocol version that opens a connection (RFC 6143 section 7.1.1).

/// Bytes of a version on the wire.
pub const VERSION_BYTES: usize = 12;

/// The versions whose handshakes differ. Everything later is as in 3.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// The server decides the security type.
    V3_3,
    /// The client chooses from a list.
    V3_7,
    /// As 3.7, and failures carry a reason.
    V3_8,
}

impl Version {
    /// Reads `RFB xxx.yyy\n`, `None` when the bytes are not of that form or older than 3.3. Numbers between the known ones mean
    /// the next lower: 3.5 is 3.3; Apple's 3.889, RealVNC's 4.x and 5.x are 3.8.
    pub fn parse(bytes: &[u8; VERSION_BYTES]) -> Option<Self> {
        let numbers = bytes.strip_prefix(b"RFB ")?.strip_suffix(b"\n")?;
        let [major @ .., b'.', m2, m1, m0] = numbers else { return None };
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0u32, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
        };
        match (number(major)?, number(&[*m2, *m1, *m0])?) {
            (3, 3..=6) => Some(Self::V3_3),
            (3, 7) => Some(Self::V3_7),
            (3, 8..) | (4.., _) => Some(Self::V3_8),
            _ => None,
        }
    }

    /// The version as it stands on the wire.
    pub fn encode(self) -> &'static [u8; VERSION_BYTES] {
        match self {
            Self::V3_3 => b"RFB 003.003\n",
            Self::V3_7 => b"RFB 003.007\n",
            Self::V3_8 => b"RFB 003.008\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_seen_in_the_wild_fall_to_the_right_handshake() {
        for (bytes, version) in [
            (b"RFB 003.003\n", Some(Version::V3_3)),
            (b"RFB 003.005\n", Some(Version::V3_3)),
            (b"RFB 003.006\n", Some(Version::V3_3)),
            (b"RFB 003.007\n", Some(Version::V3_7)),
            (b"RFB 003.008\n", Some(Version::V3_8)),
            (b"RFB 003.016\n", Some(Version::V3_8)),
            (b"RFB 003.889\n", Some(Version::V3_8)),
            (b"RFB 004.001\n", Some(Version::V3_8)),
            (b"RFB 005.000\n", Some(Version::V3_8)),
            (b"RFB 000.000\n", None),
            (b"RFB 003.002\n", None),
            (b"RFB 003.008 ", None),
            (b"RFB 0x3.008\n", None),
            (b"RFB 003,008\n", None),
            (b"SSH-2.0-Open", None),
            (b"TREEVNC 001\n", None),
        ] {
            assert_eq!(Version::parse(bytes), version, "{}", bytes.escape_ascii());
        }
        for version in [Version::V3_3, Version::V3_7, Version::V3_8] {
            assert_eq!(Version::parse(version.encode()), Some(version));
        }
    }
}
