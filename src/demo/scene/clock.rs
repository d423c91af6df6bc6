//! The bar at the top with a clock that shows hundredths: two screens side by side in one photograph tell the delay.

use std::time::Duration;

use treevnc_protocol::geometry::Rect;

use super::Part;
use super::backdrop::BAR;
use super::place::{Scale, rounded};
use super::surface::{Face, Surface};

/// The bar; only its clock changes.
pub(super) struct Clock {
    scale: Scale,
    area: Rect,
    shown: Option<String>,
}

impl Clock {
    pub(super) fn new(scale: Scale) -> Self {
        Self { scale, area: scale.bar(), shown: None }
    }

    fn digits(&self) -> Rect {
        let width = rounded(self.scale.px(200.0)).min(self.area.width);
        Rect::new(self.area.width - width, self.area.y, width, self.area.height)
    }
}

impl Part for Clock {
    fn area(&self) -> Rect {
        self.area
    }

    fn advance(&mut self, at: Duration) -> Vec<Rect> {
        let (minutes, seconds, hundredths) = (at.as_secs() / 60 % 60, at.as_secs() % 60, at.subsec_millis() / 10);
        let now = format!("{minutes:02}:{seconds:02}.{hundredths:02}");
        match self.shown.replace(now) {
            None => vec![self.area],
            before if before == self.shown => Vec::new(),
            Some(_) => vec![self.digits()],
        }
    }

    fn draw(&self, surface: &mut Surface<'_>) {
        let scale = self.scale;
        let baseline = f32::from(self.area.y) + f32::from(self.area.height) / 2.0 + scale.px(9.0);
        surface.fill(self.area, BAR);
        let end = surface.text(Face::Sans, (scale.px(32.0), baseline), scale.px(26.0), "TreeVNC", 0x00ff_b454);
        let subtitle = "a made-up presenter: everything here is drawn by the demo";
        surface.text(Face::Sans, (end + scale.px(20.0), baseline), scale.px(19.0), subtitle, 0x009a_a7b8);
        let digits = f32::from(self.digits().x) + scale.px(20.0);
        let now = self.shown.as_deref().unwrap_or_default();
        surface.text(Face::Mono, (digits, baseline), scale.px(28.0), now, 0x00e6_edf3);
    }
}
