//! A node's window: what it shows of the session, and the share that a person begins and ends there.

use crate::command::credentials;
use std::future::pending;
use std::pin::Pin;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tracing::{info, warn};
use treevnc_protocol::tree::message::Policy;
use treevnc_screen::address::PresenterAddress;
use treevnc_screen::display::{Choice, Display};
use treevnc_viewer::node::{NodeHandle, NodeState};
use treevnc_viewer::picture::{Offer, Sharing as Shows, Shown};
use treevnc_viewer::share::{Found, ShareEnd, ShareSource, Sharing, find_screen, share_found};
use treevnc_viewer::window::WindowCommand;

/// What is under way for a person: looking for displays, or the share itself.
type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

enum Done {
    Found(Result<Found, ShareEnd>),
    Over(ShareEnd),
}

/// The window's side of a share.
pub(super) struct Presenting {
    node: NodeHandle,
    shown: Shown,
    source: ShareSource,
    /// What the person is choosing from.
    offered: Option<Found>,
    work: Option<Work>,
    state: watch::Sender<Sharing>,
    /// Whether the node has ever had a place: before, there is nothing to share with.
    was_attached: bool,
}

impl Presenting {
    /// No share yet; `source` is what one shows.
    pub(super) fn new(node: NodeHandle, shown: Shown, source: ShareSource) -> Self {
        let state = watch::Sender::new(Sharing::No);
        Self { node, shown, source, offered: None, work: None, state, was_attached: false }
    }

    /// Does what the person asks for until the window is closed. Dropping the future ends the share.
    pub(super) async fn attend(mut self, mut commands: Receiver<WindowCommand>) {
        let (mut node, mut presenter, mut state) = (self.node.state(), self.node.presenter(), self.state.subscribe());
        loop {
            self.was_attached |= matches!(*node.borrow_and_update(), NodeState::Attached { .. });
            self.show(&state.borrow_and_update(), presenter.borrow_and_update().policy);
            tokio::select! {
                command = commands.recv() => match command {
                    None | Some(WindowCommand::Quit) => return,
                    Some(command) => self.obey(command),
                },
                done = working(&mut self.work) => self.finish(done),
                Ok(()) = node.changed() => {}
                Ok(()) = presenter.changed() => {}
                Ok(()) = state.changed() => {}
            }
        }
    }

    fn obey(&mut self, command: WindowCommand) {
        match command {
            WindowCommand::StopSharing => self.stop(),
            _ if self.work.is_some() => {}
            WindowCommand::Share => {
                let source = self.source.clone();
                self.offered = None;
                self.work = Some(Box::pin(async move { Done::Found(find_screen(&source).await) }));
            }
            WindowCommand::ShareAll => self.share(|_| Some(Choice::Whole)),
            WindowCommand::ShareDisplay(index) => {
                self.share(|displays| displays.get(index).map(|display| Choice::Id(display.id)));
            }
            WindowCommand::CloseDisplays => self.offered = None,
            _ => {}
        }
    }

    /// Shares what is offered, or a part of it.
    fn share(&mut self, choose: impl FnOnce(&[Display]) -> Option<Choice>) {
        let Some(found) = self.offered.take() else { return };
        let Some(choice) = choose(found.displays()) else { return };
        let (node, state) = (self.node.clone(), self.state.clone());
        self.work = Some(Box::pin(async move { Done::Over(share_found(&node, found, choice, &state).await) }));
    }

    /// Ends what is under way: the share's connections close with it.
    fn stop(&mut self) {
        if self.work.take().is_some() {
            info!("the share was ended at this window");
        }
        if self.state.send_replace(Sharing::No) == Sharing::Live {
            self.shown.say("Your screen is no longer shown");
        }
    }

    fn finish(&mut self, done: Done) {
        self.work = None;
        match done {
            Done::Found(Ok(found)) => {
                let displays = self.offered.insert(found).displays();
                if displays.len() > 1 {
                    let name = |display: &Display| display.name.as_str().into();
                    let offer = |display: &Display| Offer { name: name(display), rect: display.rect, primary: display.primary };
                    self.shown.offer_displays(displays.iter().map(offer));
                } else {
                    self.share(|_| Some(Choice::Whole));
                }
            }
            Done::Found(Err(end)) | Done::Over(end) => {
                let reason = reason(&end);
                warn!("{reason}");
                self.shown.say(&sentence(&reason));
            }
        }
    }

    fn show(&self, state: &Sharing, policy: Policy) {
        let sharing = match state {
            Sharing::No if self.work.is_some() => Shows::Preparing,
            Sharing::No if !self.was_attached => Shows::Unavailable,
            Sharing::No if policy == Policy::Locked => Shows::Locked,
            Sharing::No => Shows::Ready,
            Sharing::Asking => Shows::Preparing,
            Sharing::Asked => Shows::Asking,
            Sharing::Starting => Shows::Starting,
            Sharing::Live => Shows::Live,
            Sharing::Paused { by } => Shows::Paused { by: by.as_str().into() },
        };
        self.shown.set_mirror(sharing == Shows::Live && is_here(&self.source));
        self.shown.set_sharing(sharing);
    }
}

/// Resolves when the work is done; never without work.
async fn working(work: &mut Option<Work>) -> Done {
    match work {
        Some(work) => work.await,
        None => pending().await,
    }
}

/// Whether the screen is this machine's, on which the window most likely stands.
fn is_here(source: &ShareSource) -> bool {
    match source {
        ShareSource::Vnc(server) => names_this_machine(&server.address),
        ShareSource::Usual(_) | ShareSource::OwnScreen => true,
    }
}

fn names_this_machine(address: &PresenterAddress) -> bool {
    let is_loopback = |ip: std::net::IpAddr| ip.to_canonical().is_loopback();
    address.host.eq_ignore_ascii_case("localhost") || address.host.parse().is_ok_and(is_loopback)
}

/// Why a share is over, with what to do about it.
fn reason(end: &ShareEnd) -> String {
    match end {
        ShareEnd::Server(_, error) => credentials::with_advice(end, error).to_string(),
        end => end.to_string(),
    }
}

/// A reason as a sentence of its own.
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_of_this_machine_is_known_by_its_address() {
        for (text, here) in
            [("localhost:1", true), ("127.0.0.1::5901", true), ("[::1]", true), ("192.0.2.1", false), ("lab7", false)]
        {
            assert_eq!(names_this_machine(&text.parse().unwrap()), here, "{text}");
        }
    }

    #[test]
    fn reasons_become_sentences() {
        assert_eq!(sentence(&reason(&ShareEnd::Refused("the lecturer said no".into()))), "Refused: the lecturer said no");
    }
}
