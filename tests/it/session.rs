//! Root and seven headless nodes as separate processes: every node's picture is the presenter's, byte for byte, and only the root
//! ever talks to the presenter.

use crate::judges;
use crate::judges::libvncclient::LibVnc;
use crate::support::desktop::{Desktop, SIZE, Server, await_colours, terminal};
use crate::support::kernel::established_to;
use crate::support::picture::photograph;
use crate::support::process::{Process, treevnc};
use crate::support::session::Session;
use crate::support::tools::{Turn, have};
use crate::support::wait::PATIENCE;

const NODES: usize = 7;

/// A page of text beside a photograph.
pub(crate) fn photograph_page(desktop: &Desktop) -> Process {
    let file = desktop.scratch.write("photograph.ppm", photograph(900, 700).to_ppm());
    let page = desktop.run("feh", &["--geometry", "900x700+300+60", file.to_str().unwrap()]);
    await_colours(desktop, 10_000);
    page
}

/// The last node knows where the root is, and the root knows the tree.
fn the_status_names_everybody(session: &Session) {
    let last = session.nodes.last().unwrap().address.to_string();
    let mut asking = Process::start(&mut treevnc(["status", &last, "--json"]));
    assert!(asking.end(PATIENCE).success(), "{}", asking.said());
    let status: serde_json::Value = serde_json::from_str(&asking.out().all().join("\n")).unwrap();
    assert_eq!(status["session"], "lecture");
    for (number, node) in session.nodes.iter().enumerate() {
        let (slot, depth) = node.place();
        let named = |entry: &&serde_json::Value| entry["name"] == format!("n{}", number + 1);
        let entry = status["nodes"].as_array().unwrap().iter().find(named).expect("every node");
        assert_eq!(
            (&entry["slot"], &entry["depth"], &entry["attached"]),
            (&slot.into(), &depth.into(), &true.into()),
            "{status}"
        );
    }
}

fn every_node_shows_what(server: Server) {
    if !have(Desktop::programs(server)) || !have(&["xterm", "feh", "xrandr"]) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(server);
    let session = Session::new(&desktop.address(), NODES);
    let places: Vec<_> = session.nodes.iter().map(|node| node.place()).collect();
    assert_eq!(places, [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (6, 2), (7, 3)]);

    let _terminal = terminal(&desktop, "100x40+10+10", 500);
    session.must_show(&desktop.quiet_picture(), &desktop.scratch);
    let _page = photograph_page(&desktop);
    session.must_show(&desktop.quiet_picture(), &desktop.scratch);

    // Xvfb can not become larger than it was at first.
    let sizes = if server == Server::Xvnc { [(1024, 768), (1280, 960)] } else { [(1024, 768), (800, 600)] };
    for (width, height) in sizes {
        desktop.resize(width, height);
        let truth = desktop.quiet_picture();
        assert_eq!((truth.width, truth.height), (width.into(), height.into()));
        session.must_show(&truth, &desktop.scratch);
    }
    the_status_names_everybody(&session);
    assert_eq!(established_to(desktop.vnc.port()), 1, "connections to the presenter now");
    assert_eq!(desktop.connections_ever(), 1, "connections to the presenter ever");
    for member in std::iter::once(&session.root).chain(&session.nodes) {
        assert_eq!(member.complaints(""), 0, "{}", member.process.said());
    }
}

#[test]
fn every_node_shows_what_xvnc_shows_and_after_a_resize() {
    every_node_shows_what(Server::Xvnc);
}

#[test]
fn every_node_shows_what_x11vnc_shows_and_after_a_resize() {
    every_node_shows_what(Server::X11vnc);
}

#[test]
fn viewers_attached_midway_to_a_node_at_depth_two_show_the_picture() {
    if !have(Desktop::programs(Server::Xvnc)) || !have(&["xterm", "feh"]) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let session = Session::new(&desktop.address(), 3);
    let _page = photograph_page(&desktop);
    let script = "i=0; while [ $i -lt 400 ]; do echo $i $(echo $i | md5sum); i=$((i+1)); sleep 0.01; done; exec sleep 1000";
    let _scrolling = desktop.run("xterm", &["-geometry", "60x30+5+5", "-e", "sh", "-c", script]);
    let mut judges = judges::all(session.at_depth(2).address, SIZE);
    let truth = desktop.quiet_picture();
    judges.iter_mut().for_each(|judge| judges::must_show(judge.as_mut(), &truth));
    assert_eq!(desktop.connections_ever(), 1, "connections to the presenter ever");
}

#[test]
fn a_viewer_that_cannot_be_resized_shows_what_fits() {
    if !have(Desktop::programs(Server::Xvnc)) || !have(&["xterm", "xrandr", "cc", "pkg-config"]) {
        return;
    }
    let (width, height) = (1024, 768);
    let desktop = Desktop::with_options(Server::Xvnc, (width, height), &[]);
    let session = Session::new(&desktop.address(), 1);
    let _terminal = terminal(&desktop, "80x24+20+20", 200);
    let mut judge = LibVnc::attach_fixed(session.nodes[0].address);
    judges::must_show(&mut judge, &desktop.quiet_picture());
    for (other_width, other_height) in [(800, 600), (1280, 960), (width, height)] {
        desktop.resize(other_width, other_height);
        let _terminal = terminal(&desktop, "20x10+500+400", 100);
        let truth = desktop.quiet_picture();
        assert_eq!((truth.width, truth.height), (other_width.into(), other_height.into()));
        judges::must_show(&mut judge, &truth.fitted(width.into(), height.into()));
    }
}
