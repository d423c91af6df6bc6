//! The waiting, on real time: rates are compared with the time that was really taken.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

fn upload(rate: &str) -> Upload {
    Upload::limited(rate.parse().unwrap())
}

/// Sends as much as it can until a time has passed; how much that was.
async fn send_for(upload: Upload, update: usize, time: Duration) -> u64 {
    let (mut turns, mut sent) = (upload.turnstile(), 0);
    let begun = Instant::now();
    while begun.elapsed() < time {
        let mut left = update;
        while left > 0 {
            let turn = turns.turn(left).await;
            assert!(turn > 0 && turn <= left);
            (left, sent) = (left - turn, sent + turn as u64);
        }
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_the_rate_and_none_is_left_waiting() {
    let upload = upload("8M");
    let mut tasks = JoinSet::new();
    for update in [1000, 10_000, 60_000, 60_000, 3000, 60_000] {
        tasks.spawn(send_for(upload.clone(), update, Duration::from_secs(1)));
    }
    let begun = Instant::now();
    let sent = tasks.join_all().await;
    let seconds = begun.elapsed().as_secs_f64();
    let all: u64 = sent.iter().sum();
    assert!(all as f64 <= (seconds + 0.08) * 953_000.0, "{sent:?} in {seconds} s");
    assert!(all as f64 >= seconds * 953_000.0 * 0.8, "{sent:?} in {seconds} s");
    let (least, most) = (sent.iter().min().unwrap(), sent.iter().max().unwrap());
    assert!(most < &(least * 2), "{sent:?}");
    assert_eq!(upload.senders(), 0, "they are gone");
}

#[tokio::test]
async fn whoever_stops_waiting_holds_nobody_up() {
    let upload = upload("100k");
    let (mut first, mut second) = (upload.turnstile(), upload.turnstile());
    first.urgent(2000);
    {
        let waiting = first.turn(1000);
        tokio::pin!(waiting);
        assert!(futures_poll(&mut waiting).is_none(), "the line is busy");
    }
    assert!(second.turn(10).await == 10, "and the one that waited has given up");
    drop(first);
    assert_eq!(upload.senders(), 1);
}

/// Polls once.
fn futures_poll<F: Future>(future: &mut Pin<&mut F>) -> Option<F::Output> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn without_a_limit_nobody_waits_and_nobody_is_counted() {
    let upload = Upload::unlimited();
    let mut turns = upload.turnstile();
    assert_eq!(turns.turn(usize::MAX).await, usize::MAX);
    assert_eq!((upload.senders(), upload.share(Duration::from_secs(1)), upload.rate()), (0, u64::MAX, None));
    assert_eq!(upload.room(u64::MAX), u8::MAX);
}

#[tokio::test]
async fn control_alone_is_no_sender() {
    let upload = upload("1M");
    let mut turns = upload.turnstile();
    turns.urgent(100);
    assert_eq!((turns.turn(0).await, upload.senders()), (0, 0));
    assert_eq!((turns.turn(1).await, upload.senders()), (1, 1));
    assert_eq!((upload.room(30_000), upload.room(125_000), upload.room(u64::MAX)), (3, 0, 0));
}

#[tokio::test]
async fn a_limited_stream_brings_every_byte_no_faster_than_its_rate() {
    let upload = upload("8M");
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let mut near = upload.cap(near);
    let begun = Instant::now();
    let bytes: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[0]).collect();
    near.write_all(&bytes).await.unwrap();
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(300_000 / 953 - 85), "{took:?}");
    near.shutdown().await.unwrap();
    let mut heard = Vec::new();
    far.read_to_end(&mut heard).await.unwrap();
    assert!(heard == bytes);
    far.write_all(b"back").await.unwrap();
    let mut back = [0; 4];
    near.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"back");
}
