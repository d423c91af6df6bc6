//! Who belongs to which network: the rooms that there are.

use super::*;

fn interface(index: u32, name: &str, kind: NetworkKind, addresses: &[(&str, u8)]) -> Interface {
    let addresses = addresses.iter().map(|(ip, bits)| Prefix { address: ip.parse().unwrap(), bits: *bits }).collect();
    Interface { index, name: name.into(), kind, addresses }
}

fn network(index: u32, family: Family) -> TreeKey {
    TreeKey::Network { index, family }
}

fn tree_of(networks: &Networks, peer: &str, local: &str) -> TreeKey {
    networks.tree_of(peer.parse().unwrap(), SocketAddr::new(local.parse().unwrap(), 5950))
}

fn lecture_hall() -> Networks {
    Networks::new(vec![
        interface(3, "wlan0", NetworkKind::Lan, &[("10.1.0.9", 16), ("fe80::2", 64), ("2001:db8:1::9", 64)]),
        interface(1, "lo", NetworkKind::Loopback, &[("127.0.0.1", 8), ("::1", 128)]),
        interface(2, "eth0", NetworkKind::Lan, &[("192.0.2.5", 24), ("fe80::1", 64)]),
        interface(5, "tun0", NetworkKind::PointToPoint, &[("10.8.0.6", 32)]),
        interface(7, "docker0", NetworkKind::Container, &[("172.17.0.1", 16)]),
    ])
}

#[test]
fn a_newcomer_belongs_to_the_network_its_address_is_in() {
    let hall = lecture_hall();
    assert_eq!(tree_of(&hall, "192.0.2.77", "192.0.2.5"), network(2, Family::V4));
    assert_eq!(tree_of(&hall, "10.1.200.3", "10.1.0.9"), network(3, Family::V4));
    assert_eq!(tree_of(&hall, "2001:db8:1::55", "2001:db8:1::9"), network(3, Family::V6));
    assert_eq!(tree_of(&hall, "::1", "::1"), network(1, Family::V6));
    assert_eq!(tree_of(&hall, "172.17.0.4", "192.0.2.5"), network(7, Family::V4), "a container that dials the machine's address");
    assert_eq!(
        tree_of(&hall, "10.1.7.7", "192.0.2.5"),
        network(3, Family::V4),
        "it came by another interface than its address says"
    );
    assert_eq!(tree_of(&hall, "198.51.100.1", "192.0.2.5"), TreeKey::Elsewhere);
    assert_eq!(tree_of(&hall, "2001:db8:2::1", "2001:db8:1::9"), TreeKey::Elsewhere);
    assert_eq!(tree_of(&Networks::default(), "192.0.2.77", "192.0.2.5"), TreeKey::Elsewhere);
}

#[test]
fn addresses_of_ipv4_in_an_ipv6_socket_are_those_of_ipv4() {
    assert_eq!(tree_of(&lecture_hall(), "::ffff:192.0.2.77", "::ffff:192.0.2.5"), network(2, Family::V4));
}

#[test]
fn who_comes_by_this_machines_own_address_is_in_that_network() {
    assert_eq!(tree_of(&lecture_hall(), "192.0.2.5", "192.0.2.5"), network(2, Family::V4));
    assert_eq!(tree_of(&lecture_hall(), "127.0.0.1", "127.0.0.1"), network(1, Family::V4));
}

#[test]
fn a_line_to_one_peer_is_a_network_of_whoever_comes_by_it() {
    assert_eq!(tree_of(&lecture_hall(), "10.8.0.1", "10.8.0.6"), network(5, Family::V4));
    assert_eq!(tree_of(&lecture_hall(), "198.51.100.1", "10.8.0.6"), network(5, Family::V4));
}

#[test]
fn a_link_local_address_is_told_by_the_interface_it_came_by() {
    let hall = lecture_hall();
    let by = |scope: u32, local: &str| {
        let local = std::net::SocketAddrV6::new(local.parse().unwrap(), 5950, 0, scope);
        hall.tree_of("fe80::77".parse().unwrap(), local.into())
    };
    assert_eq!(by(3, "fe80::2"), network(3, Family::V6LinkLocal));
    assert_eq!(by(2, "fe80::1"), network(2, Family::V6LinkLocal));
    assert_eq!(by(0, "fe80::2"), network(3, Family::V6LinkLocal), "by the address where the system tells no scope");
}

#[test]
fn the_same_network_on_two_interfaces_is_two_trees() {
    let both = Networks::new(vec![
        interface(2, "eth0", NetworkKind::Lan, &[("192.168.1.5", 24)]),
        interface(3, "wlan0", NetworkKind::Lan, &[("192.168.1.6", 24)]),
    ]);
    assert_eq!(tree_of(&both, "192.168.1.80", "192.168.1.5"), network(2, Family::V4));
    assert_eq!(tree_of(&both, "192.168.1.80", "192.168.1.6"), network(3, Family::V4));
}

#[test]
fn of_overlapping_networks_the_narrowest_counts_unless_it_came_to_the_other() {
    let both = Networks::new(vec![
        interface(2, "eth0", NetworkKind::Lan, &[("10.0.0.5", 8)]),
        interface(3, "eth1", NetworkKind::Lan, &[("10.9.0.5", 24)]),
    ]);
    assert_eq!(tree_of(&both, "10.9.0.7", "10.0.0.5"), network(2, Family::V4));
    assert_eq!(tree_of(&both, "10.9.0.7", "10.9.0.5"), network(3, Family::V4));
    assert_eq!(tree_of(&both, "10.9.0.7", "192.0.2.1"), network(3, Family::V4));
}

#[test]
fn a_prefix_of_any_length_is_compared_without_a_fault() {
    let prefix = |address: &str, bits| Prefix { address: address.parse().unwrap(), bits };
    let ip = |text: &str| text.parse().unwrap();
    assert!(prefix("192.0.2.1", 0).contains(ip("198.51.100.1")));
    assert!(!prefix("192.0.2.1", 32).contains(ip("192.0.2.2")) && prefix("192.0.2.1", 32).contains(ip("192.0.2.1")));
    assert!(!prefix("192.0.2.1", 200).contains(ip("192.0.2.2")));
    assert!(prefix("::1", 0).contains(ip("2001:db8::1")));
    assert!(!prefix("::1", 128).contains(ip("::2")) && !prefix("::1", 0).contains(ip("192.0.2.1")));
}
