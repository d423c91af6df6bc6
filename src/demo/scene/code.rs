//! Colours for a line of Rust, and the cells of a fixed-width font. Knows just enough of the language to look right.

use treevnc_protocol::geometry::Rect;

use super::place::{Scale, rounded};
use super::surface::{Face, Point, Surface};

/// Width of a character of the fixed-width font, in parts of its size.
const ADVANCE: f32 = 0.602_05;

/// Colours on one ground.
pub(super) struct Inks {
    pub(super) plain: u32,
    keyword: u32,
    kind: u32,
    number: u32,
    string: u32,
    comment: u32,
}

pub(super) const ON_DARK: Inks = Inks {
    plain: 0x00d5_dce6,
    keyword: 0x00c6_92e9,
    kind: 0x00e5_c07b,
    number: 0x00d1_9a66,
    string: 0x0098_c379,
    comment: 0x006f_7f95,
};

pub(super) const ON_LIGHT: Inks = Inks {
    plain: 0x0028_2c34,
    keyword: 0x00a0_25a4,
    kind: 0x00a1_5c00,
    number: 0x0098_6801,
    string: 0x0045_8b3d,
    comment: 0x0084_8a93,
};

const KEYWORDS: [&str; 27] = [
    "as", "const", "crate", "else", "enum", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "return", "self", "static", "struct", "super", "trait", "type", "use", "where", "while",
];

/// A grid of whole-pixel character cells inside a panel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells {
    area: Rect,
    width: u16,
    height: u16,
}

impl Cells {
    /// Cells about as wide as that length.
    pub(super) fn new(scale: Scale, area: Rect, width: f32) -> Self {
        let width = rounded(scale.px(width)).max(3);
        Self { area, width, height: width * 2 }
    }

    /// How many whole lines fit.
    pub(super) fn rows(self) -> u16 {
        (self.area.height / self.height).max(1)
    }

    /// A whole line.
    pub(super) fn line(self, row: u16) -> Rect {
        let top = row.saturating_mul(self.height).min(self.area.height);
        let height = self.height.min(self.area.height - top);
        Rect::new(self.area.x, self.area.y + top, self.area.width, height)
    }

    /// A whole line with what its letters may leave in the lines beside it, where cells are only a few pixels high.
    pub(super) fn around(self, row: u16) -> Rect {
        let line = self.line(row);
        let bleed = self.height.div_ceil(4);
        Rect::new(line.x, line.y.saturating_sub(bleed), line.width, line.height + 2 * bleed)
    }

    /// One character's cell.
    pub(super) fn cell(self, row: u16, column: u16) -> Rect {
        let line = self.line(row);
        let left = column.saturating_mul(self.width).min(line.width);
        Rect::new(line.x + left, line.y, self.width.min(line.width - left), line.height)
    }

    /// Draws a line of code in a row.
    pub(super) fn draw(self, surface: &mut Surface<'_>, row: u16, line: &str, inks: &Inks) {
        let size_px = f32::from(self.width) / ADVANCE;
        let baseline = f32::from(self.area.y) + f32::from(self.height) * (f32::from(row) + 0.75);
        let mut column = 0;
        for (word, ink) in coloured(line, inks) {
            let left: Point = (f32::from(self.area.x) + f32::from(self.width) * f32::from(column), baseline);
            surface.text(Face::Mono, left, size_px, word, ink);
            column += u16::try_from(word.chars().count()).unwrap_or(u16::MAX / 2);
            if column.saturating_mul(self.width) > self.area.width {
                return;
            }
        }
    }
}

/// The line in pieces with their colours.
fn coloured<'a>(line: &'a str, inks: &Inks) -> Vec<(&'a str, u32)> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            '/' if rest.starts_with("//") => rest.len(),
            '"' => rest.get(1..).and_then(|inner| inner.find('"')).map_or(rest.len(), |end| end + 2),
            c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            _ => rest.find(|c| word(c) || c == '"' || c == '/').unwrap_or(rest.len()).max(first.len_utf8()),
        };
        let (piece, after) = rest.split_at(length);
        let ink = match first {
            '/' if piece.starts_with("//") => inks.comment,
            '"' => inks.string,
            '0'..='9' => inks.number,
            c if c.is_uppercase() => inks.kind,
            _ if KEYWORDS.contains(&piece) => inks.keyword,
            _ => inks.plain,
        };
        pieces.push((piece, ink));
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_line_and_wear_their_colours() {
        let line = "    let größe = Size::new(640, x / 2)?; // \"text\"";
        let pieces = coloured(line, &ON_DARK);
        assert_eq!(pieces.iter().map(|(piece, _)| *piece).collect::<String>(), line);
        let ink = |word: &str| pieces.iter().find(|(piece, _)| *piece == word).map(|(_, ink)| *ink);
        assert_eq!(ink("let"), Some(ON_DARK.keyword));
        assert_eq!(ink("Size"), Some(ON_DARK.kind));
        assert_eq!(ink("640"), Some(ON_DARK.number));
        assert_eq!(ink("// \"text\""), Some(ON_DARK.comment));
        assert_eq!(coloured("a \"b // c\" \"open", &ON_DARK).last(), Some(&("\"open", ON_DARK.string)));
    }
}
