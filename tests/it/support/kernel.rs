//! What the kernel knows: established connections, bytes on sockets, a process's CPU time and memory.

use crate::support::tools::run;
use std::time::Duration;

/// Number of established connections whose accepting side is `port` on this machine.
pub(crate) fn established_to(port: u16) -> usize {
    let state = format!("( sport = :{port} )");
    run("ss", &["-tnH", "state", "established", &state]).lines().count()
}

/// One established TCP socket of a process, as `ss -tinp` shows it.
#[derive(Debug, Clone)]
pub(crate) struct Socket {
    pub(crate) local: u16,
    pub(crate) remote: u16,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// All established TCP sockets of process `id`, with the payload bytes sent (and acknowledged) and received so far.
pub(crate) fn sockets(id: u32) -> Vec<Socket> {
    let owner = format!("pid={id},");
    let text = run("ss", &["-tinpHO", "state", "established"]);
    text.lines().filter(|line| line.contains(&owner)).filter_map(socket).collect()
}

fn socket(line: &str) -> Option<Socket> {
    let mut words = line.split_whitespace().skip(2);
    let mut port = || words.next()?.rsplit(':').next()?.parse().ok();
    let (local, remote) = (port()?, port()?);
    let counter = |name: &str| {
        let word = line.split_whitespace().find_map(|word| word.strip_prefix(name));
        word.map_or(0, |number| number.parse().unwrap())
    };
    Some(Socket { local, remote, sent: counter("bytes_acked:"), received: counter("bytes_received:") })
}

/// CPU time of a process so far, all its threads together, to 10 ms.
pub(crate) fn cpu_time(id: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<_> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// CPU time of this thread so far, to the nanosecond (the scheduler's account).
pub(crate) fn cpu_time_here() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident_bytes(id: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Number of files and sockets that a process has open.
pub(crate) fn open_files(id: u32) -> usize {
    std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count()
}

/// Number of a process's threads.
pub(crate) fn threads(id: u32) -> usize {
    std::fs::read_dir(format!("/proc/{id}/task")).unwrap().count()
}
