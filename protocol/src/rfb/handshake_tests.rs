//! Both sides of the handshake: bytes as RFC 6143 section 7.1 draws them, against each other, in pieces, cut short and at random.

use super::super::security::{self, vnc_auth_answer};
use super::super::version::Version;
use super::client::ClientHandshake;
use super::server::{ServerHandshake, ServerSecurity, refusal};
use super::*;
use proptest::prelude::*;

const VERSIONS: [Version; 3] = [Version::V3_3, Version::V3_7, Version::V3_8];
const CHALLENGE: [u8; 16] = *b"0123456789abcdef";

fn screen() -> ServerInit {
    ServerInit { size: Size::new(800, 600).unwrap(), format: PixelFormat::NATIVE, name: "desk: α".into() }
}

/// ServerInit as section 7.3.2 draws it.
fn screen_bytes() -> Vec<u8> {
    let mut bytes = vec![3, 32, 2, 88, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 8];
    bytes.extend("desk: α".as_bytes());
    bytes
}

/// What the client sends in all, and how it ends, when the server sends these bytes in pieces.
fn client(password: Option<&str>, server: &[u8], piece: usize) -> (Vec<u8>, Result<Option<ServerInit>, HandshakeError>) {
    let mut handshake = ClientHandshake::new(password, true);
    let mut sent = Vec::new();
    for piece in server.chunks(piece) {
        let taken = handshake.feed(piece);
        sent.extend(handshake.take_output().unwrap_or_default());
        match taken {
            Ok(taken) => assert!(taken == piece.len() || handshake.finished().is_some()),
            Err(error) => return (sent, Err(error)),
        }
    }
    (sent, Ok(handshake.finished().cloned()))
}

/// As [`client`], having made sure that the pieces' size changes nothing.
fn client_in_any_pieces(password: Option<&str>, server: &[u8]) -> (Vec<u8>, Result<Option<ServerInit>, HandshakeError>) {
    let whole = client(password, server, usize::MAX);
    for piece in [1, 2, 3, 7] {
        assert_eq!(client(password, server, piece), whole, "in pieces of {piece}");
    }
    whole
}

#[test]
fn the_password_is_applied_as_the_tool_vncpasswd_does() {
    // vncpasswd scrambles "password" under a key that everybody knows, to db d8 3c fd 72 7a 14 58.
    let answer = vnc_auth_answer(&[23, 82, 107, 6, 35, 78, 88, 7], b"passwordpassword");
    assert_eq!(answer, [0xdb, 0xd8, 0x3c, 0xfd, 0x72, 0x7a, 0x14, 0x58, 0xdb, 0xd8, 0x3c, 0xfd, 0x72, 0x7a, 0x14, 0x58]);
    assert_eq!(vnc_auth_answer(b"12345678", &CHALLENGE), vnc_auth_answer(b"123456789", &CHALLENGE));
    assert_ne!(vnc_auth_answer(b"1234567", &CHALLENGE), vnc_auth_answer(b"12345678", &CHALLENGE));
}

#[test]
fn a_server_without_security_lets_the_client_in_at_every_version() {
    let (init, screen) = (screen_bytes(), Ok(Some(screen())));
    let v33 = [&b"RFB 003.003\n\0\0\0\x01"[..], &init].concat();
    assert_eq!(client_in_any_pieces(None, &v33), (b"RFB 003.003\n\x01".to_vec(), screen.clone()));
    let v37 = [&b"RFB 003.007\n\x02\x02\x01"[..], &init].concat();
    assert_eq!(client_in_any_pieces(None, &v37), (b"RFB 003.007\n\x01\x01".to_vec(), screen.clone()));
    let v38 = [&b"RFB 003.008\n\x02\x01\x02\0\0\0\0"[..], &init].concat();
    assert_eq!(client_in_any_pieces(None, &v38), (b"RFB 003.008\n\x01\x01".to_vec(), screen.clone()));
    let apple = [&b"RFB 003.889\n\x04\x1e\x21\x24\x01\0\0\0\0"[..], &init].concat();
    assert_eq!(client_in_any_pieces(None, &apple), (b"RFB 003.008\n\x01\x01".to_vec(), screen));
}

#[test]
fn a_password_is_answered_at_every_version() {
    let answer = vnc_auth_answer(b"secret", &CHALLENGE);
    for (version, offer, choice) in
        [(Version::V3_3, &[0, 0, 0, 2][..], &[][..]), (Version::V3_7, &[2, 1, 2], &[2]), (Version::V3_8, &[3, 30, 1, 2], &[2])]
    {
        let hello = version.encode();
        let server = [hello, offer, &CHALLENGE, &[0; 4], &screen_bytes()].concat();
        let (sent, ended) = client_in_any_pieces(Some("secret"), &server);
        assert_eq!((sent, ended), ([hello, choice, &answer, &[1]].concat(), Ok(Some(screen()))));
    }
}

#[test]
fn failures_say_what_the_server_said_and_what_to_do() {
    let error = |password, server: &[u8]| client_in_any_pieces(password, server).1.unwrap_err();
    let busy = error(None, b"RFB 003.008\n\0\0\0\0\x09too many\x07");
    assert_eq!(busy, HandshakeError::Refused("too many".into()));
    assert_eq!(error(None, b"RFB 003.003\n\0\0\0\0\0\0\0\x02no"), HandshakeError::Refused("no".into()));
    assert_eq!(error(None, b"RFB 003.008\n\x01\x02"), HandshakeError::PasswordNeeded);
    assert_eq!(error(None, b"RFB 003.003\n\0\0\0\x02"), HandshakeError::PasswordNeeded);
    let foreign = error(Some("x"), b"RFB 003.889\n\x03\x10\x24\x13");
    assert_eq!(foreign, HandshakeError::NoCommonSecurity(vec![16, 36, 19]));
    assert!(foreign.to_string().contains("offers only the security types Tight (16), 36, VeNCrypt (19);"), "{foreign}");
    assert_eq!(error(Some("x"), b"RFB 003.889\n\x03\x1e\x24\x13"), HandshakeError::UserNeeded);
    assert_eq!(error(None, b"RFB 003.003\n\0\0\x01\0"), HandshakeError::SecurityType(256));
    let wrong = [&b"RFB 003.008\n\x01\x02"[..], &CHALLENGE, b"\0\0\0\x01\0\0\0\x04nope"].concat();
    assert_eq!(error(Some("x"), &wrong), HandshakeError::WrongPassword("nope".into()));
    let wrong = [&b"RFB 003.007\n\x01\x02"[..], &CHALLENGE, b"\0\0\0\x01"].concat();
    assert_eq!(error(Some("x"), &wrong), HandshakeError::WrongPassword("no reason given".into()));
    assert_eq!(error(None, b"RFB 003.008\n\x01\x01\0\0\0\x02\0\0\0\0"), HandshakeError::Refused("no reason given".into()));
    assert_eq!(error(None, b"HTTP/1.1 400 Bad"), HandshakeError::NotRfb("HTTP/1.1 400".into()));
}

#[test]
fn lengths_beyond_their_limits_are_not_waited_for() {
    let mut endless = b"RFB 003.008\n\0\xff\xff\xff\xff".to_vec();
    endless.extend([b'x'; MAX_REASON_BYTES]);
    assert_eq!(client(None, &endless, 64).1, Err(HandshakeError::Refused("x".repeat(MAX_REASON_BYTES))));

    let mut named = b"RFB 003.008\n\x01\x01\0\0\0\0".to_vec();
    named.extend(&screen_bytes()[..20]);
    let with_name = |length: u32, name: &[u8]| [&named[..], &length.to_be_bytes(), name].concat();
    assert_eq!(client(None, &with_name(1 << 20 | 1, b""), 64).1, Err(HandshakeError::NameTooLong(1 << 20 | 1)));
    let long = client(None, &with_name(1000, "ä".repeat(500).as_bytes()), 64).1.unwrap().unwrap();
    assert_eq!((long.name.len(), long.name.chars().all(|c| c == 'ä')), (MAX_NAME_BYTES, true));
}

#[test]
fn screens_and_formats_beyond_the_limits_are_refused() {
    let start = b"RFB 003.008\n\x01\x01\0\0\0\0";
    let with = |at: usize, byte: u8| {
        let mut init = screen_bytes();
        init[at] = byte;
        client(None, &[&start[..], &init].concat(), 64).1.unwrap_err()
    };
    assert!(matches!(with(0, 0xff), HandshakeError::ScreenSize(_)));
    assert_eq!(with(4, 24), HandshakeError::PixelFormat(PixelFormatError::BitsPerPixel(24)));
}

#[test]
fn bytes_behind_the_handshake_are_left() {
    let server = [&b"RFB 003.008\n\x01\x01\0\0\0\0"[..], &screen_bytes(), b"more"].concat();
    let mut handshake = ClientHandshake::new(None, true);
    assert_eq!(handshake.feed(&server), Ok(server.len() - 4));
    assert_eq!(handshake.feed(b"more"), Ok(0));
}

/// Lets a client talk to our server's side; what the server says of the viewer.
fn session(version: Version, security: ServerSecurity, password: Option<&str>) -> (ClientHandshake, ServerHandshake) {
    let mut client = ClientHandshake::new(password, false);
    client.feed(version.encode()).unwrap();
    assert_eq!(client.take_output().unwrap(), version.encode());
    let mut server = ServerHandshake::new(version, security, screen());
    while let Some(bytes) = server.take_output() {
        let _ = client.feed(&bytes);
        let _ = client.take_output().map(|bytes| server.feed(&bytes));
    }
    (client, server)
}

#[test]
fn our_server_and_our_client_understand_each_other() {
    for version in VERSIONS {
        for password in [None, Some("secret")] {
            let challenge = CHALLENGE;
            let security = password
                .map_or(ServerSecurity::None, |password| ServerSecurity::VncAuth { password: password.into(), challenge });
            let (client, server) = session(version, security, password);
            assert_eq!((client.finished(), server.finished()), (Some(&screen()), Some(false)), "{version:?} {password:?}");
        }
    }
}

#[test]
fn a_viewer_with_the_wrong_password_is_told_so() {
    for version in VERSIONS {
        let mut server =
            ServerHandshake::new(version, ServerSecurity::VncAuth { password: "right".into(), challenge: CHALLENGE }, screen());
        let choice: &[u8] = if version == Version::V3_3 { &[] } else { &[security::VNC_AUTH] };
        server.feed(choice).unwrap();
        server.take_output();
        assert_eq!(server.feed(&vnc_auth_answer(b"wrong", &CHALLENGE)), Err(HandshakeError::ViewerPassword));
        let reason: &[u8] = if version == Version::V3_8 { b"\0\0\0\x0ewrong password" } else { b"" };
        assert_eq!(server.take_output().unwrap(), [&[0, 0, 0, 1], reason].concat());
        assert_eq!(server.finished(), None);
    }
    let mut server = ServerHandshake::new(Version::V3_7, ServerSecurity::None, screen());
    assert_eq!(server.feed(&[security::VNC_AUTH, 1, 1]), Err(HandshakeError::NotOffered(2)));
}

#[test]
fn a_refusal_reaches_the_viewer_at_every_version() {
    for version in VERSIONS {
        let server = [version.encode().to_vec(), refusal(version, "no screen is shown yet")].concat();
        assert_eq!(client(None, &server, 5).1, Err(HandshakeError::Refused("no screen is shown yet".into())));
    }
}

#[test]
fn a_server_that_closes_instead_of_a_reason_has_refused() {
    let mut handshake = ClientHandshake::new(Some("x"), true);
    handshake.feed(&[&b"RFB 003.008\n\x01\x02"[..], &CHALLENGE, &[0, 0, 0, 1]].concat()).unwrap();
    assert_eq!(handshake.ended(), HandshakeError::WrongPassword("no reason given".into()));
    let mut handshake = ClientHandshake::new(None, true);
    handshake.feed(b"RFB 003.008\n\0\0\0\0\x09too").unwrap();
    assert_eq!(handshake.ended(), HandshakeError::Refused("no reason given".into()));
}

#[test]
fn passwords_are_never_shown() {
    let security = ServerSecurity::VncAuth { password: "secret".into(), challenge: CHALLENGE };
    let server = ServerHandshake::new(Version::V3_8, security, screen());
    let shown = format!("{server:?} {:?}", ClientHandshake::new(Some("secret"), true));
    assert!(shown.contains("VncAuth") && !shown.contains("secret"), "{shown}");
}

#[test]
fn a_server_that_ends_early_is_named_with_what_was_awaited() {
    let whole = [&b"RFB 003.008\n\x01\x02"[..], &CHALLENGE, &[0; 4], &screen_bytes()].concat();
    for cut in 0..whole.len() {
        let mut handshake = ClientHandshake::new(Some("x"), true);
        assert_eq!(handshake.feed(&whole[..cut]), Ok(cut));
        assert_eq!(handshake.finished(), None);
        let awaited = match cut {
            0..12 => "the server's version",
            12..14 => "the security types",
            14..30 => "the password's challenge",
            30..34 => "the security result",
            _ => "the screen's description",
        };
        assert_eq!(handshake.ended(), HandshakeError::Ended(awaited));
    }
}

proptest! {
    #[test]
    fn any_bytes_end_in_an_error_or_a_wait_and_pieces_do_not_matter(
        version in 0..3usize, bytes in prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..120), piece in 1usize..20
    ) {
        let server = [VERSIONS[version].encode(), &bytes[..]].concat();
        prop_assert_eq!(client(Some("x"), &server, usize::MAX), client(Some("x"), &server, piece));
        for security in [ServerSecurity::None, ServerSecurity::VncAuth { password: "x".into(), challenge: CHALLENGE }] {
            let mut handshake = ServerHandshake::new(VERSIONS[version], security, screen());
            if let Ok(taken) = handshake.feed(&bytes) {
                prop_assert!(taken == bytes.len() || handshake.finished().is_some());
            }
        }
    }
}
