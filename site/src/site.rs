//! A site's whole life: the uplink to the far root, and the trees of its own network, new ones for each session that comes from there.
//! Owns all of it; dropping [`Site::run`] ends all of it.

use crate::door::Door;
use crate::telling::{about, told};
use crate::uplink::Uplink;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};
use treevnc_protocol::tree::member::End;
use treevnc_protocol::tree::message::{Presenter, Status};
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::ticket::Key;
use treevnc_protocol::tree::topology::TopologyConfig;
use treevnc_protocol::update::SessionId;
use treevnc_relay::clock::SessionClock;
use treevnc_relay::port::{Port, PortOptions};
use treevnc_relay::shared_log::SharedLog;
use treevnc_root::beats::keep_beating;
use treevnc_root::discovery::{RootInfo, count_viewers, respond};
use treevnc_root::trees::{Feed, Trees};
use treevnc_viewer::find::{USUAL_SEARCH, find_roots};
use treevnc_viewer::node::{Node, NodeHandle, NodeOptions, NodeState};

/// How often it is looked what is behind the site.
const LOOK: Duration = Duration::from_secs(1);

/// The trees of a site's own network.
pub(crate) type SiteTrees = Trees<Uplink>;

/// Which session a site belongs to, and under which name.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// The site as a node of the far session. Its number is also that of the root of its own trees.
    pub node: NodeOptions,
    /// What people call the far root.
    pub host: String,
    /// Whether to answer those who search the network.
    pub discoverable: bool,
    /// Random: the session of its first trees; those of later ones are counted from it.
    pub session: SessionId,
    /// Random: what tickets are made from.
    pub secret: Key,
}

/// A site that has a port and does not run yet.
#[derive(Debug)]
pub struct Site {
    node: Node,
    port: Port,
    keeper: Arc<Keeper>,
}

/// What others may know of a running site. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SiteHandle(Arc<Keeper>);

impl SiteHandle {
    /// The site as a node of the far session.
    pub fn node(&self) -> &NodeHandle {
        &self.0.node
    }

    /// Before this process ends: tells the nodes directly below it what is known of the presenter, and closes their links. Takes a second at
    /// most.
    pub async fn farewell(&self) {
        // Whoever calls this may have heard the newest from above before the site's own task has.
        self.0.pass_on_presenter();
        let trees = self.0.trees.borrow().clone();
        if let Some(trees) = trees {
            trees.farewell().await;
        }
    }

    /// Who is where in its own trees, once it has been connected.
    pub fn status(&self) -> Option<Status> {
        self.0.trees.borrow().as_ref().map(|trees| trees.status())
    }
}

impl Site {
    /// A site that will serve `port` and keep `log`.
    pub fn new(options: SiteOptions, port: Port, log: SharedLog) -> io::Result<Self> {
        let (address, listening) = (port.local_addr()?, port.local_addrs().to_vec());
        let id = options.node.id;
        let node = Node::site(options.node, address.port(), log.clone());
        let handle = node.handle();
        let uplink = Arc::new(Uplink::new(handle.clone(), id, options.host));
        let keeper = Arc::new(Keeper {
            id,
            address,
            listening,
            discoverable: options.discoverable,
            session: options.session,
            secret: options.secret,
            log,
            clock: SessionClock::start(),
            node: handle,
            uplink,
            trees: watch::Sender::new(None),
            presenter: watch::Sender::new(Presenter::default()),
            about: watch::Sender::new(String::new()),
            beat: watch::Sender::new(0),
        });
        Ok(Self { node, port, keeper })
    }

    /// What others may know of it while it runs.
    pub fn handle(&self) -> SiteHandle {
        SiteHandle(Arc::clone(&self.keeper))
    }

    /// Runs until the site has left the far session or given up. Dropping the future ends everything at once, without telling the far
    /// root.
    pub async fn run(self) -> End {
        let Self { node, port, keeper } = self;
        let door = Arc::new(Door::new(keeper.trees.subscribe(), Arc::clone(&keeper.uplink)));
        let serving = async {
            let limits = PortOptions { upload: keeper.node.upload().clone(), ..PortOptions::default() };
            tokio::join!(port.run(keeper.log.clone(), door, limits), keeper.keep(), keep_beating(&keeper.beat))
        };
        tokio::select! {
            end = node.run() => end,
            _ = serving => End::GaveUp("the port was closed".into()),
        }
    }
}

/// Says so when the picture has already come to this network: two sites take two copies over the same line.
async fn look_for_others(session: SessionId, log: SessionId) {
    let Ok(found) = find_roots(USUAL_SEARCH, |_| ControlFlow::Continue(())).await else { return };
    for other in found.iter().filter(|other| other.log == log && other.session != session) {
        let Some(address) = other.addresses.first() else { continue };
        let what = if other.above == 0 { "its root" } else { "another site of it" };
        warn!("\"{}\" is in this network already, {what} at {address}: `treevnc join` takes no second copy", other.name);
    }
}

/// Tells the site's trees how it stands above, and begins others when the session there is another one.
#[derive(Debug)]
struct Keeper {
    id: NodeId,
    address: SocketAddr,
    listening: Vec<SocketAddr>,
    discoverable: bool,
    session: SessionId,
    secret: Key,
    log: SharedLog,
    clock: SessionClock,
    node: NodeHandle,
    uplink: Arc<Uplink>,
    trees: watch::Sender<Option<Arc<SiteTrees>>>,
    presenter: watch::Sender<Presenter>,
    about: watch::Sender<String>,
    beat: watch::Sender<u64>,
}

impl Keeper {
    /// Never ends.
    async fn keep(&self) {
        let (mut state, mut far) = (self.node.state(), self.node.presenter());
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What the present trees need; they end with it.
        let mut tending = JoinSet::new();
        let mut carried = None;
        let mut begun = 0;
        loop {
            let now = state.borrow_and_update().clone();
            let above = far.borrow_and_update().clone();
            self.tell(&now, &above);
            if let (NodeState::Attached { session: name, .. }, false) = (&now, above.line.is_empty()) {
                let log = self.log.with(|log| log.session());
                if carried != Some(log) {
                    tending = self.begin(SessionId(self.session.0.wrapping_add(begun)), name, log, &above);
                    (carried, begun) = (Some(log), begun + 1);
                }
            }
            if let Some(trees) = &*self.trees.borrow() {
                trees.set_above(&above.line);
            }
            tokio::select! {
                _ = state.changed() => {}
                _ = far.changed() => {}
                _ = looks.tick() => self.look(),
                Some(_) = tending.join_next() => {}
            }
        }
    }

    /// Begins trees for another log. Those before it end.
    fn begin(&self, session: SessionId, name: &str, log: SessionId, above: &Presenter) -> JoinSet<()> {
        info!("the root of a network of its own, for \"{name}\" from {}", self.uplink.host());
        let config = TopologyConfig::new(session, name.into(), self.id, self.address, self.secret.clone());
        let config = TopologyConfig { log, above: above.line.clone(), ..config };
        let (presenter, about, beat) = (self.presenter.subscribe(), self.about.subscribe(), self.beat.subscribe());
        let feed = Feed { log: self.log.clone(), presenter, about, beat, upload: self.node.upload().clone() };
        let trees = Arc::new(Trees::new(config, self.clock, feed, Arc::clone(&self.uplink)));
        let mut tending = JoinSet::new();
        let (name, discoverable) = (name.into(), self.discoverable);
        let roots = u8::try_from(above.line.len()).unwrap_or(u8::MAX);
        let listening = self.listening.clone();
        let info = RootInfo { session, name, listening, viewers: 0, needs_code: false, log, above: roots };
        let info = watch::Sender::new(info);
        let (count, networks) = (trees.node_count(), trees.networks());
        tending.spawn(async move {
            let answering = async {
                if discoverable {
                    tokio::join!(respond(info.subscribe(), networks), look_for_others(session, log));
                }
            };
            tokio::join!(answering, count_viewers(count, &info));
        });
        let kept = Arc::clone(&trees);
        tending.spawn(async move { kept.keep().await });
        self.trees.send_replace(Some(trees));
        tending
    }

    /// Passes on what is known above at this moment.
    fn pass_on_presenter(&self) {
        let (state, far) = (self.node.state(), self.node.presenter());
        let (state, far) = (state.borrow().clone(), far.borrow().clone());
        self.tell(&state, &far);
    }

    /// Passes on what comes from above.
    fn tell(&self, state: &NodeState, far: &Presenter) {
        let interrupted = match state {
            NodeState::Attached { .. } => None,
            NodeState::Refused { reason } => Some(format!("{} has no place for this site now: {reason}", self.uplink.host())),
            _ => Some(self.uplink.interrupted()),
        };
        let new = told(far, self.id, interrupted.as_deref());
        self.presenter.send_if_modified(|known| std::mem::replace(known, new.clone()) != new);
        self.tell_those_who_ask();
    }

    fn tell_those_who_ask(&self) {
        let screen = self.log.with(|log| log.screen().map(|screen| screen.name.clone())).unwrap_or_default();
        let new = about(&self.presenter.borrow(), &screen);
        self.about.send_if_modified(|known| std::mem::replace(known, new.clone()) != new);
    }

    /// Looks what is shown, and who stands here, for those above.
    fn look(&self) {
        self.tell_those_who_ask();
        if let Some(trees) = &*self.trees.borrow() {
            self.node.set_behind(trees.behind());
        }
    }
}
