//! `treevnc status --watch`: the status again and again, in place. What stands where on the terminal is decided by [`View`]; this file
//! asks, listens to keys and paints.

mod terminal;
mod view;

use super::{ask, text};
use crate::command::asked_to_stop;
use anyhow::{Context, bail};
use crossterm::event::Event;
use std::io::{IsTerminal, stdin, stdout};
use std::pin::pin;
use std::time::{Duration, Instant};
use terminal::{Keys, Terminal};
use tokio::time::{MissedTickBehavior, interval, sleep};
use treevnc_protocol::tree::message::Status;
use view::{Deed, View};

/// From one answer to the next question.
const PERIOD: Duration = Duration::from_secs(1);

/// Shows the status until a key or a signal ends it. A root that does not answer is asked again for ever.
pub(super) async fn run(node: &str) -> anyhow::Result<()> {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        bail!("--watch needs a terminal; elsewhere take `treevnc status {node}`, or --json, again and again");
    }
    // What is wrong with the name, or with a root that was never there, is better said on a screen that stays.
    let first = ask(node).await?;
    let mut terminal = Terminal::open().context("cannot use this terminal")?;
    let mut keys = Keys::listen();
    let (width, height) = terminal.size()?;
    let mut view = View::new(node, (width, height));
    view.show(text::lines(&first, Some(width)), Instant::now());
    let mut latest = first;
    let mut asking = pin!(again(node));
    let mut stop = pin!(asked_to_stop());
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        terminal.paint(&view.rows(Instant::now()))?;
        tokio::select! {
            answer = &mut asking => {
                match answer {
                    Ok(status) => {
                        view.show(text::lines(&status, Some(view.width())), Instant::now());
                        latest = status;
                    }
                    Err(error) => view.lacks(&error.to_string()),
                }
                asking.set(again(node));
            }
            event = keys.next() => match event.context("the terminal is gone")? {
                Event::Key(key) if view.handle_key(key) == Deed::End => return Ok(()),
                Event::Resize(..) => {
                    let size = terminal.size()?;
                    view.resize(size, text::lines(&latest, Some(size.0)));
                }
                _ => {}
            },
            _ = ticks.tick() => {}
            () = &mut stop => return Ok(()),
        }
    }
}

/// The next answer, a while after the last one.
async fn again(node: &str) -> anyhow::Result<Status> {
    sleep(PERIOD).await;
    ask(node).await
}
