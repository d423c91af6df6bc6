//! Who takes part: numbers, and the addresses and node numbers that belong to them.

use std::net::{IpAddr, SocketAddr};
use treevnc_protocol::tree::DEFAULT_PORT;
use treevnc_protocol::tree::slot::NodeId;

/// First number of [`Actor::id`]; anything but 0 would do.
const FIRST_ID: u64 = 1 << 32;
/// The hosts' network, 10.0.0.0/8.
const NETWORK: u32 = 0x0a00_0000;
/// Most actors of a world: the addresses of the network.
pub(crate) const MAX_ACTORS: usize = 1 << 24;

/// A participant: the root or a node. Numbers are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Actor(pub(crate) u32);

/// The root.
pub(crate) const ROOT: Actor = Actor(0);

impl Actor {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn at(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(crate) fn id(self) -> NodeId {
        NodeId(FIRST_ID + u64::from(self.0))
    }

    pub(crate) fn of(id: NodeId) -> Option<Self> {
        let number = id.0.checked_sub(FIRST_ID)?;
        u32::try_from(number).ok().map(Self)
    }

    pub(crate) fn address(self) -> SocketAddr {
        SocketAddr::new(IpAddr::from((NETWORK + self.0).to_be_bytes()), DEFAULT_PORT)
    }

    pub(crate) fn at_address(address: SocketAddr) -> Option<Self> {
        let IpAddr::V4(ip) = address.ip() else { return None };
        u32::from(ip).checked_sub(NETWORK).map(Self)
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == ROOT { f.write_str("the root") } else { write!(f, "node {}", self.0) }
    }
}
