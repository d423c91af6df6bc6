//! Viewers of other people as judges of the picture: libvncclient, vnc-rs, TigerVNC's vncviewer, gtk-vnc. Here: what they are, and that
//! they judge rightly, shown on plain VNC servers.

pub(crate) mod gtk_vnc;
pub(crate) mod libvncclient;
mod tigervnc;
mod vnc_rs;

use crate::support::desktop::{Desktop, SIZE, Server, await_colours, terminal};
use crate::support::picture::{Picture, photograph};
use crate::support::tools::{Turn, have};
use crate::support::viewer::{Viewer, Watcher};
use crate::support::wait::{PATIENCE, poll_for, poll_until};
use std::net::SocketAddr;

/// A viewer that shows a VNC server's picture, until dropped.
pub(crate) trait Judge {
    /// Who it is.
    fn name(&self) -> &'static str;
    /// What it shows now; `None` when it shows nothing yet.
    fn picture(&mut self) -> Option<Picture>;
}

/// All judges that are installed, attached to a VNC server with this screen size.
pub(crate) fn all(server: SocketAddr, size: (u16, u16)) -> Vec<Box<dyn Judge>> {
    let mut judges: Vec<Box<dyn Judge>> = vec![Box::new(vnc_rs::VncRs::attach(server))];
    if have(&["cc", "pkg-config"]) {
        judges.push(Box::new(libvncclient::LibVnc::attach(server)));
    }
    if have(&["Xvfb", "xtigervncviewer"]) {
        judges.push(Box::new(tigervnc::VncViewer::attach(server, size)));
    }
    if gtk_vnc::is_installed() {
        judges.push(Box::new(gtk_vnc::GtkVnc::attach(server, size)));
    }
    judges
}

/// Waits until the judge shows `truth`; panics with what differs when it does not.
pub(crate) fn must_show(judge: &mut dyn Judge, truth: &Picture) {
    let mut last = None;
    let shown = poll_for(PATIENCE, || {
        last = judge.picture();
        last.as_ref().filter(|shown| shown.difference(truth).is_none()).map(|_| ())
    });
    let wrong = || last.map_or("shows nothing".to_owned(), |shown| shown.difference(truth).unwrap_or_default());
    assert!(shown.is_some(), "{}: {}", judge.name(), wrong());
}

fn judges_are_right_about(server: Server) {
    if !have(Desktop::programs(server)) || !have(&["xterm", "feh"]) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(server);
    let mut judges = all(desktop.vnc, SIZE);
    let _terminal = terminal(&desktop, "80x24+20+20", 200);
    let file = desktop.scratch.write("photograph.ppm", photograph(600, 400).to_ppm());
    let _photograph = desktop.run("feh", &["--geometry", "600x400+640+300", file.to_str().unwrap()]);
    await_colours(&desktop, 1000);
    let truth = desktop.quiet_picture();
    judges.iter_mut().for_each(|judge| must_show(judge.as_mut(), &truth));
    let mut late = all(desktop.vnc, SIZE);
    late.iter_mut().for_each(|judge| must_show(judge.as_mut(), &truth));
}

#[test]
fn all_judges_show_the_picture_of_xvnc() {
    judges_are_right_about(Server::Xvnc);
}

#[test]
fn all_judges_show_the_picture_of_x11vnc() {
    judges_are_right_about(Server::X11vnc);
}

#[test]
fn our_own_test_viewer_shows_the_picture_of_xvnc_fast_and_slow() {
    if !have(Desktop::programs(Server::Xvnc)) || !have(&["xterm"]) {
        return;
    }
    let desktop = Desktop::new(Server::Xvnc);
    let watchers = [Viewer::connect(desktop.vnc), Viewer::connect_throttled(desktop.vnc, 1_000_000)]
        .map(|viewer| Watcher::new(viewer.unwrap(), |_| {}));
    let _terminal = terminal(&desktop, "80x24+20+20", 200);
    let truth = desktop.quiet_picture();
    for watcher in &watchers {
        poll_until("the picture", PATIENCE, || watcher.picture().difference(&truth).is_none().then_some(()));
    }
}

#[test]
fn a_judge_notices_one_wrong_pixel() {
    let truth = photograph(64, 48);
    let mut bytes = truth.to_ppm();
    *bytes.last_mut().unwrap() ^= 1;
    let scratch = crate::support::tools::Scratch::new();
    let wrong = Picture::from_ppm(&scratch.write("wrong.ppm", bytes));
    assert_eq!(truth.difference(&truth), None);
    assert_eq!(wrong.difference(&truth).unwrap(), "1 pixels differ, all in columns 63..=63, rows 47..=47");
}
