//! The address of a server.

#![forbid(unsafe_code)]

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use socket2::SockAddr;

/// The address of an endpoint, looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Address(pub(super) SockAddr);

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

    /// Whether it is one of this host's loopback.
    pub fn is_loopback(&self) -> bool {
        self.0.as_socket().is_some_and(|address| address.ip().is_loopback())
    }

    /// A UNIX socket by abstract name.
    pub fn abstract_name(name: &[u8]) -> io::Result<Address> {
        use std::os::unix::ffi::OsStrExt;
        let name = [b"\0", name].concat();
        SockAddr::unix(std::ffi::OsStr::from_bytes(&name)).map(Address)
    }
}
