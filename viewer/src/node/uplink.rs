//! The connections a node dials: calls to the root, and the link to its parent.

use super::Shared;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::{debug, warn};
use treevnc_protocol::tree::children::Link;
use treevnc_protocol::tree::member::{Member, attach};
use treevnc_protocol::tree::message::{AttachReply, ConnectTo, Fault, Message, Position};
use treevnc_protocol::tree::pulse::{Peer, PulseConfig};
use treevnc_relay::link::{Incoming, LinkEnd, LinkError, TreeLink, Vitals, dial};

/// How long the other side may take to greet. The member's own deadlines are about as long.
const DIAL: Duration = Duration::from_secs(3);

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
    let fault = match dial(place.address, DIAL).await {
        Ok(parent) => receive(&shared, link, &place, parent).await,
        Err(error) => {
            debug!("no link to the parent at {}: {error}", place.address);
            Fault::Unreachable
        }
    };
    shared.with_member(|member: &mut Member, now| member.handle_parent_closed(link, fault, now));
}

/// Attaches, and receives until the link ends or the parent is lost.
async fn receive(shared: &Shared, link: Link, place: &ConnectTo, mut parent: TreeLink) -> Fault {
    let (session, head) = shared.log.with(|log| (log.session(), log.head()));
    let question = Message::Attach(attach(place, Position { session, seq: head }));
    if parent.write_message(&question).await.is_err() {
        return Fault::Closed;
    }
    // Until the answer has come, the member's own time for it counts.
    let ended = match parent.read().await {
        Ok(answer) => match take_in(shared, link, place, answer) {
            Ok(()) => stay(shared, link, place, parent).await,
            Err(error) => error.into(),
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
async fn stay(shared: &Shared, link: Link, place: &ConnectTo, parent: TreeLink) -> LinkEnd {
    let vitals = Vitals::new(&parent, Peer::Parent, PulseConfig::default(), shared.beat.subscribe());
    let (mut reader, mut writer) = parent.split();
    let reading = async {
        loop {
            let incoming = reader.read().await?;
            vitals.heard(&incoming);
            take_in(shared, link, place, incoming)?;
        }
    };
    let beating = async {
        loop {
            writer.write_message(&vitals.heartbeat().await).await?;
        }
    };
    let ended: Result<Infallible, LinkError> = tokio::select! {
        ended = reading => ended,
        ended = beating => ended,
        fault = vitals.fault() => return LinkEnd::Lost(fault),
    };
    let Err(error) = ended;
    error.into()
}

fn take_in(shared: &Shared, link: Link, place: &ConnectTo, incoming: Incoming) -> Result<(), LinkError> {
    match incoming {
        Incoming::Update(update, until) => drop(shared.log.append(update, until)?),
        Incoming::Message(message) => heard(shared, link, place, message),
    }
    Ok(())
}

fn heard(shared: &Shared, link: Link, place: &ConnectTo, message: Message) {
    match message {
        Message::AttachReply(reply) => {
            let is_other_session = shared.log.with(|log| log.session()) != place.session;
            if matches!(reply, AttachReply::Ok { .. }) && is_other_session {
                shared.log.replace(place.session);
                shared.beat.send_replace(0);
            }
            shared.with_member(|member: &mut Member, now| member.handle_attach_reply(link, reply, now));
        }
        Message::Heartbeat(heartbeat) => heard_beat(shared, heartbeat.beat),
        Message::Presenter(presenter) => drop(shared.presenter.send_replace(presenter)),
        _ => {}
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
