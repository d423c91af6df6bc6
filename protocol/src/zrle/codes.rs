//! The codes of a DEFLATE block and their description in its header (RFC 1951 sections 3.2.6 and 3.2.7).

use super::block::{BitWriter, Counts, DISTANCE_SYMBOLS, LITERAL_SYMBOLS};
use super::huffman::{self, Code, MAX_BITS, MAX_SYMBOLS};

/// The order in which the lengths of the code length code are written.
const LENGTH_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// The fixed code lengths; the last two symbols never occur.
const FIXED_LITERAL_LENGTHS: [u8; MAX_SYMBOLS] = {
    let mut lengths = [8; MAX_SYMBOLS];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < 256 { 9 } else { 7 };
        symbol += 1;
    }
    lengths
};

/// The two codes of a block.
pub(super) struct Codes {
    /// Of literals, the end of the block and lengths.
    pub(super) literals: [Code; MAX_SYMBOLS],
    pub(super) distances: [Code; DISTANCE_SYMBOLS],
    /// How the codes are described, for codes of the block's own.
    description: Option<Description>,
}

impl Codes {
    /// Those that need no description.
    pub(super) fn fixed() -> Self {
        let mut codes =
            Self { literals: [Code::default(); MAX_SYMBOLS], distances: [Code::default(); DISTANCE_SYMBOLS], description: None };
        huffman::codes(&FIXED_LITERAL_LENGTHS, &mut codes.literals);
        huffman::codes(&[5; DISTANCE_SYMBOLS], &mut codes.distances);
        codes
    }

    /// The best ones for a block.
    pub(super) fn best(counts: &Counts) -> Self {
        let mut lengths = [0; LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
        let (literals, distances) = lengths.split_at_mut(LITERAL_SYMBOLS);
        huffman::lengths(&counts.literals, MAX_BITS, literals);
        huffman::lengths(&counts.distances, MAX_BITS, distances);
        let mut codes =
            Self { literals: [Code::default(); MAX_SYMBOLS], distances: [Code::default(); DISTANCE_SYMBOLS], description: None };
        huffman::codes(literals, &mut codes.literals);
        huffman::codes(distances, &mut codes.distances);
        codes.description = Some(Description::of(&lengths));
        codes
    }

    /// Length of a block in these codes.
    pub(super) fn bits(&self, counts: &Counts) -> usize {
        let of = |counts: &[u32], codes: &[Code]| -> usize {
            counts.iter().zip(codes).map(|(&count, code)| count as usize * usize::from(code.length)).sum()
        };
        let header = 3 + self.description.as_ref().map_or(0, Description::bits);
        header + of(&counts.literals, &self.literals) + of(&counts.distances, &self.distances) + counts.extra_bits
    }

    /// Writes the beginning of a block that is not the last.
    pub(super) fn write_header(&self, out: &mut BitWriter<'_>) {
        match &self.description {
            None => out.put(0b010, 3),
            Some(description) => {
                out.put(0b100, 3);
                description.write(out);
            }
        }
        out.flush();
    }
}

/// The lengths of both codes as a block's header has them.
struct Description {
    literals: usize,
    distances: usize,
    /// Symbols of the code length code, each with the value of its extra bits.
    symbols: Vec<(u8, u8)>,
    codes: [Code; 19],
}

impl Description {
    fn of(lengths: &[u8; LITERAL_SYMBOLS + DISTANCE_SYMBOLS]) -> Self {
        let used = |lengths: &[u8], least: usize| {
            lengths.iter().rposition(|&length| length > 0).map_or(least, |last| (last + 1).max(least))
        };
        let literals = used(&lengths[..LITERAL_SYMBOLS], 257);
        let distances = used(&lengths[LITERAL_SYMBOLS..], 1);
        let mut symbols = Vec::with_capacity(64);
        let written = [&lengths[..literals], &lengths[LITERAL_SYMBOLS..LITERAL_SYMBOLS + distances]].concat();
        for run in written.chunk_by(|a, b| a == b) {
            describe_run(run[0], run.len(), &mut symbols);
        }
        let mut counts = [0; 19];
        symbols.iter().for_each(|&(symbol, _)| counts[usize::from(symbol)] += 1);
        let (mut code_lengths, mut codes) = ([0; 19], [Code::default(); 19]);
        huffman::lengths(&counts, 7, &mut code_lengths);
        huffman::codes(&code_lengths, &mut codes);
        Self { literals, distances, symbols, codes }
    }

    /// Number of lengths of the code length code that are written.
    fn code_lengths(&self) -> usize {
        LENGTH_ORDER.iter().rposition(|&symbol| self.codes[symbol].length > 0).map_or(4, |last| (last + 1).max(4))
    }

    fn bits(&self) -> usize {
        let symbol = |&(symbol, _): &(u8, u8)| usize::from(self.codes[usize::from(symbol)].length) + extra_of(symbol) as usize;
        14 + 3 * self.code_lengths() + self.symbols.iter().map(symbol).sum::<usize>()
    }

    fn write(&self, out: &mut BitWriter<'_>) {
        let fields = [(self.literals - 257, 5), (self.distances - 1, 5), (self.code_lengths() - 4, 4)];
        fields.into_iter().for_each(|(value, bits)| out.put(value as u64, bits));
        out.flush();
        for &symbol in &LENGTH_ORDER[..self.code_lengths()] {
            out.put(u64::from(self.codes[symbol].length), 3);
            out.flush();
        }
        for &(symbol, value) in &self.symbols {
            out.put_code(self.codes[usize::from(symbol)]);
            out.put(u64::from(value), extra_of(symbol));
            out.flush();
        }
    }
}

/// Extra bits of a symbol of the code length code.
fn extra_of(symbol: u8) -> u32 {
    match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    }
}

/// Appends the symbols of a run of equal lengths.
fn describe_run(length: u8, mut run: usize, symbols: &mut Vec<(u8, u8)>) {
    let value = |count: usize, least: usize| u8::try_from(count - least).unwrap_or(0);
    if length > 0 {
        symbols.push((length, 0));
        run -= 1;
    }
    while run >= 3 {
        let (symbol, least, most) = match (length, run) {
            (0, 11..) => (18, 11, 138),
            (0, _) => (17, 3, 10),
            _ => (16, 3, 6),
        };
        let count = run.min(most);
        symbols.push((symbol, value(count, least)));
        run -= count;
    }
    symbols.extend(std::iter::repeat_n((length, 0), run));
}
