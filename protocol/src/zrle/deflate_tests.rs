use super::deflate::{Deflater, Effort};
use super::huffman::{Code, codes, lengths};
use super::lz::Matcher;
use super::test_pictures::Random;
use proptest::prelude::*;

/// Compresses one update whose rectangles end at `ends`.
fn deflated(deflater: &mut Deflater, effort: Effort, bytes: &[u8], ends: &[usize]) -> Vec<Vec<u8>> {
    deflater.begin(effort, bytes.len());
    let mut start = 0;
    let rects = ends.iter().map(|&end| {
        let mut out = vec![0xee];
        deflater.rectangle(&bytes[..end], start, &mut out);
        start = end;
        assert_eq!(out.remove(0), 0xee);
        out
    });
    rects.collect()
}

/// What zlib makes of the pieces as one stream; each must end at a byte boundary and none may end the stream.
fn inflated(pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut decompress = flate2::Decompress::new(false);
    let mut out = Vec::with_capacity(1 << 20);
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        let before = decompress.total_in();
        let status = decompress.decompress_vec(piece, &mut out, flate2::FlushDecompress::Sync).unwrap();
        assert_eq!((status, decompress.total_in() - before), (flate2::Status::Ok, piece.len() as u64));
    }
    out
}

/// Bytes with stretches of noise, of few values, of zeros, and of repetitions from anywhere before.
fn mixture(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let stretch = 1 + (random.next() & 4095 >> (random.next() % 12)) as usize;
        match random.below(4) {
            0 => bytes.extend((0..stretch).map(|_| random.next().to_le_bytes()[0])),
            1 => bytes.extend((0..stretch).map(|_| random.next().to_le_bytes()[0] & 3)),
            2 => bytes.resize(bytes.len() + stretch, 0),
            _ if bytes.is_empty() => (),
            _ => {
                let from = random.next() as usize % bytes.len();
                (from..from + stretch).for_each(|at| bytes.push(bytes[at]));
            }
        }
    }
    bytes.truncate(length);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn any_bytes_in_any_rectangles_come_back(seed: u64, length in 0usize..120_000, cuts in prop::collection::vec(0usize..120_000, 0..5), large: bool) {
        let bytes = mixture(seed, length);
        let mut ends: Vec<usize> = cuts.into_iter().map(|cut| cut.min(length)).chain([length]).collect();
        ends.sort_unstable();
        let effort = if large { Effort::Large } else { Effort::Small };
        let pieces = deflated(&mut Deflater::new(), effort, &bytes, &ends);
        prop_assert!(inflated(&pieces) == bytes);
        let total: usize = pieces.iter().map(Vec::len).sum();
        prop_assert!(total <= length + 5 * (length / 16_000 + 2 * ends.len()), "{total} for {length}");
    }
}

#[test]
fn repetitions_at_the_edge_of_the_window_are_right() {
    for gap in [1, 2, 3, 7, 8, 9, 257, 258, 259, 32_767, 32_768, 32_769, 65_536] {
        let mut random = Random::new(gap as u64);
        let unit: Vec<u8> = (0..gap).map(|_| random.next().to_le_bytes()[0]).collect();
        let bytes = [&unit[..], &unit, &unit].concat();
        for effort in [Effort::Large, Effort::Small] {
            assert!(inflated(&deflated(&mut Deflater::new(), effort, &bytes, &[bytes.len()])) == bytes, "{gap}");
        }
    }
}

#[test]
fn an_update_does_not_depend_on_those_before_it() {
    for effort in [Effort::Large, Effort::Small] {
        let mut used = Deflater::new();
        for seed in 0..20 {
            let bytes = mixture(seed % 4, 30_000);
            let ends = [10_000, 30_000];
            let fresh = deflated(&mut Deflater::new(), effort, &bytes, &ends);
            assert!(deflated(&mut used, effort, &bytes, &ends) == fresh);
        }
    }
}

#[test]
fn numbers_of_places_begin_anew_before_they_run_out() {
    let bytes = mixture(3, 5000);
    let (mut fresh, mut old) = (Matcher::<2>::new(), Matcher::<2>::new());
    let found = |matcher: &mut Matcher<2>| {
        let mut sequences = Vec::new();
        matcher.begin(bytes.len());
        matcher.find(&bytes, 0..bytes.len(), &mut sequences);
        sequences
    };
    let expected = found(&mut fresh);
    for _ in 0..5 {
        old.begin(1 << 29);
        assert_eq!(found(&mut old), expected);
    }
}

#[test]
fn data_that_repeats_shrinks_and_data_that_does_not_is_stored() {
    let bytes = |of: fn(usize) -> u8| (0..50_000).map(of).collect::<Vec<_>>();
    let size = |bytes: &[u8], effort| deflated(&mut Deflater::new(), effort, bytes, &[bytes.len()])[0].len();
    for effort in [Effort::Large, Effort::Small] {
        assert!(size(&bytes(|_| 7), effort) < 300);
        assert!(size(&bytes(|at| (at % 100).to_le_bytes()[0]), effort) < 600);
        let noise = noise(50_000);
        assert!((noise.len()..noise.len() + 40).contains(&size(&noise, effort)));
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut random = Random::new(77);
    (0..length).map(|_| random.next().to_le_bytes()[0]).collect()
}

#[test]
fn codes_are_complete_prefix_free_and_within_their_limit() {
    let mut random = Random::new(5);
    for round in 0..300 {
        let symbols = 2 + random.below(284) as usize;
        // Fibonacci numbers make the deepest trees.
        let (mut last, mut next) = (1u32, 1u32);
        let most_bits = random.below(16);
        let frequencies: Vec<u32> = (0..symbols)
            .map(|symbol| match round % 3 {
                0 => random.next() % 1000 * (random.next() & 1),
                1 => random.below(1 << most_bits),
                _ if symbol > 25 => 0,
                _ => {
                    (last, next) = (next, last + next);
                    last
                }
            })
            .collect();
        for most in [9, 14, 15] {
            let (mut found, mut assigned) = (vec![0; symbols], vec![Code::default(); symbols]);
            lengths(&frequencies, most, &mut found);
            codes(&found, &mut assigned);
            let used = found.iter().filter(|&&length| length > 0);
            assert_eq!(used.clone().map(|&length| 1u32 << (15 - length)).sum::<u32>(), 1 << 15, "{found:?}");
            assert!(used.clone().all(|&length| usize::from(length) <= most));
            assert!(frequencies.iter().zip(&found).all(|(&frequency, &length)| frequency == 0 || length > 0));
            assert!(used.count() <= 2.max(frequencies.iter().filter(|&&frequency| frequency > 0).count()));
            check_prefixes(&assigned);
        }
    }
}

fn check_prefixes(codes: &[Code]) {
    let used: Vec<&Code> = codes.iter().filter(|code| code.length > 0).collect();
    let mask = |length: u8| (1u32 << length) - 1;
    for (at, a) in used.iter().enumerate() {
        for b in &used[at + 1..] {
            let shorter = mask(a.length.min(b.length));
            assert_ne!(u32::from(a.bits) & shorter, u32::from(b.bits) & shorter);
        }
    }
}

#[test]
fn code_lengths_are_those_of_huffman() {
    let mut found = [0; 6];
    lengths(&[45, 13, 12, 16, 9, 5], 14, &mut found);
    assert_eq!(found, [1, 3, 3, 3, 4, 4]);
    lengths(&[0, 0, 0, 0, 0, 3], 14, &mut found);
    assert_eq!(found, [1, 0, 0, 0, 0, 1]);
    lengths(&[0; 6], 14, &mut found);
    assert_eq!(found, [1, 1, 0, 0, 0, 0]);
}
