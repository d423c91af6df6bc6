//! A node's figures for monitoring systems; of a site, those of its place below the root elsewhere.

use crate::node::{NodeHandle, NodeState};
use treevnc_metrics::{Kind, Text};
use treevnc_protocol::tree::message::Intake;
use treevnc_relay::metrics::{about, presenter, sent};

/// The page of a node as it is now.
pub fn page(node: &NodeHandle) -> String {
    let mut text = Text::default();
    about(&mut text, node.log());
    let told = node.presenter().borrow().clone();
    let depth = match &*node.state().borrow() {
        NodeState::Attached { slot, .. } => Some(slot.depth()),
        _ => None,
    };
    presenter(&mut text, depth.is_some() && told.gone.is_empty() && !told.ended, told.node.is_some());
    text.single("treevnc_attached", Kind::Gauge, "Whether this node has a parent.", u8::from(depth.is_some()));
    text.single("treevnc_depth", Kind::Gauge, "Links between the root and this node; 0 without a parent.", depth.unwrap_or(0));
    let (traffic, Intake { bytes, skipped }) = (node.log().traffic(), node.intake());
    for (name, help, count) in [
        ("treevnc_received_bytes_total", "Bytes of the picture that came in this session.", bytes),
        ("treevnc_received_frames_total", "Whole pictures that came.", traffic.pictures),
        ("treevnc_skipped_updates_total", "Updates that were painted over before this node's turn.", skipped),
    ] {
        text.single(name, Kind::Counter, help, count);
    }
    sent(&mut text, &traffic);
    text.into_page()
}
