//! `treevnc status`: the tree as text for people, or as JSON; once, or again and again.

mod figures;
mod json;
mod notes;
mod text;
mod watch;

use super::look_up;
use crate::cli::StatusArgs;
use std::io::IsTerminal;
use std::time::Duration;
use treevnc_protocol::tree::message::Status;
use treevnc_viewer::ask::ask_status;

/// How long a root may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn run(args: StatusArgs) -> anyhow::Result<()> {
    if args.watch {
        return watch::run(&args.node).await;
    }
    let status = ask(&args.node).await?;
    if args.json {
        println!("{}", json::as_json(&status));
    } else {
        print!("{}", status_text(&status));
    }
    Ok(())
}

/// The status for people, for this terminal if there is one.
pub(crate) fn status_text(status: &Status) -> String {
    text::as_text(status, terminal_width())
}

/// The width of the terminal that this goes to, if it goes to one.
fn terminal_width() -> Option<usize> {
    let (width, _) = std::io::stdout().is_terminal().then(crossterm::terminal::size)?.ok()?;
    Some(usize::from(width))
}

/// Asks each of a name's addresses until one answers.
async fn ask(node: &str) -> anyhow::Result<Status> {
    let mut last = None;
    for address in look_up(node).await? {
        match ask_status(address, LIMIT).await {
            Ok(status) => return Ok(status),
            Err(error) => last = Some(anyhow::Error::new(error)),
        }
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("'{node}' has no address")))
}

#[cfg(test)]
mod tests;
