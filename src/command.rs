//! One file per command; what they share.

mod credentials;
mod delay;
mod displays;
mod floor;
mod join;
mod metrics;
mod root;
mod share;
mod simulate;
mod snapshot;
mod status;

use crate::cli::{Command, Listen};
use crate::demo;
use anyhow::{Context, anyhow};
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use treevnc_relay::port::Port;

pub(crate) use root::options as root_options;
pub(crate) use status::status_text;

/// Carries out a command.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Root(args) => root::run(args),
        Command::Join(args) => join::run(args),
        Command::Share(args) => share::run(args),
        Command::Delay(args) => block_on(delay::run(args)),
        Command::Displays(args) => block_on(displays::run(args)),
        Command::Floor(args) => block_on(floor::run(args)),
        Command::Snapshot(args) => block_on(snapshot::run(args)),
        Command::Simulate(args) => simulate::run(args),
        Command::Status(args) => block_on(status::run(args)),
    }
}

/// The runtime that every command uses: threads for sockets, and the main thread left to a window.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime does not start")
}

/// The runtime of a process that relays: one thread for sockets, since one that wakes another for every update costs more than both save.
/// Large computations have threads of their own.
pub(crate) fn relay_runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().context("the runtime does not start")
}

pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    runtime()?.block_on(work)
}

/// The addresses of `HOST[:PORT]`.
pub(crate) async fn look_up(text: &str) -> anyhow::Result<Vec<SocketAddr>> {
    let (host, port) = crate::cli::host_and_port(text).map_err(|error| anyhow!(error))?;
    let found: Vec<_> = tokio::net::lookup_host((host.as_str(), port))
        .await
        .with_context(|| format!("'{host}' has no address; check the name"))?
        .collect();
    if found.is_empty() { Err(anyhow!("'{host}' has no address; check the name")) } else { Ok(found) }
}

/// This machine's name, for people to recognise it.
pub(crate) fn machine_name() -> String {
    let from_file = || std::fs::read_to_string("/etc/hostname").ok();
    let name = std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok().or_else(from_file);
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "treevnc".to_owned())
}

/// Opens the port, and says where it is. A machine without IPv6 listens on IPv4 alone.
pub(crate) fn listen(wanted: Listen) -> anyhow::Result<Port> {
    let addrs = wanted.socket_addrs();
    let bound = Port::bind(&addrs).or_else(|error| match addrs.split_first() {
        Some((first, [_, ..])) if error.kind() != ErrorKind::AddrInUse => Port::bind(&[*first]),
        _ => Err(error),
    });
    let in_use = |error: &std::io::Error| error.kind() == ErrorKind::AddrInUse;
    match bound {
        Ok(port) => {
            println!("listening on {}", port.local_addr()?);
            Ok(port)
        }
        Err(error) if in_use(&error) => {
            Err(anyhow!("port {} is in use, perhaps by another root here; choose one with --listen", wanted.port))
        }
        Err(error) => Err(error.into()),
    }
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    Ok(bytes)
}

/// A random number.
pub(crate) fn random_number() -> anyhow::Result<u64> {
    Ok(u64::from_be_bytes(random()?))
}

/// Ends when the person at the terminal, or the system, asks the process to stop.
pub(crate) async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
