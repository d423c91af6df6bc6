//! Where the picture stands in the window: geometry alone, in window pixels. Knows neither pixels' colours nor input.

use super::Zoom;

/// A rectangle in the window, in pixels; width and height are never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Area {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

impl Area {
    /// A rectangle from its corner and size; a negative size is an empty one.
    pub(crate) fn new(x: i32, y: i32, width: i32, height: i32) -> Self {
        Self { x, y, width: width.max(0), height: height.max(0) }
    }

    /// First column right of it.
    pub(crate) fn right(self) -> i32 {
        self.x.saturating_add(self.width)
    }

    /// First row below it.
    pub(crate) fn bottom(self) -> i32 {
        self.y.saturating_add(self.height)
    }

    /// Whether the pixel is inside.
    pub(crate) fn contains(self, (x, y): (i32, i32)) -> bool {
        (self.x..self.right()).contains(&x) && (self.y..self.bottom()).contains(&y)
    }

    /// The rectangle larger by `by` on every side, or smaller if negative.
    pub(crate) fn grown(self, by: i32) -> Self {
        Self::new(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)
    }

    /// A rectangle of that size in the middle of this one.
    pub(crate) fn centred(self, width: i32, height: i32) -> Self {
        Self::new(self.x + (self.width - width) / 2, self.y + (self.height - height) / 2, width, height)
    }

    /// Whether it holds no pixel.
    pub(crate) fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }
}

/// Which part of the picture goes where: equal sizes are a copy, others are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placement {
    /// Part of the picture, in its own pixels.
    pub(crate) source: Area,
    /// Place in the window.
    pub(crate) target: Area,
}

impl Placement {
    /// Whether pixels are copied one to one.
    pub(crate) fn is_copy(self) -> bool {
        (self.source.width, self.source.height) == (self.target.width, self.target.height)
    }
}

/// How far a picture can be scrolled in `room`: the largest column and row that may stand at the top left.
pub(crate) fn scroll_limit(picture: (i32, i32), room: Area) -> (i32, i32) {
    ((picture.0 - room.width).max(0), (picture.1 - room.height).max(0))
}

/// Places a picture in `room`. Fitted: as large as fits, aspect kept, centred. One to one: centred where the room is
/// larger, else from `scroll` on, which is held within [`scroll_limit`].
pub(crate) fn place(picture: (i32, i32), room: Area, zoom: Zoom, scroll: (i32, i32)) -> Placement {
    let (width, height) = picture;
    match zoom {
        Zoom::Fit => {
            let (fit_width, fit_height) = fitted(picture, room);
            Placement { source: Area::new(0, 0, width, height), target: room.centred(fit_width, fit_height) }
        }
        Zoom::OneToOne => {
            let limit = scroll_limit(picture, room);
            let (seen_width, seen_height) = (width.min(room.width), height.min(room.height));
            Placement {
                source: Area::new(scroll.0.clamp(0, limit.0), scroll.1.clamp(0, limit.1), seen_width, seen_height),
                target: room.centred(seen_width, seen_height),
            }
        }
    }
}

/// The largest size of the picture's aspect that fits, at least one pixel each way unless the room is empty.
fn fitted((width, height): (i32, i32), room: Area) -> (i32, i32) {
    if width <= 0 || height <= 0 || room.is_empty() {
        return (0, 0);
    }
    let scaled = |side: i32, to: i32, of: i32| {
        let rounded = (i64::from(side) * i64::from(to) + i64::from(of) / 2) / i64::from(of);
        i32::try_from(rounded).unwrap_or(i32::MAX).max(1)
    };
    if i64::from(room.width) * i64::from(height) <= i64::from(room.height) * i64::from(width) {
        (room.width, scaled(height, room.width, width).min(room.height))
    } else {
        (scaled(width, room.height, height).min(room.width), room.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Area = Area { x: 0, y: 36, width: 1280, height: 720 };

    #[test]
    fn a_picture_of_the_rooms_size_is_a_copy_either_way() {
        for zoom in [Zoom::Fit, Zoom::OneToOne] {
            let placed = place((1280, 720), ROOM, zoom, (99, 99));
            assert_eq!((placed.source, placed.target), (Area::new(0, 0, 1280, 720), ROOM));
            assert!(placed.is_copy());
        }
    }

    #[test]
    fn fitting_keeps_the_aspect_and_centres() {
        let wide = place((1920, 800), ROOM, Zoom::Fit, (0, 0)).target;
        assert_eq!(wide, Area::new(0, 36 + (720 - 533) / 2, 1280, 533));
        let tall = place((100, 800), ROOM, Zoom::Fit, (0, 0)).target;
        assert_eq!(tall, Area::new(595, 36, 90, 720));
    }

    #[test]
    fn fitting_stays_inside_and_nonempty_for_every_shape() {
        for picture in [(1, 1), (1, 16_384), (16_384, 1), (7680, 4320), (333, 777)] {
            for room in [Area::new(3, 4, 1, 1), Area::new(0, 0, 1, 999), Area::new(9, 9, 1279, 33), ROOM] {
                let target = place(picture, room, Zoom::Fit, (0, 0)).target;
                assert!(
                    target.x >= room.x
                        && target.y >= room.y
                        && target.right() <= room.right()
                        && target.bottom() <= room.bottom()
                );
                assert!(
                    !target.is_empty() && (target.width == room.width || target.height == room.height),
                    "{picture:?} {room:?}"
                );
            }
        }
        assert!(place((10, 10), Area::new(0, 36, 50, -6), Zoom::Fit, (0, 0)).target.is_empty());
    }

    #[test]
    fn scrolling_bumps_at_the_edges() {
        let at = |scroll| place((2000, 1000), ROOM, Zoom::OneToOne, scroll).source;
        assert_eq!(at((0, 0)), Area::new(0, 0, 1280, 720));
        assert_eq!(at((-50, i32::MIN)), at((0, 0)));
        assert_eq!(at((100, 50)), Area::new(100, 50, 1280, 720));
        assert_eq!(at((i32::MAX, 5000)), Area::new(720, 280, 1280, 720));
        assert_eq!(scroll_limit((2000, 600), ROOM), (720, 0));
    }

    #[test]
    fn one_to_one_centres_what_is_smaller_than_the_room() {
        let placed = place((640, 2000), ROOM, Zoom::OneToOne, (10, 100));
        assert_eq!(placed.source, Area::new(0, 100, 640, 720));
        assert_eq!(placed.target, Area::new(320, 36, 640, 720));
    }
}
