//! The bytes in PROTOCOL.md are the bytes this crate writes. Test code only.

use super::member::MemberConfig;
use super::message::Capabilities;
use super::message::samples::samples;
use super::slot::{NodeId, Slot, V};
use super::ticket::{Claim, KEY_BYTES, Key};
use super::topology::TopologyConfig;
use super::{GREETING_PORT, GREETING_TREE, discovery, frame};
use crate::geometry::{Rect, Size};
use crate::pixel::PixelFormat;
use crate::update::{self, Content, Picture, Screen, Seq, SessionId, Update};
use std::collections::BTreeMap;
use std::time::Duration;

const DOCUMENT: &str = include_str!("../../../PROTOCOL.md");

/// The vectors in the document: in blocks marked so, a name on a line of its own, then indented lines of bytes, each maybe with
/// a remark behind a bar.
fn documented() -> BTreeMap<&'static str, String> {
    let mut vectors = BTreeMap::<_, String>::new();
    let mut name = None;
    for line in DOCUMENT.lines() {
        if line.starts_with("```") {
            name = (line == "```vectors").then_some("");
        } else if let Some(current) = &mut name {
            match line.strip_prefix("  ") {
                Some(bytes) => vectors
                    .get_mut(current)
                    .expect("a name first")
                    .extend(bytes.split('|').take(1).flat_map(str::split_whitespace)),
                None if line.is_empty() => {}
                None => {
                    *current = line;
                    assert!(vectors.insert(line, String::new()).is_none(), "{line} stands there twice");
                }
            }
        }
    }
    vectors
}

fn update_frame(update: &Update, until: Seq) -> Vec<u8> {
    let header = update::encode_header(update, until);
    let rects = match &update.content {
        Content::Picture(picture) => &picture.rects()[..],
        Content::Screen(_) => &[],
    };
    let start = frame::header(frame::kind::FRAMEBUFFER_UPDATE, header.len() + rects.len());
    [&start[..], &header, rects].concat()
}

/// A new screen, and one solid tile with the bytes of a stored block.
fn updates() -> [(&'static str, Vec<u8>); 2] {
    let size = Size::new(100, 50).unwrap();
    let sent = Duration::from_micros(0x0102_0304);
    let mut rects = Vec::new();
    for field in [64_u16, 0, 36, 50] {
        rects.extend_from_slice(&field.to_be_bytes());
    }
    rects.extend_from_slice(&[0, 0, 0, 16, 0, 0, 0, 14]);
    rects.extend_from_slice(&[0, 4, 0, 0xfb, 0xff, 1, 0x30, 0x20, 0x10, 0, 0, 0, 0xff, 0xff]);
    let picture = Picture::new(1, rects.into());
    assert_eq!(picture.iter().map(|(rect, _)| rect).collect::<Vec<_>>(), [Rect::new(64, 0, 36, 50)]);
    let screen = Update { seq: Seq(7), sent, check: false, content: Content::Screen(Screen { size, name: "Übung".into() }) };
    let picture = Update { seq: Seq(8), sent, check: true, content: Content::Picture(picture) };
    let mut fb = crate::framebuffer::Framebuffer::new(size);
    let Content::Picture(content) = &picture.content else { panic!("not a picture") };
    crate::zrle::Decoder::new().decode(content, &mut fb).unwrap();
    assert_eq!((fb.pixels()[63], fb.pixels()[64]), (0, 0x10_2030), "the document's tile is what it says");
    [
        ("FRAMEBUFFER_UPDATE screen", update_frame(&screen, Seq::NONE)),
        ("FRAMEBUFFER_UPDATE picture", update_frame(&picture, Seq(8))),
    ]
}

fn written() -> BTreeMap<&'static str, String> {
    let key = Key::new([0x0b; KEY_BYTES]);
    let claim = Claim { session: SessionId(1), child: NodeId(2), v: V(3), slot: Slot(4) };
    let mut vectors: Vec<(&str, Vec<u8>)> = vec![
        ("greeting of a port", GREETING_PORT.to_vec()),
        ("greeting of a node", GREETING_TREE.to_vec()),
        ("primer", crate::zrle::primer(&PixelFormat::NATIVE)),
        ("ticket", key.sign(&claim).0.to_vec()),
        ("node key", postcard::to_allocvec(&key.derive(SessionId(1), NodeId(2))).unwrap()),
    ];
    vectors.extend(samples().into_iter().map(|(name, message)| (name, message.encode().to_vec())));
    vectors.extend(discovery::samples().into_iter().map(|(name, datagram)| (name, datagram.encode().to_vec())));
    vectors.extend(updates());
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    vectors.into_iter().map(|(name, bytes)| (name, hex(bytes))).collect()
}

#[test]
fn every_vector_of_the_document_is_what_is_written_and_none_is_missing() {
    let (documented, written) = (documented(), written());
    for (name, bytes) in &written {
        assert_eq!(documented.get(name), Some(bytes), "{name}");
    }
    assert_eq!(documented.len(), written.len());
}

/// The limits and numbers in the document are the ones in the code.
#[test]
fn every_limit_of_the_document_is_the_one_that_holds() {
    let limits = [
        ("frame: FRAMEBUFFER_UPDATE", update::MAX_BODY_BYTES),
        ("frame: STATUS", frame::MAX_STATUS_BYTES),
        ("frame: CHECK_DELAY_REPLY, DELAY", frame::MAX_DELAY_BYTES),
        ("frame: other control messages", frame::MAX_CONTROL_BYTES),
        ("frame: unknown types", frame::MAX_UNKNOWN_BYTES),
        ("rectangles of an update", update::MAX_RECTS_BYTES),
        ("name of a screen", update::MAX_NAME_BYTES),
        ("nodes in a page of STATUS", super::message::MAX_STATUS_NODES),
        ("datagram", discovery::MAX_DATAGRAM_BYTES),
        ("addresses in FIND_ROOT_REPLY", discovery::MAX_ADDRESSES),
        ("nodes of a tree", super::topology::MAX_NODES),
        ("requests to present that wait for a person", super::message::MAX_REQUESTS),
        ("shares that are shown or paused", super::floor::MAX_STAGED),
        ("roots in a row: sites below sites", super::message::MAX_LINE),
        ("REDIRECTs in a row", usize::try_from(super::member::MAX_REDIRECTS).unwrap()),
        ("side of a screen in pixels", usize::from(crate::geometry::MAX_SCREEN_SIDE_PX)),
        ("pixels of a screen", usize::try_from(crate::geometry::MAX_SCREEN_PX).unwrap()),
    ];
    for (what, limit) in limits {
        let line = format!("| {what} | {limit} |");
        assert!(DOCUMENT.lines().any(|found| found.starts_with(&line)), "no line {line:?}");
    }
    let root = "192.0.2.1:5950".parse().unwrap();
    let node = MemberConfig::new(NodeId(1), "".into(), Capabilities::of(true), 0, root, 0);
    let tree = TopologyConfig::new(SessionId(1), "".into(), NodeId(1), root, Key::new([0; KEY_BYTES]));
    let link = super::pulse::PulseConfig::default();
    let seconds = |time: Duration| time.as_secs_f32();
    for line in [
        format!("| an answer to a node's question | {} s,", seconds(node.answer)),
        format!("| dialling a parent, and its answer to ATTACH | {} s", seconds(node.attach)),
        format!("| a placement that is not used | void after {} s", seconds(tree.placement)),
        format!(
            "| a slot kept for a node that failed, or hung up, or whose parent's slot was emptied | {} s",
            seconds(tree.patience)
        ),
        format!("| a node's waits between questions | {} s, doubled up to {} s,", seconds(node.wait), seconds(node.max_wait)),
        format!("| a node without a parent | gives up after {} s", seconds(node.give_up)),
        format!("| a request to present that waits for a person | {} s,", seconds(super::floor::ASKING)),
        format!("| the ticket of a request to present | {} s,", seconds(super::floor::TICKET)),
        format!("| a presenter's first whole picture | {} s after", seconds(super::floor::REHEARSAL)),
        format!("| a heartbeat, each way on a link | every {} s", seconds(link.interval)),
        format!(
            "| a peer that is silent | lost after {} s and the RTO, which is from {} to {} s and {} s at first",
            seconds(link.interval * 2),
            seconds(link.min_rto),
            seconds(link.max_rto),
            seconds(link.first_rto)
        ),
        format!("| a child that takes nothing of what waits for it | lost after {} s or 4 RTO,", seconds(link.no_progress)),
    ] {
        assert!(DOCUMENT.contains(&line), "no line {line:?}");
    }
    assert!(node.attach < tree.placement && node.max_wait + node.attach < tree.patience, "the root is more patient than a node");
    for name in [discovery::GROUP_V4.to_string(), discovery::GROUP_V6.to_string(), format!("UDP port {}", discovery::PORT)] {
        assert!(DOCUMENT.contains(&name), "no {name}");
    }
}
