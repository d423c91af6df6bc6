//! The topology alone under any order of messages, late and doubled ones among them, beside a small model made of nothing but
//! what went in and came out.

use super::*;
use std::collections::BTreeMap;

/// What is known of the newest placement of a node.
#[derive(Debug, Clone)]
struct Placement {
    place: ConnectTo,
    relay: bool,
    /// The root has confirmed it, and nothing has ended it since.
    attached: bool,
}

struct Model {
    root: Root,
    random: u64,
    newest: V,
    placements: BTreeMap<NodeId, Placement>,
    relays: BTreeMap<NodeId, bool>,
    /// Who asked on which connection.
    askers: BTreeMap<u64, NodeId>,
    /// Everything ever sent, to be sent again.
    sent: Vec<(Option<u64>, Message)>,
}

impl Model {
    fn new(seed: u64) -> Self {
        let (placements, relays, askers, sent) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { root: Root::new(), random: seed, newest: V::NONE, placements, relays, askers, sent }
    }

    fn draw(&mut self, limit: usize) -> usize {
        self.random = self.random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        usize::try_from(self.random >> 33).unwrap() % limit
    }

    /// Sends on a connection, a new one if none is given, and looks at everything that comes of it.
    fn send(&mut self, link: Option<u64>, message: &Message) {
        let link = link.unwrap_or_else(|| {
            self.root.links += 1;
            self.root.links
        });
        match message {
            Message::WhereToConnect(ask) => {
                self.askers.insert(link, ask.id);
                let was_accepted = self.placements.get(&ask.id).is_none_or(|known| !known.attached || known.place.v <= ask.v);
                if was_accepted && ask.session == Some(SESSION) {
                    self.relays.insert(ask.id, ask.capabilities.relay);
                }
                self.relays.entry(ask.id).or_insert(ask.capabilities.relay);
                self.end(ask.id, |known| was_accepted && !(matches!(ask.asking, Asking::Confirm { .. }) && known.v == ask.v));
            }
            Message::LostChild(lost) => self.end(lost.child, |known| known.v == lost.v && known.parent == lost.parent),
            Message::Leave(leave) => self.end(leave.id, |_| true),
            _ => {}
        }
        self.root.send(link, message);
        self.look();
    }

    fn end(&mut self, id: NodeId, is_meant: impl Fn(&ConnectTo) -> bool) {
        if let Some(known) = self.placements.get_mut(&id) {
            known.attached &= !is_meant(&known.place);
        }
    }

    fn look(&mut self) {
        self.root.answer_dials();
        let answers = self.root.answers();
        for (link, message) in &answers {
            if let Message::Attached(echo) = message {
                let known = self.placements.get_mut(&self.askers[link]).expect("only what was placed is confirmed");
                assert_eq!(known.place.v, echo.v, "only the newest placement is confirmed");
                known.attached = true;
                // Whoever stood there sees its link end, and will ask.
                let (id, slot) = (known.place.id, known.place.slot);
                let gave_way = self.placements.values_mut().filter(|other| other.place.id != id && other.place.slot == slot);
                gave_way.for_each(|other| other.attached = false);
            }
        }
        let pushed = self.root.pushed.drain(..).map(|(link, place)| (link.0, place));
        let mut places: Vec<_> = pushed.collect();
        for (link, place) in &places {
            self.askers.insert(*link, place.id);
        }
        places.extend(answers.iter().filter_map(|(link, message)| match message {
            Message::ConnectTo(place) => Some((*link, place.clone())),
            _ => None,
        }));
        places.sort_by_key(|(_, place)| place.v);
        for (link, place) in places {
            self.placed(link, place);
        }
        let status = self.root.topology.status();
        let mut slots: Vec<_> = status.iter().map(|node| node.slot).collect();
        let mut ids: Vec<_> = status.iter().map(|node| node.id).collect();
        assert!(slots.is_sorted(), "in slot order");
        slots.dedup();
        ids.sort();
        ids.dedup();
        assert_eq!((slots.len(), ids.len()), (status.len(), status.len()), "one slot per node, one node per slot");
        for node in status.iter().skip(1).filter(|node| node.attached) {
            let known = &self.placements[&node.id];
            assert!(known.attached && known.place.slot == node.slot, "{node:?} is attached but {known:?}");
            let above = node.slot.parent().unwrap();
            let parent = status.iter().find(|other| other.slot == above);
            // Those below a node that was found isolated stay until somebody has taken its slot.
            let may_be = |parent: &NodeStatus| parent.relay() || parent.leaf_only == Some(WhyLeaf::Isolated);
            assert!(parent.is_some_and(may_be), "{node:?} is attached below {parent:?}");
        }
        for (id, known) in self.placements.iter().filter(|(_, known)| known.attached && known.place.parent == ROOT) {
            let is_known = |node: &NodeStatus| node.id == *id && node.attached || node.id != *id && node.slot == known.place.slot;
            assert!(status.iter().any(is_known), "{id} below the root is forgotten, and nobody else has its slot: {known:?}");
        }
    }

    fn placed(&mut self, link: u64, place: ConnectTo) {
        assert_eq!(self.askers[&link], place.id, "on the connection of the one who asked");
        assert!(place.v > self.newest, "placement {} after {}", place.v, self.newest);
        self.newest = place.v;
        let status = self.root.topology.status();
        let holder = |slot| status.iter().find(|node| node.slot == slot);
        assert!(holder(place.slot).is_some_and(|node| node.id == place.id));
        // The parent may have been moved since, in the same step.
        if let Some(parent) = holder(place.slot.parent().unwrap()).filter(|parent| parent.id == place.parent) {
            assert!(parent.relay() && parent.address == place.address);
        }
        let claim = Claim { session: SESSION, child: place.id, v: place.v, slot: place.slot };
        let key =
            self.placements.get(&place.parent).map_or_else(|| secret().derive(SESSION, ROOT), |known| known.place.key.clone());
        assert!(key.verify(&claim, &place.ticket));
        let relay = self.relays[&place.id];
        self.placements.insert(place.id, Placement { place, relay, attached: false });
    }

    /// Something that could come at any time, more or less to the point.
    fn message(&mut self) -> (Option<u64>, Message) {
        let id = NodeId(1 + u64::try_from(self.draw(14)).unwrap());
        let known = self.placements.get(&id).cloned();
        let off = u64::try_from(self.draw(8) / 7).unwrap();
        let v = V(known.as_ref().map_or(0, |known| known.place.v.0).saturating_sub(off));
        let parent = known.as_ref().map_or(ROOT, |known| known.place.parent);
        let link = self.askers.iter().rev().find(|(_, asker)| **asker == id).map(|(link, _)| *link);
        let children = self.kept(&known);
        let fault = [Fault::Closed, Fault::NotHere, Fault::Unreachable][self.draw(3)];
        match self.draw(12) {
            0..4 => {
                let lost =
                    [Asking::LostParent { parent, fault }, Asking::NotAttached { parent, fault }, Asking::Confirm { children }];
                let asking = if known.is_some() { lost[self.draw(3)] } else { Asking::New };
                let relay = known.map_or(!id.0.is_multiple_of(5), |known| known.relay);
                let (session, port) = ((v > V::NONE).then_some(SESSION), 4000);
                let capabilities = Capabilities::of(relay);
                let (name, proof) = ("n".into(), Ticket::NONE);
                let mut ask = WhereToConnect { session, id, v, asking, capabilities, port, name, proof };
                ask.proof = ask.statement().map_or(proof, |statement| proof_of(id, &statement));
                (None, Message::WhereToConnect(ask))
            }
            4..9 => (link, Message::Attached(Attached { v, children })),
            9 => (link, Message::Failed(Failed { v, why: fault })),
            10 => {
                let mut lost = LostChild { session: SESSION, parent, child: id, v, why: fault, proof: Ticket::NONE };
                lost.proof = proof_of(parent, &lost.statement());
                (None, Message::LostChild(lost))
            }
            _ => (None, leave(id, v)),
        }
    }

    /// Children that a node may or may not have.
    fn kept(&mut self, known: &Option<Placement>) -> KeptChildren {
        let below = known.as_ref().map(|known| known.place.slot.children().collect::<Vec<_>>()).unwrap_or_default();
        let mut kept = [None; 2];
        for (kept, slot) in kept.iter_mut().zip(below) {
            let child = self.placements.values().find(|child| child.place.slot == slot).map(|child| &child.place);
            *kept = child.map(|child| KeptChild { id: child.id, v: child.v });
        }
        if self.draw(3) == 0 {
            kept[self.draw(2)] = None;
        }
        kept
    }

    fn step(&mut self) {
        match self.draw(20) {
            0..14 => {
                let (link, message) = self.message();
                self.sent.push((link, message.clone()));
                self.send(link, &message);
            }
            14..16 if !self.sent.is_empty() => {
                let again = self.draw(self.sent.len());
                let (link, message) = self.sent[again].clone();
                self.send(link, &message);
            }
            16 if self.root.links > 0 => {
                let link = 1 + u64::try_from(self.draw(usize::try_from(self.root.links).unwrap())).unwrap();
                self.root.topology.handle_closed(Link(link), self.root.now);
                self.look();
            }
            _ => {
                let millis = u64::try_from(self.draw(2000)).unwrap();
                self.pass(Duration::from_millis(millis));
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.root.now += time;
        self.root.topology.handle_timeout(self.root.now);
        self.look();
    }

    /// Everybody leaves, and time passes.
    fn empty(&mut self) {
        while !self.root.topology.is_pristine() {
            assert!(self.root.now < secs(100_000), "somebody is left: {:?}", self.root.topology);
            let placements: Vec<_> = self.root.topology.placements();
            for (id, _, v) in placements {
                self.send(None, &leave(id, v));
            }
            for link in self.askers.keys().copied().chain(1..=self.root.links) {
                self.root.topology.handle_closed(Link(link), self.root.now);
            }
            self.pass(secs(20));
        }
    }
}

#[test]
fn in_any_order_of_messages_the_topology_stays_a_tree_and_forgets_those_who_left() {
    let (mut placed, mut most) = (0, 0);
    for seed in 0..200 {
        let mut model = Model::new(seed);
        for _ in 0..300 {
            model.step();
            most = most.max(model.root.slots().len());
        }
        placed += model.newest.0;
        model.empty();
    }
    assert!(placed > 200 * 20 && most >= 8, "hardly anything happened: {placed} placements, {most} at once");
}
