//! Sockets by address: each link has its own, but when the process or the
//! system is out of descriptors one borrows that of another.

#![forbid(unsafe_code)]

use std::io;
use std::sync::{Arc, Weak};

use crate::send::address::Address;
use crate::send::socket::Socket;
use crate::sys::fork_lock::{Guard, Lock};

static POOL: Lock<Pool> = Lock::new(Pool { sockets: Vec::new(), sweep: 0 });

/// The sockets of this process.
#[derive(Debug)]
pub struct Pool {
    sockets: Vec<Weak<Socket>>,
    /// Where it is to be looked next for one that is gone.
    sweep: usize,
}

impl Pool {
    /// Puts a socket in, and takes one or two out that are gone: so there are
    /// never many of those.
    fn add(&mut self, socket: &Arc<Socket>) {
        for _ in 0..2 {
            match self.sockets.get(self.sweep) {
                Some(socket) if socket.strong_count() == 0 => {
                    self.sockets.swap_remove(self.sweep);
                }
                Some(_) => self.sweep += 1,
                None => self.sweep = 0,
            }
        }
        self.sockets.push(Arc::downgrade(socket));
    }

    /// In a child process: what there is, is the parent's.
    pub fn after_fork(&mut self) {
        self.sockets.clear();
    }
}

/// Opens a socket to `address`, or borrows one where there is no descriptor
/// for it. Whether it is borrowed.
pub fn open(address: &Address) -> io::Result<(Arc<Socket>, bool)> {
    let shortage = match Socket::connect(address) {
        Ok(socket) => return Ok((added(socket), false)),
        Err(error) => error,
    };
    match shortage.raw_os_error().unwrap_or(0) {
        libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM => {}
        _ => return Err(shortage),
    }
    let pool = lock();
    let mut sockets = pool.sockets.iter().filter_map(Weak::upgrade);
    let socket = sockets.find(|socket| socket.goes_to(address) && socket.is_own());
    drop(pool);
    let socket = socket.ok_or(shortage)?;
    socket.share()?;
    Ok((socket, true))
}

/// Opens a new socket in place of one that there is.
pub fn renew(address: &Address) -> io::Result<Arc<Socket>> {
    Socket::connect(address).map(added)
}

fn added(socket: Socket) -> Arc<Socket> {
    let socket = Arc::new(socket);
    lock().add(&socket);
    socket
}

/// Whether it is unlocked at this moment.
pub fn is_free() -> bool {
    POOL.is_free()
}

/// Locks it.
pub fn lock() -> Guard<'static, Pool> {
    POOL.lock()
}
