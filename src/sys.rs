//! What the core needs of the system that the standard library does not
//! give, behind safe functions.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

/// CLOCK_MONOTONIC in nanoseconds.
pub fn now() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// The same clock as it was at the last tick of the kernel, a few ms ago at
/// most, for a fraction of the cost.
pub fn roughly_now() -> u64 {
    clock(libc::CLOCK_MONOTONIC_COARSE)
}

fn clock(clock: libc::clockid_t) -> u64 {
    let mut ts = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the pointer is to a timespec; both clocks always exist.
    let ts = unsafe {
        libc::clock_gettime(clock, ts.as_mut_ptr());
        ts.assume_init()
    };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

/// What tells a descriptor from another that has taken its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

/// The identity of an open descriptor, or `None` where it is closed.
pub fn file_id(fd: BorrowedFd<'_>) -> Option<FileId> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat takes any number and fills the struct where it returns 0.
    let stat = unsafe {
        if libc::fstat(fd.as_raw_fd(), stat.as_mut_ptr()) != 0 {
            return None;
        }
        stat.assume_init()
    };
    Some(FileId { device: stat.st_dev, inode: stat.st_ino })
}

/// Starts a thread with all signals blocked, so that the host's handlers and
/// signalfds get them.
pub fn spawn<F>(name: &str, f: F) -> std::io::Result<std::thread::JoinHandle<()>>
where
    F: FnOnce() + Send + 'static,
{
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are valid for writing; the new thread inherits the
    // mask, and the caller gets its own back below.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
    }
    let thread = std::thread::Builder::new().name(name.to_owned()).stack_size(256 * 1024).spawn(f);
    // SAFETY: `before` was filled by the call above.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
    }
    thread
}

/// The name of this host.
pub fn hostname() -> String {
    let mut name = [0u8; 256];
    // SAFETY: the buffer has the length given, less one for a NUL.
    unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) };
    let len = name.iter().position(|b| *b == 0).unwrap_or(0);
    String::from_utf8_lossy(&name[..len]).into_owned()
}

/// A number for the calling thread that no other living thread has.
pub fn thread_id() -> usize {
    // SAFETY: it cannot fail.
    unsafe { libc::pthread_self() as usize }
}
