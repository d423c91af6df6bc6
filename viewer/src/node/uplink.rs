//! The connections a node dials: calls to the root, and the link to its parent.

use super::Shared;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::{debug, warn};
use treevnc_protocol::tree::children::Link;
use treevnc_protocol::tree::member::{Member, attach};
use treevnc_protocol::tree::message::{AttachReply, ConnectTo, Fault, Intake, MAX_LINE, Message, Position};
use treevnc_protocol::tree::pulse::{Peer, PulseConfig};
use treevnc_protocol::tree::slot::Slot;
use treevnc_protocol::update::Seq;
use treevnc_relay::link::{Incoming, LinkEnd, LinkError, TreeLink, Vitals, dial, dial_near};

/// How long the other side may take to greet. The member's own deadlines are about as long.
const DIAL: Duration = Duration::from_secs(3);

/// How long connecting to a parent of the same network may take: a first packet that is lost is sent again after 1 s. Where networks keep
/// computers apart, nothing comes, and the root is to know soon.
const NEAR: Duration = Duration::from_millis(1250);

/// One call to the root: sends `first`, then what comes by `lane`; hands on what the root says. Ends when the lane is closed and empty,
/// or with the connection.
pub(super) async fn call_root(
    shared: Arc<Shared>,
    call: Link,
    address: SocketAddr,
    first: Message,
    lane: mpsc::Receiver<Message>,
) {
    let talk = async {
        let mut link = dial(address, DIAL).await?;
        link.write_message(&first).await?;
        converse(&shared, call, link, lane).await
    };
    let ended: Result<(), LinkError> = talk.await;
    if let Err(error) = ended {
        debug!("the call to {address} ended: {error}");
        shared.with_member(|member: &mut Member, now| member.handle_root_closed(call, now));
    }
}

/// Sends what comes by `lane` and hands on what the root says. Ends when the lane is closed and empty, or with the connection.
pub(super) async fn converse(
    shared: &Shared,
    call: Link,
    mut link: TreeLink,
    mut lane: mpsc::Receiver<Message>,
) -> Result<(), LinkError> {
    loop {
        tokio::select! {
            message = lane.recv() => match message {
                Some(message) => link.write_message(&message).await?,
                None => return Ok(()),
            },
            incoming = link.read() => {
                if let Incoming::Message(message) = incoming? {
                    shared.with_member(|member, now| member.handle_root_message(call, &message, now));
                }
            }
        }
    }
}

/// The link to a parent: attaches, then takes updates into the log until the link ends.
pub(super) async fn follow_parent(shared: Arc<Shared>, link: Link, place: ConnectTo) {
    let is_root = place.slot.parent() == Some(Slot::ROOT);
    let fault = match dial_near(place.address, if is_root { DIAL } else { NEAR }, DIAL).await {
        Ok(parent) => receive(&shared, link, &place, parent).await,
        Err(error) => {
            debug!("no link to the parent at {}: {error}", place.address);
            Fault::Unreachable
        }
    };
    shared.with_member(|member: &mut Member, now| member.handle_parent_closed(link, fault, now));
}

/// Attaches, and receives until the link ends or the parent is lost.
async fn receive(shared: &Arc<Shared>, link: Link, place: &ConnectTo, mut parent: TreeLink) -> Fault {
    let (session, head) = shared.log.with(|log| (log.session(), log.head()));
    let question = Message::Attach(attach(place, Position { session, seq: head }));
    if parent.write_message(&question).await.is_err() {
        return Fault::Closed;
    }
    // Until the answer has come, the member's own time for it counts.
    let mut reception = Reception::default();
    let ended = match parent.read().await {
        Ok(answer) => match take_in(shared, &mut reception, link, place, answer) {
            Ok(()) => stay(shared, reception, link, place, parent).await,
            Err(end) => end,
        },
        Err(error) => error.into(),
    };
    match ended {
        LinkEnd::Link(ref error) if error.is_fault() => warn!("the parent at {} breaks the protocol: {error}", place.address),
        _ => debug!("the link to the parent at {} ended: {ended}", place.address),
    }
    ended.fault()
}

/// Takes in what the parent sends, and beats.
async fn stay(shared: &Arc<Shared>, mut reception: Reception, link: Link, place: &ConnectTo, parent: TreeLink) -> LinkEnd {
    let vitals = Vitals::new(&parent, Peer::Parent, PulseConfig::default(), shared.beat.subscribe());
    let (mut reader, mut writer) = parent.split();
    let mut behind = shared.behind.subscribe();
    if shared.is_site {
        behind.mark_changed();
    }
    let reading = async {
        loop {
            let incoming = reader.read().await?;
            vitals.heard(&incoming);
            take_in(shared, &mut reception, link, place, incoming)?;
        }
    };
    let beating = async {
        loop {
            let message = tokio::select! {
                heartbeat = vitals.heartbeat() => heartbeat,
                Ok(()) = behind.changed() => Message::Site(*behind.borrow_and_update()),
                answers = shared.next_answers() => answers,
            };
            writer.write_message(&message).await?;
        }
    };
    let ended: Result<Infallible, LinkEnd> = tokio::select! {
        ended = reading => ended,
        ended = beating => ended,
        fault = vitals.fault() => Err(LinkEnd::Lost(fault)),
    };
    let Err(end) = ended;
    end
}

/// What has come over a link.
#[derive(Debug, Default)]
struct Reception {
    /// What the parent had when the link began: checks up to it are older than this node's being here.
    head: Seq,
    /// Bytes of updates since the last complete point.
    bytes: u64,
    /// The newest check that has come, until everything up to it is complete.
    check: Option<Seq>,
}

fn take_in(
    shared: &Arc<Shared>,
    reception: &mut Reception,
    link: Link,
    place: &ConnectTo,
    incoming: Incoming,
) -> Result<(), LinkEnd> {
    let (update, until) = match incoming {
        Incoming::Update(update, until) => (update, until),
        Incoming::Message(message) => return heard(shared, reception, link, place, message),
    };
    let (seq, is_check, bytes) = (update.seq, update.check, update.cost_bytes());
    let (before, complete) = shared.log.with(|log| (log.head(), log.complete()));
    let is_new = shared.log.append(update, until).map_err(LinkError::from)?;
    count(&mut shared.answers.intake(), bytes as u64, (is_new && complete != Seq::NONE).then_some((before, seq)));
    if is_new && is_check {
        shared.answers.check_came(seq);
        if seq > reception.head {
            reception.check = Some(seq);
        }
    }
    reception.bytes += bytes as u64;
    if until == seq {
        let bytes = std::mem::take(&mut reception.bytes);
        reception.check.take().into_iter().for_each(|check| shared.answer(check, bytes));
    }
    Ok(())
}

/// Counts an update that has come; `gap` is from the one before it, where there was a whole picture already.
fn count(intake: &mut Intake, bytes: u64, gap: Option<(Seq, Seq)>) {
    intake.count_bytes(bytes);
    if let Some((before, seq)) = gap {
        intake.count_skipped(before, seq);
    }
}

fn heard(shared: &Shared, reception: &mut Reception, link: Link, place: &ConnectTo, message: Message) -> Result<(), LinkEnd> {
    match message {
        Message::AttachReply(reply) => {
            if let AttachReply::Ok { head } = reply {
                reception.head = head;
                begin(shared, place);
            }
            shared.with_member(|member: &mut Member, now| member.handle_attach_reply(link, reply, now));
        }
        Message::Heartbeat(heartbeat) => heard_beat(shared, heartbeat.beat),
        Message::Presenter(presenter) => {
            if shared.is_site && (presenter.line.contains(&place.id) || presenter.line.len() >= MAX_LINE) {
                warn!("the session comes to {} through this site itself, or through too many others", place.address);
                return Err(LinkEnd::Local);
            }
            shared.presenter.send_replace(presenter);
        }
        _ => {}
    }
    Ok(())
}

/// The link is that of this tree, and the log of its updates, from now on.
fn begin(shared: &Shared, place: &ConnectTo) {
    if shared.tree.swap(place.session.0, Ordering::Relaxed) != place.session.0 {
        shared.beat.send_replace(0);
    }
    if shared.log.with(|log| log.session()) != place.log {
        // Who waits for this session's line must not take the other one's for it.
        shared.presenter.send_modify(|presenter| presenter.line.clear());
        shared.log.replace(place.log);
        shared.answers.clear();
    }
}

/// Beats of the root only count when they go up: a new parent may be behind the one before.
fn heard_beat(shared: &Shared, beat: u64) {
    let is_newer = shared.beat.send_if_modified(|newest| {
        let is_newer = beat > *newest;
        *newest = beat.max(*newest);
        is_newer
    });
    if is_newer {
        shared.with_member(Member::handle_beat);
    }
}
