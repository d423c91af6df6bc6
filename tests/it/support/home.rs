//! A computer at home: behind a router that translates addresses, and opens ports when miniupnpd runs in it; and somebody out in the world.
//! Network namespaces; needs to be the superuser.

use crate::support::namespaces::{ip, start_inside};
use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::tools::{Scratch, run, unique};
use crate::support::wait::PATIENCE;
use std::net::SocketAddr;
use std::process::Command;

/// The tables in which miniupnpd opens ports, and a router that lets nobody in.
const RULES: &str = "
table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept;
    iifname \"lan\" accept;
    jump miniupnpd;
  }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; oifname \"wan\" masquerade; }
}
";
const CONFIGURATION: &str = "ext_ifname=wan
listening_ip=lan
secure_mode=yes
port=0
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
uuid=3d5b4f0e-8a0e-4a6e-9d0c-0d5f3a3f5f11
allow 1024-65535 192.168.7.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
";

/// Somebody in the world (5.9.0.2), the router (5.9.0.1 and 192.168.7.1), the computer at home (192.168.7.2). Removed with its owner.
pub(crate) struct Home {
    world: String,
    router: String,
    inside: String,
    scratch: Scratch,
}

impl Home {
    /// The router opens nothing.
    pub(crate) fn new() -> Self {
        let tag = unique().replace('-', "");
        let name = |end: &str| format!("tv{tag}{end}");
        let home = Self { world: name("w"), router: name("r"), inside: name("i"), scratch: Scratch::new() };
        let Self { world, router, inside, scratch } = &home;
        for name in [world, router, inside] {
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link set lo up"));
        }
        for (outer, theirs, address, their_address) in
            [("wan", world, "5.9.0.1/24", "5.9.0.2/24"), ("lan", inside, "192.168.7.1/24", "192.168.7.2/24")]
        {
            ip(&format!("-n {router} link add {outer} type veth peer name e0 netns {theirs}"));
            ip(&format!("-n {router} addr add {address} dev {outer}"));
            ip(&format!("-n {router} link set {outer} up"));
            ip(&format!("-n {theirs} addr add {their_address} dev e0"));
            ip(&format!("-n {theirs} link set e0 up"));
        }
        ip(&format!("-n {inside} route add default via 192.168.7.1"));
        run("ip", &["netns", "exec", router, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]);
        let rules = scratch.write("rules", RULES);
        run("ip", &["netns", "exec", router, "nft", "-f", rules.to_str().unwrap()]);
        home
    }

    /// The router begins to open ports: by PCP and NAT-PMP, or by UPnP.
    pub(crate) fn open_ports(&self, by_upnp: bool) -> Process {
        let yes_or_no = |is: bool| if is { "yes" } else { "no" };
        let ways = format!("enable_natpmp={}\nenable_upnp={}\n", yes_or_no(!by_upnp), yes_or_no(by_upnp));
        let file = self.scratch.write("miniupnpd.conf", format!("{ways}{CONFIGURATION}"));
        let mut command = Command::new("miniupnpd");
        command.args(["-d", "-f"]).arg(file).arg("-P").arg(self.scratch.file("pid"));
        let daemon = start_inside(&words(&self.router), &command);
        let is_ready = |line: &str| line.contains(if by_upnp { "HTTP listening on port" } else { "Listening for NAT-PMP" });
        assert!(daemon.err().wait(PATIENCE, is_ready).is_some(), "{}", daemon.said());
        daemon
    }

    /// The router forgets what it has opened.
    pub(crate) fn forget_ports(&self) {
        for chain in ["miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"] {
            run("ip", &["netns", "exec", &self.router, "nft", "flush", "chain", "inet", "filter", chain]);
        }
    }

    /// The router hears nothing of PCP (version 2) any more, so that only NAT-PMP (version 0) is left of the two.
    pub(crate) fn lose_pcp(&self) {
        self.lose("udp dport 5351 @th,64,8 2");
    }

    /// The router neither answers nor says that it does not.
    pub(crate) fn lose_all(&self) {
        self.lose("udp dport { 1900, 5351 }");
        self.lose("tcp flags & (syn | ack) == syn");
    }

    fn lose(&self, what: &str) {
        let rules = format!(
            "add table ip deaf; add chain ip deaf input {{ type filter hook input priority 0; }}; \
             add rule ip deaf input iifname \"lan\" {what} drop"
        );
        run("ip", &["netns", "exec", &self.router, "nft", &rules]);
    }

    /// Starts a command on the router.
    pub(crate) fn start_on_router(&self, command: &Command) -> Process {
        start_inside(&words(&self.router), command)
    }

    /// Gives the router another address in the world.
    pub(crate) fn change_address(&self, from: &str, to: &str) {
        // In this order: with an interface's first address of a network its others go, too.
        ip(&format!("-n {} addr del {from}/24 dev wan", self.router));
        ip(&format!("-n {} addr add {to}/24 dev wan", self.router));
    }

    /// Whether the router leads anybody in.
    pub(crate) fn is_open(&self) -> bool {
        run("ip", &["netns", "exec", &self.router, "nft", "list", "table", "inet", "filter"]).contains("dnat")
    }

    /// The words that run a program on the computer at home.
    pub(crate) fn at_home(&self) -> [&str; 4] {
        words(&self.inside)
    }

    /// Starts a command on the computer at home.
    pub(crate) fn start_at_home(&self, command: &Command) -> Process {
        start_inside(&self.at_home(), command)
    }

    /// Starts a command in the world.
    pub(crate) fn start_outside(&self, command: &Command) -> Process {
        start_inside(&words(&self.world), command)
    }

    /// The present picture of a root at home.
    pub(crate) fn snapshot_at_home(&self, port: u16) -> Picture {
        self.snapshot(&self.inside, ([127, 0, 0, 1], port).into())
    }

    /// What somebody in the world gets from there.
    pub(crate) fn snapshot_outside(&self, address: SocketAddr) -> Picture {
        self.snapshot(&self.world, address)
    }

    fn snapshot(&self, namespace: &str, address: SocketAddr) -> Picture {
        let file = self.scratch.file(&format!("{}.png", unique()));
        let address = address.to_string();
        let mut process = start_inside(&words(namespace), &treevnc(["snapshot".as_ref(), address.as_ref(), file.as_os_str()]));
        assert!(process.end(PATIENCE).success(), "{}", process.said());
        Picture::from_png(&file)
    }
}

fn words(namespace: &str) -> [&str; 4] {
    ["ip", "netns", "exec", namespace]
}

impl Drop for Home {
    fn drop(&mut self) {
        for name in [&self.world, &self.router, &self.inside] {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}
