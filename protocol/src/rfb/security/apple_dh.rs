//! Apple's security type 30: a Diffie-Hellman exchange, and the user's name and password encrypted under what comes of it. Owns the
//! messages' bytes and their arithmetic. There is no document by Apple; libvncclient and gtk-vnc agree with this.

use super::super::handshake::HandshakeError;
use crate::wire::Reader;
use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit as _};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use hmac::{Hmac, Mac as _};
use md5::{Digest, Md5};
use sha2::Sha256;

/// Bytes of the server's message before its two numbers: generator and length.
pub(crate) const HEAD_BYTES: usize = 4;
/// Bytes of a number: at least Apple's 1024 bits, since below that anybody who listens could read the password; at most 4096 bits,
/// since a server must not make us compute for long.
const NUMBER_BYTES: std::ops::RangeInclusive<usize> = 128..=512;
/// Bytes of the place of the user's name, and of that of the password; each ends in a zero.
const FIELD_BYTES: usize = 64;
/// Bytes of both.
const LOGIN_BYTES: usize = 2 * FIELD_BYTES;
/// Bytes of our private number; 512 bits are ample for every length above.
const PRIVATE_BYTES: usize = 64;

/// Length of the server's whole message, as far as its beginning tells.
pub(crate) fn measure(bytes: &[u8]) -> usize {
    match *bytes {
        [_, _, high, low, ..] => HEAD_BYTES + 2 * usize::from(u16::from_be_bytes([high, low])),
        _ => HEAD_BYTES,
    }
}

/// The client's answer to the server's message: the encrypted login and our public number. `random` is fresh.
pub(crate) fn answer(message: &[u8], user: &str, password: &str, random: &[u8; 32]) -> Result<Vec<u8>, HandshakeError> {
    let mut reader = Reader::new(message);
    let fields = (|| {
        let (generator, length) = (reader.u16()?, usize::from(reader.u16()?));
        Some((generator, length, reader.bytes(length)?, reader.bytes(length)?))
    })();
    let (generator, length, prime, theirs) = fields.ok_or(HandshakeError::KeyExchange("it is cut short"))?;
    if !NUMBER_BYTES.contains(&length) {
        return Err(HandshakeError::KeyExchange("its numbers have not 1024 to 4096 bits"));
    }
    let group = Group::new(generator, prime, theirs)?;
    let (private, filling) = expand(random);
    let (public, shared) = group.exchange(&private);
    let mut login = login(user, password, filling)?;
    let cipher = Aes128::new(&Md5::digest(&shared));
    let (blocks, _) = login.as_chunks_mut::<16>();
    for block in blocks {
        let mut data = (*block).into();
        cipher.encrypt_block(&mut data);
        *block = data.into();
    }
    Ok([&login[..], &public].concat())
}

/// What the server says: numbers that are fit for an exchange.
struct Group {
    length: usize,
    field: BoxedMontyParams,
    generator: BoxedUint,
    theirs: BoxedUint,
}

impl Group {
    fn new(generator: u16, prime: &[u8], theirs: &[u8]) -> Result<Self, HandshakeError> {
        let refused = HandshakeError::KeyExchange;
        let bits = u32::try_from(8 * prime.len()).unwrap_or(u32::MAX);
        let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, bits).map_err(|_| refused("its numbers are too long"));
        let (prime, theirs, generator) = (number(prime)?, number(theirs)?, number(&generator.to_be_bytes())?);
        let modulus = Option::<Odd<BoxedUint>>::from(Odd::new(prime.clone())).ok_or(refused("its prime is even"))?;
        if prime.bits_vartime() + 64 < bits {
            return Err(refused("its prime is small"));
        }
        // 0, 1 and p - 1 would make the key one that everybody knows.
        let (one, last) = (BoxedUint::one_with_precision(bits), prime.wrapping_sub(BoxedUint::one_with_precision(bits)));
        let is_fit = |number: &BoxedUint| *number > one && *number < last;
        if !is_fit(&generator) || !is_fit(&theirs) {
            return Err(refused("its public number gives the key away"));
        }
        let (field, length) = (BoxedMontyParams::new(modulus), prime.to_be_bytes().len());
        Ok(Self { length, field, generator, theirs })
    }

    /// Our public number and the shared one, both as long as the prime.
    fn exchange(&self, private: &[u8; PRIVATE_BYTES]) -> (Vec<u8>, Vec<u8>) {
        let private = BoxedUint::from_be_slice_vartime(private);
        let power = |base: &BoxedUint| {
            let bytes = BoxedMontyForm::new(base.clone(), &self.field).pow(&private).retrieve().to_be_bytes();
            let mut number = vec![0; self.length.saturating_sub(bytes.len())];
            number.extend(bytes.iter().skip(bytes.len().saturating_sub(self.length)));
            number
        };
        (power(&self.generator), power(&self.theirs))
    }
}

/// Our private number, and what fills the login's fields, out of fresh randomness.
fn expand(random: &[u8; 32]) -> ([u8; PRIVATE_BYTES], [u8; LOGIN_BYTES]) {
    let mut bytes = [0; PRIVATE_BYTES + LOGIN_BYTES];
    for (count, block) in (0u8..).zip(bytes.chunks_mut(32)) {
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(random) {
            mac.update(&[count]);
            block.copy_from_slice(&mac.finalize().into_bytes());
        }
    }
    let (mut private, mut filling) = ([0; PRIVATE_BYTES], [0; LOGIN_BYTES]);
    let (first, rest) = bytes.split_at(PRIVATE_BYTES);
    private.copy_from_slice(first);
    filling.copy_from_slice(rest);
    (private, filling)
}

/// The login's plain text: each text with a zero behind it at the start of its half.
fn login(user: &str, password: &str, mut filling: [u8; LOGIN_BYTES]) -> Result<[u8; LOGIN_BYTES], HandshakeError> {
    for (field, text) in filling.chunks_exact_mut(FIELD_BYTES).zip([user, password]) {
        let (place, rest) = field.split_at_mut_checked(text.len()).ok_or(HandshakeError::LoginTooLong)?;
        *rest.first_mut().ok_or(HandshakeError::LoginTooLong)? = 0;
        place.copy_from_slice(text.as_bytes());
    }
    Ok(filling)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2409's second group, 1024 bits: what Apple's servers use.
    const PRIME: &str = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B\
                         302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6\
                         49286651ECE65381FFFFFFFFFFFFFFFF";

    fn prime() -> Vec<u8> {
        (0..PRIME.len() / 2).map(|at| u8::from_str_radix(&PRIME[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    fn message(generator: u16, prime: &[u8], theirs: &[u8]) -> Vec<u8> {
        let length = u16::try_from(prime.len()).unwrap();
        [&generator.to_be_bytes()[..], &length.to_be_bytes(), prime, theirs].concat()
    }

    fn refusal(generator: u16, prime: &[u8], theirs: &[u8]) -> HandshakeError {
        answer(&message(generator, prime, theirs), "ann", "secret", &[7; 32]).unwrap_err()
    }

    /// The number 2 to the power of `bits`, as long as the prime.
    fn power_of_two(bits: usize) -> Vec<u8> {
        let mut number = vec![0; 128];
        number[127 - bits / 8] = 1 << (bits % 8);
        number
    }

    #[test]
    fn both_sides_come_to_the_same_key() {
        let (alice, bob) = ([0x5a; PRIVATE_BYTES], [0x81; PRIVATE_BYTES]);
        let public = |private| Group::new(2, &prime(), &power_of_two(1)).unwrap().exchange(private).0;
        let (first, second) = (public(&alice), public(&bob));
        let shared = |theirs: &[u8], private| Group::new(2, &prime(), theirs).unwrap().exchange(private).1;
        assert_eq!(shared(&second, &alice), shared(&first, &bob));
        assert_eq!((first.len(), second.len()), (128, 128));
    }

    #[test]
    fn numbers_that_give_the_key_away_or_are_no_numbers_are_refused() {
        let (fit, mut last, mut even) = (power_of_two(700), prime(), prime());
        let ok = answer(&message(2, &prime(), &fit), "ann", "secret", &[7; 32]).unwrap();
        assert_eq!(ok.len(), LOGIN_BYTES + 128);
        last[127] -= 1;
        even[127] ^= 1;
        for theirs in [&power_of_two(0)[..], &[0; 128], &last, &prime(), &[0xff; 128]] {
            assert!(refusal(2, &prime(), theirs).to_string().contains("gives the key away"));
        }
        assert!(refusal(0, &prime(), &fit).to_string().contains("gives the key away"));
        assert!(refusal(2, &even, &fit).to_string().contains("even"));
        let small: Vec<u8> = [&[0; 100][..], &[0xfb; 28]].concat();
        assert!(refusal(2, &small, &fit).to_string().contains("small"));
        assert!(refusal(2, &[0xfb; 127], &fit[1..]).to_string().contains("1024"));
        assert!(refusal(2, &[0xfb; 514], &[3; 514]).to_string().contains("4096"));
        let whole = message(2, &prime(), &fit);
        for cut in 0..whole.len() {
            assert!(answer(&whole[..cut], "ann", "secret", &[7; 32]).is_err(), "{cut}");
            assert!(measure(&whole[..cut]) > cut || cut >= HEAD_BYTES);
        }
        assert_eq!(measure(&whole), whole.len());
    }

    #[test]
    fn the_login_has_its_zeros_and_its_limits() {
        let longest = "x".repeat(63);
        let text = login("ann", &longest, [9; LOGIN_BYTES]).unwrap();
        assert_eq!((&text[..5], &text[64..127], text[127]), (&b"ann\0\x09"[..], longest.as_bytes(), 0));
        for (user, password) in [(&"x".repeat(64)[..], ""), ("", &"x".repeat(64)[..]), ("", &"x".repeat(65)[..])] {
            assert_eq!(login(user, password, [9; LOGIN_BYTES]), Err(HandshakeError::LoginTooLong));
        }
    }

    #[test]
    fn other_randomness_gives_another_answer() {
        let (first, second) = (expand(&[1; 32]), expand(&[2; 32]));
        assert!(first.0 != second.0 && first.1 != second.1 && first.0[..32] != first.0[32..]);
    }
}
