//! Speed of the picture codec on recorded screens, one thread: tiles alone, whole encoder, decoder, and the RGB form. What is
//! measured is first checked to give back the same pixels. `cargo bench -p treevnc-protocol --bench codec`.
#![allow(clippy::print_stdout, clippy::expect_used, missing_docs, reason = "a command-line tool")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::pixel::PixelFormat;
use treevnc_protocol::tiles::{TileGrid, TileSet};
use treevnc_protocol::update::Picture;
use treevnc_protocol::zrle::{Decoder, Encoder, recode};

/// A picture and the tiles of it to encode.
struct Scene {
    name: String,
    picture: Framebuffer,
    tiles: TileSet,
}

impl Scene {
    fn full(name: &str, picture: Framebuffer) -> Self {
        Self { name: name.to_owned(), tiles: TileSet::full(TileGrid::new(picture.size())), picture }
    }

    fn pixels(&self) -> u64 {
        let grid = self.tiles.grid();
        self.tiles.iter().map(|tile| grid.tile(tile).area() as u64).sum()
    }

    fn encode(&self, encoder: &mut Encoder) -> Vec<Picture> {
        let mut updates = Vec::new();
        encoder.encode(&self.picture, &self.tiles, &mut |update| updates.push(update));
        updates
    }
}

/// The last frame of every recording, what changed in the last step of some, a solid screen and noise.
fn scenes() -> Vec<Scene> {
    let size = Size::new(1920, 1080).expect("a legal size");
    let mut noise = Framebuffer::new(size);
    let mut state = 1u32;
    noise.pixels_mut().iter_mut().for_each(|pixel| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *pixel = state >> 8;
    });
    let mut scenes = vec![Scene::full("solid", Framebuffer::new(size)), Scene::full("noise", noise)];
    for name in treevnc_recording::CLIPS {
        let frame = treevnc_recording::clip(name).expect("a recording").last().expect("a frame").expect("a whole recording");
        if ["typing", "video", "terminal"].contains(&name) {
            scenes.push(Scene { name: format!("{name}-step"), picture: frame.picture.clone(), tiles: frame.changed });
        }
        scenes.push(Scene::full(name, frame.picture));
    }
    scenes
}

/// Asserts that the updates give back the pixels, and says what they weigh.
fn check(scene: &Scene, updates: &[Picture]) {
    let mut decoder = Decoder::new();
    let mut found = Framebuffer::new(scene.picture.size());
    updates.iter().for_each(|update| decoder.decode(update, &mut found).expect("our own update"));
    let grid = scene.tiles.grid();
    assert!(found.changed_tiles(&scene.picture, &scene.tiles).is_empty(), "{} comes back different", scene.name);
    let (bytes, tile_bytes): (usize, usize) =
        (updates.iter().map(|update| update.rects().len()).sum(), Encoder::new().tile_bytes(&scene.picture, &scene.tiles));
    let count: usize = updates.iter().map(|update| usize::from(update.count())).sum();
    println!(
        "{}: {} tiles of {} are {tile_bytes} tile bytes, {bytes} bytes in {} updates of {count} rectangles",
        scene.name,
        scene.tiles.len(),
        grid.tile_count(),
        updates.len(),
    );
}

fn codec(criterion: &mut Criterion) {
    let rgb = PixelFormat { red_shift: 0, blue_shift: 16, ..PixelFormat::NATIVE };
    for scene in scenes() {
        let mut encoder = Encoder::new();
        // The second time, when the encoder knows the content, is the usual case.
        scene.encode(&mut encoder);
        let updates = scene.encode(&mut encoder);
        check(&scene, &updates);
        let mut group = criterion.benchmark_group(&scene.name);
        group.throughput(Throughput::Elements(scene.pixels()));
        group.bench_function("tiles", |bench| bench.iter(|| encoder.tile_bytes(&scene.picture, &scene.tiles)));
        group.bench_function("encode", |bench| {
            bench.iter(|| encoder.encode(&scene.picture, &scene.tiles, &mut |update| drop(black_box(update))));
        });
        let mut decoder = Decoder::new();
        let mut target = Framebuffer::new(scene.picture.size());
        group.bench_function("decode", |bench| {
            bench.iter(|| updates.iter().for_each(|update| decoder.decode(update, &mut target).expect("our own update")));
        });
        group.bench_function("recode", |bench| {
            let again = |update| drop(black_box(recode(update, scene.picture.size(), &rgb).expect("our own update")));
            bench.iter(|| updates.iter().for_each(again));
        });
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
