//! The client's side where more than a password is asked, or TLS: VeNCrypt 0.2 and Apple's type 30, as bytes and as choices.

use super::super::security::vnc_auth_answer;
use super::client::ClientHandshake;
use super::login::{Login, Tls};
use super::*;
use proptest::prelude::*;

const CHALLENGE: [u8; 16] = *b"0123456789abcdef";
const INIT: &[u8] = &[0, 2, 0, 1, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 1, b'x'];

fn login(user: &str, password: &str, tls: Tls) -> Login {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Login { user: given(user), password: given(password), tls, random: [7; 32] }
}

/// A server that offers VeNCrypt alone, with these kinds, up to TLS.
fn vencrypt(kinds: &[u32]) -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n\x01\x13\0\x02\0".to_vec();
    bytes.push(kinds.len().try_into().unwrap());
    bytes.extend(kinds.iter().flat_map(|kind| kind.to_be_bytes()));
    bytes
}

/// Feeds bytes in pieces, beginning TLS where it is waited for; what is sent before and inside TLS, and the end.
fn client(login: &Login, server: &[u8], piece: usize) -> (Vec<u8>, Vec<u8>, Result<bool, HandshakeError>) {
    let mut handshake = ClientHandshake::with_login(login.clone(), true);
    let (mut sent, mut inside) = (Vec::new(), None);
    for piece in server.chunks(piece) {
        let fed = handshake.feed(piece);
        inside.as_mut().unwrap_or(&mut sent).extend(handshake.take_output().unwrap_or_default());
        if let Err(error) = fed {
            return (sent, inside.unwrap_or_default(), Err(error));
        }
        if handshake.is_waiting_for_tls() {
            handshake.tls_is_up();
            inside = Some(handshake.take_output().unwrap_or_default());
        }
    }
    (sent, inside.unwrap_or_default(), Ok(handshake.finished().is_some()))
}

fn ended(login: &Login, server: &[u8]) -> HandshakeError {
    client(login, server, 1).2.unwrap_err()
}

#[test]
fn each_kind_of_vencrypt_asks_what_it_asks_inside_tls() {
    let hello = b"RFB 003.008\n\x13\0\x02";
    let answer = vnc_auth_answer(b"secret", &CHALLENGE);
    let plain = b"\0\0\0\x03\0\0\0\x06annsecret";
    for (user, password, kind, asked, answered) in [
        ("", "", 260u32, &b""[..], &b""[..]),
        ("ann", "", 260, b"", b""),
        ("", "secret", 261, &CHALLENGE, &answer),
        ("ann", "secret", 262, b"", plain),
    ] {
        let server = [&vencrypt(&[257, 260, 261, 262, 999]), &b"\x01"[..], asked, &[0; 4], INIT].concat();
        let (sent, inside, end) = client(&login(user, password, Tls::Preferred), &server, 1);
        assert_eq!(sent, [&hello[..], &kind.to_be_bytes()].concat(), "{user} {password}");
        assert_eq!((inside, end), ([answered, &[1]].concat(), Ok(true)), "{user} {password}");
    }
}

#[test]
fn nothing_is_taken_that_came_in_the_clear_behind_the_begin_of_tls() {
    let server = [&vencrypt(&[260]), &b"\x01\0\0\0\0"[..]].concat();
    let login = login("", "", Tls::Required);
    let mut handshake = ClientHandshake::with_login(login.clone(), true);
    assert_eq!(handshake.feed(&server), Err(HandshakeError::BytesBeforeTls));
    let mut handshake = ClientHandshake::with_login(login, true);
    assert_eq!(handshake.feed(&server[..server.len() - 4]), Ok(server.len() - 4));
    assert!(handshake.is_waiting_for_tls() && handshake.finished().is_none());
    assert_eq!(handshake.ended(), HandshakeError::Ended("TLS"));
    assert_eq!(handshake.feed(&[]), Ok(0));
    assert_eq!(handshake.feed(&[0]), Err(HandshakeError::BytesBeforeTls));
}

#[test]
fn a_server_that_does_not_speak_vencrypt_after_all_is_named() {
    let any = login("ann", "secret", Tls::Preferred);
    let start = b"RFB 003.008\n\x01\x13";
    assert_eq!(ended(&any, &[&start[..], &[0, 1]].concat()), HandshakeError::VencryptVersion);
    assert_eq!(ended(&any, &[&start[..], &[0, 2, 1]].concat()), HandshakeError::VencryptVersion);
    assert_eq!(ended(&any, &[&vencrypt(&[262])[..], &[0]].concat()), HandshakeError::NoTls);
    assert_eq!(
        ended(&any, &vencrypt(&[])).to_string(),
        "the VNC server's VeNCrypt offers only nothing; X509None, X509Vnc or X509Plain is needed, so the server needs a certificate"
    );
    assert!(ended(&any, &vencrypt(&[257, 258, 300])).to_string().contains("only TLSNone (257), TLSVnc (258), 300;"));
    // A later one is answered with ours.
    let later = [&start[..], &[1, 0, 0]].concat();
    assert_eq!(client(&any, &later, 1), (b"RFB 003.008\n\x13\0\x02".to_vec(), vec![], Ok(false)));
}

#[test]
fn what_is_missing_is_said() {
    let wants = |user, password, kinds: &[u32]| ended(&login(user, password, Tls::Preferred), &vencrypt(kinds));
    assert_eq!(wants("", "", &[262]), HandshakeError::UserNeeded);
    assert_eq!(wants("", "secret", &[262]), HandshakeError::UserNeeded);
    assert_eq!(wants("ann", "", &[262]), HandshakeError::PasswordNeeded);
    assert_eq!(wants("", "", &[262, 261]), HandshakeError::PasswordNeeded);
    let apple = |user, password| ended(&login(user, password, Tls::Never), b"RFB 003.889\n\x01\x1e");
    assert_eq!((apple("", "x"), apple("ann", "")), (HandshakeError::UserNeeded, HandshakeError::PasswordNeeded));
    assert_eq!(ended(&login("", "", Tls::Never), b"RFB 003.889\n\x02\x1e\x02"), HandshakeError::PasswordNeeded);
}

#[test]
fn failures_inside_tls_name_what_was_wrong() {
    let refused = |user, password, asked: &[u8]| {
        let server = [&vencrypt(&[260, 261, 262]), &b"\x01"[..], asked, &[0, 0, 0, 1, 0, 0, 0, 2], b"no"].concat();
        ended(&login(user, password, Tls::Preferred), &server)
    };
    assert_eq!(refused("ann", "x", b""), HandshakeError::WrongLogin("no".into()));
    assert_eq!(refused("", "x", &CHALLENGE), HandshakeError::WrongPassword("no".into()));
    assert_eq!(refused("", "", b""), HandshakeError::Refused("no".into()));
}

#[test]
fn the_choice_follows_what_a_person_gave_and_what_is_said_of_tls() {
    let chosen = |user, password, tls, offered: &[u8]| login(user, password, tls).choose(offered).ok();
    let all = [1, 2, 19, 30];
    for (tls, with_all) in
        [(Tls::Never, [1, 2, 30]), (Tls::IfNeeded, [1, 2, 30]), (Tls::Preferred, [19; 3]), (Tls::Required, [19; 3])]
    {
        let logins = [("", ""), ("", "x"), ("ann", "x")];
        assert_eq!(logins.map(|(user, password)| chosen(user, password, tls, &all).unwrap()), with_all, "{tls:?}");
    }
    assert_eq!(chosen("", "", Tls::IfNeeded, &[2, 19]), Some(19));
    assert_eq!(chosen("ann", "x", Tls::Preferred, &[2]), Some(2));
    assert_eq!(chosen("ann", "", Tls::Preferred, &[1, 2, 30]), Some(1));
    assert_eq!(login("", "", Tls::Required).choose(&[1, 2]), Err(HandshakeError::EncryptionNeeded(vec![1, 2])));
}

#[test]
fn another_way_is_pointed_out_only_where_there_is_one_and_before_tls() {
    let begun = |login: Login, offered: &[u8], kinds: &[u32], rest: &[u8]| {
        let mut handshake = ClientHandshake::with_login(login, true);
        let count = u8::try_from(offered.len()).unwrap();
        let server = [&b"RFB 003.008\n"[..], &[count], offered, &vencrypt(kinds)[14..], rest].concat();
        let end = handshake.feed(&server);
        (end.err(), handshake.has_other_way())
    };
    let tls_vnc = HandshakeError::NoCommonVencrypt(vec![258]);
    // TigerVNC's default: TLSVnc and VncAuth.
    assert_eq!(begun(login("", "x", Tls::Preferred), &[19, 2], &[258], &[]), (Some(tls_vnc.clone()), true));
    assert_eq!(begun(login("", "x", Tls::Required), &[19, 2], &[258], &[]), (Some(tls_vnc.clone()), false));
    assert_eq!(begun(login("", "", Tls::Preferred), &[19, 2], &[258], &[]), (Some(HandshakeError::PasswordNeeded), false));
    assert_eq!(begun(login("", "", Tls::Preferred), &[19, 1], &[262], &[]), (Some(HandshakeError::UserNeeded), true));
    assert_eq!(begun(login("", "x", Tls::Preferred), &[19], &[258], &[]), (Some(tls_vnc), false));
    assert_eq!(begun(login("", "x", Tls::Preferred), &[19, 2], &[261], &[0]), (Some(HandshakeError::NoTls), false));
}

#[test]
fn nothing_secret_is_shown() {
    let login = login("ann", "secret", Tls::Preferred);
    let shown = format!("{login:?} {:?}", ClientHandshake::with_login(login.clone(), true));
    assert!(shown.contains("Preferred") && !shown.contains("ann") && !shown.contains("secret"), "{shown}");
}

proptest! {
    #[test]
    fn any_bytes_end_in_an_error_or_a_wait_and_pieces_do_not_matter(
        start in 0..3usize, bytes in prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..400), piece in 1usize..20
    ) {
        let start = [&b"RFB 003.889\n\x01\x1e\0\x02\0\x80"[..], b"RFB 003.008\n\x01\x13\0\x02\0", b"RFB 003.003\n\0\0\0"][start];
        let server = [start, &bytes].concat();
        let login = login("ann", "secret", Tls::Never);
        prop_assert_eq!(client(&login, &server, usize::MAX), client(&login, &server, piece));
        let login = Login { tls: Tls::Preferred, ..login };
        let _ = client(&login, &server, piece);
    }
}
