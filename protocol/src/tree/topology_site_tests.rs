//! Sites below a root: never in a circle, and what is behind them.

use super::*;
use crate::tree::message::{Behind, MAX_LINE, ServerChangeRequest};
use crate::view::View;

fn ask_as_site(root: &mut Root, id: u64) -> u64 {
    let capabilities = Capabilities { site: true, ..Capabilities::default() };
    let (id, name, proof) = (NodeId(id), "campus".into(), Ticket::NONE);
    let (session, v, asking) = (None, V::NONE, Asking::New);
    let ask = WhereToConnect { session, id, v, asking, capabilities, port: 5950, name, proof };
    root.tell(&Message::WhereToConnect(ask))
}

fn refusal(root: &mut Root) -> (bool, String) {
    match root.answers().as_slice() {
        [(_, Message::Refused(refused))] => (refused.again, refused.reason.to_string()),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_site_that_stands_above_is_refused_in_words_and_others_are_not() {
    let mut root = Root::new();
    root.topology.set_above(vec![NodeId(70), NodeId(71)]);
    for id in [70, 71] {
        ask_as_site(&mut root, id);
        let (again, reason) = refusal(&mut root);
        assert!(again && reason.contains("circle"), "{reason}");
    }
    let link = ask_as_site(&mut root, 72);
    assert_eq!(root.placement(link).log, SESSION);
    // The same number as a plain node: it carries nothing on, so there is no circle.
    root.join(70, false);
}

#[test]
fn a_line_of_roots_has_an_end() {
    let mut root = Root::new();
    let line = |roots: usize| (0..roots).map(|n| NodeId(70 + n as u64)).collect::<Vec<_>>();
    root.topology.set_above(line(MAX_LINE - 2));
    let link = ask_as_site(&mut root, 99);
    root.placement(link);
    root.topology.set_above(line(MAX_LINE - 1));
    ask_as_site(&mut root, 98);
    assert!(refusal(&mut root).1.contains("too many sites"));
}

#[test]
fn what_is_behind_a_site_is_told_and_only_a_site_asks_for_others() {
    let mut root = Root::new();
    let link = ask_as_site(&mut root, 7);
    let place = root.placement(link);
    root.attached(link, place.v.0, [None; 2]);
    root.join(8, true);
    let behind = Behind { nodes: 30, depth: 4 };
    for id in [7, 8, 9] {
        root.topology.set_behind(NodeId(id), behind);
    }
    let status = root.topology.status();
    let told = |id: u64| status.iter().find(|node| node.id == NodeId(id)).unwrap().behind;
    assert_eq!((told(7), told(8)), (Some(behind), None));
    let request = |id: u64, presenter: u64| ServerChangeRequest {
        session: SESSION,
        id: NodeId(id),
        v: V(1),
        name: "n".into(),
        view: View::Whole,
        proof: Ticket::NONE,
        presenter: NodeId(presenter),
    };
    let may = [request(7, 7), request(7, 55), request(8, 8), request(8, 55)].map(|ask| root.topology.may_ask_for(&ask));
    assert_eq!(may, [true, true, true, false]);
}
