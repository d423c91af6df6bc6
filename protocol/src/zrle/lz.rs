//! Finds repetitions in the tile bytes of an update (LZ77 with DEFLATE's window). Places are numbered on from update to update: those of
//! earlier ones are recognised by their number, so an empty window costs no clearing.

use std::ops::Range;

/// Farthest a repetition may reach back (RFC 1951 section 2).
const WINDOW: usize = 32 * 1024;
/// Longest repetition (RFC 1951 section 3.2.5).
const MAX_LENGTH: usize = 258;
/// Shortest repetition that is looked for.
const MIN_LENGTH: usize = 4;
/// A repetition below this is dropped for a longer one that begins a byte later.
const SHORT_LENGTH: usize = 16;
/// Bits of a hash. The small table stays in the processor's fastest cache.
const HASH_BITS: u32 = 13;
/// Bytes at the end of a block in which no repetition begins.
const TAIL: usize = 8;
/// Where nothing repeats, ever more bytes are skipped: one more for so many literals in a row, as a power of two.
const SKIP_BITS: usize = 6;
/// Most bytes of an update before compression.
const MAX_UPDATE_BYTES: u32 = 1 << 30;

/// Bytes that stand for themselves, and a repetition after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Number of bytes that stand for themselves.
    pub(super) literals: u32,
    /// Length of the repetition, 3 to 258; 0 for none, in the last sequence of a block.
    pub(super) length: u16,
    /// How far back it begins, 1 to 32768; 0 for none.
    pub(super) distance: u16,
}

/// A repetition of what begins `distance` bytes earlier.
#[derive(Clone, Copy)]
struct Repetition {
    length: usize,
    distance: usize,
}

/// Finds repetitions; of equal beginnings it knows the last `PLACES` places.
pub(super) struct Matcher<const PLACES: usize> {
    /// The last places with each hash, newest first, numbered from `base` in this update.
    table: Box<[[u32; PLACES]; 1 << HASH_BITS]>,
    base: u32,
    length: u32,
}

impl<const PLACES: usize> Matcher<PLACES> {
    /// Of the places inside a repetition, one of so many is entered.
    const ENTER_STEP: usize = if PLACES > 1 { 1 } else { 2 };

    pub(super) fn new() -> Self {
        Self { table: Box::new([[0; PLACES]; 1 << HASH_BITS]), base: 1, length: 0 }
    }

    /// Begins an update of so many bytes, below 2^30, with an empty window.
    pub(super) fn begin(&mut self, length: usize) {
        // Numbers from 1 to below 2^31 are given; the sum of two limits cannot overflow.
        self.base += self.length;
        self.length = u32::try_from(length).unwrap_or(MAX_UPDATE_BYTES).min(MAX_UPDATE_BYTES);
        if self.base > MAX_UPDATE_BYTES {
            self.table.fill([0; PLACES]);
            self.base = 1;
        }
    }

    /// Appends the sequences of `bytes[block]`, which together cover it exactly; `bytes` is the update from its beginning, and all
    /// before the block was given before.
    pub(super) fn find(&mut self, bytes: &[u8], block: Range<usize>, sequences: &mut Vec<Sequence>) {
        let bytes = &bytes[..block.end];
        let (mut anchor, mut at) = (block.start, block.start);
        let limit = block.end.saturating_sub(TAIL);
        while at < limit {
            let Some(mut found) = self.longest(bytes, at) else {
                at += 1 + ((at - anchor) >> SKIP_BITS);
                continue;
            };
            while found.length < SHORT_LENGTH && at + 1 < limit {
                let Some(next) = self.longest(bytes, at + 1).filter(|next| next.length > found.length) else { break };
                at += 1;
                found = next;
            }
            let before = before(bytes, anchor, at, found);
            sequences.push(sequence(at - before - anchor, found.length + before, found.distance));
            anchor = at + found.length;
            for inside in (at + 2..anchor.min(limit)).step_by(Self::ENTER_STEP) {
                self.enter(load(bytes, inside), inside);
            }
            at = anchor;
        }
        if anchor < block.end {
            sequences.push(sequence(block.end - anchor, 0, 0));
        }
    }

    /// Enters a place and finds the longest repetition of at least [`MIN_LENGTH`] that begins there.
    #[inline(always)]
    fn longest(&mut self, bytes: &[u8], at: usize) -> Option<Repetition> {
        let word = load(bytes, at);
        let (number, places) = self.enter(word, at);
        let mut longest: Option<Repetition> = None;
        for place in places {
            // A place of an earlier update lies before the first byte of this one.
            let distance = number.wrapping_sub(place) as usize;
            if distance > at.min(WINDOW) || load(bytes, at - distance) != word {
                continue;
            }
            let length = MIN_LENGTH + common(bytes, at - distance + MIN_LENGTH, at + MIN_LENGTH);
            if longest.is_none_or(|longest| length > longest.length) {
                longest = Some(Repetition { length, distance });
            }
        }
        longest
    }

    /// Enters a place; answers its number and those that were there.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "an update is shorter than 2^30 bytes, and asking costs time")]
    fn enter(&mut self, word: u32, at: usize) -> (u32, [u32; PLACES]) {
        let number = self.base.wrapping_add(at as u32);
        let places = &mut self.table[(word.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize];
        let before = *places;
        places.copy_within(..PLACES - 1, 1);
        places[0] = number;
        (number, before)
    }
}

/// How many bytes before `at`, down to `anchor`, repeat as well.
#[inline(always)]
fn before(bytes: &[u8], anchor: usize, at: usize, found: Repetition) -> usize {
    let most = (at - anchor).min(at - found.distance).min(MAX_LENGTH - found.length);
    let pairs = bytes[at - most..at].iter().rev().zip(bytes[..at - found.distance].iter().rev());
    pairs.take_while(|(a, b)| a == b).count()
}

fn sequence(literals: usize, length: usize, distance: usize) -> Sequence {
    let narrow = |value: usize| u16::try_from(value).unwrap_or(0);
    Sequence { literals: u32::try_from(literals).unwrap_or(0), length: narrow(length), distance: narrow(distance) }
}

#[inline(always)]
fn load(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}

/// Number of equal bytes at two places behind a repetition's first ones, up to its longest or the end of the bytes. The first
/// place is the earlier one.
#[inline(always)]
fn common(bytes: &[u8], first: usize, second: usize) -> usize {
    let most = (bytes.len() - second).min(MAX_LENGTH - MIN_LENGTH);
    let (first, second) = (&bytes[first..first + most], &bytes[second..second + most]);
    let mut at = 0;
    for (a, b) in first.as_chunks::<8>().0.iter().zip(second.as_chunks::<8>().0) {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differing != 0 {
            return at + (differing.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at + first[at..].iter().zip(&second[at..]).take_while(|(a, b)| a == b).count()
}
