//! The painter's promises: the same seed and time give the same picture, and the damage tells all that changed.

use super::*;

fn size(width: u16, height: u16) -> Size {
    Size::new(width, height).unwrap()
}

fn painted(size: Size, seed: u64, at: Duration) -> Framebuffer {
    let mut picture = Framebuffer::new(size);
    assert_eq!(Scene::new(size, seed).paint(at, &mut picture), [size.rect()]);
    picture
}

/// Times that meet every kind of change: small steps, page flips, the end of the typed text, a jump, a step back.
fn times() -> impl Iterator<Item = Duration> {
    let steps = (0..150).map(|n| n * 33).chain((0..120).map(|n| 4_900 + n * 217)).chain([90_000, 90_010, 7, 3_600_000]);
    steps.map(Duration::from_millis)
}

#[test]
fn painting_step_by_step_gives_the_picture_that_painting_at_once_gives() {
    let size = size(480, 270);
    let mut scene = Scene::new(size, 3);
    let mut picture = Framebuffer::new(size);
    for (step, at) in times().enumerate() {
        scene.paint(at, &mut picture);
        if step % 8 == 0 || at.as_millis() < 10 || at.as_secs() > 50 {
            assert!(picture == painted(size, 3, at), "at {at:?}");
        }
    }
}

#[test]
fn what_changes_lies_within_the_damage_and_the_damage_within_the_screen() {
    let size = size(481, 273);
    let mut scene = Scene::new(size, 5);
    let mut picture = Framebuffer::new(size);
    scene.paint(Duration::ZERO, &mut picture);
    for at in times() {
        let mut before = picture.clone();
        let damage = scene.paint(at, &mut picture);
        for rect in damage {
            assert!(rect.is_within(size) && !rect.is_empty(), "{rect} at {at:?}");
            before.copy_rect_from(&picture, rect);
        }
        assert!(before == picture, "a change outside the damage at {at:?}");
    }
}

#[test]
fn the_same_time_again_is_no_damage() {
    let size = size(640, 360);
    let mut scene = Scene::new(size, 1);
    let mut picture = Framebuffer::new(size);
    for at in times().take(20) {
        scene.paint(at, &mut picture);
        assert_eq!(scene.paint(at, &mut picture), []);
        assert_eq!(scene.paint(at + Duration::from_micros(900), &mut picture), []);
    }
}

#[test]
fn a_step_of_a_frame_repaints_little_and_a_page_flip_much() {
    let size = size(1280, 720);
    let mut scene = Scene::new(size, 1);
    let mut picture = Framebuffer::new(size);
    let mut area = |at: u64| scene.paint(Duration::from_millis(at), &mut picture).iter().map(|rect| rect.area()).sum::<usize>();
    area(4_900);
    assert!(area(4_933) < size.area() / 8);
    assert!(area(5_000) > size.area() / 3);
}

#[test]
fn seeds_differ_and_every_page_differs() {
    let size = size(640, 360);
    assert!(painted(size, 1, Duration::ZERO) != painted(size, 2, Duration::ZERO));
    let pages: Vec<_> = (0..4).map(|page| painted(size, 1, Duration::from_secs(5 * page))).collect();
    let slide = Scale::new(size).slides();
    for (one, other) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
        assert!((0..slide.height).any(|row| pages[one].row(slide, row) != pages[other].row(slide, row)));
    }
}

#[test]
fn parts_keep_apart_on_common_screens() {
    for size in [size(1920, 1080), size(1280, 720), size(1366, 768), size(1024, 768), size(2560, 1440)] {
        let scene = Scene::new(size, 1);
        for (index, part) in scene.parts.iter().enumerate() {
            assert!(part.area().is_within(size));
            assert!(scene.parts.iter().skip(index + 1).all(|other| part.area().intersection(other.area()).is_none()));
        }
    }
}

#[test]
fn odd_screens_are_painted_without_harm() {
    for size in [size(1, 1), size(3, 200), size(200, 2), size(3_000, 7), size(97, 101)] {
        let mut scene = Scene::new(size, 9);
        let mut picture = Framebuffer::new(size);
        for at in times().step_by(17) {
            assert!(scene.paint(at, &mut picture).iter().all(|rect| rect.is_within(size)));
        }
    }
}

#[test]
fn a_framebuffer_of_another_size_is_left_alone() {
    let mut picture = Framebuffer::new(size(100, 100));
    assert_eq!(Scene::new(size(200, 100), 1).paint(Duration::ZERO, &mut picture), []);
    assert!(picture == Framebuffer::new(size(100, 100)));
}
