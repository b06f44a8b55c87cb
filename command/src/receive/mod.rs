//! A socket that receives datagrams, with as large a buffer as the system
//! gives, and the count of those that were dropped because it was full.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};
use std::path::{Path, PathBuf};

use fripp::send::endpoint::{Endpoint, Host};
use rustix::net::sockopt;

use crate::address::Address;

/// What is asked for; the system gives others than root `rmem_max` of it.
const ROOM: usize = 64 << 20;
/// The longest datagram, over UNIX sockets of the usual settings, too.
const LONGEST: usize = 256 << 10;

#[derive(Debug)]
enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

/// Where a datagram came from.
#[derive(Debug)]
pub enum Sender {
    Udp(SocketAddr),
    Unix(UnixAddr),
}

impl Sender {
    /// The address as an endpoint is written; most UNIX sockets that send
    /// have none.
    pub fn address(&self) -> Option<String> {
        match self {
            Sender::Udp(address) => Some(address.to_string()),
            Sender::Unix(address) => {
                let path = address.as_pathname().map(|path| format!("unix:{}", path.display()));
                let name = |name: &[u8]| format!("unix:@{}", name.escape_ascii());
                path.or_else(|| address.as_abstract_name().map(name))
            }
        }
    }
}

#[derive(Debug)]
pub struct Receiver {
    /// One; for `localhost` one of IPv4 and one of IPv6.
    sockets: Vec<Socket>,
    /// The endpoint, with the port that was chosen.
    pub bound: Endpoint,
    query: Option<String>,
    buffer: Box<[u8]>,
}

impl Receiver {
    pub fn bind(address: Address) -> Result<Receiver, String> {
        let Address { endpoint, any_port, query, .. } = address;
        let (sockets, bound) = match endpoint {
            Endpoint::Tcp { .. } | Endpoint::StreamPath(_) | Endpoint::StreamAbstract(_) => {
                return Err(format!("{endpoint}: datagrams are received, and it is a stream"));
            }
            Endpoint::Udp { host, port } => bind_udp(&host, if any_port { 0 } else { port })?,
            Endpoint::Path(path) => {
                let socket = bind_path(&path).map_err(|wrong| refused(&path.display(), &wrong))?;
                (vec![Socket::Unix(socket)], Endpoint::Path(path))
            }
            Endpoint::Abstract(name) => {
                let socket = UnixAddr::from_abstract_name(&name)
                    .and_then(|address| UnixDatagram::bind_addr(&address))
                    .map_err(|wrong| refused(&format!("unix:@{}", name.escape_ascii()), &wrong))?;
                (vec![Socket::Unix(socket)], Endpoint::Abstract(name))
            }
        };
        let buffer = vec![0; LONGEST].into_boxed_slice();
        let receiver = Receiver { sockets, bound, query, buffer };
        receiver.make_room().map_err(|wrong| format!("{}: {wrong}", receiver.bound))?;
        Ok(receiver)
    }

    /// What a program sets `FLUX_FRIPP_STATSD` to, to send here.
    pub fn uri(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.bound),
            None => self.bound.to_string(),
        }
    }

    /// Takes the datagrams that are there, `most` of each socket; less than
    /// that is returned where no more are there.
    pub fn receive(
        &mut self,
        most: usize,
        take: &mut dyn FnMut(&[u8], &Sender),
    ) -> Result<usize, String> {
        let mut taken = 0;
        for socket in &self.sockets {
            let of_socket = socket.receive(&mut self.buffer, most, take);
            taken = taken.max(of_socket.map_err(|wrong| format!("{}: {wrong}", self.bound))?);
        }
        Ok(taken)
    }

    /// What to wait for.
    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sockets.iter().map(AsFd::as_fd)
    }

    /// Tells how many datagrams the kernel drops, also while this receives.
    pub fn losses(&self) -> Losses {
        Losses(self.sockets.iter().filter_map(Socket::row).collect())
    }

    fn make_room(&self) -> io::Result<()> {
        for socket in &self.sockets {
            match socket {
                Socket::Udp(socket) => socket.set_nonblocking(true)?,
                Socket::Unix(socket) => socket.set_nonblocking(true)?,
            }
            if sockopt::set_socket_recv_buffer_size_force(socket.as_fd(), ROOM).is_err() {
                sockopt::set_socket_recv_buffer_size(socket.as_fd(), ROOM)?;
            }
        }
        Ok(())
    }
}

impl Socket {
    fn receive(
        &self,
        buffer: &mut [u8],
        most: usize,
        take: &mut dyn FnMut(&[u8], &Sender),
    ) -> io::Result<usize> {
        for taken in 0..most {
            let got = match self {
                Socket::Udp(socket) => {
                    socket.recv_from(buffer).map(|(len, from)| (len, Sender::Udp(from)))
                }
                Socket::Unix(socket) => {
                    socket.recv_from(buffer).map(|(len, from)| (len, Sender::Unix(from)))
                }
            };
            match got {
                Ok((len, sender)) => take(&buffer[..len], &sender),
                Err(wrong) if wrong.kind() == ErrorKind::WouldBlock => return Ok(taken),
                Err(wrong) if wrong.kind() == ErrorKind::Interrupted => {}
                Err(wrong) => return Err(wrong),
            }
        }
        Ok(most)
    }

    /// The table of the kernel's that has this socket, and its inode.
    fn row(&self) -> Option<(&'static str, String)> {
        let Socket::Udp(socket) = self else { return None };
        let is_v6 = socket.local_addr().is_ok_and(|address| address.is_ipv6());
        let table = if is_v6 { "/proc/net/udp6" } else { "/proc/net/udp" };
        let link = format!("/proc/self/fd/{}", socket.as_raw_fd());
        let inode = std::fs::metadata(link).map(|file| file.ino().to_string());
        Some((table, inode.ok()?))
    }
}

/// The rows of sockets in tables of the kernel's.
pub struct Losses(Vec<(&'static str, String)>);

impl Losses {
    /// Datagrams dropped because they came faster than they were received.
    /// A UNIX socket makes its senders wait instead.
    pub fn count(&self) -> u64 {
        let of = |(table, inode): &(&str, String)| {
            drops_of(&std::fs::read_to_string(table).unwrap_or_default(), inode).unwrap_or(0)
        };
        self.0.iter().map(of).sum()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Udp(socket) => socket.as_fd(),
            Socket::Unix(socket) => socket.as_fd(),
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Endpoint::Path(path) = &self.bound {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn bind_udp(host: &Host, port: u16) -> Result<(Vec<Socket>, Endpoint), String> {
    let shown = match host {
        Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]:{port}"),
        Host::Ip(ip) => format!("{ip}:{port}"),
        Host::Name(name) => format!("{name}:{port}"),
    };
    let refused = |wrong| refused(&shown, &wrong);
    let is_localhost = matches!(host, Host::Name(name) if name.eq_ignore_ascii_case("localhost"));
    let bound = match host {
        Host::Ip(ip) => UdpSocket::bind((*ip, port)),
        Host::Name(_) if is_localhost => UdpSocket::bind((Ipv4Addr::LOCALHOST, port)),
        Host::Name(name) => UdpSocket::bind((name.as_str(), port)),
    };
    let socket = bound.map_err(refused)?;
    let address = socket.local_addr().map_err(refused)?;
    let endpoint = Endpoint::Udp { host: Host::Ip(address.ip()), port: address.port() };
    let mut sockets = vec![Socket::Udp(socket)];
    if is_localhost {
        // senders take either of its addresses
        match UdpSocket::bind((Ipv6Addr::LOCALHOST, address.port())) {
            Ok(socket) => sockets.push(Socket::Udp(socket)),
            Err(wrong) if wrong.kind() == ErrorKind::AddrInUse => return Err(refused(wrong)),
            // this machine has no IPv6
            Err(_) => {}
        }
    }
    Ok((sockets, endpoint))
}

/// Replaces a socket that no process has open any more.
fn bind_path(path: &PathBuf) -> io::Result<UnixDatagram> {
    match UnixDatagram::bind(path) {
        Err(wrong) if wrong.kind() == ErrorKind::AddrInUse && is_abandoned(path) => {
            std::fs::remove_file(path)?;
            UnixDatagram::bind(path)
        }
        bound => bound,
    }
}

fn is_abandoned(path: &Path) -> bool {
    let refused = |wrong: io::Error| wrong.kind() == ErrorKind::ConnectionRefused;
    let socket = UnixDatagram::unbound();
    socket.and_then(|socket| socket.connect(path)).is_err_and(refused)
        && std::fs::symlink_metadata(path)
            .is_ok_and(|file| std::os::unix::fs::FileTypeExt::is_socket(&file.file_type()))
}

fn refused(address: &dyn std::fmt::Display, wrong: &io::Error) -> String {
    let why = match wrong.kind() {
        ErrorKind::AddrInUse => {
            "in use: another program receives there (move it, and see --forward)".to_owned()
        }
        ErrorKind::PermissionDenied => "no permission to receive there".to_owned(),
        ErrorKind::AddrNotAvailable => "no address of this machine".to_owned(),
        ErrorKind::NotFound => "no such folder".to_owned(),
        _ => wrong.to_string(),
    };
    format!("{address}: {why}")
}

/// The column `drops` of the row with this inode, in `/proc/net/udp`.
fn drops_of(table: &str, inode: &str) -> Option<u64> {
    let row = table.lines().find(|row| row.split_whitespace().nth(9) == Some(inode))?;
    row.split_whitespace().nth(12)?.parse().ok()
}

#[cfg(test)]
mod tests;
