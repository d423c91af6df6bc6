//! `treevnc delay`: measures how long pictures take to every node, as a table by depth, as CSV or JSON, and as a figure.

mod csv;
mod figure;
mod progress;
mod table;

use super::{asked_to_stop, look_up};
use crate::cli::DelayArgs;
use anyhow::{Context, anyhow};
use csv::Csv;
use progress::Progress;
use serde_json::json;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use table::{Answer, Measured, Sent};
use treevnc_protocol::tree::message::{DelayReport, DelayRequest};
use treevnc_viewer::ask::{ask_delay, ask_status};

/// How long the root may be silent beyond the interval: nothing changes on the screen that checks could ride on.
const SILENCE: Duration = Duration::from_secs(30);
/// How long the root may take to say the session's name.
const NAMING: Duration = Duration::from_secs(5);

pub(super) async fn run(args: DelayArgs) -> anyhow::Result<()> {
    let measured = match &args.from {
        Some(file) => {
            let measured = csv::read(file)?;
            args.plot.as_deref().map_or(Ok(()), writable)?;
            measured
        }
        None => {
            let root = *look_up(&args.root).await?.first().ok_or_else(|| anyhow!("'{}' has no address", args.root))?;
            let csv = args.csv.as_ref().map(|path| Csv::create(path)).transpose()?;
            args.plot.as_deref().map_or(Ok(()), writable)?;
            measure(&args, root, csv).await?
        }
    };
    if let Some(path) = &args.plot {
        figure::sheet(&measured).write(path)?;
    }
    if args.json {
        println!("{}", as_json(&measured));
    } else {
        print!("{}", table::by_depth(&measured));
    }
    Ok(())
}

/// Whether the file can be made; one that is there stays as it is for now.
fn writable(path: &Path) -> anyhow::Result<()> {
    let made = OpenOptions::new().append(true).create(true).open(path);
    made.map(|_| ()).with_context(|| format!("cannot write {}", path.display()))
}

async fn measure(args: &DelayArgs, root: SocketAddr, mut csv: Option<Csv>) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    if args.plot.is_some() {
        // Whatever is wrong with the root is said by the measurement.
        measured.session = ask_status(root, NAMING).await.ok().map(|status| status.name.as_str().to_owned());
    }
    let sizes = if args.ride { vec![0] } else { args.size.clone() };
    let turns = turns(args.count, &sizes);
    let mut progress = Progress::new(turns.iter().map(|(_, count)| count).sum(), args.interval);
    let stop = asked_to_stop();
    tokio::pin!(stop);
    for (bytes, count) in turns {
        let interval = u32::try_from(args.interval.as_millis()).unwrap_or(u32::MAX);
        let request = DelayRequest { count, bytes, interval };
        let mut failed = Ok(());
        let measuring = ask_delay(root, request, args.interval + SILENCE, |report| {
            let written = note(report, &mut measured, csv.as_mut());
            failed = std::mem::replace(&mut failed, Ok(())).and(written);
            progress.at(measured.sent.len(), measured.answers.len());
        });
        let ended = tokio::select! {
            ended = measuring => Some(ended),
            () = &mut stop => None,
        };
        failed?;
        match ended {
            Some(ended) => drop(ended?),
            // What was measured until then is shown.
            None => break,
        }
    }
    measured.missing = Some(table::missing(&measured.sent, measured.answers.len()));
    Ok(measured)
}

fn note(report: DelayReport, measured: &mut Measured, mut csv: Option<&mut Csv>) -> anyhow::Result<()> {
    match report {
        DelayReport::Sent { check, began, bytes, expected } => {
            measured.sent.push(Sent { check: check.0, began, bytes, expected });
        }
        DelayReport::Replies(replies) => {
            for reply in replies {
                let answer = Answer::new(reply, &measured.sent);
                if let Some(csv) = csv.as_mut() {
                    csv.write(&answer)?;
                }
                measured.answers.push(answer);
            }
            csv.map_or(Ok(()), Csv::flush)?;
        }
        DelayReport::Done => {}
    }
    Ok(())
}

/// How many checks of each size, one size after the other.
fn turns(count: u32, sizes: &[u32]) -> Vec<(u32, u32)> {
    let number = u32::try_from(sizes.len()).unwrap_or(1).max(1);
    let share = |at: usize| count / number + u32::from(u32::try_from(at).unwrap_or(0) < count % number);
    sizes.iter().enumerate().map(|(at, bytes)| (*bytes, share(at))).filter(|(_, count)| *count > 0).collect()
}

fn as_json(measured: &Measured) -> serde_json::Value {
    let depths: Vec<_> = table::figures(&measured.answers)
        .into_iter()
        .map(|(depth, figures)| {
            let table::Figures { nodes, delay, one_way } = figures;
            let quantiles = |of: &table::Quantiles| json!({ "median": of.median, "p95": of.p95, "p99": of.p99, "max": of.max });
            json!({ "depth": depth, "nodes": nodes, "answers": delay.count, "delay_us": quantiles(&delay), "one_way_us": quantiles(&one_way) })
        })
        .collect();
    let answers: Vec<_> = measured
        .answers
        .iter()
        .map(|answer| {
            json!({
                "check": answer.check, "sent_us": answer.began, "frame_bytes": answer.frame_bytes, "node": answer.node,
                "name": answer.name, "depth": answer.depth, "node_bytes": answer.bytes, "delay_us": answer.delay,
                "one_way_us": answer.one_way, "round_trip_us": answer.round_trip, "shown_us": answer.shown,
            })
        })
        .collect();
    json!({ "checks": measured.sent.len(), "missing": measured.missing, "depths": depths, "answers": answers })
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
}
