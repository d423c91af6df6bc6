//! Viewers that want a colour map get a fixed one: 256 colours, three bits of red and green, two of blue (RFC 6143 section 7.6.2).

use treevnc_protocol::pixel::PixelFormat;

/// Message type of SetColourMapEntries.
const SET_COLOUR_MAP_ENTRIES: u8 = 1;

/// The colours' own bits as an index into the palette. Its depth is that of the pixel, so that ZRLE sends whole pixels, as it does
/// for every format with a colour map.
pub(super) fn stand_in(mapped: &PixelFormat) -> PixelFormat {
    PixelFormat {
        true_colour: true,
        depth: mapped.bits_per_pixel,
        red_max: 7,
        green_max: 7,
        blue_max: 3,
        red_shift: 5,
        green_shift: 2,
        blue_shift: 0,
        ..*mapped
    }
}

/// The message that sets the palette.
pub(super) fn message() -> Vec<u8> {
    let mut out = vec![SET_COLOUR_MAP_ENTRIES, 0];
    out.extend(0u16.to_be_bytes());
    out.extend(256u16.to_be_bytes());
    let format = stand_in(&PixelFormat { bits_per_pixel: 8, ..PixelFormat::NATIVE });
    for index in 0..256 {
        let rgb = format.to_rgb(index);
        for shift in [16, 8, 0] {
            // From 8 bits to 16: 0xff becomes 0xffff.
            let channel = u16::try_from(rgb >> shift & 0xff).unwrap_or_default();
            out.extend((channel * 0x0101).to_be_bytes());
        }
    }
    out
}
