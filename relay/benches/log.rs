//! Publishing a frame of thirty updates and giving it to 1, 10 and 1000 readers that keep up, without sockets.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use bytes::{BufMut, BytesMut};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::log::Cursor;
use treevnc_protocol::tiles::{TILE_PX, TileGrid};
use treevnc_protocol::update::{Content, ENCODING_ZRLE, Picture, Screen, Seq, SessionId, Update};
use treevnc_relay::shared_log::{LogReader, ReaderKind, SharedLog};

const SESSION: SessionId = SessionId(1);
const UPDATES: u16 = 30;
const DATA_BYTES: u32 = 32 * 1024;

/// A full screen of 1920x1088 as thirty updates of seventeen tiles each.
struct Frames {
    log: SharedLog,
    pictures: Vec<Picture>,
    head: u64,
}

impl Frames {
    fn new() -> Self {
        let grid = TileGrid::new(size());
        let picture = |column: u16| {
            let rect = grid.block(column, 0, 1, grid.rows());
            let mut out = BytesMut::new();
            [rect.x, rect.y, rect.width, rect.height].into_iter().for_each(|field| out.put_u16(field));
            out.put_i32(ENCODING_ZRLE);
            out.put_u32(DATA_BYTES);
            out.put_bytes(0, DATA_BYTES as usize);
            Picture::new(1, out.freeze())
        };
        let mut frames = Self { log: SharedLog::new(SESSION), pictures: (0..UPDATES).map(picture).collect(), head: 0 };
        frames.append(Content::Screen(Screen { size: size(), name: String::new() }), false);
        frames
    }

    fn append(&mut self, content: Content, is_last: bool) {
        self.head += 1;
        let seq = Seq(self.head);
        let update = Update { seq, sent: Duration::ZERO, check: false, content };
        let is_new = self.log.append(update, if is_last { seq } else { Seq::NONE });
        assert_eq!(is_new, Ok(true));
    }

    fn publish(&mut self) {
        for at in 0..self.pictures.len() {
            let picture = self.pictures[at].clone();
            self.append(Content::Picture(picture), at + 1 == self.pictures.len());
        }
    }
}

fn size() -> Size {
    let side = |tiles: u16| tiles * TILE_PX;
    match Size::new(side(UPDATES), side(17)) {
        Ok(size) => size,
        Err(error) => unreachable!("{error}"),
    }
}

/// Takes everything there is; the number of updates.
fn drain(reader: &mut LogReader) -> usize {
    let mut updates = 0;
    while let Some(batch) = reader.try_next() {
        updates += batch.entries.len();
        reader.sent(&batch);
    }
    updates
}

fn publish_and_read(c: &mut Criterion) {
    let mut group = c.benchmark_group("log");
    for count in [1, 10, 1000] {
        let mut frames = Frames::new();
        let newcomer = || frames.log.reader(ReaderKind::Child, Cursor::new(SESSION, Seq::NONE));
        let mut readers: Vec<_> = (0..count).map(|_| newcomer()).collect();
        frames.publish();
        for reader in &mut readers {
            assert_eq!(drain(reader), usize::from(UPDATES) + 1, "the screen and every update");
        }
        group.throughput(Throughput::Elements(count * u64::from(UPDATES)));
        group.bench_function(BenchmarkId::new("publish a frame and read it", count), |b| {
            b.iter(|| {
                frames.publish();
                for reader in &mut readers {
                    assert_eq!(drain(reader), usize::from(UPDATES));
                }
            });
        });
    }
}

criterion_group!(benches, publish_and_read);
criterion_main!(benches);
