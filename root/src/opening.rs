//! A port of the router for a root behind NAT: asked for, renewed, and given back. Owns the times and the words; `router` talks with the
//! router, `plan` decides when, and neither trusts what a router says. Never touches the session.

mod gateway;
mod plan;
mod public;
mod router;

pub use plan::{News, Way};

use plan::Plan;
use router::{Mapping, find_place, give_back, open};
use std::future::Future;
use std::net::Ipv4Addr;
use std::num::NonZeroU16;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Instant;

/// How long giving a port back may take, and before that a request that is under way.
const CLOSING: Duration = Duration::from_secs(2);

/// Keeps this TCP port open at the default gateway, by PCP, NAT-PMP or UPnP, whichever works, until `stop`; then gives it back, which takes at
/// most 4 s. `own` is this machine's address to be reached at, or the one by which it reaches the gateway. Tells `say` when the port is open,
/// where, when that changes, and what to do by hand when it cannot be opened; tries again all the time.
///
/// Dropping the future leaves the port open until the router's lease ends (4 minutes, unless the router knows no leases).
pub async fn keep_open(own: Option<Ipv4Addr>, port: NonZeroU16, stop: impl Future<Output = ()>, mut say: impl FnMut(&News)) {
    tokio::pin!(stop);
    let mut plan = Plan::new(port, Instant::now().into_std());
    let mut mapping: Option<Mapping> = None;
    'rounds: loop {
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep_until(plan.due().into()) => {}
        }
        let place = find_place(own, port).await;
        if !plan.stand_at(place) {
            mapping = None;
        }
        for way in plan.ways() {
            // What is under way when it is to stop is waited for: the router may have opened the port already.
            let (answer, is_stopped) = heard(open(way, place, mapping.as_ref()), stop.as_mut()).await;
            let is_open = matches!(answer, Some(Ok(_)));
            match answer {
                Some(Ok((opened, new))) => {
                    mapping = Some(new);
                    plan.opened(opened);
                }
                Some(Err(error)) => {
                    tracing::debug!("{way}: {error}");
                    plan.refused(way, error.to_string());
                }
                None => {}
            }
            if is_stopped {
                break 'rounds;
            }
            if is_open {
                break;
            }
        }
        if let Some(news) = plan.concluded(Instant::now().into_std()) {
            say(&news);
        }
    }
    if let Some(mapping) = mapping {
        give_back_in_time(mapping).await;
    }
}

/// What people have to know when no router is asked to open this TCP port: nothing if this machine has a public address, or no network with a
/// router. `own` as in [`keep_open`]. Sends nothing.
pub async fn unasked(own: Option<Ipv4Addr>, port: NonZeroU16) -> Option<News> {
    find_place(own, port).await.unasked()
}

/// An answer, if it comes, and whether it is time to stop, which an answer has only [`CLOSING`] to come after.
async fn heard<T>(asking: impl Future<Output = T>, stop: Pin<&mut impl Future<Output = ()>>) -> (Option<T>, bool) {
    tokio::pin!(asking);
    tokio::select! {
        answer = &mut asking => (Some(answer), false),
        () = stop => (tokio::time::timeout(CLOSING, asking).await.ok(), true),
    }
}

async fn give_back_in_time(mapping: Mapping) {
    match tokio::time::timeout(CLOSING, give_back(mapping)).await {
        Ok(Ok(())) => tracing::debug!("the router's port is closed again"),
        Ok(Err(error)) => tracing::warn!("the router does not close the port: {error}"),
        Err(_) => tracing::warn!("the router does not answer; it closes the port when its lease ends"),
    }
}
