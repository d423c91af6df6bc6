//! The way in from outside: with `--open-port` the router's port is open for as long as the session lasts, and what it comes to is printed;
//! without, one line says what people elsewhere need.

use crate::cli::Listen;
use anyhow::bail;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use tokio::sync::oneshot;
use treevnc_root::opening::{News, keep_open, unasked};

/// What a router is to open, or would have to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outside {
    own: Option<Ipv4Addr>,
    port: NonZeroU16,
    is_asked: bool,
}

impl Outside {
    /// The port of a root that listens there; the router is asked to open it, or not.
    pub(super) fn new(own: Option<Ipv4Addr>, listening: &[SocketAddr], is_asked: bool) -> Option<Self> {
        let port = listening.iter().find(|address| address.is_ipv4())?.port();
        Some(Self { own, port: NonZeroU16::new(port)?, is_asked })
    }
}

/// The address of this machine that a router would have to lead to, if `--listen` names one. Refuses those that no router reaches.
pub(super) fn wanted(listen: Listen) -> anyhow::Result<Option<Ipv4Addr>> {
    match listen.address {
        None => Ok(None),
        Some(IpAddr::V4(own)) if own.is_unspecified() => Ok(None),
        Some(IpAddr::V4(own)) if !own.is_loopback() => Ok(Some(own)),
        Some(other) => {
            bail!("--open-port needs an IPv4 address that the router reaches; {other} is none (leave it out of --listen)")
        }
    }
}

/// Runs a session; the port is open meanwhile, if the router is asked. Ends at most 4 s after the session.
pub(super) async fn during<T>(outside: Option<Outside>, session: impl Future<Output = T>) -> T {
    let Some(Outside { own, port, is_asked }) = outside else { return session.await };
    if !is_asked {
        unasked(own, port).await.iter().for_each(|news| println!("{news}"));
        return session.await;
    }
    let (ended, end) = oneshot::channel();
    let stop = async move {
        // Sent, or dropped with the session: the same.
        let _ = end.await;
    };
    let session = async move {
        let result = session.await;
        drop::<oneshot::Sender<()>>(ended);
        result
    };
    tokio::join!(session, keep_open(own, port, stop, tell)).0
}

fn tell(news: &News) {
    if news.is_open() {
        println!("{news}");
    } else {
        eprintln!("treevnc: {news}");
    }
}
