//! The tree while frames go down it and answers come up.

use super::answers::Answers;
use super::frames::Frames;
use super::host::{Host, SESSION, Sent};
use super::report::{DeliveryReport, DepthDelays};
use super::settings::{DeliveryError, DeliverySettings, wire_bytes};
use super::times::Times;
use crate::agenda::Agenda;
use crate::figures::Percentiles;
use std::sync::Arc;
use std::time::Duration;
use treevnc_protocol::log::Entry;
use treevnc_protocol::tree::delay::{Check, Receipt};
use treevnc_protocol::tree::message::{CheckDelayReply, DelayReply, Heartbeat, Message};
use treevnc_protocol::tree::slot::{NodeId, Slot};
use treevnc_protocol::update::Seq;

/// Something that happens to a host at its time.
#[derive(Debug)]
enum Event {
    /// The root shows a frame.
    Publish,
    /// Something is out, if nothing else has come between.
    Line(Slot),
    /// A node's program has an update.
    Update(Slot, Arc<Entry>, Seq),
    /// A message comes from this node to its parent.
    Message(Slot, Message),
    /// The gatherer's deadline.
    Gather(Slot),
}

/// The tree.
#[derive(Debug)]
pub(super) struct World {
    settings: DeliverySettings,
    now: Duration,
    agenda: Agenda<Event>,
    /// By slot; the first is the root.
    hosts: Vec<Host>,
    frames: Frames,
    times: Times,
    answers: Answers,
    /// The round trip of a heartbeat on a link that is otherwise idle.
    round_trip: Duration,
    steps: u64,
}

impl World {
    /// A tree in which everybody has the screen, and no picture yet.
    pub(super) fn new(settings: &DeliverySettings) -> Result<Self, DeliveryError> {
        let frames = Frames::new(settings)?;
        let slots = (0..=settings.nodes).map(|n| Slot(u32::try_from(n).unwrap_or(u32::MAX)));
        let mut hosts: Vec<Host> = slots.map(|slot| Host::new(settings, slot)).collect();
        let mut entry = None;
        for host in &mut hosts {
            match &entry {
                None => {
                    let screen = frames.screen();
                    let until = screen.seq;
                    host.log.append(screen, until)?;
                    entry = host.log.newest().cloned();
                }
                Some(entry) => _ = host.log.append_shared(entry, entry.update().seq)?,
            }
        }
        let mut agenda = Agenda::default();
        if settings.frames > 0 {
            agenda.push(Duration::ZERO, Event::Publish);
        }
        Ok(Self {
            settings: *settings,
            now: Duration::ZERO,
            agenda,
            hosts,
            frames,
            times: Times::new(settings),
            answers: Answers::new(),
            round_trip: round_trip(settings),
            steps: 0,
        })
    }

    /// Until everything is at rest.
    pub(super) fn run(mut self) -> Result<DeliveryReport, DeliveryError> {
        while let Some((now, event)) = self.agenda.pop() {
            self.now = now;
            self.steps += 1;
            match event {
                Event::Publish => self.publish()?,
                Event::Line(slot) => self.line_is_due(slot),
                Event::Update(slot, entry, until) => self.update_comes(slot, &entry, until)?,
                Event::Message(slot, message) => self.message_comes(slot, message),
                Event::Gather(slot) => self.gather(slot),
            }
        }
        Ok(self.report())
    }

    fn publish(&mut self) -> Result<(), DeliveryError> {
        let Some(root) = self.hosts.first_mut() else { return Ok(()) };
        let (mut bytes, mut last) = (0, Seq::NONE);
        for (update, until) in self.frames.next(self.now) {
            (bytes, last) = (bytes + update.cost_bytes() as u64, update.seq);
            root.log.append(update, until)?;
        }
        self.times.begin(self.now);
        self.answers.sent(Check { seq: last, began: self.now, bytes, expected: self.settings.nodes });
        if self.times.begun() < self.settings.frames {
            self.agenda.push(self.now + self.settings.interval, Event::Publish);
        }
        self.feed(Slot::ROOT);
        Ok(())
    }

    /// A host sends what it can.
    fn feed(&mut self, slot: Slot) {
        let Some(host) = self.hosts.get_mut(index(slot)) else { return };
        host.feed(self.now);
        if let Some(at) = host.plan() {
            self.agenda.push(at, Event::Line(slot));
        }
    }

    fn line_is_due(&mut self, slot: Slot) {
        let Some(all) = self.hosts.get_mut(index(slot)).and_then(|host| host.take_sent(self.now)) else { return };
        let arrives = self.now + self.settings.latency;
        for sent in all {
            match sent {
                Sent::Update(side, entry, until) => {
                    let Some(child) = slot.children().nth(side) else { continue };
                    let Some(host) = self.hosts.get_mut(index(child)) else { continue };
                    let done = host.done_with(arrives, self.settings.per_update);
                    self.agenda.push(done, Event::Update(child, entry, until));
                }
                Sent::Message(message) => self.agenda.push(arrives, Event::Message(slot, message)),
            }
        }
        self.feed(slot);
    }

    fn update_comes(&mut self, slot: Slot, entry: &Arc<Entry>, until: Seq) -> Result<(), DeliveryError> {
        let Some(host) = self.hosts.get_mut(index(slot)) else { return Ok(()) };
        if let Some((check, bytes)) = host.take_in(entry, until)? {
            host.gatherer.check_came(check);
            host.total.count_bytes(bytes);
            let receipt = Receipt { check, bytes, total: host.total, at: self.now };
            host.gatherer.answer(NodeId(slot.0.into()), &receipt, None);
            self.answers.given();
            self.times.note(self.frames.number(check), slot, self.now);
            self.gather(slot);
        } else {
            self.feed(slot);
        }
        Ok(())
    }

    /// A node's answers go, if they may, and whatever else it can send.
    fn gather(&mut self, slot: Slot) {
        let Some(host) = self.hosts.get_mut(index(slot)) else { return };
        if let Some(replies) = host.gatherer.poll(self.now) {
            host.say(Message::CheckDelayReply(CheckDelayReply { session: SESSION, replies }), self.now);
        }
        if let Some(deadline) = host.gatherer.deadline().filter(|deadline| host.asked_at != Some(*deadline)) {
            host.asked_at = Some(deadline);
            self.agenda.push(deadline, Event::Gather(slot));
        }
        self.feed(slot);
    }

    fn message_comes(&mut self, from: Slot, message: Message) {
        let (Message::CheckDelayReply(batch), Some(parent)) = (message, from.parent()) else { return };
        let (trip, now) = (self.round_trip, self.now);
        if parent != Slot::ROOT {
            if let Some(host) = self.hosts.get_mut(index(parent)) {
                host.gatherer.pass_on(&batch.replies, Some(trip), Some(trip), now);
            }
            return self.gather(parent);
        }
        let Self { times, frames, answers, .. } = self;
        let slot = |reply: &DelayReply| u32::try_from(reply.node.0).ok().map(Slot);
        let truth = |reply: &DelayReply| times.of(frames.number(reply.check), slot(reply)?);
        answers.arrived(from.seat().unwrap_or(0), &batch.replies, trip, now, truth);
    }

    fn report(self) -> DeliveryReport {
        let depths: Vec<DepthDelays> = (1..).map_while(|depth| self.row(depth)).collect();
        let had: usize = depths.iter().filter_map(|row| row.one_way.as_ref()).map(|one_way| one_way.count).sum();
        DeliveryReport {
            settings: self.settings,
            refused: None,
            skipped: (self.settings.frames * self.settings.nodes - had) as u64,
            answers: self.answers.figures(self.settings.nodes),
            ended: self.now,
            steps: self.steps,
            depths,
        }
    }

    fn row(&self, depth: u32) -> Option<DepthDelays> {
        let (first, next) = (Slot::first_of_row(depth)?, Slot::first_of_row(depth + 1)?);
        let slots = first.0..next.0.min(u32::try_from(self.hosts.len()).unwrap_or(u32::MAX));
        let of_frame = |frame| slots.clone().filter_map(move |slot| self.times.of(frame, Slot(slot)));
        let times: Vec<Duration> = (0..self.times.begun()).flat_map(of_frame).collect();
        let (nodes, floor) = (slots.len(), self.settings.floor(depth));
        (nodes > 0).then(|| DepthDelays { depth, nodes, one_way: Percentiles::of(times), floor })
    }
}

fn index(slot: Slot) -> usize {
    slot.0 as usize
}

/// What a link that is otherwise idle says of its round trip: a heartbeat each way.
fn round_trip(settings: &DeliverySettings) -> Duration {
    let heartbeat = Message::Heartbeat(Heartbeat { beat: 1 << 13, received: 1 << 27 });
    (settings.latency + settings.time_for(wire_bytes(heartbeat.encode().len()))) * 2
}
