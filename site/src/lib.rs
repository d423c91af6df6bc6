//! TreeVNC site: a node of a far session that is the root of its own network. One copy of the picture comes in, by the uplink of an
//! ordinary node; it goes out by the trees of an ordinary root. This crate puts the two together.

mod door;
mod relays;
pub mod site;
mod telling;
mod uplink;
