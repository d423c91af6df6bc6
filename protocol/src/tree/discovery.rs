//! Finding a root on the local network: FIND_ROOT and FIND_ROOT_REPLY, one UDP datagram each (PROTOCOL.md, Discovery). Bytes only.

use super::PROTOCOL_VERSION;
use super::text::SessionName;
use crate::update::SessionId;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where FIND_ROOT goes by IPv4: in the part of 239/8 that stays on the site (RFC 2365 section 6.1). Sent with TTL 1.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 255, 59, 50);
/// Where FIND_ROOT goes by IPv6: link-local, and marked as not assigned by IANA (RFC 4291 section 2.7; RFC 3307 section 4.3).
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff12, 0, 0, 0, 0, 0, 0x8000, 0x5950);
/// The UDP port of both groups.
pub const PORT: u16 = 5950;
/// Most bytes of a datagram, so that none is ever fragmented.
pub const MAX_DATAGRAM_BYTES: usize = 1200;
/// Most addresses in a reply.
pub const MAX_ADDRESSES: usize = 16;

const MAGIC: &[u8; 4] = b"TREE";
const FRONT_BYTES: usize = MAGIC.len() + 1;

/// A discovery datagram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Datagram {
    /// Is there a root? By multicast, from any port.
    FindRoot {
        /// Random; a reply must carry the same.
        nonce: u64,
    },
    /// Here. By unicast to where FIND_ROOT came from.
    FindRootReply(FindRootReply),
}

/// FIND_ROOT_REPLY: what a root says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindRootReply {
    /// The nonce of the question.
    pub nonce: u64,
    /// The session.
    pub session: SessionId,
    /// Its name for people.
    pub name: SessionName,
    /// The root's addresses, the one nearest to the asker first; at most [`MAX_ADDRESSES`]. The datagram's sender comes before all.
    pub addresses: Vec<IpAddr>,
    /// The TCP port it listens on.
    pub port: u16,
    /// The version of the tree protocol it speaks.
    pub version: u8,
    /// Nodes attached now, the root not counted.
    pub viewers: u32,
    /// Whether joining needs a code.
    pub needs_code: bool,
    /// The session whose updates it has: the same for a root and its sites.
    pub log: SessionId,
    /// Roots above it.
    pub above: u8,
}

/// A datagram that is not one of ours; it is dropped without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatagramError {
    /// Longer than any may be.
    #[error("a datagram of {0} bytes is over the limit of {MAX_DATAGRAM_BYTES}")]
    TooLong(usize),
    /// Somebody else's.
    #[error("not a discovery datagram")]
    Foreign,
    /// Of another version of the protocol.
    #[error("discovery of version {0}, this is {PROTOCOL_VERSION}")]
    Version(u8),
    /// Ends early, goes on too long, or holds a value that does not exist.
    #[error("a malformed discovery datagram")]
    Malformed,
}

impl Datagram {
    /// The whole datagram. Addresses beyond [`MAX_ADDRESSES`] are left out.
    pub fn encode(&self) -> Bytes {
        let front = [&MAGIC[..], &[PROTOCOL_VERSION]].concat();
        let limited = match self {
            Self::FindRootReply(reply) if reply.addresses.len() > MAX_ADDRESSES => {
                let addresses = reply.addresses.iter().take(MAX_ADDRESSES).copied().collect();
                Some(Self::FindRootReply(FindRootReply { addresses, ..reply.clone() }))
            }
            _ => None,
        };
        // Writing to memory fails only for types of unknown length, and this is none.
        postcard::to_extend(limited.as_ref().unwrap_or(self), front).unwrap_or_default().into()
    }

    /// Reads a datagram.
    pub fn decode(bytes: &[u8]) -> Result<Self, DatagramError> {
        if bytes.len() > MAX_DATAGRAM_BYTES {
            return Err(DatagramError::TooLong(bytes.len()));
        }
        let (front, body) = bytes.split_at_checked(FRONT_BYTES).ok_or(DatagramError::Foreign)?;
        let version = match front.strip_prefix(MAGIC) {
            Some(&[version]) => version,
            _ => return Err(DatagramError::Foreign),
        };
        if version != PROTOCOL_VERSION {
            return Err(DatagramError::Version(version));
        }
        match postcard::take_from_bytes::<Self>(body) {
            Ok((Self::FindRootReply(reply), _)) if reply.addresses.len() > MAX_ADDRESSES => Err(DatagramError::Malformed),
            Ok((datagram, [])) => Ok(datagram),
            _ => Err(DatagramError::Malformed),
        }
    }
}

#[cfg(test)]
pub(crate) fn samples() -> Vec<(&'static str, Datagram)> {
    let reply = FindRootReply {
        nonce: 0x0102_0304_0506_0708,
        session: SessionId(0x1122),
        name: "Physik".into(),
        addresses: vec![Ipv4Addr::new(192, 0, 2, 1).into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()],
        port: 5950,
        version: 1,
        viewers: 200,
        needs_code: false,
        log: SessionId(0x3344),
        above: 1,
    };
    vec![("FIND_ROOT", Datagram::FindRoot { nonce: reply.nonce }), ("FIND_ROOT_REPLY", Datagram::FindRootReply(reply))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn datagrams_come_back_and_have_no_shorter_or_longer_form() {
        for (name, datagram) in samples() {
            let bytes = datagram.encode();
            assert_eq!(Datagram::decode(&bytes), Ok(datagram), "{name}");
            for end in 0..bytes.len() {
                assert!(Datagram::decode(&bytes[..end]).is_err(), "{name} cut at {end}");
            }
            assert_eq!(Datagram::decode(&[&bytes[..], &[0]].concat()), Err(DatagramError::Malformed), "{name}");
        }
    }

    #[test]
    fn the_largest_reply_fits_and_addresses_are_limited() {
        let Some((_, Datagram::FindRootReply(sample))) = samples().pop() else { panic!("no reply") };
        let addresses = vec![IpAddr::from([0xff_u8; 16]); 40];
        let name = "x".repeat(500).as_str().into();
        let (session, nonce) = (SessionId(u64::MAX), u64::MAX);
        let reply = FindRootReply { addresses, name, session, nonce, viewers: u32::MAX, ..sample };
        let bytes = Datagram::FindRootReply(reply.clone()).encode();
        assert!(bytes.len() <= MAX_DATAGRAM_BYTES, "{}", bytes.len());
        let Ok(Datagram::FindRootReply(heard)) = Datagram::decode(&bytes) else { panic!("not read") };
        assert_eq!(heard.addresses.len(), MAX_ADDRESSES);
        let all = [&MAGIC[..], &[PROTOCOL_VERSION], &postcard::to_allocvec(&Datagram::FindRootReply(reply)).unwrap()].concat();
        assert_eq!(Datagram::decode(&all), Err(DatagramError::Malformed));
    }

    #[test]
    fn foreign_datagrams_and_other_versions_are_told_apart() {
        assert_eq!(Datagram::decode(b""), Err(DatagramError::Foreign));
        assert_eq!(Datagram::decode(b"M-SEARCH * HTTP/1.1"), Err(DatagramError::Foreign));
        assert_eq!(Datagram::decode(b"TREE\x02whatever"), Err(DatagramError::Version(2)));
        assert_eq!(Datagram::decode(&[b'T'; 1201]), Err(DatagramError::TooLong(1201)));
    }

    proptest! {
        #[test]
        fn any_bytes_behind_the_magic_are_an_error_or_come_back(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(datagram) = Datagram::decode(&[&b"TREE\x01"[..], &body].concat()) {
                prop_assert_eq!(Datagram::decode(&datagram.encode()), Ok(datagram));
            }
        }

        #[test]
        fn flipped_bits_never_panic(index in 0..samples().len(), bit: prop::sample::Index) {
            let mut bytes = samples()[index].1.encode().to_vec();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(datagram) = Datagram::decode(&bytes) {
                prop_assert_ne!(datagram, samples()[index].1.clone());
            }
        }
    }
}
