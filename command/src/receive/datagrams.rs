//! Sockets that receive datagrams, with as large a buffer as the system
//! gives, and the count of those that were dropped because it was full.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;

use rustix::net::sockopt;

use super::{LONGEST, Sender};

/// What is asked for; the system gives others than root `rmem_max` of it.
const ROOM: usize = 64 << 20;

#[derive(Debug)]
pub enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

/// One; for `localhost` one of IPv4 and one of IPv6.
#[derive(Debug)]
pub struct Datagrams {
    pub sockets: Vec<Socket>,
    buffer: Box<[u8]>,
}

impl Datagrams {
    pub fn new(sockets: Vec<Socket>) -> io::Result<Datagrams> {
        sockets.iter().try_for_each(Socket::make_room)?;
        Ok(Datagrams { sockets, buffer: vec![0; LONGEST].into_boxed_slice() })
    }

    /// Takes the datagrams that are there, `most` of each socket; less than
    /// that is returned where no more are there.
    pub fn receive(
        &mut self,
        most: usize,
        take: &mut dyn FnMut(&[u8], &Sender),
    ) -> io::Result<usize> {
        let mut taken = 0;
        for socket in &self.sockets {
            taken = taken.max(socket.receive(&mut self.buffer, most, take)?);
        }
        Ok(taken)
    }

    /// Tells how many datagrams the kernel drops, also while this receives.
    pub fn losses(&self) -> Losses {
        Losses(self.sockets.iter().filter_map(Socket::row).collect())
    }
}

impl Socket {
    fn make_room(&self) -> io::Result<()> {
        match self {
            Socket::Udp(socket) => socket.set_nonblocking(true)?,
            Socket::Unix(socket) => socket.set_nonblocking(true)?,
        }
        if sockopt::set_socket_recv_buffer_size_force(self.as_fd(), ROOM).is_err() {
            sockopt::set_socket_recv_buffer_size(self.as_fd(), ROOM)?;
        }
        Ok(())
    }

    fn receive(
        &self,
        buffer: &mut [u8],
        most: usize,
        take: &mut dyn FnMut(&[u8], &Sender),
    ) -> io::Result<usize> {
        for taken in 0..most {
            let got = match self {
                Socket::Udp(socket) => {
                    socket.recv_from(buffer).map(|(len, from)| (len, Sender::Ip(from)))
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
#[derive(Default)]
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

/// The column `drops` of the row with this inode, in `/proc/net/udp`.
pub fn drops_of(table: &str, inode: &str) -> Option<u64> {
    let row = table.lines().find(|row| row.split_whitespace().nth(9) == Some(inode))?;
    row.split_whitespace().nth(12)?.parse().ok()
}
