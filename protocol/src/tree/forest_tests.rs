use super::*;
use crate::tree::children::Acceptance;
use crate::tree::message::{Asking, Attach, Attached, Capabilities, ConnectTo, Fault, IAmHere, Leave, Position, WhyLeaf};
use crate::tree::networks::{Interface, Prefix};
use crate::tree::slot::Slot;
use crate::tree::ticket::{KEY_BYTES, Key};
use crate::update::SessionId;

const SESSION: SessionId = SessionId(7);
const ROOT: NodeId = NodeId(1000);
/// The root's addresses in three networks, and beyond a router.
const CABLE: &str = "192.0.2.1";
const WIRELESS: &str = "10.1.0.1";
const LINK_LOCAL: &str = "fe80::1";
/// A question that is not an orphan's.
const NEW: Asking = Asking::New;

fn secret() -> Key {
    Key::new([4; KEY_BYTES])
}

fn interface(index: u32, name: &str, addresses: &[(&str, u8)]) -> Interface {
    let addresses = addresses.iter().map(|(ip, bits)| Prefix { address: ip.parse().unwrap(), bits: *bits }).collect();
    Interface { index, name: name.into(), kind: NetworkKind::Lan, addresses }
}

fn hall() -> Networks {
    Networks::new(vec![interface(2, "eth0", &[(CABLE, 24), (LINK_LOCAL, 64)]), interface(3, "wlan0", &[(WIRELESS, 16)])])
}

/// A forest, and nodes that answer whenever they are dialled.
struct Root {
    forest: Forest,
    links: u64,
    dialled: Vec<SocketAddr>,
    events: Vec<TreeEvent>,
}

/// From where a node asks, and to which address of the root.
#[derive(Clone, Copy)]
struct Way(&'static str, &'static str);

impl Root {
    fn new() -> Self {
        let config = TopologyConfig::new(SESSION, "Physik".into(), ROOT, "192.0.2.1:5950".parse().unwrap(), secret());
        Self { forest: Forest::new(config, hall()), links: 0, dialled: Vec::new(), events: Vec::new() }
    }

    fn send(&mut self, link: u64, Way(peer, local): Way, message: &Message) -> Vec<Message> {
        let local = SocketAddr::new(local.parse().unwrap(), 5950);
        let caller = Caller { link: Link(link), peer: peer.parse().unwrap(), local };
        self.forest.handle_message(&caller, message, Duration::ZERO);
        self.settle(link)
    }

    /// Everybody who is dialled says that it is there; what is answered on this connection.
    fn settle(&mut self, link: u64) -> Vec<Message> {
        while let Some(dial) = self.forest.poll_dial() {
            self.dialled.push(dial.address);
            let here = match dial.message {
                Message::AreYouThere(ask) => IAmHere { session: Some(SESSION), id: ask.id, v: V::NONE, room: 0 },
                Message::ConnectTo(place) => IAmHere { session: Some(SESSION), id: place.id, v: place.v, room: 0 },
                other => panic!("nobody is dialled to be told {other:?}"),
            };
            self.forest.handle_dial_message(dial.link, &Message::IAmHere(here), Duration::ZERO);
        }
        self.events.extend(std::iter::from_fn(|| self.forest.poll_event()));
        let answers = std::iter::from_fn(|| self.forest.poll_answer()).filter(|answer| answer.to == Link(link));
        answers.filter_map(|answer| answer.message).collect()
    }

    fn question(id: u64, v: V, asking: Asking, site: bool) -> WhereToConnect {
        let session = (v != V::NONE).then_some(SESSION);
        let capabilities = Capabilities { relay: !site, site, upload: 0 };
        let (id, name, proof) = (NodeId(id), "n".into(), Ticket::NONE);
        let mut ask = WhereToConnect { session, id, v, asking, capabilities, port: 4000, name, proof };
        ask.proof = ask.statement().map_or(proof, |statement| secret().derive(SESSION, id).prove(&statement));
        ask
    }

    fn ask(&mut self, way: Way, ask: WhereToConnect) -> (u64, Vec<Message>) {
        self.links += 1;
        let link = self.links;
        (link, self.send(link, way, &Message::WhereToConnect(ask)))
    }

    /// Placed, and attached.
    fn join(&mut self, id: u64, way: Way) -> ConnectTo {
        self.come(way, Self::question(id, V::NONE, NEW, false))
    }

    fn come(&mut self, way: Way, ask: WhereToConnect) -> ConnectTo {
        let (link, answers) = self.ask(way, ask);
        let [Message::ConnectTo(place)] = &answers[..] else { panic!("no placement: {answers:?}") };
        let attached = Message::Attached(Attached { v: place.v, children: [None; 2] });
        assert_eq!(self.send(link, way, &attached), [attached]);
        self.forest.handle_closed(Link(link), Duration::ZERO);
        place.clone()
    }

    /// Tree and slot of each node, by number.
    fn places(&self) -> Vec<(u64, u16, u32)> {
        let (_, nodes) = self.forest.status();
        let mut places: Vec<_> = nodes.iter().skip(1).map(|node| (node.id.0, node.tree, node.slot.0)).collect();
        places.sort_unstable();
        places
    }
}

#[test]
fn each_network_has_a_tree_and_no_parent_is_in_another() {
    let mut root = Root::new();
    let mut parents = Vec::new();
    for id in 1..=6 {
        parents.push((id, root.join(id, Way("192.0.2.77", CABLE)).parent.0));
        parents.push((100 + id, root.join(100 + id, Way("10.1.0.77", WIRELESS)).parent.0));
    }
    assert!(parents.iter().all(|(id, parent)| *parent == ROOT.0 || (parent / 100 == id / 100)), "{parents:?}");
    let slots = |tree| root.places().iter().filter(|(_, of, _)| *of == tree).map(|(.., slot)| *slot).collect::<Vec<_>>();
    assert_eq!((slots(0), slots(2)), (vec![1, 2, 3, 4, 5, 6], vec![1, 2, 3, 4, 5, 6]));
    let (trees, _) = root.forest.status();
    assert_eq!(trees.iter().map(|tree| tree.name.as_str()).collect::<Vec<_>>(), ["eth0", "eth0", "wlan0"]);
    assert_eq!(root.forest.node_count(), 12);
}

#[test]
fn placements_of_all_trees_have_numbers_of_one_counter() {
    let mut root = Root::new();
    let ways = [Way("192.0.2.7", CABLE), Way("10.1.0.7", WIRELESS), Way("198.51.100.7", CABLE), Way("192.0.2.8", CABLE)];
    let numbers: Vec<u64> = (1..).zip(ways).map(|(id, way)| root.join(id, way).v.0).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[test]
fn a_node_that_roams_leaves_its_old_tree_and_is_placed_in_the_other() {
    let mut root = Root::new();
    for id in 1..=3 {
        root.join(id, Way("192.0.2.77", CABLE));
    }
    let lost = Asking::LostParent { parent: ROOT, fault: Fault::Silence };
    let place = root.come(Way("10.1.0.9", WIRELESS), Root::question(1, V(1), lost, false));
    assert_eq!((place.slot, place.v > V(3)), (Slot(1), true));
    assert_eq!(root.places().iter().filter(|(id, ..)| *id == 1).collect::<Vec<_>>(), [&(1, 2, 1)]);
    let why = root.events.iter().filter_map(|event| match event {
        TreeEvent::Freed { id: NodeId(1), why, .. } => Some(*why),
        _ => None,
    });
    assert_eq!(why.collect::<Vec<_>>(), [crate::tree::topology::Freed::Roamed]);
}

#[test]
fn nobody_takes_a_node_out_of_its_tree_by_asking_in_its_name_from_another_network() {
    let mut root = Root::new();
    let place = root.join(1, Way("192.0.2.77", CABLE));
    let before = root.places();
    let mut forged = Root::question(1, place.v, NEW, false);
    forged.proof = Ticket([9; 16]);
    for ask in [forged, Root::question(1, V::NONE, NEW, false), Root::question(1, V::NONE, NEW, true)] {
        let (_, answers) = root.ask(Way("10.1.0.66", WIRELESS), ask);
        assert!(matches!(answers[..], [Message::Refused(Refused { again: true, .. })]), "{answers:?}");
    }
    assert_eq!(root.places(), before);
}

#[test]
fn whoever_comes_from_beyond_a_router_stands_in_a_tree_of_its_own() {
    let mut root = Root::new();
    root.join(1, Way("192.0.2.77", CABLE));
    let place = root.join(2, Way("198.51.100.1", CABLE));
    assert_eq!((place.parent, place.slot), (ROOT, Slot(1)));
    let (trees, nodes) = root.forest.status();
    let tree = &trees[usize::from(nodes.iter().find(|node| node.id.0 == 2).unwrap().tree)];
    assert_eq!((tree.kind, tree.addresses.len()), (NetworkKind::Elsewhere, 0));
}

#[test]
fn sites_hang_below_the_root_and_nobody_below_them() {
    let mut root = Root::new();
    root.forest.set_root_room(2, Duration::ZERO);
    for id in 1..=4 {
        let place = root.come(Way("198.51.100.1", CABLE), Root::question(id, V::NONE, NEW, true));
        assert_eq!(place.parent, ROOT);
    }
    let (trees, nodes) = root.forest.status();
    assert!(nodes.iter().skip(1).all(|node| node.leaf_only == Some(WhyLeaf::Site) && node.depth() == 1));
    assert_eq!(trees.last().unwrap().kind, NetworkKind::Direct);
    let (_, answers) = root.ask(Way("198.51.100.1", CABLE), Root::question(5, V::NONE, NEW, true));
    assert!(matches!(answers[..], [Message::Refused(Refused { again: true, .. })]), "the room is used up: {answers:?}");
}

#[test]
fn the_room_of_the_root_is_there_once_for_all_trees() {
    let mut root = Root::new();
    root.forest.set_root_room(1, Duration::ZERO);
    let leaf = |id| WhereToConnect { capabilities: Capabilities::of(false), ..Root::question(id, V::NONE, NEW, false) };
    let (cable, wireless) = (Way("192.0.2.77", CABLE), Way("10.1.0.77", WIRELESS));
    for id in 1..=2 {
        root.come(cable, leaf(id));
        root.come(wireless, leaf(100 + id));
    }
    assert!(root.come(cable, leaf(3)).slot.is_extra());
    let (_, answers) = root.ask(wireless, leaf(103));
    assert!(matches!(answers[..], [Message::Refused(_)]), "{answers:?}");
}

#[test]
fn a_link_local_node_is_dialled_through_its_interface() {
    let mut root = Root::new();
    root.join(1, Way("fe80::77", LINK_LOCAL));
    assert_eq!(root.dialled, [SocketAddrV6::new("fe80::77".parse().unwrap(), 4000, 0, 2).into()]);
}

#[test]
fn a_tree_whose_network_is_gone_stays_until_it_is_empty() {
    let mut root = Root::new();
    let place = root.join(1, Way("10.1.0.77", WIRELESS));
    root.forest.set_networks(Networks::new(vec![interface(2, "eth0", &[(CABLE, 24)])]));
    root.forest.handle_timeout(Duration::ZERO);
    let (trees, _) = root.forest.status();
    assert_eq!(trees.iter().map(|tree| tree.kind).collect::<Vec<_>>(), [NetworkKind::Lan, NetworkKind::Gone]);
    let mut leave = Leave { session: SESSION, id: NodeId(1), v: place.v, proof: Ticket::NONE };
    leave.proof = secret().derive(SESSION, NodeId(1)).prove(&leave.statement());
    root.links += 1;
    assert_eq!(root.send(root.links, Way("10.1.0.77", WIRELESS), &Message::Leave(leave.clone())), [Message::Leave(leave)]);
    root.forest.handle_timeout(Duration::ZERO);
    assert_eq!((root.forest.trees.len(), root.forest.homes.len(), root.forest.routes.len()), (0, 0, 0));
}

#[test]
fn questions_that_lead_to_nothing_leave_nothing() {
    let mut root = Root::new();
    for id in 1..200 {
        let ask = WhereToConnect { session: Some(SESSION), v: V(3), ..Root::question(id, V::NONE, NEW, false) };
        let (link, answers) = root.ask(Way("10.1.0.77", WIRELESS), ask);
        assert!(matches!(answers[..], [Message::Refused(_)]), "its proof is none: {answers:?}");
        root.forest.handle_closed(Link(link), Duration::ZERO);
    }
    assert_eq!((root.forest.homes.len(), root.forest.routes.len()), (0, 0));
}

#[test]
fn the_roots_children_of_several_trees_have_the_same_slots_and_are_told_apart() {
    let mut root = Root::new();
    let mut children = RootChildren::new(ROOT, SESSION, &secret());
    let attach = |place: &ConnectTo| {
        let ConnectTo { ticket, session, v, slot, id: child, .. } = *place;
        Attach { ticket, session, position: Position::NONE, child, v, slot }
    };
    let cable = attach(&root.join(1, Way("192.0.2.77", CABLE)));
    let wireless = attach(&root.join(2, Way("10.1.0.77", WIRELESS)));
    assert_eq!(cable.slot, wireless.slot);
    let welcome = |replaces: Option<u64>| Acceptance::Welcome { replaces: replaces.map(Link) };
    assert_eq!(children.accept(root.forest.home(NodeId(1)), &cable, Link(1)), welcome(None));
    assert_eq!(children.accept(root.forest.home(NodeId(2)), &wireless, Link(2)), welcome(None));
    assert_eq!(
        children.accept(root.forest.home(NodeId(9)), &Attach { child: NodeId(9), ..cable.clone() }, Link(3)),
        Acceptance::Stale
    );
    // The first roams: its link of before is closed, and is no loss.
    let roamed = attach(&root.come(Way("10.1.0.78", WIRELESS), Root::question(1, cable.v, NEW, false)));
    assert_eq!(children.accept(root.forest.home(NodeId(1)), &roamed, Link(4)), welcome(Some(1)));
    assert_eq!(children.lost(Link(1), Fault::Closed), None);
    assert_eq!(children.lost(Link(2), Fault::Closed).map(|report| report.child), Some(NodeId(2)));
}
