//! `treevnc share`: be a node of a session and show a screen to everybody in it, without a window.

use super::join::{Joining, find, live};
use super::{asked_to_stop, credentials, runtime};
use crate::cli::{ShareArgs, SourceArgs};
use anyhow::{Context, anyhow};
use std::convert::Infallible;
use tokio::sync::{oneshot, watch};
use treevnc_protocol::update::SessionId;
use treevnc_relay::shared_log::SharedLog;
use treevnc_screen::display::Choice;
use treevnc_screen::listing::listed;
use treevnc_screen::vnc::VncServer;
use treevnc_viewer::node::{NodeHandle, NodeState};
use treevnc_viewer::share::{ShareEnd, ShareOptions, ShareSource, Sharing, find_screen, share, share_found};

pub(super) fn run(args: ShareArgs) -> anyhow::Result<()> {
    let options = ShareOptions { source: source(&args.source)?, choice: args.display };
    let runtime = runtime()?;
    let root = runtime.block_on(find(&args.node))?;
    let inside = runtime.enter();
    let node = Joining::new(&args.node, root, SharedLog::new(SessionId(0)))?;
    drop(inside);
    let handle = node.handle();
    let ends_with_session = args.node.end_with_session;
    let (over_now, is_over) = oneshot::channel::<()>();
    let sharing = async {
        let end = tokio::select! {
            end = present(handle.clone(), options) => over(end),
            () = asked_to_stop() => Ok(()),
        };
        drop(over_now);
        end
    };
    let leaving = async { drop(is_over.await) };
    runtime.block_on(async {
        let living = live(node, handle.clone(), ends_with_session, leaving);
        tokio::pin!(living);
        tokio::select! {
            lived = &mut living => lived,
            shared = sharing => living.await.and(shared),
        }
    })
}

/// The screen that the options name.
pub(super) fn source(args: &SourceArgs) -> anyhow::Result<ShareSource> {
    let credentials = credentials::read(args.user.clone(), args.password_file.as_deref())?;
    let Some(vnc) = &args.vnc else { return Ok(ShareSource::Usual(credentials)) };
    let address = vnc.parse().with_context(|| format!("--vnc {vnc}"))?;
    Ok(ShareSource::Vnc(VncServer { address, credentials }))
}

/// Shares as soon as the node has its place, and says how it stands.
async fn present(node: NodeHandle, options: ShareOptions) -> ShareEnd {
    let mut state = node.state();
    if state.wait_for(|state| matches!(state, NodeState::Attached { .. })).await.is_err() {
        return ShareEnd::NotInTree;
    }
    let state = watch::Sender::new(Sharing::No);
    let said = say(state.subscribe());
    let sharing = async {
        if options.choice != Choice::Whole {
            return share(&node, &options, &state).await;
        }
        let found = match find_screen(&options.source).await {
            Ok(found) => found,
            Err(end) => return end,
        };
        if found.displays().len() > 1 {
            println!("sharing all displays: {}; --display N shares one", listed(found.displays()));
        }
        share_found(&node, found, Choice::Whole, &state).await
    };
    tokio::select! {
        end = sharing => end,
        never = said => match never {},
    }
}

async fn say(mut state: watch::Receiver<Sharing>) -> Infallible {
    loop {
        match &*state.borrow_and_update() {
            Sharing::No | Sharing::Asking => {}
            Sharing::Asked => println!("asked: waiting for somebody at the root to say yes"),
            Sharing::Starting => println!("accepted"),
            Sharing::Live => println!("live: everybody sees this screen; Ctrl+C ends it"),
            Sharing::Paused { by } => println!("paused: {by} is shown; this screen returns afterwards"),
        }
        if state.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// What the end of a share is for the person who began it: a failure, unless it was shown and others ended it.
fn over(end: ShareEnd) -> anyhow::Result<()> {
    match end {
        ShareEnd::Ended(reason) => {
            println!("over: {reason}");
            Ok(())
        }
        ShareEnd::Server(_, ref error) => Err(credentials::with_advice(&end, error)),
        end => Err(anyhow!(end)),
    }
}
