//! Answers as a file: a line each, written as they come and read again later.

use super::table::{Answer, Measured, Sent};
use anyhow::{Context, anyhow};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::str::FromStr;

const COLUMNS: &str = "check,sent_us,frame_bytes,node,name,depth,node_bytes,delay_us,one_way_us,round_trip_us,shown_us";

/// A file with a line per answer.
pub(super) struct Csv(BufWriter<File>);

impl Csv {
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut out = BufWriter::new(file);
        writeln!(out, "{COLUMNS}")?;
        Ok(Self(out))
    }

    pub(super) fn write(&mut self, answer: &Answer) -> anyhow::Result<()> {
        writeln!(self.0, "{}", line(answer))?;
        Ok(())
    }

    /// What was written so far is in the file then, whatever becomes of the measurement.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.0.flush()?)
    }
}

fn line(answer: &Answer) -> String {
    let Answer { check, began, frame_bytes, node, name, depth, bytes, delay, one_way, round_trip, shown } = answer;
    let name = quoted(name);
    let mut line = format!("{check},{began},{frame_bytes},{node},{name},{depth},{bytes},{delay},{one_way},{round_trip},");
    if let Some(shown) = shown {
        let _ = write!(line, "{shown}");
    }
    line
}

/// A field as RFC 4180 wants it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// What such a file holds. Its columns may stand in any order, and among others.
pub(super) fn read(path: &Path) -> anyhow::Result<Measured> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    answers(&text).with_context(|| format!("{} is no file of treevnc delay --csv", path.display()))
}

fn answers(text: &str) -> anyhow::Result<Measured> {
    let mut lines = lines(text).into_iter();
    let columns = lines.next().unwrap_or_default();
    let mut measured = Measured::default();
    for (at, line) in lines.enumerate() {
        let answer = answer(&columns, &line).with_context(|| format!("answer {}", at + 1))?;
        if measured.sent.last().is_none_or(|sent| sent.check != answer.check) {
            let seen = measured.sent.iter().rev().any(|sent| sent.check == answer.check);
            let sent = Sent { check: answer.check, began: answer.began, bytes: answer.frame_bytes, expected: 0 };
            measured.sent.extend((!seen).then_some(sent));
        }
        measured.answers.push(answer);
    }
    if measured.answers.is_empty() { Err(anyhow!("it has no answers")) } else { Ok(measured) }
}

fn answer(columns: &[String], line: &[String]) -> anyhow::Result<Answer> {
    let field = |name: &str| {
        let column = columns.iter().position(|column| column.trim() == name);
        column.and_then(|at| line.get(at)).map(|field| field.trim()).ok_or_else(|| anyhow!("no {name}"))
    };
    Ok(Answer {
        check: number("check", field("check")?)?,
        began: number("sent_us", field("sent_us")?)?,
        frame_bytes: number("frame_bytes", field("frame_bytes")?)?,
        node: field("node")?.to_owned(),
        name: field("name")?.to_owned(),
        depth: number("depth", field("depth")?)?,
        bytes: number("node_bytes", field("node_bytes")?)?,
        delay: number("delay_us", field("delay_us")?)?,
        one_way: number("one_way_us", field("one_way_us")?)?,
        round_trip: number("round_trip_us", field("round_trip_us")?)?,
        shown: Some(field("shown_us")?).filter(|shown| !shown.is_empty()).map(|shown| number("shown_us", shown)).transpose()?,
    })
}

fn number<T: FromStr>(name: &str, text: &str) -> anyhow::Result<T> {
    text.parse().map_err(|_| anyhow!("'{text}' is no {name}"))
}

/// The fields of each line that is not empty; a quoted field may go over several lines (RFC 4180).
fn lines(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            '\r' if !quoted => {}
            _ => field.push(letter),
        }
    }
    line.push(field);
    lines.push(line);
    lines.retain(|line| line.iter().any(|field| !field.is_empty()));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(check: u64, name: &str, shown: Option<u32>) -> Answer {
        let (node, name) = ("n1".to_owned(), name.to_owned());
        let (began, frame_bytes, depth, bytes, delay, one_way, round_trip) = (5, 700, 2, 800, 900, 600, 100);
        Answer { check, began, frame_bytes, node, name, depth, bytes, delay, one_way, round_trip, shown }
    }

    #[test]
    fn names_cannot_break_a_line_of_the_file() {
        assert_eq!((quoted("Ada"), quoted("a,\"b\"")), ("Ada".to_owned(), "\"a,\"\"b\"\"\"".to_owned()));
    }

    #[test]
    fn what_was_written_is_read_again() {
        let written = [sample(1, "Ada", None), sample(2, "a, \"b\"\nc", Some(4)), sample(1, "late", None)];
        let file = written.iter().fold(format!("{COLUMNS}\n"), |file, answer| file + &line(answer) + "\r\n");
        let read = answers(&file).unwrap();
        assert_eq!(read.answers.iter().map(line).collect::<Vec<_>>(), written.iter().map(line).collect::<Vec<_>>());
        assert_eq!(read.sent.iter().map(|sent| (sent.check, sent.bytes)).collect::<Vec<_>>(), [(1, 700), (2, 700)]);
        assert_eq!(read.missing, None);
    }

    #[test]
    fn columns_may_be_moved_and_what_is_no_such_file_is_an_error() {
        let moved = "node,shown_us,check,depth,extra,sent_us,frame_bytes,name,node_bytes,delay_us,one_way_us,round_trip_us\nx,,3,1,,0,0,y,1,2,1,1";
        assert_eq!(answers(moved).unwrap().answers[0].check, 3);
        let said = |text: &str| format!("{:#}", answers(text).unwrap_err());
        assert_eq!(said(""), "it has no answers");
        assert_eq!(said("a,b\n1,2\n"), "answer 1: no check");
        assert_eq!(said(&moved.replace(",3,", ",three,")), "answer 1: 'three' is no check");
    }
}
