//! A socket that knows whether its descriptor is still its own.

#![forbid(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, IntoRawFd};

use socket2::Type;

use crate::send::address::Address;
use crate::sys::{self, FileId};

/// A socket, and what it was when it was opened.
#[derive(Debug)]
pub struct Descriptor {
    /// `None` only while it is dropped.
    socket: Option<socket2::Socket>,
    id: Option<FileId>,
    /// Of the process that opened it.
    generation: u32,
}

impl Descriptor {
    /// Opens a non-blocking, close-on-exec socket for an address.
    pub fn open(address: &Address, of_type: Type) -> io::Result<Descriptor> {
        let of_type = of_type.nonblocking().cloexec();
        let socket = socket2::Socket::new(address.0.domain(), of_type, None)?;
        let socket = socket2::Socket::from(sys::above_standard(socket.into())?);
        let id = sys::file_id(socket.as_fd());
        Ok(Descriptor { socket: Some(socket), id, generation: sys::generation() })
    }

    /// The socket.
    pub fn socket(&self) -> io::Result<&socket2::Socket> {
        self.socket.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Whether the descriptor is still this socket: the host may have closed
    /// it, and the number may be another file's by now.
    pub fn is_own(&self) -> bool {
        let id = self.socket.as_ref().and_then(|socket| sys::file_id(socket.as_fd()));
        id.is_some() && id == self.id
    }
}

impl Drop for Descriptor {
    /// Leaves the descriptor open if it is another file's by now, as it may be
    /// after a fork.
    fn drop(&mut self) {
        if self.generation != sys::generation() || !self.is_own() {
            self.socket.take().map(IntoRawFd::into_raw_fd);
        }
    }
}
