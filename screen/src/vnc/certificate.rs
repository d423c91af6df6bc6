//! A certificate's public key, found by its place alone. Certificates that people make with `openssl x509 -req` are often of version 1, which
//! rustls does not read; of a pinned one nothing but its key is of interest.

/// DER's tag of a SEQUENCE, and of the version that stands first in certificates after version 1.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The SubjectPublicKeyInfo of a DER certificate (RFC 5280 section 4.1), as it stands there. `None` where it is not to be found.
pub(super) fn public_key(mut certificate: &[u8]) -> Option<&[u8]> {
    let mut fields = element(&mut element(&mut certificate)?.content)?.content;
    if fields.first() == Some(&VERSION) {
        element(&mut fields)?;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for _ in 0..5 {
        element(&mut fields)?;
    }
    element(&mut fields).filter(|key| key.whole.first() == Some(&SEQUENCE)).map(|key| key.whole)
}

/// One element of DER.
struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

/// Takes the next element off; `None` when it is not whole, or longer than 16 MiB.
fn element<'a>(rest: &mut &'a [u8]) -> Option<Element<'a>> {
    let (_tag, after) = rest.split_first()?;
    let (&first, after) = after.split_first()?;
    let (length, after) = match first {
        0..=0x7f => (usize::from(first), after),
        0x81..=0x83 => {
            let (digits, after) = after.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit)), after)
        }
        _ => return None,
    };
    let (content, after) = after.split_at_checked(length)?;
    let whole = rest.get(..rest.len() - after.len())?;
    *rest = after;
    Some(Element { whole, content })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=x`, signed by `openssl x509 -req`: version 1.
    const CERTIFICATE: &str = "308201123081b90214380eacff0e1ecda972fb0bd944aeb682c4dd852e300a06082a8648ce3d040302300c310a300806035504030c0178301e\
        170d3236313132303137313433315a170d3336313131373137313433315a300c310a300806035504030c01783059301306072a8648ce3d020106082a8648ce3d\
        03010703420004099c584413e75af5abb79e99ca3c6c7e9ee8f48a30409a0878825668358d0794a05b7200b75f14a156d49c0e676201c7c928945b4abc3abdf3\
        99c3fa5f1bdb93300a06082a8648ce3d0403020348003045022019c480a4a5fdfd2b4052751112903b5b06a0ddcf38455a0f1612797aa621325c022100e975dd\
        24c7bbc4ac1f0a5e010235e89c6a5b2e8491d921568c4966becc497633";
    /// What `openssl x509 -pubkey` says of it.
    const KEY: &str = "3059301306072a8648ce3d020106082a8648ce3d03010703420004099c584413e75af5abb79e99ca3c6c7e9ee8f48a30409a0878825668358d0794\
        a05b7200b75f14a156d49c0e676201c7c928945b4abc3abdf399c3fa5f1bdb93";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_key_is_the_one_that_openssl_finds() {
        assert_eq!(public_key(&bytes(CERTIFICATE)), Some(&bytes(KEY)[..]));
    }

    #[test]
    fn a_certificate_that_is_cut_or_damaged_is_no_harm() {
        let whole = bytes(CERTIFICATE);
        for cut in 0..whole.len() {
            assert_eq!(public_key(&whole[..cut]), None, "{cut}");
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[cut] ^= 1 << bit;
                let _ = public_key(&damaged);
            }
        }
    }
}
