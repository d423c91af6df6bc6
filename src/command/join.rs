//! `treevnc join`: find a session, take a place in its tree, watch and pass on.

mod joining;
mod window;

pub(crate) use joining::Joining;

use super::{asked_to_stop, look_up, metrics, relay_runtime};
use crate::cli::{JoinArgs, NodeArgs};
use anyhow::{Context, anyhow, bail};
use std::io::{BufRead, IsTerminal, Write};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use treevnc_protocol::tree::member::End;
use treevnc_protocol::tree::message::Presenter;
use treevnc_protocol::update::{Seq, SessionId};
use treevnc_relay::link::dial;
use treevnc_relay::shared_log::SharedLog;
use treevnc_viewer::find::{FoundRoot, USUAL_SEARCH, find_roots};
use treevnc_viewer::node::{NodeHandle, NodeState};
use treevnc_viewer::picture::{Note, Shown};
use treevnc_viewer::playback::play;
use treevnc_viewer::window::WindowOptions;
use window::Presenting;

/// How long a root may take to be reached at all.
const REACH: Duration = Duration::from_secs(5);
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(3);

/// Why there is no presenter when the root has ended the session. The node goes on looking for it for a while.
const SESSION_ENDED: &str = "the session has ended";

/// Commands of the window that may wait.
const COMMANDS: usize = 8;

pub(super) fn run(args: JoinArgs) -> anyhow::Result<()> {
    let source = super::share::source(&args.source)?;
    let runtime = relay_runtime()?;
    let inside = runtime.enter();
    let door = args.metrics.map(metrics::open).transpose()?;
    let root = runtime.block_on(find(&args.node))?;
    let log = SharedLog::new(SessionId(0));
    let node = Joining::new(&args.node, root, log.clone())?;
    drop(inside);
    let handle = node.handle();
    let watched = handle.clone();
    let given_out = metrics::serve(door, move || treevnc_viewer::metrics::page(&watched));
    if args.headless {
        let leaver = handle.clone();
        // On the thread that has the sockets.
        let living = runtime.spawn(async move {
            tokio::select! {
                result = live(node, leaver, args.node.end_with_session, asked_to_stop()) => result,
                () = given_out => Ok(()),
            }
        });
        return runtime.block_on(living)?;
    }
    let ends_with_session = args.node.end_with_session;
    let shown = Shown::new();
    let (commands, asked) = mpsc::channel(COMMANDS);
    let presenting = Presenting::new(handle.clone(), shown.clone(), source);
    let session = {
        let shown = shown.clone();
        runtime.spawn(async move {
            let stop = async {
                tokio::select! {
                    () = presenting.attend(asked) => {}
                    () = asked_to_stop() => shown.close(),
                }
            };
            handle.is_shown_by(shown.painted());
            let result = tokio::select! {
                result = live(node, handle.clone(), ends_with_session, stop) => result,
                () = play(log.clone(), shown.clone()) => Ok(()),
                () = follow(&handle, &log, &shown) => Ok(()),
                () = given_out => Ok(()),
            };
            match &result {
                Ok(()) => shown.close(),
                Err(error) => shown.end(&error.to_string()),
            }
            result
        })
    };
    let options =
        WindowOptions { fullscreen: args.fullscreen, one_to_one: args.one_to_one, quality: !args.speed, close_at_end: false };
    treevnc_viewer::window::run(shown, options, commands)?;
    runtime.block_on(session)?
}

/// Runs a node until it ends, or until `stop`, and then leaves in order; if it is to end with its session, until that has ended.
pub(super) async fn live(
    node: Joining,
    handle: NodeHandle,
    ends_with_session: bool,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut state = handle.state();
    let presenter = handle.presenter();
    let farewell = node.farewell();
    let running = node.run();
    tokio::pin!(running);
    let has_been_in = AtomicBool::new(false);
    let announce = async {
        loop {
            if let NodeState::Attached { slot, .. } = &*state.borrow_and_update() {
                has_been_in.store(true, Ordering::Relaxed);
                println!("attached at slot {slot} depth {}", slot.depth());
            }
            if state.changed().await.is_err() {
                return std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        end = &mut running => return ended(end, ends_with_session && has_been_in.load(Ordering::Relaxed)),
        () = stop => handle.leave(),
        () = announce => {}
        () = session_end(presenter, ends_with_session) => {
            // The links below go on until everybody has heard it.
            tokio::select! {
                _ = &mut running => {}
                () = farewell.say() => {}
            }
            return Ok(());
        }
    }
    let _ = tokio::time::timeout(LEAVING, running).await;
    Ok(())
}

/// Says when the root has ended the session; resolves then if it is waited for.
async fn session_end(mut presenter: watch::Receiver<Presenter>, is_waited_for: bool) {
    loop {
        let has_ended = presenter.wait_for(|presenter| presenter.ended).await.is_ok();
        if has_ended {
            println!("{SESSION_ENDED}");
        }
        if has_ended && is_waited_for {
            return;
        }
        if !has_ended || presenter.wait_for(|presenter| !presenter.ended).await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// The end of a node by itself; `is_expected` if it was to end with its session, and was in one.
fn ended(end: End, is_expected: bool) -> anyhow::Result<()> {
    match end {
        End::Left => Ok(()),
        End::GaveUp(reason) if is_expected => {
            println!("the session seems to have ended: {reason}");
            Ok(())
        }
        End::GaveUp(reason) => Err(anyhow!("gave up: {reason}")),
    }
}

/// The root's address: the one given, or one found on the network. It is there, unless a site is to wait for it.
pub(super) async fn find(args: &NodeArgs) -> anyhow::Result<SocketAddr> {
    let candidates = match &args.root {
        Some(host) => look_up(host).await?,
        None => search(args.session.as_deref()).await?,
    };
    let first = candidates.first().copied();
    let mut last = anyhow!("the root has no address");
    for address in candidates {
        match dial(address, REACH).await {
            Ok(_) => return Ok(address),
            Err(error) => {
                last = anyhow::Error::new(error).context(format!("no session at {address}; is `treevnc root` running there?"))
            }
        }
    }
    match first.filter(|_| args.direct) {
        Some(first) => {
            tracing::warn!("{last:#}; it is asked again and again");
            Ok(first)
        }
        None => Err(last),
    }
}

async fn search(wanted: Option<&str>) -> anyhow::Result<Vec<SocketAddr>> {
    let is_wanted = |root: &FoundRoot| wanted.is_none_or(|name| root.name.as_str() == name);
    let all = find_roots(USUAL_SEARCH, |_| ControlFlow::Continue(())).await?;
    let mut roots: Vec<FoundRoot> = all.into_iter().filter(is_wanted).collect();
    match (roots.len(), wanted) {
        (0, Some(name)) => bail!("no session called \"{name}\" answers on this network; give its address: treevnc join HOST"),
        (0, None) => bail!("no session answers on this network; give its address: treevnc join HOST"),
        (1, _) => Ok(roots.remove(0).addresses),
        _ => Ok(roots.swap_remove(choose(&roots)?).addresses),
    }
}

/// Lets the person at the terminal choose one of several sessions.
fn choose(roots: &[FoundRoot]) -> anyhow::Result<usize> {
    let mut list = String::new();
    for (n, root) in roots.iter().enumerate() {
        let place = root.addresses.first().map(ToString::to_string).unwrap_or_default();
        list += &format!("  {}  {}  ({place}, {} watching)\n", n + 1, root.name, root.viewers);
    }
    if !std::io::stdin().is_terminal() {
        bail!("several sessions answer; choose one with --session NAME or an address:\n{}", list.trim_end());
    }
    eprint!("{list}Which one? ");
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("nothing was chosen")?;
    let number: usize = line.trim().parse().context("that is not a number of the list")?;
    number.checked_sub(1).filter(|&n| n < roots.len()).ok_or_else(|| anyhow!("that is not a number of the list"))
}

/// Keeps the window's names and notes up to date.
async fn follow(handle: &NodeHandle, log: &SharedLog, shown: &Shown) {
    let (mut state, mut presenter, mut changed) = (handle.state(), handle.presenter(), log.changed());
    loop {
        changed.borrow_and_update();
        let has_picture = log.with(|log| log.complete()) != Seq::NONE;
        let gone = {
            let presenter = presenter.borrow_and_update();
            shown.set_presenting(presenter.name.as_str());
            if presenter.ended { SESSION_ENDED.to_owned() } else { presenter.gone.to_string() }
        };
        let note = match &*state.borrow_and_update() {
            NodeState::Asking | NodeState::Connecting { .. } if gone == SESSION_ENDED => Note::PresenterGone { why: gone },
            NodeState::Asking if has_picture => Note::ConnectionLost { retry: "asking the root for another place".into() },
            NodeState::Connecting { parent } if has_picture => Note::ConnectionLost { retry: format!("connecting to {parent}") },
            NodeState::Refused { reason } => Note::Refused { reason: reason.clone() },
            NodeState::Asking => Note::Connecting { to: "the root".into() },
            NodeState::Connecting { parent } => Note::Connecting { to: parent.to_string() },
            NodeState::Attached { session, .. } => {
                shown.set_session(session);
                match (gone.is_empty(), has_picture) {
                    (false, _) => Note::PresenterGone { why: gone },
                    (true, true) => Note::None,
                    (true, false) => Note::Waiting,
                }
            }
            NodeState::Ended => Note::Ended { reason: "left the session".into() },
        };
        shown.set_note(note);
        tokio::select! {
            _ = state.changed() => {}
            _ = presenter.changed() => {}
            _ = changed.changed(), if !has_picture => {}
        }
    }
}
