//! Shares of this site's nodes that are passed on upwards: who may bring a screen with which ticket, and when that is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use treevnc_protocol::tree::message::Present;
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::ticket::Ticket;
use treevnc_protocol::update::SessionId;

/// All shares that are passed on now.
#[derive(Debug, Default)]
pub(crate) struct Relays(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    open: BTreeMap<u64, Passed>,
}

#[derive(Debug)]
struct Passed {
    /// The node of this site's trees that asked.
    node: NodeId,
    /// The session of the tree above.
    far: SessionId,
    /// Passed down, and not used yet.
    ticket: Option<Ticket>,
    /// Dropped when the share is over.
    life: watch::Sender<()>,
}

/// One share's entry, gone when this value is.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    relays: &'a Relays,
    number: u64,
    life: watch::Receiver<()>,
}

impl Relays {
    /// A node of this site asks, and is passed on to the tree of the session `far`.
    pub(crate) fn begin(&self, node: NodeId, far: SessionId) -> Entry<'_> {
        let (sender, life) = watch::channel(());
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        state.open.insert(number, Passed { node, far, ticket: None, life: sender });
        Entry { relays: self, number, life }
    }

    /// A node of this site is gone: what it shares is over.
    pub(crate) fn gone(&self, node: NodeId) {
        self.lock().open.retain(|_, passed| passed.node != node);
    }

    /// A node brings its screen: the session of the tree above and the life of the share, if the ticket is the one that was passed to that
    /// node; once.
    pub(crate) fn admit(&self, present: &Present) -> Option<(SessionId, watch::Receiver<()>)> {
        let mut state = self.lock();
        let is_its = |passed: &&mut Passed| passed.node == present.id && passed.ticket == Some(present.ticket);
        let passed = state.open.values_mut().find(is_its)?;
        passed.ticket = None;
        Some((passed.far, passed.life.subscribe()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry<'_> {
    /// A ticket goes down to the node.
    pub(crate) fn granted(&self, ticket: Ticket) {
        if let Some(passed) = self.relays.lock().open.get_mut(&self.number) {
            passed.ticket = Some(ticket);
        }
    }

    /// Resolves when the node is gone. Cancel safe.
    pub(crate) async fn over(&mut self) {
        over(&mut self.life).await;
    }
}

/// Resolves when the share is over. Cancel safe.
pub(crate) async fn over(life: &mut watch::Receiver<()>) {
    while life.changed().await.is_ok() {}
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.relays.lock().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId(5);
    const TICKET: Ticket = Ticket([9; 16]);

    fn present(id: u64, ticket: Ticket) -> Present {
        Present { session: SessionId(1), id: NodeId(id), ticket }
    }

    #[test]
    fn a_ticket_is_good_once_for_the_node_that_it_was_passed_to() {
        let relays = Relays::default();
        let entry = relays.begin(NODE, SessionId(7));
        assert!(relays.admit(&present(5, TICKET)).is_none(), "none was passed yet");
        entry.granted(TICKET);
        assert!(relays.admit(&present(6, TICKET)).is_none() && relays.admit(&present(5, Ticket::NONE)).is_none());
        let (far, life) = relays.admit(&present(5, TICKET)).unwrap();
        assert!(far == SessionId(7) && life.has_changed().is_ok());
        assert!(relays.admit(&present(5, TICKET)).is_none());
        drop(entry);
        assert!(life.has_changed().is_err(), "the screen ends with the request");
    }

    #[tokio::test]
    async fn what_a_node_shares_is_over_when_it_is_gone_and_what_others_share_is_not() {
        let relays = Relays::default();
        let (mut entry, other) = (relays.begin(NODE, SessionId(7)), relays.begin(NodeId(6), SessionId(7)));
        relays.gone(NODE);
        entry.over().await;
        other.granted(TICKET);
        assert!(relays.admit(&present(6, TICKET)).is_some());
    }
}
