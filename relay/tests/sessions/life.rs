//! Signs of life over real sockets: who is found lost, who is found slow, and who is kept.

use crate::source::{SESSION, append_bulk};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use treevnc_protocol::tree::GREETING_TREE;
use treevnc_protocol::tree::children::{Acceptance, Link};
use treevnc_protocol::tree::message::{Attach, Fault, Heartbeat, Message, Position, Presenter};
use treevnc_protocol::tree::pace::Slow;
use treevnc_protocol::tree::pulse::{Peer, PulseConfig};
use treevnc_protocol::tree::slot::{NodeId, Slot, V};
use treevnc_protocol::tree::ticket::Ticket;
use treevnc_protocol::update::Seq;
use treevnc_relay::children::{ChildLinks, Gate};
use treevnc_relay::link::{Incoming, LinkError, TreeLink, Vitals, dial};
use treevnc_relay::port::{Port, PortOptions, TreeService};
use treevnc_relay::shared_log::SharedLog;

const PATIENCE: Duration = Duration::from_secs(30);
const HEARTBEATS: Duration = Duration::from_millis(200);

/// What a parent finds out.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Attached(Link),
    Ended(Link, Fault),
    Slow(Slow),
}

/// Lets everybody in.
struct Door(mpsc::UnboundedSender<Finding>);

impl Gate for Door {
    fn attach(&self, _attach: &Attach, link: Link) -> Acceptance {
        self.0.send(Finding::Attached(link)).unwrap();
        Acceptance::Welcome { replaces: None }
    }

    fn ended(&self, link: Link, why: Fault) {
        self.0.send(Finding::Ended(link, why)).unwrap();
    }

    fn slow(&self, slow: Slow) {
        self.0.send(Finding::Slow(slow)).unwrap();
    }
}

struct House {
    links: ChildLinks,
    door: Door,
}

impl TreeService for House {
    async fn serve(&self, mut link: TreeLink, peer: SocketAddr) {
        if let Ok(Incoming::Message(Message::Attach(attach))) = link.read().await {
            self.links.serve(&self.door, link, attach, peer).await;
        }
    }
}

/// A node whose port serves children; it ends with this value.
struct Parent {
    addr: SocketAddr,
    log: SharedLog,
    links: ChildLinks,
    beat: watch::Sender<u64>,
    findings: mpsc::UnboundedReceiver<Finding>,
    _presenter: watch::Sender<Presenter>,
    port: JoinHandle<()>,
}

impl Parent {
    fn new() -> Self {
        let log = SharedLog::new(SESSION);
        let (presenter, beat) = (watch::Sender::new(Presenter::default()), watch::Sender::new(1));
        let links = ChildLinks::new(log.clone(), presenter.subscribe(), beat.subscribe());
        let (sender, findings) = mpsc::unbounded_channel();
        let port = Port::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
        let addr = port.local_addr().unwrap();
        let house = Arc::new(House { links: links.clone(), door: Door(sender) });
        let port = tokio::spawn(port.run(log.clone(), house, PortOptions::default()));
        Self { addr, log, links, beat, findings, _presenter: presenter, port }
    }

    async fn finds(&mut self) -> Finding {
        timeout(PATIENCE, self.findings.recv()).await.expect("nothing was found").unwrap()
    }

    /// The link of the child that has just come.
    async fn link(&mut self) -> Link {
        match self.finds().await {
            Finding::Attached(link) => link,
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        self.port.abort();
    }
}

fn attach(child: u64) -> Message {
    let position = Position { session: SESSION, seq: Seq::NONE };
    let (child, ticket) = (NodeId(child), Ticket([0; 16]));
    Message::Attach(Attach { ticket, session: SESSION, position, child, v: V(1), slot: Slot(1) })
}

/// A child that speaks as it should: takes everything, counts beats, and hands on its heartbeats.
async fn follow(addr: SocketAddr, heard: mpsc::UnboundedSender<(u64, u64)>) -> Result<(), LinkError> {
    let mut link = dial(addr, PATIENCE).await?;
    link.write_message(&attach(1)).await?;
    let vitals = Vitals::new(&link, Peer::Parent, PulseConfig::default(), watch::Sender::new(0).subscribe());
    let (mut reader, mut writer) = link.split();
    let mut updates = 0;
    let reading = async {
        loop {
            let incoming = reader.read().await?;
            vitals.heard(&incoming);
            match incoming {
                Incoming::Update(..) => updates += 1,
                Incoming::Message(Message::Heartbeat(heartbeat)) => drop(heard.send((heartbeat.beat, updates))),
                Incoming::Message(_) => {}
            }
        }
    };
    let beating = async {
        loop {
            writer.write_message(&vitals.heartbeat().await).await?;
        }
    };
    tokio::select! {
        ended = reading => ended,
        ended = beating => ended,
        fault = vitals.fault() => panic!("the parent seemed lost: {fault:?}"),
    }
}

/// A connection that has attached, with a small buffer for what comes.
async fn attached(addr: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut stream = socket.connect(addr).await.unwrap();
    stream.read_exact(&mut [0; 12]).await.unwrap();
    stream.write_all(GREETING_TREE).await.unwrap();
    stream.write_all(&attach(2).encode()).await.unwrap();
    stream
}

/// Beats, and reads so many bytes per heartbeat, until the parent hangs up.
async fn trickle(mut stream: TcpStream, bytes: usize) {
    let mut beats = interval(HEARTBEATS);
    let mut buffer = vec![0; bytes];
    let mut received = 0;
    loop {
        beats.tick().await;
        if bytes > 0 {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(count) => received += count as u64,
            }
        }
        let heartbeat = Message::Heartbeat(Heartbeat { beat: 0, received });
        if stream.write_all(&heartbeat.encode()).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_child_that_beats_and_does_not_read_is_found_once_to_make_no_progress() {
    let mut parent = Parent::new();
    append_bulk(&parent.log, 200);
    let begun = Instant::now();
    let child = tokio::spawn(trickle(attached(parent.addr).await, 0));
    let link = parent.link().await;
    assert_eq!(parent.finds().await, Finding::Ended(link, Fault::NoProgress));
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    timeout(PATIENCE, child).await.expect("the link is closed").unwrap();
    // Another child comes and goes: nothing was said of the first in between.
    drop(attached(parent.addr).await);
    let other = parent.link().await;
    assert_eq!(parent.finds().await, Finding::Ended(other, Fault::Closed));
}

#[tokio::test]
async fn a_child_that_says_nothing_is_silent_whether_it_reads_or_not() {
    let mut parent = Parent::new();
    append_bulk(&parent.log, 200);
    for reads in [false, true] {
        let begun = Instant::now();
        let mut stream = attached(parent.addr).await;
        let link = parent.link().await;
        let reading = async {
            let mut buffer = vec![0; 64 * 1024];
            while reads && stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
            std::future::pending::<()>().await;
        };
        tokio::select! {
            found = parent.finds() => assert_eq!(found, Finding::Ended(link, Fault::Silence)),
            () = reading => {}
        }
        let taken = begun.elapsed();
        // Before a round trip is known the limit is 1.4 s.
        assert!(Duration::from_millis(1300) <= taken && taken < Duration::from_secs(5), "{taken:?}");
    }
}

#[tokio::test]
async fn a_child_that_falls_silent_later_is_found_sooner() {
    let mut parent = Parent::new();
    let (heard, mut heartbeats) = mpsc::unbounded_channel();
    // A future that is not polled any more is a process that is stopped: its connection stays.
    let mut child = Box::pin(follow(parent.addr, heard));
    let lives = async {
        for _ in 0..20 {
            timeout(PATIENCE, heartbeats.recv()).await.unwrap().unwrap();
        }
    };
    tokio::select! {
        ended = &mut child => panic!("{ended:?}"),
        () = lives => {}
    }
    let begun = Instant::now();
    let link = parent.link().await;
    assert_eq!(parent.finds().await, Finding::Ended(link, Fault::Silence));
    let taken = begun.elapsed();
    assert!(Duration::from_millis(300) < taken && taken < Duration::from_secs(3), "{taken:?}");
    println!("found after {taken:?}");
}

#[tokio::test]
async fn a_slow_child_is_named_and_kept_and_a_fast_one_feels_nothing() {
    let mut parent = Parent::new();
    append_bulk(&parent.log, 20);
    let (heard, mut heartbeats) = mpsc::unbounded_channel();
    let fast = tokio::spawn(follow(parent.addr, heard));
    let fast_link = parent.link().await;
    // Twenty kilobytes in a second.
    let slow = tokio::spawn(trickle(attached(parent.addr).await, 4_000));
    let slow_link = parent.link().await;
    let begun = Instant::now();
    let (mut named, mut seen) = (None, 0);
    while begun.elapsed() < Duration::from_secs(9) {
        tokio::select! {
            heartbeat = heartbeats.recv() => {
                seen = heartbeat.expect("the fast child ended").1;
                append_bulk(&parent.log, 20);
            }
            found = parent.findings.recv() => match found.unwrap() {
                Finding::Slow(slow) => assert_eq!(named.replace(slow), None, "it is said once"),
                other => panic!("{other:?}; the links are {fast_link:?} and {slow_link:?}"),
            },
        }
    }
    assert_eq!(named, Some(Slow { child: Some(slow_link), alone: false }));
    assert_eq!(parent.links.room(), 0, "a node with a child that lags has no room");
    assert!(seen > 400, "the fast child got {seen} updates");
    assert!(!slow.is_finished() && !fast.is_finished());
    slow.abort();
    assert_eq!(parent.finds().await, Finding::Ended(slow_link, Fault::Closed));
    fast.abort();
}

#[tokio::test]
async fn heartbeats_go_on_both_ways_under_full_load_and_carry_the_newest_beat() {
    let mut parent = Parent::new();
    append_bulk(&parent.log, 100);
    let (heard, mut heartbeats) = mpsc::unbounded_channel();
    let child = tokio::spawn(follow(parent.addr, heard));
    let link = parent.link().await;
    let log = parent.log.clone();
    let writer = tokio::spawn(async move {
        let mut changes = interval(Duration::from_millis(5));
        changes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            changes.tick().await;
            append_bulk(&log, 100);
        }
    });
    let (mut updates, mut last) = (0, Instant::now());
    for beat in 2..=15 {
        let (arrived, so_far) = timeout(PATIENCE, heartbeats.recv()).await.unwrap().unwrap();
        assert!(arrived >= beat - 2 && arrived < beat, "{arrived} with {} as the newest", beat - 1);
        assert!(last.elapsed() < Duration::from_secs(2), "no heartbeat for {:?}", last.elapsed());
        (updates, last) = (so_far, Instant::now());
        parent.beat.send_replace(beat);
    }
    assert!(updates > 1000, "{updates} updates in three seconds are no load");
    assert!(parent.findings.try_recv().is_err(), "nobody is lost or slow");
    writer.abort();
    child.abort();
    assert_eq!(parent.finds().await, Finding::Ended(link, Fault::Closed));
}
