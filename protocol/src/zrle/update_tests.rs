use super::test_pictures::{Content, Random, motley, paint, uniform};
use super::tile_tests::formats;
use super::{Decoder, Encoder, StreamDecoder, ZrleError, bands, primer, recode};
use crate::framebuffer::Framebuffer;
use crate::geometry::{Rect, Size};
use crate::pixel::{Form, PixelFormat};
use crate::tiles::{TileGrid, TileSet};
use crate::update::{MAX_RECTS_BYTES, Picture, RECT_HEADER_BYTES};
use bytes::Bytes;
use proptest::prelude::*;

fn all(fb: &Framebuffer) -> TileSet {
    TileSet::full(TileGrid::new(fb.size()))
}

fn encoded(encoder: &mut Encoder, fb: &Framebuffer, tiles: &TileSet) -> Vec<Picture> {
    let mut pictures = Vec::new();
    encoder.encode(fb, tiles, &mut |picture| pictures.push(picture));
    pictures
}

/// Checks what holds for every update, and that together they paint exactly `tiles`.
fn check_updates(pictures: &[Picture], tiles: &TileSet) {
    let mut painted = TileSet::new(tiles.grid());
    for picture in pictures {
        assert!(picture.count() > 0 && picture.rects().len() <= MAX_RECTS_BYTES, "{} bytes", picture.rects().len());
        for tile in picture.tiles(tiles.grid()).unwrap().iter() {
            assert!(painted.insert(tile));
        }
    }
    assert_eq!(&painted, tiles);
}

fn some_tiles(grid: TileGrid, seed: u64, chance: u32) -> TileSet {
    let (mut tiles, mut random) = (TileSet::new(grid), Random::new(seed));
    tiles.extend((0..grid.tile_count()).filter(|_| random.below(256) < chance));
    tiles
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn any_tiles_of_any_picture_are_decoded_to_the_same_pixels(width in 1u16..700, height in 1u16..500, seed: u64, chance in 1u32..300) {
        let fb = motley(width, height, seed);
        let tiles = some_tiles(TileGrid::new(fb.size()), seed, chance);
        let pictures = encoded(&mut Encoder::new(), &fb, &tiles);
        check_updates(&pictures, &tiles);
        let mut expected = motley(width, height, seed ^ 1);
        let mut found = expected.clone();
        tiles.iter().for_each(|tile| expected.copy_rect_from(&fb, tiles.grid().tile(tile)));
        // The order is free: updates know nothing of each other.
        let mut decoder = Decoder::new();
        for picture in pictures.iter().rev() {
            decoder.decode(picture, &mut found).unwrap();
        }
        prop_assert!(found == expected);
    }
}

#[test]
fn noise_never_makes_an_update_too_large_even_after_content_that_compresses_well() {
    let mut encoder = Encoder::new();
    for content in
        [Content::Solid, Content::Noise, Content::Colours(2, 3), Content::Noise, Content::Colours(16, 256), Content::Gradient]
    {
        let fb = uniform(1000, 700, content);
        let pictures = encoded(&mut encoder, &fb, &all(&fb));
        check_updates(&pictures, &all(&fb));
        let total: usize = pictures.iter().map(|picture| picture.rects().len()).sum();
        assert!(total <= 1000 * 700 * 3 * 101 / 100, "{content:?}: {total} bytes");
    }
}

#[test]
fn a_solid_screen_is_one_rectangle() {
    let fb = uniform(1920, 1080, Content::Solid);
    let pictures = encoded(&mut Encoder::new(), &fb, &all(&fb));
    assert_eq!(pictures.len(), 1);
    assert_eq!(pictures[0].iter().map(|(rect, _)| rect).collect::<Vec<_>>(), [Rect::new(0, 0, 1920, 1080)]);
    assert!(pictures[0].rects().len() < 150, "{}", pictures[0].rects().len());
}

#[test]
fn a_small_change_is_a_small_update_and_the_smallest_is_stored() {
    let mut fb = uniform(640, 480, Content::Solid);
    let one = |fb: &Framebuffer, tile| {
        let mut tiles = TileSet::new(TileGrid::new(fb.size()));
        tiles.insert(tile);
        let mut pictures = encoded(&mut Encoder::new(), fb, &tiles);
        assert_eq!((pictures.len(), pictures[0].count()), (1, 1));
        pictures.remove(0).rects().to_vec()
    };
    let solid = one(&fb, 11);
    assert_eq!(solid.len(), RECT_HEADER_BYTES + 5 + 4);
    assert_eq!(solid[RECT_HEADER_BYTES..][..6], [0, 4, 0, 0xfb, 0xff, 1]);
    paint(&mut fb, Rect::new(70, 70, 16, 16), Content::Colours(6, 128), &mut Random::new(5));
    assert!((100..500).contains(&one(&fb, 11).len()));
}

#[test]
fn content_of_medium_size_is_cut_near_the_aim_in_few_rectangles() {
    let fb = uniform(1920, 1080, Content::Colours(4, 80));
    let pictures = encoded(&mut Encoder::new(), &fb, &all(&fb));
    check_updates(&pictures, &all(&fb));
    let total: usize = pictures.iter().map(|picture| picture.rects().len()).sum();
    let (ideal, rects) = (total.div_ceil(32 * 1024), pictures.iter().map(|picture| usize::from(picture.count())).sum::<usize>());
    assert!((ideal * 2 / 3..ideal * 3 / 2 + 2).contains(&pictures.len()), "{} updates for {total} bytes", pictures.len());
    assert!(rects <= 3 * pictures.len(), "{rects} rectangles in {} updates", pictures.len());
}

#[test]
fn every_rectangle_ends_at_a_byte_boundary_and_none_ends_the_stream() {
    let fb = motley(900, 600, 3);
    for picture in encoded(&mut Encoder::new(), &fb, &some_tiles(TileGrid::new(fb.size()), 4, 128)) {
        let mut decompress = flate2::Decompress::new(false);
        for (_, data) in picture.iter() {
            let mut out = Vec::with_capacity(1 << 21);
            let before = decompress.total_in();
            let status = decompress.decompress_vec(&data, &mut out, flate2::FlushDecompress::Sync).unwrap();
            assert_eq!((status, decompress.total_in() - before), (flate2::Status::Ok, data.len() as u64));
            let stored = data[0] & 0x06 == 0 && data.len() >= 5;
            assert!(data.ends_with(&[0, 0, 0xff, 0xff]) || stored);
        }
    }
}

/// What an ordinary viewer does: one stream, from the primer on.
fn view(updates: &[Picture], format: &PixelFormat, fb: &mut Framebuffer) {
    let primer = primer(format);
    let mut stream = StreamDecoder::new();
    assert_eq!(primer[..12], [0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 16]);
    assert_eq!(u32::from_be_bytes(primer[12..16].try_into().unwrap()) as usize, primer.len() - RECT_HEADER_BYTES);
    stream.decode_rect(Rect::new(0, 0, 1, 1), &primer[RECT_HEADER_BYTES..], format, fb).unwrap();
    for picture in updates {
        for (rect, data) in picture.iter() {
            stream.decode_rect(rect, &data, format, fb).unwrap();
        }
    }
}

#[test]
fn updates_behind_the_primer_are_one_stream_from_any_of_them_on() {
    let mut encoder = Encoder::new();
    let mut updates = Vec::new();
    let size = Size::new(500, 300).unwrap();
    let grid = TileGrid::new(size);
    for seed in 0..12 {
        let chance = if seed % 3 == 0 { 10 } else { 140 };
        updates.extend(encoded(&mut encoder, &motley(500, 300, seed), &some_tiles(grid, seed, chance)));
    }
    updates.extend(encoded(&mut encoder, &motley(500, 300, 99), &TileSet::full(grid)));
    assert!(updates.len() > 20);
    for first in 0..updates.len() {
        let (mut alone, mut viewed) = (Framebuffer::new(size), Framebuffer::new(size));
        let mut decoder = Decoder::new();
        updates[first..].iter().for_each(|picture| decoder.decode(picture, &mut alone).unwrap());
        view(&updates[first..], &PixelFormat::NATIVE, &mut viewed);
        assert!(alone == viewed, "from update {first} on");
    }
}

#[test]
fn the_primer_is_the_eleven_bytes_that_were_tried_with_real_viewers() {
    let expected = [0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 16, 0, 0, 0, 11, 0x78, 1, 0, 4, 0, 0xfb, 0xff, 1, 0, 0, 0];
    assert_eq!(primer(&PixelFormat::NATIVE), expected);
}

#[test]
fn recoded_updates_show_the_same_picture_in_every_format() {
    let fb = motley(400, 300, 11);
    let updates = encoded(&mut Encoder::new(), &fb, &all(&fb));
    for format in formats() {
        let recoded: Vec<_> = updates.iter().map(|picture| recode(picture, fb.size(), &format).unwrap()).collect();
        let mut viewed = Framebuffer::new(fb.size());
        view(&recoded, &format, &mut viewed);
        let nearest = fb.pixels().iter().map(|&rgb| format.to_rgb(format.from_rgb(rgb)));
        assert!(viewed.pixels().iter().copied().eq(nearest), "{format:?}");
        for (before, after) in updates.iter().zip(&recoded) {
            assert_eq!(before.tiles(TileGrid::new(fb.size())), after.tiles(TileGrid::new(fb.size())));
            let same_length = before.rects().len().abs_diff(after.rects().len()) < before.rects().len() / 10 + 200;
            assert!(same_length || format.form() == Form::Other, "{} became {}", before.rects().len(), after.rects().len());
        }
    }
}

#[test]
fn bands_share_the_tiles_evenly_and_keep_rows_whole() {
    let grid = TileGrid::new(Size::new(1920, 1080).unwrap());
    for (seed, count) in [(1, 1), (2, 2), (3, 4), (4, 40)] {
        let tiles = some_tiles(grid, seed, 150);
        let bands = bands(&tiles, count);
        let mut seen = TileSet::new(grid);
        let mut next_row = 0;
        for band in &bands {
            let rows: Vec<usize> = band.iter().map(|tile| tile / 30).collect();
            assert!(rows.first().is_some_and(|&row| row >= next_row));
            next_row = rows.last().unwrap() + 1;
            band.iter().for_each(|tile| assert!(seen.insert(tile)));
            assert!(band.len() <= tiles.len() / count + 30);
        }
        assert!(seen == tiles && bands.len() <= count);
    }
    assert!(bands(&TileSet::new(grid), 4).is_empty());
}

fn picture(rect: Rect, data: &[u8]) -> Picture {
    let mut bytes = Vec::new();
    super::encoder::write_header(rect, &mut bytes);
    bytes.extend_from_slice(data);
    super::encoder::write_length(0, &mut bytes);
    Picture::new(1, Bytes::from(bytes))
}

fn raw_deflate(bytes: &[u8], flush: flate2::FlushCompress) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1000);
    flate2::Compress::new(flate2::Compression::new(9), false).compress_vec(bytes, &mut out, flush).unwrap();
    out
}

#[test]
fn hostile_streams_are_refused_without_inflating_them_whole() {
    use flate2::FlushCompress::{Finish, Sync};
    let size = Size::new(64, 64).unwrap();
    let refused = |data: &[u8], expected: ZrleError| {
        let picture = picture(size.rect(), data);
        assert_eq!(Decoder::new().decode(&picture, &mut Framebuffer::new(size)), Err(expected.clone()));
        let rgb = PixelFormat { red_shift: 0, blue_shift: 16, ..PixelFormat::NATIVE };
        assert_eq!(recode(&picture, size, &rgb), Err(expected));
    };
    let solid = [1, 2, 3, 4];
    refused(&raw_deflate(&solid, Finish), ZrleError::Final);
    refused(&raw_deflate(&[&solid[..], &[0]].concat(), Sync), ZrleError::Trailing);
    // A bomb: 50 MB of zeros, which are a raw black tile and then too much. Only a buffer's worth is inflated.
    refused(&raw_deflate(&vec![0; 50_000_000], Sync), ZrleError::Trailing);
    refused(&[0x07, 1, 2, 3], ZrleError::Corrupt);
    refused(&[], ZrleError::Truncated);
    // A distance that reaches before the first byte.
    refused(&[0x4b, 0x04, 0x12, 0x00, 0, 0, 0xff, 0xff], ZrleError::Corrupt);
}

#[test]
fn rectangles_outside_or_twice_are_refused_and_nothing_is_painted() {
    let (fb, mut target) = (motley(128, 128, 5), Framebuffer::new(Size::new(64, 64).unwrap()));
    let updates = encoded(&mut Encoder::new(), &fb, &all(&fb));
    assert!(matches!(Decoder::new().decode(&updates[0], &mut target), Err(ZrleError::Picture(_))));
    let (rect, data) = updates[0].iter().next().unwrap();
    let refused = StreamDecoder::new().decode_rect(rect, &data, &PixelFormat::NATIVE, &mut target);
    assert_eq!(refused, Err(ZrleError::Outside(rect, target.size())));
    assert_eq!(target, Framebuffer::new(target.size()));
}

#[test]
fn every_truncation_and_flipped_bits_of_real_updates_end_without_panic() {
    let fb = motley(200, 100, 21);
    let updates = encoded(&mut Encoder::new(), &fb, &all(&fb));
    let mut decoder = Decoder::new();
    let mut random = Random::new(9);
    for update in &updates {
        let (rect, data) = update.iter().next().unwrap();
        for end in (0..data.len()).filter(|&end| end < 300 || end % 61 == 0 || end + 40 > data.len()) {
            let result = decoder.decode(&picture(rect, &data[..end]), &mut Framebuffer::new(fb.size()));
            // Without the flush at the end, whose block begins in the byte before, all tiles are there.
            assert!(result.is_err() || end + 7 > data.len(), "{end} of {}", data.len());
        }
        for _ in 0..2000 {
            let mut bad = data.to_vec();
            let bit = random.next() as usize % (bad.len() * 8);
            bad[bit / 8] ^= 1 << (bit % 8);
            let mut painted = Framebuffer::new(fb.size());
            let _ = decoder.decode(&picture(rect, &bad), &mut painted);
            assert!(painted.pixels().iter().all(|&rgb| rgb <= 0x00ff_ffff));
        }
    }
}

#[test]
fn zero_size_rectangles_of_a_server_use_up_their_data() {
    let mut fb = Framebuffer::new(Size::new(10, 10).unwrap());
    let mut stream = StreamDecoder::new();
    let empty = Rect::new(3, 3, 0, 0);
    assert_eq!(stream.decode_rect(empty, &[], &PixelFormat::NATIVE, &mut fb), Ok(()));
    assert_eq!(stream.decode_rect(empty, &[0x78, 0x01, 0, 0, 0, 0xff, 0xff], &PixelFormat::NATIVE, &mut fb), Ok(()));
    let refused = stream.decode_rect(empty, &[0, 1, 0, 0xfe, 0xff, 7], &PixelFormat::NATIVE, &mut fb);
    assert_eq!(refused, Err(ZrleError::Trailing));
}
