//! A client's messages: bytes as RFC 6143 section 7.5 draws them, round trip, in pieces, too long and at random.

use super::*;
use proptest::prelude::*;

/// All messages in the stream, in pieces of that size, and the error that ended it.
fn decode(stream: &[u8], piece: usize) -> (Vec<ClientMessage>, Option<ClientMessageError>) {
    let mut decoder = ClientDecoder::new();
    let mut messages = Vec::new();
    for piece in stream.chunks(piece) {
        let mut rest = piece;
        while !rest.is_empty() {
            match decoder.feed(rest) {
                Ok((taken, message)) => {
                    assert!(taken > 0 && (message.is_some() || taken == rest.len()));
                    rest = &rest[taken..];
                    messages.extend(message);
                }
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}

fn every_message() -> Vec<(ClientMessage, Vec<u8>)> {
    let area = ScreenArea { id: 7, rect: Rect::new(1, 2, 300, 4), flags: 5 };
    let format = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
    vec![
        (ClientMessage::SetPixelFormat(PixelFormat::NATIVE), [&[0, 0, 0, 0][..], &format].concat()),
        (ClientMessage::SetEncodings(vec![16, -223, 0]), vec![2, 0, 0, 3, 0, 0, 0, 16, 255, 255, 255, 33, 0, 0, 0, 0]),
        (ClientMessage::SetEncodings(vec![]), vec![2, 0, 0, 0]),
        (
            ClientMessage::FramebufferUpdateRequest { incremental: true, rect: Rect::new(1, 258, 3, 65535) },
            vec![3, 1, 0, 1, 1, 2, 0, 3, 255, 255],
        ),
        (ClientMessage::KeyEvent { down: true, key: 0xff0d }, vec![4, 1, 0, 0, 0, 0, 0xff, 0x0d]),
        (ClientMessage::PointerEvent { buttons: 5, x: 258, y: 3 }, vec![5, 5, 1, 2, 0, 3]),
        (ClientMessage::CutText(b"hi".to_vec()), vec![6, 0, 0, 0, 0, 0, 0, 2, b'h', b'i']),
        (ClientMessage::CutText(vec![]), vec![6, 0, 0, 0, 0, 0, 0, 0]),
        (
            ClientMessage::SetDesktopSize { width: 1024, height: 768, areas: vec![area] },
            vec![251, 0, 4, 0, 3, 0, 1, 0, 0, 0, 0, 7, 0, 1, 0, 2, 1, 44, 0, 4, 0, 0, 0, 5],
        ),
    ]
}

#[test]
fn every_message_has_its_bytes_in_both_directions_and_in_any_pieces() {
    let (messages, bytes): (Vec<_>, Vec<_>) = every_message().into_iter().unzip();
    for (message, bytes) in messages.iter().zip(&bytes) {
        assert_eq!(&message.encode(), bytes);
    }
    let stream = bytes.concat();
    for piece in 1..=stream.len() {
        assert_eq!(decode(&stream, piece), (messages.clone(), None), "in pieces of {piece}");
    }
}

#[test]
fn a_message_cut_short_is_waited_for() {
    for (_, bytes) in every_message() {
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut], 64), (vec![], None));
        }
    }
}

#[test]
fn long_and_extended_cut_text_is_skipped_by_its_length() {
    let bell = ClientMessage::PointerEvent { buttons: 0, x: 1, y: 2 };
    let long = u32::try_from(MAX_CUT_TEXT_BYTES + 1).unwrap();
    for length in [long, 3u32.wrapping_neg()] {
        let count = length.cast_signed().unsigned_abs() as usize;
        let stream = [&[6, 0, 0, 0][..], &length.to_be_bytes(), &vec![9; count], &bell.encode()].concat();
        assert_eq!(decode(&stream, 1000), (vec![bell.clone()], None));
    }
    let longest = ClientMessage::CutText(vec![b'x'; MAX_CUT_TEXT_BYTES]);
    assert_eq!(decode(&longest.encode(), 1000), (vec![longest], None));
}

#[test]
fn what_was_not_offered_is_refused_by_name() {
    assert_eq!(decode(&[255, 0], 64).1, Some(ClientMessageError::UnknownType(255)));
    assert_eq!(decode(&[1], 64).1, Some(ClientMessageError::UnknownType(1)));
    assert_eq!(decode(&[2, 0, 255, 255], 64).1, Some(ClientMessageError::TooManyEncodings(65535)));
    let mut format = ClientMessage::SetPixelFormat(PixelFormat::NATIVE).encode();
    format[4] = 24;
    assert_eq!(decode(&format, 64).1, Some(PixelFormatError::BitsPerPixel(24).into()));
}

#[test]
fn what_is_too_long_to_say_is_cut_and_stays_a_message() {
    let many = ClientMessage::SetEncodings(vec![0; 70_000]).encode();
    assert_eq!(many.len(), 4 + 65_535 * 4);
    let text = ClientMessage::CutText(vec![b'x'; MAX_CUT_TEXT_BYTES + 9]).encode();
    assert_eq!(decode(&text, 64).0, [ClientMessage::CutText(vec![b'x'; MAX_CUT_TEXT_BYTES])]);
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_come_to_the_same(
        bytes in prop::collection::vec(prop_oneof![0u8..8, Just(251u8), any::<u8>()], 0..200), piece in 1usize..30
    ) {
        prop_assert_eq!(decode(&bytes, piece), decode(&bytes, usize::MAX));
    }

    #[test]
    fn flipped_bits_in_good_messages_never_panic(bit in 0usize..8 * 95) {
        let mut stream: Vec<u8> = every_message().into_iter().flat_map(|(_, bytes)| bytes).collect();
        let at = bit / 8 % stream.len();
        stream[at] ^= 1 << (bit % 8);
        prop_assert_eq!(decode(&stream, 1), decode(&stream, usize::MAX));
    }
}
