//! What stands where on a terminal that shows the status: the first lines stay, the nodes below them can be scrolled, the last row says how
//! it stands with the root and which keys there are. Knows no terminal.

use super::text::{Kind, Line, cut};
use crate::command::status::figures::age;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::time::{Duration, Instant};

/// The fewest rows that are left for scrolling; where there are fewer, all lines scroll.
const FEWEST: usize = 5;
/// A picture of the tree that is older says how old it is.
const FRESH: Duration = Duration::from_secs(3);

/// How a row looks, beside what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Titles,
    Slow,
    Old,
    /// The last row.
    Bar,
    /// The last row when something is wrong.
    Trouble,
}

/// One row of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) look: Look,
    pub(super) text: String,
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Stay,
    End,
}

#[derive(Debug)]
pub(super) struct View {
    node: String,
    width: usize,
    height: usize,
    lines: Vec<Line>,
    /// The first line below those that stay.
    top: usize,
    /// When the root answered last.
    answered: Option<Instant>,
    /// Why it does not, since then.
    trouble: Option<String>,
}

impl View {
    pub(super) fn new(node: &str, (width, height): (usize, usize)) -> Self {
        Self { node: node.to_owned(), width, height, lines: Vec::new(), top: 0, answered: None, trouble: None }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The root has answered.
    pub(super) fn show(&mut self, lines: Vec<Line>, now: Instant) {
        (self.lines, self.answered, self.trouble) = (lines, Some(now), None);
        self.scroll(0);
    }

    /// It has not.
    pub(super) fn lacks(&mut self, why: &str) {
        self.trouble = Some(why.to_owned());
    }

    /// The terminal has another size; the newest answer made for it.
    pub(super) fn resize(&mut self, (width, height): (usize, usize), lines: Vec<Line>) {
        (self.width, self.height, self.lines) = (width, height, lines);
        self.scroll(0);
    }

    pub(super) fn handle_key(&mut self, key: KeyEvent) -> Deed {
        if key.kind == KeyEventKind::Release {
            return Deed::Stay;
        }
        let page = isize::try_from(self.room()).unwrap_or(isize::MAX).saturating_sub(1).max(1);
        match key.code {
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => return Deed::End,
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => return Deed::End,
            KeyCode::Up | KeyCode::Char('k') => self.scroll(-1),
            KeyCode::Down | KeyCode::Char('j') => self.scroll(1),
            KeyCode::PageUp => self.scroll(-page),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll(page),
            KeyCode::Home => self.top = 0,
            KeyCode::End => self.scroll(isize::MAX),
            _ => {}
        }
        Deed::Stay
    }

    /// As many rows as the terminal has.
    pub(super) fn rows(&self, now: Instant) -> Vec<Row> {
        let (stay, scrolled) = self.lines.split_at(self.staying());
        let below = scrolled.iter().skip(self.top).take(self.room());
        let mut rows: Vec<_> = stay.iter().chain(below).map(|line| self.row(line)).collect();
        let last = self.height.saturating_sub(1);
        rows.truncate(last);
        rows.resize(last, Row { look: Look::Plain, text: String::new() });
        rows.push(self.bar(scrolled.len(), now));
        rows
    }

    fn row(&self, line: &Line) -> Row {
        let look = match line.kind {
            Kind::Titles => Look::Titles,
            // Nothing is known of now.
            _ if self.trouble.is_some() => Look::Old,
            Kind::About | Kind::Node => Look::Plain,
            Kind::Slow => Look::Slow,
            Kind::Old => Look::Old,
        };
        Row { look, text: cut(&line.text, self.width) }
    }

    fn bar(&self, scrolled: usize, now: Instant) -> Row {
        let since = self.answered.map(|at| now.saturating_duration_since(at));
        let shown = match (self.room() < scrolled).then(|| self.top + self.room().min(scrolled)) {
            Some(end) => format!("lines {}-{end} of {scrolled}, arrows and PgUp/PgDn scroll, ", self.top + 1),
            None => String::new(),
        };
        let old = since.filter(|since| *since >= FRESH).map_or(String::new(), |since| format!("from {} ago, ", age(since)));
        match &self.trouble {
            Some(why) => {
                Row { look: Look::Trouble, text: cut(&format!("NO ANSWER, {old}asking again, q ends: {why}"), self.width) }
            }
            None => Row { look: Look::Bar, text: cut(&format!("{old}{shown}q ends; {}", self.node), self.width) },
        }
    }

    /// How many of the first lines stay: up to the columns' titles.
    fn staying(&self) -> usize {
        let titles = self.lines.iter().position(|line| line.kind == Kind::Titles).map_or(0, |at| at + 1);
        if titles + FEWEST < self.height { titles } else { 0 }
    }

    /// Rows for the lines that scroll.
    fn room(&self) -> usize {
        self.height.saturating_sub(1 + self.staying())
    }

    fn scroll(&mut self, lines: isize) {
        let most = (self.lines.len() - self.staying()).saturating_sub(self.room());
        self.top = self.top.saturating_add_signed(lines).min(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    fn line(kind: Kind, text: impl Into<String>) -> Line {
        Line { kind, text: text.into() }
    }

    fn lines(nodes: usize) -> Vec<Line> {
        let head = [line(Kind::About, "Physik"), line(Kind::Titles, "node")];
        let node = |n| line(if n == 3 { Kind::Slow } else { Kind::Node }, format!("n{n}"));
        head.into_iter().chain((1..=nodes).map(node)).collect()
    }

    fn texts(view: &View, now: Instant) -> Vec<String> {
        view.rows(now).into_iter().map(|row| row.text).collect()
    }

    #[test]
    fn the_titles_stay_while_the_nodes_scroll_and_the_last_row_says_where_one_is() {
        let now = Instant::now();
        let mut view = View::new("pc", (100, 9));
        view.show(lines(20), now);
        let at = |view: &View| texts(view, now);
        let bar = |lines| format!("lines {lines} of 20, arrows and PgUp/PgDn scroll, q ends; pc");
        assert_eq!(at(&view), ["Physik", "node", "n1", "n2", "n3", "n4", "n5", "n6", &bar("1-6")]);
        assert_eq!(view.rows(now)[4].look, Look::Slow);
        assert_eq!(view.handle_key(key(KeyCode::Down)), Deed::Stay);
        assert_eq!(at(&view)[2], "n2");
        view.handle_key(key(KeyCode::PageDown));
        assert_eq!(at(&view)[2], "n7", "a page leaves one line for the eye");
        view.handle_key(key(KeyCode::End));
        assert_eq!(at(&view)[2..], ["n15", "n16", "n17", "n18", "n19", "n20", &bar("15-20")]);
        // Nodes leave: there is nothing to see where they were.
        view.show(lines(8), now);
        assert_eq!(at(&view)[2..8], ["n3", "n4", "n5", "n6", "n7", "n8"]);
        view.handle_key(key(KeyCode::Home));
        view.show(lines(3), now);
        assert_eq!(at(&view), ["Physik", "node", "n1", "n2", "n3", "", "", "", "q ends; pc"]);
    }

    #[test]
    fn a_root_that_is_gone_is_told_and_nothing_looks_fresh() {
        let now = Instant::now();
        let mut view = View::new("pc", (60, 8));
        view.show(lines(3), now);
        view.lacks("pc: connection refused");
        let rows = view.rows(now + Duration::from_secs(12));
        assert!(rows[2..5].iter().all(|row| row.look == Look::Old));
        let bar = "NO ANSWER, from 12s ago, asking again, q ends: pc: connecti…";
        assert_eq!(rows[7], Row { look: Look::Trouble, text: bar.to_owned() });
        view.show(lines(3), now);
        assert_eq!(view.rows(now)[2].look, Look::Plain);
    }

    #[test]
    fn any_size_of_terminal_is_filled_and_never_overflowed() {
        let now = Instant::now();
        for size in [(0, 0), (1, 1), (3, 2), (80, 6), (80, 7), (80, 24), (500, 200)] {
            let mut view = View::new("pc", size);
            view.show(lines(30), now);
            for code in [KeyCode::End, KeyCode::PageUp, KeyCode::Down, KeyCode::Home, KeyCode::Up, KeyCode::PageDown] {
                view.handle_key(key(code));
                let rows = view.rows(now);
                assert_eq!(rows.len(), size.1.max(1));
                assert!(rows.iter().all(|row| row.text.chars().count() <= size.0.max(1)), "{size:?}");
            }
            view.resize((40, 10), lines(2));
            assert_eq!(view.rows(now).len(), 10);
        }
    }

    #[test]
    fn q_escape_and_control_c_end_it_and_a_key_that_comes_up_does_not() {
        let mut view = View::new("pc", (80, 24));
        let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        for ends in [key(KeyCode::Char('q')), key(KeyCode::Esc), control] {
            assert_eq!(view.handle_key(ends), Deed::End);
        }
        assert_eq!(view.handle_key(key(KeyCode::Char('c'))), Deed::Stay);
        let released = KeyEvent { kind: KeyEventKind::Release, ..key(KeyCode::Char('q')) };
        assert_eq!(view.handle_key(released), Deed::Stay);
    }
}
