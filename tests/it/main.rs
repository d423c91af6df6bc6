//! Whole sessions: real sockets, real VNC servers, real viewers, real X programs, the programs of this project as separate processes.
//! Tests whose outside programs are not installed say so and are skipped; with `CI=true` that is a failure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and skipping is said on stderr"
)]
#![allow(dead_code, reason = "benches share the support")]

mod chaos;
mod delay;
mod demo;
mod discovery;
mod encrypted;
mod fares;
mod healing;
mod hostile;
mod interfaces;
mod isolated;
mod judges;
mod metrics;
mod narrow_uplink;
mod networks;
mod newcomer;
mod opening;
mod own_screen;
mod presenting;
mod presenting_trouble;
mod session;
mod share_buttons;
mod sites;
mod sites_apart;
mod sites_trouble;
mod slow_readers;
mod support;
mod volunteers;
mod watchers;
mod wrong_use;
