//! Huffman codes of limited length (RFC 1951 section 3.2.2).

/// Longest code, in bits. DEFLATE allows 15; with 14 four codes and the rest of a byte fit into 64 bits.
pub(super) const MAX_BITS: usize = 14;

/// A code as it is written: first bit lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Code {
    /// The bits.
    pub(super) bits: u16,
    /// Their number; 0 when the symbol has no code.
    pub(super) length: u8,
}

/// Most symbols of a code.
pub(super) const MAX_SYMBOLS: usize = 288;
/// Bits of a symbol in a leaf.
const SYMBOL_BITS: u32 = 9;

/// Finds the lengths of an optimal code for symbols of those frequencies (below 2^22), none longer than `most` bits. Symbols of
/// frequency 0 get length 0; at least two symbols get a code, as some readers want.
pub(super) fn lengths(frequencies: &[u32], most: usize, lengths: &mut [u8]) {
    lengths.fill(0);
    // Frequency and symbol in one number, which is quick to sort.
    let mut leaves = [0u32; MAX_SYMBOLS];
    let mut used = 0;
    for (&frequency, symbol) in frequencies.iter().zip(0..) {
        leaves[used.min(MAX_SYMBOLS - 1)] = frequency << SYMBOL_BITS | symbol;
        used += usize::from(frequency > 0);
    }
    for (&frequency, symbol) in frequencies.iter().zip(0..) {
        if used < 2 && frequency == 0 {
            leaves[used] = symbol;
            used += 1;
        }
    }
    let leaves = &mut leaves[..used];
    leaves.sort_unstable();
    let mut counts = depths(leaves);
    limit(&mut counts, most);
    let mut rarest_first = leaves.iter();
    for length in (1..=15u8).rev() {
        for &leaf in rarest_first.by_ref().take(counts[usize::from(length)]) {
            lengths[(leaf & ((1 << SYMBOL_BITS) - 1)) as usize] = length;
        }
    }
}

/// How many leaves of the Huffman tree lie at each depth. There are at least two, sorted by frequency.
fn depths(leaves: &[u32]) -> [usize; 33] {
    let count = leaves.len();
    // Inner nodes are made in the order of their weight, so both queues stay sorted.
    let mut weights = [0u32; MAX_SYMBOLS];
    let (mut leaf_parents, mut node_parents) = ([0u16; MAX_SYMBOLS], [0u16; MAX_SYMBOLS]);
    let (mut leaf, mut node) = (0, 0);
    for (made, number) in (0..count - 1).zip(0..) {
        let mut weight = 0;
        for _ in 0..2 {
            let frequency = leaves.get(leaf).map_or(u32::MAX, |leaf| leaf >> SYMBOL_BITS);
            if node >= made || frequency <= weights[node] {
                leaf_parents[leaf] = number;
                weight += frequency;
                leaf += 1;
            } else {
                node_parents[node] = number;
                weight += weights[node];
                node += 1;
            }
        }
        weights[made] = weight;
    }
    let mut node_depths = [0u8; MAX_SYMBOLS];
    for made in (0..count.saturating_sub(2)).rev() {
        node_depths[made] = node_depths[usize::from(node_parents[made])] + 1;
    }
    let mut counts = [0; 33];
    for &parent in &leaf_parents[..count] {
        counts[usize::from(node_depths[usize::from(parent)] + 1).min(32)] += 1;
    }
    counts
}

/// Moves leaves that lie too deep up, and others down, until the code is complete again.
fn limit(counts: &mut [usize; 33], most: usize) {
    let deeper: usize = counts[most + 1..].iter().sum();
    if deeper == 0 {
        return;
    }
    counts[most + 1..].fill(0);
    counts[most] += deeper;
    let mut total: usize = counts[..=most].iter().enumerate().map(|(length, count)| count << (most - length)).sum();
    while total > 1 << most {
        counts[most] -= 1;
        if let Some(length) = (1..most).rev().find(|&length| counts[length] > 0) {
            counts[length] -= 1;
            counts[length + 1] += 2;
        }
        total -= 1;
    }
}

/// Assigns the codes that belong to code lengths.
pub(super) fn codes(lengths: &[u8], codes: &mut [Code]) {
    let mut next = [0u32; 16];
    for &length in lengths.iter().filter(|&&length| length > 0) {
        next[usize::from(length)] += 1;
    }
    let mut first = 0;
    for count in &mut next {
        let after = (first + *count) << 1;
        *count = first;
        first = after;
    }
    for (code, &length) in codes.iter_mut().zip(lengths) {
        *code = Code::default();
        if length > 0 {
            let value = &mut next[usize::from(length)];
            // A code has at most 15 bits.
            *code = Code { bits: ((*value & 0xffff) as u16).reverse_bits() >> (16 - length), length };
            *value += 1;
        }
    }
}
