//! The root's floor: drives [`Floor`] with real connections, and the stage with what it says. Owns the lanes to nodes that share or want
//! to, and the connections that carry their screens; who presents is decided by the floor.

use crate::presenter::{PresenterState, SessionOptions, run_session};
use crate::stage::Stage;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::sleep;
use tracing::{debug, info};
use treevnc_protocol::tree::children::Link;
use treevnc_protocol::tree::floor::{Floor, FloorAction, Granted, Presenting, ShareId, Source};
use treevnc_protocol::tree::message::{
    FloorCommand, FloorReport, Message, Policy, Present, Refused, ServerChangeReply, ServerChangeRequest,
};
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::ticket::Key;
use treevnc_protocol::update::SessionId;
use treevnc_relay::clock::SessionClock;
use treevnc_relay::link::{Incoming, LinkError, TreeLink};
use treevnc_screen::vnc::{Credentials, Distance, begin};

/// Replies that may wait for a node; more means that it takes nothing.
const LANE: usize = 16;

/// Who presents and who wants to, as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloorView {
    /// The policy, and the requests that wait for a person's answer.
    pub report: FloorReport,
    /// The node that presents; none for the lecturer.
    pub presenting: Option<Presenting>,
}

/// The floor of a running root.
#[derive(Debug)]
pub(crate) struct FloorKeeper {
    session: SessionId,
    stage: Stage,
    clock: SessionClock,
    state: Mutex<State>,
    /// The floor has another deadline.
    wake: Notify,
    view: watch::Sender<FloorView>,
}

#[derive(Debug)]
struct State {
    floor: Floor,
    last: u64,
    /// Of nodes that have asked.
    lanes: BTreeMap<Link, mpsc::Sender<ServerChangeReply>>,
    /// Connections that carry a screen; dropping one ends it.
    bridges: BTreeMap<ShareId, oneshot::Sender<()>>,
}

impl FloorKeeper {
    pub(crate) fn new(session: SessionId, secret: Key, policy: Policy, stage: Stage, clock: SessionClock) -> Self {
        let floor = Floor::new(session, secret, policy);
        let view = watch::Sender::new(FloorView { report: floor.report(true), presenting: None });
        let state = State { floor, last: 0, lanes: BTreeMap::new(), bridges: BTreeMap::new() };
        Self { session, stage, clock, state: Mutex::new(state), wake: Notify::new(), view }
    }

    /// Who presents and who wants to, now and at each change.
    pub(crate) fn view(&self) -> watch::Receiver<FloorView> {
        self.view.subscribe()
    }

    /// Does what a person at the root wants, and says how it stands then.
    pub(crate) fn decide(&self, command: FloorCommand) -> FloorReport {
        let done = self.with_floor(|floor, now| match command {
            FloorCommand::Show => true,
            FloorCommand::Approve(number) => floor.handle_approve(number, now),
            FloorCommand::Refuse(number) => floor.handle_refuse(number),
            FloorCommand::Back => {
                floor.handle_back();
                true
            }
            FloorCommand::Policy(policy) => {
                floor.set_policy(policy, now);
                true
            }
        });
        self.lock().floor.report(done)
    }

    /// A node is gone from the trees.
    pub(crate) fn gone(&self, node: NodeId) {
        self.with_floor(|floor, _| floor.handle_gone(node));
    }

    /// Tells the floor what is shown and what time it is. Never ends.
    pub(crate) async fn keep(&self) {
        let mut cast = self.stage.cast();
        let mut told = None;
        loop {
            let live = cast.borrow_and_update().live;
            if let Some(source) = live.filter(|_| told != live) {
                self.with_floor(|floor, _| floor.handle_shown(source));
                told = live;
            }
            let deadline = self.lock().floor.poll_deadline();
            let due = async {
                match deadline {
                    Some(deadline) => sleep(deadline.saturating_sub(self.clock.now())).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                _ = cast.changed() => {}
                () = due => self.with_floor(Floor::handle_timeout),
            }
        }
    }

    /// A node that wants to present: hears its replies until the last, or until it hangs up. Dropping the future ends its share.
    pub(crate) async fn converse(&self, mut link: TreeLink, request: ServerChangeRequest) -> Result<(), LinkError> {
        info!("node {} ({}) asks to share {}", request.name, request.id, request.view);
        let (lane, mut replies) = mpsc::channel(LANE);
        let asked = Asked { floor: self, link: self.register(lane) };
        self.with_floor(|floor, now| floor.handle_request(asked.link, &request, now));
        loop {
            tokio::select! {
                reply = replies.recv() => {
                    let Some(reply) = reply else { return Ok(()) };
                    if reply.is_last() {
                        info!("the share of {} is over: {reply:?}", request.name);
                    }
                    link.write_message(&Message::ServerChangeReply(reply)).await?;
                }
                heard = link.read() => drop::<Incoming>(heard?),
            }
        }
    }

    /// A node brings its screen: speaks RFB with it until the share ends. Dropping the future ends the share.
    pub(crate) async fn show(&self, mut link: TreeLink, present: &Present) -> Result<(), LinkError> {
        let (end, ended) = oneshot::channel();
        let granted = (present.session == self.session).then(|| self.grant(present, end)).flatten();
        let Some(Granted { share, name, view }) = granted else {
            let refused = Refused { again: false, reason: "this ticket is not good (any more): ask again".into() };
            return link.write_message(&Message::Refused(refused)).await;
        };
        let mut brought = Brought { floor: self, share, why: "its connection ended".into() };
        let distance = Distance::of(link.local_addr().ip(), link.peer_addr().ip());
        link.write_message(&Message::PresentReply).await?;
        let options = SessionOptions { view, name: Some(name.to_string()) };
        let part = self.stage.part(Source::Share(share));
        let state = watch::Sender::new(PresenterState::Connecting);
        let showing = async {
            let connected = begin(link.into_stream(), &Credentials::default(), distance).await?;
            run_session(connected, &options, &part, &state).await
        };
        tokio::select! {
            Err(error) = showing => {
                info!("the screen of {name} could not be shown any longer: {error}");
                brought.why = error.to_string();
            }
            _ = ended => debug!("the share of {name} is ended"),
        }
        Ok(())
    }

    /// Lets a screen in if its ticket is good; `end` goes when the floor ends it.
    fn grant(&self, present: &Present, end: oneshot::Sender<()>) -> Option<Granted> {
        let mut bridge = Some(end);
        self.with_state(|state, now| {
            let granted = state.floor.handle_present(present.id, &present.ticket, now)?;
            state.bridges.extend(bridge.take().map(|end| (granted.share, end)));
            Some(granted)
        })
    }

    fn register(&self, lane: mpsc::Sender<ServerChangeReply>) -> Link {
        let mut state = self.lock();
        state.last += 1;
        let link = Link(state.last);
        state.lanes.insert(link, lane);
        link
    }

    fn with_floor<T>(&self, event: impl FnOnce(&mut Floor, Duration) -> T) -> T {
        self.with_state(|state, now| event(&mut state.floor, now))
    }

    /// Lets the floor take in an event, and carries out what follows.
    fn with_state<T>(&self, event: impl FnOnce(&mut State, Duration) -> T) -> T {
        let mut state = self.lock();
        let state = &mut *state;
        let result = event(state, self.clock.now());
        while let Some(action) = state.floor.poll_action() {
            match action {
                FloorAction::Reply { link, reply } => {
                    let is_last = reply.is_last();
                    // A node that takes nothing has left, or its connection's end ends the share.
                    let said = state.lanes.get(&link).is_some_and(|lane| lane.try_send(reply).is_ok());
                    if is_last || !said {
                        state.lanes.remove(&link);
                    }
                }
                FloorAction::End(share) => drop(state.bridges.remove(&share)),
                FloorAction::Show(source) => self.stage.want(source),
            }
        }
        let view = FloorView { report: state.floor.report(true), presenting: state.floor.presenting() };
        self.view.send_if_modified(|known| std::mem::replace(known, view.clone()) != view);
        self.wake.notify_one();
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's entry; the share ends with it.
struct Asked<'a> {
    floor: &'a FloorKeeper,
    link: Link,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.floor.lock().lanes.remove(&self.link);
        self.floor.with_floor(|floor, _| floor.handle_closed(self.link));
    }
}

/// A screen's entry; the share ends with it.
struct Brought<'a> {
    floor: &'a FloorKeeper,
    share: ShareId,
    why: String,
}

impl Drop for Brought<'_> {
    fn drop(&mut self) {
        self.floor.with_floor(|floor, _| floor.handle_lost(self.share, &self.why));
    }
}
