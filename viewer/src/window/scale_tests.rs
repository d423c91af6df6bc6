//! Copies, nearest neighbour against the plain formula, and the filter on pictures whose result is known.
#![allow(clippy::cast_possible_truncation)]

use super::*;
use treevnc_protocol::geometry::Size;

const BACKGROUND: u32 = 0x00AA_AAAA;

fn noise(width: u16, height: u16) -> Framebuffer {
    let mut fb = Framebuffer::new(Size::new(width, height).unwrap());
    let mut state = 1_u32;
    for pixel in fb.pixels_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *pixel = state >> 8;
    }
    fb
}

fn drawn(picture: &Framebuffer, width: usize, height: usize, placed: Placement, smooth: bool) -> Vec<u32> {
    let mut pixels = vec![BACKGROUND; width * height];
    Scaler::default().draw(picture, &mut Target { pixels: &mut pixels, width }, placed, smooth);
    pixels
}

fn whole(picture: &Framebuffer) -> Area {
    Area::new(0, 0, picture.size().width().into(), picture.size().height().into())
}

#[test]
fn an_equal_size_is_an_identical_copy_in_both_modes() {
    let picture = noise(65, 33);
    for smooth in [true, false] {
        let placed = Placement { source: whole(&picture), target: whole(&picture) };
        assert_eq!(drawn(&picture, 65, 33, placed, smooth), picture.pixels());
    }
}

#[test]
fn a_part_is_copied_to_its_place_and_nothing_else_is_touched() {
    let picture = noise(50, 40);
    let placed = Placement { source: Area::new(7, 9, 20, 10), target: Area::new(3, 5, 20, 10) };
    let pixels = drawn(&picture, 30, 20, placed, true);
    for y in 0..20_usize {
        for x in 0..30_usize {
            let inside = (3..23).contains(&x) && (5..15).contains(&y);
            let expected = if inside { picture.pixels()[(y - 5 + 9) * 50 + x - 3 + 7] } else { BACKGROUND };
            assert_eq!(pixels[y * 30 + x], expected, "{x},{y}");
        }
    }
}

#[test]
fn nearest_takes_the_pixel_under_each_centre() {
    let picture = noise(37, 23);
    for (width, height) in [(74, 46), (80, 11), (12, 100), (36, 22), (1, 1)] {
        let placed = Placement { source: whole(&picture), target: Area::new(2, 1, width, height) };
        let pixels = drawn(&picture, 110, 110, placed, false);
        for y in 0..110_i32 {
            for x in 0..110_i32 {
                let index =
                    |at: i32, length: i32, source: f64| ((f64::from(at) + 0.5) / f64::from(length) * source).floor() as usize;
                let expected = if placed.target.contains((x, y)) {
                    picture.pixels()[index(y - 1, height, 23.0) * 37 + index(x - 2, width, 37.0)]
                } else {
                    BACKGROUND
                };
                assert_eq!(pixels[y as usize * 110 + x as usize], expected, "{x},{y} of {width}x{height}");
            }
        }
    }
}

#[test]
fn the_filter_keeps_a_solid_colour_solid_and_stays_in_its_place() {
    let mut picture = Framebuffer::new(Size::new(90, 70).unwrap());
    picture.pixels_mut().fill(0x0012_80F3);
    for (width, height) in [(45, 35), (61, 47), (180, 140), (133, 99), (90, 35)] {
        let placed = Placement { source: whole(&picture), target: Area::new(4, 6, width, height) };
        let pixels = drawn(&picture, 200, 160, placed, true);
        for (index, &pixel) in pixels.iter().enumerate() {
            let inside = placed.target.contains(((index % 200) as i32, (index / 200) as i32));
            assert_eq!(pixel, if inside { 0x0012_80F3 } else { BACKGROUND }, "{index} of {width}x{height}");
        }
    }
}

#[test]
fn halving_is_the_mean_of_four_and_doubling_repeats() {
    let picture = noise(16, 8);
    let half = drawn(&picture, 8, 4, Placement { source: whole(&picture), target: Area::new(0, 0, 8, 4) }, true);
    let at = |x: usize, y: usize, shift: u32| f64::from(picture.pixels()[y * 16 + x] >> shift & 0xFF);
    for (index, pixel) in half.iter().enumerate() {
        let (x, y) = (index % 8 * 2, index / 8 * 2);
        for shift in [0, 8, 16] {
            let mean = (at(x, y, shift) + at(x + 1, y, shift) + at(x, y + 1, shift) + at(x + 1, y + 1, shift)) / 4.0;
            assert!((f64::from(pixel >> shift & 0xFF) - mean).abs() <= 1.0, "{index}");
        }
        assert_eq!(pixel >> 24, 0, "the upper byte stays zero");
    }
    let double = drawn(&picture, 32, 16, Placement { source: whole(&picture), target: Area::new(0, 0, 32, 16) }, true);
    assert!((0..32 * 16).all(|index| double[index] == picture.pixels()[index / 32 / 2 * 16 + index % 32 / 2]));
}

#[test]
fn placements_outside_draw_nothing() {
    let picture = noise(20, 20);
    for (source, target) in [
        (Area::new(10, 0, 11, 5), Area::new(0, 0, 11, 5)),
        (Area::new(0, 0, 20, 20), Area::new(15, 0, 20, 10)),
        (Area::new(-1, 0, 5, 5), Area::new(0, 0, 9, 9)),
        (Area::new(0, 0, 5, 5), Area::new(0, 0, 0, 9)),
    ] {
        assert!(drawn(&picture, 30, 20, Placement { source, target }, true).iter().all(|&pixel| pixel == BACKGROUND));
    }
}
