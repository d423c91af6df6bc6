//! Answers FIND_ROOT on every interface (PROTOCOL.md, Discovery): one listener per interface and version of IP, followed as interfaces
//! come and go. Never asks; never sends anything that was not asked for.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use treevnc_protocol::tree::PROTOCOL_VERSION;
use treevnc_protocol::tree::discovery::{Datagram, FindRootReply, MAX_DATAGRAM_BYTES};
use treevnc_protocol::tree::networks::Networks;
use treevnc_protocol::tree::text::SessionName;
use treevnc_protocol::update::SessionId;
use treevnc_relay::interfaces::LOOK_AGAIN;
use treevnc_relay::multicast::{Segment, segments};

/// Answers per second and interface, and as many at once: a class that opens its laptops, not a flood.
const ANSWERS_PER_SECOND: u32 = 200;
/// Pause after a socket's error, so that an interface that is gone is no busy loop.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// What a root says of itself to those who look for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootInfo {
    /// The session.
    pub session: SessionId,
    /// Its name for people.
    pub name: SessionName,
    /// Where it listens: all with one TCP port. It answers where others can dial one of these.
    pub listening: Vec<SocketAddr>,
    /// Nodes attached now, the root not counted.
    pub viewers: u32,
    /// Whether joining needs a code.
    pub needs_code: bool,
    /// The session whose updates it has.
    pub log: SessionId,
    /// Roots above it.
    pub above: u8,
}

impl RootInfo {
    /// Whether it takes connections to an address of this segment.
    fn is_reached_on(&self, segment: &Segment) -> bool {
        let addresses = segment.addresses();
        addresses.iter().any(|ip| ip.is_ipv4() == segment.group().is_ipv4() && self.takes(*ip))
    }

    /// Whether it takes connections to this address of its machine.
    fn takes(&self, ip: IpAddr) -> bool {
        self.listening.iter().map(SocketAddr::ip).any(|own| own == ip || own.is_unspecified() && own.is_ipv4() == ip.is_ipv4())
    }
}

/// Keeps the number of viewers right. Ends when `count` does.
pub async fn count_viewers(mut count: watch::Receiver<u32>, info: &watch::Sender<RootInfo>) {
    loop {
        let viewers = *count.borrow_and_update();
        info.send_modify(|info| info.viewers = viewers);
        if count.changed().await.is_err() {
            return;
        }
    }
}

/// Answers until the future is dropped, which closes all sockets. Looks at the interfaces at each change of `networks`, and from time to
/// time. An interface that refuses is tried again, and warned of once if it goes on refusing.
pub async fn respond(info: watch::Receiver<RootInfo>, mut networks: watch::Receiver<Networks>) {
    let mut listeners = Listeners::default();
    let mut is_warned = false;
    loop {
        match segments() {
            Ok(mut present) => {
                present.retain(|segment| info.borrow().is_reached_on(segment));
                listeners.follow(present, &info);
            }
            Err(error) if !is_warned => {
                is_warned = true;
                tracing::warn!("cannot list the network interfaces, this session may not be found: {error}");
            }
            Err(_) => {}
        }
        // Those who saw a network come say so; the rest is for what refused at first.
        tokio::select! {
            Ok(()) = networks.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// One task per segment; all end with this value.
#[derive(Default)]
struct Listeners {
    tasks: JoinSet<()>,
    answering: BTreeMap<Segment, AbortHandle>,
    refusals: BTreeMap<Segment, u32>,
}

impl Listeners {
    /// Ends what is no longer there and begins what is new.
    fn follow(&mut self, present: Vec<Segment>, info: &watch::Receiver<RootInfo>) {
        while self.tasks.try_join_next().is_some() {}
        self.refusals.retain(|segment, _| present.contains(segment));
        self.answering.retain(|segment, task| {
            let stays = present.contains(segment) && !task.is_finished();
            if !stays {
                task.abort();
            }
            stays
        });
        for segment in present.into_iter().filter(|segment| !self.answering.contains_key(segment)).collect::<Vec<_>>() {
            match segment.listener().and_then(|listener| Ok((listener, segment.speaker()?))) {
                Ok((listener, speaker)) => {
                    tracing::debug!(%segment, "answering FIND_ROOT");
                    self.refusals.remove(&segment);
                    let task = self.tasks.spawn(answer(segment.clone(), listener, speaker, info.clone()));
                    self.answering.insert(segment, task);
                }
                Err(error) => self.refused(segment, &error),
            }
        }
    }

    /// The first refusal may be an address that is still being checked (RFC 4862 section 5.4); the second is told.
    fn refused(&mut self, segment: Segment, error: &std::io::Error) {
        let times = self.refusals.entry(segment.clone()).or_default();
        *times += 1;
        if *times == 2 {
            tracing::warn!(%segment, "cannot be found there, others can still join by address: {error}");
        }
    }
}

async fn answer(segment: Segment, listener: UdpSocket, speaker: UdpSocket, info: watch::Receiver<RootInfo>) {
    let start = Instant::now();
    let mut allowance = Allowance::new(ANSWERS_PER_SECOND);
    let mut buffer = [0; MAX_DATAGRAM_BYTES + 1];
    loop {
        let (count, asker) = match listener.recv_from(&mut buffer).await {
            Ok(heard) => heard,
            Err(error) => {
                tracing::debug!(%segment, "listening for FIND_ROOT: {error}");
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        let Ok(Datagram::FindRoot { nonce }) = Datagram::decode(buffer.get(..count).unwrap_or_default()) else { continue };
        if !allowance.take(start.elapsed()) {
            continue;
        }
        let reply = reply(nonce, &segment, &info.borrow()).encode();
        if let Err(error) = speaker.send_to(&reply, asker).await {
            tracing::debug!(%segment, %asker, "answering FIND_ROOT: {error}");
        }
    }
}

fn reply(nonce: u64, segment: &Segment, info: &RootInfo) -> Datagram {
    Datagram::FindRootReply(FindRootReply {
        nonce,
        session: info.session,
        name: info.name.clone(),
        addresses: segment.addresses().into_iter().filter(|ip| info.takes(*ip)).collect(),
        port: info.listening.first().map_or(0, SocketAddr::port),
        version: PROTOCOL_VERSION,
        viewers: info.viewers,
        needs_code: info.needs_code,
        log: info.log,
        above: info.above,
    })
}

/// So many per second, and as many at once after a pause.
#[derive(Debug)]
struct Allowance {
    per_second: u32,
    left: f64,
    last: Duration,
}

impl Allowance {
    fn new(per_second: u32) -> Self {
        Self { per_second, left: f64::from(per_second), last: Duration::ZERO }
    }

    fn take(&mut self, now: Duration) -> bool {
        let most = f64::from(self.per_second);
        self.left = (self.left + now.saturating_sub(self.last).as_secs_f64() * most).min(most);
        self.last = now;
        let granted = self.left >= 1.0;
        if granted {
            self.left -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_answered_at_the_rate_allowed_and_a_pause_restores_it() {
        let mut allowance = Allowance::new(200);
        let granted = |allowance: &mut Allowance, from: u64, micros: u64| {
            (0..micros).step_by(100).filter(|at| allowance.take(Duration::from_micros(from + at))).count()
        };
        let first = granted(&mut allowance, 0, 5_000_000);
        assert!((1190..=1210).contains(&first), "{first} in 5 s of 10000 questions per second");
        let later = granted(&mut allowance, 60_000_000, 100);
        assert_eq!(later, 1);
        assert_eq!((0..500).filter(|_| allowance.take(Duration::from_secs(60))).count(), 199);
    }
}
