//! A picture as plain RGB bytes, and what is different between two of them.

use std::path::Path;

/// Rows of R, G, B bytes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// From rows of R, G, B bytes.
    pub(crate) fn from_rgb(width: usize, height: usize, rgb: Vec<u8>) -> Self {
        assert_eq!(rgb.len(), width * height * 3);
        Self { width, height, rgb }
    }

    /// From rows of pixels 0x00RRGGBB.
    pub(crate) fn from_pixels(width: usize, height: usize, pixels: &[u32]) -> Self {
        let rgb = pixels.iter().flat_map(|pixel| [(pixel >> 16) as u8, (pixel >> 8) as u8, *pixel as u8]).collect();
        Self::from_rgb(width, height, rgb)
    }

    /// From a PNG file, which must be 8 bits per channel, RGB or RGBA.
    pub(crate) fn from_png(file: &Path) -> Self {
        let source = std::io::BufReader::new(std::fs::File::open(file).unwrap());
        let mut reader = png::Decoder::new(source).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.bit_depth, png::BitDepth::Eight);
        let (width, height) = (info.width as usize, info.height as usize);
        match info.color_type {
            png::ColorType::Rgb => Self::from_rgb(width, height, bytes),
            png::ColorType::Rgba => {
                Self::from_rgb(width, height, bytes.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect())
            }
            other => panic!("{} is {other:?}", file.display()),
        }
    }

    /// From a binary PPM (P6) file without comments.
    pub(crate) fn from_ppm(file: &Path) -> Self {
        let bytes = std::fs::read(file).unwrap();
        let mut fields = bytes.splitn(5, |byte| byte.is_ascii_whitespace());
        let mut field = || fields.next().unwrap();
        assert_eq!(field(), b"P6");
        let mut number = || std::str::from_utf8(field()).unwrap().parse::<usize>().unwrap();
        let (width, height, maximum) = (number(), number(), number());
        assert_eq!(maximum, 255);
        Self::from_rgb(width, height, field().to_vec())
    }

    /// The picture as a binary PPM file.
    pub(crate) fn to_ppm(&self) -> Vec<u8> {
        let mut bytes = format!("P6\n{} {}\n255\n", self.width, self.height).into_bytes();
        bytes.extend_from_slice(&self.rgb);
        bytes
    }

    /// The pixel at a place, 0x00RRGGBB.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> u32 {
        let at = (y * self.width + x) * 3;
        u32::from_be_bytes([0, self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]])
    }

    /// Its top left in a picture of another size, black beyond.
    pub(crate) fn fitted(&self, width: usize, height: usize) -> Self {
        let inside = |x, y| if x < self.width && y < self.height { self.pixel(x, y) } else { 0 };
        let pixels: Vec<_> = (0..height).flat_map(|y| (0..width).map(move |x| inside(x, y))).collect();
        Self::from_pixels(width, height, &pixels)
    }

    /// A part of it.
    pub(crate) fn part(&self, (x, y, width, height): (usize, usize, usize, usize)) -> Self {
        let lines = self.rgb.chunks_exact(self.width * 3).skip(y).take(height);
        Self::from_rgb(width, height, lines.flat_map(|line| &line[x * 3..(x + width) * 3]).copied().collect())
    }

    /// Number of different colours: tells a real screen from an empty one.
    pub(crate) fn colours(&self) -> usize {
        self.rgb.chunks_exact(3).collect::<std::collections::HashSet<_>>().len()
    }

    /// Says how many pixels differ, and where; `None` when the pictures are equal.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        if (self.width, self.height) != (other.width, other.height) {
            return Some(format!("{}x{} against {}x{}", self.width, self.height, other.width, other.height));
        }
        let pixels = self.rgb.chunks_exact(3).zip(other.rgb.chunks_exact(3)).enumerate();
        let wrong: Vec<_> = pixels.filter(|(_, (here, there))| here != there).map(|(at, _)| at).collect();
        let columns = || wrong.iter().map(|at| at % self.width);
        let (first, last) = (wrong.first()?, wrong.last()?);
        Some(format!(
            "{} pixels differ, all in columns {}..={}, rows {}..={}",
            wrong.len(),
            columns().min()?,
            columns().max()?,
            first / self.width,
            last / self.width
        ))
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{}, {} colours)", self.width, self.height, self.colours())
    }
}

/// A made-up photograph: soft shapes, texture and noise, so that neighbouring pixels nearly always differ. Always the same.
pub(crate) fn photograph(width: usize, height: usize) -> Picture {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let noise = (state >> 40) as usize;
            let hill = (x * x / 900 + y * y / 700) / 3;
            let leaf = (x * 7 + y * 3) ^ (y * 5);
            let channel = |base: usize, grain: usize| ((base + grain % 23) % 256) as u8;
            rgb.extend([
                channel(hill + leaf / 16, noise),
                channel(hill / 2 + x / 5, noise >> 5),
                channel(y / 3 + leaf / 9, noise >> 10),
            ]);
        }
    }
    Picture::from_rgb(width, height, rgb)
}
