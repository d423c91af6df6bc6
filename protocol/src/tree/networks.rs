//! The networks that a root is in, and to which of them whoever comes belongs. Knows addresses only; the program lists the interfaces.

use super::message::NetworkKind;
use super::text::NodeName;
use std::net::{IpAddr, SocketAddr};

/// An address of an interface, and how many bits of it are the network's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    /// The interface's own address.
    pub address: IpAddr,
    /// At most 32 for IPv4, 128 for IPv6.
    pub bits: u8,
}

/// A network interface that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The system's number for it, which a change of name leaves alone.
    pub index: u32,
    /// Its name.
    pub name: NodeName,
    /// What it leads to.
    pub kind: NetworkKind,
    /// All its addresses.
    pub addresses: Vec<Prefix>,
}

/// What addresses of an interface can talk to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6 but for the next.
    V6,
    /// Link-local IPv6: they mean nothing without the interface, so those who were reached by one are told only such.
    V6LinkLocal,
}

/// Which tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TreeKey {
    /// Of the nodes in one network of the root.
    Network {
        /// The interface's number.
        index: u32,
        /// The addresses in use.
        family: Family,
    },
    /// Of those whose address is in none of the root's networks: behind routers, near or far.
    Elsewhere,
    /// Sites: roots of networks of their own.
    Direct,
}

/// The interfaces of a root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks(Vec<Interface>);

impl Prefix {
    /// Whether an address is in the same network; a network of one address has no neighbours.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let same = |own: u128, other: u128, width: u8| {
            let host_bits = u32::from(width.saturating_sub(self.bits));
            own == other || own.checked_shr(host_bits) == other.checked_shr(host_bits)
        };
        match (self.address, ip) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same(own.to_bits().into(), other.to_bits().into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128),
            _ => false,
        }
    }
}

impl Family {
    /// Of an address.
    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => Self::V6LinkLocal,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

impl Interface {
    fn holds(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|own| own.address == ip)
    }

    /// Bits of the longest of its networks that has this address.
    fn reaches(&self, ip: IpAddr) -> Option<u8> {
        self.addresses.iter().filter(|own| own.contains(ip)).map(|own| own.bits).max()
    }
}

impl Networks {
    /// These interfaces, in the order of their numbers.
    pub fn new(mut interfaces: Vec<Interface>) -> Self {
        interfaces.sort_by_key(|interface| interface.index);
        Self(interfaces)
    }

    /// All of them.
    pub fn interfaces(&self) -> &[Interface] {
        &self.0
    }

    /// The interface with this number.
    pub fn interface(&self, index: u32) -> Option<&Interface> {
        self.0.iter().find(|interface| interface.index == index)
    }

    /// The tree of whoever comes from `peer` to our own address `local`.
    ///
    /// The interface that has the address it came to, if it is a neighbour there: so two interfaces with the same network are two trees.
    /// Else the one whose network it is in, the narrowest, for a machine answers on all its interfaces for all its addresses. Else, of a
    /// point-to-point line, that line: it leads to networks that its address does not tell.
    pub fn tree_of(&self, peer: IpAddr, local: SocketAddr) -> TreeKey {
        let (peer, here) = (peer.to_canonical(), local.ip().to_canonical());
        let family = Family::of(peer);
        let by_scope = match local {
            SocketAddr::V6(local) if family == Family::V6LinkLocal => self.interface(local.scope_id()),
            _ => None,
        };
        let holding = || self.0.iter().filter(|interface| interface.holds(here));
        let neighbours = || self.0.iter().filter_map(|interface| Some((interface.reaches(peer)?, interface)));
        let narrowest = || neighbours().max_by_key(|(bits, interface)| (*bits, std::cmp::Reverse(interface.index)));
        let interface = by_scope
            .or_else(|| holding().find(|interface| interface.reaches(peer).is_some()))
            .or_else(|| narrowest().map(|(_, interface)| interface))
            .or_else(|| holding().find(|interface| interface.kind == NetworkKind::PointToPoint));
        interface.map_or(TreeKey::Elsewhere, |interface| TreeKey::Network { index: interface.index, family })
    }
}

#[cfg(test)]
#[path = "networks_tests.rs"]
mod tests;
