//! Where the default gateway is. On Linux from the kernel's table; elsewhere it is not known, and UPnP's search finds the router instead.

use std::net::Ipv4Addr;

/// The default gateway, where the system tells.
#[cfg(target_os = "linux")]
pub(super) fn default_gateway() -> Option<Ipv4Addr> {
    gateway_in(&std::fs::read_to_string("/proc/net/route").ok()?)
}

/// Not known here.
#[cfg(not(target_os = "linux"))]
pub(super) fn default_gateway() -> Option<Ipv4Addr> {
    None
}

/// The gateway of the default route with the lowest metric in a table as `/proc/net/route` has it.
#[cfg(any(target_os = "linux", test))]
fn gateway_in(table: &str) -> Option<Ipv4Addr> {
    /// Flags: the route is up, and by a gateway.
    const UP_BY_GATEWAY: u32 = 0x3;
    let routes = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let [_, destination, gateway, flags, _, _, metric, mask, ..] = fields[..] else { return None };
        let hex = |text| u32::from_str_radix(text, 16).ok();
        let is_default = hex(destination)? == 0 && hex(mask)? == 0 && hex(flags)? & UP_BY_GATEWAY == UP_BY_GATEWAY;
        // The kernel prints the four bytes as one number of this machine.
        is_default.then_some((metric.parse::<u32>().ok()?, Ipv4Addr::from(hex(gateway)?.to_ne_bytes())))
    });
    routes.min_by_key(|(metric, _)| *metric).map(|(_, gateway)| gateway)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    fn route(interface: &str, destination: u32, gateway: [u8; 4], flags: u32, metric: u32, mask: u32) -> String {
        let gateway = u32::from_ne_bytes(gateway);
        format!("{interface}\t{destination:08X}\t{gateway:08X}\t{flags:04X}\t0\t0\t{metric}\t{mask:08X}\t0\t0\t0\n")
    }

    #[test]
    fn the_default_route_with_the_lowest_metric_counts() {
        let table = [
            HEAD.to_owned(),
            route("wlan0", 0, [192, 168, 9, 1], 3, 600, 0),
            route("eth0", 0, [192, 168, 7, 1], 3, 100, 0),
            route("eth0", 0x00a8c0, [0, 0, 0, 0], 1, 50, 0x00ff_ffff),
            route("tun0", 0, [10, 0, 0, 1], 3, 0, 0x80),
            route("ppp0", 0, [0, 0, 0, 0], 1, 0, 0),
        ];
        assert_eq!(gateway_in(&table.concat()), Some(Ipv4Addr::new(192, 168, 7, 1)));
    }

    #[test]
    fn a_table_without_one_or_with_nonsense_has_no_gateway() {
        for table in ["", HEAD, "a\nb\n", &format!("{HEAD}eth0\t0\n"), &format!("{HEAD}eth0\tx\tx\tx\t0\t0\tx\tx\t0\t0\t0\n")] {
            assert_eq!(gateway_in(table), None, "{table}");
        }
    }
}
