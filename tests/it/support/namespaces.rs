//! Two hosts on one network: network namespaces joined by a bridge. Needs to be the superuser.

use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::tools::{Scratch, run, unique};
use crate::support::wait::PATIENCE;
use std::ffi::OsStr;
use std::process::Command;

/// Hosts with addresses 10.77.0.1 and on; removed with their owner.
pub(crate) struct Hosts {
    names: Vec<String>,
    bridge: String,
}

impl Hosts {
    /// Makes `count` of them.
    pub(crate) fn new(count: usize) -> Self {
        let tag = unique().replace('-', "");
        let hosts = Self { names: (1..=count).map(|number| format!("tv{tag}h{number}")).collect(), bridge: format!("tv{tag}br") };
        // The bridge lives in a namespace of its own, so that nothing of this machine's own network is touched.
        let bridge = &hosts.bridge;
        ip(&format!("netns add {bridge}"));
        ip(&format!("-n {bridge} link add br0 type bridge"));
        ip(&format!("-n {bridge} link set br0 up"));
        for (at, name) in hosts.names.iter().enumerate() {
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link set lo up"));
            ip(&format!("-n {name} link add e0 type veth peer name p{at} netns {bridge}"));
            ip(&format!("-n {bridge} link set p{at} master br0 up"));
            ip(&format!("-n {name} addr add 10.77.0.{}/24 dev e0", at + 1));
            ip(&format!("-n {name} link set e0 up"));
        }
        hosts
    }

    /// Makes the line from the network to a host narrow.
    pub(crate) fn narrow(&self, host: usize, rate: &str) {
        let bridge = &self.bridge;
        run(
            "ip",
            &[
                "netns",
                "exec",
                bridge,
                "tc",
                "qdisc",
                "add",
                "dev",
                &format!("p{host}"),
                "root",
                "tbf",
                "rate",
                rate,
                "burst",
                "16kb",
                "latency",
                "50ms",
            ],
        );
    }

    /// The words that run a program on a host.
    pub(crate) fn inside(&self, host: usize) -> [&str; 4] {
        ["ip", "netns", "exec", &self.names[host]]
    }

    /// Starts a command on a host.
    pub(crate) fn start(&self, host: usize, command: &Command) -> Process {
        let [program, words @ ..] = self.inside(host);
        let mut inside = Command::new(program);
        inside.args(words).arg(command.get_program()).args(command.get_args());
        command.get_envs().for_each(|(key, value)| {
            inside.env(key, value.unwrap_or(OsStr::new("")));
        });
        Process::start(&mut inside)
    }

    /// The present picture of a node or root that listens on this port of a host, asked on that host.
    pub(crate) fn snapshot(&self, host: usize, port: u16, scratch: &Scratch) -> Picture {
        let file = scratch.file(&format!("{}.png", unique()));
        let address = format!("127.0.0.1:{port}");
        let mut process = self.start(host, &treevnc(["snapshot".as_ref(), address.as_ref(), file.as_os_str()]));
        assert!(process.end(PATIENCE).success(), "{}", process.said());
        Picture::from_png(&file)
    }
}

fn ip(words: &str) {
    run("ip", &words.split(' ').collect::<Vec<_>>());
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for name in self.names.iter().chain([&self.bridge]) {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}
