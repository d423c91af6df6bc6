use super::*;
use std::collections::VecDeque;

const MS: Duration = Duration::from_millis(1);
const HEARTBEAT_BYTES: u64 = 12;

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        crate::tree::mix::mixed(self.0) % bound
    }
}

/// Whose view of the link.
type Side = fn(&World) -> &Pulse;

/// One direction of a connection: in order, with a delay, a rate, and the peer's buffer in front of its program.
struct Pipe {
    written: u64,
    read: u64,
    /// When the bytes up to this count arrive, and the heartbeat they end.
    way: VecDeque<(Duration, u64, Option<Heartbeat>)>,
    last: Duration,
}

impl Pipe {
    fn new() -> Self {
        Self { written: 0, read: 0, way: VecDeque::new(), last: Duration::ZERO }
    }

    fn write(&mut self, bytes: u64, heartbeat: Option<Heartbeat>, arrives: Duration) {
        self.written += bytes;
        self.last = self.last.max(arrives);
        self.way.push_back((self.last, self.written, heartbeat));
    }

    fn take(&mut self, now: Duration) -> Option<Option<Heartbeat>> {
        let (_, count, heartbeat) = self.way.pop_front_if(|(at, ..)| *at <= now)?;
        self.read = count;
        Some(heartbeat)
    }
}

/// What happens to the link.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    /// The child's process is stopped.
    Stopped,
    /// Nothing arrives any more, either way.
    Cut,
    /// The child beats, and reads no more.
    Deaf,
}

struct World {
    parent: Pulse,
    child: Pulse,
    down: Pipe,
    up: Pipe,
    now: Duration,
    random: Random,
    /// One way, without queues.
    latency: u64,
    jitter: u64,
    /// Updates of 32 KiB keep the link busy; so many milliseconds for each.
    per_update: Option<u64>,
}

impl World {
    fn new(seed: u64, latency: u64, jitter: u64, per_update: Option<u64>) -> Self {
        let pulse = |peer| Pulse::new(peer, PulseConfig::default(), Duration::ZERO);
        let (down, up) = (Pipe::new(), Pipe::new());
        let (parent, child) = (pulse(Peer::Child), pulse(Peer::Parent));
        Self { parent, child, down, up, now: Duration::ZERO, random: Random(seed), latency, jitter, per_update }
    }

    fn arrival(&mut self) -> Duration {
        self.now + ms(self.latency + self.random.below(self.jitter + 1))
    }

    /// One millisecond.
    fn step(&mut self, trouble: Trouble) {
        self.now += MS;
        let now = self.now;
        if let Some(heartbeat) = self.parent.poll_heartbeat(1, now) {
            let arrives = self.arrival();
            self.down.write(HEARTBEAT_BYTES, Some(heartbeat), arrives);
        }
        // Half a megabyte on the way at most, as a socket would have it; each piece takes its time on the line.
        if let Some(per_update) = self.per_update {
            while self.down.written - self.down.read < 500_000 {
                for _ in 0..32 {
                    let arrives = self.arrival().max(self.down.last + ms(per_update) / 32);
                    self.down.write(1024, None, arrives);
                }
            }
        }
        if trouble != Trouble::Cut {
            while let Some(heartbeat) = self.up.take(now) {
                self.parent.handle_counts(self.up.read, self.down.written, now);
                heartbeat.into_iter().for_each(|heartbeat| self.parent.handle_heartbeat(&heartbeat, now));
            }
        }
        self.parent.handle_counts(self.up.read, self.down.written, now);
        if trouble != Trouble::Stopped {
            self.step_child(trouble);
        }
    }

    fn step_child(&mut self, trouble: Trouble) {
        let now = self.now;
        while trouble == Trouble::None
            && let Some(heartbeat) = self.down.take(now)
        {
            self.child.handle_counts(self.down.read, self.up.written, now);
            heartbeat.into_iter().for_each(|heartbeat| self.child.handle_heartbeat(&heartbeat, now));
        }
        if trouble == Trouble::Deaf {
            // Its reading is stuck, not its parent: that is not what is looked at here.
            self.child.heard = now;
        }
        self.child.handle_counts(self.down.read, self.up.written, now);
        if let Some(heartbeat) = self.child.poll_heartbeat(1, now) {
            let arrives = self.arrival();
            self.up.write(HEARTBEAT_BYTES, Some(heartbeat), arrives);
        }
    }

    /// What is found out first: by the parent about the child, or the other way round.
    fn run(&mut self, time: Duration, trouble: Trouble) -> Option<(Peer, Fault)> {
        let end = self.now + time;
        while self.now < end {
            self.step(trouble);
            let of_child = self.parent.poll_fault(self.now).map(|fault| (Peer::Child, fault));
            let of_parent = || self.child.poll_fault(self.now).filter(|_| trouble != Trouble::Stopped);
            let fault = of_child.or_else(|| of_parent().map(|fault| (Peer::Parent, fault)));
            if fault.is_some() {
                return fault;
            }
        }
        None
    }

    /// How long one side takes to find the other silent.
    fn until_silent(&mut self, trouble: Trouble, side: Side) -> Duration {
        let begun = self.now;
        while side(self).poll_fault(self.now).is_none() {
            assert!(self.now - begun < ms(10_000), "found nothing");
            self.step(trouble);
        }
        assert_eq!(side(self).poll_fault(self.now), Some(Fault::Silence));
        self.now - begun
    }
}

#[test]
fn links_that_live_are_never_found_faulty_however_slow() {
    for seed in 0..40 {
        let mut draw = Random(seed);
        let (latency, jitter) = (draw.below(300), draw.below(150));
        // From 30 MB/s down to 32 KiB in 4 s.
        let per_update = [None, Some(1), Some(20), Some(400), Some(4000)][usize::try_from(draw.below(5)).unwrap()];
        let mut world = World::new(seed, latency, jitter, per_update);
        let fault = world.run(ms(60_000), Trouble::None);
        assert_eq!(fault, None, "seed {seed}: {latency}+{jitter} ms, {per_update:?} ms per update, at {:?}", world.now);
        if per_update.is_none() {
            let (trip, least) = (world.parent.round_trip().unwrap(), ms(2 * latency));
            assert!(least <= trip && trip <= least + ms(2 * jitter) + 3 * MS, "{trip:?} with {latency}+{jitter} ms");
            let of_child = world.child.round_trip().unwrap();
            assert!(of_child <= least + ms(2 * jitter) && of_child + ms(200) >= least, "{of_child:?} with {latency}+{jitter} ms");
        }
    }
}

#[test]
fn a_stopped_child_and_both_ends_of_a_cut_link_are_found_silent_within_the_limit() {
    let (of_parent, of_child): (Side, Side) = (|world| &world.parent, |world| &world.child);
    let sides = [(Trouble::Stopped, of_parent), (Trouble::Cut, of_parent), (Trouble::Cut, of_child)];
    for seed in 0..20 {
        for (trouble, side) in sides {
            let mut draw = Random(seed);
            let (latency, jitter) = (draw.below(100), draw.below(20));
            let mut world = World::new(seed, latency, jitter, Some(1 + draw.below(50)));
            assert_eq!(world.run(ms(5000 + draw.below(400)), Trouble::None), None);
            let limit = side(&world).silence_limit();
            let taken = world.until_silent(trouble, side);
            // What is on its way is heard first; what came last came at most one interval and its jitter ago.
            assert!(taken <= limit + ms(latency + jitter + 2), "{taken:?} with a limit of {limit:?}");
            assert!(taken + ms(201 + 2 * latency + jitter) >= limit, "too early: {taken:?} with a limit of {limit:?}");
        }
    }
}

#[test]
fn on_a_quick_link_silence_is_found_after_600_ms() {
    let mut world = World::new(1, 0, 1, None);
    assert_eq!(world.run(ms(5000), Trouble::None), None);
    assert_eq!(world.parent.silence_limit(), ms(600));
    assert_eq!(world.child.silence_limit(), ms(600));
}

#[test]
fn a_child_that_beats_and_takes_nothing_makes_no_progress() {
    for (latency, limit) in [(1, ms(2000)), (400, ms(3000))] {
        let mut world = World::new(2, latency, 0, Some(5));
        assert_eq!(world.run(ms(20_000), Trouble::None), None);
        let begun = world.now;
        assert_eq!(world.run(ms(30_000), Trouble::Deaf), Some((Peer::Child, Fault::NoProgress)));
        assert!(world.parent.progress_limit() >= limit);
        let taken = world.now - begun;
        assert!(taken <= world.parent.progress_limit() + ms(2 * latency + 201), "{taken:?}");
    }
}

#[test]
fn a_child_with_nothing_to_take_needs_no_progress() {
    let mut pulse = Pulse::new(Peer::Child, PulseConfig::default(), Duration::ZERO);
    for step in 1..100 {
        pulse.handle_counts(step, 500, ms(100 * step));
        pulse.handle_heartbeat(&Heartbeat { beat: 0, received: 500 }, ms(100 * step));
        assert_eq!(pulse.poll_fault(ms(100 * step)), None);
    }
    let since = ms(9900);
    pulse.handle_counts(99, 100_000, since);
    let mut now = since;
    let mut read = 99;
    while pulse.poll_fault(now).is_none() {
        (now, read) = (now + ms(100), read + 1);
        pulse.handle_counts(read, 100_000, now);
        pulse.handle_heartbeat(&Heartbeat { beat: 0, received: 500 }, now);
    }
    assert_eq!((pulse.poll_fault(now), now - since), (Some(Fault::NoProgress), pulse.progress_limit()));
}

#[test]
fn before_a_round_trip_is_known_silence_is_a_second_and_two_intervals() {
    let pulse = Pulse::new(Peer::Parent, PulseConfig::default(), ms(50));
    assert_eq!(pulse.poll_fault(ms(1449)), None);
    assert_eq!(pulse.poll_fault(ms(1450)), Some(Fault::Silence));
}

#[test]
fn time_in_which_this_program_did_not_run_is_not_held_against_the_peer() {
    let mut world = World::new(3, 1, 0, None);
    assert_eq!(world.run(ms(3000), Trouble::None), None);
    world.now += ms(60_000);
    assert_eq!(world.run(ms(3000), Trouble::None), None);
    world.now += ms(60_000);
    let taken = world.until_silent(Trouble::Cut, |world| &world.parent);
    assert!(taken <= ms(600), "after waking the time runs again: {taken:?}");
}

#[test]
fn a_heartbeat_is_due_at_each_interval_and_a_parents_is_answered_at_once() {
    let mut pulse = Pulse::new(Peer::Parent, PulseConfig::default(), Duration::ZERO);
    pulse.handle_counts(77, 0, ms(0));
    assert_eq!((pulse.poll_heartbeat(5, ms(199)), pulse.heartbeat_deadline()), (None, ms(200)));
    assert_eq!(pulse.poll_heartbeat(5, ms(200)), Some(Heartbeat { beat: 5, received: 77 }));
    pulse.handle_heartbeat(&Heartbeat { beat: 6, received: 0 }, ms(250));
    assert!(pulse.poll_heartbeat(6, ms(250)).is_some());
    assert_eq!(pulse.heartbeat_deadline(), ms(450));
    let mut pulse = Pulse::new(Peer::Child, PulseConfig::default(), Duration::ZERO);
    pulse.handle_heartbeat(&Heartbeat { beat: 1, received: 0 }, ms(50));
    assert_eq!(pulse.heartbeat_deadline(), ms(200), "a child's answer is not answered");
}

#[test]
fn a_child_that_claims_more_than_was_written_is_believed_no_further() {
    let mut pulse = Pulse::new(Peer::Child, PulseConfig::default(), Duration::ZERO);
    pulse.handle_counts(10, 1000, ms(100));
    pulse.handle_heartbeat(&Heartbeat { beat: 0, received: u64::MAX }, ms(100));
    assert_eq!((pulse.delivered(), pulse.outstanding()), (1000, 0));
    pulse.handle_counts(20, 3000, ms(200));
    pulse.handle_heartbeat(&Heartbeat { beat: 0, received: 7 }, ms(200));
    assert_eq!((pulse.delivered(), pulse.outstanding()), (1000, 2000));
}

#[test]
fn the_least_round_trip_is_that_of_the_last_seconds_not_of_all_times() {
    let mut pulse = Pulse::new(Peer::Child, PulseConfig::default(), Duration::ZERO);
    let mut now = Duration::ZERO;
    let mut trip = |pulse: &mut Pulse, millis: u64| {
        now += Duration::from_secs(1);
        pulse.handle_counts(now.as_secs(), now.as_secs() * 100, now);
        pulse.poll_heartbeat(1, now);
        let later = now + Duration::from_millis(millis);
        pulse.handle_counts(now.as_secs(), now.as_secs() * 100 + 10, later);
        pulse.handle_heartbeat(&Heartbeat { beat: 1, received: now.as_secs() * 100 + 10 }, later);
        pulse.least_round_trip()
    };
    assert_eq!(trip(&mut pulse, 9), Some(Duration::from_millis(9)));
    assert_eq!(trip(&mut pulse, 4), Some(Duration::from_millis(4)));
    assert_eq!(trip(&mut pulse, 30), Some(Duration::from_millis(4)));
    let last = (0..30).map(|_| trip(&mut pulse, 20)).last();
    assert_eq!(last, Some(Some(Duration::from_millis(20))), "the way has become longer");
}
