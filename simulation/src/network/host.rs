//! A host: one program, its connections, and how it stands with it.

use super::connection::{End, Wire};
use crate::agenda::Event;
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Host {
    /// From it into the network, and back.
    pub(super) latency: Duration,
    /// The program runs, be it stopped.
    pub(super) is_running: bool,
    /// Without power or cable, for ever.
    pub(super) is_gone: bool,
    /// The kernel lives, the program does nothing.
    pub(super) is_stopped: bool,
    /// It cannot be dialled.
    pub(super) is_firewalled: bool,
    /// Of all hosts it reaches only the root, and is reached only by it.
    pub(super) is_isolated: bool,
    /// Bytes per second of each of its connections, where it is slow.
    pub(super) rate: Option<u32>,
    /// Hosts of different groups do not reach each other.
    pub(super) group: u32,
    /// Ends of connections that are open here.
    pub(super) wires: BTreeSet<(Wire, End)>,
    /// What happened while it was stopped.
    pub(super) backlog: Vec<Event>,
}

impl Host {
    pub(super) fn new(latency: Duration, is_firewalled: bool, is_isolated: bool) -> Self {
        Self {
            latency,
            is_running: true,
            is_gone: false,
            is_stopped: false,
            is_firewalled,
            is_isolated,
            rate: None,
            group: 0,
            wires: BTreeSet::new(),
            backlog: Vec::new(),
        }
    }

    pub(super) fn can_be_dialled(&self) -> bool {
        !self.is_firewalled && !self.is_gone
    }
}
