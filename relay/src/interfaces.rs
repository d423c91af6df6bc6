//! This machine's network interfaces as the trees and discovery see them. The only place that asks the system for them.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;
use treevnc_protocol::tree::message::NetworkKind;
use treevnc_protocol::tree::networks::{Interface, Prefix};

/// How often those who follow the interfaces look. Asking takes a fraction of a millisecond.
pub const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Beginnings of names that container and virtual machine software gives to its interfaces, which lead nowhere beyond this machine.
const CONTAINERS: [&str; 16] = [
    "docker",
    "podman",
    "cni",
    "flannel",
    "cali",
    "weave",
    "veth",
    "virbr",
    "vnet",
    "vmnet",
    "vboxnet",
    "lxcbr",
    "lxdbr",
    "incusbr",
    "VMware ",
    "vEthernet (",
];
/// Docker's own networks: this and twelve hexadecimal digits.
const DOCKER_NETWORK: &str = "br-";

/// The interfaces that are up and have an address, in the order of their numbers.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let mut found: BTreeMap<u32, Interface> = BTreeMap::new();
    for each in if_addrs::get_if_addrs()? {
        let is_down = matches!(each.oper_status, if_addrs::IfOperStatus::Down | if_addrs::IfOperStatus::NotPresent);
        let Some(index) = each.index.filter(|_| !is_down) else { continue };
        let bits = match &each.addr {
            if_addrs::IfAddr::V4(own) => own.prefixlen,
            if_addrs::IfAddr::V6(own) => own.prefixlen,
        };
        let (name, kind) = (each.name.as_str(), kind(&each));
        let interface = found.entry(index).or_insert_with(|| Interface { index, name: name.into(), kind, addresses: Vec::new() });
        interface.addresses.push(Prefix { address: each.ip(), bits });
    }
    Ok(found.into_values().collect())
}

fn kind(interface: &if_addrs::Interface) -> NetworkKind {
    if interface.is_loopback() {
        NetworkKind::Loopback
    } else if is_of_containers(&interface.name) {
        NetworkKind::Container
    } else if interface.is_p2p() {
        NetworkKind::PointToPoint
    } else {
        NetworkKind::Lan
    }
}

fn is_of_containers(name: &str) -> bool {
    let is_docker_network = |rest: &str| rest.len() == 12 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    CONTAINERS.iter().any(|start| name.starts_with(start)) || name.strip_prefix(DOCKER_NETWORK).is_some_and(is_docker_network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_loopback_interface() {
        let all = interfaces().unwrap();
        let loopback = all.iter().find(|interface| interface.kind == NetworkKind::Loopback).unwrap();
        let own = Prefix { address: [127, 0, 0, 1].into(), bits: 8 };
        assert!(loopback.addresses.contains(&own), "{all:?}");
    }

    #[test]
    fn networks_of_containers_are_told_by_their_names() {
        for name in ["docker0", "br-0123456789ab", "veth12ab", "virbr0", "vEthernet (WSL)"] {
            assert!(is_of_containers(name), "{name}");
        }
        for name in ["eth0", "br0", "br-lan", "wlp3s0", "en0", "Wi-Fi", "tun0", "bridge0"] {
            assert!(!is_of_containers(name), "{name}");
        }
    }
}
