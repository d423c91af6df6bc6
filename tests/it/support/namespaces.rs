//! Two hosts on one network: network namespaces joined by a bridge. Needs to be the superuser.

use crate::support::campus::{bytes_in, bytes_out};
use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::tools::{Scratch, run, unique};
use crate::support::wait::PATIENCE;
use std::ffi::OsStr;
use std::net::Ipv4Addr;
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
            ip(&format!("-n {name} addr add {}/24 dev e0", Self::address(at)));
            ip(&format!("-n {name} link set e0 up"));
        }
        hosts
    }

    /// Makes the line from the network to a host narrow.
    pub(crate) fn narrow(&self, host: usize, rate: &str) {
        limit(&self.bridge, &format!("p{host}"), rate);
    }

    /// Makes the line from a host to the network narrow.
    pub(crate) fn narrow_out(&self, host: usize, rate: &str) {
        limit(&self.names[host], "e0", rate);
    }

    /// Makes the line between a host and the network this wide in both directions, as a port of a switch is: `burst` bytes at once, and what
    /// would wait longer than `latency` is dropped (all as `tc` has them).
    pub(crate) fn shape(&self, host: usize, rate: &str, burst: &str, latency: &str) {
        shape(&self.bridge, &format!("p{host}"), rate, burst, latency);
        shape(&self.names[host], "e0", rate, burst, latency);
    }

    /// Lets a host's TCP connections to the others use this congestion control.
    pub(crate) fn control_congestion(&self, host: usize, name: &str) {
        let address = Self::address(host);
        let route = format!("10.77.0.0/24 dev e0 proto kernel scope link src {address} congctl {name}");
        ip(&format!("-n {} route replace {route}", self.names[host]));
    }

    /// Pulls a host's cable.
    pub(crate) fn cut(&self, host: usize) {
        ip(&format!("-n {} link set p{host} down", self.bridge));
    }

    /// Plugs it in again.
    pub(crate) fn restore(&self, host: usize) {
        ip(&format!("-n {} link set p{host} up", self.bridge));
    }

    /// Keeps these hosts apart, as a wireless network does that forbids traffic between its clients: of all hosts they reach only
    /// the first. What they send to others is lost without a word.
    pub(crate) fn keep_apart(&self, hosts: &[usize]) {
        let ports = hosts.iter().map(|host| format!("\"p{host}\"")).collect::<Vec<_>>().join(", ");
        let rules = format!(
            "add table bridge apart; add chain bridge apart pass {{ type filter hook forward priority 0; }}; \
             add rule bridge apart pass iifname {{ {ports} }} oifname != \"p0\" drop; \
             add rule bridge apart pass oifname {{ {ports} }} iifname != \"p0\" drop"
        );
        run("ip", &["netns", "exec", &self.bridge, "nft", &rules]);
    }

    /// Lets no connection into a host.
    pub(crate) fn shut(&self, host: usize) {
        let rules = "add table inet shut; add chain inet shut input { type filter hook input priority 0; }; \
                     add rule inet shut input iifname \"e0\" tcp flags & (syn | ack) == syn drop";
        run("ip", &["netns", "exec", &self.names[host], "nft", rules]);
    }

    /// A host's address on the network.
    pub(crate) fn address(host: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, 0, host as u8 + 1)
    }

    /// The namespace that the bridge is in.
    pub(crate) fn bridge(&self) -> &str {
        &self.bridge
    }

    /// Bytes that have come in to a host so far, the headers of all layers included.
    pub(crate) fn bytes_in(&self, host: usize) -> u64 {
        bytes_in(&self.names[host], "e0")
    }

    /// Bytes that have gone out of a host so far, the headers of all layers included.
    pub(crate) fn bytes_out(&self, host: usize) -> u64 {
        bytes_out(&self.names[host], "e0")
    }

    /// The words that run a program on a host.
    pub(crate) fn inside(&self, host: usize) -> [&str; 4] {
        ["ip", "netns", "exec", &self.names[host]]
    }

    /// Starts a command on a host.
    pub(crate) fn start(&self, host: usize, command: &Command) -> Process {
        start_inside(&self.inside(host), command)
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

/// A host behind a router that translates addresses: it reaches everybody on the network, and nobody reaches it. Removed with its owner.
pub(crate) struct Behind {
    name: String,
}

impl Behind {
    /// Its router is this host.
    pub(crate) fn new(hosts: &Hosts, router: usize) -> Self {
        let behind = Self { name: format!("tv{}nat", unique().replace('-', "")) };
        let (name, router) = (&behind.name, &hosts.names[router]);
        ip(&format!("netns add {name}"));
        ip(&format!("-n {name} link set lo up"));
        ip(&format!("-n {name} link add e0 type veth peer name lan netns {router}"));
        ip(&format!("-n {router} addr add 192.168.7.1/24 dev lan"));
        ip(&format!("-n {router} link set lan up"));
        ip(&format!("-n {name} addr add 192.168.7.2/24 dev e0"));
        ip(&format!("-n {name} link set e0 up"));
        ip(&format!("-n {name} route add default via 192.168.7.1"));
        run("ip", &["netns", "exec", router, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]);
        let rules = "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }; \
                     add rule ip nat post oifname \"e0\" masquerade; \
                     add chain ip nat pass { type filter hook forward priority 0; policy drop; }; \
                     add rule ip nat pass ct state established,related accept; \
                     add rule ip nat pass iifname \"lan\" accept;";
        run("ip", &["netns", "exec", router, "nft", rules]);
        behind
    }

    /// The words that run a program there.
    pub(crate) fn inside(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// Starts a command there.
    pub(crate) fn start(&self, command: &Command) -> Process {
        start_inside(&self.inside(), command)
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// Starts a command by the words that lead into a namespace.
pub(crate) fn start_inside(words: &[&str], command: &Command) -> Process {
    let mut inside = Command::new(words[0]);
    inside.args(&words[1..]).arg(command.get_program()).args(command.get_args());
    command.get_envs().for_each(|(key, value)| {
        inside.env(key, value.unwrap_or(OsStr::new("")));
    });
    Process::start(&mut inside)
}

/// Lets only so much leave by an interface of a namespace.
pub(crate) fn limit(namespace: &str, interface: &str, rate: &str) {
    shape(namespace, interface, rate, "16kb", "50ms");
}

fn shape(namespace: &str, interface: &str, rate: &str, burst: &str, latency: &str) {
    let words = format!("-n {namespace} qdisc replace dev {interface} root tbf rate {rate} burst {burst} latency {latency}");
    run("tc", &words.split(' ').collect::<Vec<_>>());
}

/// Runs `ip` with these words.
pub(crate) fn ip(words: &str) {
    run("ip", &words.split(' ').collect::<Vec<_>>());
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for name in self.names.iter().chain([&self.bridge]) {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}
