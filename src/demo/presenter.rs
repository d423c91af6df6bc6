//! The demo's presenter: paints a screen and serves it as a VNC server, with our own RFB server role.

use super::scene::Scene;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval};
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Size;
use treevnc_protocol::tree::message::{Message, Refused};
use treevnc_protocol::update::SessionId;
use treevnc_relay::clock::SessionClock;
use treevnc_relay::link::TreeLink;
use treevnc_relay::port::{Port, PortOptions, TreeService};
use treevnc_relay::publisher::Publisher;
use treevnc_relay::shared_log::SharedLog;

const WIDTH: u16 = 1280;
const HEIGHT: u16 = 720;
const FRAME: Duration = Duration::from_millis(40);
const SEED: u64 = 1;

/// A VNC server has no tree.
struct NoTree;

impl TreeService for NoTree {
    async fn serve(&self, mut link: TreeLink, _: SocketAddr) {
        let refused = Refused { again: false, reason: "this is the presenter, join the root".into() };
        let _ = link.write_message(&Message::Refused(refused)).await;
    }
}

/// Serves the made-up screen on `port`; ends only with an error.
pub(super) async fn run(port: Port) -> anyhow::Error {
    let log = SharedLog::new(SessionId(1));
    let serving = port.run(log.clone(), Arc::new(NoTree), PortOptions::default());
    tokio::select! {
        () = serving => anyhow::anyhow!("the presenter's port was closed"),
        error = paint(log) => error,
    }
}

async fn paint(log: SharedLog) -> anyhow::Error {
    let size = match Size::new(WIDTH, HEIGHT) {
        Ok(size) => size,
        Err(error) => return error.into(),
    };
    let mut publisher = Publisher::new(log, SessionClock::start());
    publisher.begin_screen(size, "a made-up screen");
    let mut canvas = (Scene::new(size, SEED), Framebuffer::new(size), publisher);
    let (start, mut ticks) = (Instant::now(), interval(FRAME));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let painted = tokio::task::spawn_blocking(move || {
            let (scene, picture, publisher) = &mut canvas;
            let damage = scene.paint(start.elapsed(), picture);
            let published = publisher.publish_frame(picture, &damage);
            published.map(|_| canvas)
        });
        canvas = match painted.await {
            Ok(Ok(canvas)) => canvas,
            Ok(Err(error)) => return error.into(),
            Err(error) => return error.into(),
        };
    }
}
