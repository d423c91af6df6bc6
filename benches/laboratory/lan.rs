//! A room: hosts on a switch, each by a line of one width, with a root on the first and a node on each of the others.

use crate::forward::{FORWARD, READY};
use crate::support::namespaces::Hosts;
use crate::support::painter::{Kept, Painter};
use crate::support::process::{Process, treevnc};
use crate::support::site::Site;
use crate::support::tools::Scratch;
use crate::support::wait::{PATIENCE, pace_until};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Command;
use std::time::{Duration, Instant};

/// The presenter's screen.
pub(crate) const SIZE: (u16, u16) = (1920, 1080);
/// The root's port, from its own host.
pub(crate) const ROOT: &str = "127.0.0.1:5950";
/// Where nodes that only forward listen.
const FORWARD_PORT: u16 = 7000;
/// How long measurements may take beyond their own pace.
const SLACK: Duration = Duration::from_secs(90);

/// How wide lines are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) megabits: u32,
    /// What `tc` calls burst and latency.
    pub(crate) burst: &'static str,
    pub(crate) latency: &'static str,
    /// TCP's congestion control.
    pub(crate) control: &'static str,
}

impl Line {
    /// 100 Mbit/s, as wide as an old office's cable or a good wireless network, with what laptops use.
    pub(crate) const USUAL: Self = Self { megabits: 100, burst: "64kb", latency: "50ms", control: "cubic" };

    pub(crate) fn bits_per_second(&self) -> f64 {
        f64::from(self.megabits) * 1e6
    }
}

/// What one node has answered to one check; times in milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) check: u64,
    /// Seconds of the session.
    pub(crate) sent: f64,
    pub(crate) frame_bytes: f64,
    pub(crate) name: String,
    pub(crate) depth: u32,
    pub(crate) one_way: f64,
}

/// Delays in milliseconds, by depth.
pub(crate) type ByDepth = BTreeMap<u32, Vec<f64>>;

/// The room.
pub(crate) struct Lan {
    pub(crate) site: Site,
    scratch: Scratch,
}

impl Lan {
    /// So many nodes, all of which have joined, and room for `more`.
    pub(crate) fn new(count: usize, more: usize, line: &Line) -> Self {
        let mut site = Site::new(SIZE, count + more);
        let hosts = &site.hosts;
        // A switch looks at nothing above Ethernet.
        let bridge = ["iptables", "ip6tables", "arptables"].map(|what| format!("net.bridge.bridge-nf-call-{what}=0"));
        let _ = Command::new("ip").args(["netns", "exec", hosts.bridge(), "sysctl", "-q", "-w"]).args(bridge).output();
        for host in 0..=count + more {
            hosts.shape(host, &format!("{}mbit", line.megabits), line.burst, line.latency);
            hosts.control_congestion(host, line.control);
        }
        (0..count).for_each(|_| site.join());
        Self { site, scratch: Scratch::new() }
    }

    /// A window over all of the presenter's screen.
    pub(crate) fn painter(&self) -> Painter {
        Painter::new(&self.site.display, (0, 0), SIZE)
    }

    /// Runs `treevnc delay` on the root's host; what it wrote.
    pub(crate) fn delay(&self, words: &[&str], pace: Duration) -> Vec<Answer> {
        let file = self.scratch.file("delays.csv");
        let mut measuring = self.measuring(words, &file);
        assert!(measuring.end(pace + SLACK).success(), "{}", measuring.said());
        read(&file)
    }

    /// The same while pages are shown, one a turn, which the checks ride on.
    pub(crate) fn delay_of_pages(&self, painter: &Painter, pages: &[Kept], frames: usize, turn: Duration) -> Vec<Answer> {
        let file = self.scratch.file("pages.csv");
        let mut next = pages.iter().cycle();
        let mut flip = || {
            painter.show(next.next().unwrap());
            pace_until(Instant::now() + turn);
        };
        // The first is to be on its way before anything is measured.
        flip();
        let (count, interval) = (frames.to_string(), (turn / 2).as_secs_f64().to_string());
        let mut measuring = self.measuring(&["--ride", "--count", &count, "--interval", &interval], &file);
        let deadline = Instant::now() + turn * frames as u32 + SLACK;
        while measuring.is_running() && Instant::now() < deadline {
            flip();
        }
        assert!(measuring.end(PATIENCE).success(), "{}", measuring.said());
        read(&file)
    }

    /// `treevnc delay`, started.
    pub(crate) fn measuring(&self, words: &[&str], file: &std::path::Path) -> Process {
        let words = [
            &["delay", ROOT, "--csv"].map(OsStr::new)[..],
            &[file.as_os_str()],
            &words.iter().map(OsStr::new).collect::<Vec<_>>(),
        ];
        self.site.hosts.start(0, &treevnc(words.concat()))
    }

    /// Frames handed down the same hosts by nodes that only forward, in units of this size.
    pub(crate) fn forwarded(&self, count: usize, frame: usize, unit: usize, frames: usize, turn: Duration) -> ByDepth {
        let program = std::env::current_exe().unwrap();
        let start = |host: usize| {
            let port = if host == 0 { 0 } else { FORWARD_PORT };
            let children = [2 * host + 1, 2 * host + 2].into_iter().filter(|child| *child <= count);
            let children = children.map(|child| format!("{}:{FORWARD_PORT}", Hosts::address(child)));
            let words = [FORWARD.to_owned(), port.to_string(), frame.to_string(), unit.to_string()];
            self.site.hosts.start(host, Command::new(&program).args(words).args(children)).killed_at_once()
        };
        let mut all: Vec<_> = (0..=count).rev().map(start).collect();
        all.reverse();
        all.iter().for_each(|node| drop(node.line("that it is ready", PATIENCE, |line| line == READY)));
        let mut next = Instant::now();
        for _ in 0..frames {
            all[0].say("frame");
            next += turn;
            pace_until(next);
        }
        let mut by_depth = ByDepth::new();
        for (host, node) in all.iter().enumerate().skip(1) {
            let is_time = |line: &str| line.parse::<u64>().is_ok();
            node.out().wait_nth(frames, PATIENCE, is_time).unwrap_or_else(|| panic!("{}", node.said()));
            let times = node.out().all().into_iter().filter_map(|line| line.parse::<f64>().ok()).map(|micros| micros / 1e3);
            by_depth.entry((host + 1).ilog2()).or_default().extend(times);
        }
        by_depth
    }
}

/// Reads the file of `treevnc delay`.
pub(crate) fn read(file: &std::path::Path) -> Vec<Answer> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    let head: Vec<_> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| head.iter().position(|column| *column == name).unwrap();
    let (check, sent, frame, name, depth, one_way) =
        (at("check"), at("sent_us"), at("frame_bytes"), at("name"), at("depth"), at("one_way_us"));
    let answer = |line: &str| {
        let fields: Vec<_> = line.split(',').collect();
        let number = |at: usize| fields[at].parse::<f64>().unwrap();
        Answer {
            check: number(check) as u64,
            sent: number(sent) / 1e6,
            frame_bytes: number(frame),
            name: fields[name].to_owned(),
            depth: number(depth) as u32,
            one_way: number(one_way) / 1e3,
        }
    };
    // Of a measurement that was ended the last line may not be whole.
    lines.filter(|line| line.split(',').count() == head.len()).map(answer).collect()
}

/// The one-way delays of answers.
pub(crate) fn by_depth(answers: &[Answer]) -> ByDepth {
    let mut by_depth = ByDepth::new();
    answers.iter().for_each(|answer| by_depth.entry(answer.depth).or_default().push(answer.one_way));
    by_depth
}

/// By nearest rank.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * share).ceil().max(1.0) as usize - 1;
    sorted.get(rank).copied().unwrap_or(f64::NAN)
}
