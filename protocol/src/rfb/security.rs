//! Security types, the challenge of VncAuth (RFC 6143 sections 7.1.2 and 7.2) and Apple's key exchange. Owns no handshake: only
//! numbers and arithmetic.

pub(super) mod apple_dh;

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};

/// Nothing is asked (RFC 6143 section 7.2.1).
pub const NONE: u8 = 1;
/// A challenge encrypted with the password (RFC 6143 section 7.2.2).
pub const VNC_AUTH: u8 = 2;
/// TLS and more inside (registered, "VeNCrypt").
pub const VENCRYPT: u8 = 19;
/// Diffie-Hellman with a user's name (registered, "Apple Remote Desktop").
pub const APPLE_DH: u8 = 30;

/// VeNCrypt's kind of TLS with a certificate and nothing asked.
pub const X509_NONE: u32 = 260;
/// TLS with a certificate, then VncAuth's challenge.
pub const X509_VNC: u32 = 261;
/// TLS with a certificate, then a user's name and password in the clear.
pub const X509_PLAIN: u32 = 262;

/// Bytes of VncAuth's challenge and of its answer.
pub const CHALLENGE_BYTES: usize = 16;

/// The answer to a challenge: DES under the first 8 bytes of the password, zeros behind a shorter one. Each byte of the key is
/// used with its bits in reverse order, as every implementation does and the RFC does not say.
pub fn vnc_auth_answer(password: &[u8], challenge: &[u8; CHALLENGE_BYTES]) -> [u8; CHALLENGE_BYTES] {
    let mut key = [0; 8];
    for (place, byte) in key.iter_mut().zip(password) {
        *place = byte.reverse_bits();
    }
    let cipher = Des::new(&key.into());
    let mut answer = *challenge;
    let (blocks, _) = answer.as_chunks_mut::<8>();
    for block in blocks {
        let mut data = (*block).into();
        cipher.encrypt_block(&mut data);
        *block = data.into();
    }
    answer
}

/// Whether both are equal, looking at every byte whatever differs.
pub(super) fn is_same_answer(expected: &[u8; CHALLENGE_BYTES], answer: &[u8; CHALLENGE_BYTES]) -> bool {
    expected.iter().zip(answer).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

/// The security types by name and number, for messages to people.
pub(super) fn list(types: &[u8]) -> String {
    let name = |number: &u8| match *number {
        NONE => "None (1)".to_owned(),
        VNC_AUTH => "VncAuth (2)".to_owned(),
        16 => "Tight (16)".to_owned(),
        18 => "TLS (18)".to_owned(),
        VENCRYPT => "VeNCrypt (19)".to_owned(),
        APPLE_DH => "Apple user name and password (30)".to_owned(),
        5 | 6 | 129 | 130 => format!("RSA-AES ({number})"),
        other => other.to_string(),
    };
    types.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// VeNCrypt's kinds by name and number, for messages to people.
pub(super) fn vencrypt_list(kinds: &[u32]) -> String {
    let name = |kind: &u32| {
        let name = match *kind {
            256 => "Plain",
            257 => "TLSNone",
            258 => "TLSVnc",
            259 => "TLSPlain",
            X509_NONE => "X509None",
            X509_VNC => "X509Vnc",
            X509_PLAIN => "X509Plain",
            263 => "TLSSASL",
            264 => "X509SASL",
            other => return other.to_string(),
        };
        format!("{name} ({kind})")
    };
    if kinds.is_empty() { "nothing".to_owned() } else { kinds.iter().map(name).collect::<Vec<_>>().join(", ") }
}
