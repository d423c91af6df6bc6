//! Where things are: the scene is laid out on 1920x1080 and scaled to the screen.

use treevnc_protocol::geometry::{Rect, Size};

/// Scales places of the 1920x1080 layout to a screen; widths and heights each in their own way, figures and text evenly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    across: f32,
    down: f32,
}

impl Scale {
    pub(super) fn new(size: Size) -> Self {
        Self { across: f32::from(size.width()) / 1920.0, down: f32::from(size.height()) / 1080.0 }
    }

    /// A length of a figure or a text.
    pub(super) fn px(self, length: f32) -> f32 {
        length * self.across.min(self.down)
    }

    /// A panel's place.
    fn rect(self, x: f32, y: f32, width: f32, height: f32) -> Rect {
        let (left, top) = (rounded(x * self.across), rounded(y * self.down));
        let (right, bottom) = (rounded((x + width) * self.across), rounded((y + height) * self.down));
        Rect::new(left, top, right - left, bottom - top)
    }

    /// The whole screen.
    pub(super) fn screen(self) -> Rect {
        self.rect(0.0, 0.0, 1920.0, 1080.0)
    }

    pub(super) fn bar(self) -> Rect {
        self.rect(0.0, 0.0, 1920.0, 56.0)
    }

    pub(super) fn slides(self) -> Rect {
        self.rect(32.0, 88.0, 1136.0, 640.0)
    }

    /// The terminal with its title; [`Scale::inside`] is what it shows.
    pub(super) fn terminal(self) -> Rect {
        self.rect(1200.0, 88.0, 688.0, 512.0)
    }

    /// The editor with its title.
    pub(super) fn editor(self) -> Rect {
        self.rect(1200.0, 632.0, 688.0, 416.0)
    }

    /// The bouncing ball with its title.
    pub(super) fn ball(self) -> Rect {
        self.rect(32.0, 760.0, 552.0, 288.0)
    }

    /// The tree at work with its title.
    pub(super) fn tree(self) -> Rect {
        self.rect(616.0, 760.0, 552.0, 288.0)
    }

    /// A titled panel without title and border.
    pub(super) fn inside(self, panel: Rect) -> Rect {
        let (title, border) = (rounded(self.px(40.0)), rounded(self.px(10.0)));
        let width = panel.width.saturating_sub(2 * border);
        let height = panel.height.saturating_sub(title + border);
        Rect::new(panel.x + border, panel.y + title, width, height)
    }
}

/// The nearest pixel, within the range of coordinates.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float to integer casts saturate")]
pub(super) fn rounded(value: f32) -> u16 {
    value.round() as u16
}
