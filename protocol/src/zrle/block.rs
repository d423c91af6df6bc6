//! Writes DEFLATE blocks (RFC 1951 section 3.2): stored, with the fixed codes or with their own, whichever is shortest.

use super::codes::Codes;
use super::huffman::Code;
use super::lz::Sequence;

/// Most bytes of a stored block, and here of any block before compression, so that it can be stored.
pub(super) const MAX_STORED_BYTES: usize = 65_535;

const END_OF_BLOCK: usize = 256;
/// Symbols of literals, the end of the block and lengths.
pub(super) const LITERAL_SYMBOLS: usize = 286;
/// Symbols of distances.
pub(super) const DISTANCE_SYMBOLS: usize = 30;

/// Bits in the order of DEFLATE, appended to bytes.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Where the next whole byte goes; `out` is longer while a block is written.
    at: usize,
    pending: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Begins at a byte boundary, the end of `out`.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { at: out.len(), out, pending: 0, count: 0 }
    }

    /// Makes room for so many bits and what `flush` writes beyond them.
    fn reserve(&mut self, bits: usize) {
        self.out.resize(self.at + bits / 8 + 16, 0);
    }

    /// Appends bits; at most 63 between two flushes, counting up to 7 left by the first.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.pending |= bits << self.count;
        self.count += count;
    }

    #[inline(always)]
    pub(super) fn put_code(&mut self, code: Code) {
        self.put(u64::from(code.bits), u32::from(code.length));
    }

    /// Writes out whole bytes.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        if let Some(eight) = self.out.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut()) {
            *eight = self.pending.to_le_bytes();
        }
        self.at += (self.count / 8) as usize;
        self.pending >>= self.count & 0x38;
        self.count &= 7;
    }

    /// Writes an empty stored block, which ends at a byte boundary, and hands over all bytes.
    pub(super) fn finish(mut self) {
        self.stored(&[]);
        self.out.truncate(self.at);
    }

    fn stored(&mut self, bytes: &[u8]) {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.reserve(64 + 8 * bytes.len());
        self.put(0, 3);
        self.count = self.count.next_multiple_of(8);
        self.flush();
        self.put(u64::from(length) | u64::from(!length) << 16, 32);
        self.flush();
        self.out[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// Writes one block: `bytes`, at most [`MAX_STORED_BYTES`], which are what the sequences stand for.
    pub(super) fn block(&mut self, bytes: &[u8], sequences: &[Sequence], fixed: &Codes) {
        let counts = Counts::of(bytes, sequences);
        let own = Codes::best(&counts);
        let (own_bits, fixed_bits) = (own.bits(&counts), fixed.bits(&counts));
        if own_bits.min(fixed_bits) + 8 >= 35 + 8 * bytes.len() {
            return self.stored(bytes);
        }
        self.reserve(own_bits.min(fixed_bits) + 64);
        let codes = if own_bits < fixed_bits { &own } else { fixed };
        codes.write_header(self);
        self.body(codes, bytes, sequences);
    }

    /// Writes literals and repetitions, and the end of the block.
    fn body(&mut self, codes: &Codes, mut bytes: &[u8], sequences: &[Sequence]) {
        for sequence in sequences {
            let (literals, rest) = bytes.split_at(sequence.literals as usize);
            let (fours, few) = literals.as_chunks::<4>();
            for four in fours {
                four.iter().for_each(|&byte| self.put_code(codes.literals[usize::from(byte)]));
                self.flush();
            }
            few.iter().for_each(|&byte| self.put_code(codes.literals[usize::from(byte)]));
            self.flush();
            bytes = &rest[usize::from(sequence.length)..];
            if sequence.length > 0 {
                let (length, distance) = (length_symbol(sequence.length), distance_symbol(sequence.distance));
                self.put_code(codes.literals[length.symbol]);
                self.put(length.value, length.extra);
                self.put_code(codes.distances[distance.symbol]);
                self.put(distance.value, distance.extra);
                self.flush();
            }
        }
        self.put_code(codes.literals[END_OF_BLOCK]);
        self.flush();
    }
}

/// How often each symbol occurs in a block.
pub(super) struct Counts {
    pub(super) literals: [u32; LITERAL_SYMBOLS],
    pub(super) distances: [u32; DISTANCE_SYMBOLS],
    pub(super) extra_bits: usize,
}

impl Counts {
    fn of(mut bytes: &[u8], sequences: &[Sequence]) -> Self {
        // Four tables, because equal bytes next to each other would wait for each other in one.
        let mut tables = [[0u32; 256]; 4];
        let mut counts = Self { literals: [0; LITERAL_SYMBOLS], distances: [0; DISTANCE_SYMBOLS], extra_bits: 0 };
        for sequence in sequences {
            let (literals, rest) = bytes.split_at(sequence.literals as usize);
            let (fours, few) = literals.as_chunks::<4>();
            for four in fours {
                tables.iter_mut().zip(four).for_each(|(table, &byte)| table[usize::from(byte)] += 1);
            }
            few.iter().for_each(|&byte| tables[0][usize::from(byte)] += 1);
            bytes = &rest[usize::from(sequence.length)..];
            if sequence.length > 0 {
                let (length, distance) = (length_symbol(sequence.length), distance_symbol(sequence.distance));
                counts.literals[length.symbol] += 1;
                counts.distances[distance.symbol] += 1;
                counts.extra_bits += (length.extra + distance.extra) as usize;
            }
        }
        for (byte, count) in counts.literals[..256].iter_mut().enumerate() {
            *count = tables.iter().map(|table| table[byte]).sum();
        }
        counts.literals[END_OF_BLOCK] = 1;
        counts
    }
}

/// A symbol and the bits that go with it.
#[derive(Debug, Clone, Copy)]
struct Symbol {
    symbol: usize,
    extra: u32,
    value: u64,
}

/// The symbol of a length of 3 to 258.
#[inline(always)]
fn length_symbol(length: u16) -> Symbol {
    let rest = usize::from(length) - 3;
    match rest {
        0..4 => Symbol { symbol: 257 + rest, extra: 0, value: 0 },
        255.. => Symbol { symbol: 285, extra: 0, value: 0 },
        _ => {
            let extra = rest.ilog2() - 2;
            Symbol {
                symbol: 257 + 4 * (extra as usize + 1) + (rest >> extra & 3),
                extra,
                value: (rest & ((1 << extra) - 1)) as u64,
            }
        }
    }
}

/// The symbol of a distance of 1 to 32768.
#[inline(always)]
fn distance_symbol(distance: u16) -> Symbol {
    let rest = usize::from(distance) - 1;
    if rest < 2 {
        return Symbol { symbol: rest, extra: 0, value: 0 };
    }
    let extra = rest.ilog2() - 1;
    Symbol { symbol: 2 * (extra as usize + 1) + (rest >> extra & 1), extra, value: (rest & ((1 << extra) - 1)) as u64 }
}
