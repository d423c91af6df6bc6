//! Sites below sites while roots, leaders and nodes crash, are started again, stop and go on, always in the same order. When it is over everybody
//! shows what the presenter shows, in the place that each root believes.

use crate::support::desktop::{Desktop, Server, free_port, terminal};
use crate::support::process::{Process, treevnc};
use crate::support::session::Member;
use crate::support::tools::{Turn, have};
use crate::support::tree::Tree;
use crate::support::wait::{PATIENCE, pace_until, poll_for};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

const EVENTS: usize = 60;
/// Another one can be given in CHAOS_SEED.
const SEED: u64 = 13;
/// The longest pause between two events.
const PAUSE: Duration = Duration::from_millis(1500);
/// Nodes of each root.
const NODES: usize = 2;
/// Most that are stopped at one time.
const STOPPED: usize = 3;

/// The root, and the sites: whom each is below.
const ROOTS: [(&str, usize); 4] = [("root", 0), ("near", 0), ("far", 1), ("other", 0)];

struct Trouble {
    lecturer: Desktop,
    roots: Vec<Member>,
    nodes: Vec<Member>,
    stopped: Vec<u32>,
    random: u64,
}

impl Trouble {
    fn new() -> Self {
        let lecturer = Desktop::with_options(Server::Xvnc, (640, 480), &[]);
        let random = std::env::var("CHAOS_SEED").map_or(SEED, |seed| seed.parse().unwrap());
        let mut trouble = Self { lecturer, roots: Vec::new(), nodes: Vec::new(), stopped: Vec::new(), random };
        for (at, (name, _)) in ROOTS.iter().enumerate() {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
            let root = trouble.start(at, address);
            trouble.roots.push(root);
            if at > 0 {
                trouble.roots[at].place();
            }
            for number in 0..NODES {
                let node = Member::join(address, &format!("{name}{number}"));
                trouble.nodes.push(node);
            }
        }
        trouble
    }

    /// The root, or a site.
    fn start(&self, at: usize, address: SocketAddr) -> Member {
        let (name, above) = ROOTS[at];
        if at == 0 {
            let mut root = Member::root_at(address, &self.lecturer.address(), name);
            root.process = root.process.killed_at_once();
            return root;
        }
        let (above, listen) = (self.roots[above].address.to_string(), address.to_string());
        let words = ["join", &above, "--direct", "--headless", "--listen", &listen, "--name", name];
        Member::started(Process::start(&mut treevnc(words)).killed_at_once(), name)
    }

    /// A number below `limit` (SplitMix64).
    fn below(&mut self, limit: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn happens(&mut self) {
        match self.below(10) {
            // The topmost less often than the others.
            0..4 => {
                let at = self.below(ROOTS.len() * 2 - 1).div_ceil(2);
                self.stopped.retain(|id| *id != self.roots[at].process.id());
                self.roots[at].process.kill();
                self.roots[at] = self.start(at, self.roots[at].address);
            }
            4..7 if self.stopped.len() < STOPPED => {
                let at = self.below(self.roots.len() + self.nodes.len());
                let member = self.roots.iter().chain(&self.nodes).nth(at).unwrap();
                member.process.signal("STOP");
                self.stopped.push(member.process.id());
            }
            _ => {
                if !self.stopped.is_empty() {
                    let at = self.below(self.stopped.len());
                    self.go_on(at);
                }
            }
        }
    }

    fn go_on(&mut self, at: usize) {
        let id = self.stopped.swap_remove(at);
        let member = self.roots.iter().chain(&self.nodes).find(|member| member.process.id() == id);
        member.into_iter().for_each(|member| member.process.signal("CONT"));
    }
}

#[test]
fn sites_below_sites_survive_crashes_and_stops_of_roots_leaders_and_nodes() {
    if !have(Desktop::programs(Server::Xvnc)) || !have(&["xterm"]) {
        return;
    }
    let _turn = Turn::whole();
    let mut trouble = Trouble::new();
    let _text = terminal(&trouble.lecturer, "60x20+10+10", 100);
    for _ in 0..EVENTS {
        trouble.happens();
        let pause = PAUSE * trouble.below(100) as u32 / 100;
        pace_until(Instant::now() + pause);
    }
    while !trouble.stopped.is_empty() {
        trouble.go_on(0);
    }
    let _more = terminal(&trouble.lecturer, "30x10+300+200", 20);
    let Trouble { lecturer, roots, mut nodes, .. } = trouble;
    assert!(nodes.iter_mut().all(|node| node.process.is_running()), "nobody has ended by itself");
    for (at, root) in roots.iter().enumerate() {
        let sites = ROOTS.iter().enumerate().filter(|(site, (_, above))| *site > 0 && *above == at);
        let own = (0..NODES).map(|number| format!("{}{number}", ROOTS[at].0));
        let names: Vec<_> = sites.map(|(_, (name, _))| (*name).to_owned()).chain(own).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        must_be_standing(&names, || Tree::ask(root.address));
    }
    let truth = lecturer.quiet_picture();
    roots.iter().chain(&nodes).for_each(|member| member.must_show(&truth, &lecturer.scratch));
}

/// Waits until a root has exactly these, all attached, in whichever of its trees.
fn must_be_standing(names: &[&str], ask: impl Fn() -> Option<Tree>) {
    let mut wanted = names.to_vec();
    wanted.sort_unstable();
    let mut last = None;
    let stands = poll_for(PATIENCE, || {
        let tree = ask()?;
        let mut here: Vec<_> = tree.nodes.iter().skip(1).filter(|node| node.attached).map(|node| node.name.as_str()).collect();
        here.sort_unstable();
        let is_right = here == wanted && tree.nodes.len() == wanted.len() + 1;
        last = Some(tree.clone());
        is_right.then_some(())
    });
    assert!(stands.is_some(), "not exactly {wanted:?}: {last:#?}");
}
