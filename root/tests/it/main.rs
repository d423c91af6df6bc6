//! The root's parts on real sockets, against scripted VNC servers and against real ones.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod discovery;
mod hostile;
mod real;
mod scripted;
mod server;
mod watching;
mod x;
