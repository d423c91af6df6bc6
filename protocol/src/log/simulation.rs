//! Explores the log over several levels of relays: random links that break inside a batch, re-homing (also to a node that is behind),
//! slow and late readers, new screens, checks, tiles encoded again. Whatever a node presents must be one of the root's pictures.

use super::{Batch, Cursor, ScreenLog};
use crate::geometry::Size;
use crate::tiles::{TILE_PX, TileGrid};
use crate::update::{Content, ENCODING_ZRLE, Picture, Screen, Seq, SessionId, Update};
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub(super) fn grid_of(columns: u16, rows: u16) -> TileGrid {
    TileGrid::new(Size::new(columns * TILE_PX, rows * TILE_PX).unwrap())
}

/// A picture whose "compressed data" is a number per tile, each rectangle `padding` bytes longer than that.
pub(super) fn picture_of(grid: TileGrid, tiles: impl Iterator<Item = (usize, u64)>, padding: usize) -> Picture {
    let mut out = BytesMut::new();
    let mut count = 0;
    for (tile, value) in tiles {
        let rect = grid.tile(tile);
        [rect.x, rect.y, rect.width, rect.height].into_iter().for_each(|field| out.put_u16(field));
        out.put_i32(ENCODING_ZRLE);
        out.put_u32(u32::try_from(8 + padding).unwrap());
        out.put_u64(value);
        out.put_bytes(0, padding);
        count += 1;
    }
    Picture::new(count, out.freeze())
}

fn values(grid: TileGrid, picture: &Picture) -> Vec<(usize, u64)> {
    let value = |data: Bytes| u64::from_be_bytes(data[..8].try_into().unwrap());
    picture.iter().map(|(rect, data)| (grid.touched(rect).next().unwrap(), value(data))).collect()
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        usize::try_from(crate::tree::mix::mixed(self.0) % bound as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What a node shows: the picture being painted, and the last one presented. Independent of the log under test.
#[derive(Default, Clone)]
struct Shown {
    grid: Option<TileGrid>,
    tiles: Vec<u64>,
    seq: Seq,
    target: Seq,
    presented: Option<(Seq, Vec<u64>)>,
}

impl Shown {
    fn paint(&mut self, update: &Update, until: Seq) {
        if update.seq <= self.seq {
            return;
        }
        match &update.content {
            Content::Screen(screen) => {
                self.grid = Some(TileGrid::new(screen.size));
                self.tiles = vec![0; TileGrid::new(screen.size).tile_count()];
            }
            Content::Picture(picture) => {
                for (tile, value) in values(self.grid.expect("a screen before its pixels"), picture) {
                    self.tiles[tile] = value;
                }
            }
        }
        self.seq = update.seq;
        self.target = self.target.max(until);
        if self.seq == self.target {
            self.presented = Some((self.seq, self.tiles.clone()));
        }
    }
}

/// A link from a parent: the batch being sent, and what is on its way.
struct Link {
    parent: usize,
    cursor: Cursor,
    batch: VecDeque<(Update, Seq)>,
    on_the_way: VecDeque<(Update, Seq)>,
    pace: usize,
}

struct Node {
    log: ScreenLog,
    shown: Shown,
    link: Option<Link>,
}

struct World {
    random: Random,
    nodes: Vec<Node>,
    next: u64,
    columns: u16,
    content: u64,
    pending: Vec<Vec<usize>>,
    truth: Vec<u64>,
    /// The root's whole pictures by the number of their last update.
    pictures: BTreeMap<Seq, Vec<u64>>,
    session: SessionId,
}

impl World {
    fn new(seed: u64) -> Self {
        let session = SessionId(seed);
        let root = Node { log: ScreenLog::new(session), shown: Shown::default(), link: None };
        let random = Random(seed);
        let (pending, truth, pictures) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut world = Self { random, nodes: vec![root], next: 1, columns: 0, content: 0, pending, truth, pictures, session };
        world.begin_screen();
        world
    }

    fn publish(&mut self, content: Content, until: Seq) {
        let check = matches!(content, Content::Picture(_)) && self.random.one_in(12);
        let update = Update { seq: Seq(self.next), sent: Duration::ZERO, check, content };
        self.next += 1;
        self.nodes[0].shown.paint(&update, until);
        assert!(self.nodes[0].log.append(update, until).unwrap());
    }

    fn begin_screen(&mut self) {
        self.columns = 2 + u16::try_from(self.random.below(4)).unwrap();
        let size = grid_of(self.columns, 3).size();
        self.truth = vec![0; usize::from(self.columns) * 3];
        self.publish(Content::Screen(Screen { size, name: String::new() }), Seq::NONE);
        let all: Vec<usize> = (0..self.truth.len()).collect();
        self.begin_frame(all);
    }

    /// Splits new content for some tiles into the updates of a frame, which are published one by one.
    fn begin_frame(&mut self, tiles: Vec<usize>) {
        self.content += 1;
        tiles.iter().for_each(|&tile| self.truth[tile] = self.content);
        self.split(tiles);
    }

    fn split(&mut self, tiles: Vec<usize>) {
        let size = 1 + self.random.below(4);
        self.pending = tiles.chunks(size).map(<[usize]>::to_vec).collect();
    }

    fn publish_next(&mut self) {
        if self.pending.is_empty() {
            if let Some(again) = self.nodes[0].log.tiles_to_encode_again() {
                self.split(again.iter().collect());
            } else if self.random.one_in(40) {
                return self.begin_screen();
            } else {
                let count = self.truth.len();
                let some = (0..count).filter(|_| self.random.one_in(3)).collect::<Vec<_>>();
                let video = self.random.one_in(3);
                self.begin_frame(if video || some.is_empty() { (0..count).collect() } else { some });
            }
        }
        let tiles = self.pending.remove(0);
        let until = if self.pending.is_empty() { Seq(self.next) } else { Seq::NONE };
        if self.pending.is_empty() {
            self.pictures.insert(until, self.truth.clone());
        }
        let painted = tiles.iter().map(|&tile| (tile, self.truth[tile])).collect::<Vec<_>>();
        let padding = 2000 * self.random.below(4);
        self.publish(Content::Picture(picture_of(grid_of(self.columns, 3), painted.into_iter(), padding)), until);
    }

    fn join(&mut self) {
        self.nodes.push(Node { log: ScreenLog::new(self.session), shown: Shown::default(), link: None });
        let child = self.nodes.len() - 1;
        self.attach(child);
    }

    /// Attaches a node to any node that is not below it, its picture and log kept.
    fn attach(&mut self, child: usize) {
        let candidates: Vec<usize> = (0..self.nodes.len()).filter(|&n| !self.is_below(n, child)).collect();
        let parent = candidates[self.random.below(candidates.len())];
        let cursor = Cursor::new(self.session, self.nodes[child].log.head());
        let slowest = if self.random.one_in(4) { 30 } else { 3 };
        let pace = 1 + self.random.below(slowest);
        self.nodes[child].link = Some(Link { parent, cursor, batch: VecDeque::new(), on_the_way: VecDeque::new(), pace });
    }

    fn is_below(&self, mut node: usize, top: usize) -> bool {
        loop {
            if node == top {
                return true;
            }
            match &self.nodes[node].link {
                Some(link) => node = link.parent,
                None => return false,
            }
        }
    }

    /// Moves one step on a link: puts the next update of the batch on the way, or delivers one.
    fn move_link(&mut self, child: usize) -> bool {
        let Some(mut link) = self.nodes[child].link.take() else { return false };
        let mut moved = false;
        if link.batch.is_empty()
            && let Some(batch) = self.nodes[link.parent].log.take_batch(&mut link.cursor)
        {
            link.batch = stamped(&batch);
        }
        if link.on_the_way.len() < 2
            && let Some(next) = link.batch.pop_front()
        {
            link.on_the_way.push_back(next);
            moved = true;
        }
        if (self.random.one_in(2) || !moved)
            && let Some((update, until)) = link.on_the_way.pop_front()
        {
            self.nodes[child].log.append(update.clone(), until).expect("an honest parent's update is accepted");
            self.nodes[child].shown.paint(&update, until);
            self.check_presented(child);
            moved = true;
        }
        self.nodes[child].link = Some(link);
        moved
    }

    fn check_presented(&self, node: usize) {
        let Node { shown, log, .. } = &self.nodes[node];
        if let Some((seq, picture)) = &shown.presented {
            assert_eq!(Some(picture), self.pictures.get(seq), "node {node} presents a torn picture at {seq:?}");
            assert_eq!(log.complete(), *seq, "node {node}'s log and its picture disagree");
        }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..12 => self.publish_next(),
            12 if self.nodes.len() < 14 => self.join(),
            13 | 14 => {
                let child = self.random.below(self.nodes.len());
                if child != 0 {
                    self.attach(child);
                }
            }
            _ => {
                let child = self.random.below(self.nodes.len());
                let pace = self.nodes[child].link.as_ref().map_or(1, |link| link.pace);
                if self.random.one_in(pace) {
                    self.move_link(child);
                }
            }
        }
        let log = &self.nodes[0].log;
        if self.pending.is_empty() && log.tiles_to_encode_again().is_none() {
            assert!(log.held_bytes() <= 3 * log.live_bytes() + super::memory::SLACK_BYTES);
        }
    }

    /// Publishes the rest of the frame, lets all links run, and then everybody must show the root's picture.
    fn settle(&mut self) {
        while !self.pending.is_empty() {
            self.publish_next();
        }
        let mut moved = true;
        while moved {
            moved = false;
            for child in 1..self.nodes.len() {
                moved |= self.move_link(child);
            }
        }
        for (n, node) in self.nodes.iter().enumerate() {
            assert_eq!(node.shown.presented.as_ref().map(|(_, tiles)| tiles), Some(&self.truth), "node {n}");
        }
    }
}

fn stamped(batch: &Batch) -> VecDeque<(Update, Seq)> {
    batch.entries.iter().map(|entry| (entry.update().clone(), batch.until(entry))).collect()
}

#[test]
fn nobody_ever_shows_a_torn_picture_and_everybody_ends_with_the_right_one() {
    for seed in 0..400 {
        let mut world = World::new(seed);
        for round in 0..6 {
            for _ in 0..300 {
                world.step();
            }
            if round % 2 == 1 {
                world.settle();
            }
        }
    }
}

/// Under video that paints everything again and again, a reader that takes an update only now and then still presents.
#[test]
fn a_slow_reader_presents_again_and_again_under_full_screen_video() {
    let mut world = World::new(7);
    world.join();
    let mut presented = 0;
    let mut last = None;
    for round in 0..3000 {
        world.publish_next();
        if round % 7 == 0 {
            world.move_link(1);
        }
        let now = world.nodes[1].shown.presented.as_ref().map(|(seq, _)| *seq);
        presented += usize::from(now != last);
        last = now;
    }
    assert!(presented > 10, "presented {presented} times");
}
