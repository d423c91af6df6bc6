//! `treevnc delay`: measures how long pictures take to every node, as a table by depth, as CSV or JSON.

mod table;

use super::look_up;
use crate::cli::DelayArgs;
use anyhow::{Context, anyhow};
use serde_json::json;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;
use table::{Answer, Sent};
use treevnc_protocol::tree::message::{DelayReport, DelayRequest};
use treevnc_viewer::ask::ask_delay;

/// How long the root may be silent beyond the interval: nothing changes on the screen that checks could ride on.
const SILENCE: Duration = Duration::from_secs(30);

pub(super) async fn run(args: DelayArgs) -> anyhow::Result<()> {
    let root = *look_up(&args.root).await?.first().ok_or_else(|| anyhow!("'{}' has no address", args.root))?;
    let mut csv = args.csv.as_ref().map(|path| Csv::create(path)).transpose()?;
    let (mut sent, mut answers) = (Vec::new(), Vec::new());
    let sizes = if args.ride { vec![0] } else { args.size.clone() };
    let turns = turns(args.count, &sizes);
    let total: u32 = turns.iter().map(|(_, count)| count).sum();
    for (bytes, count) in turns {
        let interval = u32::try_from(args.interval.as_millis()).unwrap_or(u32::MAX);
        let request = DelayRequest { count, bytes, interval };
        let mut failed = None;
        ask_delay(root, request, args.interval + SILENCE, |report| match report {
            DelayReport::Sent { check, began, bytes, expected } => {
                sent.push(Sent { check: check.0, began, bytes, expected });
                progress(sent.len(), total, answers.len());
            }
            DelayReport::Replies(replies) => {
                for reply in replies {
                    let answer = Answer::new(reply, &sent);
                    if let Some(Err(error)) = csv.as_mut().map(|csv| csv.write(&answer)) {
                        failed.get_or_insert(error);
                    }
                    answers.push(answer);
                }
            }
            DelayReport::Done => {}
        })
        .await?;
        failed.map_or(Ok(()), Err)?;
    }
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    if args.json {
        println!("{}", as_json(&sent, &answers));
    } else {
        print!("{}", table::by_depth(&sent, &answers));
    }
    Ok(())
}

/// How many checks of each size, one size after the other.
fn turns(count: u32, sizes: &[u32]) -> Vec<(u32, u32)> {
    let number = u32::try_from(sizes.len()).unwrap_or(1).max(1);
    let share = |at: usize| count / number + u32::from(u32::try_from(at).unwrap_or(0) < count % number);
    sizes.iter().enumerate().map(|(at, bytes)| (*bytes, share(at))).filter(|(_, count)| *count > 0).collect()
}

fn progress(sent: usize, total: u32, answers: usize) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{sent} of {total} checks sent, {answers} answers ");
        let _ = std::io::stderr().flush();
    }
}

/// A file with a line per answer.
struct Csv(std::io::BufWriter<std::fs::File>);

impl Csv {
    fn create(path: &std::path::Path) -> anyhow::Result<Self> {
        let file = std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut out = std::io::BufWriter::new(file);
        writeln!(out, "check,sent_us,frame_bytes,node,name,depth,node_bytes,delay_us,one_way_us,round_trip_us,shown_us")?;
        Ok(Self(out))
    }

    fn write(&mut self, answer: &Answer) -> anyhow::Result<()> {
        let mut line = String::new();
        let Answer { check, began, frame_bytes, node, name, depth, bytes, delay, one_way, round_trip, shown } = answer;
        write!(line, "{check},{began},{frame_bytes},{node},{},{depth},{bytes},{delay},{one_way},{round_trip},", quoted(name))?;
        if let Some(shown) = shown {
            write!(line, "{shown}")?;
        }
        writeln!(self.0, "{line}")?;
        Ok(())
    }
}

/// A field as RFC 4180 wants it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn as_json(sent: &[Sent], answers: &[Answer]) -> serde_json::Value {
    let depths: Vec<_> = table::figures(answers)
        .into_iter()
        .map(|(depth, figures)| {
            let table::Figures { nodes, delay, one_way } = figures;
            let quantiles = |of: &table::Quantiles| json!({ "median": of.median, "p95": of.p95, "p99": of.p99, "max": of.max });
            json!({ "depth": depth, "nodes": nodes, "answers": delay.count, "delay_us": quantiles(&delay), "one_way_us": quantiles(&one_way) })
        })
        .collect();
    let answers: Vec<_> = answers
        .iter()
        .map(|answer| {
            json!({
                "check": answer.check, "sent_us": answer.began, "frame_bytes": answer.frame_bytes, "node": answer.node,
                "name": answer.name, "depth": answer.depth, "node_bytes": answer.bytes, "delay_us": answer.delay,
                "one_way_us": answer.one_way, "round_trip_us": answer.round_trip, "shown_us": answer.shown,
            })
        })
        .collect();
    let (checks, missing) = (sent.len(), table::missing(sent, answers.len()));
    json!({ "checks": checks, "missing": missing, "depths": depths, "answers": answers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_share_the_checks() {
        assert_eq!(turns(20, &[1, 2, 3]), [(1, 7), (2, 7), (3, 6)]);
        assert_eq!(turns(1, &[1, 2]), [(1, 1)]);
        assert_eq!(turns(5, &[0]), [(0, 5)]);
    }

    #[test]
    fn names_cannot_break_a_line_of_the_file() {
        assert_eq!((quoted("Ada"), quoted("a,\"b\"")), ("Ada".to_owned(), "\"a,\"\"b\"\"\"".to_owned()));
    }
}
