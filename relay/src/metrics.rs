//! Figures for monitoring systems that root and nodes have in common.

use crate::shared_log::{SharedLog, Traffic};
use treevnc_metrics::{Kind, Text};

/// The program, and the screen that is shown.
pub fn about(text: &mut Text, log: &SharedLog) {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    text.family("treevnc_build_info", Kind::Gauge, "The version of this program; always 1.").sample(&version, 1);
    let size = log.with(|log| log.screen().map(|screen| screen.size));
    let (width, height) = size.map_or((0, 0), |size| (size.width(), size.height()));
    text.single("treevnc_screen_width_pixels", Kind::Gauge, "Width of the screen that is shown; 0 before the first.", width);
    text.single("treevnc_screen_height_pixels", Kind::Gauge, "Height of the screen that is shown; 0 before the first.", height);
}

/// Who presents: a node, or the root; nobody when there is no presenter.
pub fn presenter(text: &mut Text, is_connected: bool, is_node: bool) {
    let help = "Whether there is a presenter: the root's own screen or server, or a node.";
    let mut family = text.family("treevnc_presenter_connected", Kind::Gauge, help);
    family.sample(&[("presenter", "root")], u8::from(is_connected && !is_node));
    family.sample(&[("presenter", "node")], u8::from(is_connected && is_node));
}

/// What was sent, and who reads it.
pub fn sent(text: &mut Text, traffic: &Traffic) {
    let Traffic { children, children_bytes, viewers, viewers_bytes, .. } = *traffic;
    let help = "Bytes of the picture that this process sent: to its own children, and to ordinary VNC viewers.";
    let mut family = text.family("treevnc_sent_bytes_total", Kind::Counter, help);
    family.sample(&[("to", "children")], children_bytes);
    family.sample(&[("to", "viewers")], viewers_bytes);
    text.single("treevnc_children", Kind::Gauge, "Nodes that this process itself feeds.", children);
    text.single("treevnc_viewers", Kind::Gauge, "Ordinary VNC viewers of this process.", viewers);
}
