//! A root's host that is in several networks, or in none yet: network namespaces, each network a bridge with hosts of its own.

use crate::support::campus::bytes_in;
use crate::support::namespaces::{ip, limit, start_inside};
use crate::support::process::{Process, treevnc};
use crate::support::tools::{run, unique};
use std::process::Command;

/// The root's host, and networks `10.81.0.0/24`, `10.82.0.0/24` and on with hosts in them, which the root's host is not plugged into yet. Removed
/// with its owner.
pub(crate) struct Halls {
    root: String,
    bridges: Vec<String>,
    hosts: Vec<Vec<String>>,
}

impl Halls {
    /// So many networks with so many hosts each.
    pub(crate) fn new(networks: usize, hosts: usize) -> Self {
        let tag = unique().replace('-', "");
        let name = |network: usize, host: usize| format!("tv{tag}n{network}h{host}");
        let halls = Self {
            root: format!("tv{tag}root"),
            bridges: (0..networks).map(|network| format!("tv{tag}br{network}")).collect(),
            hosts: (0..networks).map(|network| (1..=hosts).map(|host| name(network, host)).collect()).collect(),
        };
        ip(&format!("netns add {}", halls.root));
        ip(&format!("-n {} link set lo up", halls.root));
        for (network, bridge) in halls.bridges.iter().enumerate() {
            ip(&format!("netns add {bridge}"));
            ip(&format!("-n {bridge} link add br0 type bridge"));
            ip(&format!("-n {bridge} link set br0 up"));
            for (at, host) in halls.hosts[network].iter().enumerate() {
                ip(&format!("netns add {host}"));
                ip(&format!("-n {host} link set lo up"));
                connect(host, "e0", bridge, &format!("p{at}"), &Self::address(network, at + 1));
            }
        }
        halls
    }

    /// The root's host (0) or another one's address in a network.
    pub(crate) fn address(network: usize, host: usize) -> String {
        format!("10.{}.0.{}", 81 + network, host + 1)
    }

    /// Plugs the root's host into a network, by an interface of this name.
    pub(crate) fn plug(&self, network: usize, interface: &str) {
        connect(&self.root, interface, &self.bridges[network], "root", &Self::address(network, 0));
    }

    /// Leaves a network's hosts, and the root's host by this interface, nothing but their link-local IPv6 addresses.
    pub(crate) fn forget_ipv4(&self, network: usize, interface: &str) {
        ip(&format!("-n {} -4 addr flush dev {interface}", self.root));
        self.hosts[network].iter().for_each(|host| ip(&format!("-n {host} -4 addr flush dev e0")));
    }

    /// Lets only so much leave by an interface of the root's host.
    pub(crate) fn narrow(&self, interface: &str, rate: &str) {
        limit(&self.root, interface, rate);
    }

    /// Bytes that have come in to a host so far, the headers of all layers included.
    pub(crate) fn bytes_in(&self, network: usize, host: usize) -> u64 {
        bytes_in(&self.hosts[network][host - 1], "e0")
    }

    /// Takes an interface of the root's host away.
    pub(crate) fn unplug(&self, interface: &str) {
        ip(&format!("-n {} link del {interface}", self.root));
    }

    /// Gives an interface of the root's host another name, for which it is down for a moment.
    pub(crate) fn rename(&self, interface: &str, name: &str) {
        ip(&format!("-n {} link set {interface} down", self.root));
        ip(&format!("-n {} link set {interface} name {name}", self.root));
        ip(&format!("-n {} link set {name} up", self.root));
        multicast(&self.root, name);
    }

    /// The words that run a program on the root's host.
    pub(crate) fn at_root(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.root]
    }

    /// Starts `treevnc` on the root's host.
    pub(crate) fn start_at_root(&self, args: &[&str]) -> Process {
        start_inside(&self.at_root(), &treevnc(args))
    }

    /// Starts `treevnc` on a host, the first of a network is 1.
    pub(crate) fn start(&self, network: usize, host: usize, args: &[&str]) -> Process {
        start_inside(&["ip", "netns", "exec", &self.hosts[network][host - 1]], &treevnc(args))
    }

    /// Both addresses of every TCP connection that a host's programs have over its network.
    pub(crate) fn connections(&self, network: usize, host: usize) -> Vec<(String, String)> {
        let name = &self.hosts[network][host - 1];
        let listed = run("ip", &["netns", "exec", name, "ss", "-Htn", "state", "established"]);
        let address = |word: &str| word.rsplit_once(':').unwrap().0.trim_matches(['[', ']']).to_owned();
        let ends = listed.lines().map(|line| line.split_whitespace().skip(2).map(address).collect::<Vec<_>>());
        ends.map(|ends| (ends[0].clone(), ends[1].clone())).filter(|(here, _)| !here.starts_with("127.")).collect()
    }
}

/// Puts a cable between a host and a bridge. Addresses are good at once, without a second of asking whether somebody else has them.
fn connect(host: &str, interface: &str, bridge: &str, port: &str, address: &str) {
    run("ip", &["netns", "exec", host, "sysctl", "-q", "-w", "net.ipv6.conf.default.accept_dad=0"]);
    ip(&format!("-n {host} link add {interface} type veth peer name {port} netns {bridge}"));
    ip(&format!("-n {bridge} link set {port} master br0 up"));
    ip(&format!("-n {host} addr add {address}/24 dev {interface}"));
    ip(&format!("-n {host} link set {interface} up"));
    multicast(host, interface);
}

/// A host without a default route needs one for multicast.
fn multicast(host: &str, interface: &str) {
    let _ = Command::new("ip").args(["-n", host, "route", "add", "239.0.0.0/8", "dev", interface]).output();
}

impl Drop for Halls {
    fn drop(&mut self) {
        for name in self.hosts.iter().flatten().chain(&self.bridges).chain([&self.root]) {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}
