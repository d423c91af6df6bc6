//! Pictures for this module's tests: every kind of tile, made from seeds.

use crate::framebuffer::Framebuffer;
use crate::geometry::{Rect, Size};
use crate::tiles::TileGrid;

/// A small generator of pseudo-random numbers (xorshift64*).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    pub(super) fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit.max(1)
    }
}

/// What fills a tile.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// One colour.
    Solid,
    /// That many colours, changing at every pixel with the given chance in 256.
    Colours(u32, u32),
    /// Runs of new colours, up to that long.
    Runs(u32),
    /// A smooth slope.
    Gradient,
    /// Every pixel anything.
    Noise,
}

impl Content {
    pub(super) const ALL: [Content; 20] = [
        Content::Solid,
        Content::Colours(2, 3),
        Content::Colours(2, 60),
        Content::Colours(2, 256),
        Content::Colours(3, 100),
        Content::Colours(4, 100),
        Content::Colours(5, 40),
        Content::Colours(16, 8),
        Content::Colours(16, 200),
        Content::Colours(17, 20),
        Content::Colours(17, 256),
        Content::Colours(90, 20),
        Content::Colours(126, 256),
        Content::Colours(127, 256),
        Content::Colours(128, 256),
        Content::Colours(500, 30),
        Content::Runs(40),
        Content::Runs(3000),
        Content::Gradient,
        Content::Noise,
    ];
}

/// Paints a rectangle.
pub(super) fn paint(fb: &mut Framebuffer, rect: Rect, content: Content, random: &mut Random) {
    let colours: Vec<u32> = (0..600).map(|_| random.next() & 0x00ff_ffff).collect();
    let (mut colour, mut left) = (colours[0], 0);
    for y in 0..rect.height {
        for (pixel, x) in fb.row_mut(rect, y).iter_mut().zip(0u32..) {
            match content {
                Content::Solid => (),
                Content::Colours(count, chance) if random.below(256) < chance => colour = colours[random.below(count) as usize],
                Content::Colours(..) => (),
                Content::Runs(longest) if left == 0 => {
                    colour = random.next() & 0x00ff_ffff;
                    left = random.below(longest);
                }
                Content::Runs(_) => left -= 1,
                Content::Gradient => {
                    colour = (u32::from(y) * 3 + x) << 16 & 0x00ff_0000 | ((x * 2) & 0xff) << 8 | u32::from(y) & 0xff
                }
                Content::Noise => colour = random.next() & 0x00ff_ffff,
            }
            *pixel = colour;
        }
    }
}

/// A picture of that size with random content in every tile.
pub(super) fn motley(width: u16, height: u16, seed: u64) -> Framebuffer {
    let mut fb = Framebuffer::new(Size::new(width, height).unwrap());
    let mut random = Random::new(seed);
    let grid = TileGrid::new(fb.size());
    for tile in 0..grid.tile_count() {
        let content = Content::ALL[random.below(20) as usize];
        paint(&mut fb, grid.tile(tile), content, &mut random);
    }
    fb
}

/// A picture with the same content everywhere.
pub(super) fn uniform(width: u16, height: u16, content: Content) -> Framebuffer {
    let mut fb = Framebuffer::new(Size::new(width, height).unwrap());
    paint(&mut fb, Rect::new(0, 0, width, height), content, &mut Random::new(7));
    fb
}
