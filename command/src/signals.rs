//! Signals, as something that can be waited for beside a socket.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// The signals that end the command, and that of a child's end, which only
/// wakes.
pub struct Signals {
    last: Arc<AtomicUsize>,
    woken: UnixStream,
    wake: UnixStream,
}

/// Wakes who waits, from any thread.
pub struct Waker(UnixStream);

impl Waker {
    pub fn wake(&self) {
        // full: it has not yet seen the wake before
        let _ = (&self.0).write(&[0]);
    }
}

impl Signals {
    pub fn new() -> io::Result<Signals> {
        let (woken, wake) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        wake.set_nonblocking(true)?;
        let last = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // before the pipe: who is woken finds it
            flag::register_usize(signal, last.clone(), signal as usize)?;
        }
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGCHLD] {
            low_level::pipe::register(signal, wake.try_clone()?)?;
        }
        Ok(Signals { last, woken, wake })
    }

    /// The newest signal that came since this was asked last.
    pub fn take(&self) -> Option<i32> {
        let mut bytes = [0; 64];
        while (&self.woken).read(&mut bytes).is_ok_and(|n| n > 0) {}
        match self.last.swap(0, SeqCst) {
            0 => None,
            signal => Some(signal as i32),
        }
    }
}

impl Signals {
    pub fn waker(&self) -> io::Result<Waker> {
        self.wake.try_clone().map(Waker)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}
