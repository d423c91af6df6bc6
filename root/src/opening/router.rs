//! Talks with the router: PCP and NAT-PMP by crab_nat, UPnP by igd-next. Every answer is bounded in size by them and in time here; what it
//! says is checked before anybody believes it.

use super::gateway::default_gateway;
use super::plan::{LEASE, Opened, Place, Way};
use crab_nat::pcp::{self, BaseMapRequest, Nonce};
use crab_nat::{GatewayAddress, InternetProtocol, PortMapping, PortMappingOptions, PortMappingType, TimeoutConfig, natpmp};
use igd_next::aio::Gateway;
use igd_next::aio::tokio::{Tokio, search_gateway};
use igd_next::{AddPortError, PortMappingProtocol, SearchOptions};
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroU16;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Three datagrams, after 0.25 s and 0.5 s, and 1 s of waiting: PCP's and NAT-PMP's first time-out, and no longer than a person waits.
const DATAGRAMS: TimeoutConfig = TimeoutConfig {
    initial_timeout: Duration::from_millis(250),
    max_retries: 2,
    max_retry_timeout: Some(Duration::from_secs(1)),
};
/// How long UPnP's search may take, the router's description included.
const SEARCH: Duration = Duration::from_secs(3);
/// How long one UPnP action may take.
const ACTION: Duration = Duration::from_secs(3);
/// What the router's page calls the port.
const DESCRIPTION: &str = "TreeVNC";
/// An address that nobody has (RFC 5737): which way a datagram to the world would go is found without sending one.
const NOBODY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Looks where this machine stands; sends nothing. `own` is its address, if that is settled.
pub(super) async fn find_place(own: Option<Ipv4Addr>, port: NonZeroU16) -> Place {
    let gateway = default_gateway();
    let own = match own {
        Some(own) => Some(own),
        None => address_towards(gateway.unwrap_or(NOBODY)).await,
    };
    Place { gateway, own, port }
}

async fn address_towards(there: Ipv4Addr) -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.ok()?;
    socket.connect((there, 9)).await.ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(own) if !own.is_unspecified() && !own.is_loopback() => Some(own),
        _ => None,
    }
}

/// What a router has opened, for renewing it and giving it back.
#[derive(Debug)]
pub(super) enum Mapping {
    /// By PCP or NAT-PMP.
    Datagrams(PortMapping),
    /// By UPnP: the router, the outer port, and whom it leads to.
    Upnp { router: Box<Gateway<Tokio>>, port: u16, own: Ipv4Addr },
}

/// Why a way does not work.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    /// This machine has no network, or no gateway is known.
    #[error("no gateway")]
    NoGateway,
    /// Nothing came.
    #[error("no answer")]
    NoAnswer,
    /// A datagram's answer was a refusal or nonsense.
    #[error("{0}")]
    Refused(String),
    /// Not the gateway but somebody else says to be the router.
    #[error("{0} answers, which is not the gateway")]
    Stranger(IpAddr),
    /// The router says that it has no address to be reached at.
    #[error("the router has no public IPv4 address ({0})")]
    NoAddress(IpAddr),
    /// The router opened the port for no time at all.
    #[error("a lease of no time")]
    NoLease,
}

/// Opens the port in one way, or renews what it has open. Takes at most 24 s, with a router that is slow at every step. Dropping it may leave a port open until its lease ends.
pub(super) async fn open(way: Way, place: Place, held: Option<&Mapping>) -> Result<(Opened, Mapping), OpenError> {
    let own = place.own.ok_or(OpenError::NoGateway)?;
    match way {
        Way::Pcp => by_pcp(place.gateway.ok_or(OpenError::NoGateway)?, own, place.port, held).await,
        Way::NatPmp => by_nat_pmp(place.gateway.ok_or(OpenError::NoGateway)?, place.port, held).await,
        Way::Upnp => by_upnp(place, own, held).await,
    }
}

/// Closes the port again. Without a bound of its own.
pub(super) async fn give_back(mapping: Mapping) -> Result<(), OpenError> {
    match mapping {
        Mapping::Datagrams(mapping) => mapping.try_drop().await.map_err(|(error, _)| refused(error)),
        Mapping::Upnp { router, port, .. } => router.remove_port(PortMappingProtocol::TCP, port).await.map_err(refused),
    }
}

fn options(wanted: NonZeroU16) -> PortMappingOptions {
    // Always our own lease: crab_nat's renewal repeats the router's, and panics on one of nothing.
    let lease = u32::try_from(LEASE.as_secs()).unwrap_or(u32::MAX);
    PortMappingOptions { external_port: Some(wanted), lifetime_seconds: Some(lease), timeout_config: Some(DATAGRAMS) }
}

async fn by_pcp(
    gateway: Ipv4Addr,
    own: Ipv4Addr,
    port: NonZeroU16,
    held: Option<&Mapping>,
) -> Result<(Opened, Mapping), OpenError> {
    let (nonce, wanted) = held.and_then(|held| pcp_session(held, own)).unzip();
    let request = BaseMapRequest::new(gateway.into(), own.into(), InternetProtocol::Tcp, port);
    let mapping = match pcp::port_mapping(request, nonce, None, options(wanted.unwrap_or(port))).await {
        Ok(mapping) => mapping,
        Err(pcp::Failure::Timeout) => return Err(OpenError::NoAnswer),
        Err(error) => return Err(refused(error)),
    };
    let PortMappingType::Pcp { external_ip, .. } = mapping.mapping_type() else { return Err(OpenError::NoAnswer) };
    opened_by_datagrams(Way::Pcp, external_ip, mapping)
}

/// What a renewal repeats: the session's number and the outer port. Another address of this machine is another session.
fn pcp_session(held: &Mapping, own: Ipv4Addr) -> Option<(Nonce, NonZeroU16)> {
    match held {
        Mapping::Datagrams(mapping) => match mapping.mapping_type() {
            PortMappingType::Pcp { client, nonce, .. } if client == own => Some((nonce, mapping.external_port())),
            _ => None,
        },
        Mapping::Upnp { .. } => None,
    }
}

async fn by_nat_pmp(gateway: Ipv4Addr, port: NonZeroU16, held: Option<&Mapping>) -> Result<(Opened, Mapping), OpenError> {
    let wanted = match held {
        Some(Mapping::Datagrams(mapping)) => mapping.external_port(),
        _ => port,
    };
    let failed = |error| match error {
        natpmp::Failure::Timeout => OpenError::NoAnswer,
        error => refused(error),
    };
    let gateway = GatewayAddress::from(gateway);
    let address = natpmp::external_address(gateway, Some(DATAGRAMS)).await.map_err(failed)?;
    let mapping = natpmp::port_mapping(gateway, InternetProtocol::Tcp, port, options(wanted)).await.map_err(failed)?;
    opened_by_datagrams(Way::NatPmp, address.into(), mapping)
}

fn opened_by_datagrams(way: Way, address: IpAddr, mapping: PortMapping) -> Result<(Opened, Mapping), OpenError> {
    if mapping.lifetime() == 0 {
        return Err(OpenError::NoLease);
    }
    let opened = Opened {
        way,
        address: SocketAddrV4::new(usable(address)?, mapping.external_port().get()),
        lease: Some(Duration::from_secs(mapping.lifetime().into())),
        uptime: Some(mapping.gateway_epoch()),
    };
    Ok((opened, Mapping::Datagrams(mapping)))
}

async fn by_upnp(place: Place, own: Ipv4Addr, held: Option<&Mapping>) -> Result<(Opened, Mapping), OpenError> {
    if let Some(Mapping::Upnp { router, port, own: before }) = held
        && *before == own
        && let Ok(renewed) = ask_upnp(router.clone(), *port, place, own).await
    {
        return Ok(renewed);
    }
    // A router that was started anew may be found at another port.
    let router = Box::new(find_router(place, own).await?);
    ask_upnp(router, place.port.get(), place, own).await
}

async fn ask_upnp(router: Box<Gateway<Tokio>>, wanted: u16, place: Place, own: Ipv4Addr) -> Result<(Opened, Mapping), OpenError> {
    let address = usable(in_time(router.get_external_ip()).await?)?;
    let (port, lease) = ask_for_port(&router, wanted, SocketAddr::from((own, place.port.get()))).await?;
    let opened = Opened { way: Way::Upnp, address: SocketAddrV4::new(address, port), lease, uptime: None };
    Ok((opened, Mapping::Upnp { router, port, own }))
}

async fn find_router(place: Place, own: Ipv4Addr) -> Result<Gateway<Tokio>, OpenError> {
    let mut options = SearchOptions::default();
    options.bind_addr = SocketAddr::from((own, 0));
    options.timeout = Some(SEARCH);
    options.single_search_timeout = Some(SEARCH);
    let router = match tokio::time::timeout(SEARCH, search_gateway(options)).await {
        Ok(Ok(router)) => router,
        Ok(Err(igd_next::SearchError::NoResponseWithinTimeout)) | Err(_) => return Err(OpenError::NoAnswer),
        Ok(Err(error)) => return Err(refused(error)),
    };
    match place.gateway {
        Some(gateway) if router.addr.ip() != IpAddr::V4(gateway) => Err(OpenError::Stranger(router.addr.ip())),
        _ => Ok(router),
    }
}

/// Asks for a port: with a lease or, where the router knows none, without; the wanted one or, where another machine has it, any.
async fn ask_for_port(router: &Gateway<Tokio>, wanted: u16, inner: SocketAddr) -> Result<(u16, Option<Duration>), OpenError> {
    let seconds = u32::try_from(LEASE.as_secs()).unwrap_or(u32::MAX);
    let ask = |seconds| bounded(router.add_port(PortMappingProtocol::TCP, wanted, inner, seconds, DESCRIPTION));
    let (answer, lease) = match ask(seconds).await? {
        Err(AddPortError::OnlyPermanentLeasesSupported) => (ask(0).await?, None),
        answer => (answer, Some(LEASE)),
    };
    match answer {
        Ok(()) => Ok((wanted, lease)),
        Err(AddPortError::PortInUse) => {
            let seconds = if lease.is_some() { seconds } else { 0 };
            Ok((in_time(router.add_any_port(PortMappingProtocol::TCP, inner, seconds, DESCRIPTION)).await?, lease))
        }
        Err(error) => Err(refused(error)),
    }
}

/// The IPv4 address that others can be told; it need not be public, when there are several routers.
fn usable(address: IpAddr) -> Result<Ipv4Addr, OpenError> {
    match address.to_canonical() {
        IpAddr::V4(v4) if !v4.is_unspecified() && !v4.is_loopback() && !v4.is_multicast() && !v4.is_broadcast() => Ok(v4),
        other => Err(OpenError::NoAddress(other)),
    }
}

async fn bounded<T>(action: impl Future<Output = T>) -> Result<T, OpenError> {
    tokio::time::timeout(ACTION, action).await.map_err(|_| OpenError::NoAnswer)
}

async fn in_time<T, E: ToString>(action: impl Future<Output = Result<T, E>>) -> Result<T, OpenError> {
    bounded(action).await?.map_err(refused)
}

/// What a router or a library says, in one short line without anything that a terminal would obey.
fn refused(error: impl ToString) -> OpenError {
    const LONGEST: usize = 120;
    let is_plain = |c: char| if c.is_control() { ' ' } else { c };
    OpenError::Refused(error.to_string().chars().map(is_plain).take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_s_words_are_one_short_line() {
        let said = refused(format!("no\n\x1b[31m{}", "x".repeat(10_000))).to_string();
        assert!(said.starts_with("no  [31mx") && said.len() == 120, "{said}");
    }

    #[test]
    fn an_address_that_nobody_can_dial_is_refused() {
        for bad in ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::1", "2001:db8::1"] {
            assert!(usable(bad.parse().unwrap()).is_err(), "{bad}");
        }
        assert_eq!(usable("::ffff:5.9.0.1".parse().unwrap()).unwrap(), Ipv4Addr::new(5, 9, 0, 1));
        assert_eq!(usable("10.0.0.1".parse().unwrap()).unwrap(), Ipv4Addr::new(10, 0, 0, 1));
    }
}
