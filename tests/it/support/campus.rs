//! Networks behind routers that translate addresses: a LAN of hosts, a router, and its cable into another network. Needs to be the superuser.

use crate::support::namespaces::{Hosts, ip, start_inside};
use crate::support::process::Process;
use crate::support::tools::{run, unique};
use std::process::Command;

/// A LAN 10.(90+n).0.0/24 whose router is a host of another network. Removed with its owner.
pub(crate) struct Campus {
    number: u8,
    bridge: String,
    router: String,
    hosts: Vec<String>,
    /// The other network's bridge, and the router's port there.
    upstream: (String, String),
}

impl Campus {
    /// The campus of this number, with so many hosts, at the network of `hosts`.
    pub(crate) fn at_hosts(number: u8, count: usize, hosts: &Hosts) -> Self {
        Self::new(number, count, hosts.bridge(), &format!("10.77.0.{}", 200 + number))
    }

    /// The same at the LAN of another campus.
    pub(crate) fn at_campus(number: u8, count: usize, other: &Campus) -> Self {
        Self::new(number, count, &other.bridge, &format!("10.{}.0.{}", 90 + other.number, 200 + number))
    }

    fn new(number: u8, count: usize, upstream: &str, address: &str) -> Self {
        let tag = unique().replace('-', "");
        let campus = Self {
            number,
            bridge: format!("tv{tag}lan"),
            router: format!("tv{tag}rt"),
            hosts: (1..=count).map(|host| format!("tv{tag}c{host}")).collect(),
            upstream: (upstream.to_owned(), format!("up{number}")),
        };
        let (bridge, router, port) = (&campus.bridge, &campus.router, &campus.upstream.1);
        ip(&format!("netns add {bridge}"));
        ip(&format!("-n {bridge} link add br0 type bridge"));
        ip(&format!("-n {bridge} link set br0 up"));
        ip(&format!("netns add {router}"));
        ip(&format!("-n {router} link set lo up"));
        connect(router, "wan", upstream, port, address);
        connect(router, "lan", bridge, "router", &format!("10.{}.0.254", 90 + number));
        for (at, host) in campus.hosts.iter().enumerate() {
            ip(&format!("netns add {host}"));
            ip(&format!("-n {host} link set lo up"));
            connect(host, "e0", bridge, &format!("p{at}"), &campus.address(at + 1));
            ip(&format!("-n {host} route add default via 10.{}.0.254", 90 + number));
        }
        run("ip", &["netns", "exec", router, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]);
        let rules = "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }; \
                     add rule ip nat post oifname \"wan\" masquerade; \
                     add chain ip nat pass { type filter hook forward priority 0; policy drop; }; \
                     add rule ip nat pass ct state established,related accept; \
                     add rule ip nat pass iifname \"lan\" accept;";
        run("ip", &["netns", "exec", router, "nft", rules]);
        campus
    }

    /// A host's address, the first is 1.
    pub(crate) fn address(&self, host: usize) -> String {
        format!("10.{}.0.{host}", 90 + self.number)
    }

    /// The words that run a program on a host.
    pub(crate) fn inside(&self, host: usize) -> [&str; 4] {
        ["ip", "netns", "exec", &self.hosts[host - 1]]
    }

    /// Starts a command on a host.
    pub(crate) fn start(&self, host: usize, command: &Command) -> Process {
        start_inside(&self.inside(host), command)
    }

    /// Pulls the router's cable out of the other network.
    pub(crate) fn cut(&self) {
        ip(&format!("-n {} link set {} down", self.upstream.0, self.upstream.1));
    }

    /// Plugs it in again.
    pub(crate) fn restore(&self) {
        ip(&format!("-n {} link set {} up", self.upstream.0, self.upstream.1));
    }

    /// Bytes that have come in from the other network so far, the headers of all layers included.
    pub(crate) fn bytes_in(&self) -> u64 {
        bytes_in(&self.router, "wan")
    }

    /// Bytes that have come in to a host so far.
    pub(crate) fn host_bytes_in(&self, host: usize) -> u64 {
        bytes_in(&self.hosts[host - 1], "e0")
    }
}

/// Bytes that have come in by an interface of a namespace so far.
pub(crate) fn bytes_in(namespace: &str, interface: &str) -> u64 {
    bytes(namespace, interface, "rx")
}

/// Bytes that have gone out by an interface of a namespace so far.
pub(crate) fn bytes_out(namespace: &str, interface: &str) -> u64 {
    bytes(namespace, interface, "tx")
}

fn bytes(namespace: &str, interface: &str, way: &str) -> u64 {
    let told = run("ip", &["-n", namespace, "-s", "-j", "link", "show", "dev", interface]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    told[0]["stats64"][way]["bytes"].as_u64().unwrap()
}

/// Puts a cable between a host and a bridge.
fn connect(host: &str, interface: &str, bridge: &str, port: &str, address: &str) {
    ip(&format!("-n {host} link add {interface} type veth peer name {port} netns {bridge}"));
    ip(&format!("-n {bridge} link set {port} master br0 up"));
    ip(&format!("-n {host} addr add {address}/24 dev {interface}"));
    ip(&format!("-n {host} link set {interface} up"));
}

impl Drop for Campus {
    fn drop(&mut self) {
        for name in self.hosts.iter().chain([&self.bridge, &self.router]) {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}
