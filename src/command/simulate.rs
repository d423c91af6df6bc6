//! `treevnc simulate`: worlds on virtual time, several seeds at once on several threads; what they came to as text or as JSON. With
//! `--delays` see [`delays`].

mod delays;
mod json;
mod text;

use crate::cli::SimulateArgs;
use anyhow::{anyhow, bail};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use treevnc_simulation::{Rates, Report, Settings};

/// A world that was run, and the time it took here.
struct Ran {
    report: Report,
    wall: Duration,
}

/// What all worlds together cost.
struct Cost {
    wall: Duration,
    /// Worlds that ran at the same time.
    threads: usize,
    /// Most memory that the process has used, where the system tells.
    peak_bytes: Option<u64>,
}

pub(super) fn run(args: SimulateArgs) -> anyhow::Result<()> {
    if args.delivery.delays {
        return delays::run(&args);
    }
    let settings = settings(&args)?;
    let seeds: Vec<u64> = (args.seed..).take(usize::from(args.seeds)).collect();
    let available = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = args.threads.map_or(available, usize::from).min(seeds.len()).max(1);
    let started = Instant::now();
    let all = run_seeds(&settings, seeds, threads, |ran| {
        if !args.json {
            print!("{}", text::of_world(ran));
        }
    });
    let cost = Cost { wall: started.elapsed(), threads, peak_bytes: peak_memory() };
    if args.json {
        println!("{}", json::of_all(&settings, &all, &cost));
    } else {
        print!("{}", text::of_cost(&settings, &all, &cost));
    }
    let broken = all.iter().filter_map(|ran| Some((ran.report.seed, ran.report.broken.as_ref()?)));
    let lines: Vec<_> = broken.map(|(seed, broken)| format!("seed {seed} broke a rule {broken}")).collect();
    if lines.is_empty() { Ok(()) } else { Err(anyhow!(lines.join("\n"))) }
}

fn settings(args: &SimulateArgs) -> anyhow::Result<Settings> {
    let usual = Settings::default();
    Ok(Settings {
        nodes: args.nodes.first().map_or(usual.nodes, |nodes| *nodes as usize),
        joins_per_second: args.joins_per_second,
        events: args.events as usize,
        events_per_second: args.pace,
        rates: args.rates.as_deref().map_or(Ok(usual.rates), rates)?,
        leaf_only: u32::from(args.leaf_only),
        isolated: u32::from(args.isolated),
        loss: args.loss,
        single_losses: args.single_losses as usize,
        frames_per_second: args.frames_per_second,
        ..usual
    })
}

/// `NAME=WEIGHT,...`; what is not named does not happen.
fn rates(text: &str) -> anyhow::Result<Rates> {
    let mut rates = Rates { leave: 0, crash: 0, vanish: 0, stall: 0, cut: 0, reset: 0, narrow: 0, slow: 0, partition: 0 };
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (name, weight) = part.split_once('=').ok_or_else(|| anyhow!("'{part}' is no NAME=WEIGHT"))?;
        let weight = weight.parse::<u16>().map_err(|_| anyhow!("'{weight}' is no weight; give a whole number up to 65535"))?;
        let field = match name {
            "leave" => &mut rates.leave,
            "crash" => &mut rates.crash,
            "vanish" => &mut rates.vanish,
            "stall" => &mut rates.stall,
            "cut" => &mut rates.cut,
            "reset" => &mut rates.reset,
            "narrow" => &mut rates.narrow,
            "slow" => &mut rates.slow,
            "partition" => &mut rates.partition,
            _ => bail!("'{name}' does not happen; leave, crash, vanish, stall, cut, reset, narrow, slow and partition do"),
        };
        *field = u32::from(weight);
    }
    Ok(rates)
}

/// Runs all seeds, each on one of so many threads; in the order of the seeds, each shown as soon as it has ended.
fn run_seeds(settings: &Settings, seeds: Vec<u64>, threads: usize, mut show: impl FnMut(&Ran)) -> Vec<Ran> {
    let next = Mutex::new(seeds.into_iter());
    let (done, results) = mpsc::channel();
    let mut all: Vec<Ran> = std::thread::scope(|scope| {
        for _ in 0..threads {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || {
                // A thread that failed while it took a seed has taken it.
                while let Some(seed) = next.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next() {
                    let started = Instant::now();
                    let report = treevnc_simulation::run(settings, seed);
                    if done.send(Ran { report, wall: started.elapsed() }).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        results.iter().inspect(|ran| show(ran)).collect()
    });
    all.sort_by_key(|ran| ran.report.seed);
    all
}

/// The most memory this process has ever had in RAM (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_things_happen() {
        let rates = rates("crash=3,stall=1").unwrap();
        assert_eq!((rates.crash, rates.stall, rates.leave), (3, 1, 0));
        for wrong in ["crash", "crash=x", "sleep=3", "crash=-1"] {
            assert!(super::rates(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_seed_runs_once_and_the_same_on_any_number_of_threads() {
        let settings = Settings { nodes: 20, events: 30, single_losses: 2, ..Settings::default() };
        let run = |threads| {
            let all = run_seeds(&settings, (5..12).collect(), threads, |_| {});
            all.into_iter().map(|ran| ran.report).collect::<Vec<_>>()
        };
        let reports = run(3);
        assert_eq!(reports.iter().map(|report| report.seed).collect::<Vec<_>>(), (5..12).collect::<Vec<_>>());
        assert_eq!(reports, run(1));
        let of = |report: Report| Ran { report, wall: Duration::from_secs(2) };
        let all: Vec<Ran> = reports.into_iter().map(of).collect();
        let text = text::of_world(&all[0]);
        assert!(text.contains("seed 5") && text.contains("repair"), "{text}");
        let cost = Cost { wall: Duration::from_secs(9), threads: 3, peak_bytes: Some(5_000_000) };
        let json = json::of_all(&settings, &all, &cost);
        assert_eq!((&json["worlds"][6]["seed"], &json["peak_bytes"]), (&serde_json::json!(11), &serde_json::json!(5_000_000)));
        assert!(text::of_cost(&settings, &all, &cost).contains("5.0 MB"));
    }
}
