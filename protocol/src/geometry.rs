//! Sizes and rectangles in pixels, and the limit on a screen's size. Owns no pixels.

use serde::{Deserialize, Serialize};

/// Longest side of a screen that is accepted, in pixels.
pub const MAX_SCREEN_SIDE_PX: u16 = 16_384;
/// Most pixels of a screen that is accepted: a little more than 8K UHD (7680x4320).
pub const MAX_SCREEN_PX: u32 = 1 << 25;

/// A screen that is empty or beyond the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a screen of {width}x{height} is outside the limits (1 to {MAX_SCREEN_SIDE_PX} per side, {MAX_SCREEN_PX} pixels)")]
pub struct ScreenSizeError {
    /// The width asked for, in pixels.
    pub width: u16,
    /// The height asked for, in pixels.
    pub height: u16,
}

/// The size of a screen: never empty, never above [`MAX_SCREEN_SIDE_PX`] or [`MAX_SCREEN_PX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u16, u16)", into = "(u16, u16)")]
pub struct Size {
    width: u16,
    height: u16,
}

impl Size {
    /// One pixel.
    pub const SMALLEST: Size = Size { width: 1, height: 1 };

    /// Checks a width and height from outside.
    pub fn new(width: u16, height: u16) -> Result<Self, ScreenSizeError> {
        let within = |side| (1..=MAX_SCREEN_SIDE_PX).contains(&side);
        if within(width) && within(height) && u32::from(width) * u32::from(height) <= MAX_SCREEN_PX {
            Ok(Self { width, height })
        } else {
            Err(ScreenSizeError { width, height })
        }
    }

    /// Width in pixels.
    pub fn width(self) -> u16 {
        self.width
    }

    /// Height in pixels.
    pub fn height(self) -> u16 {
        self.height
    }

    /// Number of pixels.
    pub fn area(self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }

    /// The rectangle at the origin that covers the screen.
    pub fn rect(self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }
}

impl TryFrom<(u16, u16)> for Size {
    type Error = ScreenSizeError;
    fn try_from((width, height): (u16, u16)) -> Result<Self, ScreenSizeError> {
        Self::new(width, height)
    }
}

impl From<Size> for (u16, u16) {
    fn from(size: Size) -> Self {
        (size.width, size.height)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A rectangle of pixels, possibly empty, possibly outside any screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: u16,
    /// Top edge.
    pub y: u16,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
}

impl Rect {
    /// A rectangle from its top left corner and its size.
    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    /// First column right of the rectangle; wider than `u16` because the rectangle may leave the screen.
    pub fn right(self) -> u32 {
        u32::from(self.x) + u32::from(self.width)
    }

    /// First row below the rectangle.
    pub fn bottom(self) -> u32 {
        u32::from(self.y) + u32::from(self.height)
    }

    /// Whether it holds no pixel.
    pub fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Number of pixels.
    pub fn area(self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }

    /// Whether it lies wholly inside a screen of that size.
    pub fn is_within(self, size: Size) -> bool {
        self.right() <= u32::from(size.width) && self.bottom() <= u32::from(size.height)
    }

    /// The part both rectangles share, if any.
    pub fn intersection(self, other: Rect) -> Option<Rect> {
        let x = self.x.max(other.x);
        let y = self.y.max(other.y);
        let width = u16::try_from(self.right().min(other.right()).checked_sub(u32::from(x))?).ok()?;
        let height = u16::try_from(self.bottom().min(other.bottom()).checked_sub(u32::from(y))?).ok()?;
        let shared = Rect::new(x, y, width, height);
        (!shared.is_empty()).then_some(shared)
    }
}

impl std::fmt::Display for Rect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}+{}+{}", self.width, self.height, self.x, self.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_beyond_the_limit_is_refused_and_named() {
        assert!(Size::new(7680, 4320).is_ok());
        assert!(Size::new(0, 10).is_err());
        let refused = Size::new(16_384, 16_384).unwrap_err();
        assert!(refused.to_string().contains("16384x16384") && refused.to_string().contains("33554432"));
    }

    #[test]
    fn rectangles_at_the_end_of_the_number_range_do_not_wrap() {
        let far = Rect::new(65_535, 65_535, 65_535, 65_535);
        assert_eq!(far.right(), 131_070);
        assert!(!far.is_within(Size::new(100, 100).unwrap()));
        assert_eq!(far.intersection(Rect::new(0, 0, 10, 10)), None);
        assert_eq!(Rect::new(5, 5, 10, 10).intersection(Rect::new(0, 0, 7, 9)), Some(Rect::new(5, 5, 2, 4)));
    }
}
