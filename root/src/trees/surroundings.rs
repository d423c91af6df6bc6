//! The networks of the root's machine, followed as they come and go, and how many children it could feed.

use super::{Above, Trees};
use std::net::SocketAddr;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};
use treevnc_protocol::tree::message::NetworkKind;
use treevnc_protocol::tree::networks::{Interface, Networks};
use treevnc_relay::interfaces::{LOOK_AGAIN, interfaces};

impl<A: Above> Trees<A> {
    pub(super) async fn look_around(&self) {
        let mut looks = interval(LOOK_AGAIN);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            self.take_in_networks(list());
            let (demand, room) = (self.log.demand(), self.links.room());
            self.with_forest(|forest, now| {
                forest.set_demand(demand, now);
                forest.set_root_room(room, now);
            });
        }
    }

    fn take_in_networks(&self, present: Networks) {
        let is_new = self.networks.send_if_modified(|known| {
            let is_new = *known != present;
            if is_new {
                report_networks(known, &present);
                *known = present.clone();
            }
            is_new
        });
        if is_new {
            self.with_forest(|forest, _| forest.set_networks(present));
        }
    }

    /// Who comes by an interface that is not known yet was quicker than the next look.
    pub(super) fn meet(&self, here: SocketAddr) {
        let here = here.ip().to_canonical();
        let is_known = |interface: &Interface| interface.addresses.iter().any(|own| own.address == here);
        let is_new = !self.networks.borrow().interfaces().iter().any(is_known);
        if is_new {
            self.take_in_networks(list());
        }
    }
}

/// The networks of this machine; none where the system does not say.
pub(super) fn list() -> Networks {
    Networks::new(interfaces().unwrap_or_else(|error| {
        warn!("cannot list the network interfaces, all nodes will be in one tree: {error}");
        Vec::new()
    }))
}

fn report_networks(known: &Networks, present: &Networks) {
    let is_shown = |interface: &&Interface| interface.kind != NetworkKind::Loopback;
    let new = present.interfaces().iter().filter(|interface| !known.interfaces().contains(interface));
    for Interface { name, addresses, .. } in new.filter(is_shown) {
        let addresses: Vec<_> = addresses.iter().map(|own| own.address.to_string()).collect();
        info!("network {name} is there: {}", addresses.join(", "));
    }
    for gone in known.interfaces().iter().filter(|interface| present.interface(interface.index).is_none()) {
        info!("network {} is gone", gone.name);
    }
}
