//! A node's throughput on loopback: a source's port, a link to a node, the node's own log, and two children. Every update is read,
//! checked, allocated, appended and written twice; source, node and both children share this machine.
#![allow(missing_docs, clippy::print_stdout, reason = "criterion makes undocumented items; a bench reports on standard output")]

use bytes::{BufMut, Bytes, BytesMut};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::log::Cursor;
use treevnc_protocol::tiles::TileGrid;
use treevnc_protocol::tree::pulse::PulseConfig;
use treevnc_protocol::update::{Content, ENCODING_ZRLE, Picture, Screen, Seq, SessionId, Update};
use treevnc_relay::link::{Gauge, Incoming, LinkError, TreeLink, dial, serve_child};
use treevnc_relay::port::{Port, PortOptions, TreeService};
use treevnc_relay::shared_log::{ReaderKind, SharedLog};

const SESSION: SessionId = SessionId(1);
/// Each paints a tile of its own, so none is skipped.
const UPDATES: u64 = 4000;
const DATA_BYTES: u32 = 32 * 1024;

struct Parent(SharedLog);

impl TreeService for Parent {
    async fn serve(&self, link: TreeLink, _peer: SocketAddr) {
        let (_control, lane) = mpsc::channel(1);
        let (incoming, _heard) = mpsc::channel(1);
        // Nobody beats here, and nobody expects it.
        let never = Duration::from_secs(3600);
        let times = PulseConfig { interval: never, no_progress: never, ..PulseConfig::default() };
        let gauge = Gauge::new(&link, times, watch::Sender::new(0).subscribe());
        let reader = self.0.reader(ReaderKind::Child, Cursor::new(SESSION, Seq::NONE));
        serve_child(link, reader, &gauge, lane, incoming).await;
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn serve(log: &SharedLog) -> Result<(SocketAddr, JoinHandle<()>), Failure> {
    let port = Port::bind(&[(Ipv4Addr::LOCALHOST, 0).into()])?;
    let addr = port.local_addr()?;
    Ok((addr, tokio::spawn(port.run(log.clone(), Arc::new(Parent(log.clone())), PortOptions::default()))))
}

/// Appends what a link brings until everything is there.
async fn take_in(mut link: TreeLink, log: SharedLog) -> Result<(), LinkError> {
    while log.with(|log| log.head()) < Seq(UPDATES) {
        if let Incoming::Update(update, until) = link.read().await? {
            log.append(update, until)?;
        }
    }
    Ok(())
}

/// Reads everything; bytes of pictures.
async fn count(mut link: TreeLink) -> Result<u64, LinkError> {
    let mut bytes = 0;
    loop {
        if let Incoming::Update(update, _) = link.read().await? {
            if let Content::Picture(picture) = &update.content {
                bytes += picture.rects().len() as u64;
            }
            if update.seq == Seq(UPDATES) {
                return Ok(bytes);
            }
        }
    }
}

fn pictures() -> Result<Vec<Picture>, Failure> {
    let grid = TileGrid::new(screen()?);
    let data = Bytes::from(vec![0x5a; DATA_BYTES as usize]);
    let picture = |tile| {
        let rect = grid.tile(tile);
        let mut out = BytesMut::new();
        [rect.x, rect.y, rect.width, rect.height].into_iter().for_each(|field| out.put_u16(field));
        out.put_i32(ENCODING_ZRLE);
        out.put_u32(DATA_BYTES);
        out.put_slice(&data);
        Picture::new(1, out.freeze())
    };
    Ok((0..grid.tile_count()).map(picture).collect())
}

fn screen() -> Result<Size, Failure> {
    Ok(Size::new(16_384, 2048)?)
}

/// One run: how long until both children have everything.
async fn run(pictures: &[Picture]) -> Result<Duration, Failure> {
    let (source, node) = (SharedLog::new(SESSION), SharedLog::new(SESSION));
    let ((source_addr, source_port), (node_addr, node_port)) = (serve(&source)?, serve(&node)?);
    let limit = Duration::from_secs(10);
    let up = dial(source_addr, limit).await?;
    let children = [tokio::spawn(count(dial(node_addr, limit).await?)), tokio::spawn(count(dial(node_addr, limit).await?))];
    let relaying = tokio::spawn(take_in(up, node));
    let start = Instant::now();
    for seq in 1..=UPDATES {
        let content = match seq {
            1 => Content::Screen(Screen { size: screen()?, name: String::new() }),
            _ => Content::Picture(pictures[usize::try_from(seq)?].clone()),
        };
        let update = Update { seq: Seq(seq), sent: Duration::ZERO, check: false, content };
        source.append(update, Seq(UPDATES))?;
    }
    for child in children {
        assert_eq!(child.await??, (UPDATES - 1) * (u64::from(DATA_BYTES) + 16), "a child got everything");
    }
    let elapsed = start.elapsed();
    relaying.await??;
    source_port.abort();
    node_port.abort();
    Ok(elapsed)
}

fn measure(runtime: &Runtime, pictures: &[Picture], times: u64) -> Duration {
    let once = || match runtime.block_on(run(pictures)) {
        Ok(elapsed) => elapsed,
        Err(error) => unreachable!("{error}"),
    };
    (0..times).map(|_| once()).sum()
}

fn throughput(c: &mut Criterion) {
    let (Ok(runtime), Ok(pictures)) = (Builder::new_multi_thread().worker_threads(2).enable_all().build(), pictures()) else {
        unreachable!("no runtime or no pictures")
    };
    let bytes = UPDATES * u64::from(DATA_BYTES);
    let elapsed = measure(&runtime, &pictures, 1).as_secs_f64();
    let gbit = |bytes: u64| bytes as f64 * 8e-9 / elapsed;
    println!("a node passes on {:.1} Gbit/s in, {:.1} Gbit/s out", gbit(bytes), gbit(2 * bytes));
    let mut group = c.benchmark_group("relay");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Bytes(bytes));
    group.bench_function("one link in, two out", |b| b.iter_custom(|times| measure(&runtime, &pictures, times)));
}

criterion_group!(benches, throughput);
criterion_main!(benches);
