//! One or more of each message, for tests and for the vectors of PROTOCOL.md.

use super::*;
use crate::geometry::{Rect, Size};
use crate::tree::slot::{NodeId, Slot, V};
use crate::tree::ticket::{KEY_BYTES, Key, Ticket};
use crate::update::{Seq, SessionId};
use crate::view::View;
use std::time::Duration;

const ID: NodeId = NodeId(0x0102_0304_0506_0708);
const SESSION: SessionId = SessionId(0x1122);

fn connect_to(slot: u32, address: &str) -> Message {
    Message::ConnectTo(ConnectTo {
        session: SESSION,
        v: V(300),
        id: ID,
        slot: Slot(slot),
        parent: NodeId(5),
        address: address.parse().unwrap(),
        ticket: Ticket([0xaa; 16]),
        key: Key::new([0xbb; KEY_BYTES]),
        name: "Physik".into(),
        log: SessionId(0x3344),
    })
}

fn ask(session: Option<SessionId>, v: u64, asking: Asking, relay: bool) -> Message {
    let capabilities = Capabilities::of(relay);
    let proof = if v == 0 { Ticket::NONE } else { Ticket([0xcc; 16]) };
    Message::WhereToConnect(WhereToConnect {
        session,
        id: ID,
        v: V(v),
        asking,
        capabilities,
        port: 40_000,
        name: "Ada".into(),
        proof,
    })
}

fn status() -> Message {
    let node = NodeStatus {
        id: ID,
        name: "Ada".into(),
        address: "192.0.2.7:40000".parse().unwrap(),
        slot: Slot(3),
        leaf_only: None,
        attached: true,
        since: Duration::from_secs(1),
        fare: Some(Fare { age: 400, one_way: 1500, round_trip: 700, rate: Some(2_000_000), skipped: 300, skips: 25 }),
        tree: 0,
        behind: Some(Behind { nodes: 12, depth: 3 }),
        behind_fare: Some(BehindFare { answering: 11, worst: 9000, age: 500 }),
    };
    let tree = TreeStatus { name: "eth0".into(), kind: NetworkKind::Lan, addresses: vec!["192.0.2.1".parse().unwrap()] };
    Message::Status(Box::new(Status {
        session: SESSION,
        name: "Physik".into(),
        presenter: "ok".into(),
        screen: Some(Size::new(1920, 1080).unwrap()),
        now: Duration::from_secs(2),
        trees: vec![tree],
        room: 12,
        nodes: vec![node],
        more: false,
        site_of: Some(SiteOf { host: "uni".into(), depth: 1 }),
        delays: vec![DepthDelay { depth: 2, count: 100, median: 1000, p95: 2000, p99: 3000, max: 4000 }],
        checks: Some(CheckCounts { sent: 100, answers: 1000, missing: 5 }),
    }))
}

/// Every message, with the name under which PROTOCOL.md has its bytes.
pub(crate) fn samples() -> Vec<(&'static str, Message)> {
    let (parent, fault) = (NodeId(5), Fault::NotHere);
    let children = [Some(KeptChild { id: NodeId(6), v: V(299) }), None];
    let position = Position { session: SESSION, seq: Seq(1000) };
    let (ticket, proof, session) = (Ticket([0xaa; 16]), Ticket([0xcc; 16]), SESSION);
    vec![
        ("WHERE_TO_CONNECT new", ask(None, 0, Asking::New, true)),
        ("WHERE_TO_CONNECT lost", ask(Some(SESSION), 300, Asking::LostParent { parent, fault: Fault::Closed }, false)),
        ("WHERE_TO_CONNECT failed", ask(Some(SESSION), 300, Asking::NotAttached { parent, fault }, true)),
        ("WHERE_TO_CONNECT confirm", ask(Some(SESSION), 300, Asking::Confirm { children }, true)),
        ("CONNECT_TO_AS_LEADER", connect_to(3, "192.0.2.1:5950")),
        ("CONNECT_TO", connect_to(4, "[2001:db8::1]:5950")),
        ("ATTACHED", Message::Attached(Attached { v: V(300), children })),
        ("FAILED", Message::Failed(Failed { v: V(300), why: Fault::Unreachable })),
        ("LOST_CHILD", Message::LostChild(LostChild { session, parent, child: ID, v: V(300), why: Fault::Silence, proof })),
        ("LEAVE", Message::Leave(Leave { session, id: ID, v: V(300), proof })),
        ("ARE_YOU_THERE", Message::AreYouThere(AreYouThere { session, id: ID })),
        ("I_AM_HERE", Message::IAmHere(IAmHere { session: Some(SESSION), id: ID, v: V(300), room: 2 })),
        ("REFUSED", Message::Refused(Refused { again: true, reason: "full".into() })),
        ("REDIRECT", Message::Redirect(Redirect { root: "192.0.2.1:5950".parse().unwrap() })),
        ("STATUS_REQUEST", Message::StatusRequest),
        ("STATUS", status()),
        ("SLOW_NODE", Message::SlowNode(SlowNode { session, reporter: parent, node: ID, v: V(300), alone: false, proof })),
        ("ATTACH", Message::Attach(Attach { ticket, session, position, child: ID, v: V(300), slot: Slot(3) })),
        ("ATTACH_REPLY ok", Message::AttachReply(AttachReply::Ok { head: Seq(1000) })),
        ("ATTACH_REPLY stale", Message::AttachReply(AttachReply::Stale)),
        ("ATTACH_REPLY not here", Message::AttachReply(AttachReply::NotHere)),
        ("SNAPSHOT_REQUEST", Message::SnapshotRequest),
        ("PRESENTER gone", Message::Presenter(Presenter { gone: "lost".into(), ..Presenter::default() })),
        ("PRESENTER node", presenter()),
        ("SITE", Message::Site(Behind { nodes: 200, depth: 3 })),
        ("HEARTBEAT", Message::Heartbeat(Heartbeat { beat: 128, received: 1000 })),
    ]
    .into_iter()
    .chain(presenting())
    .chain(measuring())
    .collect()
}

/// The messages about delays.
fn measuring() -> Vec<(&'static str, Message)> {
    let (check, node, total) = (Seq(1000), ID, Intake { bytes: 3_000_000, skipped: 300 });
    let (shown, round_trip, way_back, held) = (Some(9000), 700, 300, 60_000);
    let reply = DelayReply { check, node, depth: 2, bytes: 40_000, total, shown, round_trip, way_back, held };
    let measured = MeasuredDelay {
        check,
        node,
        name: "Ada".into(),
        depth: 2,
        bytes: 40_000,
        delay: 12_000,
        one_way: 11_700,
        round_trip: 700,
        shown: None,
    };
    let sent = DelayReport::Sent { check, began: 2_000_000, bytes: 40_000, expected: 14 };
    vec![
        ("CHECK_DELAY_REPLY", Message::CheckDelayReply(CheckDelayReply { session: SESSION, replies: vec![reply] })),
        ("DELAY_REQUEST", Message::DelayRequest(DelayRequest { count: 100, bytes: 65_536, interval: 500 })),
        ("DELAY sent", Message::Delay(sent)),
        ("DELAY replies", Message::Delay(DelayReport::Replies(vec![measured]))),
        ("DELAY done", Message::Delay(DelayReport::Done)),
    ]
}

fn presenter() -> Message {
    Message::Presenter(Presenter {
        gone: "".into(),
        node: Some(ID),
        name: "Ada".into(),
        policy: Policy::Ask,
        line: vec![NodeId(5), NodeId(6)],
        ended: true,
    })
}

/// The messages about who presents.
fn presenting() -> Vec<(&'static str, Message)> {
    let (proof, ticket, rect) = (Ticket([0xcc; 16]), Ticket([0xaa; 16]), Rect::new(1280, 0, 640, 480));
    let (name, view) = ("Ada".into(), View::Display { id: 2, rect });
    let request = ServerChangeRequest { session: SESSION, id: ID, v: V(300), name, view, proof, presenter: NodeId(6) };
    let report = FloorReport {
        policy: Policy::Ask,
        presents: Some("Ada".into()),
        requests: vec![FloorRequest { number: 4, name: "Bob".into(), view: View::Whole }],
        done: true,
    };
    let reply = Message::ServerChangeReply;
    vec![
        ("SERVER_CHANGE_REQUEST", Message::ServerChangeRequest(request)),
        ("SERVER_CHANGE_REPLY asked", reply(ServerChangeReply::Asked)),
        ("SERVER_CHANGE_REPLY accepted", reply(ServerChangeReply::Accepted { ticket })),
        ("SERVER_CHANGE_REPLY live", reply(ServerChangeReply::Live)),
        ("SERVER_CHANGE_REPLY paused", reply(ServerChangeReply::Paused { by: "Bob".into() })),
        ("SERVER_CHANGE_REPLY refused", reply(ServerChangeReply::Refused { reason: "no".into() })),
        ("SERVER_CHANGE_REPLY busy", reply(ServerChangeReply::Busy)),
        ("SERVER_CHANGE_REPLY expired", reply(ServerChangeReply::Expired)),
        ("SERVER_CHANGE_REPLY ended", reply(ServerChangeReply::Ended { reason: "gone".into() })),
        ("PRESENT", Message::Present(Present { session: SESSION, id: ID, ticket })),
        ("PRESENT_REPLY", Message::PresentReply),
        ("FLOOR_REQUEST show", Message::FloorRequest(FloorCommand::Show)),
        ("FLOOR_REQUEST approve", Message::FloorRequest(FloorCommand::Approve(Some(4)))),
        ("FLOOR_REQUEST refuse", Message::FloorRequest(FloorCommand::Refuse(None))),
        ("FLOOR_REQUEST back", Message::FloorRequest(FloorCommand::Back)),
        ("FLOOR_REQUEST locked", Message::FloorRequest(FloorCommand::Policy(Policy::Locked))),
        ("FLOOR", Message::Floor(report)),
    ]
}
