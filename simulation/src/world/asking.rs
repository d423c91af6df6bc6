//! How a child gets in, the same at the root and at every node.

use super::World;
use crate::actor::{Actor, ROOT};
use crate::network::{Arrival, End, Wire};
use treevnc_protocol::log::Cursor;
use treevnc_protocol::tree::children::{Acceptance, Link};
use treevnc_protocol::tree::message::{Attach, AttachReply, Message};
use treevnc_protocol::update::Seq;

impl World {
    /// Sends a message from an end.
    pub(super) fn send(&mut self, wire: Wire, from: End, message: Message) {
        let bytes = message.encode().len();
        self.tally.messages += 1;
        self.tally.control_bytes += bytes as u64;
        if self.network.actor(wire, from) == Some(ROOT) || self.network.actor(wire, from.other()) == Some(ROOT) {
            self.tally.root_messages += 1;
        }
        self.network.send(wire, from, Arrival::Message(Box::new(message)), bytes);
    }

    /// A child asks to be let in.
    pub(super) fn attach(&mut self, actor: Actor, wire: Wire, attach: &Attach) {
        let link = Link(wire.0);
        let acceptance = match self.node_mut(actor) {
            Some(node) => node.member.accept(attach, link),
            None => self.root.children.accept(attach, link),
        };
        // A member asks for that by an action of its own.
        if let Acceptance::Welcome { replaces: Some(old) } = acceptance
            && actor == ROOT
        {
            self.close_child(actor, Wire(old.0));
        }
        let Some(head) = self.served(actor).map(|served| served.log.head()) else { return };
        let reply = acceptance.reply(head);
        self.send(wire, End::Listener, Message::AttachReply(reply));
        if !matches!(reply, AttachReply::Ok { .. }) {
            return self.network.close(wire, End::Listener);
        }
        let position = attach.position;
        let served = match self.nodes.get_mut(actor.index()) {
            Some(Some(node)) => &mut node.served,
            _ => &mut self.root.served,
        };
        served.let_in(wire, attach.slot, Cursor::new(position.session, position.seq));
        self.network.watch(wire, End::Listener);
        if self.network.is_narrow(wire) {
            self.watch_pace(wire);
        }
        let sent = self.feed_again(wire, actor);
        if position.seq > Seq::NONE && position.session == self.root.served.log.session() {
            let live = self.root.served.log.live();
            let cost = |only: &dyn Fn(Seq) -> bool| -> usize {
                live.filter(|entry| only(entry.update().seq)).map(|entry| entry.update().cost_bytes()).sum()
            };
            let unseen = cost(&|seq| seq > position.seq);
            self.tally.rehomed(sent, unseen);
        }
    }

    /// Closes the link of a child; the state machine knows.
    pub(super) fn close_child(&mut self, actor: Actor, wire: Wire) {
        let served = match self.nodes.get_mut(actor.index()) {
            Some(Some(node)) => &mut node.served,
            _ => &mut self.root.served,
        };
        if !served.drop_link(wire) {
            self.break_rule(format!("{actor} closes a child that it does not have"));
        }
        self.network.close(wire, End::Listener);
    }
}
