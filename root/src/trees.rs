//! The trees of a root: drives [`Forest`] with real connections and feeds the root's own children. Who stands where is decided by the
//! forest; this file carries its messages and answers what anybody may ask.

mod calls;
mod surroundings;
mod turnover;

pub use turnover::Turnover;

use calls::{CALL_LANE, CONVERSATION};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};
use treevnc_protocol::tree::children::{Acceptance, Child, Link};
use treevnc_protocol::tree::forest::{Forest, RootChildren};
use treevnc_protocol::tree::message::{
    Attach, Behind, CheckCounts, CheckDelayReply, DelayRequest, DepthDelay, Fault, FloorCommand, IAmHere, Message, NodeStatus,
    Present, Presenter, Refused, ServerChangeReply, ServerChangeRequest, SiteOf, SlowNode, Status,
};
use treevnc_protocol::tree::networks::Networks;
use treevnc_protocol::tree::pace::Slow;
use treevnc_protocol::tree::slot::{NodeId, V};
use treevnc_protocol::tree::text::NodeName;
use treevnc_protocol::tree::ticket::Ticket;
use treevnc_protocol::tree::topology::{Answer, Dial, Freed, TopologyConfig, TreeEvent};
use treevnc_relay::children::{ChildLinks, Gate};
use treevnc_relay::clock::SessionClock;
use treevnc_relay::link::{Incoming, LinkError, TreeLink};
use treevnc_relay::port::TreeService;
use treevnc_relay::shared_log::SharedLog;
use treevnc_relay::snapshot::serve_snapshot;
use treevnc_relay::upload::Upload;
use turnover::Counter;

/// How long a new link may stay silent.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);

/// Nodes behind sites that are believed to be there, whatever sites say: so many answers are kept to each check.
const MOST_BEHIND: u32 = 1 << 14;

/// What stands above the trees: the floor of the session, here or at a root further up.
pub trait Above: Send + Sync + 'static {
    /// A node of these trees, which has proven to be the one it says it is, wants to present. Serves its connection until the share is over.
    fn share(&self, link: TreeLink, request: ServerChangeRequest) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// A node brings its screen. Serves its connection until the share is over.
    fn present(&self, link: TreeLink, present: Present) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// Does what a person at this machine wants, and says how it stands then.
    fn command(&self, command: FloorCommand) -> Message;
    /// A node is gone from the trees.
    fn gone(&self, node: NodeId);
    /// A child brings answers to checks, over a link with these round trips: as it is now, and at least. If the child is a site, those of
    /// others than itself are of nodes behind it.
    fn answered(&self, site: Option<NodeId>, batch: CheckDelayReply, round_trip: Option<Duration>, least: Option<Duration>);
    /// Measures delays for whoever asks on this link from this machine; `name_of` names the nodes that are known here.
    fn measure(
        &self,
        link: TreeLink,
        request: DelayRequest,
        name_of: impl Fn(NodeId) -> Option<NodeName> + Send + Sync,
    ) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// Says of each of these nodes how it fares, where that is measured.
    fn tell_fares(&self, _nodes: &mut [NodeStatus]) {}
    /// What has become of the checks, where some are sent.
    fn checks(&self) -> Option<CheckCounts> {
        None
    }
    /// The one-way delays of the last minutes, where that is measured.
    fn delays(&self) -> Vec<DepthDelay> {
        Vec::new()
    }
    /// Of what this is a site; none at the session's own root.
    fn site_of(&self) -> Option<SiteOf> {
        None
    }
}

/// What the trees are fed with.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The picture.
    pub log: SharedLog,
    /// How it stands with the presenter, for the nodes.
    pub presenter: watch::Receiver<Presenter>,
    /// The same for those who ask for the status.
    pub about: watch::Receiver<String>,
    /// The newest beat of the session's root.
    pub beat: watch::Receiver<u64>,
    /// What this process may send at most.
    pub upload: Upload,
}

/// The trees of a root, one per network: places the nodes, and feeds those that hang below itself.
#[derive(Debug)]
pub struct Trees<A> {
    config: TopologyConfig,
    clock: SessionClock,
    log: SharedLog,
    links: ChildLinks,
    children: Mutex<RootChildren>,
    state: Mutex<State>,
    /// The forest has another deadline, or nodes are to be dialled.
    wake: Notify,
    node_count: watch::Sender<u32>,
    /// The same, and those behind sites.
    audience: watch::Sender<u32>,
    networks: watch::Sender<Networks>,
    about_presenter: watch::Receiver<String>,
    above: Arc<A>,
}

#[derive(Debug)]
struct State {
    forest: Forest,
    counter: Counter,
    last_call: u64,
    /// Of callers, and of nodes that the root dials.
    calls: BTreeMap<Link, mpsc::Sender<Answer>>,
    /// Nodes to dial.
    dials: VecDeque<(Dial, mpsc::Receiver<Answer>)>,
}

impl<A: Above> Trees<A> {
    /// Nobody but the root yet. `clock` is the one that the topology's times are on.
    pub fn new(config: TopologyConfig, clock: SessionClock, feed: Feed, above: Arc<A>) -> Self {
        let Feed { log, presenter, about, beat, upload } = feed;
        let networks = surroundings::list();
        let forest = Forest::new(config.clone(), networks.clone());
        Self {
            children: Mutex::new(RootChildren::new(config.id, config.session, &config.secret)),
            state: Mutex::new(State {
                forest,
                counter: Counter::default(),
                last_call: 0,
                calls: BTreeMap::new(),
                dials: VecDeque::new(),
            }),
            links: ChildLinks::new(log.clone(), presenter, beat).limited(upload),
            config,
            clock,
            log,
            wake: Notify::new(),
            node_count: watch::Sender::new(0),
            audience: watch::Sender::new(0),
            networks: watch::Sender::new(networks),
            about_presenter: about,
            above,
        }
    }

    /// The networks of this machine, now and at each change.
    pub fn networks(&self) -> watch::Receiver<Networks> {
        self.networks.subscribe()
    }

    /// Number of nodes in all trees, the root not counted; now and at each change.
    pub fn node_count(&self) -> watch::Receiver<u32> {
        self.node_count.subscribe()
    }

    /// Number of nodes in all trees and behind sites, as these say; now and at each change.
    pub fn audience(&self) -> watch::Receiver<u32> {
        self.audience.subscribe()
    }

    /// Who has come and gone.
    pub fn turnover(&self) -> Turnover {
        self.lock().counter.turnover()
    }

    /// Before this process ends: tells the nodes directly below it what is known of the presenter, and closes their links. Takes a second at
    /// most.
    pub async fn farewell(&self) {
        self.links.farewell().await;
    }

    /// Who is where, and what is shown.
    pub fn status(&self) -> Status {
        let ((trees, mut nodes), room) = {
            let forest = &self.lock().forest;
            (forest.status(), forest.room())
        };
        self.above.tell_fares(&mut nodes);
        Status {
            session: self.config.session,
            name: self.config.name.clone(),
            presenter: self.about_presenter.borrow().as_str().into(),
            screen: self.log.with(|log| log.screen().map(|screen| screen.size)),
            now: self.clock.now(),
            trees,
            room,
            nodes,
            more: false,
            site_of: self.above.site_of(),
            delays: self.above.delays(),
            checks: self.above.checks(),
        }
    }

    /// The roots above this one are these, the topmost first.
    pub fn set_above(&self, above: &[NodeId]) {
        self.lock().forest.set_above(above);
    }

    /// What there is below this root, as a site says it to the root above.
    pub fn behind(&self) -> Behind {
        self.lock().forest.behind()
    }

    /// Keeps the trees: deadlines, nodes to be dialled, the machine's networks, and how many children could be fed. Never ends; dropping
    /// it ends the calls that it has made.
    pub async fn keep(self: &Arc<Self>) {
        tokio::join!(self.keep_times(), self.look_around());
    }

    async fn keep_times(self: &Arc<Self>) {
        let mut calls = JoinSet::new();
        loop {
            while let Some((dial, answers)) = self.next_dial() {
                calls.spawn(Arc::clone(self).call(dial, answers));
            }
            let deadline = self.lock().forest.poll_deadline();
            let due = async {
                match deadline {
                    Some(deadline) => sleep(deadline.saturating_sub(self.clock.now())).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                () = due => self.with_forest(|forest, now| forest.handle_timeout(now)),
                Some(_) = calls.join_next() => {}
            }
        }
    }

    fn next_dial(&self) -> Option<(Dial, mpsc::Receiver<Answer>)> {
        self.lock().dials.pop_front()
    }

    /// Lets the forest take in an event; sends and logs what follows.
    fn with_forest(&self, event: impl FnOnce(&mut Forest, Duration)) {
        let mut state = self.lock();
        let state = &mut *state;
        event(&mut state.forest, self.clock.now());
        while let Some(dial) = state.forest.poll_dial() {
            let (lane, answers) = mpsc::channel(CALL_LANE);
            state.calls.insert(dial.link, lane);
            state.dials.push_back((dial, answers));
        }
        while let Some(answer) = state.forest.poll_answer() {
            // A caller that is gone or takes nothing asks again by itself.
            if let Some(lane) = state.calls.get(&answer.to) {
                let _ = lane.try_send(answer);
            }
        }
        while let Some(event) = state.forest.poll_event() {
            report(&event);
            state.counter.note(&event);
            if let TreeEvent::Freed { id, why: Freed::Lost(_) | Freed::Left | Freed::Elsewhere | Freed::NotHeardOf, .. } = event {
                self.above.gone(id);
            }
        }
        let count = u32::try_from(state.forest.node_count()).unwrap_or(u32::MAX);
        self.node_count.send_if_modified(|known| std::mem::replace(known, count) != count);
        let audience = count.saturating_add(state.forest.behind_count().min(MOST_BEHIND));
        self.audience.send_if_modified(|known| std::mem::replace(known, audience) != audience);
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
                    link.write_message(&Message::Status(Box::new(page))).await?;
                }
            }
            Message::AreYouThere(_) => {
                let TopologyConfig { session, id, .. } = self.config;
                link.write_message(&Message::IAmHere(IAmHere { session: Some(session), id, v: V::NONE, room: 0 })).await?;
            }
            Message::ServerChangeRequest(request) => return self.share(link, request).await,
            Message::Present(present) => return self.above.present(link, present).await,
            // Whoever sits at this machine decides who presents, and has checks sent.
            Message::FloorRequest(_) | Message::DelayRequest(_) if !is_here(&link, peer) => {
                let refused = Refused { again: false, reason: "only from the root's own machine".into() };
                link.write_message(&Message::Refused(refused)).await?;
            }
            Message::FloorRequest(command) => link.write_message(&self.above.command(command)).await?,
            Message::DelayRequest(request) => {
                let name_of = |id| self.lock().forest.name_of(id);
                return self.above.measure(link, request, name_of).await;
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
        let refused = {
            let forest = &self.lock().forest;
            if !forest.vouches_for(request.id, &request.statement(), &request.proof) {
                Some("the root does not know this node now: try again in a moment")
            } else {
                (!forest.may_ask_for(&request)).then_some("only a site asks for others")
            }
        };
        if let Some(reason) = refused {
            let reply = ServerChangeReply::Refused { reason: reason.into() };
            return link.write_message(&Message::ServerChangeReply(reply)).await;
        }
        self.above.share(link, request).await
    }

    fn children(&self) -> MutexGuard<'_, RootChildren> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Above> TreeService for Trees<A> {
    async fn serve(&self, link: TreeLink, peer: SocketAddr) {
        match self.answer(link, peer).await {
            Ok(()) | Err(LinkError::Closed) => {}
            Err(error) if error.is_fault() => warn!("{peer} breaks the protocol: {error}"),
            Err(error) => debug!("link from {peer} ended: {error}"),
        }
    }
}

impl<A: Above> Gate for Trees<A> {
    fn answered(&self, link: Link, batch: CheckDelayReply, round_trip: Option<Duration>, least: Option<Duration>) {
        let Some(Child { id, .. }) = self.children().by_link(link) else { return };
        let (site, batch) = {
            let forest = &self.lock().forest;
            let is_site = forest.is_site(id);
            let is_believed = |node: NodeId| forest.home(node).map_or(is_site, |_| !is_site || node == id);
            let CheckDelayReply { session, mut replies } = batch;
            replies.retain(|reply| is_believed(reply.node));
            (is_site.then_some(id), CheckDelayReply { session, replies })
        };
        self.above.answered(site, batch, round_trip, least);
    }

    fn said(&self, link: Link, message: Message) {
        let child = self.children().by_link(link);
        if let (Message::Site(behind), Some(child)) = (message, child) {
            self.with_forest(|forest, _| forest.set_behind(child.id, behind));
        }
    }

    fn attach(&self, attach: &Attach, link: Link) -> Acceptance {
        // Between two sessions of a site: the log is no longer the one that this child would take it for.
        if self.log.with(|log| log.session()) != self.config.log {
            return Acceptance::NotHere;
        }
        let tree = self.lock().forest.home(attach.child);
        self.children().accept(tree, attach, link)
    }

    fn ended(&self, link: Link, why: Fault) {
        let lost = self.children().lost(link, why);
        if let Some(report) = lost {
            self.with_forest(|forest, now| forest.handle_lost_child(&report, now));
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
                self.with_forest(|forest, now| forest.handle_lost_child(&report, now));
            }
            return;
        };
        let Some(Child { id: node, v, .. }) = children.by_link(link) else { return };
        drop(children);
        let report = SlowNode { session, reporter, node, v, alone, proof: Ticket::NONE };
        self.with_forest(|forest, now| forest.handle_slow_node(&report, now));
    }
}

/// Whether the other side is a program on this machine.
fn is_here(link: &TreeLink, peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback() || peer.ip() == link.local_addr().ip()
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
