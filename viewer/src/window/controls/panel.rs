//! The panel in which a person chooses what to share: a small map of the displays, "All displays" and "Cancel".

use super::{Command, ControlSize, Spot};
use crate::picture::Offer;
use crate::window::layout::Area;
use treevnc_protocol::geometry::Rect;

/// A display smaller than this on the map cannot be read: then all get tiles of one size, in pixels at 100 percent.
const SMALLEST_TILE: (i32, i32) = (56, 40);

/// One display on the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Counted from 0 in the order of the list.
    pub(crate) index: usize,
    pub(crate) area: Area,
}

/// Where the panel's parts are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Panel {
    pub(crate) area: Area,
    pub(crate) heading: Area,
    pub(crate) tiles: Vec<Tile>,
    /// The tiles in their order, all displays, cancel: the order of the keyboard, too.
    pub(crate) spots: Vec<Spot>,
}

/// Lays out the panel in the middle of a window.
pub(crate) fn panel(window: Area, size: ControlSize, offers: &[Offer], measure: impl Fn(&str) -> i32) -> Panel {
    let (pad, line, button) = (size.px(20), size.px(26), size.px(32));
    let room = Area { y: size.bar_height(), height: window.height - size.bar_height(), ..window };
    let width = size.px(560).min(room.width - 2 * size.px(8));
    let chrome = pad + line + size.px(12) + size.px(16) + button + pad;
    let map_height = size.px(210).min(room.height - chrome - 2 * size.px(8)).max(size.px(40));
    let area = room.centred(width, chrome + map_height);
    let heading = Area::new(area.x + pad, area.y + pad, width - 2 * pad, line);
    let map = Area::new(heading.x, heading.bottom() + size.px(12), heading.width, map_height);
    let tiles = tiles(map, size, offers);
    let row = Area::new(map.x, map.bottom() + size.px(16), map.width, button);
    let width_of = |command: Command| measure(command.button()) + measure(command.shortcut()) + size.px(10) + 2 * size.px(16);
    let all = Area { width: width_of(Command::AllDisplays), ..row };
    let cancel_width = width_of(Command::CloseDisplays);
    let cancel = Area { x: row.right() - cancel_width, width: cancel_width, ..row };
    let mut spots: Vec<_> = tiles.iter().map(|tile| Spot { command: Command::Display(tile.index), area: tile.area }).collect();
    spots.push(Spot { command: Command::AllDisplays, area: all });
    spots.push(Spot { command: Command::CloseDisplays, area: cancel });
    Panel { area, heading, tiles, spots }
}

/// The displays as they stand beside each other; in rows of equal tiles where they overlap or would be too small.
fn tiles(map: Area, size: ControlSize, offers: &[Offer]) -> Vec<Tile> {
    let gap = size.px(3);
    let placed = placed(map, offers).into_iter().map(|area| area.grown(-gap)).collect::<Vec<_>>();
    let readable = |area: &Area| area.width >= size.px(SMALLEST_TILE.0) && area.height >= size.px(SMALLEST_TILE.1);
    let apart = |(index, area): (usize, &Area)| placed[..index].iter().all(|other| !overlap(*area, *other));
    let good = placed.iter().all(readable) && placed.iter().enumerate().all(apart);
    let areas = if good { placed } else { rows(map, size, offers.len()) };
    areas.into_iter().enumerate().map(|(index, area)| Tile { index, area }).collect()
}

/// The displays' places, scaled to fit and centred.
fn placed(map: Area, offers: &[Offer]) -> Vec<Area> {
    let sides = |rect: Rect| {
        let (left, top) = (i64::from(rect.x), i64::from(rect.y));
        [left, top, left + i64::from(rect.width), top + i64::from(rect.height)]
    };
    let rects = offers.iter().map(|offer| sides(offer.rect)).collect::<Vec<_>>();
    let least = |side: usize| rects.iter().map(|rect| rect[side]).min().unwrap_or(0);
    let most = |side: usize| rects.iter().map(|rect| rect[side]).max().unwrap_or(0);
    let (left, top) = (least(0), least(1));
    let (width, height) = ((most(2) - left).max(1), (most(3) - top).max(1));
    let (room_width, room_height) = (i64::from(map.width), i64::from(map.height));
    // The scale is numerator / denominator: whichever side is the tighter one.
    let (numerator, denominator) =
        if room_width * height <= room_height * width { (room_width, width) } else { (room_height, height) };
    let scaled = |length: i64| i32::try_from(length * numerator / denominator).unwrap_or(0);
    let origin = map.centred(scaled(width), scaled(height));
    let area = |[x0, y0, x1, y1]: &[i64; 4]| {
        let (x, y) = (scaled(x0 - left), scaled(y0 - top));
        Area::new(origin.x + x, origin.y + y, scaled(x1 - left) - x, scaled(y1 - top) - y)
    };
    rects.iter().map(area).collect()
}

/// Equal tiles, as near to 16:10 as the room allows.
fn rows(map: Area, size: ControlSize, count: usize) -> Vec<Area> {
    let count = i32::try_from(count).unwrap_or(1).max(1);
    let gap = size.px(6);
    let tile = |columns: i32| {
        let rows = (count + columns - 1) / columns;
        let (width, height) = ((map.width - (columns - 1) * gap) / columns, (map.height - (rows - 1) * gap) / rows);
        (width.min(height * 8 / 5).max(1), height.min(width * 5 / 8).max(1), columns)
    };
    let (width, height, columns) = (1..=count).map(tile).max_by_key(|(width, ..)| *width).unwrap_or((1, 1, 1));
    let rows = (count + columns - 1) / columns;
    let block = map.centred(columns * (width + gap) - gap, rows * (height + gap) - gap);
    let place = |index: i32| {
        Area::new(block.x + index % columns * (width + gap), block.y + index / columns * (height + gap), width, height)
    };
    (0..count).map(place).collect()
}

fn overlap(a: Area, b: Area) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::controls::{command_at, seven_per_letter as measure};

    const WINDOW: Area = Area { x: 0, y: 0, width: 1000, height: 700 };

    fn laid_out(window: Area, rects: &[(u16, u16, u16, u16)]) -> Panel {
        let offer = |&(x, y, width, height)| Offer { name: "".into(), rect: Rect::new(x, y, width, height), primary: false };
        panel(window, ControlSize::percent(100), &rects.iter().map(offer).collect::<Vec<_>>(), measure)
    }

    #[test]
    fn the_map_looks_like_the_displays() {
        let panel = laid_out(WINDOW, &[(1280, 0, 640, 1080), (0, 200, 1280, 720)]);
        let [right, left] = panel.tiles[..] else { panic!("{panel:?}") };
        assert!(left.area.right() <= right.area.x && left.area.y > right.area.y && left.area.bottom() < right.area.bottom());
        let aspect = |area: Area| area.width * 100 / area.height;
        assert!((aspect(left.area) - 178).abs() < 8 && (aspect(right.area) - 59).abs() < 4, "{panel:?}");
    }

    #[test]
    fn every_choice_is_found_at_its_centre_and_nothing_overlaps() {
        let eight = (0..8).map(|index| (index * 1920, 0, 1920, 1080)).collect::<Vec<_>>();
        for displays in [&[(0, 0, 800, 600), (800, 0, 800, 600)][..], &[(0, 0, 9, 9), (0, 0, 9, 9)], &eight, &[(0, 0, 0, 0)]] {
            for window in [WINDOW, Area { width: 320, height: 200, ..WINDOW }, Area { width: 300, height: 900, ..WINDOW }] {
                let panel = laid_out(window, displays);
                assert_eq!(panel.spots.len(), displays.len() + 2);
                for (index, spot) in panel.spots.iter().enumerate() {
                    let centre = (spot.area.x + spot.area.width / 2, spot.area.y + spot.area.height / 2);
                    assert_eq!(command_at(&panel.spots, centre), Some(spot.command), "{panel:?}");
                    assert!(panel.spots[..index].iter().all(|other| !overlap(spot.area, other.area)), "{panel:?}");
                    assert!(panel.area.contains(centre), "{panel:?}");
                }
            }
        }
    }
}
