//! A site's port: whoever comes is served by the trees of the session that the site has now.

use crate::site::SiteTrees;
use crate::uplink::Uplink;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;
use treevnc_protocol::tree::message::{Message, Refused};
use treevnc_relay::link::{Incoming, LinkError, TreeLink};
use treevnc_relay::port::TreeService;

/// How long a new link may stay silent.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);

/// Serves links by the present trees. A link ends with the trees that serve it.
#[derive(Debug)]
pub(crate) struct Door {
    trees: watch::Receiver<Option<Arc<SiteTrees>>>,
    uplink: Arc<Uplink>,
}

impl Door {
    pub(crate) fn new(trees: watch::Receiver<Option<Arc<SiteTrees>>>, uplink: Arc<Uplink>) -> Self {
        Self { trees, uplink }
    }

    /// There is nothing to be a child of yet.
    async fn turn_away(&self, mut link: TreeLink) -> Result<(), LinkError> {
        let first = timeout(FIRST_MESSAGE, link.read()).await.map_err(|_| LinkError::TimedOut(FIRST_MESSAGE))??;
        if let Incoming::Message(_) = first {
            let reason = format!("this site is not yet connected to {}", self.uplink.host());
            link.write_message(&Message::Refused(Refused { again: true, reason: reason.as_str().into() })).await?;
        }
        Ok(())
    }
}

impl TreeService for Door {
    async fn serve(&self, link: TreeLink, peer: SocketAddr) {
        let mut trees = self.trees.clone();
        let present = trees.borrow_and_update().clone();
        match present {
            Some(present) => {
                tokio::select! {
                    () = present.serve(link, peer) => {}
                    _ = trees.changed() => debug!("{peer} is to ask again: this site has another session"),
                }
            }
            None => {
                if let Err(error) = self.turn_away(link).await {
                    debug!("link from {peer} ended: {error}");
                }
            }
        }
    }
}
