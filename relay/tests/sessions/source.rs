//! A root without a presenter: paints a picture, encodes what changed and appends it to a log; and a port that serves the log.

use bytes::{BufMut, BytesMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::log::Cursor;
use treevnc_protocol::tiles::{TileGrid, TileSet};
use treevnc_protocol::tree::message::Message;
use treevnc_protocol::tree::pulse::PulseConfig;
use treevnc_protocol::update::{Content, ENCODING_ZRLE, Picture, Screen, Seq, SessionId, Update};
use treevnc_protocol::zrle::Encoder;
use treevnc_relay::link::{Gauge, LinkEnd, TreeLink, serve_child};
use treevnc_relay::port::{Port, PortOptions, TreeService};
use treevnc_relay::shared_log::{ReaderKind, SharedLog};

pub const SESSION: SessionId = SessionId(1);

/// The only writer of a log.
pub struct Source {
    pub log: SharedLog,
    pub fb: Framebuffer,
    encoded: Framebuffer,
    encoder: Encoder,
    random: u64,
}

pub fn size(width: u16, height: u16) -> Size {
    Size::new(width, height).unwrap()
}

impl Source {
    /// A log that has a screen and, once, a whole picture of noise and flat parts.
    pub fn new(size: Size) -> Self {
        Self::of(SharedLog::new(SESSION), size)
    }

    /// The same for a log that is there already.
    pub fn of(log: SharedLog, size: Size) -> Self {
        let fb = Framebuffer::new(size);
        let mut source = Self { log, encoded: fb.clone(), fb, encoder: Encoder::new(), random: 1 };
        source.begin_screen(size, "test");
        source
    }

    fn append(&self, content: Content, until: Seq) -> Seq {
        let seq = Seq(self.log.with(|log| log.head()).0 + 1);
        let update = Update { seq, sent: Duration::ZERO, check: false, content };
        let until = if until == Seq::NONE { until } else { seq };
        assert!(self.log.append(update, until).unwrap());
        seq
    }

    /// A new screen, painted.
    pub fn begin_screen(&mut self, size: Size, name: &str) {
        self.append(Content::Screen(Screen { size, name: name.to_owned() }), Seq::NONE);
        self.fb = Framebuffer::new(size);
        self.encoded = self.fb.clone();
        self.noise(Rect::new(0, 0, size.width() / 3, size.height()));
        self.fb.fill(Rect::new(size.width() / 2, 0, size.width() / 4, size.height()), 0x00a0_5020);
        self.publish_tiles(&TileSet::full(TileGrid::new(size)));
    }

    /// Fills a rectangle with random colours.
    pub fn noise(&mut self, rect: Rect) {
        let rect = rect.intersection(self.fb.size().rect()).unwrap();
        for row in 0..rect.height {
            for pixel in self.fb.row_mut(rect, row) {
                self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *pixel = u32::try_from(self.random >> 40).unwrap();
            }
        }
    }

    /// Publishes what differs from what was published, as one frame; its last number.
    pub fn publish(&mut self) -> Seq {
        let changed = self.fb.changed_tiles(&self.encoded, &TileSet::full(TileGrid::new(self.fb.size())));
        self.publish_tiles(&changed)
    }

    fn publish_tiles(&mut self, tiles: &TileSet) -> Seq {
        let mut pictures = Vec::new();
        self.encoder.encode(&self.fb, tiles, &mut |picture| pictures.push(picture));
        self.encoded = self.fb.clone();
        let last = pictures.len() - 1;
        for (at, picture) in pictures.into_iter().enumerate() {
            let until = if at == last { Seq(1) } else { Seq::NONE };
            self.append(Content::Picture(picture), until);
        }
        self.log.with(|log| log.head())
    }

    /// Makes a rectangle new and publishes it.
    pub fn change(&mut self, rect: Rect) -> Seq {
        self.noise(rect);
        self.publish()
    }
}

/// A new screen and a picture of updates of 60 kB, one per tile, that nobody can decode.
pub fn append_bulk(log: &SharedLog, updates: u16) {
    let grid = TileGrid::new(size(64, 64 * 200));
    let mut seq = log.with(|log| log.head()).0;
    let mut append = |content, is_last: bool| {
        seq += 1;
        let update = Update { seq: Seq(seq), sent: Duration::ZERO, check: false, content };
        log.append(update, if is_last { Seq(seq) } else { Seq::NONE }).unwrap();
    };
    append(Content::Screen(Screen { size: grid.size(), name: String::new() }), false);
    for tile in 0..updates {
        let rect = grid.tile(usize::from(tile));
        let mut out = BytesMut::new();
        [rect.x, rect.y, rect.width, rect.height].into_iter().for_each(|field| out.put_u16(field));
        out.put_i32(ENCODING_ZRLE);
        out.put_u32(60_000);
        out.put_bytes(0, 60_000);
        append(Content::Picture(Picture::new(1, out.freeze())), tile + 1 == updates);
    }
}

/// The two ends by which a test speaks to a child that is being served.
pub struct ChildControl {
    pub to_child: mpsc::Sender<Message>,
    pub from_child: mpsc::Receiver<Message>,
}

/// Serves every link as a child that has nothing yet.
pub struct Parent {
    log: SharedLog,
    children: mpsc::UnboundedSender<ChildControl>,
    pub ends: Mutex<Vec<LinkEnd>>,
}

impl TreeService for Parent {
    async fn serve(&self, link: TreeLink, _peer: SocketAddr) {
        let (to_child, control) = mpsc::channel(4);
        let (incoming, from_child) = mpsc::channel(4);
        self.children.send(ChildControl { to_child, from_child }).unwrap();
        let reader = self.log.reader(ReaderKind::Child, Cursor::new(SessionId(0), Seq::NONE));
        // Nobody beats here, and nobody expects it: life.rs looks at that.
        let never = Duration::from_secs(3600);
        let times = PulseConfig { interval: never, no_progress: never, ..PulseConfig::default() };
        let gauge = Gauge::new(&link, times, watch::Sender::new(0).subscribe());
        let end = serve_child(link, reader, &gauge, control, incoming).await;
        self.ends.lock().unwrap().push(end);
    }
}

/// A port on loopback that serves a log; it ends with this value.
pub struct Serving {
    pub addr: SocketAddr,
    pub parent: Arc<Parent>,
    pub children: mpsc::UnboundedReceiver<ChildControl>,
    task: JoinHandle<()>,
}

impl Serving {
    pub fn new(log: &SharedLog) -> Self {
        Self::with_options(log, PortOptions::default())
    }

    pub fn with_options(log: &SharedLog, options: PortOptions) -> Self {
        let port = Port::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
        let addr = port.local_addr().unwrap();
        let (sender, children) = mpsc::unbounded_channel();
        let parent = Arc::new(Parent { log: log.clone(), children: sender, ends: Mutex::default() });
        let task = tokio::spawn(port.run(log.clone(), Arc::clone(&parent), options));
        Self { addr, parent, children, task }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}
