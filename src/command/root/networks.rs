//! Says by which addresses this session can be joined, at first and whenever a network comes.

use crate::cli::DEFAULT_PORT;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use tokio::sync::watch;
use treevnc_protocol::tree::message::NetworkKind;
use treevnc_protocol::tree::networks::{Family, Networks};

/// Prints a line for each address that has not been told before. Never ends.
pub(super) async fn announce(mut networks: watch::Receiver<Networks>, listening: Vec<SocketAddr>) {
    let mut told = BTreeSet::new();
    loop {
        let lines = lines(&networks.borrow_and_update(), &listening);
        for line in lines {
            if !told.contains(&line) {
                println!("{line}");
                told.insert(line);
            }
        }
        if networks.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// A line per address that somebody on another machine can dial.
fn lines(networks: &Networks, listening: &[SocketAddr]) -> Vec<String> {
    let from_afar = |kind: NetworkKind| matches!(kind, NetworkKind::Lan | NetworkKind::PointToPoint);
    let interfaces = networks.interfaces().iter().filter(|interface| from_afar(interface.kind));
    let addresses = interfaces.flat_map(|interface| interface.addresses.iter().map(move |own| (&interface.name, own.address)));
    // A link-local address is no use to a person: it needs the other machine's name for its interface.
    let addresses = addresses.filter(|(_, ip)| Family::of(*ip) != Family::V6LinkLocal);
    let told = addresses.filter_map(|(name, ip)| {
        let port = listening.iter().find(|own| takes(own.ip(), ip))?.port();
        let place = match ip {
            _ if port == DEFAULT_PORT => ip.to_string(),
            ip => SocketAddr::new(ip, port).to_string(),
        };
        Some(format!("on {name}: treevnc join {place}"))
    });
    told.collect()
}

/// Whether a socket that listens on one address takes connections to another.
fn takes(own: IpAddr, ip: IpAddr) -> bool {
    own == ip || (own.is_unspecified() && own.is_ipv4() == ip.is_ipv4())
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::tree::networks::{Interface, Prefix};

    #[test]
    fn each_address_that_others_can_dial_has_a_line() {
        let interface = |index, name: &str, kind, addresses: &[&str]| {
            let addresses = addresses.iter().map(|ip| Prefix { address: ip.parse().unwrap(), bits: 24 }).collect();
            Interface { index, name: name.into(), kind, addresses }
        };
        let networks = Networks::new(vec![
            interface(1, "lo", NetworkKind::Loopback, &["127.0.0.1"]),
            interface(2, "eth0", NetworkKind::Lan, &["192.0.2.1", "fe80::1", "2001:db8::1"]),
            interface(3, "docker0", NetworkKind::Container, &["172.17.0.1"]),
        ]);
        let told = |listening: &[&str]| {
            let listening: Vec<_> = listening.iter().map(|own| own.parse().unwrap()).collect();
            lines(&networks, &listening)
        };
        assert_eq!(
            told(&["0.0.0.0:5950", "[::]:5950"]),
            ["on eth0: treevnc join 192.0.2.1", "on eth0: treevnc join 2001:db8::1"]
        );
        assert_eq!(told(&["0.0.0.0:7000"]), ["on eth0: treevnc join 192.0.2.1:7000"]);
        assert_eq!(told(&["192.0.2.1:5950"]), ["on eth0: treevnc join 192.0.2.1"]);
        assert!(told(&["127.0.0.1:5950"]).is_empty());
    }
}
