//! What a member says when it wants to present.

use super::Member;
use crate::tree::message::ServerChangeRequest;
use crate::tree::ticket::Ticket;
use crate::view::View;
use std::net::SocketAddr;

impl Member {
    /// The question whether this node may present, and whom to ask; `None` while it has no place in a tree.
    pub fn ask_to_present(&self, view: View) -> Option<(SocketAddr, ServerChangeRequest)> {
        let session = self.place.as_ref()?.session;
        let (id, v, name) = (self.config.id, self.v, self.config.name.clone());
        let mut request = ServerChangeRequest { session, id, v, name, view, proof: Ticket::NONE, presenter: id };
        request.proof = self.prove(&request.statement());
        Some((self.root, request))
    }
}
