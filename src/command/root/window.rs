//! The root's window: what it shows of the floor and of the lecturer's screen, and what a person asks for there.

use tokio::sync::mpsc::Receiver;
use treevnc_protocol::tree::message::{FloorCommand, FloorRequest};
use treevnc_protocol::view::View;
use treevnc_root::floor::FloorView;
use treevnc_root::presenter::PresenterState;
use treevnc_root::session::RootHandle;
use treevnc_viewer::picture::{Note, Request, Shown};
use treevnc_viewer::window::WindowCommand;

/// Keeps the window up to date and does what the person asks, until the window is closed; `mirrors` says that the lecturer's screen is the
/// one that the window stands on. Dropping the future leaves the floor as it is.
pub(super) async fn attend(handle: &RootHandle, shown: &Shown, mirrors: bool, mut commands: Receiver<WindowCommand>) {
    let (mut floor, mut lecturer) = (handle.floor(), handle.presenter());
    loop {
        show_floor(&floor.borrow_and_update(), shown);
        let is_there = matches!(*lecturer.borrow_and_update(), PresenterState::Connected { .. });
        shown.set_mirror(mirrors && is_there && floor.borrow().presenting.is_none());
        show_note(&lecturer.borrow(), &floor.borrow(), shown);
        tokio::select! {
            command = commands.recv() => match command {
                None | Some(WindowCommand::Quit) => return,
                Some(command) => obey(handle, shown, command),
            },
            Ok(()) = floor.changed() => {}
            Ok(()) = lecturer.changed() => {}
        }
    }
}

fn obey(handle: &RootHandle, shown: &Shown, command: WindowCommand) {
    let wanted = match command {
        WindowCommand::Approve(number) => FloorCommand::Approve(Some(number)),
        WindowCommand::Refuse(number) => FloorCommand::Refuse(Some(number)),
        WindowCommand::BackToLecturer => FloorCommand::Back,
        WindowCommand::Policy(policy) => FloorCommand::Policy(policy),
        _ => return,
    };
    if !handle.command(wanted).done {
        shown.say("This request is no longer there");
    }
}

fn show_floor(floor: &FloorView, shown: &Shown) {
    shown.set_policy(floor.report.policy);
    shown.set_presenting(floor.presenting.as_ref().map_or("", |presenting| presenting.name.as_str()));
    shown.set_requests(floor.report.requests.iter().map(request));
}

/// The card of a request.
fn request(asked: &FloorRequest) -> Request {
    // Of a screen of its own a node brings what was chosen there, and nothing else: here it is all of it.
    let detail = match asked.view {
        View::Whole => "Everybody would see that screen".to_owned(),
        View::Display { rect, .. } | View::CutOut(rect) => {
            format!("Everybody would see one display, {}×{}", rect.width, rect.height)
        }
        View::Number(number) => format!("Everybody would see display {number}"),
        View::Area(rect) => format!("Everybody would see {}×{} of that screen", rect.width, rect.height),
    };
    Request { number: asked.number, name: asked.name.as_str().into(), detail: detail.into() }
}

/// What is wrong with what is shown: while a node presents, the lecturer's own screen does not matter.
fn show_note(lecturer: &PresenterState, floor: &FloorView, shown: &Shown) {
    shown.set_note(match lecturer {
        _ if floor.presenting.is_some() => Note::None,
        PresenterState::Connecting => Note::Connecting { to: "the presenter".into() },
        PresenterState::Connected { .. } if shown.scene().picture.is_none() => Note::Waiting,
        PresenterState::Connected { .. } => Note::None,
        PresenterState::Lost { why, .. } | PresenterState::Refused { why } => Note::PresenterGone { why: why.clone() },
    });
}
