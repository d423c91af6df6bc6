//! Shows test cards in the window, told what to do on standard input, one order per line:
//! `card N [WIDTH HEIGHT]`, `name TEXT`, `presenter TEXT`, `searching`, `connecting TEXT`, `waiting`, `gone`, `lost TEXT`,
//! `live`, `end TEXT`, `close`, and those of `floor.rs` about presenting. What the person asks for is printed, one command per line. Options: `--fullscreen`, `--one-to-one`, `--speed`, `--animate` (a new card thirty times a second).

mod card;
mod floor;

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use treevnc_viewer::picture::{Note, Shown, Stage};
use treevnc_viewer::window::{self, WindowOptions};

fn main() -> ExitCode {
    let asked = std::env::args().skip(1).collect::<Vec<_>>();
    let has = |option: &str| asked.iter().any(|asked| asked == option);
    let options = WindowOptions {
        fullscreen: has("--fullscreen"),
        one_to_one: has("--one-to-one"),
        quality: !has("--speed"),
        ..WindowOptions::default()
    };
    let shown = Shown::new();
    let told = shown.clone();
    std::thread::spawn(move || std::io::stdin().lock().lines().map_while(Result::ok).for_each(|line| obey(&told, &line)));
    if has("--animate") {
        let told = shown.clone();
        std::thread::spawn(move || animate(told));
    }
    let (commands, mut asked_by_person) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        while let Some(command) = asked_by_person.blocking_recv() {
            let _ = writeln!(std::io::stdout(), "{command:?}");
        }
    });
    let Err(error) = window::run(shown, options, commands) else { return ExitCode::SUCCESS };
    let _ = writeln!(std::io::stderr(), "show_picture: {error}");
    ExitCode::FAILURE
}

fn obey(shown: &Shown, line: &str) {
    let (order, rest) = line.split_once(' ').unwrap_or((line, ""));
    match order {
        "card" => {
            let numbers = rest.split(' ').filter_map(|number| number.parse().ok()).collect::<Vec<u16>>();
            let (number, width, height) = match numbers[..] {
                [number, width, height] => (number, width, height),
                [number, ..] => (number, 1280, 720),
                [] => (0, 1280, 720),
            };
            if let Ok(card) = card::card(width, height, number.into()) {
                shown.present(Arc::new(card));
            }
        }
        "name" => shown.set_session(rest),
        "presenter" => shown.set_presenter(rest),
        "searching" => shown.set_note(Note::Searching),
        "connecting" => shown.set_note(Note::Connecting { to: rest.into() }),
        "waiting" => shown.set_note(Note::Waiting),
        "gone" => shown.set_note(Note::PresenterGone { why: String::new() }),
        "lost" => shown.set_note(Note::ConnectionLost { retry: rest.into() }),
        "live" => shown.set_note(Note::None),
        "end" => shown.end(rest),
        "close" => shown.close(),
        _ => floor::obey(shown, order, rest),
    }
}

/// Alternates between two 1080p cards, as playback does: one picture that goes on changing.
fn animate(shown: Shown) {
    shown.set_session("Test cards");
    let Ok(cards) = (0..2).map(|number| card::card(1920, 1080, number)).collect::<Result<Vec<_>, _>>() else { return };
    let mut stage = Stage::new(shown.clone());
    for card in cards.iter().cycle() {
        stage.present(card, &[card.size().rect()]);
        std::thread::sleep(Duration::from_millis(33));
        if shown.scene().closing {
            return;
        }
    }
}
