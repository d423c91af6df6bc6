//! What a tile is made of: its pixels as wire values, where its runs of one colour begin, and its palette, in few passes over
//! the pixels. Written so that the compiler vectorises the passes; the per-pixel work is a comparison and one bit.

use super::cpixel::CPixels;
use super::{MAX_PALETTE, TILE_AREA};
use crate::framebuffer::Framebuffer;
use crate::geometry::Rect;

/// Pixels per word of the run mask.
const WORD: usize = 64;
/// Slots of the palette's hash table; four times the colours it can hold.
const SLOTS: usize = 512;
/// A free slot. No entry looks like this: an entry's upper half is an index.
const FREE: u64 = u64::MAX;

/// The pixels of one tile, row by row without gaps.
pub(super) struct Tile {
    /// One pixel that differs from the first, the tile, and padding up to a whole word.
    pixels: Box<[u32; 1 + TILE_AREA + WORD]>,
    area: usize,
}

impl Tile {
    pub(super) fn new() -> Self {
        Self { pixels: Box::new([0; 1 + TILE_AREA + WORD]), area: 0 }
    }

    /// Takes the pixels of a rectangle of at most 64x64 inside the picture; says whether they are all of one colour.
    pub(super) fn load<P: CPixels>(&mut self, fb: &Framebuffer, rect: Rect, cpixels: &P) -> bool {
        let width = usize::from(rect.width);
        self.area = (width * usize::from(rect.height)).min(TILE_AREA);
        let first = fb.row(rect, 0).first().map_or(0, |&rgb| cpixels.wire(rgb));
        let mut differing = 0;
        for (row, target) in (0..rect.height).zip(self.pixels[1..=self.area].chunks_exact_mut(width.max(1))) {
            for (to, &rgb) in target.iter_mut().zip(fb.row(rect, row)) {
                *to = cpixels.wire(rgb);
                differing |= *to ^ first;
            }
        }
        self.pixels[0] = !first;
        differing == 0
    }

    /// Takes pixels that are wire values already; says whether they are all of one colour.
    pub(super) fn load_wires(&mut self, wires: impl ExactSizeIterator<Item = u32>) -> bool {
        self.area = wires.len().min(TILE_AREA);
        for (to, wire) in self.pixels[1..].iter_mut().zip(wires.take(TILE_AREA)) {
            *to = wire;
        }
        let first = self.pixels[1];
        self.pixels[0] = !first;
        self.pixels().iter().all(|&wire| wire == first)
    }

    /// The pixels.
    pub(super) fn pixels(&self) -> &[u32] {
        &self.pixels[1..=self.area]
    }

    /// The run mask, 64 pixels a word: a bit is set where a pixel differs from the one before it, and for the first pixel.
    pub(super) fn run_starts(&self, words: &mut [u64; TILE_AREA / WORD]) -> usize {
        let mut runs = 0;
        for ((word, at), left) in words.iter_mut().zip((0..self.area).step_by(WORD)).zip((0..=self.area).rev().step_by(WORD)) {
            let (Some(before), Some(now)) = (self.pixels[at..].first_chunk(), self.pixels[at + 1..].first_chunk()) else { break };
            *word = differences(before, now);
            if left < WORD {
                *word &= (1 << left) - 1;
            }
            runs += word.count_ones() as usize;
        }
        runs
    }
}

/// Bit i is set where `now[i]` differs from `before[i]`.
#[inline(always)]
fn differences(before: &[u32; WORD], now: &[u32; WORD]) -> u64 {
    let mut flags = [0u8; WORD];
    for ((flag, before), now) in flags.iter_mut().zip(before).zip(now) {
        *flag = u8::from(before != now);
    }
    let (eights, _) = flags.as_chunks::<8>();
    eights.iter().rev().fold(0, |mask, eight| {
        // Moves the lowest bits of eight bytes next to each other in the top byte.
        mask << 8 | u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

/// The runs of a tile and, while there are at most 127, its colours in order of appearance.
pub(super) struct Runs {
    /// Where each run begins, and after the last the tile's area.
    starts: Box<[u16; TILE_AREA + 1]>,
    /// Each run's index into the palette.
    indices: Box<[u8; TILE_AREA]>,
    count: usize,
    palette: Palette,
    /// Whether the palette holds all colours of the tile.
    complete: bool,
}

impl Runs {
    pub(super) fn new() -> Self {
        Self {
            starts: Box::new([0; TILE_AREA + 1]),
            indices: Box::new([0; TILE_AREA]),
            count: 0,
            palette: Palette::new(),
            complete: true,
        }
    }

    /// Finds the runs and the palette of a tile. Gives up where there are more than 127 colours and `needed` says that the
    /// runs are of no use without a palette.
    pub(super) fn find(&mut self, tile: &Tile, words: &[u64; TILE_AREA / WORD], needed: bool) {
        self.palette.clear();
        self.count = 0;
        self.complete = true;
        let pixels = tile.pixels();
        for (word, base) in words.iter().zip((0..pixels.len()).step_by(WORD)) {
            let mut word = *word;
            while word != 0 {
                let at = base + word.trailing_zeros() as usize;
                word &= word - 1;
                self.starts[self.count] = position(at);
                if self.complete {
                    match self.palette.index(pixels[at]) {
                        Some(index) => self.indices[self.count] = index,
                        None if needed => self.complete = false,
                        None => {
                            self.complete = false;
                            return;
                        }
                    }
                }
                self.count += 1;
            }
        }
        self.starts[self.count] = position(pixels.len());
    }

    /// The palette, when it holds all colours.
    pub(super) fn palette(&self) -> Option<&[u32]> {
        self.complete.then(|| self.palette.colours())
    }

    /// Each run's first pixel and length.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let starts = &self.starts[..=self.count];
        starts.windows(2).map(|pair| (usize::from(pair[0]), usize::from(pair[1]) - usize::from(pair[0])))
    }

    /// Each run's index into the palette.
    pub(super) fn indices(&self) -> &[u8] {
        &self.indices[..self.count]
    }
}

/// A place in a tile as it is stored; the area of a tile fits by far.
fn position(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// Up to 127 colours and a hash table that finds them. Emptied by undoing what was entered.
struct Palette {
    colours: [u32; MAX_PALETTE],
    used: [u16; MAX_PALETTE],
    len: usize,
    /// The colour in the lower half, its index in the upper, or [`FREE`].
    slots: Box<[u64; SLOTS]>,
}

impl Palette {
    fn new() -> Self {
        Self { colours: [0; MAX_PALETTE], used: [0; MAX_PALETTE], len: 0, slots: Box::new([FREE; SLOTS]) }
    }

    fn clear(&mut self) {
        for &slot in &self.used[..self.len] {
            self.slots[usize::from(slot) % SLOTS] = FREE;
        }
        self.len = 0;
    }

    fn colours(&self) -> &[u32] {
        &self.colours[..self.len]
    }

    /// The index of a colour, entered if it is new; `None` when it is new and the palette is full.
    #[inline(always)]
    fn index(&mut self, colour: u32) -> Option<u8> {
        let mut slot = (colour.wrapping_mul(0x9e37_79b1) >> 23) as usize % SLOTS;
        loop {
            let entry = self.slots[slot];
            if entry & 0xffff_ffff == u64::from(colour) && entry != FREE {
                return Some((entry >> 32 & 0x7f) as u8);
            }
            if entry == FREE {
                return self.enter(colour, slot);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    #[cold]
    #[inline(never)]
    fn enter(&mut self, colour: u32, slot: usize) -> Option<u8> {
        let index = u8::try_from(self.len).ok()?;
        *self.colours.get_mut(self.len)? = colour;
        self.used[self.len] = position(slot);
        self.slots[slot] = u64::from(index) << 32 | u64::from(colour);
        self.len += 1;
        Some(index)
    }
}
