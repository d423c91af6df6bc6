//! vnc-rs with its default pixel format and ZRLE, on a thread of this process.

use crate::judges::Judge;
use crate::support::picture::Picture;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpStream;
use vnc::{Rect, VncConnector, VncEncoding, VncError, VncEvent, X11Event};

/// vnc-rs asks for changes only when it is told to.
const REFRESH: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Shown {
    width: usize,
    pixels: Vec<u32>,
    painted: bool,
    error: Option<String>,
}

pub(crate) struct VncRs {
    shown: Arc<Mutex<Shown>>,
    end: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl VncRs {
    pub(crate) fn attach(server: SocketAddr) -> Self {
        let shown = Arc::new(Mutex::new(Shown::default()));
        let (end, ended) = tokio::sync::oneshot::channel();
        let screen = shown.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    result = watch(server, &screen) => screen.lock().unwrap().error = Some(format!("{result:?}")),
                    _ = ended => {}
                }
            });
        });
        Self { shown, end: Some(end), thread: Some(thread) }
    }
}

async fn watch(server: SocketAddr, screen: &Mutex<Shown>) -> Result<(), VncError> {
    let stream = TcpStream::connect(server).await?;
    let connector = VncConnector::new(stream).set_auth_method(async { Ok(String::new()) }).allow_shared(true);
    let encodings = [VncEncoding::Zrle, VncEncoding::DesktopSizePseudo, VncEncoding::Raw];
    let connector = encodings.into_iter().fold(connector, VncConnector::add_encoding);
    let client = connector.build()?.try_start().await?.finish()?;
    let mut refresh = tokio::time::interval(REFRESH);
    loop {
        tokio::select! {
            event = client.recv_event() => screen.lock().unwrap().apply(event?),
            _ = refresh.tick() => {}
        }
        while let Some(event) = client.poll_event().await? {
            screen.lock().unwrap().apply(event);
        }
        client.input(X11Event::Refresh).await?;
    }
}

impl Shown {
    fn apply(&mut self, event: VncEvent) {
        match event {
            VncEvent::SetResolution(size) => {
                self.width = size.width.into();
                self.pixels = vec![0; self.width * usize::from(size.height)];
            }
            VncEvent::RawImage(rect, data) => {
                let pixels: Vec<_> = data.chunks_exact(4).map(|p| u32::from_le_bytes([p[0], p[1], p[2], 0])).collect();
                self.put(rect, &pixels);
            }
            VncEvent::Error(error) => self.error = Some(error),
            _ => {}
        }
    }

    fn put(&mut self, rect: Rect, pixels: &[u32]) {
        self.painted = true;
        for (row, line) in pixels.chunks_exact(rect.width.max(1).into()).enumerate() {
            let at = (usize::from(rect.y) + row) * self.width + usize::from(rect.x);
            self.pixels[at..at + line.len()].copy_from_slice(line);
        }
    }
}

impl Judge for VncRs {
    fn name(&self) -> &'static str {
        "vnc-rs"
    }

    fn picture(&mut self) -> Option<Picture> {
        let shown = self.shown.lock().unwrap();
        assert!(shown.error.is_none(), "vnc-rs: {:?}", shown.error);
        shown.painted.then(|| Picture::from_pixels(shown.width, shown.pixels.len() / shown.width, &shown.pixels))
    }
}

impl Drop for VncRs {
    fn drop(&mut self) {
        self.end.take().map(|end| end.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
