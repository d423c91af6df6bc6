//! RFB pixel formats (RFC 6143 section 7.4) and conversion to and from the internal `0x00RRGGBB`. Owns the layout of pixels and of
//! the compact pixels of ZRLE; never a colour map, whose entries the caller keeps.

use crate::wire::Reader;

/// Bytes of a pixel format on the wire, padding included.
pub const PIXEL_FORMAT_BYTES: usize = 16;

/// How a pixel stands in bytes (RFC 6143 section 7.4). [`PixelFormat::decode`] checks what comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    /// Bits of a pixel on the wire: 8, 16 or 32.
    pub bits_per_pixel: u8,
    /// Bits that carry colour, at most `bits_per_pixel`.
    pub depth: u8,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// Whether the value holds the colour itself; otherwise it is an index into the connection's colour map.
    pub true_colour: bool,
    /// Largest red, a power of two less one.
    pub red_max: u16,
    /// Largest green, a power of two less one.
    pub green_max: u16,
    /// Largest blue, a power of two less one.
    pub blue_max: u16,
    /// Bits to the right of red.
    pub red_shift: u8,
    /// Bits to the right of green.
    pub green_shift: u8,
    /// Bits to the right of blue.
    pub blue_shift: u8,
}

/// Why a pixel format is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PixelFormatError {
    /// A width of pixels that RFB does not know.
    #[error("{0} bits per pixel, only 8, 16 and 32 exist")]
    BitsPerPixel(u8),
    /// More colour bits than the pixel has.
    #[error("a depth of {depth} in pixels of {bits_per_pixel} bits")]
    Depth {
        /// The depth.
        depth: u8,
        /// The pixel's bits.
        bits_per_pixel: u8,
    },
    /// A channel's maximum that is not a power of two less one, or 0.
    #[error("a channel's maximum of {0} is not a power of two less one")]
    Max(u16),
    /// A channel that leaves the pixel.
    #[error("a channel of maximum {max} at bit {shift} leaves pixels of {bits_per_pixel} bits")]
    Shift {
        /// The channel's maximum.
        max: u16,
        /// The channel's lowest bit.
        shift: u8,
        /// The pixel's bits.
        bits_per_pixel: u8,
    },
}

/// Order of the colour bytes in a format's compact pixels. All formats of one form have byte-identical ZRLE data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Three bytes: blue, green, red. Ours, TigerVNC's, gtk-vnc's.
    Bgr,
    /// Three bytes: red, green, blue. noVNC's, libvncclient's.
    Rgb,
    /// Anything else.
    Other,
}

/// What of a pixel ZRLE sends (CPIXEL, RFC 6143 section 7.7.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CPixel {
    /// Bytes sent, 1 to 4.
    pub bytes: usize,
    /// Place of the first sent byte in the whole pixel's bytes, 0 or 1.
    pub first: usize,
}

impl PixelFormat {
    /// The internal `0x00RRGGBB` as little-endian bytes: 32 bits, depth 24, shifts 16, 8, 0.
    pub const NATIVE: Self = Self {
        bits_per_pixel: 32,
        depth: 24,
        big_endian: false,
        true_colour: true,
        red_max: 255,
        green_max: 255,
        blue_max: 255,
        red_shift: 16,
        green_shift: 8,
        blue_shift: 0,
    };

    /// Reads and checks the 16 bytes of a format. Channels of colour-mapped formats are not looked at.
    pub fn decode(bytes: &[u8; PIXEL_FORMAT_BYTES]) -> Result<Self, PixelFormatError> {
        let [bits_per_pixel, depth, big_endian, true_colour, rest @ ..] = *bytes;
        let [r0, r1, g0, g1, b0, b1, red_shift, green_shift, blue_shift, _, _, _] = rest;
        let format = Self {
            bits_per_pixel,
            depth,
            big_endian: big_endian != 0,
            true_colour: true_colour != 0,
            red_max: u16::from_be_bytes([r0, r1]),
            green_max: u16::from_be_bytes([g0, g1]),
            blue_max: u16::from_be_bytes([b0, b1]),
            red_shift,
            green_shift,
            blue_shift,
        };
        format.check()?;
        Ok(format)
    }

    /// Reads a format at a reader's place, `None` when the bytes are not all there.
    pub fn read(reader: &mut Reader<'_>) -> Option<Result<Self, PixelFormatError>> {
        reader.array().map(|bytes| Self::decode(&bytes))
    }

    /// The 16 bytes of the format, padding zero.
    pub fn encode(&self) -> [u8; PIXEL_FORMAT_BYTES] {
        let [r0, r1] = self.red_max.to_be_bytes();
        let [g0, g1] = self.green_max.to_be_bytes();
        let [b0, b1] = self.blue_max.to_be_bytes();
        let flags = [u8::from(self.big_endian), u8::from(self.true_colour)];
        let shifts = [self.red_shift, self.green_shift, self.blue_shift];
        [self.bits_per_pixel, self.depth, flags[0], flags[1], r0, r1, g0, g1, b0, b1, shifts[0], shifts[1], shifts[2], 0, 0, 0]
    }

    fn check(&self) -> Result<(), PixelFormatError> {
        let bits_per_pixel = self.bits_per_pixel;
        if !matches!(bits_per_pixel, 8 | 16 | 32) {
            return Err(PixelFormatError::BitsPerPixel(bits_per_pixel));
        }
        if self.depth > bits_per_pixel {
            return Err(PixelFormatError::Depth { depth: self.depth, bits_per_pixel });
        }
        for (max, shift) in self.channels().into_iter().filter(|_| self.true_colour) {
            if max == 0 || max & max.wrapping_add(1) != 0 {
                return Err(PixelFormatError::Max(max));
            }
            if u32::from(shift) + max.count_ones() > u32::from(bits_per_pixel) {
                return Err(PixelFormatError::Shift { max, shift, bits_per_pixel });
            }
        }
        Ok(())
    }

    /// Maximum and shift of red, green and blue.
    fn channels(&self) -> [(u16, u8); 3] {
        [(self.red_max, self.red_shift), (self.green_max, self.green_shift), (self.blue_max, self.blue_shift)]
    }

    /// Bytes of a whole pixel: 1, 2 or 4.
    pub fn bytes_per_pixel(&self) -> usize {
        usize::from(self.bits_per_pixel / 8)
    }

    /// The colour of a pixel value as `0x00RRGGBB`: exact for channels of 8 bits, the nearest for others.
    /// A value of a colour-mapped format is an index and comes back as it is, cut to 24 bits.
    pub fn to_rgb(&self, value: u32) -> u32 {
        if !self.true_colour {
            value & 0x00ff_ffff
        } else if self.is_exact() {
            self.unpack_exact(value)
        } else {
            Scale::new(self).unpack(value)
        }
    }

    /// The pixel value nearest to a colour `0x00RRGGBB`; 0 for colour-mapped formats, which have no colours of their own.
    pub fn from_rgb(&self, rgb: u32) -> u32 {
        if !self.true_colour {
            return 0;
        }
        let scale = |shift: u32, (max, place): (u16, u8)| {
            let channel = rgb >> shift & 0xff;
            ((channel * u32::from(max) + 127) / 255).wrapping_shl(u32::from(place))
        };
        let [red, green, blue] = self.channels();
        scale(16, red) | scale(8, green) | scale(0, blue)
    }

    /// Whether every channel has 8 bits, so that conversion is moving bits.
    fn is_exact(&self) -> bool {
        self.channels().iter().all(|&(max, _)| max == 255)
    }

    fn unpack_exact(&self, value: u32) -> u32 {
        let channel = |shift: u8| value.wrapping_shr(u32::from(shift)) & 0xff;
        channel(self.red_shift) << 16 | channel(self.green_shift) << 8 | channel(self.blue_shift)
    }

    /// Whether pixels are the internal ones as little-endian bytes; the fourth byte may hold anything.
    fn is_native(&self) -> bool {
        Self { depth: Self::NATIVE.depth, ..*self } == Self::NATIVE
    }

    /// Converts as many whole pixels as both `bytes` and `out` hold, as [`PixelFormat::to_rgb`] does.
    pub fn read_pixels(&self, bytes: &[u8], out: &mut [u32]) {
        if self.is_native() {
            each(bytes, out, |pixel| u32::from_le_bytes(pixel) & 0x00ff_ffff);
        } else if !self.true_colour {
            self.read_with(bytes, out, |value| value & 0x00ff_ffff);
        } else if self.is_exact() {
            self.read_with(bytes, out, |value| self.unpack_exact(value));
        } else {
            let scale = Scale::new(self);
            self.read_with(bytes, out, |value| scale.unpack(value));
        }
    }

    fn read_with(&self, bytes: &[u8], out: &mut [u32], convert: impl Fn(u32) -> u32) {
        match (self.bits_per_pixel, self.big_endian) {
            (8, _) => each(bytes, out, |[value]| convert(u32::from(value))),
            (16, false) => each(bytes, out, |pixel| convert(u32::from(u16::from_le_bytes(pixel)))),
            (16, true) => each(bytes, out, |pixel| convert(u32::from(u16::from_be_bytes(pixel)))),
            (_, false) => each(bytes, out, |pixel| convert(u32::from_le_bytes(pixel))),
            (_, true) => each(bytes, out, |pixel| convert(u32::from_be_bytes(pixel))),
        }
    }

    /// Appends the pixels `rgb` (`0x00RRGGBB`) in this format.
    pub fn write_pixels(&self, rgb: &[u32], out: &mut Vec<u8>) {
        if self.is_native() {
            return append(rgb, out, u32::to_le_bytes);
        }
        match (self.bits_per_pixel, self.big_endian) {
            (8, _) => append(rgb, out, |rgb| [(self.from_rgb(rgb) & 0xff) as u8]),
            (16, false) => append(rgb, out, |rgb| ((self.from_rgb(rgb) & 0xffff) as u16).to_le_bytes()),
            (16, true) => append(rgb, out, |rgb| ((self.from_rgb(rgb) & 0xffff) as u16).to_be_bytes()),
            (_, false) => append(rgb, out, |rgb| self.from_rgb(rgb).to_le_bytes()),
            (_, true) => append(rgb, out, |rgb| self.from_rgb(rgb).to_be_bytes()),
        }
    }

    /// What of a pixel ZRLE sends: three bytes when depth is at most 24 and the colour bits lie in the lower or upper three of
    /// four bytes, the whole pixel otherwise. Where both would do, the bytes that come first, as TigerVNC and libvncserver have it.
    pub fn cpixel(&self) -> CPixel {
        let whole = CPixel { bytes: self.bytes_per_pixel(), first: 0 };
        if !self.true_colour || self.bits_per_pixel != 32 || self.depth > 24 {
            return whole;
        }
        let bits = self.channels().iter().fold(0, |bits, &(max, shift)| bits | u32::from(max).wrapping_shl(u32::from(shift)));
        let in_memory = if self.big_endian { bits.to_be_bytes() } else { bits.to_le_bytes() };
        match in_memory {
            [_, _, _, 0] => CPixel { bytes: 3, first: 0 },
            [0, _, _, _] => CPixel { bytes: 3, first: 1 },
            _ => whole,
        }
    }

    /// Which of the shared forms this format's compact pixels have.
    pub fn form(&self) -> Form {
        let CPixel { bytes: 3, first } = self.cpixel() else { return Form::Other };
        if !self.is_exact() || self.channels().iter().any(|(_, shift)| shift % 8 != 0) {
            return Form::Other;
        }
        let place = |shift: u8| {
            let byte = usize::from(shift / 8);
            (if self.big_endian { 3 - byte } else { byte }).checked_sub(first)
        };
        match self.channels().map(|(_, shift)| place(shift)) {
            [Some(2), Some(1), Some(0)] => Form::Bgr,
            [Some(0), Some(1), Some(2)] => Form::Rgb,
            _ => Form::Other,
        }
    }
}

/// Channels of other than 8 bits, scaled by multiplication with a reciprocal of 40 bits after the point: exact rounding to
/// the nearest for every maximum up to 65535.
struct Scale([(u32, u32, u64); 3]);

impl Scale {
    const POINT: u32 = 40;

    fn new(format: &PixelFormat) -> Self {
        Self(format.channels().map(|(max, shift)| {
            let wide = u64::from(max.max(1));
            (u32::from(shift), u32::from(max), ((255 << Self::POINT) + wide / 2) / wide)
        }))
    }

    fn unpack(&self, value: u32) -> u32 {
        self.0.iter().fold(0, |rgb, &(shift, max, factor)| {
            let channel = u64::from(value.wrapping_shr(shift) & max) * factor;
            rgb << 8 | ((channel + (1 << (Self::POINT - 1))) >> Self::POINT & 0xff) as u32
        })
    }
}

/// Converts pixel by pixel until either side ends.
fn each<const N: usize>(bytes: &[u8], out: &mut [u32], convert: impl Fn([u8; N]) -> u32) {
    let (pixels, _) = bytes.as_chunks::<N>();
    for (target, &pixel) in out.iter_mut().zip(pixels) {
        *target = convert(pixel);
    }
}

/// Appends each pixel's bytes.
fn append<const N: usize>(rgb: &[u32], out: &mut Vec<u8>, convert: impl Fn(u32) -> [u8; N]) {
    let start = out.len();
    out.resize(start + rgb.len() * N, 0);
    let (pixels, _) = out.split_at_mut(start).1.as_chunks_mut::<N>();
    for (target, &rgb) in pixels.iter_mut().zip(rgb) {
        *target = convert(rgb);
    }
}

#[cfg(test)]
#[path = "pixel_tests.rs"]
mod tests;
