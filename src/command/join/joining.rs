//! How a process takes part in a session: as a node of the tree here, or as a site, the root of this network below a root elsewhere.

use crate::cli::{DEFAULT_PORT, Listen, NodeArgs};
use crate::command::{listen, machine_name, random, random_number};
use std::net::SocketAddr;
use std::time::Duration;
use treevnc_protocol::tree::member::End;
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::ticket::Key;
use treevnc_protocol::update::SessionId;
use treevnc_relay::shared_log::SharedLog;
use treevnc_relay::upload::Upload;
use treevnc_site::site::{Site, SiteHandle, SiteOptions};
use treevnc_viewer::node::{Node, NodeHandle, NodeOptions};

/// How long a node goes on without a parent, and a site, which others depend on, without its root.
const GIVE_UP: Duration = Duration::from_secs(60);
const GIVE_UP_DIRECT: Duration = Duration::from_secs(3600);

/// A node or a site that does not run yet.
pub(crate) enum Joining {
    Node(Node),
    Site(Box<Site>),
}

impl Joining {
    /// Of the session of `root`. Needs a running tokio runtime.
    pub(crate) fn new(args: &NodeArgs, root: SocketAddr, log: SharedLog) -> anyhow::Result<Self> {
        let name = args.name.clone().unwrap_or_else(machine_name);
        let (id, seed) = (NodeId(random_number()?), random_number()?);
        let give_up = args.give_up.unwrap_or(if args.direct { GIVE_UP_DIRECT } else { GIVE_UP });
        let node = NodeOptions { root, name, relay: !args.no_relay, id, seed, give_up, upload: Upload::new(args.max_upload) };
        let free = Listen { address: None, port: 0 };
        if !args.direct {
            return Ok(Self::Node(Node::new(node, listen(args.listen.unwrap_or(free))?, log)?));
        }
        let usual = Listen { port: DEFAULT_PORT, ..free };
        // Another root on this machine has the usual port.
        let port = match args.listen {
            Some(asked) => listen(asked)?,
            None => listen(usual).or_else(|_| listen(free))?,
        };
        let host = args.root.clone().unwrap_or_else(|| root.to_string());
        let (session, secret) = (SessionId(random_number()?), Key::new(random()?));
        let options = SiteOptions { node, host, discoverable: true, session, secret };
        Ok(Self::Site(Box::new(Site::new(options, port, log)?)))
    }

    /// What others may know of it while it runs: of a site, how it stands with the root elsewhere.
    pub(crate) fn handle(&self) -> NodeHandle {
        match self {
            Self::Node(node) => node.handle(),
            Self::Site(site) => site.handle().node().clone(),
        }
    }

    /// What is to be done before its process ends.
    pub(crate) fn farewell(&self) -> Farewell {
        match self {
            Self::Node(node) => Farewell::Node(node.handle()),
            Self::Site(site) => Farewell::Site(site.handle()),
        }
    }

    /// Runs until it has left or given up.
    pub(crate) async fn run(self) -> End {
        match self {
            Self::Node(node) => node.run().await,
            Self::Site(site) => site.run().await,
        }
    }
}

/// The last words of a node or a site to those below it.
pub(crate) enum Farewell {
    Node(NodeHandle),
    Site(SiteHandle),
}

impl Farewell {
    /// Says them, in a second at most.
    pub(crate) async fn say(self) {
        match self {
            Self::Node(node) => node.farewell().await,
            Self::Site(site) => site.farewell().await,
        }
    }
}
