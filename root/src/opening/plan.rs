//! Which way a port is asked for, when it is renewed, and what people are told. Pure: answers and times are arguments.

use super::public::is_public;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

/// For how long a port is asked for: a root that crashes leaves it open no longer.
pub(super) const LEASE: Duration = Duration::from_secs(240);
/// How often it is asked for again while all is well, which also finds a router that has forgotten it, or has another address.
const RENEWAL: Duration = Duration::from_secs(30);
/// No answer makes the next question come sooner.
const SHORTEST: Duration = Duration::from_secs(2);
/// Longest wait between questions to a router that has opened nothing.
const LONGEST: Duration = Duration::from_secs(300);

/// How a router is asked for a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Port Control Protocol, RFC 6887.
    Pcp,
    /// NAT Port Mapping Protocol, RFC 6886.
    NatPmp,
    /// UPnP's Internet Gateway Device.
    Upnp,
}

impl Way {
    /// The quickest and most exact first: a datagram to the gateway, before a search of the network.
    const ALL: [Self; 3] = [Self::Pcp, Self::NatPmp, Self::Upnp];
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pcp => "PCP",
            Self::NatPmp => "NAT-PMP",
            Self::Upnp => "UPnP",
        })
    }
}

/// Where this machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The default gateway, where the system tells.
    pub(super) gateway: Option<Ipv4Addr>,
    /// This machine's address on the way there; none without a network.
    pub(super) own: Option<Ipv4Addr>,
    /// The port that is to be reached.
    pub(super) port: NonZeroU16,
}

impl Place {
    /// This machine's own address, when the world reaches it without any router's help.
    fn direct(&self) -> Option<SocketAddrV4> {
        self.own.filter(|own| is_public(*own)).map(|own| SocketAddrV4::new(own, self.port.get()))
    }

    /// What people have to know when nobody asks the router.
    pub(super) fn unasked(&self) -> Option<News> {
        let own = self.own.filter(|own| !is_public(*own))?;
        // Where the system does not tell the gateway, there may be one.
        let has_router = self.gateway.is_some() || cfg!(not(target_os = "linux"));
        has_router.then_some(News::Unasked { own: SocketAddrV4::new(own, self.port.get()), gateway: self.gateway })
    }
}

/// What a router has opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    /// By which way.
    pub(super) way: Way,
    /// Its side towards the world.
    pub(super) address: SocketAddrV4,
    /// For how long; without, until it is told otherwise.
    pub(super) lease: Option<Duration>,
    /// The router's seconds since it forgot everything, where it tells.
    pub(super) uptime: Option<u32>,
}

/// What people want to know of the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The world reaches the port there.
    Open {
        /// The router's address and port.
        address: SocketAddrV4,
        /// What was said before, when that was another one.
        before: Option<SocketAddrV4>,
    },
    /// The router had forgotten the port, which is open there again.
    Reopened {
        /// The router's address and port.
        address: SocketAddrV4,
    },
    /// The port is open there, which is no address of the world: there is another router beyond the first.
    Inner {
        /// The first router's address and port.
        address: SocketAddrV4,
    },
    /// This machine has a public address itself.
    Direct {
        /// It, and the port.
        address: SocketAddrV4,
    },
    /// Nobody has asked the router.
    Unasked {
        /// Where a router would have to lead to,
        own: SocketAddrV4,
        /// and which.
        gateway: Option<Ipv4Addr>,
    },
    /// Nothing works.
    Closed {
        /// Where it was open before.
        before: Option<SocketAddrV4>,
        /// What each way came to, for people.
        why: String,
        /// What a person would have to forward: this machine's address,
        own: Option<Ipv4Addr>,
        /// and port,
        port: u16,
        /// at this router.
        gateway: Option<Ipv4Addr>,
    },
}

impl News {
    /// Whether the port can be reached, as far as the router is concerned.
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Closed { .. } | Self::Unasked { .. })
    }
}

impl fmt::Display for News {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { address, before } => {
                if before.is_some() {
                    f.write_str("the router's address has changed: ")?;
                }
                write!(f, "open to the world at {address} (join there with: treevnc join {address})")
            }
            Self::Reopened { address } => {
                write!(f, "the router had forgotten the port: open again at {address} (join there with: treevnc join {address})")
            }
            Self::Inner { address } => write!(
                f,
                "open beyond the router at {address} (join there with: treevnc join {address}), but that is no public address: \
                 the next router would have to forward TCP port {} to {address}",
                address.port()
            ),
            Self::Direct { address } => write!(
                f,
                "this machine has a public address, so no router has to open a port, only its own firewall \
                 (join there with: treevnc join {address})"
            ),
            Self::Unasked { own, gateway } => {
                write!(
                    f,
                    "people elsewhere can join when the router leads them in: forward TCP port {} to {own} in its settings",
                    own.port()
                )?;
                at(*gateway, f)?;
                f.write_str(", or let treevnc root --open-port ask for it")
            }
            Self::Closed { before, why, own, port, gateway } => {
                match before {
                    Some(address) => write!(f, "no longer open to the world at {address}")?,
                    None => write!(f, "the router opens no port")?,
                }
                let Some(own) = own else {
                    return write!(f, " ({why}): this machine has no IPv4 network that leads to the world");
                };
                write!(f, " ({why}); forward TCP port {port} to {own}:{port} in the router's settings")?;
                at(*gateway, f)?;
                write!(f, ", and others join the router's public address")
            }
        }
    }
}

/// Where a router's settings often are.
fn at(gateway: Option<Ipv4Addr>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    gateway.map_or(Ok(()), |gateway| write!(f, " (often at http://{gateway}/)"))
}

/// What is open, as far as is known.
#[derive(Debug)]
struct Held {
    opened: Opened,
    until: Instant,
}

/// What people were told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Open(SocketAddrV4),
    Closed(Option<Ipv4Addr>),
}

/// One port's plan. In each round: wait until [`Plan::due`]; say where the machine stands ([`Plan::stand_at`]); try [`Plan::ways`] in their
/// order, each answer to [`Plan::opened`], which ends the round, or [`Plan::refused`]; then [`Plan::concluded`] tells what is news.
#[derive(Debug)]
pub(super) struct Plan {
    place: Place,
    due: Instant,
    held: Option<Held>,
    /// Of this round.
    answer: Option<Opened>,
    refusals: Vec<(Way, String)>,
    /// Rounds without success.
    failures: u32,
    said: Option<Said>,
}

impl Plan {
    /// Nothing is open yet, and the first round is due.
    pub(super) fn new(port: NonZeroU16, now: Instant) -> Self {
        let place = Place { gateway: None, own: None, port };
        Self { place, due: now, held: None, answer: None, refusals: Vec::new(), failures: 0, said: None }
    }

    /// When the next round begins.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// A round begins. Whether what is open is still this network's; if not, it is forgotten.
    pub(super) fn stand_at(&mut self, place: Place) -> bool {
        let is_elsewhere = self.place != place;
        self.place = place;
        (self.answer, self.refusals) = (None, Vec::new());
        if is_elsewhere {
            self.held = None;
        }
        !is_elsewhere
    }

    /// What to try now: the way that works, as long as its lease runs; else all that this machine knows where to send.
    pub(super) fn ways(&self) -> Vec<Way> {
        if self.place.own.is_none() || self.place.direct().is_some() {
            return Vec::new();
        }
        match &self.held {
            Some(held) => vec![held.opened.way],
            None => Way::ALL.into_iter().filter(|way| *way == Way::Upnp || self.place.gateway.is_some()).collect(),
        }
    }

    /// A way worked.
    pub(super) fn opened(&mut self, opened: Opened) {
        self.answer = Some(opened);
    }

    /// A way did not work.
    pub(super) fn refused(&mut self, way: Way, why: String) {
        self.refusals.push((way, why));
    }

    /// The round is over. What people have to be told, if it differs from what they know.
    pub(super) fn concluded(&mut self, now: Instant) -> Option<News> {
        if let Some(address) = self.place.direct() {
            self.due = now + RENEWAL;
            return (self.said.replace(Said::Open(address)) != Some(Said::Open(address))).then_some(News::Direct { address });
        }
        match self.answer.take() {
            Some(opened) => self.succeeded(opened, now),
            None => self.failed(now),
        }
    }

    fn succeeded(&mut self, opened: Opened, now: Instant) -> Option<News> {
        // Whatever the router grants, a moment of the far future is not added up.
        let lease = opened.lease.unwrap_or(LEASE).min(LEASE);
        self.failures = 0;
        self.due = now + (lease / 2).clamp(SHORTEST, RENEWAL);
        let address = opened.address;
        let uptime = |opened: &Opened| opened.uptime;
        let was_up = self.held.as_ref().and_then(|held| uptime(&held.opened));
        let is_restarted = was_up.zip(opened.uptime).is_some_and(|(before, now)| now < before);
        self.held = Some(Held { opened, until: now + lease });
        let before = match self.said.replace(Said::Open(address)) {
            Some(Said::Open(before)) => Some(before),
            _ => None,
        };
        if before == Some(address) {
            return is_restarted.then_some(News::Reopened { address });
        }
        if is_public(*address.ip()) { Some(News::Open { address, before }) } else { Some(News::Inner { address }) }
    }

    fn failed(&mut self, now: Instant) -> Option<News> {
        let wait = SHORTEST.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        if let Some(held) = self.held.take_if(|held| held.until > now) {
            self.due = (now + wait.min(RENEWAL)).min(held.until);
            self.held = Some(held);
            return None;
        }
        self.held = None;
        self.due = now + wait.min(LONGEST);
        let said = self.said.replace(Said::Closed(self.place.own));
        let before = match said {
            Some(Said::Open(before)) => Some(before),
            _ => None,
        };
        if said == Some(Said::Closed(self.place.own)) {
            return None;
        }
        let Place { gateway, own, port } = self.place;
        let ways: Vec<_> = self.refusals.iter().map(|(way, why)| format!("{way}: {why}")).collect();
        let why = if ways.is_empty() { "no network".to_owned() } else { ways.join("; ") };
        Some(News::Closed { before, why, own, port: port.get(), gateway })
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
