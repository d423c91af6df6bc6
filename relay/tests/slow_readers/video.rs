//! A full-screen video of pictures that nobody decodes: each update says in every byte which frame it is of.

use bytes::{BufMut, BytesMut};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use treevnc_protocol::geometry::Size;
use treevnc_protocol::log::{Cursor, ScreenLog};
use treevnc_protocol::tiles::{TILE_PX, TileGrid};
use treevnc_protocol::tree::pulse::PulseConfig;
use treevnc_protocol::update::{Content, ENCODING_ZRLE, Picture, Screen, Seq, SessionId, Update};
use treevnc_relay::link::{Gauge, TreeLink, serve_child};
use treevnc_relay::port::TreeService;
use treevnc_relay::shared_log::{ReaderKind, SharedLog};

pub const SESSION: SessionId = SessionId(1);
const UPDATES: usize = 30;
const DATA_BYTES: usize = 32 * 1024;
/// What a frame costs in a log, rounded up.
pub const FRAME_BYTES: usize = UPDATES * (DATA_BYTES + 100);

pub struct Video {
    pub log: SharedLog,
    pub frame: u64,
    grid: TileGrid,
}

impl Video {
    pub fn new() -> Self {
        let height = TILE_PX * u16::try_from(UPDATES).unwrap();
        let grid = TileGrid::new(Size::new(TILE_PX, height).unwrap());
        let video = Self { log: SharedLog::new(SESSION), frame: 0, grid };
        video.append(Content::Screen(Screen { size: grid.size(), name: String::new() }), false);
        video
    }

    fn append(&self, content: Content, is_last: bool) -> Seq {
        let seq = Seq(self.log.with(|log| log.head()).0 + 1);
        let update = Update { seq, sent: Duration::ZERO, check: false, content };
        self.log.append(update, if is_last { seq } else { Seq::NONE }).unwrap();
        seq
    }

    /// Publishes the next frame; its complete point.
    pub fn publish(&mut self) -> Seq {
        self.frame += 1;
        let mut last = Seq::NONE;
        for tile in 0..UPDATES {
            let rect = self.grid.tile(tile);
            let mut out = BytesMut::with_capacity(DATA_BYTES + 16);
            [rect.x, rect.y, rect.width, rect.height].into_iter().for_each(|field| out.put_u16(field));
            out.put_i32(ENCODING_ZRLE);
            out.put_u32(u32::try_from(DATA_BYTES).unwrap());
            (0..DATA_BYTES / 8).for_each(|_| out.put_u64(self.frame));
            last = self.append(Content::Picture(Picture::new(1, out.freeze())), tile + 1 == UPDATES);
        }
        last
    }
}

/// The frame that a log shows at its complete point; `None` when it is of several.
pub fn frame_shown(log: &ScreenLog) -> Option<u64> {
    let frames: Vec<u64> = log.live().filter_map(|entry| frame_of(&entry.update().content)).collect();
    let first = *frames.first()?;
    (frames.len() == UPDATES && frames.iter().all(|&frame| frame == first)).then_some(first)
}

fn frame_of(content: &Content) -> Option<u64> {
    let Content::Picture(picture) = content else { return None };
    let (_, data) = picture.iter().next()?;
    Some(u64::from_be_bytes(data[..8].try_into().unwrap()))
}

/// Serves every link as a child that has nothing yet.
pub struct Parent(pub SharedLog);

impl TreeService for Parent {
    async fn serve(&self, link: TreeLink, _peer: SocketAddr) {
        let (_control, lane) = mpsc::channel(1);
        let (incoming, _heard) = mpsc::channel(1);
        let reader = self.0.reader(ReaderKind::Child, Cursor::new(SESSION, Seq::NONE));
        // Nobody beats here, and nobody expects it.
        let never = Duration::from_secs(3600);
        let times = PulseConfig { interval: never, no_progress: never, ..PulseConfig::default() };
        let gauge = Gauge::new(&link, times, watch::Sender::new(0).subscribe());
        serve_child(link, reader, &gauge, lane, incoming).await;
    }
}
