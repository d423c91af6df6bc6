//! How colours stand in ZRLE data. A colour's *wire value* is a number whose lower bytes, little-endian, are its CPIXEL
//! (RFC 6143 section 7.7.5); tiles are encoded and decoded in wire values, whatever the pixel format.

use crate::pixel::{Form, PixelFormat};

/// The compact pixels of a format: their length and the way from and to `0x00RRGGBB`.
pub(super) trait CPixels {
    /// Bytes of a CPIXEL, 1 to 4.
    const BYTES: usize;
    /// The wire value of a colour; no bit above `BYTES` bytes is set.
    fn wire(&self, rgb: u32) -> u32;
    /// The colour of a wire value.
    fn rgb(&self, wire: u32) -> u32;
}

/// Work to be done with the compact pixels of some format.
pub(super) trait WithCPixels {
    /// What comes out.
    type Output;
    /// Does it.
    fn with<P: CPixels>(self, pixels: &P) -> Self::Output;
}

/// Does `work` with the compact pixels of `format`.
pub(super) fn with_cpixels<W: WithCPixels>(format: &PixelFormat, work: W) -> W::Output {
    let cpixel = format.cpixel();
    match (format.form(), cpixel.bytes) {
        (Form::Bgr, _) => work.with(&Bgr),
        (Form::Rgb, _) => work.with(&Rgb),
        (Form::Other, 1) => work.with(&Other::<1>::new(format, cpixel.first)),
        (Form::Other, 2) => work.with(&Other::<2>::new(format, cpixel.first)),
        (Form::Other, 3) => work.with(&Other::<3>::new(format, cpixel.first)),
        (Form::Other, _) => work.with(&Other::<4>::new(format, cpixel.first)),
    }
}

/// Blue, green, red: the wire value is the colour.
pub(super) struct Bgr;

impl CPixels for Bgr {
    const BYTES: usize = 3;
    fn wire(&self, rgb: u32) -> u32 {
        rgb & 0x00ff_ffff
    }
    fn rgb(&self, wire: u32) -> u32 {
        wire
    }
}

/// Red, green, blue.
pub(super) struct Rgb;

impl CPixels for Rgb {
    const BYTES: usize = 3;
    fn wire(&self, rgb: u32) -> u32 {
        (rgb << 8).swap_bytes()
    }
    fn rgb(&self, wire: u32) -> u32 {
        wire.swap_bytes() >> 8
    }
}

/// Any other format.
struct Other<const N: usize> {
    format: PixelFormat,
    /// Bits of the whole pixel, taken as a number with its first byte lowest, before the CPIXEL.
    skipped: u32,
}

impl<const N: usize> Other<N> {
    fn new(format: &PixelFormat, first: usize) -> Self {
        let unused_bytes = if format.big_endian { 4 - format.bytes_per_pixel() } else { 0 };
        // Both are below 4, so this is below 64 and in practice at most 24.
        let skipped = u32::try_from(8 * (unused_bytes + first)).unwrap_or(0);
        Self { format: *format, skipped }
    }
}

impl<const N: usize> CPixels for Other<N> {
    const BYTES: usize = N;
    fn wire(&self, rgb: u32) -> u32 {
        let value = self.format.from_rgb(rgb);
        let in_memory = if self.format.big_endian { value.swap_bytes() } else { value };
        in_memory.wrapping_shr(self.skipped) & (u32::MAX >> (32 - 8 * N))
    }
    fn rgb(&self, wire: u32) -> u32 {
        let in_memory = wire.wrapping_shl(self.skipped);
        self.format.to_rgb(if self.format.big_endian { in_memory.swap_bytes() } else { in_memory })
    }
}

/// The wire value in the first bytes of `bytes`, `None` when they are not all there.
#[inline(always)]
pub(super) fn read_wire<P: CPixels>(bytes: &[u8]) -> Option<u32> {
    let mut le = [0; 4];
    le[..P::BYTES].copy_from_slice(bytes.get(..P::BYTES)?);
    Some(u32::from_le_bytes(le))
}
