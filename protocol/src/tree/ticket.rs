//! Tickets: what a node shows its parent to be let in. The root signs with a key that the parent got with its own placement,
//! so no message to the parent is needed. With the same key a node proves to the root that a statement is its own.

use super::slot::{NodeId, Slot, V};
use crate::update::SessionId;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Bytes of a [`Key`].
pub const KEY_BYTES: usize = 32;
/// Bytes of a [`Ticket`]: HMAC-SHA256 cut to its first half.
pub const TICKET_BYTES: usize = 16;

/// The key under which a node checks its children's tickets; a secret between it and the root.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key([u8; KEY_BYTES]);

/// Leave to attach: a MAC over session, child, placement number and slot. Also the proof of a [`Statement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket(pub [u8; TICKET_BYTES]);

/// What a ticket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The session of the tree.
    pub session: SessionId,
    /// Who may attach.
    pub child: NodeId,
    /// The number of the placement.
    pub v: V,
    /// The slot the child takes.
    pub slot: Slot,
}

impl Claim {
    /// The signed bytes: session, child and `v` as u64, slot as u32, big-endian.
    fn bytes(&self) -> [u8; 28] {
        let mut out = [0; 28];
        out[..8].copy_from_slice(&self.session.0.to_be_bytes());
        out[8..16].copy_from_slice(&self.child.0.to_be_bytes());
        out[16..24].copy_from_slice(&self.v.0.to_be_bytes());
        out[24..].copy_from_slice(&self.slot.0.to_be_bytes());
        out
    }
}

/// What a node says to the root about itself or a child, and proves to have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The type of the message, one of [`crate::tree::frame::kind`].
    pub kind: u8,
    /// The session of the tree.
    pub session: SessionId,
    /// About whom.
    pub node: NodeId,
    /// Under which placement.
    pub v: V,
}

impl Statement {
    /// The signed bytes: kind, then session, node and `v` as u64, big-endian. Another length than a claim's.
    fn bytes(&self) -> [u8; 25] {
        let mut out = [0; 25];
        out[0] = self.kind;
        out[1..9].copy_from_slice(&self.session.0.to_be_bytes());
        out[9..17].copy_from_slice(&self.node.0.to_be_bytes());
        out[17..].copy_from_slice(&self.v.0.to_be_bytes());
        out
    }
}

impl Ticket {
    /// The proof of one who has no key yet.
    pub const NONE: Ticket = Ticket([0; TICKET_BYTES]);
}

impl Key {
    /// A key from random bytes.
    pub fn new(random: [u8; KEY_BYTES]) -> Self {
        Self(random)
    }

    /// The key of one node, derived by the root from its own so that it need not be remembered.
    pub fn derive(&self, session: SessionId, node: NodeId) -> Key {
        let mut mac = self.mac();
        mac.update(b"treevnc node key");
        mac.update(&session.0.to_be_bytes());
        mac.update(&node.0.to_be_bytes());
        Key(mac.finalize().into_bytes().into())
    }

    /// The ticket for a claim.
    pub fn sign(&self, claim: &Claim) -> Ticket {
        self.sign_bytes(&claim.bytes())
    }

    /// Whether the ticket is for this claim; takes the same time whatever differs.
    pub fn verify(&self, claim: &Claim, ticket: &Ticket) -> bool {
        self.verify_bytes(&claim.bytes(), ticket)
    }

    /// The proof of a statement by the owner of this key.
    pub fn prove(&self, statement: &Statement) -> Ticket {
        self.sign_bytes(&statement.bytes())
    }

    /// Whether the owner of this key made the statement; takes the same time whatever differs.
    pub fn is_proven(&self, statement: &Statement, proof: &Ticket) -> bool {
        self.verify_bytes(&statement.bytes(), proof)
    }

    fn sign_bytes(&self, bytes: &[u8]) -> Ticket {
        let mut mac = self.mac();
        mac.update(bytes);
        let whole: [u8; 32] = mac.finalize().into_bytes().into();
        let mut ticket = [0; TICKET_BYTES];
        ticket.copy_from_slice(&whole[..TICKET_BYTES]);
        Ticket(ticket)
    }

    fn verify_bytes(&self, bytes: &[u8], ticket: &Ticket) -> bool {
        let mut mac = self.mac();
        mac.update(bytes);
        mac.verify_truncated_left(&ticket.0).is_ok()
    }

    fn mac(&self) -> Hmac<Sha256> {
        // A key shorter than SHA-256's block is used padded with zeros (RFC 2104 section 2), so this equals the 32-byte key.
        let mut block = hmac::digest::common::Key::<Hmac<Sha256>>::default();
        block[..KEY_BYTES].copy_from_slice(&self.0);
        Hmac::new(&block)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: Claim = Claim { session: SessionId(1), child: NodeId(2), v: V(3), slot: Slot(4) };

    #[test]
    fn the_mac_is_hmac_sha256() {
        // python3: hmac.new(bytes([0x0b] * 32), struct.pack(">QQQI", 1, 2, 3, 4), "sha256").hexdigest()[:32]
        let ticket = Key::new([0x0b; KEY_BYTES]).sign(&CLAIM);
        let hex: String = ticket.0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "71d8440edecd6b97d9eeb0076ea19b39");
    }

    #[test]
    fn a_ticket_is_good_for_its_claim_and_key_only() {
        let key = Key::new([7; KEY_BYTES]);
        let ticket = key.sign(&CLAIM);
        assert!(key.verify(&CLAIM, &ticket));
        let others = [
            Claim { session: SessionId(9), ..CLAIM },
            Claim { child: NodeId(9), ..CLAIM },
            Claim { v: V(9), ..CLAIM },
            Claim { slot: Slot(9), ..CLAIM },
        ];
        assert!(others.iter().all(|claim| !key.verify(claim, &ticket)));
        assert!(!Key::new([8; KEY_BYTES]).verify(&CLAIM, &ticket));
        for bit in 0..TICKET_BYTES * 8 {
            let mut forged = ticket;
            forged.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&CLAIM, &forged));
        }
    }

    #[test]
    fn every_node_of_every_session_has_its_own_key() {
        let root = Key::new([7; KEY_BYTES]);
        let key = root.derive(SessionId(1), NodeId(1));
        assert_ne!(key, root.derive(SessionId(1), NodeId(2)));
        assert_ne!(key, root.derive(SessionId(2), NodeId(1)));
        assert_eq!(key, root.derive(SessionId(1), NodeId(1)));
        assert!(!format!("{key:?}").contains(char::is_numeric));
    }
}
