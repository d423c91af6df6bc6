//! A lecture's slides that flip: a title, a list, a tree, a chart.

use std::time::Duration;

use treevnc_protocol::geometry::Rect;

use super::Part;
use super::backdrop::LIGHT;
use super::place::{Scale, rounded};
use super::surface::{Face, Point, Surface};

const PAGE: Duration = Duration::from_secs(5);
const PAGES: u64 = 4;

const INK: u32 = 0x0026_3040;
const SOFT: u32 = 0x0078_8494;
const BLUE: u32 = 0x002f_6690;
const PALE: u32 = 0x00d9_e6f0;
const ORANGE: u32 = 0x00f2_8f3b;

/// The slides.
pub(super) struct Slides {
    scale: Scale,
    area: Rect,
    page: Option<u64>,
}

impl Slides {
    pub(super) fn new(scale: Scale) -> Self {
        Self { scale, area: scale.slides(), page: None }
    }

    /// A place on the slide, in 1136x640.
    fn at(&self, x: f32, y: f32) -> Point {
        let (width, height) = (f32::from(self.area.width), f32::from(self.area.height));
        (f32::from(self.area.x) + x / 1136.0 * width, f32::from(self.area.y) + y / 640.0 * height)
    }

    fn block(&self, x: f32, y: f32, width: f32, height: f32) -> Rect {
        let ((left, top), (right, bottom)) = (self.at(x, y), self.at(x + width, y + height));
        Rect::new(rounded(left), rounded(top), rounded(right) - rounded(left), rounded(bottom) - rounded(top))
    }

    fn say(&self, surface: &mut Surface<'_>, (x, y): Point, size: f32, text: &str, colour: u32) {
        surface.text(Face::Sans, self.at(x, y), self.scale.px(size), text, colour);
    }

    fn heading(&self, surface: &mut Surface<'_>, text: &str) {
        surface.fill(self.area, LIGHT);
        self.say(surface, (64.0, 96.0), 46.0, text, BLUE);
        surface.fill(self.block(64.0, 122.0, 120.0, 5.0), ORANGE);
    }

    fn title(&self, surface: &mut Surface<'_>) {
        surface.gradient(self.area, 0x0018_3049, 0x0047_7fa6);
        self.say(surface, (96.0, 290.0), 96.0, "TreeVNC", 0x00ff_ffff);
        surface.fill(self.block(100.0, 322.0, 360.0, 5.0), ORANGE);
        self.say(surface, (100.0, 390.0), 34.0, "One screen, a hundred laptops, sharp text", 0x00e3_edf5);
        self.say(surface, (100.0, 560.0), 22.0, "Lecture 7: passing on what you know", 0x00bf_d3e2);
    }

    fn list(&self, surface: &mut Surface<'_>) {
        self.heading(surface, "How it works");
        let points = [
            "The presenter's picture is fetched once",
            "It is compressed once, and the bytes fit everybody",
            "Each viewer passes them on to two others",
            "A slow viewer skips frames and holds up no one",
            "Who comes late gets the whole picture at once",
            "Ordinary VNC viewers may look on at any node",
        ];
        for (number, point) in (0u16..).zip(points) {
            let y = 205.0 + 68.0 * f32::from(number);
            surface.disc(self.at(80.0, y - 11.0), self.scale.px(7.0), ORANGE);
            self.say(surface, (112.0, y), 31.0, point, INK);
        }
    }

    fn tree(&self, surface: &mut Surface<'_>) {
        self.heading(surface, "Who sends to whom");
        let place = |slot: u16| {
            let level = slot.saturating_add(1).ilog2();
            let (first, count) = ((1u16 << level) - 1, f32::from(1u16 << level));
            let down = f32::from(u16::try_from(level).unwrap_or(0));
            self.at(60.0 + 1016.0 * (f32::from(slot - first) + 0.5) / count, 205.0 + 112.0 * down)
        };
        for slot in 1..15 {
            surface.line(place((slot - 1) / 2), place(slot), self.scale.px(3.0), 0x00b4_c3d1);
        }
        for slot in 0..15 {
            let (x, y) = place(slot);
            let (fill, ink) = if slot == 0 { (BLUE, 0x00ff_ffff) } else { (PALE, INK) };
            surface.disc((x, y), self.scale.px(31.0), BLUE);
            surface.disc((x, y), self.scale.px(28.0), fill);
            surface.centred(Face::Sans, (x, y + self.scale.px(8.0)), self.scale.px(22.0), &slot.to_string(), ink);
        }
        let caption = "Slot n hangs on slot (n - 1) / 2: the root sends twice, whatever the audience";
        self.say(surface, (64.0, 606.0), 21.0, caption, SOFT);
    }

    fn chart(&self, surface: &mut Surface<'_>) {
        self.heading(surface, "Copies sent from one machine");
        for step in 0..=4u16 {
            let y = 530.0 - 90.0 * f32::from(step);
            surface.fill(self.block(130.0, y, 900.0, 2.0), 0x00e2_e0d8);
            self.say(surface, (84.0, y + 8.0), 20.0, &(step * 10).to_string(), SOFT);
        }
        for (column, viewers) in (0u16..).zip([1u16, 5, 10, 20, 40]) {
            let x = 175.0 + 172.0 * f32::from(column);
            let bar = |copies: u16| 9.0 * f32::from(copies);
            surface.rounded(self.block(x, 530.0 - bar(viewers), 56.0, bar(viewers)), self.scale.px(4.0), BLUE);
            let tree = viewers.min(2);
            surface.rounded(self.block(x + 64.0, 530.0 - bar(tree), 56.0, bar(tree)), self.scale.px(4.0), ORANGE);
            surface.centred(Face::Sans, self.at(x + 60.0, 566.0), self.scale.px(22.0), &viewers.to_string(), INK);
        }
        self.say(surface, (1044.0, 566.0), 20.0, "viewers", SOFT);
        self.legend(surface, 210.0, BLUE, "one VNC server for all");
        self.legend(surface, 250.0, ORANGE, "the busiest node of a tree");
    }

    fn legend(&self, surface: &mut Surface<'_>, y: f32, colour: u32, text: &str) {
        surface.rounded(self.block(180.0, y - 18.0, 24.0, 22.0), self.scale.px(4.0), colour);
        self.say(surface, (216.0, y), 23.0, text, INK);
    }

    /// The place in the lecture: one dot per page.
    fn dots(&self, surface: &mut Surface<'_>, page: u64) {
        for (dot, x) in (0..PAGES).zip([1000.0, 1026.0, 1052.0, 1078.0]) {
            surface.disc(self.at(x, 606.0), self.scale.px(6.0), if dot == page { ORANGE } else { 0x00c3_cbd4 });
        }
    }
}

impl Part for Slides {
    fn area(&self) -> Rect {
        self.area
    }

    fn advance(&mut self, at: Duration) -> Vec<Rect> {
        let now = at.as_secs() / PAGE.as_secs() % PAGES;
        if self.page.replace(now) == Some(now) { Vec::new() } else { vec![self.area] }
    }

    fn draw(&self, surface: &mut Surface<'_>) {
        let page = self.page.unwrap_or(0);
        match page {
            0 => self.title(surface),
            1 => self.list(surface),
            2 => self.tree(surface),
            _ => self.chart(surface),
        }
        self.dots(surface, page);
    }
}
