//! One non-blocking, close-on-exec, connected datagram socket.

#![forbid(unsafe_code)]

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, IntoRawFd};
use std::path::Path;

use socket2::{Domain, SockAddr, Type};

use crate::sys::{self, FileId};

/// A connected socket that tells whether its descriptor is still its own.
#[derive(Debug)]
pub struct Socket {
    /// `None` only while it is dropped.
    inner: Option<socket2::Socket>,
    id: Option<FileId>,
}

/// The address of an end point, looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Address(SockAddr);

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address(address.into())
    }
}

impl Address {
    /// A UNIX socket by path.
    pub fn path(path: &Path) -> io::Result<Address> {
        SockAddr::unix(path).map(Address)
    }

    /// A UNIX socket by abstract name.
    pub fn abstract_name(name: &[u8]) -> io::Result<Address> {
        use std::os::unix::ffi::OsStrExt;
        let name = [b"\0", name].concat();
        SockAddr::unix(std::ffi::OsStr::from_bytes(&name)).map(Address)
    }
}

impl Socket {
    /// Opens a socket and connects it, which for datagrams waits for nobody.
    pub fn connect(address: &Address) -> io::Result<Socket> {
        let domain: Domain = address.0.domain();
        let inner = socket2::Socket::new(domain, Type::DGRAM.nonblocking().cloexec(), None)?;
        inner.connect(&address.0)?;
        let id = sys::file_id(inner.as_fd());
        Ok(Socket { inner: Some(inner), id })
    }

    /// Sends one datagram.
    pub fn send(&self, datagram: &[u8]) -> io::Result<()> {
        let Some(inner) = &self.inner else { return Err(io::ErrorKind::NotConnected.into()) };
        inner.send_with_flags(datagram, libc::MSG_NOSIGNAL).map(drop)
    }

    /// The error of an earlier datagram that the kernel has been told of
    /// since, and forgets with this call.
    pub fn take_error(&self) -> Option<io::Error> {
        self.inner.as_ref().and_then(|inner| inner.take_error().unwrap_or_else(Some))
    }

    /// Whether the descriptor is still this socket: the host may have closed
    /// it, and the number may be another file's by now.
    pub fn is_own(&self) -> bool {
        let id = self.inner.as_ref().and_then(|inner| sys::file_id(inner.as_fd()));
        id.is_some() && id == self.id
    }

    /// Lets go of the descriptor without closing it: after a fork the number
    /// may be another file's.
    pub fn abandon(mut self) {
        self.inner.take().map(IntoRawFd::into_raw_fd);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if !self.is_own() {
            self.inner.take().map(IntoRawFd::into_raw_fd);
        }
    }
}
