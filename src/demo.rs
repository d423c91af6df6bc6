//! `treevnc demo`: a made-up presenter, a root and some nodes on this machine, all with the real parts: RFB between presenter and
//! root, tree links between root and nodes.

mod deliveries;
mod presenter;
pub(crate) mod scene;

use crate::cli::DemoArgs;
use crate::command::{asked_to_stop, listen, random_number, root_options, runtime, status_text};
use anyhow::{Context, anyhow};
use deliveries::Deliveries;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use treevnc_protocol::tree::message::Policy;
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::update::SessionId;
use treevnc_relay::port::Port;
use treevnc_relay::shared_log::SharedLog;
use treevnc_relay::upload::Upload;
use treevnc_root::presenter::SessionOptions;
use treevnc_root::session::{Home, Root, RootHandle};
use treevnc_screen::address::PresenterAddress;
use treevnc_screen::vnc::{Credentials, VncServer};
use treevnc_viewer::node::{Node, NodeHandle, NodeOptions, NodeState};
use treevnc_viewer::picture::Shown;
use treevnc_viewer::playback::play;
use treevnc_viewer::window::{self, WindowOptions};

/// How long the demo lasts unless told otherwise.
const USUAL: Duration = Duration::from_secs(10);
/// How long the nodes may take to find their places.
const STANDING_UP: Duration = Duration::from_secs(30);
const NAME: &str = "TreeVNC demo";

pub(crate) fn run(args: DemoArgs) -> anyhow::Result<()> {
    let runtime = runtime()?;
    if !args.window {
        return runtime.block_on(async { Demo::start(&args).await?.watch(args.seconds.unwrap_or(USUAL), asked_to_stop()).await });
    }
    let shown = Shown::new();
    shown.set_session(NAME);
    let (commands, mut closed) = mpsc::channel(1);
    let (playing, seconds) = (shown.clone(), args.seconds.unwrap_or(Duration::MAX));
    let session = runtime.spawn(async move {
        let result = async {
            let demo = Demo::start(&args).await?;
            let log = demo.last_log.clone();
            let stop = async {
                tokio::select! {
                    _ = closed.recv() => {}
                    () = asked_to_stop() => {}
                    () = play(log, playing.clone()) => {}
                }
            };
            demo.watch(seconds, stop).await
        }
        .await;
        playing.close();
        result
    });
    window::run(shown, WindowOptions::default(), commands)?;
    runtime.block_on(session)?
}

/// Everything that runs; dropping it ends all of it.
struct Demo {
    root: RootHandle,
    nodes: Vec<NodeHandle>,
    last_log: SharedLog,
    deliveries: Deliveries,
    tasks: JoinSet<anyhow::Error>,
}

impl Demo {
    async fn start(args: &DemoArgs) -> anyhow::Result<Self> {
        let mut tasks = JoinSet::new();
        let port = listen(args.listen)?;
        let listening = port.local_addr()?;
        let presenter_port = Port::bind(&[SocketAddr::from(([127, 0, 0, 1], 0))])?;
        let address = PresenterAddress { host: "127.0.0.1".into(), port: presenter_port.local_addr()?.port() };
        tasks.spawn(async move { presenter::run(presenter_port).await });

        let server = VncServer { address, credentials: Credentials::default() };
        let options = root_options(Home::Vnc { server, options: SessionOptions::default() }, Policy::Locked, NAME.into(), false)?;
        let root = Root::new(options, port)?;
        let handle = root.handle();
        tasks.spawn(async move { root.run().await.into() });
        println!("open it with any VNC viewer:  vncviewer {}::{}", listening.ip(), listening.port());
        println!("or join it from a terminal:   treevnc join {listening}");

        let mut demo = Self {
            deliveries: Deliveries::new(handle.clock()),
            last_log: handle.log().clone(),
            root: handle,
            nodes: Vec::new(),
            tasks,
        };
        for number in 1..=args.nodes {
            demo.add_node(listening, number)?;
        }
        demo.all_attached().await?;
        Ok(demo)
    }

    fn add_node(&mut self, root: SocketAddr, number: u16) -> anyhow::Result<()> {
        let log = SharedLog::new(SessionId(0));
        let options = NodeOptions {
            root,
            name: format!("node {number}"),
            relay: true,
            id: NodeId(random_number()?),
            seed: random_number()?,
            give_up: STANDING_UP,
            upload: Upload::unlimited(),
        };
        let node = Node::new(options, Port::bind(&[SocketAddr::from(([127, 0, 0, 1], 0))])?, log.clone())?;
        self.nodes.push(node.handle());
        self.last_log = log.clone();
        self.tasks.spawn(self.deliveries.of_node(log, node.handle().state()));
        self.tasks.spawn(async move { anyhow!("a node left: {:?}", node.run().await) });
        Ok(())
    }

    async fn all_attached(&mut self) -> anyhow::Result<()> {
        let attached = async {
            for node in &self.nodes {
                let mut state = node.state();
                let _ = state.wait_for(|state| matches!(state, NodeState::Attached { .. })).await;
            }
        };
        tokio::select! {
            done = tokio::time::timeout(STANDING_UP, attached) => done.context("not all nodes found their place in time"),
            Some(failed) = self.tasks.join_next() => Err(failed?),
        }
    }

    /// Lets it run for a while, then prints the tree and the delivery times.
    async fn watch(mut self, seconds: Duration, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        tokio::select! {
            () = tokio::time::sleep(seconds) => {}
            () = stop => {}
            Some(failed) = self.tasks.join_next() => return Err(failed?),
        }
        let status = self.root.status();
        self.tasks.shutdown().await;
        println!("\n{}", status_text(&status));
        print!("{}", self.deliveries.table());
        Ok(())
    }
}
