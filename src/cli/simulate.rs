//! What `treevnc simulate` is told.

use super::{rate_limit, seconds};
use clap::Args;
use std::time::Duration;
use treevnc_protocol::tree::upload::Rate;
use treevnc_simulation::{DeliverySettings, Sharing};

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Nodes that stand up; the churn keeps about this number. With --delays several numbers may be given
    #[arg(long, default_value = "1000", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) nodes: Vec<u32>,
    /// Things that happen to them: joins, leaves, crashes, stalls, cut and narrow links, partitions
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub(crate) events: u32,
    /// The first seed: the same seed gives the same run
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Run so many seeds, the first and those after it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) seeds: u16,
    /// Percent of the nodes that nobody can dial
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) leaf_only: u8,
    /// Percent of the nodes that reach only the root, because their network keeps computers apart
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) isolated: u8,
    /// Percent of the nodes that vanish in one moment, once all have joined
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, value_parser = percent)]
    pub(crate) loss: f64,
    /// Losses one at a time at the end, each measured alone
    #[arg(long, value_name = "COUNT", default_value_t = 30)]
    pub(crate) single_losses: u32,
    /// Events per second for every thousand nodes
    #[arg(long, value_name = "EVENTS", default_value_t = 20.0, value_parser = rate)]
    pub(crate) pace: f64,
    /// What happens, by weight: leave=20,crash=15,vanish=10,stall=8,cut=5,reset=5,narrow=4,slow=3,partition=1
    #[arg(long, value_name = "NAME=WEIGHT,...")]
    pub(crate) rates: Option<String>,
    /// Nodes that start per second at first
    #[arg(long, value_name = "NODES", default_value_t = 500.0, value_parser = rate)]
    pub(crate) joins_per_second: f64,
    /// Frames that the root shows per second
    #[arg(long, value_name = "FRAMES", default_value_t = 1.0, value_parser = rate)]
    pub(crate) frames_per_second: f64,
    /// Worlds that run at the same time [default: one per core]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Print JSON for machines
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) delivery: DeliveryArgs,
}

/// How pictures travel; without `--delays` none of it may be given.
#[derive(Debug, Args)]
#[command(next_help_heading = "With --delays")]
pub(crate) struct DeliveryArgs {
    /// Predict instead how long a picture takes to every node, by depth, in a tree where nothing happens; several numbers of nodes give a line each
    #[arg(
        long,
        help_heading = None,
        conflicts_with_all = [
            "events", "seed", "seeds", "leaf_only", "isolated", "loss", "single_losses", "pace", "rates", "joins_per_second",
            "frames_per_second", "threads",
        ]
    )]
    pub(crate) delays: bool,
    /// What each computer can send, in bits per second: 800k, 5M, 1G [default: 100M]
    #[arg(long, value_name = "RATE", value_parser = rate_limit, requires = "delays")]
    uplink: Option<Rate>,
    /// Bytes of a frame [default: 1000000]
    #[arg(long, value_name = "BYTES", requires = "delays")]
    frame: Option<u32>,
    /// Most bytes of an update, of which a frame has many [default: 32768, as the root makes them]
    #[arg(long, value_name = "BYTES", requires = "delays")]
    update: Option<u32>,
    /// Nodes pass a frame on when they have all of it, as the original TreeVNC did
    #[arg(long, requires = "delays", conflicts_with = "update")]
    whole_frames: bool,
    /// A computer sends whole updates to its children in turns, not to both at the same time
    #[arg(long, requires = "delays")]
    in_turns: bool,
    /// From the end of a line to the computer at its other side [default: 0.06]
    #[arg(long, value_name = "MILLISECONDS", value_parser = millis, requires = "delays")]
    latency: Option<Duration>,
    /// So many frames [default: 1]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), requires = "delays")]
    frames: Option<u32>,
    /// From one frame to the next [default: 1]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "delays")]
    interval: Option<Duration>,
}

impl SimulateArgs {
    /// What no single option shows to be wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.delivery.delays {
            return self.deliveries().try_for_each(|settings| settings.check().map_err(|error| error.to_string()));
        }
        if self.nodes.len() == 1 { Ok(()) } else { Err("several numbers of nodes are for --delays; give one".to_owned()) }
    }

    /// What `--delays` is to predict: for each number of nodes.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = DeliverySettings> + '_ {
        self.nodes.iter().map(|nodes| self.delivery.settings(*nodes))
    }
}

impl DeliveryArgs {
    /// For so many nodes.
    fn settings(&self, nodes: u32) -> DeliverySettings {
        let usual = DeliverySettings::default();
        let size = |given: Option<u32>, usual: usize| given.map_or(usual, |given| given as usize);
        DeliverySettings {
            nodes: nodes as usize,
            uplink_bits_per_second: self.uplink.map_or(usual.uplink_bits_per_second, |rate| rate.bytes_per_second() * 8),
            frame_bytes: size(self.frame, usual.frame_bytes),
            update_bytes: size(self.update, usual.update_bytes),
            latency: self.latency.unwrap_or(usual.latency),
            frames: size(self.frames, usual.frames),
            interval: self.interval.unwrap_or(usual.interval),
            whole_frames: self.whole_frames,
            sharing: if self.in_turns { Sharing::InTurns } else { Sharing::Evenly },
            ..usual
        }
    }
}

fn millis(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok().map(|number: f64| number / 1000.0);
    let time = number.and_then(|number| Duration::try_from_secs_f64(number).ok()).filter(|time| *time <= Duration::from_secs(60));
    time.ok_or_else(|| "give milliseconds, at most 60000".to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "give a number from 0 to 100".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "give a positive number".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::cli::{Cli, Command};
    use clap::Parser;

    /// What is said of a command line of `simulate`, if anything.
    fn said_of(args: &[&str]) -> Option<String> {
        let cli = match Cli::try_parse_from([&["treevnc", "simulate"], args].concat()) {
            Ok(cli) => cli,
            Err(error) => return Some(error.to_string()),
        };
        let Command::Simulate(args) = cli.command else { unreachable!() };
        args.check().err()
    }

    #[test]
    fn no_option_of_simulate_is_silently_ignored() {
        for right in [
            &["--nodes", "50", "--events", "3"][..],
            &["--delays"],
            &["--delays", "--nodes", "14,1000", "--uplink", "50M", "--frame", "64000", "--update", "8192", "--json"],
            &["--delays", "--whole-frames", "--in-turns", "--latency", "20", "--frames", "3", "--interval", "0.05"],
        ] {
            assert_eq!(said_of(right), None, "{right:?}");
        }
        for (wrong, words) in [
            (&["--nodes", "14,1000"][..], "several numbers of nodes"),
            (&["--uplink", "5M"], "--delays"),
            (&["--whole-frames"], "--delays"),
            (&["--delays", "--seed", "3"], "--seed"),
            (&["--delays", "--events", "3"], "--events"),
            (&["--delays", "--frames-per-second", "3"], "--frames-per-second"),
            (&["--delays", "--whole-frames", "--update", "4096"], "--update"),
            (&["--delays", "--update", "10"], "100000 updates"),
            (&["--delays", "--frame", "7"], "frame of 7 bytes"),
            (&["--delays", "--frames", "1000000"], "1000000 frames"),
            (&["--delays", "--uplink", "5MB"], "bits per second"),
            (&["--delays", "--latency", "far"], "milliseconds"),
        ] {
            let said = said_of(wrong).unwrap_or_default();
            assert!(said.contains(words), "{wrong:?}: {said}");
        }
    }
}
