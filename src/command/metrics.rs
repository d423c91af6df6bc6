//! `--metrics`: where figures for Prometheus are given out.

use crate::cli::Listen;
use anyhow::anyhow;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use treevnc_metrics::Door;

/// Opens the door, and says where it is. Without an address it is for this machine only.
pub(super) fn open(wanted: Listen) -> anyhow::Result<Door> {
    let address = SocketAddr::new(wanted.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), wanted.port);
    let door = Door::open(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!("port {} is in use; choose another one with --metrics", wanted.port),
        _ => anyhow!("metrics cannot be given out at {address}: {error}"),
    })?;
    println!("metrics at http://{}/metrics", door.local_addr()?);
    Ok(door)
}

/// Gives out what `page` makes, if that is wanted. Never ends.
pub(super) async fn serve(door: Option<Door>, page: impl Fn() -> String + Send + Sync + 'static) {
    match door {
        Some(door) => door.serve(page).await,
        None => std::future::pending().await,
    }
}
