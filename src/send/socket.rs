//! One non-blocking, close-on-exec, connected datagram socket.

#![forbid(unsafe_code)]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socket2::Type;

use crate::send::address::Address;
use crate::send::descriptor::Descriptor;

/// A connected datagram socket.
#[derive(Debug)]
pub struct Socket {
    descriptor: Descriptor,
    address: Address,
    /// Others than its owner send through it, too: each in turn.
    shared: AtomicBool,
    shared_state: Mutex<SharedState>,
}

/// What the context that uses a shared socket at the moment knows.
#[derive(Debug, Default)]
struct SharedState {
    /// The owner has learned that others send: it looks after each datagram
    /// from now on. A refusal found until then is one of its own.
    owner_knows: bool,
    /// Such a refusal, which has not been reported to the owner.
    owners_error: Option<io::Error>,
}

/// How a datagram was refused.
#[derive(Debug)]
pub enum Refusal {
    /// Not taken at all; of ECONNREFUSED with UDP, one before it was.
    Before(io::Error),
    /// Taken, and proved refused by a look right after it.
    After(io::Error),
}

impl Socket {
    /// Opens a socket and connects it, which for datagrams does not block.
    pub fn connect(address: &Address) -> io::Result<Socket> {
        let descriptor = Descriptor::open(address, Type::DGRAM)?;
        descriptor.socket()?.connect(&address.0)?;
        Ok(Socket {
            descriptor,
            address: address.clone(),
            shared: AtomicBool::new(false),
            shared_state: Mutex::default(),
        })
    }

    /// Sends one datagram. With `probe` it asks right after it whether it was
    /// refused, which it always does where the socket is shared. Returns
    /// whether it did.
    pub fn send(&self, datagram: &[u8], probe: bool, is_owner: bool) -> Result<bool, Refusal> {
        if self.shared.load(Relaxed) {
            return self.send_in_turn(datagram, is_owner).map(|()| true);
        }
        self.send_now(datagram)?;
        if probe { self.probe().map(|()| true) } else { Ok(false) }
    }

    /// Why the datagram was refused that its owner sent last, without a look.
    pub fn refusal(&self) -> Option<io::Error> {
        if !self.shared.load(Relaxed) {
            return self.take_error();
        }
        // it is shared since: another may have found the refusal
        let mut shared_state = self.shared_state();
        shared_state.owners_error.take().or_else(|| self.take_error())
    }

    /// Sends and looks in one step, so that each sender learns of the refusal
    /// of its own datagrams and of no other.
    #[cold]
    fn send_in_turn(&self, datagram: &[u8], is_owner: bool) -> Result<(), Refusal> {
        let mut shared_state = self.shared_state();
        let before = self.take_error();
        if is_owner {
            shared_state.owner_knows = true;
        } else if before.is_some() && !shared_state.owner_knows {
            shared_state.owners_error = before;
            return self.send_now(datagram).and_then(|()| self.probe());
        }
        match before.or_else(|| if is_owner { shared_state.owners_error.take() } else { None }) {
            Some(error) => Err(Refusal::Before(error)),
            None => self.send_now(datagram).and_then(|()| self.probe()),
        }
    }

    fn send_now(&self, datagram: &[u8]) -> Result<(), Refusal> {
        let send = |socket: &socket2::Socket| socket.send_with_flags(datagram, libc::MSG_NOSIGNAL);
        self.descriptor.socket().and_then(send).map(drop).map_err(Refusal::Before)
    }

    fn probe(&self) -> Result<(), Refusal> {
        self.take_error().map_or(Ok(()), |error| Err(Refusal::After(error)))
    }

    /// The error of an earlier datagram that the kernel has received since,
    /// and forgets with this call. If the call itself fails, because the host
    /// has closed the descriptor, there is no known error of the datagram.
    fn take_error(&self) -> Option<io::Error> {
        self.descriptor.socket().and_then(socket2::Socket::take_error).ok().flatten()
    }

    /// Whether it is connected to this address.
    pub fn goes_to(&self, address: &Address) -> bool {
        self.address == *address
    }

    /// Whether it leads to another host: this one sends from the address that
    /// it sends to, or from one of its loopback.
    pub fn is_elsewhere(&self) -> bool {
        let here = self.descriptor.socket().and_then(socket2::Socket::local_addr);
        match (here.ok().and_then(|here| here.as_socket()), self.address.0.as_socket()) {
            (Some(here), Some(there)) => !there.ip().is_loopback() && here.ip() != there.ip(),
            _ => false,
        }
    }

    /// One more is to send through it. A server at a UNIX path may be another
    /// one than its owner has met.
    pub fn share(&self) -> io::Result<()> {
        let mut shared_state = self.shared_state();
        if !self.shared.swap(true, Relaxed) {
            shared_state.owner_knows = false;
        }
        if self.address.0.is_unix() {
            self.descriptor.socket()?.connect(&self.address.0)?;
        }
        Ok(())
    }

    /// Ends the sharing, for the owner, once no other context has the socket.
    pub fn end_sharing(self: &Arc<Socket>) {
        if self.shared.load(Relaxed) {
            let shared_state = self.shared_state();
            if Arc::strong_count(self) == 1 && shared_state.owners_error.is_none() {
                self.shared.store(false, Relaxed);
            }
        }
    }

    /// Whether the descriptor is still this socket.
    pub fn is_own(&self) -> bool {
        self.descriptor.is_own()
    }

    fn shared_state(&self) -> MutexGuard<'_, SharedState> {
        self.shared_state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
