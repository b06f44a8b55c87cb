//! Multicast groups: who listens at a group's address joins it.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use rustix::net::netdevice;
use socket2::{Domain, InterfaceIndexOrAddress, Socket, Type};

/// A socket at a group's address, which other programs may have, too: each
/// receives all. It joins on the interface of the address's zone, or on each.
pub fn join(group: SocketAddr) -> io::Result<UdpSocket> {
    if needs_zone(group) {
        return Err(io::Error::other("say its interface, as in [ff02::1%25eth0]:8125"));
    }
    let socket = Socket::new(Domain::for_address(group), Type::DGRAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&group.into())?;
    let of_zone = match group {
        SocketAddr::V6(group) if group.scope_id() != 0 => Some(group.scope_id()),
        _ => None,
    };
    let interfaces = of_zone.map_or_else(|| interfaces(&socket), |index| vec![index]);
    let joined: Vec<io::Result<()>> = interfaces
        .into_iter()
        .map(|index| match group.ip() {
            IpAddr::V4(ip) => {
                socket.join_multicast_v4_n(&ip, &InterfaceIndexOrAddress::Index(index))
            }
            IpAddr::V6(ip) => socket.join_multicast_v6(&ip, index),
        })
        .collect();
    if joined.iter().all(Result::is_err) {
        joined.into_iter().next().unwrap_or_else(|| Err(io::Error::other("no interface")))?;
    }
    Ok(socket.into())
}

/// A group that each interface, or each network, has for itself.
fn needs_zone(group: SocketAddr) -> bool {
    match group {
        SocketAddr::V4(_) => false,
        SocketAddr::V6(v6) => v6.scope_id() == 0 && matches!(v6.ip().segments()[0] & 0xf, 1 | 2),
    }
}

/// The numbers of all interfaces of this network namespace: `/sys` may be that
/// of another one, or not be there.
fn interfaces(socket: &Socket) -> Vec<u32> {
    let table = std::fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let names = table.lines().filter_map(|line| line.split_once(':'));
    names.filter_map(|(name, _)| netdevice::name_to_index(socket, name.trim()).ok()).collect()
}
