//! The turns on virtual time: a line, and senders with more or less to send.

use super::*;
use std::collections::VecDeque;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A sender that gets updates of one size, every so often or as fast as it can send them.
struct Source {
    sender: Sender,
    update: usize,
    every: Option<Duration>,
    next: Duration,
    /// What is left of the updates that wait, and when each came.
    queue: VecDeque<(usize, Duration)>,
    sent: u64,
    longest_wait: Duration,
}

struct World {
    turns: Turns,
    sources: Vec<Source>,
    now: Duration,
    /// When how much went out.
    out: Vec<(Duration, u64)>,
}

impl World {
    fn new(rate: &str) -> Self {
        Self { turns: Turns::new(rate.parse().unwrap()), sources: Vec::new(), now: Duration::ZERO, out: Vec::new() }
    }

    fn add(&mut self, update: usize, every: Option<Duration>) -> usize {
        let sender = self.turns.open();
        let (queue, sent, longest_wait) = (VecDeque::new(), 0, Duration::ZERO);
        self.sources.push(Source { sender, update, every, next: self.now, queue, sent, longest_wait });
        self.sources.len() - 1
    }

    /// Lets everybody send until a time.
    fn run(&mut self, until: Duration) {
        while self.now < until {
            let mut wake = until;
            for source in &mut self.sources {
                while source.next <= self.now && (source.every.is_some() || source.queue.is_empty()) {
                    source.queue.push_back((source.update, self.now));
                    source.next = source.every.map_or(self.now, |every| source.next + every);
                }
                if source.every.is_some() {
                    wake = wake.min(source.next);
                }
            }
            let mut any = false;
            for source in &mut self.sources {
                let Some((left, since)) = source.queue.front_mut() else { continue };
                match self.turns.ask(source.sender, *left, self.now) {
                    Turn::Now(bytes) => {
                        any = true;
                        *left -= bytes;
                        source.sent += bytes as u64;
                        self.out.push((self.now, bytes as u64));
                        if *left == 0 {
                            source.longest_wait = source.longest_wait.max(self.now - *since);
                            source.queue.pop_front();
                        }
                    }
                    Turn::At(at) => wake = wake.min(at),
                    Turn::Later => {}
                }
            }
            if !any {
                self.now = wake;
            }
        }
    }

    fn sent(&self, source: usize) -> u64 {
        self.sources[source].sent
    }
}

#[test]
fn all_who_have_enough_to_send_get_the_same_whatever_the_size_of_their_updates() {
    let mut world = World::new("8M");
    for update in [100, 1400, 65_536, 65_536] {
        world.add(update, None);
    }
    world.run(ms(10_000));
    let sent: Vec<_> = (0..4).map(|source| world.sent(source)).collect();
    let (least, most) = (sent.iter().min().unwrap(), sent.iter().max().unwrap());
    assert!(most - least <= 2 * 16 * 1024, "{sent:?}");
    let all: u64 = sent.iter().sum();
    // 10 s at 1 MB/s, less a twentieth for headers.
    assert!((9_400_000..9_700_000).contains(&all), "{all}");
}

#[test]
fn what_one_does_not_use_is_for_the_others() {
    let mut world = World::new("8M");
    let (small, large, larger) = (world.add(1000, Some(ms(10))), world.add(65_536, None), world.add(65_536, None));
    world.run(ms(10_000));
    assert!(world.sent(small) >= 990_000, "{}", world.sent(small));
    assert!(world.sent(large) > 4_000_000 && world.sent(large).abs_diff(world.sent(larger)) <= 32 * 1024);
}

#[test]
fn a_small_update_waits_for_at_most_one_turn_of_each_other_sender() {
    let mut world = World::new("8M");
    let small = world.add(1000, Some(ms(333)));
    for _ in 0..4 {
        world.add(65_536, None);
    }
    world.run(ms(20_000));
    // 16 KiB are 17.2 ms.
    assert!(world.sources[small].longest_wait <= ms(4 * 18), "{:?}", world.sources[small].longest_wait);
    assert_eq!(world.sent(small), 61_000);
}

#[test]
fn on_a_quiet_line_an_update_goes_at_once() {
    let mut world = World::new("8M");
    let only = world.add(30_000, Some(ms(500)));
    world.run(ms(5000));
    assert_eq!(world.sources[only].longest_wait, Duration::ZERO);
}

#[test]
fn in_no_time_more_is_sent_than_in_it_and_80_ms_headers_included() {
    for (rate, bytes_per_ms) in [("100k", 12.5), ("800k", 100.0), ("5M", 625.0), ("1G", 125_000.0)] {
        let mut world = World::new(rate);
        for (update, every) in [(65_536, None), (500, Some(ms(7))), (65_536, None), (20_000, Some(ms(1700)))] {
            world.add(update, every);
        }
        world.run(ms(3000));
        world.sources.iter_mut().for_each(|source| (source.every, source.next) = (Some(ms(1_000_000)), ms(1_000_000)));
        world.run(ms(60_000));
        world.sources[0].every = None;
        world.sources[0].next = world.now;
        world.run(ms(62_000));
        for (i, (begin, _)) in world.out.iter().enumerate() {
            let mut sum = 0;
            for (at, bytes) in world.out[i..].iter().take(200) {
                sum += bytes + bytes / HEADERS;
                let time = (*at - *begin).as_secs_f64() * 1000.0;
                assert!(sum as f64 <= (time + 81.0) * bytes_per_ms, "{rate}: {sum} in {time} ms");
            }
        }
    }
}

#[test]
fn who_was_quiet_has_no_claim_to_what_it_did_not_use() {
    let mut world = World::new("8M");
    let busy = world.add(65_536, None);
    let quiet = world.add(65_536, Some(ms(60_000)));
    world.sources[quiet].next = ms(10_000);
    world.run(ms(10_000));
    (world.sources[quiet].every, world.sources[quiet].next) = (None, world.now);
    let before = world.sent(busy);
    world.run(ms(11_000));
    let (busy, quiet) = (world.sent(busy) - before, world.sent(quiet));
    assert!(busy.abs_diff(quiet) <= 2 * 16 * 1024, "{busy} {quiet}");
}

#[test]
fn one_that_gives_up_its_turn_or_goes_holds_nobody_up() {
    let mut turns = Turns::new("8M".parse().unwrap());
    let (a, b, c) = (turns.open(), turns.open(), turns.open());
    assert!(matches!(turns.ask(a, 65_536, ms(0)), Turn::Now(_)));
    while let Turn::Now(_) = turns.ask(a, 65_536, ms(0)) {}
    assert!(matches!(turns.ask(b, 1, ms(0)), Turn::At(_)), "it was given less");
    assert_eq!(turns.ask(c, 1, ms(0)), Turn::Later);
    turns.give_up(b);
    assert_eq!(turns.first(), Some(c));
    assert!(matches!(turns.ask(c, 1, ms(0)), Turn::At(_)));
    turns.close(c);
    assert_eq!((turns.first(), turns.senders()), (Some(a), 2));
    assert_eq!(turns.ask(c, 1, ms(0)), Turn::Later, "it is closed");
    assert_eq!(turns.first(), Some(a));
}

#[test]
fn what_is_urgent_waits_for_nothing_and_the_others_wait_for_it() {
    let mut turns = Turns::new("8M".parse().unwrap());
    let a = turns.open();
    turns.urgent(1_000_000, ms(0));
    let Turn::At(at) = turns.ask(a, 1000, ms(0)) else { panic!("too early") };
    assert!(at > ms(1000) && at < ms(1050), "{at:?}");
    assert_eq!(turns.ask(a, 1000, at), Turn::Now(1000));
}

#[test]
fn a_share_is_what_each_gets_at_least() {
    let mut turns = Turns::new("8M".parse().unwrap());
    assert_eq!(turns.share(ms(1000)), 950_000);
    let _four = [(); 4].map(|()| turns.open());
    assert_eq!(turns.share(ms(2000)), 475_000);
}
