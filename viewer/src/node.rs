//! A node of the tree: drives [`Member`] with real connections, receives from its parent into its log, and serves its own port. Where
//! it stands is decided by the state machines here and at the root; this file dials, sends and closes what they say.

mod answers;
mod service;
mod uplink;

use crate::node::uplink::{call_root, follow_parent};
use answers::Answers;
use service::NodeService;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tracing::{info, warn};
use treevnc_protocol::tree::children::Link;
use treevnc_protocol::tree::member::{Action, End, Member, MemberConfig, Standing};
use treevnc_protocol::tree::message::{Behind, Capabilities, CheckDelayReply, Intake, Message, Presenter, ServerChangeRequest};
use treevnc_protocol::tree::slot::{NodeId, Slot};
use treevnc_protocol::tree::upload::Rate;
use treevnc_protocol::update::Seq;
use treevnc_protocol::view::View;
use treevnc_relay::children::ChildLinks;
use treevnc_relay::port::{Port, PortOptions};
use treevnc_relay::shared_log::SharedLog;
use treevnc_relay::upload::Upload;

/// Messages of one call that may wait to be sent.
const CALL_LANE: usize = 8;

/// Who a node is and whom it joins.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// The root, or any node of its tree.
    pub root: SocketAddr,
    /// Its name for people.
    pub name: String,
    /// Whether it may have children.
    pub relay: bool,
    /// Random: its number.
    pub id: NodeId,
    /// Random: waiting times are drawn from it.
    pub seed: u64,
    /// How long to go on without a parent before giving up.
    pub give_up: Duration,
    /// What it may send at most.
    pub upload: Upload,
}

/// How it stands with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeState {
    /// Has no parent; asks the root or is about to.
    Asking,
    /// The root has no place for it now; it asks again.
    Refused {
        /// What the root says.
        reason: String,
    },
    /// Was given a place and tries to attach.
    Connecting {
        /// Where the parent listens.
        parent: SocketAddr,
    },
    /// Has a parent.
    Attached {
        /// Its place.
        slot: Slot,
        /// Where the parent listens.
        parent: SocketAddr,
        /// The session's name.
        session: String,
    },
    /// Has left or given up.
    Ended,
}

/// A running node's other end: what is known of it, and the means to make it leave. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NodeHandle(Arc<Shared>);

/// A node that has not yet joined.
#[derive(Debug)]
pub struct Node {
    shared: Arc<Shared>,
    /// None for a site, whose port is its own trees'.
    port: Option<Port>,
}

#[derive(Debug)]
struct Shared {
    member: Mutex<Member>,
    /// The member has something to do, or another deadline.
    wake: Notify,
    started: Instant,
    log: SharedLog,
    children: ChildLinks,
    /// The calls that the root has made; those that this node made are the driver's.
    pushed: Mutex<BTreeMap<Link, mpsc::Sender<Message>>>,
    presenter: watch::Sender<Presenter>,
    /// The root's newest beat that came here.
    beat: watch::Sender<u64>,
    state: watch::Sender<NodeState>,
    is_site: bool,
    /// What is behind this site.
    behind: watch::Sender<Behind>,
    /// The session of the tree of the newest link.
    tree: AtomicU64,
    upload: Upload,
    answers: Answers,
}

impl Node {
    /// A node that will serve `port` and keep `log`.
    pub fn new(options: NodeOptions, port: Port, log: SharedLog) -> std::io::Result<Self> {
        let listening = port.local_addr()?.port();
        let shared = Shared::new(options, listening, log, false);
        Ok(Self { shared: Arc::new(shared), port: Some(port) })
    }

    /// A site: a node that keeps `log` and serves nobody by it. Others find its own trees on the port `listening`.
    pub fn site(options: NodeOptions, listening: u16, log: SharedLog) -> Self {
        Self { shared: Arc::new(Shared::new(options, listening, log, true)), port: None }
    }

    /// What others may know of the node while it runs.
    pub fn handle(&self) -> NodeHandle {
        NodeHandle(Arc::clone(&self.shared))
    }

    /// Joins, receives and serves until the node has left or given up. Dropping the future ends everything at once, without telling
    /// the root.
    pub async fn run(self) -> End {
        let service = Arc::new(NodeService::new(Arc::clone(&self.shared)));
        let options = PortOptions { upload: self.shared.upload.clone(), ..PortOptions::default() };
        let serving = async {
            match self.port {
                Some(port) => port.run(self.shared.log.clone(), service, options).await,
                None => std::future::pending().await,
            }
        };
        self.shared.with_member(Member::start);
        tokio::select! {
            () = serving => End::GaveUp("the port was closed".into()),
            end = Driver::new(&self.shared).run() => end,
        }
    }
}

impl NodeHandle {
    /// How it stands with the node, now and at each change.
    pub fn state(&self) -> watch::Receiver<NodeState> {
        self.0.state.subscribe()
    }

    /// How it stands with the presenter, as the root says.
    pub fn presenter(&self) -> watch::Receiver<Presenter> {
        self.0.presenter.subscribe()
    }

    /// What this node may send at most.
    pub fn upload(&self) -> &Upload {
        &self.0.upload
    }

    /// The log that the node keeps.
    pub fn log(&self) -> &SharedLog {
        &self.0.log
    }

    /// What it has got in this session.
    pub fn intake(&self) -> Intake {
        *self.0.answers.intake()
    }

    /// Where the node asks for its place: the address it was given, or the one it was sent on to.
    pub fn root(&self) -> SocketAddr {
        self.0.member().root()
    }

    /// Says what is behind this site; its parent is told. Only for a [`Node::site`].
    pub fn set_behind(&self, behind: Behind) {
        self.0.behind.send_if_modified(|known| std::mem::replace(known, behind) != behind);
    }

    /// A window shows this node's picture: the newest update that it shows, now and at each change.
    pub fn is_shown_by(&self, painted: watch::Receiver<Seq>) {
        self.0.answers.is_shown_by(painted);
    }

    /// Passes on answers to checks that have come from below this site, over a link with these round trips: as it is now, and at least.
    pub fn pass_on(&self, batch: &CheckDelayReply, round_trip: Option<Duration>, least: Option<Duration>) {
        self.0.pass_on(batch, round_trip, least);
    }

    /// The question whether this node may present, and whom to ask; `None` while it has no place in a tree.
    pub fn ask_to_present(&self, view: View) -> Option<(SocketAddr, ServerChangeRequest)> {
        self.0.member().ask_to_present(view)
    }

    /// Before this process ends: tells the children what is known of the presenter, and closes their links. Takes a second at most.
    pub async fn farewell(&self) {
        self.0.children.farewell().await;
    }

    /// Makes the node leave: it tells the root, closes its links, and [`Node::run`] ends.
    pub fn leave(&self) {
        self.0.with_member(Member::leave);
    }
}

impl Shared {
    fn new(options: NodeOptions, listening: u16, log: SharedLog, is_site: bool) -> Self {
        let NodeOptions { root, name, relay, id, seed, give_up, upload } = options;
        let limit = upload.rate().map_or(0, Rate::kib_per_second);
        let capabilities = Capabilities { relay: relay && !is_site, site: is_site, upload: limit };
        let usual = MemberConfig::new(id, name.as_str().into(), capabilities, listening, root, seed);
        let (presenter, beat) = (watch::Sender::new(Presenter::default()), watch::Sender::new(0));
        Self {
            member: Mutex::new(Member::new(MemberConfig { give_up, ..usual })),
            wake: Notify::new(),
            started: Instant::now(),
            children: ChildLinks::new(log.clone(), presenter.subscribe(), beat.subscribe()).limited(upload.clone()),
            pushed: Mutex::default(),
            log,
            presenter,
            beat,
            state: watch::Sender::new(NodeState::Asking),
            is_site,
            behind: watch::Sender::new(Behind::default()),
            tree: AtomicU64::new(0),
            upload,
            answers: Answers::default(),
        }
    }

    /// Lets the member take in an event, and the driver carry out what follows.
    fn with_member<T>(&self, event: impl FnOnce(&mut Member, Duration) -> T) -> T {
        let result = event(&mut self.member(), self.started.elapsed());
        self.wake.notify_one();
        result
    }

    fn member(&self) -> MutexGuard<'_, Member> {
        self.member.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers of those below, if they are about the log that is kept here.
    fn pass_on(&self, batch: &CheckDelayReply, round_trip: Option<Duration>, least: Option<Duration>) {
        if batch.session == self.log.with(|log| log.session()) {
            self.answers.pass_on(&batch.replies, round_trip, least);
        }
    }

    /// How many more leaf-only children this node could feed.
    fn room(&self) -> u8 {
        self.children.room()
    }

    fn pushed(&self) -> MutexGuard<'_, BTreeMap<Link, mpsc::Sender<Message>>> {
        self.pushed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish_state(&self) {
        let member = self.member();
        let state = match (member.standing(), member.place()) {
            (Standing::Ended, _) => NodeState::Ended,
            (Standing::Connecting, Some(place)) => NodeState::Connecting { parent: place.address },
            (Standing::Attached, Some(place)) => {
                NodeState::Attached { slot: place.slot, parent: place.address, session: place.name.to_string() }
            }
            _ => member.refusal().map_or(NodeState::Asking, |reason| NodeState::Refused { reason: reason.to_string() }),
        };
        drop(member);
        self.state.send_if_modified(|now| {
            let is_new = *now != state;
            if is_new {
                match state {
                    NodeState::Refused { .. } => warn!("{state}"),
                    _ => info!("{state}"),
                }
                *now = state;
            }
            is_new
        });
    }
}

impl std::fmt::Display for NodeState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Asking => f.write_str("asking the root for a place"),
            Self::Refused { reason } => write!(f, "the root has no place for this node now, and will be asked again: {reason}"),
            Self::Connecting { parent } => write!(f, "connecting to {parent}"),
            Self::Attached { slot, parent, session } => {
                write!(f, "attached to {parent} in \"{session}\" at slot {slot} depth {}", slot.depth())
            }
            Self::Ended => f.write_str("left the tree"),
        }
    }
}

/// Carries out a member's actions. Owns the tasks of calls and of the link to the parent; dropping it ends them.
struct Driver<'a> {
    shared: &'a Arc<Shared>,
    calls: BTreeMap<Link, (mpsc::Sender<Message>, Owned)>,
    closing: Vec<Owned>,
    parent: Option<(Link, Owned)>,
}

impl<'a> Driver<'a> {
    fn new(shared: &'a Arc<Shared>) -> Self {
        Self { shared, calls: BTreeMap::new(), closing: Vec::new(), parent: None }
    }

    async fn run(mut self) -> End {
        loop {
            loop {
                let next = self.shared.member().poll_action();
                match next {
                    Some(Action::End(end)) => {
                        self.shared.publish_state();
                        return end;
                    }
                    Some(action) => self.carry_out(action).await,
                    None => break,
                }
            }
            self.shared.publish_state();
            self.closing.retain(|task| !task.0.is_finished());
            let deadline = self.shared.member().poll_deadline();
            let due = deadline.map(|deadline| tokio::time::Instant::from_std(self.shared.started + deadline));
            let timeout = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.shared.wake.notified() => {}
                () = timeout => self.shared.with_member(Member::handle_timeout),
            }
        }
    }

    async fn carry_out(&mut self, action: Action) {
        match action {
            Action::DialRoot { call, address, message } => {
                let (lane, waiting) = mpsc::channel(CALL_LANE);
                let task = tokio::spawn(call_root(Arc::clone(self.shared), call, address, message, waiting));
                self.calls.insert(call, (lane, Owned(task)));
            }
            Action::SendRoot { call, message } => {
                // A full lane means that the root takes nothing: the member's own time-out ends the call.
                let pushed = self.shared.pushed();
                if let Some(lane) = self.calls.get(&call).map(|(lane, _)| lane).or(pushed.get(&call)) {
                    let _ = lane.try_send(message);
                }
            }
            // Dropping the lane lets the task send what waits, and end.
            Action::CloseRoot { call } => {
                self.shared.pushed().remove(&call);
                self.closing.extend(self.calls.remove(&call).map(|(_, task)| task));
            }
            Action::DialParent { link, place } => {
                self.close_parent().await;
                let task = tokio::spawn(follow_parent(Arc::clone(self.shared), link, place));
                self.parent = Some((link, Owned(task)));
            }
            Action::CloseParent { link } => {
                if self.parent.as_ref().is_some_and(|(open, _)| *open == link) {
                    self.close_parent().await;
                }
            }
            Action::CloseChild { link } => self.shared.children.close(link),
            Action::End(_) => {}
        }
    }

    /// Ends the link to the parent, and waits until it writes into the log no more.
    async fn close_parent(&mut self) {
        if let Some((_, mut task)) = self.parent.take() {
            task.0.abort();
            let _ = (&mut task.0).await;
        }
    }
}

/// A task that ends with its owner.
struct Owned(JoinHandle<()>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}
