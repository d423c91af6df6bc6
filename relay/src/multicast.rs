//! This machine's network interfaces, and the UDP sockets for discovery on them (PROTOCOL.md, Discovery). Owns which addresses belong
//! together and every socket option that multicast needs; what is said on the sockets is decided by their users.

use crate::interfaces::interfaces;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use tokio::net::UdpSocket;
use treevnc_protocol::tree::discovery::{GROUP_V4, GROUP_V6, PORT};
use treevnc_protocol::tree::message::NetworkKind;
use treevnc_protocol::tree::networks::Interface;

/// An interface in one version of IP. Discovery goes on within each alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    index: u32,
    own: Own,
    name: String,
    /// All addresses of the interface, of both versions.
    addresses: Vec<IpAddr>,
}

/// The address that is spoken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Own {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// All segments of this machine that are up, in a fixed order: for IPv4 where an interface has an address, for IPv6 where it has a
/// link-local one. The loopback interface is one, so that a machine without a network finds itself; networks of containers are none, since
/// nobody beyond this machine can be met there.
pub fn segments() -> io::Result<Vec<Segment>> {
    let interfaces = interfaces()?.into_iter().filter(|interface| interface.kind != NetworkKind::Container);
    Ok(interfaces.flat_map(segments_of).collect())
}

fn segments_of(Interface { index, name, addresses, .. }: Interface) -> impl Iterator<Item = Segment> {
    let addresses: Vec<IpAddr> = addresses.into_iter().map(|own| own.address).collect();
    let v4 = addresses.iter().find_map(|ip| if let IpAddr::V4(ip) = ip { Some(Own::V4(*ip)) } else { None });
    let v6 = addresses.iter().find_map(|ip| match ip {
        IpAddr::V6(ip) if ip.is_unicast_link_local() => Some(Own::V6(*ip)),
        _ => None,
    });
    let owns = v4.into_iter().chain(v6);
    owns.map(move |own| Segment { index, own, name: name.to_string(), addresses: addresses.clone() })
}

impl Segment {
    /// A socket that hears what is sent to the group on this segment, beside any number of others on this machine.
    pub fn listener(&self) -> io::Result<UdpSocket> {
        let socket = self.socket()?;
        socket.set_reuse_address(true)?;
        // Not on Linux: the address alone is enough there, and with this its kernels hand a datagram to any one listener of the
        // port, whichever interface it joined the group on (seen on 6.18).
        #[cfg(any(
            target_vendor = "apple",
            target_os = "freebsd",
            target_os = "netbsd",
            target_os = "openbsd",
            target_os = "dragonfly"
        ))]
        socket.set_reuse_port(true)?;
        // Bound to the group, it hears nothing that is sent to this machine alone from afar. Windows knows no such binding.
        socket.bind(&if cfg!(windows) { self.unspecified() } else { self.group() }.into())?;
        match self.own {
            Own::V4(own) => {
                // Else it would also hear the groups that other sockets have joined on other interfaces.
                #[cfg(any(target_os = "linux", target_os = "android"))]
                socket.set_multicast_all_v4(false)?;
                socket.join_multicast_v4(&GROUP_V4, &own)?;
            }
            Own::V6(_) => socket.join_multicast_v6(&GROUP_V6, self.index)?,
        }
        UdpSocket::from_std(socket.into())
    }

    /// A socket with an own port that sends from this segment's address: to the group, not beyond the segment, or to one asker.
    pub fn speaker(&self) -> io::Result<UdpSocket> {
        let socket = self.socket()?;
        match self.own {
            Own::V4(own) => {
                socket.bind(&SocketAddr::from((own, 0)).into())?;
                socket.set_multicast_if_v4(&own)?;
                socket.set_multicast_ttl_v4(1)?;
                socket.set_multicast_loop_v4(true)?;
            }
            Own::V6(own) => {
                socket.bind(&SocketAddr::from(SocketAddrV6::new(own, 0, 0, self.index)).into())?;
                socket.set_multicast_if_v6(self.index)?;
                socket.set_multicast_hops_v6(1)?;
                socket.set_multicast_loop_v6(true)?;
            }
        }
        UdpSocket::from_std(socket.into())
    }

    /// Where FIND_ROOT goes on this segment.
    pub fn group(&self) -> SocketAddr {
        match self.own {
            Own::V4(_) => (GROUP_V4, PORT).into(),
            Own::V6(_) => SocketAddrV6::new(GROUP_V6, PORT, 0, self.index).into(),
        }
    }

    /// The interface's addresses, the one that is spoken from first.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let own = self.own_address();
        std::iter::once(own).chain(self.addresses.iter().copied().filter(|&ip| ip != own)).collect()
    }

    /// An address of a machine on this segment as it is dialled from here: a link-local IPv6 one needs the interface.
    pub fn dialled(&self, ip: IpAddr, port: u16) -> SocketAddr {
        match ip {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => SocketAddrV6::new(ip, port, 0, self.index).into(),
            ip => (ip, port).into(),
        }
    }

    /// Whether it is this machine alone.
    pub fn is_loopback(&self) -> bool {
        self.own_address().is_loopback()
    }

    fn own_address(&self) -> IpAddr {
        match self.own {
            Own::V4(own) => own.into(),
            Own::V6(own) => own.into(),
        }
    }

    fn unspecified(&self) -> SocketAddr {
        match self.own {
            Own::V4(_) => (Ipv4Addr::UNSPECIFIED, PORT).into(),
            Own::V6(_) => (Ipv6Addr::UNSPECIFIED, PORT).into(),
        }
    }

    fn socket(&self) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(self.group()), Type::DGRAM, Some(Protocol::UDP))?;
        if self.group().is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}

impl std::fmt::Display for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.own_address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_a_segment_of_ipv4_alone() {
        let loopback: Vec<_> = segments().unwrap().into_iter().filter(Segment::is_loopback).collect();
        let [segment] = &loopback[..] else { panic!("{loopback:?}") };
        assert_eq!(segment.addresses().first(), Some(&Ipv4Addr::LOCALHOST.into()));
        assert!(segment.group().is_ipv4());
    }

    #[tokio::test]
    async fn two_listeners_on_one_machine_both_hear_what_is_said() {
        let segment = segments().unwrap().into_iter().find(Segment::is_loopback).unwrap();
        let (first, second) = (segment.listener().unwrap(), segment.listener().unwrap());
        let speaker = segment.speaker().unwrap();
        let word = format!("not a question {:?}", speaker.local_addr().unwrap());
        speaker.send_to(word.as_bytes(), segment.group()).await.unwrap();
        for listener in [first, second] {
            let mut heard = [0; 100];
            loop {
                let (count, from) = listener.recv_from(&mut heard).await.unwrap();
                if heard[..count] == *word.as_bytes() {
                    assert_eq!(from, speaker.local_addr().unwrap());
                    break;
                }
            }
        }
    }
}
