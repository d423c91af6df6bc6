//! Sixty nodes as processes, and a minute of crashes, stops, leaves and joins in any order, always the same ones. When it is over the tree is
//! whole again, of exactly those that live, and everybody shows what the presenter shows.

use crate::support::classroom::Classroom;
use crate::support::desktop::{Desktop, Server};
use crate::support::process::Process;
use crate::support::session::Member;
use crate::support::tools::{Turn, have};
use crate::support::tree::{Tree, must_be_whole};
use crate::support::wait::PATIENCE;
use std::net::SocketAddr;
use std::time::Duration;

const NODES: usize = 60;
/// Most that are stopped at one time.
const STOPPED: usize = 10;
const EVENTS: usize = 200;
/// Another one can be given in CHAOS_SEED.
const SEED: u64 = 3;
/// The longest pause between two events: all of them together make a minute.
const PAUSE: Duration = Duration::from_millis(500);
/// Most attachments that a pause waits for.
const MOST_AWAITED: usize = 10;

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Crash,
    Stop,
    GoOn,
    Leave,
    Join,
}

/// The class while it is being hurt.
struct Chaos {
    classroom: Classroom,
    stopped: Vec<Member>,
    /// Processes that were told to end.
    leaving: Vec<Process>,
    joined: usize,
    random: u64,
}

impl Chaos {
    fn new() -> Self {
        let random = std::env::var("CHAOS_SEED").map_or(SEED, |seed| seed.parse().unwrap());
        Self { classroom: Classroom::new(NODES), stopped: Vec::new(), leaving: Vec::new(), joined: NODES, random }
    }

    /// A number below `limit` (SplitMix64).
    fn below(&mut self, limit: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn next(&mut self) -> Event {
        let living = self.classroom.nodes.len() + self.stopped.len();
        match self.below(100) {
            0..30 if living > NODES / 2 => Event::Crash,
            30..50 if self.stopped.len() < STOPPED => Event::Stop,
            50..65 if !self.stopped.is_empty() => Event::GoOn,
            65..72 if living > NODES / 2 => Event::Leave,
            _ => Event::Join,
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Crash => self.any_node().process.kill(),
            Event::Stop => {
                let node = self.any_node();
                node.process.signal("STOP");
                self.stopped.push(node);
            }
            Event::GoOn => {
                let at = self.below(self.stopped.len());
                let node = self.stopped.swap_remove(at);
                node.process.signal("CONT");
                self.classroom.nodes.push(node);
            }
            Event::Leave => {
                let leaver = self.any_node().process;
                leaver.signal("TERM");
                self.leaving.push(leaver);
            }
            Event::Join => {
                self.joined += 1;
                let name = format!("n{}", self.joined);
                self.classroom.nodes.push(Member::joining(self.classroom.root.address, &name, &[]));
            }
        }
    }

    fn any_node(&mut self) -> Member {
        let at = self.below(self.classroom.nodes.len());
        self.classroom.nodes.swap_remove(at)
    }

    /// Waits until the root has said a few times, at random, that somebody has attached, but at most for a while, at random: what comes next
    /// shall hit the tree sometimes in the middle of its repair, sometimes just after it, and sometimes when silence has been noticed.
    fn pause(&mut self, attached_before: usize) {
        let longest = PAUSE * self.below(100) as u32 / 100;
        let attached = attached_before + 1 + self.below(MOST_AWAITED);
        let _either = self.classroom.root.process.err().wait_nth(attached, longest, says_attached);
    }

    /// Lets everybody go on, and waits for those who leave.
    fn ends(mut self) -> Classroom {
        self.stopped.iter().for_each(|node| node.process.signal("CONT"));
        self.classroom.nodes.append(&mut self.stopped);
        for mut process in self.leaving {
            let status = process.end(PATIENCE);
            assert_eq!(status.code(), Some(0), "a node that was told to leave: {}", process.said());
        }
        self.classroom
    }
}

fn says_attached(line: &str) -> bool {
    line.contains(" attached at slot ")
}

/// Processes whose command line names this address.
fn left_behind(root: SocketAddr) -> Vec<String> {
    let root = root.to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok());
    lines.map(|line| line.replace('\0', " ")).filter(|line| line.contains(&root)).collect()
}

#[test]
fn sixty_nodes_survive_a_minute_of_crashes_stops_leaves_and_joins() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::whole();
    let mut chaos = Chaos::new();
    for number in 0..EVENTS {
        let event = chaos.next();
        let attached = chaos.classroom.root.process.err().count(says_attached);
        chaos.happens(event);
        // The screen is alive all the time.
        if number % 2 == 0 {
            chaos.classroom.paint();
        }
        chaos.pause(attached);
    }
    let mut classroom = chaos.ends();
    assert!(classroom.nodes.iter_mut().all(|node| node.process.is_running()), "nobody ended by itself");
    classroom.must_be_well();

    let root = classroom.root.address;
    classroom.nodes.iter().for_each(|node| node.process.signal("TERM"));
    for node in &mut classroom.nodes {
        assert_eq!(node.process.end(PATIENCE).code(), Some(0), "{}", node.process.said());
    }
    must_be_whole(&[], PATIENCE, || Tree::ask(root));
    drop(classroom);
    assert_eq!(left_behind(root), Vec::<String>::new());
}
