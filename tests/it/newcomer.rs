//! A newcomer to a long quiet session gets the full picture from its parent alone.

use crate::session::photograph_page;
use crate::support::desktop::{Desktop, Server, terminal};
use crate::support::kernel::{Socket, sockets};
use crate::support::session::{Member, Session};
use crate::support::tools::{Turn, have};

/// More than control messages need while a node joins, far less than the picture.
const CONTROL_BYTES: u64 = 8 * 1024;

#[test]
fn a_newcomer_costs_the_presenter_nothing_and_the_root_only_words() {
    if !have(Desktop::programs(Server::Xvnc)) || !have(&["xterm", "feh"]) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let session = Session::new(&desktop.address(), 2);
    let (_terminal, _page) = (terminal(&desktop, "80x24+10+10", 100), photograph_page(&desktop));
    let truth = desktop.quiet_picture();
    session.must_show(&truth, &desktop.scratch);

    let of = |all: &[Socket], wanted: &dyn Fn(&Socket) -> bool| {
        all.iter().filter(|socket| wanted(socket)).cloned().collect::<Vec<_>>()
    };
    let presenter = |socket: &Socket| socket.remote == desktop.vnc.port();
    let root = session.root.process.id();
    let before = sockets(root);
    let newcomer = Member::join(session.root.address, "newcomer");
    newcomer.must_show(&truth, &desktop.scratch);
    let after = sockets(root);

    assert_eq!(newcomer.place().1, 2, "its parent is not the root");
    let (asked, asked_now) = (of(&before, &presenter), of(&after, &presenter));
    assert_eq!((asked.len(), asked_now.len()), (1, 1));
    assert_eq!(asked_now[0].sent, asked[0].sent, "bytes asked of the presenter");
    assert_eq!(asked_now[0].received, asked[0].received, "bytes sent by the presenter");

    let children = of(&before, &|socket| socket.local == session.root.address.port());
    assert!(children.len() >= 2, "{before:?}");
    let picture: u64 = children.iter().map(|socket| socket.sent).sum();
    assert!(picture > 20 * CONTROL_BYTES, "the picture is large enough to be noticed: {picture} bytes");
    for socket in of(&after, &|socket| socket.local == session.root.address.port()) {
        let earlier = children.iter().find(|child| child.remote == socket.remote).map_or(0, |child| child.sent);
        let more = socket.sent - earlier;
        assert!(more < CONTROL_BYTES, "{more} bytes from the root on a link for a node that is not its child");
    }
}
