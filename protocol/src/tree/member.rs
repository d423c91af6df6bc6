//! A node's side of the tree: how it gets a parent, keeps it, and who may be its children (PROTOCOL.md, Placement). Decides only;
//! the node's program dials, sends and closes.

mod action;
mod backoff;
mod config;
mod presenting;
mod reports;
mod steps;

pub use action::{Action, End, attach};
pub use config::MemberConfig;

use super::children::{Acceptance, Child, Children, Link};
use super::message::{Asking, Attach, AttachReply, ConnectTo, Fault, IAmHere, KeptChildren, Leave, Message, Redirect, SlowNode};
use super::pace::Slow;
use super::slot::{NodeId, Slot, V};
use super::text::{Reason, SessionName};
use super::ticket::{Claim, Ticket};
use crate::update::SessionId;
use backoff::Backoff;
use reports::Reports;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

/// Most REDIRECTs followed without an answer in between.
pub const MAX_REDIRECTS: u32 = 4;
/// A parent that was kept for less than this counts as a failure: the node waits before it asks again.
pub const STEADY: Duration = Duration::from_secs(1);
/// A node whose beats stand still for so long, up to twice as long by chance, asks the root whether its place is still right.
pub const STALL: Duration = Duration::from_secs(5);

/// How it stands with a node, for people and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Has no parent; asks the root or is about to.
    Asking,
    /// Was given a place and tries to attach.
    Connecting,
    /// Has a parent.
    Attached,
    /// Has left or given up.
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uplink {
    None,
    Dialling { link: Link, until: Duration },
    Attached { link: Link, confirmed: bool },
}

/// The conversation with the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Talk {
    /// None, and none is due.
    Quiet,
    /// The next question is due then.
    Waiting { until: Duration },
    /// A question is open; a place, or the echo of ATTACHED, is to come.
    Open { call: Link, until: Duration, named: KeptChildren },
    /// The question was answered by the place that the node is connecting to.
    Answered { call: Link },
    /// LEAVE is on its way.
    Leaving { call: Link, until: Duration },
    /// Over.
    Ended,
}

/// A node's membership in the tree of one root.
///
/// In: [`Member::start`] once; then `handle_*` for whatever happens on calls and links, [`Member::accept`] for each ATTACH from
/// a child, [`Member::handle_timeout`] when the time of [`Member::poll_deadline`] has come. Events of calls and links that are
/// closed already are ignored. Out, after each of them: [`Member::poll_action`] until none, to be carried out in that order.
///
/// The node asks the root, is told a place, attaches to the parent, and tells the root, until the root has confirmed it. Losing
/// a parent that it had for a while, it asks at once, and keeps its children while it does; a failure is followed by a wait that grows, with chance in
/// it. It obeys only a newer `v`, whether it asked or was pushed ([`Member::handle_push`]). Given another slot, it closes its children before it dials the new parent, and lets none in
/// until it is attached. A lost child is reported to the root until the root has heard. Without a parent, or below one that does not
/// hear the root either, for `give_up`, or when the root refuses for good, it ends.
#[derive(Debug)]
pub struct Member {
    config: MemberConfig,
    root: SocketAddr,
    redirects: u32,
    session: Option<SessionId>,
    v: V,
    place: Option<ConnectTo>,
    uplink: Uplink,
    talk: Talk,
    asking: Asking,
    children: Children,
    reports: Reports,
    backoff: Backoff,
    /// How long beats may stand still.
    stall: Duration,
    orphan_since: Option<Duration>,
    attached_since: Duration,
    /// When the beats have stood still for too long; none before the first one of this link.
    stalled_at: Option<Duration>,
    /// When the root was last heard of, by a beat or an answer, since the first beat of this link.
    root_heard: Option<Duration>,
    last_refusal: Option<Reason>,
    last_link: u64,
    actions: VecDeque<Action>,
}

impl Member {
    /// A node that has not asked yet.
    pub fn new(config: MemberConfig) -> Self {
        let mut backoff = Backoff::new(config.seed, config.wait, config.max_wait);
        Self {
            root: config.root,
            redirects: 0,
            session: None,
            v: V::NONE,
            place: None,
            uplink: Uplink::None,
            talk: Talk::Quiet,
            asking: Asking::New,
            children: Children::new(config.id),
            reports: Reports::default(),
            stall: backoff.between(STALL),
            backoff,
            orphan_since: None,
            attached_since: Duration::ZERO,
            stalled_at: None,
            root_heard: None,
            last_refusal: None,
            last_link: 0,
            actions: VecDeque::new(),
            config,
        }
    }

    /// Begins.
    pub fn start(&mut self, now: Duration) {
        self.orphan_since = Some(now);
        self.ask(now);
    }

    /// A message came on a call.
    pub fn handle_root_message(&mut self, call: Link, message: &Message, now: Duration) {
        if self.reports.is_call(call) {
            self.reports.heard();
            self.actions.push_back(Action::CloseRoot { call });
            return self.report(now);
        }
        match (self.talk, message) {
            (Talk::Leaving { call: open, .. }, _) if open == call => self.end(End::Left),
            (Talk::Open { call: open, .. }, Message::ConnectTo(place)) if open == call => self.told(call, place, now),
            (Talk::Open { call: open, named, .. }, Message::Attached(echo)) if open == call => self.echoed(&named, echo, now),
            (Talk::Open { call: open, .. }, Message::Refused(refused)) if open == call => self.refused(refused, now),
            (Talk::Open { call: open, .. }, Message::Redirect(redirect)) if open == call => self.redirected(redirect, now),
            (Talk::Open { call: open, .. }, _) if open == call => {
                self.close_call();
                self.wait(now);
            }
            _ => {}
        }
    }

    /// A call has ended, or could not be made.
    pub fn handle_root_closed(&mut self, call: Link, now: Duration) {
        if self.reports.is_call(call) {
            return self.reports.failed(now);
        }
        match self.talk {
            Talk::Open { call: open, .. } if open == call => self.wait(now),
            Talk::Answered { call: open } if open == call => self.talk = Talk::Quiet,
            Talk::Leaving { call: open, .. } if open == call => self.end(End::Left),
            _ => {}
        }
    }

    /// Somebody has dialled this node and sent it a CONNECT_TO. If it is the root's, which its key proves, and newer than what the node
    /// has, it is obeyed, and that connection is from now on the call whose number is the answer: I_AM_HERE is to be sent on it before
    /// anything else. Otherwise none: the connection is to be answered by I_AM_HERE and closed.
    pub fn handle_push(&mut self, place: &ConnectTo, now: Duration) -> Option<Link> {
        let claim = Claim { session: place.session, child: place.id, v: place.v, slot: place.slot };
        let is_from_root = self.place.as_ref().is_some_and(|held| held.key.verify(&claim, &place.key.sign(&claim)));
        let is_for_us = self.session == Some(place.session) && place.id == self.config.id && place.v > self.v;
        let is_over = matches!(self.talk, Talk::Leaving { .. } | Talk::Ended);
        if !is_from_root || !is_for_us || is_over {
            return None;
        }
        self.close_call();
        let call = self.new_link();
        self.told(call, place, now);
        Some(call)
    }

    /// A newer beat of the root has come from the parent.
    pub fn handle_beat(&mut self, now: Duration) {
        if matches!(self.uplink, Uplink::Attached { .. }) {
            (self.stalled_at, self.root_heard) = (Some(now + self.stall), Some(now));
        }
    }

    /// The program has measured that a child, or none of the children and so this node itself, cannot keep up with the picture.
    /// A node that has children in extra places gives those up first; anything else is reported to the root.
    pub fn handle_slow(&mut self, Slow { child, alone }: Slow, now: Duration) {
        let Some(session) = self.session else { return };
        let reporter = self.config.id;
        let (node, v) = match child {
            Some(link) => match self.children.by_link(link) {
                Some(child) => (child.id, child.v),
                None => return,
            },
            None => (reporter, self.v),
        };
        if child.is_some() || !self.shed() {
            let mut report = SlowNode { session, reporter, node, v, alone, proof: Ticket::NONE };
            report.proof = self.prove(&report.statement());
            self.reports.push(Message::SlowNode(report));
        }
        self.report(now);
    }

    /// The parent has answered ATTACH.
    pub fn handle_attach_reply(&mut self, link: Link, reply: AttachReply, now: Duration) {
        if !matches!(self.uplink, Uplink::Dialling { link: open, .. } if open == link) {
            return;
        }
        match reply {
            AttachReply::Ok { .. } => self.attached(link, now),
            AttachReply::Stale => self.not_attached(Fault::Stale, now),
            AttachReply::NotHere => self.not_attached(Fault::NotHere, now),
        }
    }

    /// The link to the parent has ended, could not be made, or was found unfit by the program, which has closed it.
    pub fn handle_parent_closed(&mut self, link: Link, fault: Fault, now: Duration) {
        match self.uplink {
            Uplink::Dialling { link: open, .. } if open == link => self.not_attached(fault, now),
            Uplink::Attached { link: open, .. } if open == link => self.orphaned(fault, now),
            _ => {}
        }
    }

    /// Decides on an ATTACH that came by `link`, a number the program gave. An earlier link on the same side is closed by the
    /// next actions.
    pub fn accept(&mut self, attach: &Attach, link: Link) -> Acceptance {
        if !self.config.capabilities.relay {
            return Acceptance::Stale;
        }
        let acceptance = self.children.accept(attach, link);
        if let Acceptance::Welcome { replaces: Some(link) } = acceptance {
            self.actions.push_back(Action::CloseChild { link });
        }
        acceptance
    }

    /// The link of a child has ended, or was found unfit by the program, which has closed it.
    pub fn handle_child_closed(&mut self, link: Link, fault: Fault, now: Duration) {
        if let Some(report) = self.children.lost(link, fault) {
            self.reports.push(Message::LostChild(report));
            self.report(now);
        }
    }

    /// The time of [`Member::poll_deadline`] has come; too early does no harm.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.give_up_at().is_some_and(|until| until <= now) {
            let reason = self.last_refusal.clone().unwrap_or_else(|| "no parent found; the root does not answer".into());
            return self.end(End::GaveUp(reason));
        }
        if matches!(self.uplink, Uplink::Dialling { until, .. } if until <= now) {
            self.not_attached(Fault::NoAnswer, now);
        }
        let is_stalled = self.stalled_at.is_some_and(|at| at <= now);
        match self.talk {
            // Something above does not hear the root: the root is to say whether this place is still right.
            Talk::Quiet if is_stalled => {
                self.stalled_at = Some(now + self.stall);
                self.ask(now);
            }
            Talk::Waiting { until } if until <= now => self.ask(now),
            Talk::Open { until, .. } if until <= now => {
                self.close_call();
                self.wait(now);
            }
            Talk::Leaving { until, .. } if until <= now => self.end(End::Left),
            _ => {}
        }
        if let Some(call) = self.reports.expire(now) {
            self.actions.push_back(Action::CloseRoot { call });
        }
        self.report(now);
    }

    /// Closes everything and tells the root; [`Action::End`] follows when the root has heard, or soon.
    pub fn leave(&mut self, now: Duration) {
        if matches!(self.talk, Talk::Leaving { .. } | Talk::Ended) {
            return;
        }
        self.close_everything();
        let Some(session) = self.session else { return self.end(End::Left) };
        let call = self.new_link();
        let mut leave = Leave { session, id: self.config.id, v: self.v, proof: Ticket::NONE };
        leave.proof = self.prove(&leave.statement());
        let message = Message::Leave(leave);
        self.talk = Talk::Leaving { call, until: now + self.config.attach };
        self.actions.push_back(Action::DialRoot { call, address: self.root, message });
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Member::handle_timeout`] is to be called; changes with every event.
    pub fn poll_deadline(&self) -> Option<Duration> {
        let dialling = match self.uplink {
            Uplink::Dialling { until, .. } => Some(until),
            _ => None,
        };
        let talking = match self.talk {
            Talk::Quiet => self.stalled_at,
            Talk::Waiting { until } | Talk::Open { until, .. } | Talk::Leaving { until, .. } => Some(until),
            _ => None,
        };
        [dialling, talking, self.reports.deadline(), self.give_up_at()].into_iter().flatten().min()
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        match (self.talk, self.uplink) {
            (Talk::Leaving { .. } | Talk::Ended, _) => Standing::Ended,
            (_, Uplink::None) => Standing::Asking,
            (_, Uplink::Dialling { .. }) => Standing::Connecting,
            (_, Uplink::Attached { .. }) => Standing::Attached,
        }
    }

    /// Its own number.
    pub fn id(&self) -> NodeId {
        self.config.id
    }

    /// Whether it is attached and the root is known to know.
    pub fn is_confirmed(&self) -> bool {
        matches!(self.uplink, Uplink::Attached { confirmed: true, .. })
    }

    /// The place it has or tries to get, if any.
    pub fn place(&self) -> Option<&ConnectTo> {
        self.place.as_ref().filter(|_| self.uplink != Uplink::None)
    }

    /// The slot of that place.
    pub fn slot(&self) -> Option<Slot> {
        self.place().map(|place| place.slot)
    }

    /// Why the root has refused it a place, if that was its last answer.
    pub fn refusal(&self) -> Option<&Reason> {
        self.last_refusal.as_ref().filter(|_| self.uplink == Uplink::None)
    }

    /// Where it asks: the address it was given, or the one it was sent on to.
    pub fn root(&self) -> SocketAddr {
        self.root
    }

    /// The session's name for people, once known.
    pub fn session_name(&self) -> Option<&SessionName> {
        self.place.as_ref().map(|place| &place.name)
    }

    /// The children that are attached, left before right.
    pub fn children(&self) -> impl Iterator<Item = Child> {
        self.children.iter()
    }

    /// The answer to a question that is the root's (WHERE_TO_CONNECT, STATUS_REQUEST).
    pub fn redirect(&self) -> Message {
        Message::Redirect(Redirect { root: self.root })
    }

    /// The answer to ARE_YOU_THERE; `room` is how many more leaf-only children the program could feed.
    pub fn i_am_here(&self, room: u8) -> Message {
        let is_relay = self.config.capabilities.relay && matches!(self.uplink, Uplink::Attached { .. });
        Message::IAmHere(IAmHere { session: self.session, id: self.config.id, v: self.v, room: if is_relay { room } else { 0 } })
    }

    #[cfg(test)]
    pub(super) fn parent_link(&self) -> Option<Link> {
        match self.uplink {
            Uplink::Attached { link, .. } => Some(link),
            _ => None,
        }
    }

    #[cfg(test)]
    pub(super) fn children_slot(&self) -> Option<Slot> {
        self.children.slot()
    }
}

#[cfg(test)]
#[path = "member_tests.rs"]
mod tests;
