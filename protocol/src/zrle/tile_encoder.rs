//! Encodes one tile in the smallest of ZRLE's subencodings (RFC 6143 section 7.7.6).

use super::analysis::{Runs, Tile};
use super::cpixel::CPixels;
use super::{MAX_PACKED_PALETTE, SUBENCODING_PALETTE_RLE, SUBENCODING_PLAIN_RLE, SUBENCODING_RAW, SUBENCODING_SOLID, TILE_AREA};
use crate::framebuffer::Framebuffer;
use crate::geometry::Rect;

/// How a tile was encoded, as far as it tells how well it will compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All pixels as they are.
    Raw,
    /// One colour, a palette or runs.
    Structured,
}

/// Encodes tiles; keeps its scratch space from one to the next.
pub(super) struct TileEncoder {
    tile: Tile,
    runs: Runs,
    words: Box<[u64; TILE_AREA / 64]>,
    /// Each pixel's palette index; runs are filled eight at a time and may be overrun by seven.
    indices: Box<[u8; TILE_AREA + 8]>,
}

/// What a tile is written as.
enum Choice {
    Raw,
    /// With the bytes of its indices.
    Packed(usize),
    Runs,
    PaletteRuns,
}

impl TileEncoder {
    pub(super) fn new() -> Self {
        Self { tile: Tile::new(), runs: Runs::new(), words: Box::new([0; TILE_AREA / 64]), indices: Box::new([0; TILE_AREA + 8]) }
    }

    /// Appends the tile at `rect`, at most 64x64 inside the picture.
    pub(super) fn encode<P: CPixels>(&mut self, fb: &Framebuffer, rect: Rect, cpixels: &P, out: &mut Vec<u8>) -> Kind {
        let solid = self.tile.load(fb, rect, cpixels);
        self.write::<P>(solid, usize::from(rect.width), out)
    }

    /// Appends a tile of `width` given as colours row by row.
    pub(super) fn encode_pixels<P: CPixels>(&mut self, rgb: &[u32], width: usize, cpixels: &P, out: &mut Vec<u8>) -> Kind {
        let solid = self.tile.load_wires(rgb.iter().map(|&rgb| cpixels.wire(rgb)));
        self.write::<P>(solid, width, out)
    }

    fn write<P: CPixels>(&mut self, solid: bool, width: usize, out: &mut Vec<u8>) -> Kind {
        if solid {
            out.push(SUBENCODING_SOLID);
            push_wires::<P>(&self.tile.pixels()[..1], out);
            return Kind::Structured;
        }
        match self.choose::<P>(width) {
            Choice::Raw => {
                out.push(SUBENCODING_RAW);
                push_wires::<P>(self.tile.pixels(), out);
                return Kind::Raw;
            }
            Choice::Packed(bytes) => self.write_packed::<P>(width, bytes, out),
            Choice::Runs => self.write_runs::<P>(out),
            Choice::PaletteRuns => self.write_palette_runs::<P>(out),
        }
        Kind::Structured
    }

    /// The way that takes the fewest bytes before compression.
    fn choose<P: CPixels>(&mut self, width: usize) -> Choice {
        let area = self.tile.pixels().len();
        let raw_bytes = 1 + P::BYTES * area;
        let count = self.tile.run_starts(&mut self.words);
        let least_run_bytes = 1 + (P::BYTES + 1) * count;
        self.runs.find(&self.tile, &self.words, least_run_bytes < raw_bytes);
        let Some(palette) = self.runs.palette() else {
            let wins = least_run_bytes < raw_bytes && least_run_bytes + self.long_runs() < raw_bytes;
            return if wins { Choice::Runs } else { Choice::Raw };
        };
        let palette_bytes = 1 + P::BYTES * palette.len();
        let index_bytes = index_bits(palette.len()).map(|bits| area / width.max(1) * (width * bits).div_ceil(8));
        let long = self.long_runs();
        let singles = self.runs.iter().filter(|&(_, length)| length == 1).count();
        let run_bytes = least_run_bytes + long;
        let palette_run_bytes = palette_bytes + 2 * count - singles + long;
        let packed_bytes = index_bytes.map_or(raw_bytes, |bytes| palette_bytes + bytes);
        let least = raw_bytes.min(run_bytes).min(palette_run_bytes).min(packed_bytes);
        match index_bytes {
            Some(bytes) if packed_bytes == least => Choice::Packed(bytes),
            _ if raw_bytes == least => Choice::Raw,
            _ if palette_run_bytes == least => Choice::PaletteRuns,
            _ => Choice::Runs,
        }
    }

    /// How many bytes the lengths of runs take beyond one each.
    fn long_runs(&self) -> usize {
        self.runs.iter().map(|(_, length)| (length - 1) / 255).sum()
    }

    fn write_packed<P: CPixels>(&mut self, width: usize, bytes: usize, out: &mut Vec<u8>) {
        let palette = self.runs.palette().unwrap_or(&[]);
        out.push(low_byte(palette.len()));
        push_wires::<P>(palette, out);
        for ((start, length), &index) in self.runs.iter().zip(self.runs.indices()) {
            for at in (start..start + length).step_by(8) {
                self.indices[at..at + 8].copy_from_slice(&[index; 8]);
            }
        }
        let area = self.tile.pixels().len();
        let start = out.len();
        out.resize(start + bytes, 0);
        let bits = index_bits(palette.len()).unwrap_or(4);
        let row_bytes = (width * bits).div_ceil(8).max(1);
        let rows = self.indices[..area].chunks_exact(width.max(1)).zip(out[start..].chunks_exact_mut(row_bytes));
        rows.for_each(|(indices, packed)| match bits {
            1 => pack::<8>(indices, packed, 0x8040_2010_0804_0201),
            2 => pack::<4>(indices, packed, 0x4010_0401 << 32),
            _ => pack::<2>(indices, packed, 0x1001 << 48),
        });
    }

    fn write_runs<P: CPixels>(&self, out: &mut Vec<u8>) {
        out.push(SUBENCODING_PLAIN_RLE);
        for (start, length) in self.runs.iter() {
            push_wires::<P>(&self.tile.pixels()[start..=start], out);
            push_length(length, out);
        }
    }

    fn write_palette_runs<P: CPixels>(&self, out: &mut Vec<u8>) {
        let palette = self.runs.palette().unwrap_or(&[]);
        out.push(SUBENCODING_PALETTE_RLE | low_byte(palette.len()));
        push_wires::<P>(palette, out);
        for ((_, length), &index) in self.runs.iter().zip(self.runs.indices()) {
            if length == 1 {
                out.push(index);
            } else {
                out.push(index | 0x80);
                push_length(length, out);
            }
        }
    }
}

/// Bits of a packed index, `None` when the palette is too large for packing.
fn index_bits(colours: usize) -> Option<usize> {
    match colours {
        0..=2 => Some(1),
        3..=4 => Some(2),
        5..=MAX_PACKED_PALETTE => Some(4),
        _ => None,
    }
}

fn low_byte(value: usize) -> u8 {
    value.to_le_bytes()[0]
}

/// Packs a row of indices, `PER_BYTE` into a byte, the first highest; `factor` gathers their bits in the top byte of a product.
fn pack<const PER_BYTE: usize>(indices: &[u8], packed: &mut [u8], factor: u64) {
    for (group, byte) in indices.chunks(PER_BYTE).zip(packed) {
        let mut eight = [0; 8];
        eight[..group.len()].copy_from_slice(group);
        *byte = u64::from_le_bytes(eight).wrapping_mul(factor).to_le_bytes()[7];
    }
}

/// A run's length less one: as many 255 as fit, and the rest.
fn push_length(length: usize, out: &mut Vec<u8>) {
    let mut rest = length - 1;
    while rest >= 255 {
        out.push(255);
        rest -= 255;
    }
    out.push(low_byte(rest));
}

fn push_wires<P: CPixels>(wires: &[u32], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + P::BYTES * wires.len(), 0);
    let target = &mut out[start..];
    if P::BYTES != 3 {
        for (bytes, wire) in target.chunks_exact_mut(P::BYTES).zip(wires) {
            bytes.copy_from_slice(&wire.to_le_bytes()[..P::BYTES]);
        }
        return;
    }
    let (fours, rest) = wires.as_chunks::<4>();
    let (twelves, rest_bytes) = target.as_chunks_mut::<12>();
    for (bytes, &[a, b, c, d]) in twelves.iter_mut().zip(fours) {
        let [first, second, third] = [a | b << 24, b >> 8 | c << 16, c >> 16 | d << 8];
        bytes[..4].copy_from_slice(&first.to_le_bytes());
        bytes[4..8].copy_from_slice(&second.to_le_bytes());
        bytes[8..].copy_from_slice(&third.to_le_bytes());
    }
    for (bytes, wire) in rest_bytes.as_chunks_mut::<3>().0.iter_mut().zip(rest) {
        bytes.copy_from_slice(&wire.to_le_bytes()[..3]);
    }
}
