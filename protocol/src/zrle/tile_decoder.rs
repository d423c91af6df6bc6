//! Decodes one tile of any subencoding (RFC 6143 section 7.7.6). The bytes are a stranger's: every length and index is checked.

use super::cpixel::{CPixels, read_wire};
use super::{SUBENCODING_PALETTE_RLE, SUBENCODING_PLAIN_RLE, SUBENCODING_RAW, SUBENCODING_SOLID, TILE_AREA, ZrleError};
use crate::wire::Reader;

/// Stands for the colours that a palette does not have; no colour has its upper byte set.
const NO_COLOUR: u32 = u32::MAX;

/// Decodes tiles into a scratch tile.
pub(super) struct TileDecoder {
    pixels: Box<[u32; TILE_AREA]>,
    palette: [u32; 128],
}

impl TileDecoder {
    pub(super) fn new() -> Self {
        Self { pixels: Box::new([0; TILE_AREA]), palette: [NO_COLOUR; 128] }
    }

    /// Decodes the tile of that size (at most 64x64) at the front of `bytes`; answers its colours, row by row, and how many
    /// bytes it took.
    pub(super) fn decode<P: CPixels>(
        &mut self,
        bytes: &[u8],
        (width, height): (usize, usize),
        cpixels: &P,
    ) -> Result<(&[u32], usize), ZrleError> {
        let mut reader = Reader::new(bytes);
        let pixels = &mut self.pixels[..(width * height).min(TILE_AREA)];
        let subencoding = reader.u8().ok_or(ZrleError::Truncated)?;
        let colours = palette_size(subencoding)?;
        if colours > 0 {
            let palette = reader.bytes(colours * P::BYTES).ok_or(ZrleError::Truncated)?;
            self.palette = [NO_COLOUR; 128];
            for (colour, cpixel) in self.palette.iter_mut().zip(palette.chunks_exact(P::BYTES)) {
                *colour = cpixels.rgb(read_wire::<P>(cpixel).ok_or(ZrleError::Truncated)?);
            }
        }
        match subencoding {
            SUBENCODING_RAW => raw(&mut reader, pixels, cpixels)?,
            SUBENCODING_SOLID => pixels.fill(self.palette[0]),
            2..=16 => packed(&mut reader, pixels, width, &self.palette, colours)?,
            SUBENCODING_PLAIN_RLE => runs(&mut reader, pixels, cpixels)?,
            _ => palette_runs(&mut reader, pixels, &self.palette[..colours])?,
        }
        Ok((pixels, reader.consumed()))
    }
}

/// Number of colours in the palette of a subencoding; a solid tile's colour counts as one, raw and plain runs have none.
pub(super) fn palette_size(subencoding: u8) -> Result<usize, ZrleError> {
    match subencoding {
        SUBENCODING_RAW | SUBENCODING_PLAIN_RLE => Ok(0),
        SUBENCODING_SOLID..=16 => Ok(usize::from(subencoding)),
        130..=255 => Ok(usize::from(subencoding - SUBENCODING_PALETTE_RLE)),
        _ => Err(ZrleError::Subencoding(subencoding)),
    }
}

/// Bits of a packed index for 2 to 16 colours.
pub(super) fn index_bits(colours: usize) -> usize {
    match colours {
        0..=2 => 1,
        3..=4 => 2,
        _ => 4,
    }
}

fn raw<P: CPixels>(reader: &mut Reader<'_>, pixels: &mut [u32], cpixels: &P) -> Result<(), ZrleError> {
    let bytes = reader.bytes(pixels.len() * P::BYTES).ok_or(ZrleError::Truncated)?;
    if P::BYTES != 3 {
        for (pixel, cpixel) in pixels.iter_mut().zip(bytes.chunks_exact(P::BYTES)) {
            *pixel = cpixels.rgb(read_wire::<P>(cpixel).ok_or(ZrleError::Truncated)?);
        }
        return Ok(());
    }
    let word = |bytes: &[u8; 12], at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let (fours, rest) = pixels.as_chunks_mut::<4>();
    let (twelves, rest_bytes) = bytes.as_chunks::<12>();
    for (four, twelve) in fours.iter_mut().zip(twelves) {
        let (a, b, c) = (word(twelve, 0), word(twelve, 4), word(twelve, 8));
        *four = [a, a >> 24 | b << 8, b >> 16 | c << 16, c >> 8].map(|wire| cpixels.rgb(wire & 0x00ff_ffff));
    }
    for (pixel, &[a, b, c]) in rest.iter_mut().zip(rest_bytes.as_chunks::<3>().0) {
        *pixel = cpixels.rgb(u32::from_le_bytes([a, b, c, 0]));
    }
    Ok(())
}

fn packed(
    reader: &mut Reader<'_>,
    pixels: &mut [u32],
    width: usize,
    palette: &[u32; 128],
    colours: usize,
) -> Result<(), ZrleError> {
    let bits = index_bits(colours);
    let mut all = 0;
    for row in pixels.chunks_exact_mut(width) {
        let bytes = reader.bytes((width * bits).div_ceil(8)).ok_or(ZrleError::Truncated)?;
        all |= match bits {
            1 => unpack::<8>(bytes, row, palette),
            2 => unpack::<4>(bytes, row, palette),
            _ => unpack::<2>(bytes, row, palette),
        };
    }
    if all > 0x00ff_ffff { Err(ZrleError::PaletteIndex(colours)) } else { Ok(()) }
}

/// Looks up a row of indices, `PER_BYTE` in a byte, the first highest. Answers all its colours or-ed together.
#[inline(always)]
fn unpack<const PER_BYTE: usize>(bytes: &[u8], row: &mut [u32], palette: &[u32; 128]) -> u32 {
    let (bits, mut all) = (8 / PER_BYTE, 0);
    for (&byte, group) in bytes.iter().zip(row.chunks_mut(PER_BYTE)) {
        for (pixel, place) in group.iter_mut().zip(1..) {
            let index = usize::from(byte) >> (8 - bits * place) & ((1 << bits) - 1);
            *pixel = palette[index];
            all |= *pixel;
        }
    }
    all
}

/// Reads a run's length: one more than the sum of bytes up to the first that is not 255.
pub(super) fn run_length(reader: &mut Reader<'_>, left: usize) -> Result<usize, ZrleError> {
    let mut run = 1;
    loop {
        let byte = reader.u8().ok_or(ZrleError::Truncated)?;
        run += usize::from(byte);
        if run > left {
            return Err(ZrleError::Run { run, left });
        }
        if byte != 255 {
            return Ok(run);
        }
    }
}

fn runs<P: CPixels>(reader: &mut Reader<'_>, mut pixels: &mut [u32], cpixels: &P) -> Result<(), ZrleError> {
    while !pixels.is_empty() {
        let cpixel = reader.bytes(P::BYTES).ok_or(ZrleError::Truncated)?;
        let colour = cpixels.rgb(read_wire::<P>(cpixel).ok_or(ZrleError::Truncated)?);
        let run = run_length(reader, pixels.len())?;
        pixels = painted(pixels, run, colour);
    }
    Ok(())
}

fn palette_runs(reader: &mut Reader<'_>, mut pixels: &mut [u32], palette: &[u32]) -> Result<(), ZrleError> {
    while !pixels.is_empty() {
        let byte = reader.u8().ok_or(ZrleError::Truncated)?;
        let colour = *palette.get(usize::from(byte & 0x7f)).ok_or(ZrleError::PaletteIndex(palette.len()))?;
        let run = if byte & 0x80 == 0 { 1 } else { run_length(reader, pixels.len())? };
        pixels = painted(pixels, run, colour);
    }
    Ok(())
}

/// Paints the first `run` pixels, which are there, and answers the rest.
fn painted(pixels: &mut [u32], run: usize, colour: u32) -> &mut [u32] {
    let (run, rest) = pixels.split_at_mut(run.min(pixels.len()));
    run.fill(colour);
    rest
}
