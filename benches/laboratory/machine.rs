//! What machine this is, and how busy it is.

use crate::support::tools::run;
use crate::support::wait::pace_until;
use std::time::{Duration, Instant};

/// How long a room is watched at rest.
const REST: Duration = Duration::from_secs(5);

/// The machine and the versions, for the report.
pub(crate) fn description() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split_once([':', '=']))
            .map_or(String::new(), |(_, value)| value.trim().trim_matches('"').to_owned())
    };
    let first = |program: &str, args: &[&str]| {
        let output = std::process::Command::new(program).args(args).output();
        let text = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{cores} cores of {}, {} GB of memory, {}, Linux {}, {}, {}, {}.",
        field(&read("/proc/cpuinfo"), "model name"),
        field(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1_000_000,
        field(&read("/etc/os-release"), "PRETTY_NAME"),
        run("uname", &["-r"]).trim(),
        first("rustc", &["--version"]),
        first("Xvnc", &["-version"]),
        first("x11vnc", &["-version"]),
    )
}

/// How busy the whole machine is from a moment on.
pub(crate) struct Busy {
    begun: Instant,
    before: f64,
}

impl Busy {
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now(), before: busy_seconds() }
    }

    /// The share of all cores that was in use, and the seconds of all of them together.
    pub(crate) fn end(self) -> (f64, f64) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (elapsed, used) = (self.begun.elapsed().as_secs_f64(), busy_seconds() - self.before);
        (used / elapsed / cores as f64, used / cores as f64)
    }

    /// The share that is in use while nothing changes.
    pub(crate) fn at_rest() -> f64 {
        let busy = Self::begin();
        pace_until(Instant::now() + REST);
        busy.end().0
    }
}

/// Seconds in which a core was not idle, all cores together, since the machine was started.
fn busy_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap();
    let fields: Vec<f64> = text.lines().next().unwrap().split_whitespace().skip(1).map(|field| field.parse().unwrap()).collect();
    // user, nice, system, idle, iowait, irq, softirq
    (fields[0] + fields[1] + fields[2] + fields[5] + fields[6]) / 100.0
}
