//! The terminal while the status is watched: rows are painted where they have changed, keys are listened to, and everything is as it was
//! before when this ends, however it ends.

use super::view::{Look, Row};
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{Event, poll, read};
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{execute, queue};
use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// How often the listener looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);
/// Keys that may wait.
const LANE: usize = 64;

/// The terminal in our hands; dropping it gives it back.
pub(super) struct Terminal {
    out: BufWriter<Stdout>,
    painted: Vec<Row>,
}

impl Terminal {
    pub(super) fn open() -> io::Result<Self> {
        enable_raw_mode()?;
        let mut terminal = Self { out: BufWriter::new(stdout()), painted: Vec::new() };
        execute!(terminal.out, EnterAlternateScreen, Hide, Clear(ClearType::All))?;
        Ok(terminal)
    }

    /// Columns and rows. What was painted is void from now on.
    pub(super) fn size(&mut self) -> io::Result<(usize, usize)> {
        self.painted.clear();
        let (width, height) = size()?;
        Ok((width.into(), height.into()))
    }

    pub(super) fn paint(&mut self, rows: &[Row]) -> io::Result<()> {
        if self.painted.is_empty() {
            queue!(self.out, Clear(ClearType::All))?;
        }
        for (at, row) in rows.iter().enumerate().filter(|(at, row)| self.painted.get(*at) != Some(*row)) {
            // Before the text, for behind a full row the last column would be cleared.
            queue!(self.out, MoveTo(0, u16::try_from(at).unwrap_or(u16::MAX)), Clear(ClearType::UntilNewLine))?;
            match row.look {
                Look::Plain => {}
                Look::Titles => queue!(self.out, SetAttribute(Attribute::Underlined))?,
                Look::Old => queue!(self.out, SetAttribute(Attribute::Dim))?,
                Look::Slow => queue!(self.out, SetAttribute(Attribute::Bold), SetForegroundColor(Color::Red))?,
                Look::Bar => queue!(self.out, SetAttribute(Attribute::Reverse))?,
                Look::Trouble => queue!(self.out, SetAttribute(Attribute::Reverse), SetForegroundColor(Color::Red))?,
            }
            queue!(self.out, Print(&row.text), ResetColor, SetAttribute(Attribute::Reset))?;
        }
        self.painted = rows.to_vec();
        self.out.flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = execute!(self.out, ResetColor, SetAttribute(Attribute::Reset), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

/// What the person at the terminal does. The thread that listens ends soon after this is dropped.
pub(super) struct Keys {
    events: mpsc::Receiver<io::Result<Event>>,
    is_over: Arc<AtomicBool>,
}

impl Keys {
    /// Needs a running tokio runtime.
    pub(super) fn listen() -> Self {
        let (lane, events) = mpsc::channel(LANE);
        let is_over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&is_over);
        tokio::task::spawn_blocking(move || {
            while !ended.load(Ordering::Relaxed) {
                let event = match poll(LOOK) {
                    Ok(false) => continue,
                    Ok(true) => read(),
                    Err(error) => Err(error),
                };
                let is_last = event.is_err();
                if lane.blocking_send(event).is_err() || is_last {
                    return;
                }
            }
        });
        Self { events, is_over }
    }

    /// The next event. Cancel safe.
    pub(super) async fn next(&mut self) -> io::Result<Event> {
        self.events.recv().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}
