//! The steps of a membership: what each event leads to, as actions.

use super::{Action, End, MAX_REDIRECTS, Member, MemberConfig, STEADY, Talk, Uplink};
use crate::tree::children::Link;
use crate::tree::message::{
    Asking, Attached, ConnectTo, Failed, Fault, KeptChildren, Message, Redirect, Refused, WhereToConnect,
};
use crate::tree::slot::{NodeId, Slot};
use crate::tree::ticket::{Statement, Ticket};
use std::net::{SocketAddr, SocketAddrV6};
use std::time::Duration;

impl Member {
    pub(super) fn new_link(&mut self) -> Link {
        self.last_link += 1;
        Link(self.last_link)
    }

    /// Opens a call with a question: to be confirmed when attached, for a place otherwise.
    pub(super) fn ask(&mut self, now: Duration) {
        let named = self.children.kept();
        let asking = match self.uplink {
            Uplink::Attached { .. } => Asking::Confirm { children: named },
            _ => self.asking,
        };
        let MemberConfig { id, capabilities, port, ref name, .. } = self.config;
        let (session, v, name) = (self.session, self.v, name.clone());
        let call = self.new_link();
        let proof = Ticket::NONE;
        let mut question = WhereToConnect { session, id, v, asking, capabilities, port, name, proof };
        question.proof = question.statement().map_or(proof, |statement| self.prove(&statement));
        let message = Message::WhereToConnect(question);
        self.talk = Talk::Open { call, until: now + self.config.answer, named };
        self.actions.push_back(Action::DialRoot { call, address: self.root, message });
    }

    /// With the key of the newest placement.
    pub(super) fn prove(&self, statement: &Statement) -> Ticket {
        self.place.as_ref().map_or(Ticket::NONE, |place| place.key.prove(statement))
    }

    /// Asks again after a while; one who has never been answered goes back to the address it was started with.
    pub(super) fn wait(&mut self, now: Duration) {
        if self.session.is_none() {
            (self.root, self.redirects) = (self.config.root, 0);
        }
        self.talk = Talk::Waiting { until: now + self.backoff.next() };
    }

    pub(super) fn close_call(&mut self) {
        if let Talk::Open { call, .. } | Talk::Answered { call } | Talk::Leaving { call, .. } = self.talk {
            self.actions.push_back(Action::CloseRoot { call });
        }
        self.talk = Talk::Quiet;
    }

    pub(super) fn close_uplink(&mut self) {
        if let Uplink::Dialling { link, .. } | Uplink::Attached { link, .. } = self.uplink {
            self.actions.push_back(Action::CloseParent { link });
        }
        (self.uplink, self.stalled_at, self.root_heard) = (Uplink::None, None, None);
    }

    /// The root has given a place: obeyed when it is newer than any before in its session.
    pub(super) fn told(&mut self, call: Link, place: &ConnectTo, now: Duration) {
        let is_new_session = self.session != Some(place.session);
        if place.id != self.config.id || (!is_new_session && place.v <= self.v) {
            self.close_call();
            return self.wait(now);
        }
        if is_new_session {
            self.actions.extend(self.reports.abandon().map(|call| Action::CloseRoot { call }));
        }
        if self.children.is_at(place.session, place.slot) {
            self.children.suspend();
            // Only the two can be named to the root when it is attached again.
            self.shed();
        } else {
            self.close_children();
        }
        self.close_uplink();
        (self.orphan_since, self.last_refusal) = (self.orphan_since.or(Some(now)), None);
        let mut place = place.clone();
        if place.slot.parent() == Some(Slot::ROOT) {
            // Where it was asked, it is reached; what it believes to be its address is worth nothing beyond a router that translates.
            place.address = self.root;
        } else {
            place.address = by_the_same_interface(place.address, self.root);
        }
        (self.session, self.v, self.place) = (Some(place.session), place.v, Some(place.clone()));
        (self.talk, self.redirects) = (Talk::Answered { call }, 0);
        let link = self.new_link();
        self.uplink = Uplink::Dialling { link, until: now + self.config.attach };
        self.actions.push_back(Action::DialParent { link, place });
        self.report(now);
    }

    pub(super) fn attached(&mut self, link: Link, now: Duration) {
        let Some(place) = &self.place else { return };
        self.children.open(place.session, place.slot, place.v, place.key.clone());
        self.uplink = Uplink::Attached { link, confirmed: false };
        (self.orphan_since, self.attached_since, self.stalled_at, self.root_heard) = (None, now, None, None);
        let named = self.children.kept();
        let Talk::Answered { call } = self.talk else { return self.ask(now) };
        let message = Message::Attached(Attached { v: self.v, children: named });
        self.talk = Talk::Open { call, until: now + self.config.answer, named };
        self.actions.push_back(Action::SendRoot { call, message });
    }

    pub(super) fn not_attached(&mut self, why: Fault, now: Duration) {
        self.close_uplink();
        self.asking = self.asking_after(|parent, fault| Asking::NotAttached { parent, fault }, why);
        if let Talk::Answered { call } = self.talk {
            let message = Message::Failed(Failed { v: self.v, why });
            self.actions.push_back(Action::SendRoot { call, message });
        }
        self.close_call();
        self.wait(now);
    }

    pub(super) fn orphaned(&mut self, why: Fault, now: Duration) {
        (self.uplink, self.stalled_at, self.root_heard) = (Uplink::None, None, None);
        self.children.suspend();
        self.orphan_since = Some(now);
        self.asking = self.asking_after(|parent, fault| Asking::LostParent { parent, fault }, why);
        self.close_call();
        if now.saturating_sub(self.attached_since) < STEADY {
            return self.wait(now);
        }
        self.backoff.reset();
        self.ask(now);
    }

    pub(super) fn asking_after(&self, asking: impl Fn(NodeId, Fault) -> Asking, fault: Fault) -> Asking {
        self.place.as_ref().map_or(Asking::New, |place| asking(place.parent, fault))
    }

    /// The root knows; children that it does not know to be this node's are to ask again.
    pub(super) fn echoed(&mut self, named: &KeptChildren, echo: &Attached, now: Duration) {
        let Uplink::Attached { link, .. } = self.uplink else { return };
        self.close_call();
        if echo.v != self.v {
            return self.wait(now);
        }
        self.uplink = Uplink::Attached { link, confirmed: true };
        self.root_heard = self.root_heard.map(|_| now);
        self.last_refusal = None;
        for link in self.children.reconcile(named, &echo.children) {
            self.actions.push_back(Action::CloseChild { link });
        }
    }

    pub(super) fn refused(&mut self, refused: &Refused, now: Duration) {
        self.close_call();
        if !refused.again {
            return self.end(End::GaveUp(refused.reason.clone()));
        }
        self.last_refusal = Some(refused.reason.clone());
        self.wait(now);
    }

    pub(super) fn redirected(&mut self, redirect: &Redirect, now: Duration) {
        self.close_call();
        self.redirects += 1;
        self.root = by_the_same_interface(redirect.root, self.root);
        if self.redirects > MAX_REDIRECTS {
            self.redirects = 0;
            return self.wait(now);
        }
        self.ask(now);
    }

    /// Sends the next report of a lost child, if one is due.
    pub(super) fn report(&mut self, now: Duration) {
        if matches!(self.talk, Talk::Leaving { .. } | Talk::Ended) || !self.reports.is_due(now) {
            return;
        }
        let call = self.new_link();
        if let Some(report) = self.reports.begin(call, now + self.config.attach) {
            self.actions.push_back(Action::DialRoot { call, address: self.root, message: report });
        }
    }

    /// Gives up the children in extra places, and answers whether there were any.
    pub(super) fn shed(&mut self) -> bool {
        let extra = self.children.shed();
        let any = !extra.is_empty();
        for (link, report) in extra {
            self.actions.push_back(Action::CloseChild { link });
            self.reports.push(Message::LostChild(report));
        }
        any
    }

    pub(super) fn close_children(&mut self) {
        let links = self.children.close_all();
        self.actions.extend(links.into_iter().map(|link| Action::CloseChild { link }));
    }

    pub(super) fn close_everything(&mut self) {
        self.close_children();
        self.close_uplink();
        self.close_call();
        self.actions.extend(self.reports.abandon().map(|call| Action::CloseRoot { call }));
        self.orphan_since = None;
    }

    pub(super) fn end(&mut self, end: End) {
        self.close_everything();
        self.talk = Talk::Ended;
        self.actions.push_back(Action::End(end));
    }

    pub(super) fn give_up_at(&self) -> Option<Duration> {
        Some(self.orphan_since.or(self.root_heard)? + self.config.give_up)
    }
}

/// An address that was told, as it is dialled here: a link-local one is meant on the interface that leads to the root.
fn by_the_same_interface(told: SocketAddr, root: SocketAddr) -> SocketAddr {
    match (told, root) {
        (SocketAddr::V6(told), SocketAddr::V6(root)) if told.ip().is_unicast_link_local() => {
            SocketAddrV6::new(*told.ip(), told.port(), 0, root.scope_id()).into()
        }
        _ => told,
    }
}
