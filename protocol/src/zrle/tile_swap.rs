//! Turns the bytes of a BGR tile into those of the RGB form without looking at pixels: only CPIXELs change, and all have three bytes.

use super::ZrleError;
use super::tile_decoder::{index_bits, palette_size, run_length};
use super::{SUBENCODING_PLAIN_RLE, SUBENCODING_RAW, SUBENCODING_SOLID};
use crate::wire::Reader;

/// Appends the tile of that size at the front of `bytes` with red and blue exchanged; answers how many bytes it took. Lengths are
/// checked, palette indices go through as they are.
pub(super) fn swap_tile(bytes: &[u8], (width, height): (usize, usize), out: &mut Vec<u8>) -> Result<usize, ZrleError> {
    let mut reader = Reader::new(bytes);
    let subencoding = reader.u8().ok_or(ZrleError::Truncated)?;
    out.push(subencoding);
    let colours = palette_size(subencoding)?;
    let area = width * height;
    let cpixels = if subencoding == SUBENCODING_RAW { area } else { colours };
    swap(reader.bytes(cpixels * 3).ok_or(ZrleError::Truncated)?, out);
    let indices = reader.clone();
    match subencoding {
        SUBENCODING_RAW | SUBENCODING_SOLID => return Ok(reader.consumed()),
        2..=16 => {
            reader.bytes((width * index_bits(colours)).div_ceil(8) * height).ok_or(ZrleError::Truncated)?;
        }
        SUBENCODING_PLAIN_RLE => {
            swap_runs(&mut reader, area, out)?;
            return Ok(reader.consumed());
        }
        _ => skip_palette_runs(&mut reader, area)?,
    }
    out.extend_from_slice(&indices.rest()[..reader.consumed() - indices.consumed()]);
    Ok(reader.consumed())
}

fn swap(cpixels: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(cpixels);
    for cpixel in out[start..].as_chunks_mut::<3>().0 {
        cpixel.swap(0, 2);
    }
}

fn swap_runs(reader: &mut Reader<'_>, mut left: usize, out: &mut Vec<u8>) -> Result<(), ZrleError> {
    while left > 0 {
        swap(reader.bytes(3).ok_or(ZrleError::Truncated)?, out);
        let length = reader.clone();
        left -= run_length(reader, left)?;
        out.extend_from_slice(&length.rest()[..reader.consumed() - length.consumed()]);
    }
    Ok(())
}

fn skip_palette_runs(reader: &mut Reader<'_>, mut left: usize) -> Result<(), ZrleError> {
    while left > 0 {
        let index = reader.u8().ok_or(ZrleError::Truncated)?;
        left -= if index & 0x80 == 0 { 1 } else { run_length(reader, left)? };
    }
    Ok(())
}
