//! The distribution tree: framing and messages of a link, discovery datagrams, tickets, the root's topology and a node's
//! membership (PROTOCOL.md). State machines and bytes only: sockets and clocks belong to the programs that drive them.

pub mod balance;
pub mod children;
pub mod delay;
pub mod demand;
pub mod discovery;
pub mod floor;
pub mod forest;
pub mod frame;
pub mod member;
pub mod message;
pub(crate) mod mix;
pub mod networks;
pub mod pace;
pub mod pulse;
pub mod slot;
pub mod text;
pub mod ticket;
pub mod topology;
pub mod upload;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod vectors;

/// What every node's port sends first: an ordinary viewer reads RFB 3.8, a node does not mind (RFC 6143 section 7.1.1).
pub const GREETING_PORT: &[u8; 12] = b"RFB 003.008\n";
/// What a node answers to [`GREETING_PORT`]: from here on both sides speak frames. The number is the tree protocol's version.
pub const GREETING_TREE: &[u8; 12] = b"TREEVNC 001\n";
/// The version in [`GREETING_TREE`] and in discovery datagrams.
pub const PROTOCOL_VERSION: u8 = 1;
/// The port a root listens on unless told otherwise: RFB display 50.
pub const DEFAULT_PORT: u16 = 5950;
