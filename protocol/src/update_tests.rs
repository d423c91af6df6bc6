use super::*;

fn rect_bytes(rect: Rect, encoding: i32, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in [rect.x, rect.y, rect.width, rect.height] {
        out.put_u16(field);
    }
    out.put_i32(encoding);
    out.put_u32(u32::try_from(data.len()).unwrap());
    out.put_slice(data);
    out
}

fn picture(rects: &[(Rect, i32)]) -> Picture {
    let bytes: Vec<u8> = rects.iter().flat_map(|&(rect, encoding)| rect_bytes(rect, encoding, b"xyz")).collect();
    Picture::new(u16::try_from(rects.len()).unwrap(), bytes.into())
}

fn body(update: &Update, until: Seq) -> Bytes {
    let mut out = encode_header(update, until);
    if let Content::Picture(picture) = &update.content {
        out.put_slice(picture.rects());
    }
    out.freeze()
}

fn samples() -> Vec<Update> {
    let sent = Duration::from_micros(0x0102_0304);
    let rects = picture(&[(Rect::new(0, 0, 64, 64), 16), (Rect::new(64, 0, 36, 50), 16)]);
    let screen = Screen { size: Size::new(100, 50).unwrap(), name: "Übung".into() };
    vec![
        Update { seq: Seq(7), sent, check: true, content: Content::Picture(rects) },
        Update { seq: Seq(8), sent, check: false, content: Content::Screen(screen) },
    ]
}

#[test]
fn the_header_has_the_documented_bytes() {
    let update = &samples()[1];
    let expected = b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x09\0\0\0\0\x01\x02\x03\x04\x01\0\0\0\x64\0\x32\xc3\x9cbung";
    assert_eq!(&body(update, Seq(9))[..], expected);
}

#[test]
fn updates_come_back_as_they_were_sent() {
    for update in samples() {
        assert_eq!(decode(body(&update, Seq(99))).unwrap(), (update, Seq(99)));
    }
}

#[test]
fn no_truncation_or_flipped_bit_panics() {
    let grid = TileGrid::new(Size::new(100, 50).unwrap());
    for update in samples() {
        let whole = body(&update, Seq(99));
        let try_all = |bytes: Bytes| {
            if let Ok((Update { content: Content::Picture(picture), .. }, _)) = decode(bytes) {
                let _ = picture.tiles(grid);
                let _ = picture.iter().count();
            }
        };
        for end in 0..whole.len() {
            try_all(whole.slice(..end));
        }
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            try_all(flipped.into());
        }
    }
}

#[test]
fn every_kind_of_bad_rectangle_is_named() {
    let grid = TileGrid::new(Size::new(100, 100).unwrap());
    let tile = Rect::new(0, 0, 64, 64);
    let check = |rects: &[(Rect, i32)]| picture(rects).tiles(grid).unwrap_err();
    assert_eq!(check(&[]), UpdateError::NoRectangle);
    assert_eq!(check(&[(tile, 0)]), UpdateError::Encoding(0));
    assert_eq!(check(&[(tile, 16), (tile, 16)]), UpdateError::PaintedTwice(tile));
    let outside = Rect::new(64, 0, 64, 64);
    assert_eq!(check(&[(outside, 16)]), UpdateError::NotAligned(outside, grid.size()));
    let mut trailing = rect_bytes(tile, 16, b"");
    trailing.push(0);
    assert_eq!(Picture::new(1, trailing.into()).tiles(grid), Err(UpdateError::Trailing(1)));
    let mut long = rect_bytes(tile, 16, b"");
    long[12] = 0xff;
    assert_eq!(Picture::new(1, long.into()).tiles(grid), Err(UpdateError::Truncated));
}

#[test]
fn a_screen_of_16k_by_16k_is_refused_with_the_limit() {
    let mut bytes = body(&samples()[1], Seq(1)).to_vec();
    bytes[27..31].copy_from_slice(&[0x40, 0, 0x40, 0]);
    let error = decode(bytes.into()).unwrap_err();
    assert!(error.to_string().contains("33554432"), "{error}");
}
