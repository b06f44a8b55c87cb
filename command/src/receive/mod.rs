//! A socket that datagrams come in by, with as much room as the system gives,
//! and the count of those that it had no room for.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
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
    socket: Socket,
    /// The end point, with the port that was chosen.
    pub bound: Endpoint,
    query: Option<String>,
    buffer: Box<[u8]>,
}

impl Receiver {
    pub fn bind(address: Address) -> Result<Receiver, String> {
        let Address { endpoint, any_port, query, .. } = address;
        let (socket, bound) = match endpoint {
            Endpoint::Udp { host, port } => bind_udp(&host, if any_port { 0 } else { port })?,
            Endpoint::Path(path) => {
                let socket = bind_path(&path).map_err(|wrong| refused(&path.display(), &wrong))?;
                (Socket::Unix(socket), Endpoint::Path(path))
            }
            Endpoint::Abstract(name) => {
                let socket = UnixAddr::from_abstract_name(&name)
                    .and_then(|address| UnixDatagram::bind_addr(&address))
                    .map_err(|wrong| refused(&format!("unix:@{}", name.escape_ascii()), &wrong))?;
                (Socket::Unix(socket), Endpoint::Abstract(name))
            }
        };
        let buffer = vec![0; LONGEST].into_boxed_slice();
        let receiver = Receiver { socket, bound, query, buffer };
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

    /// Takes the datagrams that are there, `most` of them, and says how many
    /// there were.
    pub fn receive(
        &mut self,
        most: usize,
        take: &mut dyn FnMut(&[u8], &Sender),
    ) -> Result<usize, String> {
        for taken in 0..most {
            let got = match &self.socket {
                Socket::Udp(socket) => {
                    socket.recv_from(&mut self.buffer).map(|(len, from)| (len, Sender::Udp(from)))
                }
                Socket::Unix(socket) => {
                    socket.recv_from(&mut self.buffer).map(|(len, from)| (len, Sender::Unix(from)))
                }
            };
            match got {
                Ok((len, sender)) => take(&self.buffer[..len], &sender),
                Err(wrong) if wrong.kind() == ErrorKind::WouldBlock => return Ok(taken),
                Err(wrong) if wrong.kind() == ErrorKind::Interrupted => {}
                Err(wrong) => return Err(format!("{}: {wrong}", self.bound)),
            }
        }
        Ok(most)
    }

    /// Tells how many datagrams the kernel drops, also while this receives.
    pub fn losses(&self) -> Losses {
        let Socket::Udp(socket) = &self.socket else { return Losses(None) };
        let table = match self.bound {
            Endpoint::Udp { host: Host::Ip(IpAddr::V6(_)), .. } => "/proc/net/udp6",
            _ => "/proc/net/udp",
        };
        let link = format!("/proc/self/fd/{}", socket.as_raw_fd());
        let inode = std::fs::metadata(link).map(|file| file.ino().to_string());
        Losses(inode.ok().map(|inode| (table, inode)))
    }

    fn make_room(&self) -> io::Result<()> {
        match &self.socket {
            Socket::Udp(socket) => socket.set_nonblocking(true)?,
            Socket::Unix(socket) => socket.set_nonblocking(true)?,
        }
        if sockopt::set_socket_recv_buffer_size_force(self.as_fd(), ROOM).is_err() {
            sockopt::set_socket_recv_buffer_size(self.as_fd(), ROOM)?;
        }
        Ok(())
    }
}

/// The row of a socket in a table of the kernel's.
pub struct Losses(Option<(&'static str, String)>);

impl Losses {
    /// Datagrams that were dropped, for they came faster than they were taken.
    /// A UNIX socket makes its senders wait instead.
    pub fn count(&self) -> u64 {
        let Some((table, inode)) = &self.0 else { return 0 };
        let table = std::fs::read_to_string(table).unwrap_or_default();
        drops_of(&table, inode).unwrap_or(0)
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
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

fn bind_udp(host: &Host, port: u16) -> Result<(Socket, Endpoint), String> {
    let bound = match host {
        Host::Ip(ip) => UdpSocket::bind((*ip, port)),
        Host::Name(name) => UdpSocket::bind((name.as_str(), port)),
    };
    let shown = match host {
        Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]:{port}"),
        Host::Ip(ip) => format!("{ip}:{port}"),
        Host::Name(name) => format!("{name}:{port}"),
    };
    let socket = bound.map_err(|wrong| refused(&shown, &wrong))?;
    let address = socket.local_addr().map_err(|wrong| refused(&shown, &wrong))?;
    let endpoint = Endpoint::Udp { host: Host::Ip(address.ip()), port: address.port() };
    Ok((Socket::Udp(socket), endpoint))
}

/// Takes the place of a socket that nobody has open any more.
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
