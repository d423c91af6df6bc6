use super::samples::samples;
use super::*;
use crate::tree::slot::{NodeId, Slot};
use crate::tree::text::NodeName;
use crate::tree::ticket::Ticket;
use crate::update::SessionId;
use proptest::prelude::*;
use std::time::Duration;

fn split(frame: &Bytes) -> (u8, Bytes) {
    let length = u32::from_be_bytes(frame[..4].try_into().unwrap());
    assert_eq!(length as usize, frame.len() - frame::HEADER_BYTES, "the header tells the exact length");
    (frame[4], frame.slice(frame::HEADER_BYTES..))
}

#[test]
fn every_message_comes_back_and_fits_its_limit() {
    for (name, message) in samples() {
        let (kind, body) = split(&message.encode());
        assert_eq!(Message::decode(kind, &body), Ok(message), "{name}");
        assert!(body.len() <= frame::max_body_bytes(kind).unwrap(), "{name}");
    }
}

#[test]
fn every_control_type_has_a_sample() {
    let have: std::collections::BTreeSet<u8> = samples().iter().map(|(_, message)| message.kind()).collect();
    let control = (0..=0xff).filter(|&kind| frame::max_body_bytes(kind).is_some() && kind != kind::FRAMEBUFFER_UPDATE);
    assert_eq!(have.into_iter().collect::<Vec<_>>(), control.collect::<Vec<_>>());
}

#[test]
fn no_message_is_complete_before_its_end_or_goes_on_after_it() {
    for (name, message) in samples() {
        let (kind, body) = split(&message.encode());
        for end in 0..body.len() {
            assert_eq!(Message::decode(kind, &body[..end]), Err(MessageError::Malformed(kind)), "{name} cut at {end}");
        }
        let longer = [&body[..], &[0]].concat();
        assert_eq!(Message::decode(kind, &longer), Err(MessageError::Trailing(kind, 1)), "{name}");
    }
}

#[test]
fn a_flipped_bit_gives_another_message_or_an_error() {
    for (name, message) in samples() {
        let (kind, body) = split(&message.encode());
        for bit in 0..body.len() * 8 {
            let mut flipped = body.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // A bit of the capabilities that is not known is ignored; everything else must show.
            if let Ok(other) = Message::decode(kind, &flipped) {
                let ignored = matches!(message, Message::WhereToConnect(_)) && other == message;
                assert!(other != message || ignored, "{name}, bit {bit}");
            }
        }
    }
}

#[test]
fn what_is_no_control_message_is_named() {
    for kind in [0, kind::FRAMEBUFFER_UPDATE, 0x39, 0xff] {
        assert_eq!(Message::decode(kind, &[]), Err(MessageError::Kind(kind)));
    }
}

#[test]
fn the_root_is_no_place_and_left_is_leader() {
    let place = |slot| {
        samples().into_iter().find_map(|(_, message)| match message {
            Message::ConnectTo(place) => Some(Message::ConnectTo(ConnectTo { slot: Slot(slot), ..place })),
            _ => None,
        })
    };
    for (slot, wrong) in [(1, kind::CONNECT_TO), (2, kind::CONNECT_TO_AS_LEADER)] {
        let (right, body) = split(&place(slot).unwrap().encode());
        assert!(Message::decode(right, &body).is_ok());
        assert_eq!(Message::decode(wrong, &body), Err(MessageError::Malformed(wrong)));
    }
    let (kind, body) = split(&place(0).unwrap().encode());
    assert_eq!(Message::decode(kind, &body), Err(MessageError::Malformed(kind)));
}

#[test]
fn texts_beyond_their_limit_are_refused() {
    let body = postcard::to_allocvec(&(true, "x".repeat(257))).unwrap();
    assert_eq!(Message::decode(kind::REFUSED, &body), Err(MessageError::Malformed(kind::REFUSED)));
    let body = postcard::to_allocvec(&(true, "x".repeat(256))).unwrap();
    assert!(Message::decode(kind::REFUSED, &body).is_ok());
    let body = postcard::to_allocvec(&(true, "a\u{1b}[2J")).unwrap();
    assert!(Message::decode(kind::REFUSED, &body).is_err());
}

fn large_status(count: u32) -> Status {
    let most = u32::MAX;
    let node = |slot| NodeStatus {
        id: NodeId(u64::MAX),
        name: NodeName::new(&"x".repeat(100)),
        address: "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535".parse().unwrap(),
        slot: Slot(u32::MAX - slot),
        leaf_only: Some(WhyLeaf::Unreached),
        attached: true,
        since: Duration::from_micros(u64::MAX),
        fare: Some(Fare { age: most, one_way: most, round_trip: most, rate: Some(u64::MAX), skipped: u64::MAX, skips: u8::MAX }),
        tree: u16::MAX,
        behind: Some(Behind { nodes: most, depth: most }),
        behind_fare: Some(BehindFare { answering: most, worst: most, age: most }),
    };
    let address = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap();
    let tree = TreeStatus {
        name: NodeName::new(&"x".repeat(100)),
        kind: NetworkKind::Gone,
        addresses: vec![address; TreeStatus::MAX_ADDRESSES],
    };
    let trees = vec![tree; MAX_STATUS_TREES];
    let (name, presenter) = ("y".repeat(1000).as_str().into(), "z".repeat(1000).as_str().into());
    let (session, now) = (SessionId(u64::MAX), Duration::from_micros(u64::MAX));
    let site_of = Some(SiteOf { host: "x".repeat(1000).as_str().into(), depth: u8::MAX });
    let delay = DepthDelay { depth: u8::MAX, count: u64::MAX, median: most, p95: most, p99: most, max: most };
    let (delays, nodes) = (vec![delay; MAX_STATUS_DEPTHS], (0..count).map(node).collect());
    let screen = Some(crate::geometry::Size::new(2048, 16_384).unwrap());
    let checks = Some(CheckCounts { sent: u64::MAX, answers: u64::MAX, missing: u64::MAX });
    Status { session, name, presenter, screen, now, trees, room: 200, nodes, more: false, site_of, delays, checks }
}

#[test]
fn a_status_of_any_length_fits_its_frames() {
    for count in [0, 1, 256, 257, 512, 1000] {
        let whole = large_status(count);
        let pages = whole.clone().into_pages();
        assert_eq!(pages.len(), (count as usize).div_ceil(MAX_STATUS_NODES).max(1));
        assert!(pages.iter().rev().skip(1).all(|page| page.more) && !pages.last().unwrap().more);
        assert_eq!(pages.iter().flat_map(|page| page.nodes.clone()).collect::<Vec<_>>(), whole.nodes);
        for page in pages {
            let (kind, body) = split(&Message::Status(Box::new(page.clone())).encode());
            assert!(body.len() <= frame::MAX_STATUS_BYTES);
            assert_eq!(Message::decode(kind, &body), Ok(Message::Status(Box::new(page))));
        }
    }
    let (kind, body) = split(&Message::Status(Box::new(large_status(257))).encode());
    assert_eq!(Message::decode(kind, &body), Err(MessageError::Malformed(kind)));
}

#[test]
fn as_many_answers_as_a_message_may_have_fit_its_frame() {
    let (most, name) = (u32::MAX, NodeName::new(&"x".repeat(100)));
    let (check, node, shown) = (crate::update::Seq(u64::MAX), NodeId(u64::MAX), Some(most));
    let (depth, bytes, total) = (u8::MAX, most, Intake { bytes: u64::MAX, skipped: u64::MAX });
    let reply = DelayReply { check, node, depth, bytes, total, shown, round_trip: most, way_back: most, held: most };
    let measured = MeasuredDelay { check, node, name, depth, bytes, delay: most, one_way: most, round_trip: most, shown };
    let (replies, measured) = (vec![reply; MAX_DELAY_REPLIES], vec![measured; MAX_DELAY_REPLIES]);
    let session = SessionId(u64::MAX);
    for message in
        [Message::CheckDelayReply(CheckDelayReply { session, replies }), Message::Delay(DelayReport::Replies(measured))]
    {
        let (kind, body) = split(&message.encode());
        assert!(body.len() <= frame::max_body_bytes(kind).unwrap(), "{} bytes", body.len());
        assert_eq!(Message::decode(kind, &body), Ok(message));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_an_error_or_a_message_that_comes_back(kind: u8, body in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(message) = Message::decode(kind, &body) {
            let (kind, canonical) = split(&message.encode());
            prop_assert_eq!(Message::decode(kind, &canonical), Ok(message));
        }
    }

    #[test]
    fn any_damage_to_a_message_is_survived(index in 0..samples().len(), at: prop::sample::Index, bytes: [u8; 4], cut: prop::sample::Index) {
        let (kind, body) = split(&samples()[index].1.encode());
        let mut body = body.to_vec();
        if !body.is_empty() {
            let at = at.index(body.len());
            body.splice(at..(at + 4).min(body.len()), bytes);
            body.truncate(cut.index(body.len() + 1));
        }
        if let Ok(message) = Message::decode(kind, &body) {
            let (kind, canonical) = split(&message.encode());
            prop_assert_eq!(Message::decode(kind, &canonical), Ok(message));
        }
    }

    #[test]
    fn every_value_of_a_question_comes_back(
        session: Option<u64>, id: u64, v: u64, relay: bool, port: u16, name: String, parent: u64, left: Option<(u64, u64)>, which in 0..4,
    ) {
        let (parent, fault) = (NodeId(parent), Fault::BadData);
        let children = [left.map(|(id, v)| KeptChild { id: NodeId(id), v: crate::tree::slot::V(v) }), None];
        let asking = match which {
            0 => Asking::New,
            1 => Asking::LostParent { parent, fault },
            2 => Asking::NotAttached { parent, fault },
            _ => Asking::Confirm { children },
        };
        let message = Message::WhereToConnect(WhereToConnect {
            session: session.map(SessionId),
            id: NodeId(id),
            v: crate::tree::slot::V(v),
            asking,
            capabilities: Capabilities::of(relay),
            port,
            name: name.as_str().into(),
            proof: Ticket::NONE,
        });
        let (kind, body) = split(&message.encode());
        prop_assert!(body.len() <= frame::MAX_CONTROL_BYTES);
        prop_assert_eq!(Message::decode(kind, &body), Ok(message));
    }
}
