//! The floor: whose screen is shown, and who may have it next (PROTOCOL.md, Presenting). Decides only; the root's program carries the
//! messages and the pictures.

mod share;

pub use share::ShareId;

use super::children::Link;
use super::frame::kind;
use super::message::{FloorReport, FloorRequest, MAX_REQUESTS, Policy, ServerChangeReply, ServerChangeRequest};
use super::slot::{NodeId, V};
use super::text::{NodeName, Reason};
use super::ticket::{Key, Statement, Ticket};
use crate::update::SessionId;
use crate::view::View;
use share::{Phase, Share};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a request waits for a person's answer.
pub const ASKING: Duration = Duration::from_secs(60);
/// How long a ticket is good.
pub const TICKET: Duration = Duration::from_secs(10);
/// How long a presenter's first picture may take from its PRESENT on.
pub const REHEARSAL: Duration = Duration::from_secs(20);
/// Shares that are shown or wait below the one that is; an older one is ended.
pub const MAX_STAGED: usize = 2;

/// Whose screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The root's own: its screen, or the VNC server it was started for.
    Lecturer,
    /// That of a node.
    Share(ShareId),
}

/// What the program has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FloorAction {
    /// Tell the node on this connection how it stands; close it after a reply that [is the last](ServerChangeReply::is_last).
    Reply {
        /// The connection of its request.
        link: Link,
        /// What is to be said.
        reply: ServerChangeReply,
    },
    /// Close the connection that carries this share's screen.
    End(ShareId),
    /// Show this screen from its first whole picture on; until then the one that is shown goes on.
    Show(Source),
}

/// Whose screen the floor has let in by PRESENT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The share.
    pub share: ShareId,
    /// The node's name for people.
    pub name: NodeName,
    /// The part of its screen to be shown.
    pub view: View,
}

/// Who presents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presenting {
    /// The node.
    pub node: NodeId,
    /// Its name for people.
    pub name: NodeName,
}

/// The floor of one session.
///
/// In: `handle_*` for what nodes, people and the program's pictures do; [`Floor::handle_timeout`] when the time of [`Floor::poll_deadline`] has
/// come. Out, after each: [`Floor::poll_action`] until none.
///
/// A share is asked for, granted, rehearsed and then shown. One at a time is between *granted* and *shown*: under [`Policy::Free`] others
/// are told BUSY meanwhile, while a person's decision replaces it. The share that was shown before is paused and returns when the newer
/// one ends, below it the lecturer's screen; one that was paused twice is ended. A node has one share: its newer request ends the older
/// request, and its newer screen the older one. A share ends with either of its connections, with its node, by [`Floor::handle_back`], or in time.
#[derive(Debug)]
pub struct Floor {
    session: SessionId,
    secret: Key,
    policy: Policy,
    last: u32,
    /// All shares, the oldest request first.
    shares: Vec<Share>,
    /// Those that were shown: the last one is, or returns.
    staged: Vec<ShareId>,
    /// The newest [`FloorAction::Show`].
    shown: Source,
    actions: VecDeque<FloorAction>,
}

impl Floor {
    /// The lecturer's screen is shown; `secret` makes tickets.
    pub fn new(session: SessionId, secret: Key, policy: Policy) -> Self {
        let (shares, staged, actions) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { session, secret, policy, last: 0, shares, staged, shown: Source::Lecturer, actions }
    }

    /// A node asks; the caller has checked that it is one of the tree's and has proven to be the one it says it is.
    pub fn handle_request(&mut self, link: Link, request: &ServerChangeRequest, now: Duration) {
        if self.policy == Policy::Locked {
            return self.refuse(link, "the lecturer lets nobody share a screen now");
        }
        let (via, node) = (request.id, request.presenter);
        let is_again = |share: &&Share| (share.via, share.node) == (via, node) && !share.is_staged();
        let again = self.shares.iter().find(is_again).map(|share| share.id);
        if let Some(older) = again {
            self.end(older, Some(ended("asked for again by the same node")));
        }
        let waiting = self.shares.iter().filter(|share| matches!(share.phase, Phase::Asked { .. })).count();
        if (self.policy == Policy::Ask && waiting >= MAX_REQUESTS) || (self.policy == Policy::Free && self.switching().is_some())
        {
            return self.reply(link, ServerChangeReply::Busy);
        }
        self.last = self.last.wrapping_add(1);
        let (id, phase) = (ShareId(self.last), Phase::Asked { until: now + ASKING });
        self.shares.push(Share { id, link, via, node, name: request.name.clone(), view: request.view, phase });
        match self.policy {
            Policy::Free => self.grant(id, now),
            _ => self.reply(link, ServerChangeReply::Asked),
        }
    }

    /// A request's connection has ended.
    pub fn handle_closed(&mut self, link: Link) {
        if let Some(id) = self.shares.iter().find(|share| share.link == link).map(|share| share.id) {
            self.end(id, None);
        }
    }

    /// A node is gone from the tree, and all that is behind it.
    pub fn handle_gone(&mut self, node: NodeId) {
        self.end_all("its node is gone from the tree", |share| share.via == node);
    }

    /// A node of the tree brings its screen, or that of a node behind it; `None` when the ticket is not good.
    pub fn handle_present(&mut self, via: NodeId, ticket: &Ticket, now: Duration) -> Option<Granted> {
        let share = self.switching().filter(|share| share.via == via && matches!(share.phase, Phase::Granted { .. }))?;
        let id = share.id;
        if !self.secret.is_proven(&self.statement(via, id), ticket) {
            return None;
        }
        let share = self.share_mut(id)?;
        share.phase = Phase::Rehearsing { until: now + REHEARSAL };
        let granted = Granted { share: id, name: share.name.clone(), view: share.view };
        self.show();
        Some(granted)
    }

    /// The first whole picture of this screen has just replaced the one before.
    pub fn handle_shown(&mut self, source: Source) {
        let Source::Share(id) = source else { return };
        let Some(share) = self.share_mut(id).filter(|share| matches!(share.phase, Phase::Rehearsing { .. })) else { return };
        share.phase = Phase::Staged;
        let (via, node, by, link) = (share.via, share.node, share.name.clone(), share.link);
        self.staged.push(id);
        self.reply(link, ServerChangeReply::Live);
        self.end_all("replaced by a newer one of the same node", |share| {
            (share.via, share.node) == (via, node) && share.id != id && share.is_staged()
        });
        let paused = self.staged.iter().rev().nth(1).and_then(|&below| self.share(below)).map(|share| share.link);
        if let Some(paused) = paused {
            self.reply(paused, ServerChangeReply::Paused { by });
        }
        if self.staged.len() > MAX_STAGED
            && let Some(&oldest) = self.staged.first()
        {
            self.end(oldest, Some(ended("others have presented since")));
        }
    }

    /// A share's screen is gone: its connection ended, or its server sent what cannot be shown.
    pub fn handle_lost(&mut self, share: ShareId, why: &str) {
        self.end(share, Some(ended(why)));
    }

    /// A person lets a request, or the oldest, be shown. What was about to be shown gives way. `false` when there is no such request.
    pub fn handle_approve(&mut self, number: Option<u32>, now: Duration) -> bool {
        let Some(id) = self.asked(number) else { return false };
        if let Some(other) = self.switching().map(|share| share.id) {
            self.end(other, Some(ended("another one was chosen")));
        }
        self.grant(id, now);
        true
    }

    /// A person refuses a request, or the oldest. `false` when there is no such request.
    pub fn handle_refuse(&mut self, number: Option<u32>) -> bool {
        let Some(id) = self.asked(number) else { return false };
        self.end(id, Some(ServerChangeReply::Refused { reason: "the lecturer said no".into() }));
        true
    }

    /// The lecturer's screen again: all that is shown, waits below it or is about to be, ends. Requests go on waiting.
    pub fn handle_back(&mut self) {
        self.end_all("the lecturer presents again", |share| !matches!(share.phase, Phase::Asked { .. }));
    }

    /// Another policy. Under [`Policy::Locked`] what waits for an answer is refused, and what is shown stays; under [`Policy::Free`] the oldest
    /// request is granted.
    pub fn set_policy(&mut self, policy: Policy, now: Duration) {
        self.policy = policy;
        match policy {
            Policy::Ask => {}
            Policy::Free if self.switching().is_none() => drop(self.handle_approve(None, now)),
            Policy::Free => {}
            Policy::Locked => {
                while let Some(id) = self.asked(None) {
                    self.end(
                        id,
                        Some(ServerChangeReply::Refused { reason: "the lecturer lets nobody share a screen now".into() }),
                    );
                }
            }
        }
    }

    /// The time of [`Floor::poll_deadline`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        let late: Vec<_> = self.shares.iter().filter(|share| share.until().is_some_and(|until| until <= now)).cloned().collect();
        for share in late {
            let reply = match share.phase {
                Phase::Rehearsing { .. } => ended("no whole picture of it came in time"),
                _ => ServerChangeReply::Expired,
            };
            self.end(share.id, Some(reply));
        }
    }

    /// When [`Floor::handle_timeout`] is due.
    pub fn poll_deadline(&self) -> Option<Duration> {
        self.shares.iter().filter_map(Share::until).min()
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<FloorAction> {
        self.actions.pop_front()
    }

    /// Who presents, or is about to return; none for the lecturer.
    pub fn presenting(&self) -> Option<Presenting> {
        let share = self.share(*self.staged.last()?)?;
        Some(Presenting { node: share.node, name: share.name.clone() })
    }

    /// Who may present.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// How it stands, for people.
    pub fn report(&self, done: bool) -> FloorReport {
        let asked = self.shares.iter().filter(|share| matches!(share.phase, Phase::Asked { .. }));
        let request = |share: &Share| FloorRequest { number: share.id.0, name: share.name.clone(), view: share.view };
        let requests = asked.take(MAX_REQUESTS).map(request).collect();
        FloorReport { policy: self.policy, presents: self.presenting().map(|presenting| presenting.name), requests, done }
    }

    /// The share between granted and shown.
    fn switching(&self) -> Option<&Share> {
        self.shares.iter().find(|share| matches!(share.phase, Phase::Granted { .. } | Phase::Rehearsing { .. }))
    }

    fn asked(&self, number: Option<u32>) -> Option<ShareId> {
        let is_wanted = |share: &&Share| number.is_none_or(|number| share.id.0 == number);
        self.shares.iter().filter(|share| matches!(share.phase, Phase::Asked { .. })).find(is_wanted).map(|share| share.id)
    }

    fn grant(&mut self, id: ShareId, now: Duration) {
        let Some(share) = self.share_mut(id) else { return };
        share.phase = Phase::Granted { until: now + TICKET };
        let (link, via) = (share.link, share.via);
        let ticket = self.secret.prove(&self.statement(via, id));
        self.reply(link, ServerChangeReply::Accepted { ticket });
    }

    /// What a ticket is the MAC of: the share's number stands in the place of a placement's.
    fn statement(&self, via: NodeId, id: ShareId) -> Statement {
        Statement { kind: kind::PRESENT, session: self.session, node: via, v: V(id.0.into()) }
    }

    fn end_all(&mut self, why: &str, which: impl Fn(&Share) -> bool) {
        let ids: Vec<ShareId> = self.shares.iter().filter(|share| which(share)).map(|share| share.id).collect();
        ids.into_iter().for_each(|id| self.end(id, Some(ended(why))));
    }

    /// Forgets a share, tells its node, and lets the one below return if it was shown.
    fn end(&mut self, id: ShareId, reply: Option<ServerChangeReply>) {
        let Some(at) = self.shares.iter().position(|share| share.id == id) else { return };
        let share = self.shares.remove(at);
        let was_shown = self.staged.last() == Some(&id);
        self.staged.retain(|staged| *staged != id);
        if let Some(reply) = reply {
            self.reply(share.link, reply);
        }
        if matches!(share.phase, Phase::Rehearsing { .. } | Phase::Staged) {
            self.actions.push_back(FloorAction::End(id));
        }
        if was_shown && let Some(returns) = self.staged.last().and_then(|&below| self.share(below)).map(|share| share.link) {
            self.reply(returns, ServerChangeReply::Live);
        }
        self.show();
    }

    /// Says what is to be shown, if that has changed.
    fn show(&mut self) {
        let rehearsing = self.switching().filter(|share| matches!(share.phase, Phase::Rehearsing { .. })).map(|share| share.id);
        let wanted = rehearsing.or(self.staged.last().copied()).map_or(Source::Lecturer, Source::Share);
        if wanted != self.shown {
            self.shown = wanted;
            self.actions.push_back(FloorAction::Show(wanted));
        }
    }

    fn refuse(&mut self, link: Link, reason: &str) {
        self.reply(link, ServerChangeReply::Refused { reason: Reason::new(reason) });
    }

    fn reply(&mut self, link: Link, reply: ServerChangeReply) {
        self.actions.push_back(FloorAction::Reply { link, reply });
    }

    fn share(&self, id: ShareId) -> Option<&Share> {
        self.shares.iter().find(|share| share.id == id)
    }

    fn share_mut(&mut self, id: ShareId) -> Option<&mut Share> {
        self.shares.iter_mut().find(|share| share.id == id)
    }
}

fn ended(why: &str) -> ServerChangeReply {
    ServerChangeReply::Ended { reason: Reason::new(why) }
}

#[cfg(test)]
#[path = "floor_tests.rs"]
mod tests;
