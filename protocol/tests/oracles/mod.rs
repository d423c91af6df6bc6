//! What must hold for any bytes from outside: called by the fuzz targets (fuzz/) and by the ordinary test run (fuzz_replay.rs).
//! Nothing here may panic, hang or take memory out of proportion; some check more than that.

use bytes::Bytes;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::rfb::{
    ClientDecoder, ClientHandshake, Login, ServerDecoder, ServerHandshake, ServerInit, ServerSecurity, Tls, Version, rect_header,
};
use treevnc_protocol::tiles::TileGrid;
use treevnc_protocol::tree::discovery::Datagram;
use treevnc_protocol::tree::frame::{Accept, FrameDecoder, HEADER_BYTES};
use treevnc_protocol::tree::message::Message;
use treevnc_protocol::update::{self, Content, ENCODING_ZRLE, Picture};
use treevnc_protocol::zrle::{Decoder, StreamDecoder, recode};

/// An oracle, named like its fuzz target.
pub(crate) type Oracle = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const ALL: [Oracle; 8] = [
    ("client_handshake", client_handshake),
    ("client_messages", client_messages),
    ("datagram", datagram),
    ("frames", frames),
    ("server_handshake", server_handshake),
    ("server_messages", server_messages),
    ("updates", updates),
    ("zrle", zrle),
];

fn screen() -> Size {
    Size::new(200, 130).expect("a legal size")
}

/// A link's byte stream: whole and byte by byte give the same messages; a message that was read comes back when written.
pub(crate) fn frames(data: &[u8]) {
    let cut = |step: usize| {
        let mut decoder = FrameDecoder::new(Accept::Everything);
        let mut found = Vec::new();
        for piece in data.chunks(step) {
            let mut rest = piece;
            while !rest.is_empty() {
                match decoder.feed(rest) {
                    Ok((taken, frame)) => {
                        rest = &rest[taken..];
                        found.extend(frame);
                    }
                    Err(_) => return found,
                }
            }
        }
        found
    };
    let frames = cut(data.len().max(1));
    assert_eq!(frames, cut(1));
    for frame in frames {
        if let Ok(message) = Message::decode(frame.kind, &frame.body) {
            let again = message.encode();
            assert_eq!(Message::decode(frame.kind, &again[HEADER_BYTES..]).as_ref(), Ok(&message));
        }
    }
}

/// A discovery datagram.
pub(crate) fn datagram(data: &[u8]) {
    if let Ok(datagram) = Datagram::decode(data) {
        assert_eq!(Datagram::decode(&datagram.encode()).as_ref(), Ok(&datagram));
    }
}

/// A FRAMEBUFFER_UPDATE body: what passes the check paints only inside the screen.
pub(crate) fn updates(data: &[u8]) {
    let Ok((update, until)) = update::decode(Bytes::copy_from_slice(data)) else { return };
    let mut again = update::encode_header(&update, until);
    if let Content::Picture(picture) = &update.content {
        again.extend_from_slice(picture.rects());
        if picture.tiles(TileGrid::new(screen())).is_ok() {
            assert!(picture.iter().all(|(rect, _)| rect.is_within(screen())));
            let _ = Decoder::new().decode(picture, &mut Framebuffer::new(screen()));
        }
    }
    assert_eq!(&again[..], data);
}

/// Compressed tiles: alone, as a stream, and recoded. When the picture decodes, its RGB form does too.
pub(crate) fn zrle(data: &[u8]) {
    let rect = Rect::new(64, 0, 136, 64);
    let mut bytes = rect_header(rect, ENCODING_ZRLE).to_vec();
    bytes.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(data);
    let picture = Picture::new(1, bytes.into());
    let mut fb = Framebuffer::new(screen());
    let rgb = PixelFormat { red_shift: 0, blue_shift: 16, ..PixelFormat::NATIVE };
    let decoded = Decoder::new().decode(&picture, &mut fb);
    let recoded = recode(&picture, screen(), &rgb);
    assert_eq!(decoded.is_ok(), recoded.is_ok(), "{decoded:?} but recoded {:?}", recoded.as_ref().err());
    assert!(fb.pixels().iter().all(|pixel| pixel >> 24 == 0));
    let mut stream = StreamDecoder::new();
    for format in [PixelFormat::NATIVE, rgb] {
        let _ = stream.decode_rect(rect, data, &format, &mut fb);
    }
    let mut stream = StreamDecoder::new();
    let with_header = [&[0x78, 0x01], data].concat();
    assert!(decoded.is_err() || stream.decode_rect(rect, &with_header, &PixelFormat::NATIVE, &mut fb).is_ok());
}

/// What a viewer sends after the handshake.
pub(crate) fn client_messages(data: &[u8]) {
    let mut decoder = ClientDecoder::new();
    let mut rest = data;
    while !rest.is_empty() {
        match decoder.feed(rest) {
            Ok((0, None)) | Err(_) => return,
            Ok((taken, message)) => {
                rest = &rest[taken..];
                if let Some(message) = message {
                    let _ = message.encode();
                }
            }
        }
    }
}

/// What a presenter's server sends after the handshake, in the pixel format that the first byte chooses: whole and in pieces come
/// to the same, and no pixel has an upper byte. Sizes are kept small here, their limits have tests of their own.
pub(crate) fn server_messages(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else { return };
    let native = PixelFormat::NATIVE;
    let small = PixelFormat {
        bits_per_pixel: 16,
        depth: 15,
        red_max: 31,
        green_max: 31,
        blue_max: 31,
        red_shift: 10,
        green_shift: 5,
        ..native
    };
    let format =
        [native, small, PixelFormat { bits_per_pixel: 8, depth: 8, true_colour: false, ..native }][usize::from(choice % 3)];
    let decode = |piece: usize| {
        let mut decoder = ServerDecoder::new(screen(), format);
        let mut fb = Framebuffer::new(screen());
        let mut events = Vec::new();
        for piece in data.chunks(piece) {
            let mut rest = piece;
            loop {
                match decoder.feed(rest, &mut fb) {
                    Ok((taken, event)) => {
                        rest = &rest[taken..];
                        let Some(event) = event else { break };
                        events.push(event);
                    }
                    Err(error) => return (fb, events, Some(error)),
                }
                if decoder.size().area() > 1 << 16 {
                    return (fb, events, None);
                }
            }
        }
        (fb, events, None)
    };
    let whole = decode(data.len().max(1));
    assert!(whole.0.pixels().iter().all(|pixel| pixel >> 24 == 0));
    let pieces = decode(1 + usize::from(choice / 3 % 16));
    assert_eq!((&whole.1, &whole.2), (&pieces.1, &pieces.2));
    assert!(whole.2.is_some() || whole.0 == pieces.0);
}

/// What a presenter's server sends in the handshake, to a client with a password and to one that also has a user's name and TLS (which
/// here changes nothing of the bytes).
pub(crate) fn client_handshake(data: &[u8]) {
    let (user, password) = (Some("ann".to_owned()), Some("secret".to_owned()));
    let login = |tls| Login { user: user.clone(), password: password.clone(), tls, random: [7; 32] };
    let logins = [Tls::Never, Tls::Preferred].map(login).map(|login| ClientHandshake::with_login(login, true));
    for mut handshake in [ClientHandshake::new(Some("secret"), true)].into_iter().chain(logins) {
        // In pieces, since nothing may come in the clear behind the byte after which TLS begins.
        for piece in data.chunks(1) {
            if handshake.feed(piece).is_err() || handshake.finished().is_some() {
                break;
            }
            let _ = handshake.take_output();
            handshake.tls_is_up();
        }
    }
}

/// What a viewer sends in the handshake, for each version.
pub(crate) fn server_handshake(data: &[u8]) {
    for version in [Version::V3_3, Version::V3_7, Version::V3_8] {
        let init = ServerInit { size: screen(), format: PixelFormat::NATIVE, name: "test".into() };
        let mut handshake = ServerHandshake::new(version, ServerSecurity::None, init);
        let mut rest = data;
        while !rest.is_empty() && handshake.finished().is_none() {
            match handshake.feed(rest) {
                Ok(0) | Err(_) => break,
                Ok(taken) => rest = &rest[taken..],
            }
            let _ = handshake.take_output();
        }
    }
}
