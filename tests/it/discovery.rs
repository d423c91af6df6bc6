//! Two hosts on one network: a node without an address finds the root and joins.

use crate::support::desktop::start_xvnc_inside;
use crate::support::namespaces::Hosts;
use crate::support::process::treevnc;
use crate::support::session::Member;
use crate::support::tools::{Scratch, Turn, have, is_root, skip};
use crate::support::wait::{PATIENCE, poll_until};
use std::process::Command;

#[test]
fn a_node_without_an_address_finds_the_root_and_joins() {
    if !have(&["Xvnc", "xsetroot", "ip", "setpriv"]) {
        return;
    }
    if !is_root() {
        return skip("network namespaces need the superuser");
    }
    let _turn = Turn::half();
    let hosts = Hosts::new(2);
    let scratch = Scratch::new();
    let (display, port, _xvnc) = start_xvnc_inside(&hosts.inside(0), (640, 480));
    let mut paint = hosts.start(0, Command::new("xsetroot").args(["-display", &display, "-solid", "#2468ac"]));
    assert!(paint.end(PATIENCE).success(), "{}", paint.said());

    let vnc = format!("127.0.0.1::{port}");
    let root = hosts.start(0, &treevnc(["root", "--vnc", &vnc, "--listen", "5950", "--name", "physics"]));
    root.line("where it listens", PATIENCE, |line| line.starts_with("listening on "));
    let node = Member::started(hosts.start(1, &treevnc(["join", "--headless", "--listen", "0", "--name", "seat"])), "seat");
    assert_eq!(node.place(), (1, 1), "{}", node.process.said());

    poll_until("the presenter's colour at the root", PATIENCE, || {
        (hosts.snapshot(0, 5950, &scratch).pixel(600, 400) == 0x0024_68ac).then_some(())
    });
    let truth = hosts.snapshot(0, 5950, &scratch);
    poll_until("the same picture at the node", PATIENCE, || {
        hosts.snapshot(1, node.address.port(), &scratch).difference(&truth).is_none().then_some(())
    });
}
