//! Who may connect: counts of connections, of all and of those that have not said yet what they are.

use super::PortOptions;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The counts of a port.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    counts: Arc<Mutex<Counts>>,
    max_pending: usize,
    max_pending_per_address: usize,
    max_connections: usize,
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    pending: BTreeMap<IpAddr, usize>,
}

/// Why a connection is closed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0} connections are open, the limit")]
    Connections(usize),
    #[error("{0} handshakes are under way, the limit")]
    Pending(usize),
    #[error("{0} handshakes of this address are under way, the limit")]
    PendingOfAddress(usize),
}

impl Admission {
    pub(super) fn new(options: &PortOptions) -> Self {
        Self {
            counts: Arc::default(),
            max_pending: options.max_pending,
            max_pending_per_address: options.max_pending_per_address,
            max_connections: options.max_connections,
        }
    }

    /// Lets a connection in, for as long as the answer is kept.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Admitted, Refusal> {
        let address = address.to_canonical();
        let mut counts = lock(&self.counts);
        if counts.connections >= self.max_connections {
            return Err(Refusal::Connections(self.max_connections));
        }
        if counts.pending.values().sum::<usize>() >= self.max_pending {
            return Err(Refusal::Pending(self.max_pending));
        }
        if counts.pending.get(&address).is_some_and(|&pending| pending >= self.max_pending_per_address) {
            return Err(Refusal::PendingOfAddress(self.max_pending_per_address));
        }
        counts.connections += 1;
        *counts.pending.entry(address).or_default() += 1;
        Ok(Admitted { counts: Arc::clone(&self.counts), pending: Some(address) })
    }
}

/// One connection's place in the counts.
#[derive(Debug)]
pub(super) struct Admitted {
    counts: Arc<Mutex<Counts>>,
    pending: Option<IpAddr>,
}

impl Admitted {
    /// Its handshake is over, or waits for this side.
    pub(super) fn is_known(&mut self) {
        lock(&self.counts).end_pending(self.pending.take());
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        counts.end_pending(self.pending.take());
        counts.connections -= 1;
    }
}

impl Counts {
    fn end_pending(&mut self, address: Option<IpAddr>) {
        let Some(address) = address else { return };
        if let Some(pending) = self.pending.get_mut(&address) {
            *pending -= 1;
            if *pending == 0 {
                self.pending.remove(&address);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says things at most once a second, and how often it was silent.
#[derive(Debug, Clone)]
pub(super) struct Seldom(Arc<Mutex<(Option<Instant>, u64)>>);

impl Seldom {
    const BETWEEN: Duration = Duration::from_secs(1);

    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Calls `say` with a remark on what was left unsaid, or counts this as unsaid.
    pub(super) fn say(&self, say: impl FnOnce(&str)) {
        let unsaid = {
            let mut state = lock(&self.0);
            let (last, unsaid) = &mut *state;
            let now = Instant::now();
            if last.is_some_and(|last| now.duration_since(last) < Self::BETWEEN) {
                *unsaid += 1;
                return;
            }
            *last = Some(now);
            std::mem::take(unsaid)
        };
        say(&if unsaid == 0 { String::new() } else { format!(" ({unsaid} more since the last such line)") });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(max_pending: usize, max_pending_per_address: usize, max_connections: usize) -> Admission {
        Admission::new(&PortOptions { max_pending, max_pending_per_address, max_connections, ..PortOptions::default() })
    }

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn one_address_cannot_take_all_places() {
        let admission = admission(3, 2, 10);
        let _held = [admission.admit(A).unwrap(), admission.admit(A).unwrap()];
        assert_eq!(admission.admit(A).unwrap_err(), Refusal::PendingOfAddress(2));
        let mapped = std::net::Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped().into();
        assert_eq!(admission.admit(mapped).unwrap_err(), Refusal::PendingOfAddress(2));
        let _other = admission.admit(B).unwrap();
        assert_eq!(admission.admit(B).unwrap_err(), Refusal::Pending(3));
    }

    #[test]
    fn places_come_back_when_a_handshake_ends_or_a_connection_goes() {
        let admission = admission(1, 1, 2);
        let mut known = admission.admit(A).unwrap();
        known.is_known();
        known.is_known();
        let pending = admission.admit(A).unwrap();
        assert_eq!(admission.admit(B).unwrap_err(), Refusal::Connections(2));
        drop(pending);
        drop(admission.admit(B).unwrap());
        drop(known);
        let counts = lock(&admission.counts);
        assert_eq!((counts.connections, counts.pending.len()), (0, 0));
    }

    #[test]
    fn a_flood_is_one_line_a_second() {
        let seldom = Seldom::new();
        let mut lines = Vec::new();
        (0..100).for_each(|_| seldom.clone().say(|more| lines.push(more.to_owned())));
        assert_eq!(lines, [""]);
        lock(&seldom.0).0 = None;
        seldom.say(|more| lines.push(more.to_owned()));
        assert!(lines[1].contains("99 more"));
    }
}
