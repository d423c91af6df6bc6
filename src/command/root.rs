//! `treevnc root`: show this machine's screen, or that of a VNC server, and be the top of the tree.

mod networks;
mod opening;
mod window;

use super::{asked_to_stop, credentials, listen, machine_name, metrics, random, random_number, runtime};
use crate::cli::RootArgs;
use anyhow::Context;
use tokio::sync::mpsc;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::tree::message::Policy;
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::ticket::Key;
use treevnc_protocol::update::SessionId;
use treevnc_protocol::view::View;
use treevnc_relay::upload::Upload;
use treevnc_root::presenter::{SessionError, SessionOptions};
use treevnc_root::session::{Home, Root, RootEnd, RootOptions};
use treevnc_screen::display::Choice;
use treevnc_screen::vnc::VncServer;
use treevnc_viewer::picture::Shown;
use treevnc_viewer::playback::play;
use treevnc_viewer::window::WindowOptions;

/// Commands of the window that may wait.
const COMMANDS: usize = 8;

pub(super) fn run(args: RootArgs) -> anyhow::Result<()> {
    let credentials = credentials::read(args.user, args.password_file.as_deref())?;
    let name = args.name.unwrap_or_else(machine_name);
    let home = match args.vnc {
        Some(vnc) => {
            let address = vnc.parse().with_context(|| format!("--vnc {vnc}"))?;
            let options = SessionOptions { view: view(args.display), name: None };
            Home::Vnc { server: VncServer { address, credentials }, options }
        }
        None => Home::Screen { choice: args.display, name: machine_name() },
    };
    let mirrors = matches!(home, Home::Screen { .. });
    let upload = Upload::new(args.max_upload);
    let options = RootOptions { upload, ..options(home, args.share.into(), name.clone(), true)? };
    let reached = opening::wanted(args.listen);
    let reached = if args.open_port { Some(reached?) } else { reached.ok() };
    let runtime = runtime()?;
    let inside = runtime.enter();
    let metrics = args.metrics.map(metrics::open).transpose()?;
    let root = Root::new(options, listen(args.listen)?)?;
    drop(inside);
    let outside = reached.and_then(|own| opening::Outside::new(own, root.local_addrs(), args.open_port));
    let handle = root.handle();
    let announcing = networks::announce(handle.networks(), root.local_addrs().to_vec());
    let ending = handle.clone();
    let ended = async move {
        asked_to_stop().await;
        ending.end().await;
    };
    let watched = handle.clone();
    let given_out = metrics::serve(metrics, move || treevnc_root::metrics::page(&watched));
    let running = async {
        tokio::select! {
            end = root.run() => Err(advice(end)),
            () = given_out => Ok(()),
            () = ended => Ok(()),
            () = announcing => Ok(()),
        }
    };
    if !args.window {
        return runtime.block_on(opening::during(outside, running));
    }
    let shown = Shown::new();
    shown.set_session(&name);
    let (commands, asked) = mpsc::channel(COMMANDS);
    let session = {
        let shown = shown.clone();
        runtime.spawn(opening::during(outside, async move {
            let attending = async {
                window::attend(&handle, &shown, mirrors, asked).await;
                handle.end().await;
            };
            let result = tokio::select! {
                result = running => result,
                () = attending => Ok(()),
                () = play(handle.log().clone(), shown.clone()) => Ok(()),
            };
            shown.close();
            result
        }))
    };
    let window = treevnc_viewer::window::run(shown, WindowOptions::default(), commands);
    // The session ends with its window, also with one that did not open, and leaves the router's port closed.
    let result = runtime.block_on(session)?;
    window?;
    result
}

/// What to do about a session that ended by itself.
fn advice(end: RootEnd) -> anyhow::Error {
    match &end {
        RootEnd::Refused(SessionError::Connect(error)) => credentials::with_advice(&end, error),
        _ => end.into(),
    }
}

/// What a root is made from, with fresh random numbers.
pub(crate) fn options(home: Home, policy: Policy, name: String, discoverable: bool) -> anyhow::Result<RootOptions> {
    let (session, id, secret) = (SessionId(random_number()?), NodeId(random_number()?), Key::new(random()?));
    Ok(RootOptions { home, policy, name, discoverable, session, id, secret, upload: Upload::unlimited() })
}

/// The part of a VNC server's screen that a choice means.
fn view(choice: Choice) -> View {
    match choice {
        Choice::Whole => View::Whole,
        Choice::Number(number) => View::Number(number),
        Choice::Id(id) => View::Display { id, rect: Rect::new(0, 0, 0, 0) },
        Choice::Area(rect) => View::Area(rect),
    }
}
