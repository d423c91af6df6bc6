//! The root's place in the tree: drives [`Topology`] with real connections and serves the root's own children. Who stands where is
//! decided by the topology; this file carries its messages and answers what anybody may ask.

use crate::floor::FloorKeeper;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::{debug, info, warn};
use treevnc_protocol::tree::children::{Acceptance, Child, Children, Link};
use treevnc_protocol::tree::message::{
    Attach, Fault, IAmHere, Message, Presenter, Refused, ServerChangeReply, ServerChangeRequest, SlowNode, Status,
};
use treevnc_protocol::tree::pace::Slow;
use treevnc_protocol::tree::pulse::PulseConfig;
use treevnc_protocol::tree::slot::V;
use treevnc_protocol::tree::ticket::Ticket;
use treevnc_protocol::tree::topology::{Answer, Caller, Dial, Freed, Topology, TopologyConfig, TreeEvent};
use treevnc_relay::children::{ChildLinks, Gate};
use treevnc_relay::clock::SessionClock;
use treevnc_relay::link::{Incoming, LinkError, TreeLink, dial};
use treevnc_relay::port::TreeService;
use treevnc_relay::shared_log::SharedLog;
use treevnc_relay::snapshot::serve_snapshot;

/// How long a new link may stay silent.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);
/// How long a node may take from its question to ATTACHED or FAILED; its own deadlines are shorter.
const CONVERSATION: Duration = Duration::from_secs(60);
/// Beats after which the root looks anew how many more children it could feed.
const BEATS_BETWEEN_LOOKS: u64 = 10;
/// Answers of one call that may wait to be sent.
const CALL_LANE: usize = 8;
/// How long a node that is dialled may take to greet; the topology's own deadlines are shorter.
const DIAL: Duration = Duration::from_secs(3);

/// The tree of a root.
#[derive(Debug)]
pub(crate) struct RootTree {
    config: TopologyConfig,
    clock: SessionClock,
    log: SharedLog,
    links: ChildLinks,
    children: Mutex<Children>,
    state: Mutex<State>,
    /// The topology has another deadline, or nodes are to be dialled.
    wake: Notify,
    node_count: watch::Sender<u32>,
    beat: watch::Sender<u64>,
    about_presenter: watch::Receiver<String>,
    floor: Arc<FloorKeeper>,
}

#[derive(Debug)]
struct State {
    topology: Topology,
    last_call: u64,
    /// Of callers, and of nodes that the root dials.
    calls: BTreeMap<Link, mpsc::Sender<Answer>>,
    /// Nodes to dial.
    dials: VecDeque<(Dial, mpsc::Receiver<Answer>)>,
}

impl RootTree {
    pub(crate) fn new(
        config: TopologyConfig,
        clock: SessionClock,
        log: SharedLog,
        presenter: watch::Receiver<Presenter>,
        about_presenter: watch::Receiver<String>,
        floor: Arc<FloorKeeper>,
    ) -> Self {
        let topology = Topology::new(config.clone());
        let beat = watch::Sender::new(0);
        Self {
            children: Mutex::new(topology.root_children()),
            state: Mutex::new(State { topology, last_call: 0, calls: BTreeMap::new(), dials: VecDeque::new() }),
            links: ChildLinks::new(log.clone(), presenter, beat.subscribe()),
            config,
            clock,
            log,
            wake: Notify::new(),
            node_count: watch::Sender::new(0),
            beat,
            about_presenter,
            floor,
        }
    }

    /// Number of nodes in the tree, the root not counted.
    pub(crate) fn node_count(&self) -> watch::Receiver<u32> {
        self.node_count.subscribe()
    }

    /// Who is where, and what is shown.
    pub(crate) fn status(&self) -> Status {
        Status {
            session: self.config.session,
            name: self.config.name.clone(),
            presenter: self.about_presenter.borrow().as_str().into(),
            screen: self.log.with(|log| log.screen().map(|screen| screen.size)),
            now: self.clock.now(),
            nodes: self.lock().topology.status(),
            more: false,
        }
    }

    /// Calls the topology when its deadlines come, and dials whom it wants dialled. Never ends; dropping it ends those calls.
    pub(crate) async fn keep(self: &Arc<Self>) {
        let mut calls = JoinSet::new();
        loop {
            while let Some((dial, answers)) = self.next_dial() {
                calls.spawn(Arc::clone(self).call(dial, answers));
            }
            let deadline = self.lock().topology.poll_deadline();
            let due = async {
                match deadline {
                    Some(deadline) => sleep(deadline.saturating_sub(self.clock.now())).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                () = due => self.with_topology(|topology, now| topology.handle_timeout(now)),
                Some(_) = calls.join_next() => {}
            }
        }
    }

    /// Counts the root's beats, which heartbeats carry down the tree, and looks how many children the root could feed. Never ends.
    pub(crate) async fn keep_beating(&self) {
        let mut beats = interval(PulseConfig::default().interval);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            self.beat.send_modify(|beat| *beat += 1);
            if self.beat.borrow().is_multiple_of(BEATS_BETWEEN_LOOKS) {
                self.with_topology(|topology, now| topology.set_root_room(self.links.room(), now));
            }
        }
    }

    fn next_dial(&self) -> Option<(Dial, mpsc::Receiver<Answer>)> {
        self.lock().dials.pop_front()
    }

    /// Dials a node, says what is to be said, and hands on what it answers.
    async fn call(self: Arc<Self>, Dial { link: number, address, message }: Dial, answers: mpsc::Receiver<Answer>) {
        let call = Call { tree: &self, link: number };
        let talk = async {
            let mut link = dial(address, DIAL).await?;
            link.write_message(&message).await?;
            self.exchange(link, answers, |topology, message, now| topology.handle_dial_message(number, message, now)).await
        };
        if let Ok(Err(error)) = timeout(CONVERSATION, talk).await {
            debug!("the call to {address} ended: {error}");
        }
        drop(call);
    }

    /// Lets the topology take in an event; sends and logs what follows.
    fn with_topology(&self, event: impl FnOnce(&mut Topology, Duration)) {
        let mut state = self.lock();
        let state = &mut *state;
        event(&mut state.topology, self.clock.now());
        while let Some(dial) = state.topology.poll_dial() {
            let (lane, answers) = mpsc::channel(CALL_LANE);
            state.calls.insert(dial.link, lane);
            state.dials.push_back((dial, answers));
        }
        while let Some(answer) = state.topology.poll_answer() {
            // A caller that is gone or takes nothing asks again by itself.
            if let Some(lane) = state.calls.get(&answer.to) {
                let _ = lane.try_send(answer);
            }
        }
        while let Some(event) = state.topology.poll_event() {
            report(&event);
            if let TreeEvent::Freed { id, why: Freed::Lost(_) | Freed::Left | Freed::Elsewhere | Freed::NotHeardOf, .. } = event {
                self.floor.gone(id);
            }
        }
        let count = u32::try_from(state.topology.node_count()).unwrap_or(u32::MAX);
        self.node_count.send_if_modified(|known| std::mem::replace(known, count) != count);
        self.wake.notify_one();
    }

    async fn answer(&self, mut link: TreeLink, peer: SocketAddr) -> Result<(), LinkError> {
        let first = timeout(FIRST_MESSAGE, link.read()).await.map_err(|_| LinkError::TimedOut(FIRST_MESSAGE))??;
        let Incoming::Message(first) = first else { return Ok(()) };
        match first {
            Message::Attach(attach) => self.links.serve(self, link, attach, peer).await,
            Message::SnapshotRequest => return serve_snapshot(&self.log, link.split().1).await,
            Message::StatusRequest => {
                for page in self.status().into_pages() {
                    link.write_message(&Message::Status(page)).await?;
                }
            }
            Message::AreYouThere(_) => {
                let TopologyConfig { session, id, .. } = self.config;
                link.write_message(&Message::IAmHere(IAmHere { session: Some(session), id, v: V::NONE, room: 0 })).await?;
            }
            Message::ServerChangeRequest(request) => return self.share(link, request).await,
            Message::Present(present) => return self.floor.present(link, &present).await,
            Message::FloorRequest(command) => {
                // Whoever sits at this machine decides who presents.
                let is_here = peer.ip().to_canonical().is_loopback() || peer.ip() == link.local_addr().ip();
                let refused = Refused { again: false, reason: "only from the root's own machine".into() };
                let answer = if is_here { Message::Floor(self.floor.command(command)) } else { Message::Refused(refused) };
                link.write_message(&answer).await?;
            }
            Message::WhereToConnect(_) | Message::LostChild(_) | Message::SlowNode(_) | Message::Leave(_) => {
                let talk = timeout(CONVERSATION, self.converse(link, peer, first)).await;
                return talk.map_err(|_| LinkError::TimedOut(CONVERSATION))?;
            }
            _ => {
                let refused = Refused { again: false, reason: "this message begins nothing".into() };
                link.write_message(&Message::Refused(refused)).await?;
            }
        }
        Ok(())
    }

    /// A node wants to present: only one that has a place and can prove to be the one it says it is.
    async fn share(&self, mut link: TreeLink, request: ServerChangeRequest) -> Result<(), LinkError> {
        if !self.lock().topology.vouches_for(request.id, &request.statement(), &request.proof) {
            let reply =
                ServerChangeReply::Refused { reason: "the root does not know this node now: try again in a moment".into() };
            return link.write_message(&Message::ServerChangeReply(reply)).await;
        }
        self.floor.converse(link, request).await
    }

    /// A call: messages of a node go to the topology, the topology's answers to the node, until one says that it is the last.
    async fn converse(&self, link: TreeLink, peer: SocketAddr, first: Message) -> Result<(), LinkError> {
        let local = link.local_addr();
        let (call, answers) = Call::begin(self);
        let caller = Caller { link: call.link, peer: peer.ip(), local };
        self.with_topology(|topology, now| topology.handle_message(&caller, &first, now));
        self.exchange(link, answers, |topology, message, now| topology.handle_message(&caller, message, now)).await
    }

    /// Sends the topology's answers and hands it what comes back, until an answer is the last.
    async fn exchange(
        &self,
        mut link: TreeLink,
        mut answers: mpsc::Receiver<Answer>,
        hand_on: impl Fn(&mut Topology, &Message, Duration),
    ) -> Result<(), LinkError> {
        loop {
            tokio::select! {
                answer = answers.recv() => {
                    let Some(answer) = answer else { return Ok(()) };
                    if let Some(message) = answer.message {
                        link.write_message(&message).await?;
                    }
                    if answer.close {
                        return Ok(());
                    }
                }
                incoming = link.read() => {
                    if let Incoming::Message(message) = incoming? {
                        self.with_topology(|topology, now| hand_on(topology, &message, now));
                    }
                }
            }
        }
    }

    fn children(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TreeService for RootTree {
    async fn serve(&self, link: TreeLink, peer: SocketAddr) {
        match self.answer(link, peer).await {
            Ok(()) | Err(LinkError::Closed) => {}
            Err(error) if error.is_fault() => warn!("{peer} breaks the protocol: {error}"),
            Err(error) => debug!("link from {peer} ended: {error}"),
        }
    }
}

impl Gate for RootTree {
    fn attach(&self, attach: &Attach, link: Link) -> Acceptance {
        self.children().accept(attach, link)
    }

    fn ended(&self, link: Link, why: Fault) {
        let lost = self.children().lost(link, why);
        if let Some(report) = lost {
            self.with_topology(|topology, now| topology.handle_lost_child(&report, now));
        }
    }

    fn slow(&self, Slow { child, alone }: Slow) {
        let TopologyConfig { session, id: reporter, .. } = self.config;
        let mut children = self.children();
        let Some(link) = child else {
            // The root itself has too many: those in extra places find another, or are told what to do.
            warn!("this machine's line or processor does not keep up with its children");
            let extra = children.shed();
            drop(children);
            for (link, report) in extra {
                self.links.close(link);
                self.with_topology(|topology, now| topology.handle_lost_child(&report, now));
            }
            return;
        };
        let Some(Child { id: node, v, .. }) = children.by_link(link) else { return };
        drop(children);
        let report = SlowNode { session, reporter, node, v, alone, proof: Ticket::NONE };
        self.with_topology(|topology, now| topology.handle_slow_node(&report, now));
    }
}

/// A call's entry, gone when the call is.
struct Call<'a> {
    tree: &'a RootTree,
    link: Link,
}

impl<'a> Call<'a> {
    fn begin(tree: &'a RootTree) -> (Self, mpsc::Receiver<Answer>) {
        let (lane, answers) = mpsc::channel(CALL_LANE);
        let mut state = tree.lock();
        state.last_call += 1;
        let link = Link(state.last_call);
        state.calls.insert(link, lane);
        drop(state);
        (Self { tree, link }, answers)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.tree.lock().calls.remove(&self.link);
        self.tree.with_topology(|topology, now| topology.handle_closed(self.link, now));
    }
}

fn report(event: &TreeEvent) {
    match event {
        TreeEvent::Placed { id, name, v, slot } => debug!("{name} ({id}) is given slot {slot}, placement {v}"),
        TreeEvent::Attached { id, v, slot } => info!("node {id} attached at slot {slot} depth {}, placement {v}", slot.depth()),
        TreeEvent::Freed { id, v, slot, why } => info!("slot {slot} of node {id} is free, placement {v}: {why:?}"),
        TreeEvent::Relays { id, leaf_only: Some(why) } => info!("node {id} is to have no children for a while: {why}"),
        TreeEvent::Relays { id, leaf_only: None } => info!("node {id} may have children again"),
        TreeEvent::Refused { id, reason } => info!("node {id} was turned away: {reason}"),
    }
}
