//! A root's whole session: the presenter's picture into the log, the log to whoever comes by the port, the tree kept, questions on the
//! network answered. Owns all of it; dropping [`Root::run`] ends all of it.

use crate::beats::keep_beating;
use crate::delays::{DelayFigures, Delays};
use crate::discovery::{RootInfo, count_viewers, respond};
use crate::floor::{FloorKeeper, FloorView};
use crate::presenter::{PresenterState, SessionError, SessionOptions, run as keep_presenter, run_own};
use crate::stage::{Part, Stage};
use crate::summit::Summit;
use crate::trees::{Feed, Trees, Turnover};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use treevnc_protocol::tree::floor::Source;
use treevnc_protocol::tree::message::{FloorCommand, FloorReport, Policy, Presenter, Status};
use treevnc_protocol::tree::networks::Networks;
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::ticket::Key;
use treevnc_protocol::tree::topology::TopologyConfig;
use treevnc_protocol::update::SessionId;
use treevnc_relay::clock::SessionClock;
use treevnc_relay::port::{Port, PortOptions};
use treevnc_relay::publisher::Publisher;
use treevnc_relay::shared_log::{SharedLog, Traffic};
use treevnc_relay::upload::Upload;
use treevnc_screen::display::Choice;
use treevnc_screen::vnc::VncServer;

/// How long until a presenter that has refused after it was shown is asked again.
const REFUSED_AGAIN: Duration = Duration::from_secs(15);

/// The screen that is shown while no node presents.
#[derive(Debug, Clone)]
pub enum Home {
    /// That of a VNC server, which is dialled.
    Vnc {
        /// Where it is.
        server: VncServer,
        /// What of it is shown.
        options: SessionOptions,
    },
    /// This machine's own.
    Screen {
        /// What of it is shown.
        choice: Choice,
        /// Its name for viewers.
        name: String,
    },
}

/// What a root shares, and under which name.
#[derive(Debug, Clone)]
pub struct RootOptions {
    /// The lecturer's screen.
    pub home: Home,
    /// Who else may present, at first.
    pub policy: Policy,
    /// The session's name for people.
    pub name: String,
    /// Whether to answer those who search the network.
    pub discoverable: bool,
    /// Random: the session.
    pub session: SessionId,
    /// Random: the root's own number.
    pub id: NodeId,
    /// Random: what tickets are made from.
    pub secret: Key,
    /// What this process may send at most.
    pub upload: Upload,
}

/// A root that has a port and does not run yet.
#[derive(Debug)]
pub struct Root {
    options: RootOptions,
    port: Port,
    handle: RootHandle,
    stage: Stage,
    presenter: Arc<watch::Sender<Presenter>>,
    about: watch::Sender<String>,
    beat: watch::Sender<u64>,
    state: watch::Sender<PresenterState>,
}

/// What others may know of a running root. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RootHandle {
    log: SharedLog,
    clock: SessionClock,
    trees: Arc<Trees<Summit>>,
    floor: Arc<FloorKeeper>,
    delays: Arc<Delays>,
    state: watch::Receiver<PresenterState>,
    telling: Arc<watch::Sender<Presenter>>,
}

impl RootHandle {
    /// The log of what is shown.
    pub fn log(&self) -> &SharedLog {
        &self.log
    }

    /// The clock that updates are stamped with.
    pub fn clock(&self) -> SessionClock {
        self.clock
    }

    /// Who presents and who wants to, now and at each change.
    pub fn floor(&self) -> watch::Receiver<FloorView> {
        self.floor.view()
    }

    /// Does what a person at this root wants, and says how it stands then.
    pub fn command(&self, command: FloorCommand) -> FloorReport {
        self.floor.decide(command)
    }

    /// How it stands with the lecturer's own screen, now and at each change.
    pub fn presenter(&self) -> watch::Receiver<PresenterState> {
        self.state.clone()
    }

    /// The networks of this machine, now and at each change.
    pub fn networks(&self) -> watch::Receiver<Networks> {
        self.trees.networks()
    }

    /// Who is where, and what is shown.
    pub fn status(&self) -> Status {
        self.trees.status()
    }

    /// What has gone through the log, and who reads it.
    pub fn traffic(&self) -> Traffic {
        self.log.traffic()
    }

    /// Who has come and gone.
    pub fn turnover(&self) -> Turnover {
        self.trees.turnover()
    }

    /// What was measured.
    pub fn delays(&self) -> DelayFigures {
        self.delays.figures()
    }

    /// Ends the session in order, while [`Root::run`] goes on: everybody is told. Resolves when that is done, after a second at most.
    pub async fn end(&self) {
        self.telling.send_modify(|presenter| presenter.ended = true);
        self.trees.farewell().await;
    }
}

impl Root {
    /// A root that will serve `port`.
    pub fn new(options: RootOptions, port: Port) -> io::Result<Self> {
        let address = port.local_addr()?;
        let log = SharedLog::new(options.session);
        let clock = SessionClock::start();
        let presenter = Arc::new(watch::Sender::new(Presenter { line: vec![options.id], ..Presenter::default() }));
        let about = watch::Sender::new(describe(&PresenterState::Connecting));
        let state = watch::Sender::new(PresenterState::Connecting);
        let RootOptions { session, id, ref secret, ref name, ref upload, .. } = options;
        let config = TopologyConfig::new(session, name.as_str().into(), id, address, secret.clone());
        let stage = Stage::new(Publisher::new(log.clone(), clock));
        let floor = Arc::new(FloorKeeper::new(session, secret.clone(), options.policy, stage.clone(), clock));
        let beat = watch::Sender::new(0);
        let feed = Feed {
            log: log.clone(),
            presenter: presenter.subscribe(),
            about: about.subscribe(),
            beat: beat.subscribe(),
            upload: upload.clone(),
        };
        let delays = Delays::new(session, clock, stage.clone());
        let above = Arc::new(Summit { floor: Arc::clone(&floor), delays: Arc::clone(&delays) });
        let trees = Arc::new(Trees::new(config, clock, feed, above));
        let telling = Arc::clone(&presenter);
        let handle = RootHandle { log, clock, trees, floor, delays, state: state.subscribe(), telling };
        Ok(Self { options, port, handle, stage, presenter, about, beat, state })
    }

    /// What others may know of it while it runs.
    pub fn handle(&self) -> RootHandle {
        self.handle.clone()
    }

    /// Where it listens.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        self.port.local_addrs()
    }

    /// Runs until the presenter refuses for good, and says why. Dropping the future ends everything.
    pub async fn run(self) -> RootEnd {
        let Self { options, port, handle, stage, presenter, about, beat, state } = self;
        let listening = port.local_addrs().to_vec();
        let info = watch::Sender::new(RootInfo {
            session: options.session,
            name: options.name.as_str().into(),
            listening,
            viewers: 0,
            needs_code: false,
            log: options.session,
            above: 0,
        });
        let answering = async {
            if options.discoverable {
                respond(info.subscribe(), handle.trees.networks()).await;
            }
        };
        let limits = PortOptions { upload: options.upload, ..PortOptions::default() };
        let states = state.subscribe();
        // A task of its own: encoding a large frame holds up whatever shares its task.
        let mut presenting = JoinSet::new();
        let part = stage.part(Source::Lecturer);
        presenting.spawn(async move { keep_home(&options.home, &part, &state).await });
        let serving = async {
            tokio::join!(
                port.run(handle.log.clone(), Arc::clone(&handle.trees), limits),
                handle.trees.keep(),
                keep_beating(&beat),
                handle.floor.keep(),
                handle.delays.keep(),
                count_nodes(handle.trees.audience(), &handle.delays),
                answering,
                count_viewers(handle.trees.node_count(), &info),
                pass_on_state(states, handle.floor.view(), &presenter, &about),
            )
        };
        tokio::select! {
            ended = presenting.join_next() => match ended {
                Some(Ok(error)) => RootEnd::Refused(error),
                _ => RootEnd::Failed,
            },
            _ = serving => RootEnd::Failed,
        }
    }
}

/// Tells the measurements how many answers to expect. Never ends.
async fn count_nodes(mut count: watch::Receiver<u32>, delays: &Delays) {
    loop {
        delays.set_nodes(*count.borrow_and_update());
        if count.changed().await.is_err() {
            return;
        }
    }
}

/// Why a root's session ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RootEnd {
    /// The presenter's server will not have us, and waiting does not change that.
    #[error("the presenter refuses: {0}")]
    Refused(SessionError),
    /// A part of the root failed; the log says more.
    #[error("a part of the root failed")]
    Failed,
}

/// Keeps the lecturer's screen ready. A server that refuses for good ends it, unless it has been shown before: then somebody is looking at
/// other screens of this session perhaps, and it is tried again.
async fn keep_home(home: &Home, part: &Part, state: &watch::Sender<PresenterState>) -> SessionError {
    let mut states = state.subscribe();
    let mut was_connected = false;
    loop {
        let keeping = async {
            match home {
                Home::Vnc { server, options } => keep_presenter(server, options, part, state).await,
                Home::Screen { choice, name } => run_own(*choice, name, part, state).await,
            }
        };
        tokio::pin!(keeping);
        let refused = loop {
            tokio::select! {
                refused = &mut keeping => break refused,
                _ = states.changed() => was_connected |= matches!(&*states.borrow_and_update(), PresenterState::Connected { .. }),
            }
        };
        if !was_connected {
            return refused;
        }
        tracing::warn!("the presenter refuses, and will be asked again: {refused}");
        tokio::time::sleep(REFUSED_AGAIN).await;
    }
}

/// Tells nodes and those who ask for the status who presents, and what is known of the lecturer's screen.
async fn pass_on_state(
    mut state: watch::Receiver<PresenterState>,
    mut floor: watch::Receiver<FloorView>,
    presenter: &watch::Sender<Presenter>,
    about: &watch::Sender<String>,
) {
    loop {
        let now = state.borrow_and_update().clone();
        let view = floor.borrow_and_update().clone();
        let gone = match (&view.presenting, &now) {
            (None, PresenterState::Lost { why, .. } | PresenterState::Refused { why }) => why,
            _ => "",
        };
        let (node, name) = view.presenting.clone().map_or_else(Default::default, |by| (Some(by.node), by.name));
        about.send_replace(if node.is_some() { format!("presenting: {name}") } else { describe(&now) });
        presenter.send_if_modified(|known| {
            let (line, policy) = (known.line.clone(), view.report.policy);
            let new = Presenter { gone: gone.into(), node, name, policy, line, ended: known.ended };
            let is_new = *known != new;
            *known = new;
            is_new
        });
        let changed = tokio::select! {
            changed = state.changed() => changed,
            changed = floor.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
    }
}

fn describe(state: &PresenterState) -> String {
    match state {
        PresenterState::Connecting => "connecting to the presenter".to_owned(),
        PresenterState::Connected { name, .. } => format!("presenting: {name}"),
        PresenterState::Lost { why, .. } => format!("presenter lost: {why}"),
        PresenterState::Refused { why } => format!("presenter refuses: {why}"),
    }
}
