//! Full-screen video with readers that never read and readers that lag (DESIGN idea B): the others get every frame, memory stays
//! within the log's bound plus a batch per reader, and the lagging one never sees a torn picture. With queues in place of the log,
//! the bytes held grow with the video and this fails. A program of its own, because it looks at the memory of its process.
#![cfg(target_os = "linux")]
#![allow(unreachable_pub, reason = "a test program exports nothing; pub is between its files")]

#[cfg(test)]
mod video;

#[cfg(test)]
mod tests {
    use crate::video::{FRAME_BYTES, Parent, SESSION, Video, frame_shown};
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::timeout;
    use treevnc_protocol::geometry::Rect;
    use treevnc_protocol::log::memory::{MOST_TIMES_LIVE, SLACK_BYTES};
    use treevnc_protocol::rfb::{ClientMessage, encoding};
    use treevnc_protocol::update::Seq;
    use treevnc_relay::link::{Incoming, TreeLink, dial};
    use treevnc_relay::port::{Port, PortOptions};
    use treevnc_relay::shared_log::SharedLog;

    const PATIENCE: Duration = Duration::from_secs(60);
    const FRAMES: u64 = 400;
    /// Children that keep up.
    const FAST: usize = 3;

    /// A child's copy of the log; every complete point must show one frame only.
    struct Child {
        link: TreeLink,
        log: SharedLog,
    }

    impl Child {
        async fn new(addr: std::net::SocketAddr) -> Self {
            Self { link: dial(addr, PATIENCE).await.unwrap(), log: SharedLog::new(SESSION) }
        }

        /// Takes in one update.
        async fn take(&mut self) -> Seq {
            let Ok(Incoming::Update(update, until)) = self.link.read().await else { panic!("the link ended") };
            let before = self.log.with(|log| log.complete());
            assert!(self.log.append(update, until).unwrap());
            let now = self.log.with(|log| log.complete());
            if now != before {
                self.log.with(|log| frame_shown(log).expect("a torn picture"));
            }
            now
        }

        async fn reach(&mut self, seq: Seq) {
            while self.log.with(|log| log.complete()) < seq {
                self.take().await;
            }
        }
    }

    /// An ordinary viewer that asks for everything and takes nothing.
    async fn stuck_viewer(addr: std::net::SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        stream.write_all(b"RFB 003.008\n\x01\x01").await.unwrap();
        stream.write_all(&ClientMessage::SetEncodings(vec![encoding::ZRLE]).encode()).await.unwrap();
        let rect = Rect::new(0, 0, u16::MAX, u16::MAX);
        stream.write_all(&ClientMessage::FramebufferUpdateRequest { incremental: true, rect }.encode()).await.unwrap();
        stream
    }

    /// Bytes of this process in memory.
    fn resident_bytes() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    async fn publish_to(video: &mut Video, fast: &mut [Child]) -> Duration {
        let start = Instant::now();
        let seq = video.publish();
        for child in fast {
            timeout(PATIENCE, child.reach(seq)).await.expect("a reader that keeps up was held up");
        }
        start.elapsed()
    }

    fn median(mut times: Vec<Duration>) -> Duration {
        times.sort();
        times[times.len() / 2]
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn readers_that_do_not_read_cost_one_batch_each_and_the_others_nothing() {
        let mut video = Video::new();
        let log = video.log.clone();
        let port = Port::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
        let addr = port.local_addr().unwrap();
        let running = tokio::spawn(port.run(log.clone(), Arc::new(Parent(log.clone())), PortOptions::default()));
        let mut fast = Vec::new();
        for _ in 0..FAST {
            fast.push(Child::new(addr).await);
        }
        let mut alone = Vec::new();
        for _ in 0..50 {
            alone.push(publish_to(&mut video, &mut fast).await);
        }

        let never = dial(addr, PATIENCE).await.unwrap();
        let viewer = stuck_viewer(addr).await;
        let mut slow = Child::new(addr).await;
        let resident = resident_bytes();
        let mut beside = Vec::new();
        let mut most_resident = 0;
        for _ in 0..FRAMES {
            beside.push(publish_to(&mut video, &mut fast).await);
            // One update per frame of thirty: a thirtieth of what would be needed to keep up.
            slow.take().await;
            let bytes = log.bytes();
            assert!(bytes.held <= MOST_TIMES_LIVE * FRAME_BYTES + SLACK_BYTES, "{bytes:?}");
            // The one that never reads, the viewer, the slow one, and those that keep up while they are at it.
            assert!(bytes.batches <= (3 + FAST) * FRAME_BYTES, "{bytes:?}");
            most_resident = most_resident.max(resident_bytes());
        }
        let grown = most_resident.saturating_sub(resident);
        let (alone, beside) = (median(alone), median(beside));
        println!(
            "{FRAMES} frames of {FRAME_BYTES} bytes: {grown} bytes more in memory; a frame took {alone:?} alone, {beside:?} beside"
        );
        assert!(grown < 40 * FRAME_BYTES, "{grown} bytes more in memory after {FRAMES} frames of {FRAME_BYTES} bytes");
        assert!(
            beside < 5 * alone + Duration::from_millis(20),
            "a frame took {alone:?} alone and {beside:?} beside slow readers"
        );

        let last = Seq(video.log.with(|log| log.head()).0);
        timeout(PATIENCE, slow.reach(last)).await.expect("the slow reader ends with the last picture");
        assert_eq!(slow.log.with(|log| frame_shown(log)), Some(video.frame));
        drop((never, viewer));
        running.abort();
    }
}
